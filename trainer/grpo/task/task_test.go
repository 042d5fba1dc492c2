package task

import (
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 7)) }

// anyTask draws a task.
func anyTask(t *rapid.T) *Task { return rapid.SampledFrom(All()).Draw(t, "task") }

func TestLookup(t *testing.T) {
	for _, want := range All() {
		got, err := Lookup(want.Name)
		if err != nil || got != want {
			t.Errorf("Lookup(%q) = %v, %v", want.Name, got, err)
		}
	}
	_, err := Lookup("sorting")
	if err == nil || !strings.Contains(err.Error(), "sort, add, chain, mixed") {
		t.Errorf("error of an unknown task does not list the names: %v", err)
	}
}

// The declaration of every task is consistent with the policy's limits and with itself.
func TestDeclarations(t *testing.T) {
	for _, k := range All() {
		t.Run(k.Name, func(t *testing.T) {
			if n := k.PromptLen() + max(k.MaxAnswer+1, k.MaxCompletion); n > Context {
				t.Errorf("prompt and response take %d tokens of %d", n, Context)
			}
			for _, r := range []Range{k.Validation, k.Test} {
				if r.Lo < k.Difficulty.Lo || r.Hi > k.Difficulty.Hi || r.Lo > r.Hi {
					t.Errorf("range %v outside the difficulty %v", r, k.Difficulty)
				}
			}
			if k.Help == "" || k.DifficultyHelp == "" || strings.Contains(k.Help, "\n") {
				t.Error("help must be one line")
			}
			if len(k.corpus) != k.Difficulty.Hi-k.Difficulty.Lo+1 {
				t.Errorf("%d corpus weights for difficulties %v", len(k.corpus), k.Difficulty)
			}
			if b := k.Budgets; b.Tight <= 0 || b.Middle <= b.Tight || b.Ample <= b.Middle {
				t.Errorf("budgets do not grow: %+v", b)
			}
		})
	}
}

// Every problem of every task, split and difficulty has the declared shape, sits in its split, and its own answer is
// right while the answer with a symbol changed, added or removed is verified on its own merits and never panics.
func TestProblems(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := anyTask(t)
		split := rapid.SampledFrom([]Split{Train, Validation, Test}).Draw(t, "split")
		lo, hi := k.Difficulty.Lo, k.Difficulty.Hi
		switch split {
		case Validation:
			lo, hi = k.Validation.Lo, k.Validation.Hi
		case Test:
			lo, hi = k.Test.Lo, k.Test.Hi
		case Train:
		}
		d := rapid.IntRange(lo, hi).Draw(t, "difficulty")
		seed := rapid.Uint64().Draw(t, "seed")
		p := k.Problem(newRand(seed), split, d)
		if again := k.Problem(newRand(seed), split, d); again.Key != p.Key {
			t.Fatalf("same seed gave %q and %q", p.Key, again.Key)
		}
		if SplitOf(k.Name, p.Key) != split {
			t.Fatalf("%q is not of split %v", p.Key, split)
		}
		if len(p.Prompt) != k.PromptLen() || p.Prompt[0] != BOS || len(p.Answer) > k.MaxAnswer || p.Difficulty != d {
			t.Fatalf("shape of %+v", p)
		}
		if k.Reward(p, p.Answer) != 1 {
			t.Fatalf("%s: own answer %s refused", k.Vocab.Decode(p.Prompt), k.Vocab.Decode(p.Answer))
		}
		if k.Reward(p, nil) != 0 || k.Reward(p, append([]uint8{PAD}, p.Answer...)) != 0 || k.Reward(p, append(p.Answer[:len(p.Answer):len(p.Answer)], EOS)) != 0 {
			t.Fatalf("%s: an empty answer or one with PAD or EOS accepted", k.Vocab.Decode(p.Prompt))
		}
	})
}

// The lists of the three splits share no problem, and the fixed lists are spread over the declared difficulties.
func TestSplitsAreDisjoint(t *testing.T) {
	for _, k := range All() {
		t.Run(k.Name, func(t *testing.T) {
			where := map[string]Split{}
			count := map[int]int{}
			note := func(p Problem, s Split) {
				if was, ok := where[p.Key]; ok && was != s {
					t.Fatalf("%q is in %v and in %v", p.Key, was, s)
				}
				where[p.Key] = s
			}
			for _, p := range k.ValidationSet() {
				note(p, Validation)
				count[p.Difficulty]++
			}
			for _, p := range k.TestSet() {
				note(p, Test)
			}
			rng := newRand(1)
			for range 5000 {
				note(k.Train(rng, Curriculum{Cap: k.Difficulty.Hi}), Train)
			}
			for d := k.Validation.Lo; d <= k.Validation.Hi; d++ {
				if want := EvalSize / (k.Validation.Hi - k.Validation.Lo + 1); count[d] < want {
					t.Errorf("difficulty %d: %d validation problems, want %d", d, count[d], want)
				}
			}
		})
	}
}

// Every difficulty has training problems: Problem would otherwise not return.
func TestEveryDifficultyHasTrainingProblems(t *testing.T) {
	for _, k := range All() {
		for d := k.Difficulty.Lo; d <= k.Difficulty.Hi; d++ {
			if p := k.Problem(newRand(uint64(d)), Train, d); p.Difficulty != d {
				t.Errorf("%s: drew difficulty %d for %d", k.Name, p.Difficulty, d)
			}
		}
	}
}

// Supervised sequences come from the train split, fit in the context, and put the loss on completion and EOS only.
func TestExamples(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := anyTask(t)
		l := Lesson{Base: rapid.IntRange(1, Bases).Draw(t, "base"), Progress: rapid.Float64Range(0, 0.999).Draw(t, "progress")}
		e := k.Example(newRand(rapid.Uint64().Draw(t, "seed")), l)
		n := k.PromptLen()
		if len(e.IDs) > Context || len(e.IDs) != len(e.Loss) || e.IDs[len(e.IDs)-1] != EOS || e.IDs[0] != BOS {
			t.Fatalf("shape of %s", k.Vocab.Decode(e.IDs))
		}
		if body := k.body(e.IDs[:n]); (k.Name == "sort" || k.Name == "maze") && SplitOf(k.Name, body) != Train {
			t.Fatalf("%q is taught, but of split %v", body, SplitOf(k.Name, body))
		}
		for i, on := range e.Loss {
			if on != (i >= n) {
				t.Fatalf("loss at %d is %v, the prompt has %d tokens", i, on, n)
			}
			if int(e.IDs[i]) >= k.Vocab.Len() {
				t.Fatalf("id %d outside the vocabulary", e.IDs[i])
			}
		}
	})
}

func TestCurriculum(t *testing.T) {
	r := Range{2, 10}
	cases := []struct {
		c      Curriculum
		lo, hi int
	}{
		{Curriculum{10, Uniform}, 2, 10},
		{Curriculum{7, Band}, 4, 7},
		{Curriculum{3, Band}, 2, 3},
		{Curriculum{6, Easy}, 2, 6},
		{Curriculum{0, Uniform}, 2, 2},
		{Curriculum{99, Band}, 5, 10},
	}
	for _, c := range cases {
		rng := newRand(3)
		count := map[int]int{}
		for range 4000 {
			count[c.c.draw(rng, r)]++
		}
		for d := range count {
			if d < c.lo || d > c.hi {
				t.Errorf("%+v drew %d, outside %d..%d", c.c, d, c.lo, c.hi)
			}
		}
		if count[c.lo] == 0 || count[c.hi] == 0 {
			t.Errorf("%+v never drew an end of %d..%d", c.c, c.lo, c.hi)
		}
		if c.c.Mix == Easy && count[c.hi] >= count[c.lo] {
			t.Errorf("easy mix drew %d hard and %d easy", count[c.hi], count[c.lo])
		}
	}
	for _, m := range Mixes {
		if got, err := ParseMix(m.String()); err != nil || got != m {
			t.Errorf("ParseMix(%q) = %v, %v", m, got, err)
		}
	}
	if _, err := ParseMix("hard"); err == nil {
		t.Error("an unknown mix was accepted")
	}
}

func TestVocab(t *testing.T) {
	v := newVocab("ab")
	ids, err := v.Encode("^ab_$")
	if err != nil || string(ids) != "\x01\x03\x04\x00\x02" {
		t.Errorf("Encode = %v, %v", ids, err)
	}
	if got := v.Decode([]uint8{3, 31, 255}); got != "a??" {
		t.Errorf("Decode = %q", got)
	}
	if _, err := v.Encode("az"); err == nil || !strings.Contains(err.Error(), `'z'`) {
		t.Errorf("a foreign symbol gave %v", err)
	}
}
