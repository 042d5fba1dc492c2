package tui

import (
	"llmzero/engine/tree"
	"llmzero/themes"
	"llmzero/tui/component/paint"
)

// graph is the tree drawn top-down: every leaf has a column, every parent stands above the middle of its children.
type graph struct {
	on    bool
	zoom  int       // how much a node shows: a dot, its name, its name and score
	x     []float32 // column of each node in leaves, -1 when it is not shown
	wide  float32   // columns in all
	stale bool
	left  int // first cell in view
	top   int
}

// graphCells is how many cells a leaf takes, by zoom.
var graphCells = [...]int{2, 5, 8, 13}

// toggleGraph changes between outline and graph; the graph begins with as much of each node as the width allows.
func (a *app) toggleGraph() {
	g := &a.s.pane.graph
	if g.on = !g.on; !g.on {
		return
	}
	a.s.layGraph()
	w := arrange(a.w, a.h, a.settings.Split, 0, false).tree.W - 2
	g.zoom = len(graphCells) - 1
	for g.zoom > 1 && int(g.wide)*graphCells[g.zoom] > w {
		g.zoom--
	}
}

// layGraph places the nodes. Children come after their parents by number, so two sweeps do.
func (s *search) layGraph() {
	g := &s.pane.graph
	if !g.stale && len(g.x) == len(s.t.Nodes) {
		return
	}
	g.stale = false
	n := len(s.t.Nodes)
	g.x = grow(g.x, n)
	next := float32(0)
	// Depth first, with a stack of its own; a node is placed when its children have been.
	type frame struct {
		id tree.NodeID
		at int
	}
	stack := []frame{{tree.Root, 0}}
	for i := range g.x {
		g.x[i] = -1
	}
	for n > 0 && len(stack) > 0 {
		f := &stack[len(stack)-1]
		kids := s.t.Nodes[f.id].Children
		if s.out.folded[f.id] {
			kids = nil
		}
		if f.at < len(kids) {
			f.at++
			stack = append(stack, frame{kids[f.at-1], 0})
			continue
		}
		if len(kids) == 0 {
			g.x[f.id] = next
			next++
		} else {
			g.x[f.id] = (g.x[kids[0]] + g.x[kids[len(kids)-1]]) / 2
		}
		stack = stack[:len(stack)-1]
	}
	g.wide = next
}

// drawGraph paints the part of the graph around the cursor.
func (a *app) drawGraph(c paint.Canvas) {
	s := a.s
	g := &s.pane.graph
	s.layGraph()
	g.zoom = max(0, min(len(graphCells)-1, g.zoom))
	cells := graphCells[g.zoom]
	cur := s.node()
	if cur == nil {
		return
	}
	at := func(id tree.NodeID) (int, int) {
		return int(g.x[id]*float32(cells)) + cells/2 - g.left, 3*s.t.Nodes[id].Depth - g.top
	}
	if g.x[cur.ID] < 0 {
		s.goTo(cur.ID)
		s.layGraph()
	}
	a.panGraph(c, cells)
	box := a.look.glyphs.Box
	for _, best := range []bool{false, true} { // the best path lies on top
		for _, n := range s.t.Nodes {
			if g.x[n.ID] < 0 || n.ID == tree.Root || s.ix.bestPath[n.ID] != best {
				continue
			}
			if x, y := at(n.ID); y >= -3 && y <= c.H()+2 {
				px, _ := at(n.Parent)
				a.drawEdge(c, box, px, x, y, best)
			}
		}
	}
	for _, n := range s.t.Nodes {
		if g.x[n.ID] < 0 {
			continue
		}
		if x, y := at(n.ID); y >= 0 && y < c.H() && x > -14 && x < c.W()+14 {
			a.drawGraphNode(c, n, x, y, cells)
		}
	}
}

// panGraph keeps the cursor in view, with the whole graph in the middle when it fits.
func (a *app) panGraph(c paint.Canvas, cells int) {
	s := a.s
	g := &s.pane.graph
	width := int(g.wide * float32(cells))
	if width <= c.W() {
		g.left = -(c.W() - width) / 2
	} else {
		x := int(g.x[s.out.cursor]*float32(cells)) + cells/2
		margin := min(c.W()/4, 24)
		g.left = max(min(g.left, x-margin), x+margin-c.W())
		g.left = max(0, min(g.left, width-c.W()))
	}
	y := 3 * s.t.Nodes[s.out.cursor].Depth
	g.top = max(min(g.top, y-3), y+4-c.H())
	g.top = max(g.top, 0)
}

// drawEdge joins a node with its parent: down from the parent, across, and down to the node.
func (a *app) drawEdge(c paint.Canvas, box themes.BoxGlyphs, px, x, y int, best bool) {
	st := sGrid
	if best {
		st = sBest
	}
	c.Text(px, y-2, st, box.Left)
	lo, hi := min(px, x), max(px, x)
	for i := max(0, lo+1); i < min(c.W(), hi); i++ {
		c.Text(i, y-1, st, box.Top)
	}
	corner := box.Left
	switch {
	case x < px:
		corner = box.TopLeft
		c.Text(px, y-1, st, box.TeeBottom)
	case x > px:
		corner = box.TopRight
		c.Text(px, y-1, st, box.TeeBottom)
	}
	c.Text(x, y-1, st, corner)
}

func (a *app) drawGraphNode(c paint.Canvas, n *tree.Node, x, y, cells int) {
	s, gl := a.s, a.look.glyphs
	st := fg(themes.StateToken(string(n.State)))
	if n.State.Trained() {
		st = paint.Style{Fg: paint.Score(s.rank(n))}
	}
	if s.ix.bestPath[n.ID] {
		st = sBest
	}
	if s.out.hit != nil && !s.out.hit[n.ID] {
		st = sFaint
	}
	text := gl.State(string(n.State))
	if cells >= 5 {
		text = name(n.ID)
	}
	if cells >= 8 {
		text = gl.State(string(n.State)) + name(n.ID)
	}
	if cells >= 13 && n.Val().Known() {
		text += " " + score(n.Val().Mean)
	}
	w := paint.Width(text)
	left := x - (w-1)/2
	if n.ID == s.out.cursor {
		st = st.With(paint.Bold).On(ink(themes.SelectionBg))
		text, left, w = " "+text+" ", left-1, w+2
	}
	c.Text(left, y, st, text)
	c.Zone(left, y, w, 1, "node", int(n.ID))
	if s.out.folded[n.ID] && len(n.Children) > 0 {
		c.Text(x-1, y+1, sAccent, gl.Tree.Folded+num(int(s.ix.below[n.ID])))
	}
}

// walkGraph moves the cursor: up to the parent, down to the first child, sideways to the neighbour on the same level.
func (s *search) walkGraph(dx, dy int) {
	s.layGraph()
	n := s.node()
	if n == nil {
		return
	}
	switch {
	case dy < 0:
		s.out.cursor = n.Parent
	case dy > 0 && len(n.Children) > 0:
		s.fold(n.ID, false)
		s.pane.graph.stale = true
		s.out.cursor = n.Children[0]
	case dx != 0:
		g := &s.pane.graph
		best, dist := n.ID, float32(1<<30)
		for _, m := range s.t.Nodes {
			d := (g.x[m.ID] - g.x[n.ID]) * float32(dx)
			if m.Depth == n.Depth && g.x[m.ID] >= 0 && d > 0 && d < dist {
				best, dist = m.ID, d
			}
		}
		s.out.cursor = best
	}
}
