package tui

import (
	"strings"

	"llmzero/themes"
	"llmzero/tui/component/chart"
	"llmzero/tui/component/paint"
)

// drawScores paints validation scores with their intervals on the same axis, and the stages below.
func (a *app) drawScores(c paint.Canvas, f *figure) {
	gl := a.look.glyphs
	a.rule(c, gl.Mark.Best+" validation", sBest)
	axis := 1
	if c.H() >= 9 {
		axis = 2
	}
	area := c.Sub(trajLabel, 1, c.W()-trajLabel-trajEnd, c.H()-1-axis)
	p := a.scorePlot(f, area)
	at := c.TextRight(c.W(), 0, sFaint, " "+a.legend(f, len(p.Bands) > 0, c.W()-20))
	if metric := a.s.t.Spec.Metric; metric != "" && at > 24 {
		c.TextIn(13, 0, at-16, sFaint, metric+" ", gl.Mark.Ellipsis)
	}
	if p.Y1 > p.Y0 {
		a.drawGrid(c.Sub(trajLabel-1, 1, area.W()+1, area.H()), f, p)
		p.Draw(area)
		a.drawPoints(area, f, p)
		a.tint(area, f, p)
		a.drawScoreScale(c.Sub(0, 1, c.W(), area.H()), f, p)
	}
	a.drawScoreWords(c.Sub(2, 1, trajLabel-12, area.H()), f)
	a.drawAxis(c.Sub(trajLabel, c.H()-axis, c.W()-trajLabel, axis), f, p, area.W())
}

// scorePlot is the chart of scores: the base model's as a dashed line, other paths, and the path with its 95% band on top.
func (a *app) scorePlot(f *figure, area paint.Canvas) *chart.Plot {
	p := a.axis(f)
	room := max((f.hi-f.lo)*0.04, f.reach, 1e-3)
	if f.lo <= f.hi {
		p.Y0, p.Y1 = f.lo-room, f.hi+room
	}
	// Without colours blocks would outshine the curve, and a band thinner than half a row would come and go.
	if a.look.theme.Depth() != themes.DepthNone && a.look.glyphs.Braille && 2*f.reach*float64(area.H()) >= (p.Y1-p.Y0)/2 && f.apart(area.W()) {
		band := chart.Band{Ink: ink(themes.Track), Page: ink(themes.Background), X: f.scores.X}
		for i, y := range f.scores.Y {
			band.Lo, band.Hi = append(band.Lo, y-1.96*f.se[i]), append(band.Hi, y+1.96*f.se[i])
		}
		p.Bands = []chart.Band{band}
	}
	p.Series = append(p.Series, chart.Series{X: []float64{0, p.X1}, Y: []float64{f.base, f.base}, Ink: ink(themes.Faint), Dash: 2})
	p.Series = append(p.Series, f.beside...)
	p.Series = append(p.Series, chart.Series{X: f.scores.X, Y: f.scores.Y, Ink: f.ink().Fg, Wide: f.apart(area.W())})
	return p
}

// ink is that of the path's scores: gold is the best path's alone.
func (f *figure) ink() paint.Style {
	if f.best {
		return sBest
	}
	return fg(themes.Series1)
}

// apart tells whether a chart w cells wide shows the stages as single ones.
func (f *figure) apart(w int) bool { return 3*len(f.stages) <= w }

// legend says what the lines of the page are.
func (a *app) legend(f *figure, banded bool, width int) string {
	var parts []string
	if banded {
		parts = append(parts, "band: 95% interval")
	}
	if f.others > 0 {
		parts = append(parts, map[bool]string{true: "thin: ", false: "grey: "}[a.look.glyphs.Braille]+plural(f.others, "other path"))
	}
	dash := a.look.glyphs.Plot.Dashed
	parts = append(parts, dash+dash+" base model")
	for len(parts) > 1 && paint.Width(strings.Join(parts, "   ")) > width {
		parts = parts[:len(parts)-1]
	}
	return strings.Join(parts, "   ")
}

// drawPoints marks where a stage ended, as long as the stages stand apart.
func (a *app) drawPoints(c paint.Canvas, f *figure, p *chart.Plot) {
	for _, st := range f.stages {
		if !st.Val.Known() || !f.apart(c.W()) {
			continue
		}
		x := p.Column(float64(st.To), c.W())
		var under paint.Ink
		for i, step := range f.scores.X {
			if int(step) == st.To {
				c.Tint(x, p.Row(f.scores.Y[i], c.H()), 1, func(s paint.Style) paint.Style { under = s.Bg; return s })
				c.Text(x, p.Row(f.scores.Y[i], c.H()), f.ink().With(paint.Bold).On(under), a.look.glyphs.State("evaluated"))
			}
		}
	}
}

// drawScoreScale labels the score's axis - the base first, then the ends where they do not collide - and the last score.
func (a *app) drawScoreScale(c paint.Canvas, f *figure, p *chart.Plot) {
	gl := a.look.glyphs
	taken := -9
	if len(f.scores.Y) > 0 && f.scores.X[0] == 0 {
		taken = p.Row(f.base, c.H())
		a.drawScale(c, taken, "base "+fixed(f.base))
	}
	for _, y := range []float64{f.hi, f.lo} {
		if r := p.Row(y, c.H()); r != taken {
			a.drawScale(c, r, fixed(y))
		}
	}
	n := len(f.scores.Y)
	if n < 2 {
		return
	}
	y := p.Row(f.scores.Y[n-1], c.H())
	x := lineEnd(c, p, f.scores.X[n-1])
	c.Text(x, y, f.ink().With(paint.Bold), score(f.scores.Y[n-1])+" ")
	below := y + 1
	if below >= c.H() {
		below = y - 1
	}
	c.Text(x, below, sFaint, gl.Mark.PlusMinus+delta(1.96*f.se[n-1])+" ")
}

// drawScoreWords says beside the scores what the chosen stage, or the path, came to.
func (a *app) drawScoreWords(c paint.Canvas, f *figure) {
	gl := a.look.glyphs
	k := a.chosen(f)
	if k < 0 {
		if n := len(f.scores.Y); n > 1 {
			c.TextIn(0, 0, c.W(), sMuted, score(f.scores.Y[0])+" "+gl.Mark.Arrow+" "+score(f.scores.Y[n-1]), gl.Mark.Ellipsis)
		}
		return
	}
	st := f.stages[k]
	x := c.Text(0, 0, sAccent, name(st.Node)+" ")
	if !st.Val.Known() {
		c.TextIn(x, 0, c.W()-x, sFaint, "not scored yet", gl.Mark.Ellipsis)
		return
	}
	x = c.Text(x, 0, sAccent.With(paint.Bold), score(st.Val.Mean))
	c.Text(x+1, 0, sFaint, gl.Mark.PlusMinus+delta(1.96*st.Val.SE))
	before, from := f.base, "the base"
	if k > 0 {
		before, from = f.stages[k-1].Val.Mean, name(f.stages[k-1].Node)
		if !f.stages[k-1].Val.Known() {
			return
		}
	}
	d := st.Val.Mean - before
	s := sGain
	if d < 0 {
		s = sLoss
	}
	x = c.Text(0, 1, s, gl.Delta(d)+" "+delta(d))
	c.TextIn(x+1, 1, c.W()-x-1, sFaint, "over "+from, gl.Mark.Ellipsis)
}

// drawAxis names the stages below the charts, and in a second row the steps at which they begin. The chart is w cells wide.
func (a *app) drawAxis(c paint.Canvas, f *figure, p *chart.Plot, w int) {
	k := a.chosen(f)
	var names labels
	steps := labels{{x: p.Column(0, w), text: "0", s: sFaint}}
	for i, st := range f.stages {
		lo, hi := columns(p, st, w)
		l := label{x: (lo+hi)/2 - len(name(st.Node))/2, text: name(st.Node), s: sFaint}
		if i == k {
			l.s = sAccent.With(paint.Bold)
		}
		l.first = i == k
		names = append(names, l)
		t := num(st.To)
		if st.To == f.end {
			continue // it has its label with the unit
		}
		steps = append(steps, label{x: hi - len(t)/2, text: t, s: sFaint, first: i == k || (k >= 0 && i == k-1)})
	}
	names = append(names, label{x: 0, text: "root", s: sFaint}) // the last to find room
	end := num(f.end) + " steps"
	if c.H() > 1 {
		// The unit stands behind the last step, wherever that is.
		steps = append(steps, label{x: w - len(num(f.end)), text: end, s: sFaint, first: true})
		steps.draw(c.Sub(0, 1, c.W(), 1))
	} else {
		names = append(names, label{x: c.W() - len(end), text: end, s: sFaint, first: true})
	}
	names.draw(c.Sub(0, 0, c.W(), 1))
}

// label is a text at a column; first ones have their place before the others.
type label struct {
	x     int
	text  string
	s     paint.Style
	first bool
}

// labels are those of one row.
type labels []label

// draw paints the labels that do not touch one painted before.
func (ls labels) draw(c paint.Canvas) {
	const margin = 2
	free := make([]bool, c.W()+2*margin)
	for i := range free {
		free[i] = true
	}
	for _, first := range []bool{true, false} {
		for _, l := range ls {
			w := paint.Width(l.text)
			x := max(0, min(l.x, c.W()-w))
			if l.first != first || w > c.W() || !all(free[x:x+w+2*margin]) {
				continue
			}
			for i := range w {
				free[x+margin+i] = false
			}
			c.Text(x, 0, l.s, l.text)
		}
	}
}

func all(free []bool) bool {
	for _, f := range free {
		if !f {
			return false
		}
	}
	return true
}
