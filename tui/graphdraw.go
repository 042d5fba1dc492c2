package tui

import (
	"slices"

	"llmzero/engine/tree"
	"llmzero/themes"
	"llmzero/tui/component/paint"
)

// drawGraph paints the part of the graph that is in view.
func (a *app) drawGraph(c paint.Canvas) {
	s := a.s
	g := &s.pane.graph
	s.layGraph()
	if s.node() == nil {
		return
	}
	for g.x[s.out.cursor] < 0 { // in a folded subtree
		s.out.cursor = s.t.Nodes[s.out.cursor].Parent
	}
	if g.zoom == zoomAll {
		a.drawWhole(c)
		return
	}
	s.look(c)
	v := graphView{a: a, c: c, cells: g.zoom.cells(len(s.t.Nodes)), rows: g.zoom.rows()}
	lo, hi := float32(g.left-v.cells)/float32(v.cells), float32(g.left+c.W()+v.cells)/float32(v.cells)
	for d := max(0, g.top/v.rows-1); d < g.levels() && d*v.rows <= g.top+c.H(); d++ {
		row := g.between(d, lo, hi)
		v.edges(d, row, g.between(d+1, lo, hi))
		for _, id := range row {
			if x := v.column(g.x[id]); x > -v.cells && x < c.W()+v.cells {
				v.node(s.t.Nodes[id], x, v.line(d))
			}
		}
	}
}

// graphView paints a graph at one zoom.
type graphView struct {
	a           *app
	c           paint.Canvas
	cells, rows int
}

// column and line are where a place of the layout is in the pane.
func (v graphView) column(x float32) int {
	return int(x*float32(v.cells)) + v.cells/2 - v.a.s.pane.graph.left
}

func (v graphView) line(level int) int { return level*v.rows - v.a.s.pane.graph.top }

// edges paints the line below a level: for each parent one bar over its children, with a sign above each child. The way to the
// best path's next node is gold.
func (v graphView) edges(level int, parents, kids []int32) {
	s, box := v.a.s, v.a.look.glyphs.Box
	g, y := &s.pane.graph, v.line(level)+v.rows-1
	for _, p := range parents {
		if g.hi[p] >= 0 {
			v.bar(p, y, kids)
		}
	}
	for _, kid := range kids {
		p := s.ix.parent[kid]
		x, first, last := v.column(g.x[kid]), g.x[kid] == g.lo[p], g.x[kid] == g.hi[p]
		sign := box.TeeTop
		switch {
		case first && last:
			sign = box.Left
		case x == v.column(g.x[p]):
			sign = box.Cross
		case first:
			sign = box.TopLeft
		case last:
			sign = box.TopRight
		}
		v.c.Text(x, y, sGrid, sign)
	}
	if at := s.ix.bestAt; level+1 < len(at) && g.x[at[level+1]] >= 0 {
		from, to := v.column(g.x[at[level]]), v.column(g.x[at[level+1]])
		lo, hi := min(from, to), max(from, to)
		v.c.Tint(lo, y, hi-lo+1, func(paint.Style) paint.Style { return sBest })
	}
}

// bar paints the line over a parent's children. One that only passes through the view, from a parent to children that are both
// out of sight, is left out: in a large tree nothing else would be seen. An arrow says where it goes on.
func (v graphView) bar(p int32, y int, kids []int32) {
	s := v.a.s
	g, px := &s.pane.graph, v.column(s.pane.graph.x[p])
	if seen := px >= 0 && px < v.c.W(); !seen && !slices.ContainsFunc(kids, func(k int32) bool {
		x := v.column(g.x[k])
		return s.ix.parent[k] == p && x >= 0 && x < v.c.W()
	}) {
		return
	}
	gl, lo, hi := v.a.look.glyphs, v.column(g.lo[p]), v.column(g.hi[p])
	for x := max(0, lo); x <= min(v.c.W()-1, hi); x++ {
		v.c.Text(x, y, sGrid, gl.Box.Top)
	}
	if lo < 0 {
		v.c.Text(0, y, sMuted, gl.Mark.Left)
	}
	if hi >= v.c.W() {
		v.c.Text(v.c.W()-1, y, sMuted, gl.Mark.Right)
	}
	v.c.Text(px, y, sGrid, gl.Box.TeeBottom)
}

// node paints a node as its zoom has it: its state's sign; its name; its score or what became of it; what it changed.
func (v graphView) node(n *tree.Node, x, y int) {
	s, gl, zoom := v.a.s, v.a.look.glyphs, v.a.s.pane.graph.zoom
	st := v.a.graphStyle(n)
	text := gl.State(string(n.State))
	if zoom >= zoomNames {
		text += name(n.ID)
	}
	if zoom == zoomCards && s.ix.bestPath[n.ID] {
		text += " " + gl.Mark.Best
	}
	head := st
	if n.ID == s.out.cursor {
		head = st.With(paint.Bold).On(ink(themes.SelectionBg))
	}
	if w := paint.Width(text); x-(w-1)/2 < 0 || x-(w-1)/2+w > v.c.W() {
		text = gl.State(string(n.State))
	}
	v.centred(x, y, head, text)
	v.c.Zone(x-v.cells/2, y, v.cells, v.rows-1, "node", int(n.ID))
	if zoom >= zoomNames {
		v.centred(x, y+1, v.figureStyle(n, st), paint.Cut(v.figures(n), v.cells-1, gl.Mark.Ellipsis))
	}
	if zoom == zoomCards && n.ID != tree.Root {
		v.centred(x, y+2, sMuted, paint.Cut(changeWords(s.t.Spec.Space, n.Transition), v.cells-2, gl.Mark.Ellipsis))
	}
	if s.out.folded[n.ID] && len(n.Children) > 0 {
		v.centred(x, y+v.rows-1, sAccent, gl.Tree.Folded+num(int(s.ix.below[n.ID])))
	}
}

// centred paints a text around x, and nothing when not all of it is in view: half a number is a wrong number.
func (v graphView) centred(x, y int, st paint.Style, text string) {
	w := paint.Width(text)
	if left := x - (w-1)/2; left >= 0 && left+w <= v.c.W() {
		v.c.Text(left, y, st, text)
	}
}

// figures are a node's score, with its gain where there is room, or what became of it.
func (v graphView) figures(n *tree.Node) string {
	s := v.a.s
	switch {
	case !n.State.Trained() || !n.Val().Known():
		switch {
		case n.State == tree.StateProposed:
			return "waits"
		case s.pane.graph.zoom < zoomCards && n.State != tree.StateRunning:
			return string(n.State)
		}
		return paint.Clean(s.fate(n))
	case s.pane.graph.zoom < zoomCards:
		return score(n.Val().Mean)
	}
	text := score(n.Val().Mean)
	if g, ok := s.gain(n); ok {
		text += " " + v.a.look.glyphs.Delta(g) + delta(g)
	}
	return text
}

func (v graphView) figureStyle(n *tree.Node, st paint.Style) paint.Style {
	if st == sFaint || n.State.Trained() {
		return st
	}
	return fg(themes.StateToken(string(n.State)))
}

// graphStyle is a node's colour: gold on the best path, its score when it has one, else its state; faint outside a filter.
func (a *app) graphStyle(n *tree.Node) paint.Style {
	s := a.s
	switch {
	case s.out.hit != nil && !s.out.hit[n.ID]:
		return sFaint
	case s.ix.bestPath[n.ID]:
		return sBest
	case n.State.Trained() && n.Val().Known():
		return paint.Style{Fg: paint.Score(s.rank(n))}
	}
	return fg(themes.StateToken(string(n.State)))
}
