package search

import (
	"math"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"llmzero/engine/tree"
)

// TestUCTScore compares the score with MLZero's formula worked out by hand.
func TestUCTScore(t *testing.T) {
	w := newWorld(t, "uct", Options{Raw: true, RootChildren: 3, Children: 2, Widening: -1})
	a, b, c := w.grow(0), w.grow(0), w.grow(0)
	w.end(a, 0.4, 0)
	w.end(b, 0.2, 0)
	w.fail(c)
	a1 := w.grow(a)
	w.end(a1, 0.6, 0)
	for range 2 {
		w.fail(w.grow(b))
	}
	// The tree: 0 (0.0) with a (0.4; a1 0.6), b (0.2; two failures) and c (failed). Extremes 0 and 0.6, seven visits.
	u := w.p.(*uct)
	log := math.Log(7)
	for _, x := range []struct {
		id                        tree.NodeID
		exploit, failure, explore float64
	}{
		{a, 2.0 / 2 * (0.5 / 0.6), 0, 1.414 * math.Sqrt(log/2)},
		{b, 1.0 / 3 * (0.2 / 0.6), 0, 1.414 * math.Sqrt(log/3)},
		{c, 0, 0, 1.414 * math.Sqrt(log/1)},
	} {
		e, f, g := u.parts(&u.stats[x.id], log)
		if math.Abs(e-x.exploit) > 1e-12 || math.Abs(f-x.failure) > 1e-12 || math.Abs(g-x.explore) > 1e-12 {
			t.Errorf("node %d: %g - %g + %g, want %g - %g + %g", x.id, e, f, g, x.exploit, x.failure, x.explore)
		}
	}
	// The root and b are full, c failed: a is next, which may have a second child.
	if got, ok := w.p.Next(w.tree); !ok || got.Node != a {
		t.Errorf("next is %+v, want node %d", got, a)
	}
	// Failures beyond the offset cost w_f each, over the visits.
	s := stat{visits: 5, valid: 1, failed: 4, sum: 0.6}
	if _, f, _ := u.parts(&s, log); math.Abs(f-0.5*2/5) > 1e-12 {
		t.Errorf("the penalty of four failures in five visits is %g, want 0.2", f)
	}
}

// TestUCTStatistics checks on random histories that the sums kept step by step are those of the whole tree, that the index finds
// what looking at every child finds, and that a policy fed with the finished tree goes on as the one that saw it grow.
func TestUCTStatistics(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		o := Options{RootChildren: rapid.IntRange(1, 60).Draw(rt, "root children"), Raw: rapid.Bool().Draw(rt, "raw")}
		w := newWorld(t, "uct", o)
		for range rapid.IntRange(1, 150).Draw(rt, "steps") {
			step(rt, w)
		}
		u := w.p.(*uct)
		again := newUCT(u.opts)
		for id := range w.tree.Nodes {
			again.Update(w.tree, tree.NodeID(id))
		}
		for id := range u.stats {
			a, b := u.stats[id], again.stats[id]
			if a.visits != b.visits || a.valid != b.valid || a.failed != b.failed || a.open != b.open || math.Abs(a.sum-b.sum) > 1e-9 {
				rt.Fatalf("node %d: %+v, counted anew %+v", id, a, b)
			}
		}
		got, ok := w.p.Next(w.tree)
		want, wantOK := again.Next(w.tree)
		if ok != wantOK || (ok && got.Node != want.Node) {
			rt.Fatalf("next is %d (%v), counted anew %d (%v)", got.Node, ok, want.Node, wantOK)
		}
		if kids := w.tree.Nodes[0].Children; len(kids) > indexed && !u.stats[0].free && u.stats[0].open > 0 {
			log := math.Log(max(1, float64(u.stats[0].visits)))
			best := u.descend(w.tree, 0)
			for _, k := range kids {
				if s := &u.stats[k]; s.open > 0 && u.value(s, log) > u.value(&u.stats[best], log)+1e-12 {
					rt.Fatalf("the index picks %d, but %d scores higher", best, k)
				}
			}
		}
	})
}

// step does something that may happen to a search.
func step(rt *rapid.T, w *world) {
	trainedNodes, openNodes := []tree.NodeID{}, []tree.NodeID{}
	for _, n := range w.tree.Nodes {
		if n.State.Trained() {
			trainedNodes = append(trainedNodes, n.ID)
		}
		if n.State.Open() {
			openNodes = append(openNodes, n.ID)
		}
	}
	score := rapid.Float64Range(0, 1).Draw(rt, "score")
	switch k := rapid.IntRange(0, 9).Draw(rt, "what"); {
	case k < 4 || len(openNodes) == 0:
		if c, ok := w.p.Next(w.tree); ok && rapid.Bool().Draw(rt, "by policy") {
			w.grow(c.Node)
			return
		}
		w.grow(tree.Root) // a fresh start
	case k < 8:
		w.end(openNodes[rapid.IntRange(0, len(openNodes)-1).Draw(rt, "open")], score, 0.01)
	case k == 8:
		id := openNodes[rapid.IntRange(0, len(openNodes)-1).Draw(rt, "open")]
		w.set(id, rapid.SampledFrom([]tree.State{tree.StateFailed, tree.StateVetoed}).Draw(rt, "state"))
	default:
		id := trainedNodes[rapid.IntRange(0, len(trainedNodes)-1).Draw(rt, "trained")]
		if n := w.tree.Nodes[id]; id != tree.Root && len(n.Children) == 0 {
			w.set(id, tree.StatePruned)
		}
	}
}

func TestPicksUnderWayDiffer(t *testing.T) {
	w := newWorld(t, "uct", Options{})
	for range 3 {
		w.end(w.grow(0), 0.5, 0.01)
	}
	before, _ := w.p.Next(w.tree)
	picks := Explain(w.p, w.tree, 3)
	seen := map[tree.NodeID]bool{}
	for _, c := range picks {
		seen[c.Node] = true
		if len(c.Terms) == 0 {
			t.Errorf("node %d was picked without a reason", c.Node)
		}
	}
	if len(seen) != 3 {
		t.Errorf("three picks under way at once are %v, want three nodes", picks)
	}
	if after, _ := w.p.Next(w.tree); !reflect.DeepEqual(before, after) {
		t.Errorf("asking what is next changed it from %+v to %+v", before, after)
	}
}

func TestFailuresAndPruningLeaveTheSearchAlive(t *testing.T) {
	w := newWorld(t, "uct", Options{})
	for range 3 {
		w.fail(w.grow(0))
	}
	if c, ok := w.p.Next(w.tree); ok {
		t.Errorf("next is %d, want none: the root is full of failures", c.Node)
	}
	w.set(1, tree.StatePruned)
	if c, ok := w.p.Next(w.tree); !ok || c.Node != tree.Root {
		t.Errorf("next is %+v, want the root, which has room again", c)
	}
}
