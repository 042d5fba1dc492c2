package tui

import (
	"math"
	"strconv"

	"llmzero/engine/analysis"
	"llmzero/engine/tree"
	"llmzero/themes"
	"llmzero/tui/component/paint"
)

// compareTable is the widest that the table of two sides is drawn: further apart, rows are hard to follow.
const compareTable = 100

// scoreTable are the rows of two sides and their difference while they are painted.
type scoreTable struct {
	c      paint.Canvas
	x      [3]int // the columns behind the label
	y      int
	dots   string // for what is cut
	differ bool   // the sides are of different tasks
	pm     string
}

// row paints one row; text that does not fit is cut.
func (t *scoreTable) row(label, l, r, d string, ds paint.Style) {
	width := t.x[1] - t.x[0] - 2
	t.c.Text(0, t.y, sMuted, label)
	t.c.TextIn(t.x[0], t.y, width, sText, l, t.dots)
	t.c.TextIn(t.x[1], t.y, width, sText, r, t.dots)
	t.c.TextIn(t.x[2], t.y, t.c.W()-t.x[2], ds, d, t.dots)
	t.y++
}

// scores paints a row of measured scores. Their difference is told only when both were measured, on one task.
func (t *scoreTable) scores(label string, l, r tree.Score) {
	if !l.Known() || !r.Known() || t.differ {
		t.row(label, t.score(l), t.score(r), "", sMuted)
		return
	}
	d, half, st := difference(l, r)
	text := signed(d) + " " + t.pm + delta(half)
	if long := text + "  within the 95% interval"; math.Abs(d) <= half && t.x[2]+paint.Width(long) <= t.c.W() {
		text = long
	}
	t.row(label, t.score(l), t.score(r), text, st)
}

func (t *scoreTable) score(s tree.Score) string {
	if !s.Known() {
		return "–"
	}
	return score(s.Mean) + " " + t.pm + delta(1.96*s.SE)
}

// gain is a side's score over its base with the half-width of the 95% interval.
func (t *scoreTable) gain(s *side) string {
	if !s.n.Val().Known() || !s.t.Base().Known() || s.n.ID == tree.Root {
		return "–"
	}
	d, half, _ := difference(s.t.Base(), s.n.Val())
	return signed(d) + " " + t.pm + delta(half)
}

// drawSideScores paints one column a side and the difference, and returns how many rows it took.
func (a *app) drawSideScores(c paint.Canvas, l, r *side) int {
	gl := a.look.glyphs
	w := min(compareTable, c.W())
	t := &scoreTable{
		c: c.Sub(0, 0, w, c.H()), x: [3]int{18, 18 + (w-18)/3, 18 + 2*(w-18)/3}, dots: gl.Mark.Ellipsis, pm: gl.Mark.PlusMinus,
		differ: l.t.Spec.Task != r.t.Spec.Task,
	}
	width := t.x[1] - t.x[0] - 2
	t.c.TextIn(t.x[0], 0, width, fg(themes.Series1).With(paint.Bold), l.title, t.dots)
	t.c.TextIn(t.x[1], 0, width, fg(themes.Series2).With(paint.Bold), r.title, t.dots)
	t.c.Text(t.x[2], 0, sMuted, "difference")
	t.y = 1
	if t.differ {
		t.c.TextIn(0, t.y, w, sWarn, gl.Mark.Warning+" different tasks: their scores do not compare", t.dots)
		t.y++
	}
	t.row("task", l.t.Spec.Task, r.t.Spec.Task, "", sMuted)
	if l.t != r.t {
		made := func(s *side) string { return s.t.Spec.Agent + " " + gl.Mark.Separator + " " + s.t.Spec.Policy }
		t.row("agent, policy", made(l), made(r), "", sMuted)
	}
	t.scores("validation", l.n.Val(), r.n.Val())
	t.row("over the base", t.gain(l), t.gain(r), "", sMuted)
	if l.n.Test.Known() || r.n.Test.Known() {
		t.scores("test", l.n.Test, r.n.Test)
	}
	if l.retrained.N+r.retrained.N > 0 {
		t.row("test, fresh seeds", interval(l.retrained), interval(r.retrained), "", sMuted)
	}
	cl, cr := l.t.PathCost(l.n.ID).Tokens(), r.t.PathCost(r.n.ID).Tokens()
	t.row("tokens of path", count(float64(cl)), count(float64(cr)), ratio(cl, cr), sMuted)
	if l.t != r.t {
		sl, sr := l.t.Spent.Cost.Tokens(), r.t.Spent.Cost.Tokens()
		t.row("tokens of search", count(float64(sl)), count(float64(sr)), ratio(sl, sr), sMuted)
	}
	t.row("stages", num(l.n.Depth), num(r.n.Depth), "", sMuted)
	return t.y
}

// interval writes the mean of retrained runs with its 95% interval and their number; one run has no interval.
func interval(i analysis.Interval) string {
	switch i.N {
	case 0:
		return "–"
	case 1:
		return score(i.Mean) + " of 1"
	}
	return score(i.Mean) + " [" + delta(i.Low) + " " + delta(i.High) + "] of " + num(i.N)
}

// difference is b less a with the half-width of its 95% interval (normal approximation).
func difference(a, b tree.Score) (d, half float64, st paint.Style) {
	d = b.Mean - a.Mean
	half = 1.96 * math.Hypot(a.SE, b.SE)
	switch {
	case d > half:
		st = sGain
	case d < -half:
		st = sLoss
	default:
		st = sMuted
	}
	return d, half, st
}

func ratio(a, b int64) string {
	if a <= 0 || b <= 0 {
		return ""
	}
	return "×" + strconv.FormatFloat(float64(b)/float64(a), 'f', 2, 64)
}

// drawDifference paints what differs in the configurations, and the paths: what they share once, then each one's own.
func (a *app) drawDifference(c paint.Canvas, l, r *side) {
	diff := l.t.Spec.Space.Diff(l.n.Config, r.n.Config)
	both, _ := shared(l, r)
	total := 2 + max(1, len(diff)) + len(l.t.Path(l.n.ID)) + len(r.t.Path(r.n.ID)) + 4
	p := &a.pages.compare
	p.top = max(0, min(p.top, total-c.H()))
	a.rule(c, "configuration", sMuted)
	c = c.Sub(0, 1, c.W(), c.H()-1)
	y := -p.top
	if len(diff) == 0 {
		c.Text(0, y, sMuted, "the same")
		y++
	}
	for _, d := range diff {
		a.drawChanged(c, y, d, l, r)
		y++
	}
	y = a.pathRows(c, y, "the path of both", both, l, sMuted)
	y = a.pathRows(c, y, "path to "+l.title, l.t.Path(l.n.ID)[len(both):], l, fg(themes.Series1))
	a.pathRows(c, y, "path to "+r.title, r.t.Path(r.n.ID)[len(both):], r, fg(themes.Series2))
}

func (a *app) drawChanged(c paint.Canvas, y int, d tree.Change, l, r *side) {
	gl := a.look.glyphs
	role := "other"
	for _, t := range []*tree.Tree{l.t, r.t} {
		if p, ok := t.Spec.Space.Find(d.Param); ok {
			role = string(p.Role)
		}
	}
	st := fg(themes.RoleToken(role))
	c.Text(0, y, st, gl.Role(role))
	c.TextIn(2, y, 24, sText, d.Param, gl.Mark.Ellipsis)
	c.TextRight(36, y, fg(themes.Series1), value(d.From))
	c.Text(37, y, st, gl.Mark.Arrow)
	c.TextRight(48, y, fg(themes.Series2), value(d.To))
}

// pathRows lists stages below a heading, unless there are none, and returns the row behind them.
func (a *app) pathRows(c paint.Canvas, y int, title string, path []*tree.Node, s *side, st paint.Style) int {
	if len(path) > 0 && path[0].ID == tree.Root {
		path = path[1:]
	}
	if len(path) == 0 {
		return y
	}
	y++
	a.rule(c.Sub(0, y, c.W(), 1), title, st)
	y++
	for _, n := range path {
		c.Text(0, y, sMuted, name(n.ID))
		c.TextIn(6, y, c.W()-13, sText, changeWords(s.t.Spec.Space, n.Transition), a.look.glyphs.Mark.Ellipsis)
		if v := n.Val(); v.Known() {
			c.TextRight(c.W()-1, y, sMuted, score(v.Mean))
		}
		y++
	}
	return y
}
