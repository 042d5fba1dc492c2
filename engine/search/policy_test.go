package search

import (
	"strings"
	"testing"

	"llmzero/engine/tree"
)

func next(t *testing.T, w *world) tree.NodeID {
	t.Helper()
	c, ok := w.p.Next(w.tree)
	if !ok {
		return -1
	}
	return c.Node
}

func TestNewRefusesAnUnknownPolicy(t *testing.T) {
	if _, err := New("mcts", Options{}); err == nil || !strings.Contains(err.Error(), "best-first") {
		t.Errorf("got %v, want an error that names the policies", err)
	}
	if p, err := New("", Options{}); err != nil || p.(*uct) == nil {
		t.Errorf("the default is %T (%v), want uct", p, err)
	}
}

func TestOptionsInTheName(t *testing.T) {
	p, err := New("uct:exploration=0.35,children=3,widening=-1,raw=true", Options{RootChildren: 5})
	if err != nil {
		t.Fatal(err)
	}
	if o := p.(*uct).opts; o.Exploration != 0.35 || o.Children != 3 || o.Widening != -1 || !o.Raw || o.RootChildren != 5 || o.FailureWeight != 0.5 {
		t.Errorf("the options are %+v", o)
	}
	for name, want := range map[string]string{
		"uct:speed=3": "failure-weight", "uct:children=1.5": "whole number", "uct:exploration=NaN": "above 0", "uct:exploration": "above 0",
		"uct:raw=2": "true or false", "beam:width=0": "from 1", "ucb:width=1": "no search policy", "uct:,": "no option",
	} {
		if _, err := New(name, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %q", name, err, want)
		}
	}
}

// TestEqualSpending: on a rising curve a deep node with an ordinary score is worth less than a shallow one that is ahead.
func TestEqualSpending(t *testing.T) {
	w := newWorld(t, "best-first", Options{RootChildren: 3, Children: 5})
	at := tree.Root
	for _, s := range []float64{0.30, 0.42, 0.50, 0.55, 0.58} { // what training brings anyway
		at = w.grow(at)
		w.end(at, s, 0.001)
	}
	ahead := w.grow(tree.Root)
	w.end(ahead, 0.45, 0.001)
	if got := next(t, w); got != ahead {
		t.Errorf("next is %d with %.2f, want %d, which is ahead of the curve", got, w.tree.Nodes[got].Val().Mean, ahead)
	}
	raw := newWorld(t, "best-first", Options{RootChildren: 3, Children: 5, Raw: true})
	raw.tree = w.tree
	for id := 1; id < len(w.tree.Nodes); id++ {
		raw.p.Update(w.tree, tree.NodeID(id))
	}
	if got := next(t, raw); got != at {
		t.Errorf("by the scores as they are, next is %d, want the deepest %d", got, at)
	}
}

// TestNoiseIsNotChased: advantages shrink towards 0 when the scores' spread is no more than their noise.
func TestNoiseIsNotChased(t *testing.T) {
	advantage := func(se float64) float64 {
		w := newWorld(t, "uct", Options{})
		for _, s := range []float64{0.50, 0.52, 0.48, 0.51, 0.49, 0.55} {
			w.end(w.grow(tree.Root), s, se)
		}
		return w.p.(*uct).entries[6].adv
	}
	quiet, noisy := advantage(0.001), advantage(0.05)
	if quiet < 0.03 || noisy > quiet/3 {
		t.Errorf("the best node's advantage is %.4f with little noise and %.4f with much; want the second far smaller", quiet, noisy)
	}
}

func TestGreedyKeepsItsIncumbentWithinNoise(t *testing.T) {
	w := newWorld(t, "greedy", Options{})
	a := w.grow(tree.Root)
	w.end(a, 0.50, 0.02)
	w.end(w.grow(a), 0.51, 0.02)
	if got := next(t, w); got != a {
		t.Errorf("next is %d, want %d: its child is better by less than the noise", got, a)
	}
	b := w.grow(a)
	w.end(b, 0.60, 0.02)
	if got := next(t, w); got != b {
		t.Errorf("next is %d, want %d", got, b)
	}
	w.set(b, tree.StatePruned)
	if got := next(t, w); got != a {
		t.Errorf("next is %d after pruning the incumbent, want %d again", got, a)
	}
}

func TestGreedyBranchGoesUpThePath(t *testing.T) {
	w := newWorld(t, "greedy-branch", Options{Patience: 2})
	a := w.grow(tree.Root)
	w.end(a, 0.3, 0)
	b := w.grow(a)
	w.end(b, 0.5, 0)
	var picks []tree.NodeID
	for range 6 {
		c, _ := w.p.Next(w.tree)
		picks = append(picks, c.Node)
		w.end(w.grow(c.Node, c.Terms...), 0.1, 0)
	}
	// Two fruitless children of b, two of its parent, then one of the root, which is better than the root: climb from there.
	want := []tree.NodeID{b, b, a, a, tree.Root, 7}
	for i := range want {
		if picks[i] != want[i] {
			t.Fatalf("picks %v, want %v", picks, want)
		}
	}
	again, err := Build(w.tree, Options{Patience: 2})
	if err != nil {
		t.Fatal(err)
	}
	x, _ := w.p.Next(w.tree)
	y, _ := again.Next(w.tree)
	if x.Node != y.Node {
		t.Errorf("opened again the search goes on from %d, before from %d", y.Node, x.Node)
	}
}

func TestChainIsOneTrajectory(t *testing.T) {
	w := newWorld(t, "chain", Options{})
	a := w.grow(next(t, w))
	if got := next(t, w); got != -1 {
		t.Errorf("next is %d while the only link trains, want none", got)
	}
	w.end(a, 0.3, 0)
	b := w.grow(next(t, w))
	w.fail(b)
	if got := next(t, w); got != a {
		t.Errorf("next is %d after a failure, want %d again", got, a)
	}
	c := w.grow(a)
	w.end(c, 0.1, 0)
	if got := next(t, w); got != c {
		t.Errorf("next is %d, want the last node %d although it is worse", got, c)
	}
}

func TestBeamWaitsForItsDepth(t *testing.T) {
	w := newWorld(t, "beam", Options{Width: 2, Children: 2})
	var first []tree.NodeID
	for range 4 {
		first = append(first, w.grow(next(t, w)))
	}
	for i, id := range first[:3] {
		w.end(id, 0.1*float64(i+1), 0)
	}
	if got := next(t, w); got != -1 {
		t.Errorf("next is %d while one of the depth trains, want none", got)
	}
	w.end(first[3], 0.05, 0)
	picks := map[tree.NodeID]int{}
	for _, c := range Explain(w.p, w.tree, 10) {
		picks[c.Node]++
	}
	if len(picks) != 2 || picks[first[1]] != 2 || picks[first[2]] != 2 {
		t.Errorf("picks %v, want the two best of the depth twice each", picks)
	}
}
