package tui

import (
	"cmp"
	"slices"

	"llmzero/engine/tree"
	"llmzero/tui/component/paint"
)

// outline is the tree as a list of rows of which only those in view are painted.
type outline struct {
	cursor tree.NodeID
	top    int     // first row in view
	height int     // rows in view at the last painting
	low    float64 // the scale of the sparklines in view
	high   float64
	folded map[tree.NodeID]bool
	order  order
	filter filter

	stale bool
	rows  []tree.NodeID
	at    []int32 // row of each node, -1 when it is not shown
	last  []bool  // the node is its parent's last shown child
	hit   []bool  // the node itself matches the filter; nil without a filter
	hits  int
}

// order is how siblings are sorted.
type order int

// The orders. By tree keeps the order of proposals; flat lists drop the tree.
const (
	orderTree order = iota
	orderScore
	orderGain
	orderRecent
	numOrders
)

func (o order) String() string { return [...]string{"tree", "score", "gain", "recent"}[o] }

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
	shown := s.matches()
	switch {
	case n == 0:
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

// matches marks the nodes that the filter lets through, and returns which rows that needs: they and what is above them.
func (s *search) matches() (shown []bool) {
	o := &s.out
	o.hit, o.hits = nil, 0
	if o.filter.empty() {
		return nil
	}
	n := len(s.t.Nodes)
	o.hit, shown = make([]bool, n), make([]bool, n)
	for i := n - 1; i >= 0; i-- {
		if o.filter.match(s, s.t.Nodes[i]) {
			o.hit[i], shown[i] = true, true
			o.hits++
		}
		if shown[i] {
			shown[s.t.Nodes[i].Parent] = true
		}
	}
	return shown
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
	folds := len(o.folded) > 0 && shown == nil
	for id := int32(top); ; {
		rows = append(rows, tree.NodeID(id))
		if !folds || !o.folded[tree.NodeID(id)] {
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

// fold folds or unfolds a node. In the plain outline only the rows below it are taken out or put in, since laying 100,000 rows
// anew takes longer than a person's finger.
func (s *search) fold(id tree.NodeID, on bool) {
	o := &s.out
	s.pane.graph.stale = true
	if on == o.folded[id] {
		return
	}
	whole := o.stale || o.order != orderTree || !o.filter.empty() || o.at[id] < 0
	if on {
		o.folded[id] = true
	} else {
		delete(o.folded, id)
	}
	if whole {
		o.stale = true
		return
	}
	from := int(o.at[id]) + 1
	to := s.below(id)
	var put []tree.NodeID
	if on {
		for _, x := range o.rows[from:to] {
			o.at[x] = -1
		}
	} else {
		put = s.walk(id, nil, nil)[1:]
	}
	o.rows = slices.Replace(o.rows, from, to, put...)
	for i := from; i < len(o.rows); i++ {
		o.at[o.rows[i]] = int32(i)
	}
	s.keepCursor()
}

// below is the row behind the shown subtree of a node.
func (s *search) below(id tree.NodeID) int {
	o := &s.out
	for x := int32(id); x > 0; x = s.ix.parent[x] {
		if !o.last[x] {
			return int(o.at[s.ix.next[x]])
		}
	}
	return len(o.rows)
}

// layFlat lists the matching nodes in the chosen order.
func (s *search) layFlat() {
	o := &s.out
	for _, n := range s.t.Nodes {
		if o.hit == nil || o.hit[n.ID] {
			o.rows = append(o.rows, n.ID)
		}
	}
	key := func(id tree.NodeID) float64 {
		n := s.t.Nodes[id]
		switch o.order {
		case orderScore:
			if n.Val().Known() {
				return -n.Val().Mean
			}
		case orderGain:
			if g, ok := s.gain(n); ok {
				return -g
			}
		case orderRecent:
			return -float64(n.Updated.UnixNano())
		case orderTree, numOrders:
		}
		return 1e9
	}
	keys := make([]float64, len(s.t.Nodes))
	for _, id := range o.rows {
		keys[id] = key(id)
	}
	slices.SortStableFunc(o.rows, func(a, b tree.NodeID) int { return cmp.Compare(keys[a], keys[b]) })
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
		o.filter = filter{}
		o.stale = true
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

// drawGuides paints the lines from the root to a node, two cells a level, and returns the column behind them. The line to the
// best path's next node is gold all the way down. In deep trees the levels next to the node are kept.
func (a *app) drawGuides(c paint.Canvas, n *tree.Node, width int, bg paint.Ink) int {
	s, g := a.s, a.look.glyphs.Tree
	levels := min(n.Depth, max(2, width/2))
	x := 1
	if levels < n.Depth {
		c.Text(x, 0, sFaint.On(bg), a.look.glyphs.Mark.Ellipsis)
	}
	p := n
	for i := levels - 1; i >= 0; i-- {
		parent := s.t.Nodes[p.Parent]
		at := x + 2*i
		down, across := sGrid.On(bg), sGrid.On(bg)
		if s.ix.bestPath[parent.ID] && s.ix.bestBelow(p) {
			down = sBest.On(bg)
		}
		if s.ix.bestPath[p.ID] {
			down, across = sBest.On(bg), sBest.On(bg)
		}
		last := s.out.last[p.ID]
		switch {
		case i == 0 && levels < n.Depth:
		case i == levels-1 && last:
			c.Text(at, 0, down, g.Last)
			c.Text(at+1, 0, across, g.Dash)
		case i == levels-1:
			c.Text(at, 0, down, g.Branch)
			c.Text(at+1, 0, across, g.Dash)
		case !last && (!s.ix.bestPath[p.ID]):
			c.Text(at, 0, down, g.Pipe)
		case !last:
			c.Text(at, 0, sGrid.On(bg), g.Pipe)
		}
		p = parent
	}
	return x + 2*levels
}

// bestBelow tells whether the best path goes on below a sibling that comes after n. Siblings stand in the order of their ids.
func (ix *index) bestBelow(n *tree.Node) bool {
	return n.Depth < len(ix.bestAt) && ix.bestAt[n.Depth] > n.ID
}

// grow is s with n elements, reusing its memory.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4+16)
	}
	return s[:n]
}
