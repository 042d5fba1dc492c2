package engine

import (
	"math/rand/v2"
	"slices"
	"testing"

	"llmzero/engine/tree"
)

// TestPodium changes nodes at random, several at once, and compares with what looking at all of them finds.
func TestPodium(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	x, p := &tree.Tree{}, podium{}
	rebuilt := 0
	for step := range 6000 {
		var ids []tree.NodeID
		for range 1 + rng.IntN(4) {
			id := tree.NodeID(min(len(x.Nodes), rng.IntN(400)))
			if len(p.top) > 0 && step/500%2 == 1 && rng.Float64() < 0.8 { // at times mostly the best change
				id = p.top[rng.IntN(len(p.top))]
			}
			if int(id) == len(x.Nodes) {
				x.Nodes = append(x.Nodes, &tree.Node{ID: id})
			}
			n := x.Nodes[id]
			n.State = tree.StateEvaluated
			n.Outcome = &tree.Outcome{Val: tree.Score{Mean: float64(rng.IntN(50)) / 50, N: rng.IntN(9)}}
			if rng.Float64() < 0.4+0.5*float64(step/500%2) {
				n.State = tree.StatePruned
			}
			ids = append(ids, id)
		}
		before := len(p.top)
		p.update(x, ids...)
		if len(p.top) > before+len(ids) {
			rebuilt++
		}
		var all []tree.NodeID
		for _, n := range x.Nodes {
			if placed(n) {
				all = append(all, n.ID)
			}
		}
		slices.SortFunc(all, ranks(x))
		if k := min(len(all), podiumLeft); len(p.top) < k || !slices.Equal(p.top, all[:len(p.top)]) {
			t.Fatalf("the podium is %v, the best are %v", p.top, all[:k])
		}
		if best, ok := x.Best(); ok && best.ID != p.top[0] {
			t.Fatalf("the best is %d, on the podium %d", best.ID, p.top[0])
		}
	}
	if rebuilt == 0 {
		t.Error("the podium was never filled again")
	}
}
