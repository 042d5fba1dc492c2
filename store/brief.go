package store

import (
	"maps"

	"llmzero/engine/tree"
)

// brief keeps what tree.Summary needs of a tree's nodes, so that a commit does not walk all of them.
type brief struct {
	ready   bool
	best    tree.NodeID
	waiting map[tree.NodeID]bool
}

// after is the brief of t, given that only the touched nodes changed since b.
func (b brief) after(t *tree.Tree, touched map[tree.NodeID]bool) brief {
	if !b.ready || touched[b.best] {
		return briefOf(t)
	}
	b.waiting = maps.Clone(b.waiting)
	for id := range touched {
		n := t.Nodes[id]
		if n.State == tree.StateProposed {
			b.waiting[id] = true
		} else {
			delete(b.waiting, id)
		}
		best := t.Nodes[b.best]
		if n.State.Trained() && n.Val().Known() &&
			(n.Val().Mean > best.Val().Mean || (n.Val().Mean == best.Val().Mean && id < b.best)) {
			b.best = id
		}
	}
	return b
}

func briefOf(t *tree.Tree) brief {
	b := brief{waiting: map[tree.NodeID]bool{}}
	for _, n := range t.Waiting() {
		b.waiting[n.ID] = true
	}
	if best, ok := t.Best(); ok {
		b.best, b.ready = best.ID, true
	}
	return b
}

// summary sums t up from a tree of the few nodes that count.
func (b brief) summary(t *tree.Tree) tree.Summary {
	if !b.ready {
		return t.Summary()
	}
	few := *t
	few.Nodes = make([]*tree.Node, 0, len(b.waiting)+2)
	few.Nodes = append(few.Nodes, t.Nodes[tree.Root])
	if b.best != tree.Root {
		few.Nodes = append(few.Nodes, t.Nodes[b.best])
	}
	for id := range b.waiting {
		few.Nodes = append(few.Nodes, t.Nodes[id])
	}
	s := few.Summary()
	s.Nodes = len(t.Nodes)
	return s
}
