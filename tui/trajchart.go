package tui

import (
	"llmzero/engine/analysis"
	"llmzero/themes"
	"llmzero/tui/component/chart"
	"llmzero/tui/component/paint"
)

// trajLabel is the width of names and scales at the left of the charts, trajEnd that of the last values at the right.
const (
	trajLabel = 33
	trajEnd   = 10
)

// maxChart is how many rows one parameter takes at most; what is left goes to the score.
const maxChart = 12

// heights shares h rows: lines of text take one each, every parameter as many as there are, and the score at least a quarter.
func (f *figure) heights(h int) (per, score, all int) {
	charts, texts := 0, 1 // the last line explains p
	if f.samples == 0 {
		texts = 0
	}
	for _, r := range f.rows {
		if r.trace != nil {
			charts++
		} else {
			texts++
		}
	}
	room := h - 1 - max(6, min(h*3/10, 16))
	per = 1
	if charts > 0 {
		per = max(1, min(maxChart, (room-texts)/charts))
	}
	all = texts + charts*per
	return per, h - 1 - min(all, room), all
}

// drawFigure paints the rows and the score below them, and returns how many rows of the list are shown and how many there are.
func (a *app) drawFigure(c paint.Canvas, f *figure) (shown, all int) {
	per, scoreH, all := f.heights(c.H())
	list := c.Sub(0, 0, c.W(), c.H()-scoreH-1)
	p := &a.pages.traj
	p.top = max(0, min(p.top, all-list.H()))
	a.stageZones(c, f)
	y := -p.top
	for _, r := range f.rows {
		switch {
		case r.trace != nil:
			if y+per > 0 && y < list.H() {
				a.drawTrace(list.Sub(0, y, list.W(), per), f, r.trace)
			}
			y += per
			continue
		case r.title != "":
			a.drawGroup(list.Sub(0, y, list.W(), 1), r)
		default:
			list.TextIn(2, y, list.W()-2, sFaint, r.note, a.look.glyphs.Mark.Ellipsis)
		}
		y++
	}
	if f.samples > 0 {
		list.TextIn(2, y, list.W()-2, sFaint, a.nullWords(f, list.W()-2), a.look.glyphs.Mark.Ellipsis)
	}
	a.drawScores(c.Sub(0, c.H()-scoreH, c.W(), scoreH), f)
	return list.H(), all
}

// nullWords says what p means.
func (a *app) nullWords(f *figure, width int) string {
	m := a.look.glyphs.Mark
	rise, turn := "rise ("+m.Capacity+")", "turn ("+m.Regularization+") as often"
	long := "p: the share of " + num(f.samples) + " random paths, moving the same parameters at the same stages, that go up (" + m.Capacity + ") or turn (" + m.Regularization + ") at least as often"
	if paint.Width(long) <= width {
		return long
	}
	if width >= 72 {
		return "p: share of random paths, same moves, that " + rise + " or " + turn
	}
	return "p: random paths that " + rise + " or " + turn
}

func (a *app) drawGroup(c paint.Canvas, r trajRow) {
	a.rule(c, a.look.glyphs.Role(r.title)+" "+r.title, fg(themes.RoleToken(r.title)))
	if r.verdict != "" {
		c.TextRight(c.W(), 0, sText, " "+r.verdict)
	}
}

// axis is an empty chart on the figure's steps, with the room before step 0.
func (a *app) axis(f *figure) *chart.Plot {
	p := &chart.Plot{X0: -lead * float64(f.end), X1: float64(f.end), Cursor: nan()}
	if !a.look.glyphs.Braille {
		p.Point = a.look.glyphs.Plot.Point
	}
	return p
}

// columns are the first and the last column of a stage in a chart w cells wide.
func columns(p *chart.Plot, st analysis.Stage, w int) (lo, hi int) {
	return p.Column(float64(st.From), w), p.Column(float64(st.To), w)
}

// stageZones lets a click anywhere in a stage choose it.
func (a *app) stageZones(c paint.Canvas, f *figure) {
	area := c.Sub(trajLabel, 0, c.W()-trajLabel-trajEnd, c.H())
	p := a.axis(f)
	for i, st := range f.stages {
		lo, hi := columns(p, st, area.W())
		area.Zone(lo, 0, max(1, hi-lo), area.H(), "stage", i)
	}
}

// drawGrid paints the axis in the first column, and behind it in the chart's place a faint line where a stage begins.
func (a *app) drawGrid(c paint.Canvas, f *figure, p *chart.Plot) {
	gl := a.look.glyphs
	for y := range c.H() {
		c.Text(0, y, sGrid, gl.Plot.AxisY)
	}
	last := -4
	for _, st := range f.stages {
		x := 1 + p.Column(float64(st.From), c.W()-1)
		if x-last < 4 {
			continue
		}
		last = x
		for y := range c.H() {
			c.Text(x, y, sGrid, gl.Plot.AxisY)
		}
	}
}

// tint shades the chosen stage. The page's colour is the front of cells that a band fills from above.
func (a *app) tint(c paint.Canvas, f *figure, p *chart.Plot) {
	k := a.chosen(f)
	if k < 0 {
		return
	}
	lo, hi := columns(p, f.stages[k], c.W())
	for y := range c.H() {
		c.Tint(lo, y, max(1, hi-lo), func(s paint.Style) paint.Style {
			if s.Bg == 0 {
				return s.On(ink(themes.SelectionBg))
			}
			if s.Fg == ink(themes.Background) {
				s.Fg = ink(themes.SelectionBg)
			}
			return s
		})
	}
}

// drawTrace paints one parameter: its name and how it moved, its scale, a step chart, and the last value where the line ends.
func (a *app) drawTrace(c paint.Canvas, f *figure, tr *trace) {
	gl := a.look.glyphs
	m := &tr.motion
	k := a.chosen(f)
	last := tr.value(len(f.stages) - 1)
	c.TextIn(2, 0, trajLabel-12, sText, m.Param.Name, gl.Mark.Ellipsis)
	area := c.Sub(trajLabel, 0, c.W()-trajLabel-trajEnd, apart(c.H()))
	p := a.axis(f)
	if c.H() == 1 {
		c.TextRight(trajLabel-2, 0, sMuted, value(tr.start))
		a.drawStrip(area, f, tr, p)
		if k >= 0 {
			c.Text(c.W()-trajEnd+1, 0, sAccent.With(paint.Bold), value(tr.value(k)))
		} else {
			c.Text(c.W()-trajEnd+1, 0, sText.With(paint.Bold), value(last))
		}
		return
	}
	room := max(0.01, (tr.hi.at-tr.lo.at)*0.06)
	p.Y0, p.Y1 = tr.lo.at-room, tr.hi.at+room
	p.Series = append(p.Series, tr.series...)
	own := &p.Series[len(p.Series)-1]
	own.Wide = f.apart(area.W()) || m.Moves() < area.W()/6
	a.drawGrid(c.Sub(trajLabel-1, 0, area.W()+1, area.H()), f, p)
	p.Draw(area)
	a.tint(area, f, p)
	hi, lo := p.Row(tr.hi.at, area.H()), p.Row(tr.lo.at, area.H())
	a.drawScale(c, hi, value(tr.hi.value))
	if lo > hi {
		a.drawScale(c, lo, value(tr.lo.value))
	}
	c.Text(lineEnd(c, p, own.X[len(own.X)-1]), p.Row(level(m.Param, last), area.H()), sText.With(paint.Bold), value(last)+" ") // a blank, where another path's line goes on
	if k >= 0 {
		x := c.Text(2, 1, sAccent, name(f.stages[k].Node)+" ")
		c.Text(x, 1, sAccent.With(paint.Bold), value(tr.value(k)))
	} else {
		c.TextIn(2, 1, trajLabel-12, sMuted, value(tr.start)+" "+gl.Mark.Arrow+" "+value(last), gl.Mark.Ellipsis)
	}
	if area.H() > 2 {
		c.TextIn(2, 2, trajLabel-12, sFaint, tr.words(), gl.Mark.Ellipsis)
	}
}

// lineEnd is the column behind the end of a line in a row that holds a chart: a line may end before the axis does.
func lineEnd(c paint.Canvas, p *chart.Plot, step float64) int {
	w := c.W() - trajLabel - trajEnd
	return trajLabel + min(w, p.Column(step, w)+1) + 1
}

// drawScale paints a value of the scale at its row, with its tick.
func (a *app) drawScale(c paint.Canvas, y int, text string) {
	c.TextRight(trajLabel-2, y, sFaint, text)
	c.Text(trajLabel-1, y, sGrid, a.look.glyphs.Plot.TickY)
}

// drawStrip paints one parameter in one row of blocks: the root's value first, then that of each stage.
func (a *app) drawStrip(c paint.Canvas, f *figure, tr *trace, p *chart.Plot) {
	ramp := a.look.glyphs.Spark
	k := a.chosen(f)
	stage := -1
	for x := range c.W() {
		step := p.XAt(x, c.W())
		for stage+1 < len(f.stages) && float64(f.stages[stage+1].From) <= step {
			stage++
		}
		if len(f.stages) > 0 && step > float64(f.stages[len(f.stages)-1].To) {
			break
		}
		share := 0.5
		if tr.hi.at > tr.lo.at {
			share = (level(tr.motion.Param, tr.value(stage)) - tr.lo.at) / (tr.hi.at - tr.lo.at)
		}
		s := fg(themes.RoleToken(string(tr.motion.Param.Role)))
		if k >= 0 && k != stage {
			s = sFaint
		}
		c.Text(x, 0, s, ramp[max(0, min(len(ramp)-1, int(share*float64(len(ramp)-1)+0.5)))])
	}
}
