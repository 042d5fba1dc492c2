package tui

import (
	"maps"
	"math"
	"slices"
	"strings"

	"llmzero/engine/tree"
	"llmzero/themes"
	"llmzero/tui/component/chart"
	"llmzero/tui/component/paint"
)

// measured lists the metrics of both sides' points, the usual ones first.
func measured(sides ...*side) []string {
	have := map[string]bool{}
	for _, s := range sides {
		for _, p := range s.points {
			for m := range p.Values {
				have[m] = true
			}
		}
	}
	delete(have, tree.MetricTokens)
	var out []string
	for _, m := range usualMetrics {
		if have[m] {
			out = append(out, m)
			delete(have, m)
		}
	}
	return append(out, slices.Sorted(maps.Keys(have))...)
}

// smoothFrom is how many points a curve must have to be smoothed: a moving average of a few says less than they do.
const smoothFrom = 20

// curveOf is one metric along a side's path.
func (s *side) curveOf(metric string, raw bool) (xs, ys []float64) {
	for _, p := range s.points {
		if y, ok := p.Values[metric]; ok {
			xs, ys = append(xs, float64(p.Step)), append(ys, y)
		}
	}
	if !raw && len(ys) >= smoothFrom {
		ys = chart.Smooth(ys, 0.2)
	}
	return xs, ys
}

// read is a metric at a step as it was measured, whatever the curve looks like. A side has none beyond its end.
func (s *side) read(metric string, step float64) string {
	xs, ys := s.curveOf(metric, true)
	last := len(xs) - 1
	if last < 0 || step > xs[last] {
		return "–"
	}
	return fixed(ys[nearest(xs, step)])
}

// readout is a metric under the cursor, or at the end of its curve.
func (a *app) readout(s *side, metric string, cursor float64) string {
	if math.IsNaN(cursor) {
		return s.end(metric, a.pages.compare.raw)
	}
	return s.read(metric, cursor)
}

// end is the last value of a metric's curve, as raw or smooth as that is drawn.
func (s *side) end(metric string, raw bool) string {
	if _, ys := s.curveOf(metric, raw); len(ys) > 0 {
		return fixed(ys[len(ys)-1])
	}
	return "–"
}

// drawOverlaid paints up to four metrics of both sides, one above the other on one axis of steps.
func (a *app) drawOverlaid(c paint.Canvas, l, r *side) {
	p, gl := &a.pages.compare, a.look.glyphs
	all := measured(l, r)
	if len(all) == 0 {
		a.rule(c, "curves", sMuted)
		c.Text(0, 1, sMuted, "none was recorded along these paths")
		return
	}
	rows := max(1, min(4, len(all), (c.H()-2)/6))
	p.first = (p.first%len(all) + len(all)) % len(all)
	a.drawSides(c, l, r, len(all)-rows)
	p.width = max(1, c.W()-gutter)
	h := (c.H() - 2) / rows
	var axis *chart.Plot
	for i := range rows {
		m := all[(p.first+i)%len(all)]
		if plot := a.drawBoth(c.Sub(0, 1+i*h, c.W(), apart(h)), m, l, r); axis == nil {
			axis = plot
		}
	}
	foot := c.Sub(0, 1+rows*h, c.W(), 1)
	if axis == nil {
		return
	}
	if p.at > 0 {
		foot.TextIn(0, 0, gutter-2, sAccent, "step "+num(int(math.Round(axis.Cursor))), gl.Mark.Ellipsis)
	}
	a.stepAxis(foot.Sub(gutter, 0, foot.W()-gutter, 1), axis)
}

// drawSides is the heading of the curves: which is which, and whether they are smoothed.
func (a *app) drawSides(c paint.Canvas, l, r *side, more int) {
	x := c.Text(0, 0, sMuted, "curves") + 2
	dash := strings.Repeat(a.look.glyphs.Plot.AxisX, 2)
	names := []string{l.title, r.title}
	styles := []paint.Style{fg(themes.Series1), fg(themes.Series2), sMuted}
	if _, until := shared(l, r); until > 0 {
		names = append(names, "both")
	}
	for i, text := range names {
		if x+paint.Width(text)+5 <= c.W() {
			x = c.Text(x, 0, styles[i], dash)
			x = c.Text(x+1, 0, sMuted, text) + 2
		}
	}
	note := "smoothed (i)"
	if a.pages.compare.raw {
		note = "as measured (i)"
	}
	if more > 0 {
		note += "  " + num(more) + " more (m)"
	}
	if x+paint.Width(note) <= c.W() { // the keys stand in the footer too
		c.TextRight(c.W(), 0, sFaint, note)
	}
}

// drawBoth paints one metric of both sides: its name, both values at the readout or at the end, the bounds, the curves.
func (a *app) drawBoth(c paint.Canvas, metric string, l, r *side) *chart.Plot {
	p := a.overlay(metric, l, r)
	area := a.drawYAxis(c, metricLabel(metric), p)
	if p == nil {
		return nil
	}
	if at := a.pages.compare.at; at > 0 {
		p.Cursor = min(math.Round(p.XAt(min(at-1, area.W()-1), area.W())), p.X1)
	}
	p.Draw(area)
	area.Zone(0, 0, area.W(), area.H(), "compare", 0)
	for i, s := range []*side{l, r} {
		if i+1 < c.H() {
			c.Text(0, i+1, fg(themes.Series1+themes.Token(i)), a.readout(s, metric, p.Cursor))
		}
	}
	return p
}

// drawYAxis paints a chart's name, and its axis with the bounds of y, and returns the room for its curves.
func (a *app) drawYAxis(c paint.Canvas, label string, p *chart.Plot) paint.Canvas {
	gl := a.look.glyphs
	c.TextIn(0, 0, gutter-7, sMuted, label, gl.Mark.Ellipsis)
	area := c.Sub(gutter, 0, c.W()-gutter, c.H())
	if p == nil {
		area.Text(0, 0, sMuted, "not measured")
		return area
	}
	for y := range c.H() {
		c.Text(gutter-1, y, sGrid, gl.Plot.AxisY)
	}
	c.Text(gutter-1, 0, sGrid, gl.Plot.TickY)
	c.TextRight(gutter-2, 0, sFaint, fixed(p.Y1))
	if c.H() > 1 {
		c.Text(gutter-1, c.H()-1, sGrid, gl.Plot.TickY)
		c.TextRight(gutter-2, c.H()-1, sFaint, fixed(p.Y0))
	}
	return area
}

// overlay makes the chart of one metric of both sides; nil when neither measured it. What both went through together is drawn
// once, in a colour of its own. All metrics have one axis of steps.
func (a *app) overlay(metric string, l, r *side) *chart.Plot {
	p := &chart.Plot{Cursor: nan(), CursorInk: ink(themes.Muted)}
	if !a.look.glyphs.Braille {
		p.Point = a.look.glyphs.Plot.Point
	}
	_, until := shared(l, r)
	raw := a.pages.compare.raw
	common := chart.Series{Ink: ink(themes.Muted)}
	own := [2]chart.Series{{Ink: ink(themes.Series1)}, {Ink: ink(themes.Series2)}}
	if a.look.theme.Color(themes.Series1) == nil { // without colours, dashes tell them apart
		own[1].Dash = 4
	}
	for i, s := range []*side{l, r} {
		xs, ys := s.curveOf(metric, raw)
		n := 0
		for n < len(xs) && xs[n] <= float64(until) {
			n++
		}
		if n > len(common.X) {
			common.X, common.Y = xs[:n], ys[:n]
		}
		from := max(0, n-1) // the last common point leads into each one's own
		own[i].X, own[i].Y = xs[from:], ys[from:]
	}
	p.Series = []chart.Series{common, own[1], own[0]}
	if !p.Fit() {
		return nil
	}
	p.X0, p.X1 = 0, 1
	for _, s := range []*side{l, r} {
		if n := len(s.points); n > 0 {
			p.X1 = max(p.X1, float64(s.points[n-1].Step))
		}
	}
	return p
}
