package tui

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"llmzero/engine/analysis"
	"llmzero/engine/tree"
	"llmzero/themes"
	"llmzero/tui/component/chart"
	"llmzero/tui/component/paint"
)

// trajectories is the page of parameters over the stages of a path.
type trajectories struct {
	node   tree.NodeID // end of the path
	top    int
	cursor int // stage of the readout, -1 for the last
	others bool
	null   nullFor
}

// nullFor keeps the last null test, which is not made anew for every frame.
type nullFor struct {
	key  string
	null analysis.Null
}

// nullSamples is how many random paths a null test draws: enough to tell p = .05 from .04, in a millisecond or two.
const nullSamples = 1999

func (a *app) openTrajectories() tea.Cmd {
	p := &a.pages.traj
	p.node = a.s.ix.best
	if n := a.s.node(); n != nil && n.State.Trained() && n.ID != tree.Root {
		p.node = n.ID
	}
	if a.s.ix.bestPath[p.node] {
		p.node = a.s.ix.best
	}
	p.top, p.cursor, p.others = 0, -1, true
	a.open(onTrajectories)
	return a.follow()
}

// drawTrajectories paints the parameters in two groups over the stages of the path, and the score below on the same axis.
func (a *app) drawTrajectories(c paint.Canvas) {
	s, gl := a.s, a.look.glyphs
	if s == nil {
		return
	}
	p := &a.pages.traj
	if s.play != nil {
		p.node = s.ix.best
	}
	stages := analysis.Along(s.t, p.node)
	what := "path to " + name(p.node)
	if p.node == s.ix.best {
		what = "best path"
	}
	a.bar(c, or(s.t.Spec.Name, s.t.Spec.Task), "Trajectories", what)
	if best, ok := s.t.Node(p.node); ok && best.Val().Known() {
		c.TextRight(c.W()-1-a.badgeWidth(), 0, sBest.With(paint.Bold).On(ink(themes.Surface)), score(best.Val().Mean))
	}
	body := c.Sub(1, 1, c.W()-2, c.H()-2-a.playRows())
	if len(stages) == 0 {
		body.Center(body.H()/2, sMuted, "no segment has been trained yet: there is no path to show")
	} else {
		a.drawPath(body.Sub(0, 0, body.W(), 1), stages, gl)
		a.drawStages(body.Sub(0, 1, body.W(), body.H()-1), stages)
	}
	a.drawPlayer(c)
	a.footer(c, 0)
}

// drawPath paints the nodes of the path; when it is long, its end.
func (a *app) drawPath(c paint.Canvas, stages []analysis.Stage, gl *themes.Glyphs) {
	names := []string{"root"}
	for _, st := range stages {
		names = append(names, name(st.Node))
	}
	text := strings.Join(names, " "+gl.Mark.Arrow+" ")
	for len(names) > 2 && paint.Width(text) > c.W()-4 {
		names = names[1:]
		text = gl.Mark.Ellipsis + " " + gl.Mark.Arrow + " " + strings.Join(names, " "+gl.Mark.Arrow+" ")
	}
	c.Text(0, 0, sBest, gl.Mark.Best+" "+text)
}

// trajRow is a line of the page: a group's title, a parameter, or a remark.
type trajRow struct {
	title   string
	verdict string
	motion  *analysis.Motion
	note    string
}

// trajLabel is the width of names and first values beside the strips.
const trajLabel = 33

// drawStages paints the strips; the score takes the lower quarter.
func (a *app) drawStages(c paint.Canvas, stages []analysis.Stage) {
	s := a.s
	motions := analysis.Dynamics(s.t.Spec.Space, s.t.Spec.Root, stages)
	rows := a.trajRows(motions)
	params := 0
	for _, r := range rows {
		if r.motion != nil {
			params++
		}
	}
	scoreH := max(4, min(14, c.H()/3), min(c.H()/2, c.H()-1-len(rows)-5*params))
	list := c.Sub(0, 0, c.W(), c.H()-scoreH-1)
	per := 1
	if params > 0 {
		per = max(1, min(6, (list.H()-(len(rows)-params))/params))
	}
	p := &a.pages.traj
	total := len(rows) + params*(per-1)
	p.top = max(0, min(p.top, total-list.H()))
	others := a.otherPaths(p.node)
	y := -p.top
	for _, r := range rows {
		switch {
		case r.motion != nil:
			a.drawMotion(list.Sub(0, y, list.W(), per), r.motion, stages, others)
			y += per
			continue
		case r.title != "":
			a.drawGroup(list.Sub(0, y, list.W(), 1), r)
		default:
			list.TextIn(2, y, list.W()-2, sFaint, r.note, a.look.glyphs.Mark.Ellipsis)
		}
		y++
	}
	a.scrollbar(c.Sub(c.W(), 0, 1, list.H()), p.top, list.H(), total)
	a.drawScores(c.Sub(0, c.H()-scoreH, c.W(), scoreH), stages, others)
}

func (a *app) drawGroup(c paint.Canvas, r trajRow) {
	role := fg(themes.RoleToken(r.title))
	a.rule(c, a.look.glyphs.Role(r.title)+" "+r.title, role)
	if r.verdict != "" {
		c.TextRight(c.W(), 0, sText, " "+r.verdict)
	}
}

// trajRows lists the groups with their verdicts and the parameters that moved; the others are named in one line.
func (a *app) trajRows(motions []analysis.Motion) []trajRow {
	groups := analysis.Groups(motions)
	null, known := a.nullTest(motions)
	var rows []trajRow
	for i, g := range groups {
		var still []string
		row := trajRow{title: string(g.Role)}
		switch {
		case g.Role == tree.RoleCapacity && g.Moved > 0:
			row.verdict = fmt.Sprintf("monotone %d/%d", g.Monotone, g.Moved)
			if known {
				row.verdict += "   null test p = " + pValue(null.Capacity)
			}
		case g.Role == tree.RoleRegularization && g.Moved > 0:
			row.verdict = "oscillating: " + plural(g.Turns, "turn")
			if g.Turns == 0 {
				row.verdict = "no turns"
			}
			if known {
				row.verdict += "   null test p = " + pValue(null.Regularization)
			}
		}
		at := len(rows)
		for j := range motions {
			m := &motions[j]
			if m.Param.Role != g.Role {
				continue
			}
			if m.Moves() == 0 {
				still = append(still, m.Param.Label()+" "+value(m.Values[0]))
				continue
			}
			rows = append(rows, trajRow{motion: m})
		}
		if len(still) == 0 && len(rows) == at {
			continue
		}
		if i == 2 && len(rows) == at {
			continue // other parameters that never moved say nothing
		}
		rows = slices.Insert(rows, at, row)
		if len(still) > 0 {
			rows = append(rows, trajRow{note: "unchanged: " + strings.Join(still, ", ")})
		}
	}
	return rows
}

// pValue writes a p-value: ".02", "< .001".
func pValue(p float64) string {
	switch {
	case p < 0.001:
		return "< .001"
	case p < 0.01:
		return strings.TrimPrefix(fmt.Sprintf("%.3f", p), "0")
	case p > 0.995:
		return "1"
	}
	return strings.TrimPrefix(fmt.Sprintf("%.2f", p), "0")
}

// nullTest compares the path with random ones; a path of fewer than three moves says nothing.
func (a *app) nullTest(motions []analysis.Motion) (analysis.Null, bool) {
	moves := 0
	var key strings.Builder
	for _, m := range motions {
		moves += m.Moves()
		for _, v := range m.Values {
			key.WriteString(v.String())
			key.WriteByte(' ')
		}
	}
	if moves < 3 {
		return analysis.Null{}, false
	}
	p := &a.pages.traj
	if p.null.key != key.String() {
		p.null = nullFor{key.String(), analysis.Chance(motions, a.s.t.Spec.Root, nullSamples, a.s.t.Spec.Seed)}
	}
	return p.null.null, true
}

// otherPaths are the stages of the best other leaves, drawn as faint lines.
func (a *app) otherPaths(id tree.NodeID) [][]analysis.Stage {
	if !a.pages.traj.others {
		return nil
	}
	s := a.s
	on := map[tree.NodeID]bool{}
	for _, n := range s.t.Path(id) {
		on[n.ID] = true
	}
	var leaves []*tree.Node
	for _, n := range s.t.Nodes {
		if !n.State.Trained() || on[n.ID] || !n.Val().Known() {
			continue
		}
		leaf := true
		for _, k := range n.Children {
			leaf = leaf && !s.t.Nodes[k].State.Trained()
		}
		if leaf {
			leaves = append(leaves, n)
		}
	}
	slices.SortStableFunc(leaves, func(x, y *tree.Node) int {
		switch {
		case x.Val().Mean > y.Val().Mean:
			return -1
		case x.Val().Mean < y.Val().Mean:
			return 1
		}
		return 0
	})
	var out [][]analysis.Stage
	for _, n := range leaves[:min(8, len(leaves))] {
		out = append(out, analysis.Along(s.t, n.ID))
	}
	return out
}

// drawMotion paints one parameter: its name, first and last value, and a step chart between them.
func (a *app) drawMotion(c paint.Canvas, m *analysis.Motion, stages []analysis.Stage, others [][]analysis.Stage) {
	gl := a.look.glyphs
	role := fg(themes.RoleToken(string(m.Param.Role)))
	c.TextIn(2, 0, trajLabel-12, sText, m.Param.Name, gl.Mark.Ellipsis)
	c.TextRight(trajLabel-2, 0, sMuted, value(a.s.t.Spec.Root[m.Param.Name]))
	last := m.Values[len(m.Values)-1]
	at := len(m.Values) - 1
	if k := a.pages.traj.cursor; k >= 0 && k < len(m.Values) {
		at = k
	}
	now := value(m.Values[at])
	c.Text(c.W()-9, 0, sText.With(paint.Bold), now)
	_ = last
	strip := c.Sub(trajLabel, 0, c.W()-trajLabel-10, c.H())
	end := a.span(stages, others)
	if c.H() == 1 {
		a.drawStrip(strip, m, stages, end, role)
		return
	}
	p := &chart.Plot{X0: 0, X1: float64(end), Cursor: nan(), CursorInk: ink(themes.Muted)}
	if !gl.Braille {
		p.Point = gl.Plot.Point
	}
	p.Y0, p.Y1 = -0.04, 1.04
	lo, hi := 1.0, 0.0
	add := func(st []analysis.Stage, start tree.Value, in paint.Ink) {
		sr := chart.Series{Steps: true, Ink: in}
		last := m.Param.Position(start)
		for _, x := range st {
			y := m.Param.Position(x.Config[m.Param.Name])
			if len(sr.X) == 0 {
				sr.X, sr.Y = append(sr.X, float64(x.From)), append(sr.Y, y)
			}
			sr.X, sr.Y = append(sr.X, float64(x.From), float64(x.To)), append(sr.Y, y, y)
			last = y
		}
		for _, y := range append(sr.Y, last) {
			lo, hi = min(lo, y), max(hi, y)
		}
		p.Series = append(p.Series, sr)
	}
	for _, o := range others {
		add(o, a.s.t.Spec.Root[m.Param.Name], ink(themes.Grid))
	}
	add(stages, a.s.t.Spec.Root[m.Param.Name], role.Fg)
	if hi-lo > 0.02 {
		room := (hi - lo) * 0.08
		p.Y0, p.Y1 = lo-room, hi+room
	}
	if k := a.pages.traj.cursor; k >= 0 && k < len(stages) {
		p.Cursor = float64(stages[k].From+stages[k].To) / 2
	}
	p.Draw(strip)
}

// drawStrip paints one parameter in one row of blocks.
func (a *app) drawStrip(c paint.Canvas, m *analysis.Motion, stages []analysis.Stage, end int, role paint.Style) {
	ramp := a.look.glyphs.Spark
	lo, hi := 1.0, 0.0
	for _, v := range append([]tree.Value{a.s.t.Spec.Root[m.Param.Name]}, m.Values...) {
		y := m.Param.Position(v)
		lo, hi = min(lo, y), max(hi, y)
	}
	for x := range c.W() {
		step := (float64(x) + 0.5) / float64(c.W()) * float64(end)
		for i, st := range stages {
			if step < float64(st.From) || step >= float64(st.To) {
				continue
			}
			f := 0.5
			if hi > lo {
				f = (m.Param.Position(m.Values[i]) - lo) / (hi - lo)
			}
			s := role
			if k := a.pages.traj.cursor; k >= 0 && k != i {
				s = sFaint
			}
			c.Text(x, 0, s, ramp[min(len(ramp)-1, int(f*float64(len(ramp)-1)+0.5))])
			break
		}
	}
}

// span is the last optimizer step of the path and of the others.
func (a *app) span(stages []analysis.Stage, others [][]analysis.Stage) int {
	end := 1
	for _, st := range stages {
		end = max(end, st.To)
	}
	for _, o := range others {
		for _, st := range o {
			end = max(end, st.To)
		}
	}
	return end
}

// drawScores paints validation scores over the same axis, and the stages below.
func (a *app) drawScores(c paint.Canvas, stages []analysis.Stage, others [][]analysis.Stage) {
	gl := a.look.glyphs
	a.rule(c, gl.Mark.Best+" validation", sBest)
	area := c.Sub(trajLabel, 1, c.W()-trajLabel-10, c.H()-2)
	end := a.span(stages, others)
	p := &chart.Plot{Cursor: nan(), CursorInk: ink(themes.Muted)}
	if !gl.Braille {
		p.Point = gl.Plot.Point
	}
	base := a.s.t.Base().Mean
	add := func(st []analysis.Stage, in paint.Ink) {
		sr := chart.Series{X: []float64{0}, Y: []float64{base}, Ink: in}
		for _, x := range st {
			if x.Val.Known() {
				sr.X, sr.Y = append(sr.X, float64(x.To)), append(sr.Y, x.Val.Mean)
			}
		}
		p.Series = append(p.Series, sr)
	}
	for _, o := range others {
		add(o, ink(themes.Grid))
	}
	add(stages, ink(themes.Best))
	if !p.Fit() {
		return
	}
	p.X0, p.X1 = 0, float64(end)
	k := a.pages.traj.cursor
	if k >= 0 && k < len(stages) {
		p.Cursor = float64(stages[k].From+stages[k].To) / 2
	}
	p.Draw(area)
	c.TextRight(trajLabel-2, 1, sFaint, fixed(p.Y1))
	c.TextRight(trajLabel-2, c.H()-2, sFaint, fixed(p.Y0))
	at := stages[len(stages)-1]
	if k >= 0 && k < len(stages) {
		at = stages[k]
	}
	if at.Val.Known() {
		c.Text(c.W()-9, 1, sBest.With(paint.Bold), score(at.Val.Mean))
		c.Text(c.W()-9, 2, sFaint, gl.Mark.PlusMinus+delta(1.96*at.Val.SE))
	}
	axis := c.Sub(trajLabel, c.H()-1, area.W(), 1)
	for i, st := range stages {
		x := p.Column(float64(st.From+st.To)/2, axis.W())
		label := name(st.Node)
		s := sFaint
		if i == k {
			s = sAccent.With(paint.Bold)
		}
		axis.Text(x-len(label)/2, 0, s, label)
		axis.Zone(p.Column(float64(st.From), axis.W()), 0, max(1, p.Column(float64(st.To), axis.W())-p.Column(float64(st.From), axis.W())), 1, "stage", i)
	}
	c.TextRight(trajLabel-2, c.H()-1, sFaint, "stage")
	c.TextRight(c.W(), c.H()-1, sFaint, num(end)+" steps")
}

// trajActions are those of the page.
func trajActions() []action {
	const g = "Trajectories"
	cursor := func(by int) func(*app) tea.Cmd {
		return plain(func(a *app) {
			p := &a.pages.traj
			n := len(analysis.Along(a.s.t, p.node))
			if p.cursor < 0 && by < 0 {
				p.cursor = n
			}
			p.cursor = max(0, min(n-1, p.cursor+by))
		})
	}
	return []action{
		{id: "traj.open", keys: []string{"T"}, on: onSearch, group: "Pages", short: "trajectories", help: "every parameter over the stages of the best path", foot: 6, run: (*app).openTrajectories},
		{id: "traj.left", keys: []string{"left", "h"}, shown: "←→", on: onTrajectories, group: g, short: "stage", help: "the stage before", foot: 1, run: cursor(-1)},
		{id: "traj.right", keys: []string{"right", "l"}, on: onTrajectories, group: g, help: "the next stage", run: cursor(1)},
		{id: "traj.down", keys: []string{"down", "j"}, on: onTrajectories, group: g, help: "scroll down", run: plain(func(a *app) { a.pages.traj.top++ })},
		{id: "traj.up", keys: []string{"up", "k"}, on: onTrajectories, group: g, help: "scroll up", run: plain(func(a *app) { a.pages.traj.top-- })},
		{id: "traj.path", keys: []string{"n"}, on: onTrajectories, group: g, short: "next path", help: "the path to the next best leaf", foot: 2, run: plain((*app).nextPath)},
		{id: "traj.best", keys: []string{"b"}, on: onTrajectories, group: g, short: "best path", help: "back to the best path", foot: 3, run: plain(func(a *app) { a.pages.traj.node, a.pages.traj.cursor = a.s.ix.best, -1 })},
		{id: "traj.others", keys: []string{"o"}, on: onTrajectories, group: g, short: "others", help: "show or hide the other paths", foot: 4, run: plain(func(a *app) { a.pages.traj.others = !a.pages.traj.others })},
		{id: "traj.node", keys: []string{"enter"}, on: onTrajectories, group: g, short: "go to node", help: "the stage's node in the tree", foot: 5, run: func(a *app) tea.Cmd {
			p := &a.pages.traj
			stages := analysis.Along(a.s.t, p.node)
			if len(stages) > 0 {
				k := p.cursor
				if k < 0 || k >= len(stages) {
					k = len(stages) - 1
				}
				a.s.goTo(stages[k].Node)
			}
			return tea.Batch(a.goBack(), a.follow())
		}},
	}
}

// nextPath shows the path to the next best leaf.
func (a *app) nextPath() {
	p := &a.pages.traj
	leaves := []tree.NodeID{a.s.ix.best}
	was := p.others
	p.others = true
	for _, o := range a.otherPaths(a.s.ix.best) {
		leaves = append(leaves, o[len(o)-1].Node)
	}
	p.others = was
	i := slices.Index(leaves, p.node)
	p.node, p.cursor = leaves[(i+1)%len(leaves)], -1
}
