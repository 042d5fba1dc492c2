package search

import (
	"cmp"
	"slices"

	"llmzero/engine/tree"
)

// chain goes on from the last node that was trained: one trajectory, no tree.
type chain struct{ ledger }

func newChain(o Options) *chain { return &chain{ledger{opts: o, level: flat()}} }

// Update implements Policy.
func (c *chain) Update(t *tree.Tree, id tree.NodeID) { c.note(t, id) }

// Hold implements Policy.
func (c *chain) Hold(_ *tree.Tree, id tree.NodeID, by int) { c.entries[id].holds += int32(by) }

// Next implements Policy. There is nothing to expand while the next link is under way.
func (c *chain) Next(*tree.Tree) (Choice, bool) {
	for i := len(c.entries) - 1; i >= 0; i-- {
		e := &c.entries[i]
		switch {
		case e.kind == open || e.holds > 0:
			return Choice{}, false
		case e.kind == trained:
			return Choice{Node: tree.NodeID(i), Terms: c.terms(tree.NodeID(i))}, true
		}
	}
	return Choice{}, false
}

// beam expands the best Width nodes of a depth, Children each (the root: twice Width), waits for all of them and goes one
// depth down. Nodes are compared at equal depth, by their advantage.
type beam struct {
	ledger
	depths [][]tree.NodeID // by depth, ascending ids
	depth  int             // whose nodes are expanded
}

func newBeam(o Options) *beam { return &beam{ledger: ledger{opts: o, level: flat()}} }

// Update implements Policy.
func (b *beam) Update(t *tree.Tree, id tree.NodeID) {
	known := len(b.entries)
	b.note(t, id)
	for i := known; i < len(b.entries); i++ {
		n := t.Nodes[i]
		for len(b.depths) <= n.Depth {
			b.depths = append(b.depths, nil)
		}
		b.depths[n.Depth] = append(b.depths[n.Depth], n.ID)
		if !n.Fresh {
			b.depth = max(b.depth, n.Depth-1)
		}
	}
}

// Hold implements Policy.
func (b *beam) Hold(_ *tree.Tree, id tree.NodeID, by int) { b.entries[id].holds += int32(by) }

// Next implements Policy.
func (b *beam) Next(t *tree.Tree) (Choice, bool) {
	for d := b.depth; d < len(b.depths); d++ {
		keep, quota := b.kept(d), b.opts.Children
		if d == 0 {
			quota = 2 * b.opts.Width
		}
		busy := false
		for rank, id := range keep {
			e := &b.entries[id]
			if e.room(quota) {
				terms := append([]tree.Term{{Name: "rank at its depth", Value: float64(rank + 1)}}, b.terms(id)...)
				return Choice{Node: id, Terms: terms}, true
			}
			busy = busy || e.holds > 0 || slices.ContainsFunc(t.Nodes[id].Children, func(k tree.NodeID) bool {
				return b.entries[k].kind == open
			})
		}
		if busy {
			return Choice{}, false
		}
	}
	return Choice{}, false
}

// kept are the best Width trained nodes of a depth, best first.
func (b *beam) kept(depth int) []tree.NodeID {
	var out []tree.NodeID
	for _, id := range b.depths[depth] {
		if b.entries[id].kind == trained {
			out = append(out, id)
		}
	}
	slices.SortStableFunc(out, func(x, y tree.NodeID) int {
		return cmp.Compare(b.entries[y].adv, b.entries[x].adv)
	})
	return out[:min(len(out), b.opts.Width)]
}
