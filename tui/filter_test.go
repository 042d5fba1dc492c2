package tui

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"llmzero/engine/tree"
)

func storySearch() *search {
	return newSearch("s", newFakeSession(storybook()), testTime)
}

func TestFilter(t *testing.T) {
	s := storySearch()
	for _, c := range []struct{ text, want string }{
		{"score>0.7", "n7"},
		{"score>=0.742", "n7"},
		{"gain<0", "n2 n5"},
		{"state:failed", "n6"},
		{"state:run", "n9 n10"},
		{"verdict:vetoed", "n4"},
		{"is:best", "root n1 n3 n7"},
		{"is:best -state:eval", ""},
		{"lr<=1.5e-4", "n12"},
		{"param:learning_rate>2e-3", "n4 n5"},
		{"LR>2e-3", "n4 n5"},
		{"diag:trunc", "n12"},
		{"memory", "n6"},
		{"seen before", "n4"},
		{"scale_rewards=group depth=1", "n1 n4 n6 n11"},
		{"-state:eval -is:open", "n4 n5 n6 n11"},
		{"tokens>0 steps=40 conf>0.5 id<3", "n1 n2"},
		{"", "root n1 n2 n3 n4 n5 n6 n7 n8 n9 n10 n11 n12"},
	} {
		f, err := parseFilter(c.text, s.t.Spec.Space)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		var got []string
		for _, n := range s.t.Nodes {
			if f.match(s, n) {
				got = append(got, name(n.ID))
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%q matches %v, want %s", c.text, got, c.want)
		}
	}
}

func TestFilterErrorsSayWhatToDo(t *testing.T) {
	for text, want := range map[string]string{
		"state:flying": "the states are", "sc>1": "no such number or parameter", "score>abc": `"abc" is not a number`, "is:nice": "is:best",
		"foo:bar": "not one of", "param:lr": "compare the parameter", "scale_rewards>1": "compare it with =", "state:": "the states are",
	} {
		if _, err := parseFilter(text, testSpace()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q in it", text, err, want)
		}
	}
}

// FuzzFilter: whatever is typed, the filter parses or says why, and matches without a panic.
func FuzzFilter(f *testing.F) {
	for _, s := range []string{"score>0.6 state:failed", "-", "--x", "param:", "lr<", "is:best", "a:b:c", "=<>", "depth==2"} {
		f.Add(s)
	}
	s := storySearch()
	f.Fuzz(func(t *testing.T, text string) {
		fl, err := parseFilter(text, s.t.Spec.Space)
		if err != nil {
			return
		}
		for _, n := range s.t.Nodes {
			fl.match(s, n)
		}
	})
}

// TestOutlineRows checks the walk over compact arrays against the plain recursive one, with folds and filters.
func TestOutlineRows(t *testing.T) {
	s := newSearch("s", newFakeSession(forest(2000)), testTime)
	check := func(what string, shown []bool) {
		t.Helper()
		var want []tree.NodeID
		var walk func(id tree.NodeID)
		walk = func(id tree.NodeID) {
			want = append(want, id)
			if s.out.folded[id] && shown == nil {
				return
			}
			var kids []tree.NodeID
			for _, k := range s.t.Nodes[id].Children {
				if shown == nil || shown[k] {
					kids = append(kids, k)
				}
			}
			for i, k := range kids {
				if s.out.last[k] != (i == len(kids)-1) {
					t.Fatalf("%s: %d is wrongly told to be the last child or not", what, k)
				}
				walk(k)
			}
		}
		s.out.stale = true
		s.lay()
		walk(tree.Root)
		if len(want) != len(s.out.rows) {
			t.Fatalf("%s: %d rows, want %d", what, len(s.out.rows), len(want))
		}
		for i := range want {
			if want[i] != s.out.rows[i] || int(s.out.at[want[i]]) != i {
				t.Fatalf("%s: row %d is %d, want %d", what, i, s.out.rows[i], want[i])
			}
		}
	}
	check("all", nil)
	for id := tree.NodeID(3); id < 2000; id += 7 {
		s.out.folded[id] = true
	}
	check("folded", nil)
	// Single folds splice the rows; they must come out as if all had been laid anew.
	rng := rand.New(rand.NewPCG(3, 3))
	for range 300 {
		id := tree.NodeID(rng.IntN(2000))
		s.fold(id, !s.out.folded[id])
		s.lay()
		if rng.IntN(10) == 0 {
			spliced := slices.Clone(s.out.rows)
			check("spliced", nil)
			if !slices.Equal(spliced, s.out.rows) {
				t.Fatal("folding one node gives other rows than laying all")
			}
		}
	}
	f, err := parseFilter("score>0.9", s.t.Spec.Space)
	if err != nil {
		t.Fatal(err)
	}
	s.out.filter = f
	s.out.stale = true
	s.lay()
	check("filtered", s.shown())
}
