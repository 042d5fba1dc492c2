package tui

import (
	"context"
	"math"
	"strconv"

	tea "charm.land/bubbletea/v2"

	"llmzero/engine/tree"
	"llmzero/themes"
	"llmzero/tui/component/chart"
	"llmzero/tui/component/paint"
)

// compare is the page of two searches or two nodes side by side.
type compare struct {
	sides   [2]*side
	busy    bool
	metric  int
	top     int
	marked  tree.NodeID // node of the open search that is marked, 0 for none
	fromTop bool        // opened from the library
}

// side is one of the two: a node with what led to it.
type side struct {
	title  string
	t      *tree.Tree
	n      *tree.Node
	points []tree.Point // along the path from the root
}

type comparedMsg struct {
	sides [2]*side
	err   error
}

// readSide reads the points along a node's path.
func readSide(ctx context.Context, title string, t *tree.Tree, n *tree.Node, rec Record) (*side, error) {
	sd := &side{title: title, t: t, n: n}
	path := t.Path(n.ID)
	for i, m := range path {
		if m.ID == tree.Root {
			continue
		}
		ps, err := rec.Points(ctx, m.ID)
		if err != nil {
			return nil, err
		}
		end := math.MaxInt
		if i+1 < len(path) {
			end = path[i+1].Transition.From.Step // the next stage resumed from here
		}
		for _, p := range ps {
			if p.Step <= end {
				sd.points = append(sd.points, p)
			}
		}
	}
	return sd, nil
}

// compareMarked compares the best nodes of the two marked searches.
func (a *app) compareMarked() tea.Cmd {
	var ids []string
	for _, s := range a.home.all {
		if a.home.marked[s.Search] {
			ids = append(ids, s.Search)
		}
	}
	if len(ids) != 2 {
		return nil
	}
	a.pages.compare = compare{busy: true, fromTop: true}
	a.open(onCompare)
	return a.task(func(ctx context.Context) tea.Msg {
		var m comparedMsg
		for i, id := range ids {
			sess, err := a.opt.Library.Open(ctx, id)
			if err != nil {
				return comparedMsg{err: err}
			}
			t := sess.Tree()
			n, ok := t.Best()
			if !ok {
				continue
			}
			if m.sides[i], err = readSide(ctx, or(t.Spec.Name, id), t, n, sess.Record()); err != nil {
				return comparedMsg{err: err}
			}
		}
		return m
	})
}

// compareNodes compares the marked node with the one under the cursor, or the cursor's with its parent's.
func (a *app) compareNodes(n *tree.Node) tea.Cmd {
	s := a.s
	other, ok := s.t.Node(a.pages.compare.marked)
	if !ok || other.ID == tree.Root || other.ID == n.ID {
		other = s.parent(n)
	}
	if other == nil {
		return nil
	}
	a.pages.compare = compare{busy: true, marked: a.pages.compare.marked}
	a.open(onCompare)
	t, rec := s.t, s.sess.Record()
	return a.task(func(ctx context.Context) tea.Msg {
		var m comparedMsg
		for i, x := range []*tree.Node{other, n} {
			if m.sides[i], m.err = readSide(ctx, name(x.ID), t, x, rec); m.err != nil {
				return comparedMsg{err: m.err}
			}
		}
		return m
	})
}

func (a *app) compared(m comparedMsg) {
	p := &a.pages.compare
	p.busy, p.sides = false, m.sides
	if m.err != nil {
		a.fail("compare", m.err)
	}
}

// drawCompare paints scores and cost, the difference of the configurations, and the curves overlaid.
func (a *app) drawCompare(c paint.Canvas) {
	p := &a.pages.compare
	l, r := p.sides[0], p.sides[1]
	a.bar(c, "Compare")
	defer a.footer(c, 0)
	body := c.Sub(1, 2, c.W()-2, c.H()-3)
	switch {
	case p.busy:
		body.Center(body.H()/2, sMuted, "reading"+a.look.glyphs.Mark.Ellipsis)
		return
	case l == nil || r == nil:
		body.Center(body.H()/2, sMuted, "one of them has no scored node yet")
		return
	}
	a.bar(c, "Compare", l.title+" with "+r.title)
	tableH := a.drawFactsOf(body, l, r)
	rest := body.Sub(0, tableH+1, body.W(), body.H()-tableH-1)
	if rest.W() >= 100 {
		a.drawConfigDiff(rest.Sub(0, 0, 52, rest.H()), l, r)
		a.drawOverlaid(rest.Sub(54, 0, rest.W()-54, rest.H()), l, r)
		return
	}
	h := rest.H() / 2
	a.drawOverlaid(rest.Sub(0, 0, rest.W(), h), l, r)
	a.drawConfigDiff(rest.Sub(0, h, rest.W(), rest.H()-h), l, r)
}

// drawFactsOf paints one column a side and the difference, and returns how many rows it took.
func (a *app) drawFactsOf(c paint.Canvas, l, r *side) int {
	gl := a.look.glyphs
	x := [3]int{18, 18 + (c.W()-18)/3, 18 + 2*(c.W()-18)/3}
	width := (c.W()-18)/3 - 2
	c.TextIn(x[0], 0, width, fg(themes.Series1).With(paint.Bold), l.title, gl.Mark.Ellipsis)
	c.TextIn(x[1], 0, width, fg(themes.Series2).With(paint.Bold), r.title, gl.Mark.Ellipsis)
	c.Text(x[2], 0, sMuted, "difference")
	y := 1
	row := func(label, a1, b1, d string, ds paint.Style) {
		c.Text(0, y, sMuted, label)
		c.TextIn(x[0], y, width, sText, a1, gl.Mark.Ellipsis)
		c.TextIn(x[1], y, width, sText, b1, gl.Mark.Ellipsis)
		c.TextIn(x[2], y, c.W()-x[2], ds, d, gl.Mark.Ellipsis)
		y++
	}
	pm := gl.Mark.PlusMinus
	with := func(s tree.Score) string {
		if !s.Known() {
			return "–"
		}
		return score(s.Mean) + " " + pm + delta(1.96*s.SE)
	}
	what := func(s *side) string {
		return s.t.Spec.Task + " · " + s.t.Spec.Agent + " · " + s.t.Spec.Policy
	}
	note := ""
	if l.t.Spec.Task != r.t.Spec.Task {
		note = "different tasks: their scores do not compare"
	}
	row("search", what(l), what(r), note, sWarn)
	d, half, ds := difference(l.n.Val(), r.n.Val())
	text := signed(d) + " " + pm + delta(half)
	if math.Abs(d) <= half {
		text += "  within the 95% interval"
	}
	row("validation", with(l.n.Val()), with(r.n.Val()), text, ds)
	if l.n.Test.Known() || r.n.Test.Known() {
		d, half, ds := difference(l.n.Test, r.n.Test)
		row("test", with(l.n.Test), with(r.n.Test), signed(d)+" "+pm+delta(half), ds)
	}
	gain := func(s *side) string { return signed(s.n.Val().Mean - s.t.Base().Mean) }
	row("over the base", gain(l), gain(r), "", sMuted)
	cl, cr := l.t.PathCost(l.n.ID), r.t.PathCost(r.n.ID)
	row("tokens of path", count(float64(cl.Tokens())), count(float64(cr.Tokens())), ratio(float64(cl.Tokens()), float64(cr.Tokens())), sMuted)
	if l.t != r.t {
		row("tokens of search", count(float64(l.t.Spent.Cost.Tokens())), count(float64(r.t.Spent.Cost.Tokens())),
			ratio(float64(l.t.Spent.Cost.Tokens()), float64(r.t.Spent.Cost.Tokens())), sMuted)
	}
	row("stages", num(l.n.Depth), num(r.n.Depth), "", sMuted)
	return y
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

func ratio(a, b float64) string {
	if a <= 0 || b <= 0 {
		return ""
	}
	return "×" + strconv.FormatFloat(b/a, 'f', 2, 64)
}

func (a *app) drawConfigDiff(c paint.Canvas, l, r *side) {
	a.rule(c, "configuration", sMuted)
	diff := l.t.Spec.Space.Diff(l.n.Config, r.n.Config)
	if len(diff) == 0 {
		c.Text(0, 1, sMuted, "the same")
	}
	y := 1
	for _, d := range diff[min(len(diff), max(0, min(a.pages.compare.top, len(diff)-c.H()+1))):] {
		role := "other"
		for _, t := range []*tree.Tree{l.t, r.t} {
			if p, ok := t.Spec.Space.Find(d.Param); ok {
				role = string(p.Role)
			}
		}
		st := fg(themes.RoleToken(role))
		c.Text(0, y, st, a.look.glyphs.Role(role))
		c.TextIn(2, y, 24, sText, d.Param, a.look.glyphs.Mark.Ellipsis)
		c.TextRight(36, y, fg(themes.Series1), value(d.From))
		c.Text(37, y, st, a.look.glyphs.Mark.Arrow)
		c.TextRight(48, y, fg(themes.Series2), value(d.To))
		y++
	}
	for i, s := range []*side{l, r} {
		y++
		a.rule(c.Sub(0, y, c.W(), 1), "path to "+s.title, fg(themes.Series1+themes.Token(i)))
		y++
		for _, n := range s.t.Path(s.n.ID) {
			if n.ID == tree.Root {
				continue
			}
			c.Text(0, y, sMuted, name(n.ID))
			c.TextIn(6, y, c.W()-13, sText, changeWords(s.t.Spec.Space, n.Transition), a.look.glyphs.Mark.Ellipsis)
			if v := n.Val(); v.Known() {
				c.TextRight(c.W()-1, y, sMuted, score(v.Mean))
			}
			y++
		}
	}
}

func (a *app) drawOverlaid(c paint.Canvas, l, r *side) {
	p := &a.pages.compare
	metrics := []string{tree.MetricReward, tree.MetricValidation, tree.MetricEntropy, tree.MetricKL, tree.MetricLength, tree.MetricTruncated, tree.MetricGradNorm}
	m := metrics[p.metric%len(metrics)]
	a.rule(c, metricLabel(m)+" along the path (m: another)", sMuted)
	plot := &chart.Plot{Cursor: nan()}
	if !a.look.glyphs.Braille {
		plot.Point = a.look.glyphs.Plot.Point
	}
	for i, s := range []*side{r, l} { // the first lies on top, dashed, so that both are seen where they agree
		sr := chart.Series{Ink: ink(themes.Series2 - themes.Token(i)), Dash: 12 * i}
		for _, pt := range s.points {
			if y, ok := pt.Values[m]; ok {
				sr.X, sr.Y = append(sr.X, float64(pt.Step)), append(sr.Y, y)
			}
		}
		plot.Series = append(plot.Series, sr)
	}
	if !plot.Fit() {
		c.Text(0, 1, sMuted, "not measured")
		return
	}
	plot.Draw(c.Sub(8, 1, c.W()-8, c.H()-2))
	c.TextRight(7, 1, sFaint, fixed(plot.Y1))
	c.TextRight(7, c.H()-2, sFaint, fixed(plot.Y0))
	c.TextRight(c.W(), c.H()-1, sFaint, num(int(plot.X1))+" steps")
}

func compareActions() []action {
	const g = "Compare"
	return []action{
		onNode(action{id: "compare.mark", keys: []string{"m"}, on: onSearch, group: "Pages", short: "mark to compare", help: "mark the node; c then compares it with another"}, notRoot, func(a *app, n *tree.Node) tea.Cmd {
			a.pages.compare.marked = n.ID
			a.good(name(n.ID) + " is marked: c on another node compares them")
			return nil
		}),
		onNode(action{id: "compare.nodes", keys: []string{"c"}, on: onSearch, group: "Pages", short: "compare", help: "compare the node with the marked one, or with its parent"}, notRoot, (*app).compareNodes),
		{id: "compare.metric", keys: []string{"m", "right", "l"}, on: onCompare, group: g, short: "metric", help: "another curve", foot: 1, run: plain(func(a *app) { a.pages.compare.metric++ })},
		{id: "compare.prev", keys: []string{"left", "h"}, on: onCompare, group: g, help: "the curve before", run: plain(func(a *app) { a.pages.compare.metric += 6 })},
		{id: "compare.swap", keys: []string{"x"}, on: onCompare, group: g, short: "swap", help: "left for right", foot: 2, run: plain(func(a *app) {
			p := &a.pages.compare
			p.sides[0], p.sides[1] = p.sides[1], p.sides[0]
		})},
		{id: "compare.down", keys: []string{"down", "j"}, on: onCompare, group: g, help: "scroll the configuration", run: plain(func(a *app) { a.pages.compare.top++ })},
		{id: "compare.up", keys: []string{"up", "k"}, on: onCompare, group: g, help: "scroll back", run: plain(func(a *app) { a.pages.compare.top = max(0, a.pages.compare.top-1) })},
	}
}
