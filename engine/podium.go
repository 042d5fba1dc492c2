package engine

import (
	"cmp"
	"slices"

	"llmzero/engine/tree"
)

// podium keeps the few trained nodes with the best validation scores, so that the loop does not look at the whole tree for them.
type podium struct {
	top  []tree.NodeID // best first, of equals the earlier one
	more bool          // others are trained as well, none of them better than the last of top
}

// Sizes of a podium: how many nodes it keeps, and how few it may be left with before the whole tree is looked at again.
const (
	podiumSize = 32
	podiumLeft = shownBest + 1 // the root is not shown
)

// ranks orders trained nodes, best first.
func ranks(t *tree.Tree) func(a, b tree.NodeID) int {
	return func(a, b tree.NodeID) int {
		return cmp.Or(cmp.Compare(t.Nodes[b].Val().Mean, t.Nodes[a].Val().Mean), cmp.Compare(a, b))
	}
}

func placed(n *tree.Node) bool { return n.State.Trained() && n.Val().Known() }

// update takes nodes in as they are now.
func (p *podium) update(t *tree.Tree, ids ...tree.NodeID) {
	p.top = slices.DeleteFunc(p.top, func(id tree.NodeID) bool { return slices.Contains(ids, id) })
	for _, id := range ids {
		p.enter(t, id)
	}
	if p.more && len(p.top) < podiumLeft {
		p.top, p.more = p.top[:0], false
		for i := range t.Nodes {
			p.enter(t, tree.NodeID(i))
		}
	}
}

// enter finds a node's place that is not in top.
func (p *podium) enter(t *tree.Tree, id tree.NodeID) {
	if !placed(t.Nodes[id]) {
		return
	}
	i, there := slices.BinarySearchFunc(p.top, id, ranks(t))
	if there {
		return // an event may name a node twice
	}
	if i == len(p.top) && (p.more || i == podiumSize) { // there may be better ones that are not in top
		p.more = true
		return
	}
	p.top = slices.Insert(p.top, i, id)
	if len(p.top) > podiumSize {
		p.top, p.more = p.top[:podiumSize], true
	}
}

// best is the node with the highest validation score, as tree.Tree.Best finds it.
func (p *podium) best() (tree.NodeID, bool) {
	if len(p.top) == 0 {
		return tree.Root, false
	}
	return p.top[0], true
}
