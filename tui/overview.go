package tui

import (
	"math"

	"llmzero/engine/tree"
	"llmzero/themes"
	"llmzero/tui/component/paint"
)

// overview is the whole tree in one picture: a dot for each place that a node stands on, in the colour of the best score there.
type overview struct {
	cols, rows int // of the pane
	dx, dy     int // dots in a cell
	sx, sy     float32
	left       int
	cells      []cell
}

// cell is one cell of the overview.
type cell struct {
	dots  uint8
	count int32
	id    int32   // the node with the best score, of those that the filter lets through when there is a filter
	val   float64 // its score, below any when it has none
	hit   bool
}

// dot bits of a braille sign by column and row.
var dotBits = [2][4]uint8{{0x01, 0x02, 0x04, 0x40}, {0x08, 0x10, 0x20, 0x80}}

// survey sorts the shown nodes into the cells of a picture.
func (s *search) survey(cols, rows int, braille bool) *overview {
	g := &s.pane.graph
	v := &overview{cols: cols, rows: rows, dx: 1, dy: 1, cells: make([]cell, cols*rows)}
	if braille {
		v.dx, v.dy = 2, 4
	}
	// A small tree is not blown up beyond two cells for a leaf and a level.
	v.sx = min(float32(cols*v.dx)/g.wide, float32(2*v.dx))
	v.sy = min(float32(rows*v.dy)/float32(g.levels()), float32(2*v.dy))
	v.left = max(0, (cols-int(g.wide*v.sx)/v.dx)/2)
	g.seen = min(cols, max(1, int(g.wide*v.sx)/v.dx))
	hit := s.out.hit
	for i, x := range g.x {
		if x < 0 {
			continue
		}
		px, py := v.dot(x, s.ix.depth[i])
		c := v.at(px/v.dx, py/v.dy)
		if c == nil {
			continue
		}
		c.count++
		in := hit == nil || hit[i]
		if in && !c.hit {
			c.dots = 0 // of nodes that the filter keeps back
		}
		if braille && (in || !c.hit) {
			c.dots |= dotBits[px&1][py&3]
		}
		val := s.ix.val[i]
		if val != val {
			val = math.Inf(-1)
		}
		if c.count == 1 || (in && !c.hit) || (in == c.hit && val > c.val) {
			c.id, c.val, c.hit = int32(i), val, in
		}
	}
	return v
}

// dot is where a node's dot lies.
func (v *overview) dot(x float32, depth int32) (int, int) {
	return int((x+0.5)*v.sx) + v.left*v.dx, int((float32(depth) + 0.5) * v.sy)
}

func (v *overview) at(col, row int) *cell {
	if col < 0 || col >= v.cols || row < 0 || row >= v.rows {
		return nil
	}
	return &v.cells[row*v.cols+col]
}

// drawWhole paints the whole tree, the best path through it in gold, what waits and runs by its sign, and the cursor.
func (a *app) drawWhole(c paint.Canvas) {
	s, gl := a.s, a.look.glyphs
	v := s.survey(c.W(), c.H(), gl.Braille)
	for i := range v.cells {
		p := &v.cells[i]
		if p.count == 0 {
			continue
		}
		st := sFaint
		if p.hit && p.val > math.Inf(-1) {
			st = paint.Style{Fg: paint.Score((p.val - s.ix.low) / max(1e-9, s.ix.high-s.ix.low))}
		}
		sign := string(rune(0x2800 + int(p.dots)))
		if !gl.Braille {
			sign = gl.Spark[min(len(gl.Spark)-1, int(math.Log2(float64(p.count))))]
		}
		c.Text(i%v.cols, i/v.cols, st, sign)
		c.Zone(i%v.cols, i/v.cols, 1, 1, "node", int(p.id))
	}
	for k, id := range s.ix.bestAt {
		if s.pane.graph.x[id] < 0 {
			break
		}
		x, y := v.cell(s, id)
		if k > 0 {
			v.way(c, s, s.ix.bestAt[k-1], id, gl.Tree.Pipe)
		}
		c.Tint(x, y, 1, func(st paint.Style) paint.Style { st.Fg = ink(themes.Best); return st })
	}
	for _, ids := range [][]tree.NodeID{s.ix.waiting, s.ix.running} {
		for _, id := range ids[:min(len(ids), 100)] {
			if x, y := v.cell(s, id); s.pane.graph.x[id] >= 0 {
				state := string(s.t.Nodes[id].State)
				c.Text(x, y, fg(themes.StateToken(state)), gl.State(state))
			}
		}
	}
	a.drawWholeCursor(c, v)
}

// cell is where a node lies in the picture.
func (v *overview) cell(s *search, id tree.NodeID) (x, y int) {
	px, py := v.dot(s.pane.graph.x[id], s.ix.depth[id])
	return px / v.dx, py / v.dy
}

// way fills the cells between two nodes of the best path that lie more than a row apart.
func (v *overview) way(c paint.Canvas, s *search, from, to tree.NodeID, sign string) {
	x0, y0 := v.cell(s, from)
	x1, y1 := v.cell(s, to)
	for y := y0 + 1; y < y1; y++ {
		c.Text(x0+(x1-x0)*(y-y0)/(y1-y0), y, sBest, sign)
	}
}

// drawWholeCursor marks the cursor and names its node beside it.
func (a *app) drawWholeCursor(c paint.Canvas, v *overview) {
	s, gl := a.s, a.look.glyphs
	n := s.node()
	x, y := v.cell(s, n.ID)
	st := a.graphStyle(n).With(paint.Bold).On(ink(themes.SelectionBg))
	c.Text(x, y, st, gl.State(string(n.State)))
	label := " " + name(n.ID)
	if n.Val().Known() {
		label += " " + score(n.Val().Mean)
	}
	label += " "
	if x+1+paint.Width(label) > c.W() {
		c.TextRight(x, y, st, label)
		return
	}
	c.Text(x+1, y, st, label)
}
