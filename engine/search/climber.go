package search

import (
	"slices"

	"llmzero/engine/tree"
)

// climb is where a climber stands.
type climb struct {
	best      tree.NodeID // of the whole search
	incumbent tree.NodeID // the best since the last branch
	tries     int         // nodes that ended since the incumbent took over without taking over themselves
	up        int         // how far above the best node the last branch was, 0 since the best one was found
}

// climber follows an incumbent: in the order of their ids, a node takes over when it is worth more by more than the standard error
// of the difference (see level.estimate). It is a fold over the nodes, so that it comes out the same when a search is opened
// again. A node that changes late is folded in from the last mark before it to the first one after it from which nothing differs.
type climber struct {
	ledger
	climb
	marks []climb     // before every stride-th node
	last  tree.NodeID // the highest node that is folded in
}

// stride is how many nodes lie between two marks.
const stride = 256

func newClimber(o Options) climber { return climber{ledger: ledger{opts: o, level: flat()}} }

// Update implements Policy.
func (c *climber) Update(t *tree.Tree, id tree.NodeID) {
	was, is, refitted := c.note(t, id)
	same := was.kind == is.kind && was.score == is.score && was.se == is.se
	switch {
	case refitted:
		c.last = max(c.last, id)
		c.refold(t, tree.Root, false)
	case same || (was.kind < trained && is.kind < trained):
	case id > c.last:
		for i := c.last + 1; i <= id; i++ {
			c.mark(i)
		}
		c.last = id
		c.fold(t, id)
	default:
		// A branch looks at what became of the node that it left from.
		left := slices.ContainsFunc(t.Nodes[id].Children, func(k tree.NodeID) bool { return branched(t.Nodes[k]) > 0 })
		c.refold(t, id, !left)
	}
}

func (c *climber) mark(i tree.NodeID) {
	if i%stride != 0 {
		return
	}
	for len(c.marks) <= int(i/stride) {
		c.marks = append(c.marks, climb{})
	}
	c.marks[i/stride] = c.climb
}

// refold folds the nodes from id on anew. With settles it may end where a mark is as it was.
func (c *climber) refold(t *tree.Tree, id tree.NodeID, settles bool) {
	end := c.climb
	from := id - id%stride
	c.climb = climb{}
	if from > 0 {
		c.climb = c.marks[from/stride]
	}
	for i := from; i <= c.last; i++ {
		known := i > id && i%stride == 0 && int(i/stride) < len(c.marks)
		if known && settles && c.marks[i/stride] == c.climb && c.incumbent != id && c.best != id {
			c.climb = end
			return
		}
		c.mark(i)
		c.fold(t, i)
	}
}

func (c *climber) fold(t *tree.Tree, id tree.NodeID) {
	e := &c.entries[id]
	if e.kind < trained || id == tree.Root {
		return
	}
	if up := branched(t.Nodes[id]); up > 0 && c.entries[e.parent].kind == trained {
		c.incumbent, c.tries, c.up = e.parent, 0, up
	}
	if !c.beats(e, &c.entries[c.incumbent]) {
		c.tries++
		return
	}
	c.incumbent, c.tries = id, 0
	if c.beats(e, &c.entries[c.best]) {
		c.best, c.up = id, 0
	}
}

// beats tells whether a node is worth more than another beyond the noise of their difference.
func (c *climber) beats(e, other *entry) bool {
	if e.kind != trained || other.kind != trained {
		return e.kind == trained
	}
	if c.opts.Raw {
		return e.score > other.score
	}
	return c.level.estimate(e).Beats(c.level.estimate(other))
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
