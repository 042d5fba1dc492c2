package search

import (
	"math"
	"math/rand/v2"
	"testing"

	"llmzero/engine/tree"
)

// world grows a tree under a policy, as the engine does.
type world struct {
	tree *tree.Tree
	p    Policy
}

func newWorld(t testing.TB, name string, o Options) *world {
	t.Helper()
	p, err := New(name, o)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{&tree.Tree{Spec: tree.Spec{Policy: name}}, p}
	w.tree.Nodes = []*tree.Node{{State: tree.StateEvaluated, Outcome: &tree.Outcome{
		Checkpoints: []tree.Checkpoint{{Val: tree.Score{N: 1}}}, Val: tree.Score{N: 1},
	}}}
	p.Update(w.tree, 0)
	return w
}

// grow adds an open child.
func (w *world) grow(parent tree.NodeID, why ...tree.Term) tree.NodeID {
	id := tree.NodeID(len(w.tree.Nodes))
	p := w.tree.Nodes[parent]
	n := &tree.Node{ID: id, Parent: parent, State: tree.StateQueued, Depth: p.Depth + 1, Why: why}
	if c, ok := p.Outcome.Checkpoint(); ok {
		n.Transition.From = tree.CheckpointRef{Node: parent, Step: c.Step}
	}
	w.tree.Nodes = append(w.tree.Nodes, n)
	p.Children = append(p.Children, id)
	w.p.Update(w.tree, id)
	return id
}

// end scores an open node after a segment of 1000 tokens.
func (w *world) end(id tree.NodeID, score, se float64) {
	n := w.tree.Nodes[id]
	n.State = tree.StateEvaluated
	val := tree.Score{Mean: score, SE: se, N: 100}
	n.Outcome = &tree.Outcome{
		Checkpoints: []tree.Checkpoint{{Step: 10 * n.Depth, Tokens: 1000, Val: val}}, Val: val, Cost: tree.Cost{SampledTokens: 1000},
	}
	w.p.Update(w.tree, id)
}

func (w *world) fail(id tree.NodeID) {
	w.tree.Nodes[id].State = tree.StateFailed
	w.p.Update(w.tree, id)
}

func (w *world) set(id tree.NodeID, s tree.State) {
	w.tree.Nodes[id].State = s
	w.p.Update(w.tree, id)
}

// landscape is a synthetic training problem: a state, what an action makes of it, and its score with a known best.
type landscape struct {
	start float64
	act   func(state float64, depth int, draw float64) float64
	score func(state float64) float64
	best  float64
}

// hill has no traps: an action moves the state, the score is its height.
var hill = landscape{
	act:   func(x float64, _ int, d float64) float64 { return x + 0.3*(d-0.5) },
	score: func(x float64) float64 { return max(0, 1-math.Abs(x-0.9)) },
	best:  1,
}

// trap rewards small steps first, up to 0.6; the way to 1 costs score before it pays.
var trap = landscape{
	act: func(x float64, depth int, d float64) float64 {
		if depth == 1 {
			return math.Copysign(0.1, d-0.7) // most first moves lead into the trap, on the negative side
		}
		return x + math.Copysign(0.25*d, x)
	},
	score: func(x float64) float64 {
		if x < 0 {
			return min(0.6, 0.3-x)
		}
		return min(1, max(0, 2*x-0.2))
	},
	best: 1,
}

// lines differ in a ceiling that the first move decides and that shows late: most end at 0.5.
var lines = landscape{
	act: func(x float64, depth int, d float64) float64 {
		if depth == 1 {
			return math.Copysign(0.1, d-0.7)
		}
		return x + math.Copysign(0.1*d, x)
	},
	score: func(x float64) float64 {
		if x < 0 {
			return min(0.5, -x)
		}
		return min(1, x)
	},
	best: 1,
}

// run lets a policy spend a number of expansions on a landscape and returns the best score found.
func (l landscape) run(t testing.TB, name string, seed uint64, budget int, noise float64) float64 {
	w := newWorld(t, name, Options{})
	rng := rand.New(rand.NewPCG(seed, 7))
	states, best := []float64{l.start}, 0.0
	for range budget {
		c, ok := w.p.Next(w.tree)
		if !ok {
			c.Node = tree.Root // as the engine does: a fresh start
		}
		id := w.grow(c.Node, c.Terms...)
		states = append(states, l.act(states[c.Node], w.tree.Nodes[id].Depth, rng.Float64()))
		s := l.score(states[id])
		best = max(best, s)
		w.end(id, s+noise*rng.NormFloat64(), noise)
	}
	return best
}

func (l landscape) mean(t testing.TB, name string, budget int, noise float64) float64 {
	const seeds = 40
	sum := 0.0
	for s := range uint64(seeds) {
		sum += l.run(t, name, s, budget, noise)
	}
	return sum / seeds
}
