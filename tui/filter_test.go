package tui

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

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
		{"state:waiting", "n12"},
		{"STATE:Wait", "n12"},
		{"state:done", "root n1 n2 n3 n7 n8"},
		{"by:you id>0", ""},
		{"by:agent id<3", "n1 n2"},
		{"by:RULES id<3", "n1 n2"},
		{"scale_rewards=GROUP depth=1", "n1 n4 n6 n11"},
		{"scale_rewards!=group", ""},
		{"depth!=1 depth!=2 -is:trained", "n9 n10 n12"},
		{`"before" state:vetoed`, "n4"},
		{`"seen this"`, "n4"},
		{`-"seen this" state:vetoed`, ""},
		{`"this seen"`, ""},
		{`"state:failed"`, ""},
		{`diag:"entropy collapse"`, "n3 n7"},
		{`"seen th`, "n4"},
		{"is:trained gain<0", "n2 n5"},
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
		"state:x": "waiting, done, proposed, approved", "scale_rewards=x": "one of group, batch, none", "verdict:x": "approved, edited, vetoed",
		"diag:q": "entropy collapse", "xx<1": "the parameters len, n", "score>": "score> needs a number", "by:": "you, agent", "a!=1": "no such number",
	} {
		if _, err := parseFilter(text, testSpace()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q in it", text, err, want)
		}
	}
}

// TestFilterSaysWhatIsPossible: the lines above a filter tell what can be typed, and what is wrong while it is being typed.
func TestFilterSaysWhatIsPossible(t *testing.T) {
	for text, want := range map[string]string{
		"": "is:best", "score>0.6 ": "is:best", "sta": "state:", "state:": "waiting, done", "state:f": "failed", "l": "lr", "lr": "learning_rate: 1e-05 … 0.01", "gain": "and a number", "learn": "learning_rate",
		"lr<": "1e-05 … 0.01", "scale_rewards=": "group, batch, none", "score>": "and a number", "memory": "text in", `"state`: "text in", "by:": "you",
	} {
		if got := filterHint(text, testSpace()); !strings.Contains(got, want) {
			t.Errorf("%q: hint %q, want %q in it", text, got, want)
		}
	}
	r, _ := opened(t, nil)
	r.keys("/ type:score>0.7 space type:state:x")
	r.mustShow("the states are waiting, done, proposed", "1 of 13")
	r.keys("backspace d")
	r.mustNotShow("the states are")
	r.mustShow("state: done")
	r.keys("esc / type:score")
	r.mustShow("base model") // a name that is not finished hides nothing yet
	r.keys("enter")
	r.mustShow("no node matches")
}

// TestNoNodeMatches: a filter that nothing passes says so in the tree's order too, and its end brings the rows back.
func TestNoNodeMatches(t *testing.T) {
	r, _ := opened(t, nil)
	r.keys("/ type:score>0.99 enter")
	r.mustShow("no node matches the filter", "0 of 13")
	for _, k := range []string{"j", "k", "left", "right", "z", "G", "v", "v"} {
		r.keys(k)
		r.screen()
	}
	r.keys("esc")
	r.mustShow("base model", "n10")
}

// TestGivenUpFilterKeepsTheCursor: esc brings back the filter and the node that the cursor was on.
func TestGivenUpFilterKeepsTheCursor(t *testing.T) {
	r, _ := opened(t, nil)
	r.a.s.goTo(8)
	r.keys("/ type:state:failed down")
	if r.a.s.out.cursor == 8 {
		t.Fatal("the filter did not move the cursor")
	}
	r.screen()
	r.keys("esc")
	r.screen()
	if s := r.a.s; s.out.cursor != 8 || s.out.filter.text != "" || s.out.hit != nil {
		t.Errorf("the cursor is on %d under %q", s.out.cursor, s.out.filter.text)
	}
}

// TestGoingToAHiddenNodeSaysThatTheFilterIsCleared: opening the gate under a filter that hides its proposal, for one.
func TestGoingToAHiddenNodeSaysThatTheFilterIsCleared(t *testing.T) {
	r, _ := opened(t, nil)
	r.keys("/ type:state:failed enter b")
	r.mustShow("the filter is cleared: it hid n7")
	r.keys("/ type:state:failed enter enter")
	r.mustShow("the filter is cleared: it hid n12", "Proposal n12")
	r.keys("esc wait wait wait wait wait wait")
	r.send(tickMsg(r.now))
	r.keys("/ type:is:best enter b")
	r.mustNotShow("cleared")
	if r.a.s.out.filter.text != "is:best" {
		t.Error("a filter that shows the node was cleared")
	}
}

// TestFilterInSlices: a pass that takes many slices comes to the rows of one made at once, also when the tree grows meanwhile.
func TestFilterInSlices(t *testing.T) {
	s := newSearch("s", newFakeSession(forest(3000)), testTime)
	f, err := parseFilter("entropy score>0.5", s.t.Spec.Space)
	if err != nil {
		t.Fatal(err)
	}
	s.out.filter = f
	s.resift()
	slices := 0
	for ; s.out.sieve.on; slices++ {
		s.sift(0)
		if slices == 3 { // a node changes before the pass is over
			s.t.Nodes[5].Transition.Rationale, s.t.Nodes[5].Updated = "entropy", testTime
			s.t.Nodes[5].Outcome.Val.Mean = 0.9
			s.reindex()
		}
	}
	if slices < 4 {
		t.Fatalf("the pass took %d slices", slices)
	}
	hits := 0
	for i, n := range s.t.Nodes {
		want := strings.Contains(strings.ToLower(n.Transition.Rationale), "entropy") && n.Val().Known() && n.Val().Mean > 0.5
		if s.out.hit[i] != want {
			t.Fatalf("node %d: hit %v, want %v", i, s.out.hit[i], want)
		}
		if want {
			hits++
		}
	}
	if s.out.hits != hits || !s.out.hit[5] {
		t.Errorf("%d hits counted, there are %d", s.out.hits, hits)
	}
}

// TestFilterFollowsTheTree: a node that begins to match is shown without a key.
func TestFilterFollowsTheTree(t *testing.T) {
	r, _ := opened(t, nil)
	r.keys("/ type:state:queued enter")
	r.mustShow("0 of 13")
	r.do(r.a.do("", tree.Command{Kind: tree.CmdApprove, Node: 12}))
	r.mustShow("1 of 13", "n12")
	r.mustNotShow("no node matches")
}

// TestFlatOrders checks the sort by bytes against the plain one.
func TestFlatOrders(t *testing.T) {
	s := newSearch("s", newFakeSession(forest(3000)), testTime)
	rng := rand.New(rand.NewPCG(2, 2))
	for _, n := range s.t.Nodes {
		n.Updated = testTime.Add(time.Duration(rng.IntN(100)) * time.Second)
	}
	for s.out.order = orderScore; s.out.order < numOrders; s.out.order++ {
		s.out.stale = true
		s.lay()
		want := make([]tree.NodeID, len(s.t.Nodes))
		for i := range want {
			want[i] = tree.NodeID(i)
		}
		key := func(id tree.NodeID) float64 {
			n := s.t.Nodes[id]
			x, ok := n.Val().Mean, n.Val().Known()
			if s.out.order == orderGain {
				x, ok = s.gain(n)
			}
			if s.out.order == orderRecent {
				x, ok = float64(n.Updated.Unix()), true
			}
			if !ok {
				return 1e18
			}
			return -x
		}
		slices.SortStableFunc(want, func(a, b tree.NodeID) int { return cmp.Compare(key(a), key(b)) })
		if !slices.Equal(want, s.out.rows) {
			t.Errorf("%s: rows are in another order than a plain sort gives", s.out.order)
		}
	}
}

// FuzzFilter: whatever is typed, the filter parses or says why, and matches without a panic.
func FuzzFilter(f *testing.F) {
	for _, s := range []string{"score>0.6 state:failed", "-", "--x", "param:", "lr<", "is:best", "a:b:c", "=<>", "depth==2", `"a b" -"c`, `x:"y z"`, "a!=b", "param:lr!=1", `"`} {
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
