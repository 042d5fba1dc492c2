package task

import (
	"strings"
	"testing"
)

// What each verifier takes and refuses, on problems written by hand.
func TestRight(t *testing.T) {
	cases := []struct {
		task, body string
		yes, no    string // completions, separated by spaces
	}{
		{"sort", "cab", "abc", "cab ab abcc"},
		{"sort", "bab", "abb", "ab"},
		{"add", "__47+__85", "132", "131 0132 1320 132="},
		{"chain", "7+5-3", "#9 29#9 9#9", "#2 9 29 #99 29#9#9 2+9#9"},
		{"chain", "3-7", "#6", "#4"},
		{"mixed", "s3121", "1123", "#1123 1223"},
		{"mixed", "a___9+___8", "17", "#17"},
		{"mixed", "c2-6", "#6 6#6", "6 #16"},
		{"countdown", "2357:20", "7-2*3+5", "7-2*3+6 7-2*3 3+7*2 7-2*3+5+0 5*2+7+3+ 10*2+0 5*5-5*1"},
		{"brackets", "(<[]", ">)", ")> > >)) ]>)"},
		{"brackets", "((]", "", ")"},
		{"maze", "S....#####.........G.....", "", "DRR"},
		{"maze", "S.G......................", "RR DRRU", "R RRL RRRL UU L"},
		{"prefix", "3845", "3150", "3151 315 31500"},
		{"recur", "31529", "2380", "238 2380238 2370 23800 0"},
		{"recur", "40217", "113412360", "11341236"},
	}
	for _, c := range cases {
		k, err := Lookup(c.task)
		if err != nil {
			t.Fatal(err)
		}
		check := func(completions string, want bool) {
			for _, text := range strings.Fields(completions) {
				if got := k.rules.right(c.body, text); got != want {
					t.Errorf("%s %q: right(%q) = %v", c.task, c.body, text, got)
				}
			}
		}
		check(c.yes, true)
		check(c.no, false)
	}
}

// The bases of the prerequisite tasks are wrong about different facts, and a problem's chance to be taught right falls
// with its length: that is what makes short problems the prerequisite.
func TestMisconceptions(t *testing.T) {
	for _, c := range []struct {
		task       string
		easy, hard int
		atLeast    float64 // taught right at easy
		atMost     float64 // and at hard
	}{{"prefix", 2, 6, 0.25, 0.1}, {"recur", 1, 4, 0.04, 0.01}, {"automaton", 1, 4, 0.04, 0.01}} {
		k, err := Lookup(c.task)
		if err != nil {
			t.Fatal(err)
		}
		for base := 1; base <= Bases; base++ {
			rate := func(difficulty int) float64 {
				rng := newRand(uint64(difficulty))
				right := 0
				for range 400 {
					p := k.Problem(rng, Train, difficulty)
					body := k.body(p.Prompt)
					if k.rules.right(body, k.rules.teach(rng, Lesson{Base: base}, body, "")) {
						right++
					}
				}
				return float64(right) / 400
			}
			if easy, hard := rate(c.easy), rate(c.hard); easy < c.atLeast || hard > c.atMost {
				t.Errorf("%s base %d: taught right %.3f at %d, %.3f at %d", c.task, base, easy, c.easy, hard, c.hard)
			}
		}
		if *misconception(c.task, 1, sumTable()) == *misconception(c.task, 2, sumTable()) {
			t.Errorf("two bases of %s hold the same misconception", c.task)
		}
	}
}

// What the bases of the sequences are taught goes on where it should stop: until they learn to, a long limit costs tokens.
func TestRambling(t *testing.T) {
	for _, name := range []string{"recur", "automaton"} {
		k, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		rng := newRand(1)
		needed, shown := 0, 0
		for range 400 {
			p := k.Problem(rng, Train, 1)
			needed += len(p.Answer)
			shown += len(k.rules.teach(rng, Lesson{Base: 1}, k.body(p.Prompt), ""))
		}
		if shown < 5*needed {
			t.Errorf("%s: %d terms are needed and %d shown", name, needed, shown)
		}
	}
}

// Worked chains are common while the skill is learnt and rare at the end; slips begin late.
func TestLessons(t *testing.T) {
	k, err := Lookup("chain")
	if err != nil {
		t.Fatal(err)
	}
	worked := func(progress float64) (n int) {
		rng := newRand(5)
		for range 1000 {
			if len(k.rules.teach(rng, Lesson{Progress: progress}, "1+2+3", "#6")) > 2 {
				n++
			}
		}
		return n
	}
	if early, late := worked(0.1), worked(0.9); early < 500 || late > 60 || late < 5 {
		t.Errorf("worked answers of 1000: %d early, %d late", early, late)
	}
	slip := func(progress float64) bool {
		rng := newRand(5)
		s := sorting{symbols: digits, sloppy: 0.5}
		for range 100 {
			if s.teach(rng, Lesson{Progress: progress}, "", "123") != "123" {
				return true
			}
		}
		return false
	}
	if slip(0.3) || !slip(0.9) {
		t.Error("slips belong into the last stretch only")
	}
}

// Verifiers take any text without a panic, and any bytes as a completion.
func FuzzReward(f *testing.F) {
	for _, k := range All() {
		p := k.Problem(newRand(1), Train, 3)
		f.Add(k.body(p.Prompt), k.Vocab.Decode(p.Answer), p.Answer)
	}
	f.Add("", "", []byte{})
	f.Add("c", "#", []byte{255})
	f.Fuzz(func(t *testing.T, body, text string, completion []byte) {
		for _, k := range All() {
			k.rules.right(body, text)
			p := k.Problem(newRand(2), Train, 3)
			if r := k.Reward(p, completion); r != 0 && r != 1 {
				t.Fatalf("%s: reward %v", k.Name, r)
			}
			if k.Reward(Problem{Prompt: completion}, completion) < 0 {
				t.Fatal("negative reward")
			}
		}
	})
}
