package tui

import (
	"strings"

	"llmzero/engine/tree"
	"llmzero/themes"
	"llmzero/tui/component/chart"
	"llmzero/tui/component/paint"
)

// drawGlance paints what a search came to: its scores and what it spent, the path to its best node, and the reward along it.
func (a *app) drawGlance(c paint.Canvas, s *tree.Summary) {
	in := a.panel(c, or(s.Name, s.Search), false).Inset(1, 0)
	p := a.home.glance()
	switch w, h := in.Size(); {
	case w < 72:
		a.drawGlanceText(in, s, p)
	case h >= 18: // numbers and path at the left, the curves beside them
		left := max(38, min(60, w*2/5))
		a.drawGlanceText(in.Sub(0, 0, left, h), s, p)
		a.drawGlanceCurves(in.Sub(left+2, 0, w-left-2, h), p)
	case w < 112:
		left := w/2 - 1
		a.drawGlanceFacts(in.Sub(0, 0, left, h), s, p)
		right := in.Sub(left+2, 0, w-left-2, h)
		used := a.drawGlancePath(right, s, p) + 1
		a.drawGlanceCurves(right.Sub(0, used, right.W(), h-used), p)
	default:
		path := (w - 50) * 2 / 5
		a.drawGlanceFacts(in.Sub(0, 0, 48, h), s, p)
		a.drawGlancePath(in.Sub(50, 0, path, h), s, p)
		a.drawGlanceCurves(in.Sub(52+path, 0, w-52-path, h), p)
	}
}

// drawGlanceText paints the numbers, and the path below them.
func (a *app) drawGlanceText(c paint.Canvas, s *tree.Summary, p *glance) {
	used := a.drawGlanceFacts(c, s, p)
	if c.H() >= 18 {
		used++
	}
	a.drawGlancePath(c.Sub(0, used, c.W(), c.H()-used), s, p)
}

// drawGlanceFacts paints what the summary holds and what the tree adds to it, and returns how many rows it took.
func (a *app) drawGlanceFacts(c paint.Canvas, s *tree.Summary, p *glance) int {
	gl := a.look.glyphs
	pm, sep := gl.Mark.PlusMinus, " "+gl.Mark.Separator+" "
	l := &lines{a: a, c: c}
	row := func(label string, st paint.Style, text string) {
		c.TextIn(0, l.y, 10, sMuted, label, gl.Mark.Ellipsis)
		l.line(10, st, text)
	}
	word, st := statusCell(a, s)
	if p != nil && p.t != nil && p.t.Reason != "" {
		word += ": " + p.t.Reason
	}
	row("status", st, word)
	if scored(s) {
		row("base", sText, score(s.BaseVal)+" "+pm+delta(1.96*s.BaseSE))
		row("best", sBest, score(s.BestVal)+" "+pm+delta(1.96*s.BestSE))
		gain, st := gainCell(a, s)
		row("gain", st, gain)
	}
	if text := a.testWords(p); text != "" {
		row("test", sText, text)
	}
	c.Text(0, l.y, sMuted, "budget")
	a.gauge(c, 10, l.y, 10, s.Used, fg(themes.Accent))
	l.line(21, sText, num(int(100*min(s.Used, 1)+0.5))+"% of "+a.budgetOf(p))
	row("spent", sText, count(float64(s.Tokens))+" tokens in "+plural(s.Segments, "segment"))
	row("made of", sMuted, strings.Join([]string{s.Task, s.Trainer, s.Agent, s.Policy}, sep))
	row("begun", sMuted, ago(s.Created, a.now())+sep+s.Search)
	return l.y
}

// testWords tells the test score of the winner or of the best node: of runs with fresh seeds where there are any.
func (a *app) testWords(p *glance) string {
	if p == nil || p.best == nil {
		return ""
	}
	who := p.best.title
	if p.won {
		who = "winner " + who
	}
	switch b := p.best; {
	case b.retrained.N > 0:
		return interval(b.retrained) + " fresh seeds, " + who
	case b.n.Test.Known():
		return score(b.n.Test.Mean) + " " + a.look.glyphs.Mark.PlusMinus + delta(1.96*b.n.Test.SE) + ", " + who
	}
	return ""
}

// budgetOf says what the search may spend.
func (a *app) budgetOf(p *glance) string {
	if p == nil || p.t == nil {
		return "its budget"
	}
	b := p.t.Spec.Budget
	b.Confirm = 0 // how it is shared out stands on the search's page
	return budgetWords(b)
}

// drawGlancePath lists the changes along the path to the best node, and returns how many rows it took.
func (a *app) drawGlancePath(c paint.Canvas, s *tree.Summary, p *glance) int {
	gl := a.look.glyphs
	l := &lines{a: a, c: c}
	switch {
	case s.Nodes > glanceNodes:
		l.head("best path")
		l.wrap(0, sMuted, num(s.Nodes)+" nodes are not read for a glance: enter opens the search")
	case p == nil:
		l.head("best path")
		l.line(0, sMuted, "reading"+gl.Mark.Ellipsis)
	case p.err != nil:
		l.head("best path")
		l.wrap(0, sError, p.err.Error())
	case p.best == nil || p.best.n.ID == tree.Root:
		l.head("best path")
		l.line(0, sMuted, "nothing is better than the base model yet")
	default:
		title := "path to the best node"
		if p.won {
			title = "path to the winner"
		}
		return a.pathRows(c, -1, title, p.t.Path(p.best.n.ID), p.best, sBest)
	}
	return l.y
}

// drawGlanceCurves paints what was measured along the path, smoothed, on one axis of steps.
func (a *app) drawGlanceCurves(c paint.Canvas, p *glance) {
	if p == nil || p.best == nil || c.W() < 2*gutter || c.H() < 5 {
		return
	}
	all := measured(p.best)
	rows := min(len(all), max(1, min(4, (c.H()-2)/7)))
	if rows == 0 {
		return
	}
	a.rule(c, "along the path, smoothed", sMuted)
	h := (c.H() - 2) / rows
	var axis *chart.Plot
	for i, m := range all[:rows] {
		part := c.Sub(0, 1+i*h, c.W(), apart(h))
		plot := a.along(p.best, m)
		area := a.drawYAxis(part, metricLabel(m), plot)
		if plot == nil {
			continue
		}
		part.Text(0, 1, sText, p.best.end(m, false))
		plot.Draw(area)
		axis = plot
	}
	if axis != nil {
		a.stepAxis(c.Sub(gutter, 1+rows*h, c.W()-gutter, 1), axis)
	}
}

// along makes the chart of a metric along a path, nil when it was not measured.
func (a *app) along(s *side, metric string) *chart.Plot {
	xs, ys := s.curveOf(metric, false)
	p := &chart.Plot{Cursor: nan(), Series: []chart.Series{{X: xs, Y: ys, Ink: ink(themes.Series1)}}}
	if !a.look.glyphs.Braille {
		p.Point = a.look.glyphs.Plot.Point
	}
	if !p.Fit() {
		return nil
	}
	p.X0, p.X1 = 0, float64(s.points[len(s.points)-1].Step)
	return p
}
