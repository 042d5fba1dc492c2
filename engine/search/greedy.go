package search

import (
	"container/heap"

	"llmzero/engine/tree"
)

// greedy always expands the incumbent.
type greedy struct{ climber }

func newGreedy(o Options) *greedy { return &greedy{newClimber(o)} }

// Next implements Policy.
func (g *greedy) Next(*tree.Tree) (Choice, bool) { return g.stay() }

// branch is the term that marks a transition with which greedy-branch left its incumbent. Its value is how many nodes up the
// path from the best node it went.
const branch = "branch, nodes up"

// branched is how far above the best node a branch began, 0 for a node that is no branch.
func branched(n *tree.Node) int {
	for _, t := range n.Why {
		if t.Name == branch {
			return int(t.Value)
		}
	}
	return 0
}

// greedyBranch expands the incumbent until Patience nodes in a row did not improve on it. Then it branches from the best node's
// parent and climbs from there; when that does not lead above the best node either, from the grandparent, and so on.
type greedyBranch struct{ climber }

func newGreedyBranch(o Options) *greedyBranch { return &greedyBranch{newClimber(o)} }

// Next implements Policy.
func (g *greedyBranch) Next(*tree.Tree) (Choice, bool) {
	c, ok := g.stay()
	if !ok || g.tries < g.opts.Patience {
		return c, ok
	}
	from, level := g.best, 0
	for level <= g.up && from != tree.Root {
		from, level = g.entries[from].parent, level+1
	}
	if g.entries[from].kind != trained {
		return c, true
	}
	terms := append([]tree.Term{{Name: branch, Value: float64(max(1, level))}}, g.terms(from)...)
	return Choice{Node: from, Terms: terms}, true
}

// bestFirst expands the node with the best advantage among those that may have another child.
type bestFirst struct {
	ledger
	queue items // by advantage; entries go stale when their node changes
}

func newBestFirst(o Options) *bestFirst { return &bestFirst{ledger: ledger{opts: o, level: flat()}} }

// Update implements Policy.
func (b *bestFirst) Update(t *tree.Tree, id tree.NodeID) {
	_, is, refitted := b.note(t, id)
	if refitted || len(b.queue) > 4*len(b.entries)+64 {
		b.queue = b.queue[:0]
		for i := range b.entries {
			if e := &b.entries[i]; b.free(e, tree.NodeID(i)) {
				b.queue = append(b.queue, item{e.adv, tree.NodeID(i)})
			}
		}
		heap.Init(&b.queue)
		return
	}
	b.enter(id)
	b.enter(is.parent)
}

func (b *bestFirst) free(e *entry, id tree.NodeID) bool {
	limit := b.opts.RootChildren
	if id != tree.Root {
		limit = b.opts.Children
	}
	return e.room(limit)
}

func (b *bestFirst) enter(id tree.NodeID) {
	if e := &b.entries[id]; b.free(e, id) {
		heap.Push(&b.queue, item{e.adv, id})
	}
}

// Hold implements Policy.
func (b *bestFirst) Hold(_ *tree.Tree, id tree.NodeID, by int) {
	b.entries[id].holds += int32(by)
	b.enter(id)
}

// Next implements Policy.
func (b *bestFirst) Next(*tree.Tree) (Choice, bool) {
	for len(b.queue) > 0 {
		top := b.queue[0]
		if e := &b.entries[top.id]; b.free(e, top.id) && e.adv == top.sum {
			return Choice{Node: top.id, Terms: b.terms(top.id)}, true
		}
		heap.Pop(&b.queue)
	}
	return Choice{}, false
}
