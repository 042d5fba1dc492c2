package tui

import "llmzero/engine/tree"

// outline is the tree as a list of rows of which only those in view are painted.
type outline struct {
	cursor tree.NodeID
	top    int     // first row in view
	height int     // rows in view at the last painting
	left   int     // levels of the tree hidden at the left
	low    float64 // the scale of the sparklines in view
	high   float64
	folded []bool
	order  order
	filter filter
	sieve  sieve       // the filter's pass over the tree
	before tree.NodeID // the cursor when the filter was begun

	stale bool
	rows  []tree.NodeID
	at    []int32 // row of each node, -1 when it is not shown
	last  []bool  // the node is its parent's last shown child
	hit   []bool  // the node itself matches the filter; nil without a filter
	hits  int
}

// lay makes the rows anew when the tree, a fold, the order or the filter has changed.
func (s *search) lay() {
	o := &s.out
	if !o.stale {
		return
	}
	o.stale = false
	n := len(s.t.Nodes)
	o.rows, o.at, o.last = o.rows[:0], grow(o.at, n), grow(o.last, n)
	for i := range o.at {
		o.at[i], o.last[i] = -1, false
	}
	s.sifted()
	shown := s.shown()
	switch {
	case n == 0, shown != nil && !shown[tree.Root]:
	case o.order == orderTree:
		o.rows = s.walk(tree.Root, o.rows, shown)
	default:
		s.layFlat()
	}
	for i, id := range o.rows {
		o.at[id] = int32(i)
	}
	s.keepCursor()
}

// walk lists the shown nodes of a subtree depth first, its top included, along the index's arrays: first child, next sibling,
// and up again.
func (s *search) walk(top tree.NodeID, rows []tree.NodeID, shown []bool) []tree.NodeID {
	o, ix := &s.out, &s.ix
	next := func(id int32) int32 {
		for id >= 0 && shown != nil && !shown[id] {
			id = ix.next[id]
		}
		return id
	}
	o.last[tree.Root] = true
	folds := shown == nil
	for id := int32(top); ; {
		rows = append(rows, tree.NodeID(id))
		if !folds || !o.folded[id] {
			if kid := next(ix.first[id]); kid >= 0 {
				o.last[kid] = next(ix.next[kid]) < 0
				id = kid
				continue
			}
		}
		for id != int32(top) && o.last[id] {
			id = ix.parent[id]
		}
		if id == int32(top) {
			return rows
		}
		id = next(ix.next[id])
		o.last[id] = next(ix.next[id]) < 0
	}
}

// keepCursor moves a cursor that is not shown to the nearest row that is: its ancestor, else the first row.
func (s *search) keepCursor() {
	o := &s.out
	if len(o.rows) == 0 {
		return
	}
	n, ok := s.t.Node(o.cursor)
	if !ok {
		o.cursor = o.rows[0]
		return
	}
	for o.at[n.ID] < 0 {
		if n.ID == tree.Root {
			o.cursor = o.rows[0]
			return
		}
		n = s.t.Nodes[n.Parent]
	}
	o.cursor = n.ID
}

// gain is a node's validation score over its parent's.
func (s *search) gain(n *tree.Node) (float64, bool) {
	p := s.parent(n)
	if p == nil || !n.Val().Known() || !p.Val().Known() {
		return 0, false
	}
	return n.Val().Mean - p.Val().Mean, true
}

// step moves the cursor by rows.
func (s *search) step(by int) {
	s.lay()
	o := &s.out
	if len(o.rows) == 0 {
		return
	}
	i := max(0, min(len(o.rows)-1, int(o.at[o.cursor])+by))
	o.cursor = o.rows[i]
}

// goTo puts the cursor on a node and unfolds what hides it; a filter that hides it is dropped.
func (s *search) goTo(id tree.NodeID) {
	n, ok := s.t.Node(id)
	if !ok {
		return
	}
	o := &s.out
	for _, p := range s.t.Path(n.Parent) { // from the root down, so that each unfolds in place
		if o.folded[p.ID] && p.ID != n.ID {
			s.fold(p.ID, false)
		}
	}
	s.lay()
	if o.at[id] < 0 {
		s.said = "the filter is cleared: it hid " + name(id)
		s.setFilter(filter{})
		s.lay()
	}
	o.cursor = id
}

// scroll keeps the cursor in view of h rows, with a margin where there is room.
func (o *outline) scroll(h int) {
	o.height = h
	if h <= 0 || len(o.rows) == 0 {
		o.top = 0
		return
	}
	margin := min(2, (h-1)/2)
	at := int(o.at[o.cursor])
	o.top = min(o.top, at-margin)
	o.top = max(o.top, at-h+1+margin)
	o.top = max(0, min(o.top, len(o.rows)-h))
}

// grow is s with n elements, reusing its memory.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4+16)
	}
	return s[:n]
}
