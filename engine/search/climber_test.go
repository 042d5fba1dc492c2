package search

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"llmzero/engine/tree"
)

// TestClimberFoldsAsAWhole changes nodes of a large tree in any order and checks each time that the climber stands where folding the
// whole tree anew would put it.
func TestClimberFoldsAsAWhole(t *testing.T) {
	for _, name := range []string{"greedy", "greedy-branch"} {
		w, rng := newWorld(t, name, Options{}), rand.New(rand.NewPCG(3, 4))
		moved := 0
		for step := range 3000 {
			before := climberOf(w).climb
			id := tree.NodeID(rng.IntN(len(w.tree.Nodes)))
			if rng.Float64() < 0.2 {
				id = before.best
			}
			switch {
			case len(w.tree.Nodes) < 900 || rng.Float64() < 0.3:
				c, _ := w.p.Next(w.tree)
				k := w.grow(c.Node, c.Terms...)
				if rng.Float64() < 0.9 { // the others are decided later
					w.end(k, w.tree.Nodes[c.Node].Val().Mean+0.1*rng.NormFloat64(), 0.02)
				}
			case id == tree.Root:
			case rng.Float64() < 0.1:
				w.set(id, tree.StatePruned)
			case rng.Float64() < 0.2:
				w.fail(id)
			default:
				w.end(id, rng.NormFloat64(), 0.02)
			}
			c := climberOf(w)
			if c.climb != before {
				moved++
			}
			anew := *c
			anew.marks = slices.Clone(c.marks)
			anew.refold(w.tree, tree.Root, false)
			if anew.climb != c.climb || !reflect.DeepEqual(anew.marks, c.marks) {
				t.Fatalf("%s, step %d: it stands at %+v, folded anew at %+v", name, step, c.climb, anew.climb)
			}
		}
		if len(climberOf(w).marks) < 4 || moved < 100 {
			t.Errorf("%s: %d marks and %d moves: too few to tell", name, len(climberOf(w).marks), moved)
		}
	}
}

// TestClimberIncumbentFalls: when the incumbent of most of a large tree is scored again and is worse, one far behind it is better.
func TestClimberIncumbentFalls(t *testing.T) {
	w := newWorld(t, "greedy", Options{})
	for i := range 3 * stride {
		score := 0.4 + 0.001*float64(i%7)
		switch i {
		case 10:
			score = 0.9
		case 2*stride + 50:
			score = 0.6
		}
		w.end(w.grow(tree.Root), score, 0.001)
	}
	if got := next(t, w); got != 11 {
		t.Fatalf("next is %d, want 11", got)
	}
	w.end(11, 0.5, 0.001)
	if got := next(t, w); got != 2*stride+51 {
		t.Errorf("next is %d after the incumbent fell, want %d", got, 2*stride+51)
	}
}

func climberOf(w *world) *climber {
	switch p := w.p.(type) {
	case *greedy:
		return &p.climber
	case *greedyBranch:
		return &p.climber
	}
	return nil
}

// TestClimberDoesNotChaseALuckyScore: a score that is far above all others and as noisy is drawn to what the others had.
func TestClimberDoesNotChaseALuckyScore(t *testing.T) {
	for se, chases := range map[float64]bool{0.08: false, 0.01: true} {
		w := newWorld(t, "greedy", Options{})
		for _, s := range []float64{0.50, 0.49, 0.51, 0.48, 0.52, 0.50, 0.49} {
			w.end(w.grow(tree.Root), s, 0.01)
		}
		best := next(t, w)
		lucky := w.grow(tree.Root)
		w.end(lucky, 0.64, se)
		if got := next(t, w); (got == lucky) != chases {
			t.Errorf("with a standard error of %.2f next is %d; the lucky one is %d, the best before %d", se, got, lucky, best)
		}
	}
}

// TestBeamRanksWithinNoise: the beam keeps the node whose score is sure, not the one that is a little higher by chance.
func TestBeamRanksWithinNoise(t *testing.T) {
	w := newWorld(t, "beam", Options{Width: 3, Children: 2}) // six children of the root
	var ids []tree.NodeID
	for range 6 {
		ids = append(ids, w.grow(tree.Root))
	}
	w.p.(*beam).opts.Width = 1
	for i, s := range []float64{0.40, 0.42, 0.44, 0.46} {
		w.end(ids[i], s, 0.001)
	}
	w.end(ids[4], 0.50, 0.001)
	w.end(ids[5], 0.51, 0.2)
	if got := next(t, w); got != ids[4] {
		t.Errorf("next is %d with %.2f±%.3f, want %d", got, w.tree.Nodes[got].Val().Mean, w.tree.Nodes[got].Val().SE, ids[4])
	}
}
