package search

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"llmzero/engine/tree"
)

// grown is a tree of n nodes that the policy chose itself, with a fifth of fresh starts and a twentieth of failures.
func grown(b *testing.B, name string, n int) (*world, *rand.Rand) {
	b.Helper()
	w := newWorld(b, name, Options{})
	rng := rand.New(rand.NewPCG(1, 2))
	for len(w.tree.Nodes) < n {
		expand(w, rng)
	}
	return w, rng
}

func expand(w *world, rng *rand.Rand) {
	c, ok := w.p.Next(w.tree)
	if !ok || rng.Float64() < 0.2 {
		c.Node = tree.Root
	}
	id := w.grow(c.Node)
	if rng.Float64() < 0.05 {
		w.fail(id)
		return
	}
	w.end(id, w.tree.Nodes[c.Node].Val().Mean+0.1*rng.NormFloat64(), 0.01)
}

var sizes = []int{1_000, 100_000}

// BenchmarkSelect is one pick.
func BenchmarkSelect(b *testing.B) {
	for _, p := range All() {
		for _, n := range sizes {
			b.Run(fmt.Sprintf("%s/%d", p.Name, n), func(b *testing.B) {
				w, _ := grown(b, p.Name, n)
				for b.Loop() {
					w.p.Next(w.tree)
				}
			})
		}
	}
}

// BenchmarkExpand enters a new node below one of the older half.
func BenchmarkExpand(b *testing.B) {
	measure(b, func(w *world, rng *rand.Rand, n int) { w.grow(tree.NodeID(rng.IntN(n) / 2)) })
}

// BenchmarkBackup enters the score of any node, up to the root.
func BenchmarkBackup(b *testing.B) {
	measure(b, func(w *world, rng *rand.Rand, n int) {
		id := tree.NodeID(1 + rng.IntN(n-1))
		if w.tree.Nodes[id].State == tree.StateEvaluated {
			w.end(id, rng.Float64(), 0.01)
		}
	})
}

// BenchmarkCycle is the whole of it: pick, enter, score.
func BenchmarkCycle(b *testing.B) {
	measure(b, func(w *world, rng *rand.Rand, _ int) { expand(w, rng) })
}

// measure times a step of every policy in trees of each size.
func measure(b *testing.B, step func(w *world, rng *rand.Rand, n int)) {
	for _, p := range All() {
		for _, n := range sizes {
			b.Run(fmt.Sprintf("%s/%d", p.Name, n), func(b *testing.B) {
				w, rng := grown(b, p.Name, n)
				for b.Loop() {
					step(w, rng, n)
				}
			})
		}
	}
}
