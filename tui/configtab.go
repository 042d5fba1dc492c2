package tui

import (
	"strings"

	"llmzero/engine/tree"
	"llmzero/themes"
	"llmzero/tui/component/paint"
)

// drawConfig paints the configuration, changed parameters first, as a difference from the parent, the root or the best.
func (a *app) drawConfig(c paint.Canvas, n *tree.Node) {
	s, gl := a.s, a.look.glyphs
	ref, refName := a.reference(n)
	l := a.scrolled(c)
	l.line(0, sFaint, "against "+refName+"   d changes what with")
	names := 0
	for _, p := range s.t.Spec.Space.Params {
		names = max(names, paint.Width(p.Name))
	}
	names = min(names, max(8, c.W()/2-8))
	diff := map[string]tree.Change{}
	for _, ch := range s.t.Spec.Space.Diff(ref, n.Config) {
		diff[ch.Param] = ch
	}
	row := func(p tree.Param) {
		_, changed := diff[p.Name]
		role := fg(themes.RoleToken(string(p.Role)))
		l.text(0, role, gl.Role(string(p.Role)))
		st, vs := sMuted, sMuted
		if changed {
			st, vs = sText, sText.With(paint.Bold)
		}
		called := p.Name
		if paint.Width(called) > names {
			called = p.Label()
		}
		l.c.TextIn(2, l.y, names, st, called, gl.Mark.Ellipsis)
		x := names + 3
		if changed {
			l.c.TextRight(x+8, l.y, sFaint, value(ref[p.Name]))
			l.c.Text(x+9, l.y, role, gl.Mark.Arrow)
		}
		l.c.TextRight(x+19, l.y, vs, value(n.Config[p.Name]))
		if p.Unit != "" {
			l.c.Text(x+20, l.y, sFaint, p.Unit)
		}
		if room := l.c.W() - x - 30; room >= 8 {
			a.rangeBar(l.c.Sub(x+29, l.y, min(room, 30), 1), p, ref[p.Name], n.Config[p.Name], changed, 0)
		}
		l.y++
	}
	for _, role := range []tree.Role{tree.RoleCapacity, tree.RoleRegularization, tree.RoleOther} {
		l.gap()
		l.head(string(role))
		for pass := range 2 {
			for _, p := range s.t.Spec.Space.Params {
				if _, changed := diff[p.Name]; p.Role == role && changed == (pass == 0) {
					row(p)
				}
			}
		}
	}
	l.end()
}

// reference is what Config compares a node with.
func (a *app) reference(n *tree.Node) (tree.Config, string) {
	s := a.s
	switch s.pane.against {
	case 1:
		return s.t.Spec.Root, "the practitioner's settings"
	case 2:
		if b, ok := s.t.Node(s.ix.best); ok {
			return b.Config, "the best node, " + name(b.ID)
		}
	}
	if p := s.parent(n); p != nil {
		return p.Config, "the parent, " + name(p.ID)
	}
	return n.Config, "itself"
}

// rangeBar paints where a value lies in its range, and where it came from.
func (a *app) rangeBar(c paint.Canvas, p tree.Param, from, to tree.Value, changed bool, bg paint.Ink) {
	g, w := a.look.glyphs.Slider, c.W()
	if w < 3 {
		return
	}
	role := fg(themes.RoleToken(string(p.Role))).On(bg)
	c.Text(0, 0, fg(themes.Track).On(bg), strings.Repeat(g.Line, w))
	at := func(v tree.Value) int { return int(p.Position(v)*float64(w-1) + 0.5) }
	x0, x1 := at(from), at(to)
	if !changed {
		c.Text(x1, 0, sMuted.On(bg), g.Old)
		return
	}
	lo, hi := min(x0, x1), max(x0, x1)
	c.Text(lo, 0, role, strings.Repeat(g.Way, hi-lo+1))
	c.Text(x0, 0, sMuted.On(bg), g.Old)
	c.Text(x1, 0, role.With(paint.Bold), g.New)
	switch {
	case x1 > x0+1:
		c.Text(x1-1, 0, role, g.ToRight)
	case x1 < x0-1:
		c.Text(x1+1, 0, role, g.ToLeft)
	}
}
