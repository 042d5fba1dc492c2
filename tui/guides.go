package tui

import (
	"slices"

	"llmzero/engine/tree"
	"llmzero/tui/component/paint"
)

// guideLevels is how many levels of a tree a pane w cells wide has room for: half of what the numbers at the right leave.
func guideLevels(w int) int {
	numbers := 9
	if w >= 36 {
		numbers += 7
	}
	if n := sparkWidth(w); n > 0 {
		numbers += n + 2
	}
	return max(3, (w-numbers)/4)
}

// shiftLevels chooses how many levels are hidden at the left, the same for all h rows in view: none while they fit, else so that
// most rows and the cursor's are within the room. It stays while that is good enough, so that rows do not sway with every key.
func (s *search) shiftLevels(h, room int) {
	o := &s.out
	var depths []int
	for i := o.top; i < min(o.top+h, len(o.rows)); i++ {
		depths = append(depths, int(s.ix.depth[o.rows[i]]))
	}
	if len(depths) == 0 || o.order != orderTree || slices.Max(depths) <= room {
		o.left = 0
		return
	}
	slices.Sort(depths)
	cursor := int(s.ix.depth[o.cursor])
	want := max(0, min(max(depths[len(depths)/2]-room/2, cursor-room+1), cursor-1))
	if off := want - o.left; off > room/3 || off < -room/3 || cursor < o.left || cursor > o.left+room {
		o.left = want
	}
}

// drawGuides paints the lines from the root to a node, two cells a level, and returns the column behind them. The line to the
// best path's next node is gold all the way down. A node above the levels in view stands at the left behind an arrow, one
// below them at the right behind an ellipsis.
func (a *app) drawGuides(c paint.Canvas, n *tree.Node, room int, bg paint.Ink) int {
	s, gl := a.s, a.look.glyphs
	at := n.Depth - s.out.left
	switch {
	case at < 0:
		c.Text(0, 0, sFaint.On(bg), gl.Mark.Left)
		return 1
	case at > room:
		c.Text(2*room-1, 0, sFaint.On(bg), gl.Mark.Ellipsis)
	}
	p := n
	for i := at - 1; i >= 0; i-- {
		if i < room-1 || at <= room {
			a.drawGuide(c.Sub(1+2*i, 0, 2, 1), p, i == at-1, bg)
		}
		p = s.t.Nodes[p.Parent]
	}
	return 1 + 2*min(at, room)
}

// drawGuide paints what stands on the level of p's parent: p's own branch when the row is p's, else the line past p to the
// siblings below.
func (a *app) drawGuide(c paint.Canvas, p *tree.Node, own bool, bg paint.Ink) {
	s, g := a.s, a.look.glyphs.Tree
	down, across := sGrid.On(bg), sGrid.On(bg)
	if s.ix.bestPath[p.Parent] && s.ix.bestBelow(p) {
		down = sBest.On(bg)
	}
	best, last := s.ix.bestPath[p.ID], s.out.last[p.ID]
	switch {
	case !own && last:
	case !own && best:
		c.Text(0, 0, sGrid.On(bg), g.Pipe)
	case !own:
		c.Text(0, 0, down, g.Pipe)
	default:
		if best {
			down, across = sBest.On(bg), sBest.On(bg)
		}
		sign := g.Branch
		if last {
			sign = g.Last
		}
		c.Text(0, 0, down, sign)
		c.Text(1, 0, across, g.Dash)
	}
}

// bestBelow tells whether the best path goes on below a sibling that comes after n. Siblings stand in the order of their ids.
func (ix *index) bestBelow(n *tree.Node) bool {
	return n.Depth < len(ix.bestAt) && ix.bestAt[n.Depth] > n.ID
}
