package tui

import (
	"llmzero/engine/tree"
	"llmzero/tui/component/paint"
)

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
