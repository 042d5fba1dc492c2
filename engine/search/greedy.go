package search

import (
	"container/heap"
	"math"

	"llmzero/engine/tree"
)

// climber follows an incumbent: in the order of their ids, a node takes over when its score is better by more than the
// standard error of the difference. It is a fold over the nodes, so that it comes out the same when a search is opened
// again.
type climber struct {
	ledger
	best      tree.NodeID // of the whole search
	incumbent tree.NodeID // the best since the last branch
	tries     int         // nodes that ended since the incumbent took over without taking over themselves
	level     int         // how far above the best node the last branch was, 0 since the best one was found
	last      tree.NodeID // the highest node that is folded in
}

// Update implements Policy.
func (c *climber) Update(t *tree.Tree, id tree.NodeID) {
	was, is, _ := c.note(t, id)
	if (was.kind == is.kind && was.score == is.score && was.se == is.se) || (was.kind < trained && is.kind < trained) {
		return
	}
	if id > c.last {
		c.fold(t, id)
		return
	}
	c.best, c.incumbent, c.tries, c.level, c.last = tree.Root, tree.Root, 0, 0, tree.Root
	for i := range c.entries {
		c.fold(t, tree.NodeID(i))
	}
}

func (c *climber) fold(t *tree.Tree, id tree.NodeID) {
	e := &c.entries[id]
	if e.kind < trained || id == tree.Root {
		return
	}
	c.last = id
	if level := branched(t.Nodes[id]); level > 0 && c.entries[e.parent].kind == trained {
		c.incumbent, c.tries, c.level = e.parent, 0, level
	}
	if !c.beats(e, &c.entries[c.incumbent]) {
		c.tries++
		return
	}
	c.incumbent, c.tries = id, 0
	if c.beats(e, &c.entries[c.best]) {
		c.best, c.level = id, 0
	}
}

// beats tells whether a node's score is better than another's beyond the noise of their difference.
func (c *climber) beats(e, other *entry) bool {
	if e.kind != trained || other.kind != trained {
		return e.kind == trained
	}
	if c.opts.Raw {
		return e.score > other.score
	}
	return e.score > other.score+math.Hypot(e.se, other.se)
}

// Hold implements Policy.
func (c *climber) Hold(_ *tree.Tree, id tree.NodeID, by int) { c.entries[id].holds += int32(by) }

// stay is the incumbent as a choice.
func (c *climber) stay() (Choice, bool) {
	if len(c.entries) == 0 || c.entries[c.incumbent].kind != trained {
		return Choice{}, false
	}
	return Choice{Node: c.incumbent, Terms: c.terms(c.incumbent)}, true
}

// greedy always expands the incumbent.
type greedy struct{ climber }

func newGreedy(o Options) *greedy {
	return &greedy{climber{ledger: ledger{opts: o, level: flat()}}}
}

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

func newGreedyBranch(o Options) *greedyBranch {
	return &greedyBranch{climber{ledger: ledger{opts: o, level: flat()}}}
}

// Next implements Policy.
func (g *greedyBranch) Next(*tree.Tree) (Choice, bool) {
	c, ok := g.stay()
	if !ok || g.tries < g.opts.Patience {
		return c, ok
	}
	from, level := g.best, 0
	for level <= g.level && from != tree.Root {
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
