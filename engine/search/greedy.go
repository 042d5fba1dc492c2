package search

import (
	"container/heap"
	"math"
	"slices"

	"llmzero/engine/tree"
)

// climber follows an incumbent: in the order of their ids, a node takes over when its score is better by more than the
// standard error of the difference. It is a fold over the nodes, so that it comes out the same when a search is opened
// again.
type climber struct {
	ledger
	incumbent tree.NodeID
	tries     int         // nodes that ended since the incumbent took over without taking over themselves
	last      tree.NodeID // the highest node that is folded in
	branching bool        // a node that a branch led to makes its parent the incumbent
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
	c.incumbent, c.tries, c.last = tree.Root, 0, tree.Root
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
	if c.branching && branched(t.Nodes[id]) && c.entries[e.parent].kind == trained {
		c.incumbent, c.tries = e.parent, 0
	}
	inc := &c.entries[c.incumbent]
	if e.kind == trained && (inc.kind != trained || e.score > inc.score+c.noise(e, inc)) {
		c.incumbent, c.tries = id, 0
		return
	}
	c.tries++
}

// noise is the standard error of the difference of two scores.
func (c *climber) noise(a, b *entry) float64 {
	if c.opts.Raw {
		return 0
	}
	return math.Hypot(a.se, b.se)
}

// Hold implements Policy.
func (c *climber) Hold(_ *tree.Tree, id tree.NodeID, by int) { c.entries[id].holds += int32(by) }

// greedy always expands the incumbent.
type greedy struct{ climber }

func newGreedy(o Options) *greedy {
	return &greedy{climber{ledger: ledger{opts: o, level: flat()}}}
}

// Next implements Policy.
func (g *greedy) Next(*tree.Tree) (Choice, bool) {
	if len(g.entries) == 0 || g.entries[g.incumbent].kind != trained {
		return Choice{}, false
	}
	return Choice{Node: g.incumbent, Terms: g.terms(g.incumbent)}, true
}

// branch is the term that marks a transition with which greedy-branch left its incumbent.
const branch = "branch"

func branched(n *tree.Node) bool {
	return slices.ContainsFunc(n.Why, func(t tree.Term) bool { return t.Name == branch })
}

// greedyBranch expands the incumbent until Patience nodes in a row did not improve on it, then goes on from the node with the
// best advantage among those with the fewest children, which becomes the incumbent.
type greedyBranch struct{ climber }

func newGreedyBranch(o Options) *greedyBranch {
	return &greedyBranch{climber{ledger: ledger{opts: o, level: flat()}, branching: true}}
}

// Next implements Policy.
func (g *greedyBranch) Next(*tree.Tree) (Choice, bool) {
	if len(g.entries) == 0 || g.entries[g.incumbent].kind != trained {
		return Choice{}, false
	}
	if g.tries < g.opts.Patience {
		return Choice{Node: g.incumbent, Terms: g.terms(g.incumbent)}, true
	}
	best := -1
	for i := range g.entries {
		e := &g.entries[i]
		if e.kind != trained || tree.NodeID(i) == g.incumbent {
			continue
		}
		if best < 0 {
			best = i
			continue
		}
		b := &g.entries[best]
		if n, m := e.kids+e.holds, b.kids+b.holds; n < m || (n == m && e.adv > b.adv) {
			best = i
		}
	}
	if best < 0 {
		return Choice{Node: g.incumbent, Terms: g.terms(g.incumbent)}, true
	}
	terms := append([]tree.Term{{Name: branch, Value: float64(g.tries)}}, g.terms(tree.NodeID(best))...)
	return Choice{Node: tree.NodeID(best), Terms: terms}, true
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
