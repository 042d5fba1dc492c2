package tui

import (
	"slices"
	"strings"

	"llmzero/engine/tree"
	"llmzero/themes"
	"llmzero/tui/component/paint"
)

// tab is a page of the inspector.
type tab int

// The inspector's tabs.
const (
	tabOverview tab = iota
	tabCurves
	tabConfig
	tabDiagnosis
	tabCheckpoints
	tabSamples
	tabLog
	numTabs
)

var tabNames = [numTabs]string{"Overview", "Curves", "Config", "Diagnosis", "Ckpts", "Samples", "Log"}

// inspector is how the node under the cursor is looked at.
type inspector struct {
	tab       tab
	focused   bool
	scroll    [numTabs]int
	extent    int // lines of the open tab at the last painting
	height    int // lines in view
	graph     graph
	filtering *field
	filterErr string
	filterWas filter

	chart   chartView
	against int // what Config compares with
	samples int // which samples are shown
}

// drawInspector paints the frame, the tabs and the open tab.
func (a *app) drawInspector(c paint.Canvas) {
	s := a.s
	n := s.node()
	title := "Node"
	if n != nil {
		title = a.nodeTitle(n)
	}
	c.Zone(0, 0, c.W(), c.H(), "inspector", 0)
	in := a.panel(c, title, s.pane.focused)
	a.drawTabs(in)
	body := in.Sub(1, 2, in.W()-2, in.H()-2)
	s.pane.height, s.pane.extent = body.H(), 0
	if n == nil {
		body.Center(body.H()/2, sMuted, "nothing is selected")
		return
	}
	switch s.pane.tab {
	case tabCurves:
		a.drawCurves(body, n)
		return
	case tabSamples:
		a.drawSamples(body, n)
	case tabLog:
		a.drawLog(body, n)
	case tabConfig:
		a.drawConfig(body, n)
	case tabDiagnosis:
		a.drawDiagnosis(body, n)
	case tabCheckpoints:
		a.drawCheckpoints(body, n)
	default:
		if n.ID != tree.Root {
			a.drawOverview(body, n)
			return
		}
		a.drawSearchFacts(body)
	}
	a.scrollbar(c.Sub(c.W()-1, 3, 1, body.H()), s.pane.scroll[s.pane.tab], body.H(), s.pane.extent)
}

// nodeTitle is the inspector's title: "n7 · evaluated · from n3@120".
func (a *app) nodeTitle(n *tree.Node) string {
	sep := " " + a.look.glyphs.Mark.Separator + " "
	t := name(n.ID) + sep + string(n.State)
	if n.ID != tree.Root {
		t += sep + "from " + name(n.Transition.From.Node)
		if n.Transition.From.Step > 0 {
			t += "@" + num(n.Transition.From.Step)
		}
	}
	return t
}

func (a *app) drawTabs(c paint.Canvas) {
	s := a.s
	x := 1
	long, numbers := c.W() >= 66, c.W() >= 44 && (c.W() < 53 || c.W() >= 60)
	for i, t := range tabNames {
		st := sMuted
		text := t
		if c.W() < 53 && tab(i) != s.pane.tab {
			text = t[:min(len(t), 4)]
		}
		if tab(i) == s.pane.tab {
			st = sAccent.With(paint.Bold | paint.Underline)
		}
		if numbers {
			x = c.Text(x, 0, sFaint, num(i+1))
		}
		w := paint.Width(text)
		c.Zone(x-1, 0, w+1, 1, "tab", i)
		x = c.Text(x, 0, st, text) + 1
		if long {
			x++
		}
	}
}

// lines paints text lines of a tab from the scroll position on.
type lines struct {
	a *app
	c paint.Canvas
	y int // next line, less the scroll position
}

// scrolled begins a tab's lines at its scroll position.
func (a *app) scrolled(c paint.Canvas) *lines {
	p := &a.s.pane
	return &lines{a: a, c: c, y: -p.scroll[p.tab]}
}

// end keeps how many lines there were, and the scroll position within them.
func (l *lines) end() {
	p := &l.a.s.pane
	p.extent = l.y + p.scroll[p.tab]
	p.scroll[p.tab] = max(0, min(p.scroll[p.tab], p.extent-p.height))
}

func (l *lines) gap() { l.y++ }

func (l *lines) text(x int, st paint.Style, text string) {
	l.c.TextIn(x, l.y, l.c.W()-x, st, text, l.a.look.glyphs.Mark.Ellipsis)
}

// line paints one line and goes to the next.
func (l *lines) line(x int, st paint.Style, text string) {
	l.text(x, st, text)
	l.y++
}

// wrap paints a paragraph from column x on.
func (l *lines) wrap(x int, st paint.Style, text string) {
	for _, t := range paint.Wrap(text, l.c.W()-x) {
		l.line(x, st, t)
	}
}

// head paints a section's title.
func (l *lines) head(title string) {
	l.a.rule(l.c.Sub(0, l.y, l.c.W(), 1), title, sMuted)
	l.y++
}

// drawOverview paints the curves that tell most, and below them what the node is and why.
func (a *app) drawOverview(c paint.Canvas, n *tree.Node) {
	facts := a.overviewFacts(n, c.W())
	h := min(len(facts), max(3, c.H()/3))
	if !a.hasCurve(n) {
		h = min(len(facts), c.H())
	}
	for i, f := range facts[:h] {
		y := c.H() - h + i
		if !a.hasCurve(n) {
			y = i
		}
		x := 0
		for _, p := range f {
			x = c.TextIn(x, y, c.W()-x, p.s, p.text, a.look.glyphs.Mark.Ellipsis)
		}
	}
	if a.hasCurve(n) {
		a.drawMiniCharts(c.Sub(0, 0, c.W(), c.H()-h-1), n)
	}
}

func (a *app) hasCurve(n *tree.Node) bool {
	cv := a.s.curve(n.ID)
	if n.State == tree.StateQueued || n.State == tree.StateApproved || n.State == tree.StateProposed {
		return false // what is held belongs to an earlier attempt, or in a replay to the future
	}
	return len(cv.points) > 0 || (cv.loading && n.ID != tree.Root && n.State != tree.StateProposed)
}

// span of styled text.
type piece struct {
	s    paint.Style
	text string
}

// scoreLine is a node's validation score with its gain, and its test score and cost; nil without any.
func (a *app) scoreLine(n *tree.Node) (val, more []piece) {
	gl := a.look.glyphs
	var out []piece
	if v := n.Val(); v.Known() {
		out = append(out, piece{sMuted, "val "}, piece{sBest, score(v.Mean)}, piece{sFaint, " " + gl.Mark.PlusMinus + delta(1.96*v.SE)})
		if g, ok := a.s.gain(n); ok {
			st := sGain
			if g < 0 {
				st = sLoss
			}
			out = append(out, piece{st, "  " + gl.Delta(g) + " " + delta(g)}, piece{sFaint, " over " + name(n.Parent)})
		}
	}
	if n.Test.Known() {
		more = append(more, piece{sMuted, "test "}, piece{sText, score(n.Test.Mean) + "   "})
	}
	if o := n.Outcome; o != nil && o.Cost.Tokens() > 0 {
		more = append(more, piece{sMuted, "cost "}, piece{sText, count(float64(o.Cost.Tokens())) + " tok"},
			piece{sFaint, " " + gl.Mark.Separator + " " + three(o.Cost.WallSeconds) + " s"})
	}
	return out, more
}

// together are two groups of pieces in one line where they fit, else in two: no number is cut.
func together(a, b []piece, width int) [][]piece {
	w := 3
	for _, p := range slices.Concat(a, b) {
		w += paint.Width(p.text)
	}
	switch {
	case len(a) == 0 && len(b) == 0:
		return nil
	case len(a) == 0 || len(b) == 0:
		return [][]piece{append(a, b...)}
	case w > width:
		return [][]piece{a, b}
	}
	return [][]piece{slices.Concat(a, []piece{{sFaint, "   "}}, b)}
}

// overviewFacts are the lines below the charts: scores, how it runs, who decided, what changes and why.
func (a *app) overviewFacts(n *tree.Node, width int) [][]piece {
	s := a.s
	var out [][]piece
	val, more := a.scoreLine(n)
	out = append(out, together(val, more, width)...)
	if n.State == tree.StateRunning {
		step := "its first step"
		if ps := s.curve(n.ID).points; len(ps) > 0 {
			step = "step " + num(ps[len(ps)-1].Step) + " of " + num(n.Transition.From.Step+n.Transition.Steps)
		}
		out = append(out, []piece{{sRun, a.spinner() + " training"}, {sMuted, "  " + step + "  " + num(int(100*s.progress(n))) + "%"}})
	}
	out = append(out, a.byLine(n))
	if len(n.Transition.Changes) > 0 {
		out = append(out, []piece{{sMuted, "changes "}, {sText, changeWords(s.t.Spec.Space, n.Transition)}})
	}
	if o := n.Outcome; o != nil && o.Stop != nil {
		what := "stopped by " + o.Stop.By + " at step " + num(o.Stop.AtStep) + ": "
		if !n.State.Trained() {
			what = "stopping, asked by " + o.Stop.By + ": "
		}
		out = append(out, []piece{{sWarn, what}, {sText, o.Stop.Why}})
	}
	if o := n.Outcome; o != nil && o.Failure != nil {
		out = append(out, wrapPieces(sError, failure(o.Failure.Class)+": "+o.Failure.Message, width)...)
	}
	if v := n.Verdict; v != nil && v.Why != "" && v.Who == "human" {
		out = append(out, wrapPieces(sText, string(v.Decision)+" because "+v.Why, width)...)
	}
	if n.Transition.Rationale != "" {
		out = append(out, wrapPieces(sMuted, n.Transition.Rationale, width)...)
	}
	if n.State == tree.StateProposed && s.play == nil {
		out = append(out, nil, []piece{{sWait, a.look.glyphs.Mark.Waiting + " This proposal waits for you: press enter to review it."}})
	}
	return out
}

func wrapPieces(st paint.Style, text string, width int) [][]piece {
	var out [][]piece
	for _, l := range paint.Wrap(text, width) {
		out = append(out, []piece{{st, l}})
	}
	return out
}

// byLine tells who proposed and who decided.
func (a *app) byLine(n *tree.Node) []piece {
	out := []piece{{sMuted, "by "}, {sText, agentName(n.Transition.By)}}
	if v := n.Verdict; v != nil {
		st := sText
		if v.Decision == tree.Vetoed {
			st = sLoss
		}
		who := "you"
		if v.Who != "human" {
			who = v.Who
			if v.Why != "" {
				who += " (" + v.Why + ")"
			}
		}
		out = append(out, piece{sMuted, ", "}, piece{st, string(v.Decision)}, piece{sMuted, " by " + who})
	}
	if n.Fresh {
		out = append(out, piece{sFaint, "  fresh start"})
	}
	if n.Transition.Note != "" {
		out = append(out, piece{sWarn, "  " + n.Transition.Note})
	}
	return out
}

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

// drawDiagnosis paints the findings that led to the node, its rationale, and what it was expected to do.
func (a *app) drawDiagnosis(c paint.Canvas, n *tree.Node) {
	l := a.scrolled(c)
	defer l.end()
	if n.ID == tree.Root {
		l.line(0, sMuted, "The base model was not proposed by anyone.")
		return
	}
	l.head("what was seen in " + name(n.Transition.From.Node))
	if len(n.Transition.Diagnosis) == 0 {
		l.line(0, sMuted, "no findings")
	}
	for _, f := range n.Transition.Diagnosis {
		a.finding(l, f)
	}
	l.gap()
	l.head("what was done")
	for _, ch := range n.Transition.Changes {
		l.text(0, sText, changeWord(a.s.t.Spec.Space, ch))
		l.wrap(16, sMuted, or(ch.Reason, ch.Param))
	}
	if len(n.Transition.Changes) == 0 {
		l.line(0, sMuted, "no setting changed")
	}
	if n.Transition.Rationale != "" {
		l.gap()
		l.wrap(0, sText, n.Transition.Rationale)
	}
	l.gap()
	l.head("what was expected, and what came")
	if e := effect(n.Transition.Effect); e != "" {
		l.wrap(0, sMuted, e+", confidence "+number(n.Transition.Confidence))
	}
	if g, ok := a.s.gain(n); ok {
		l.line(0, sText, "validation changed by "+signed(g))
	}
	if v := n.Verdict; v != nil && v.Original != nil {
		l.gap()
		l.head("before the edit it proposed")
		l.wrap(0, sMuted, changeWords(a.s.t.Spec.Space, *v.Original))
	}
	if kids := a.s.openDiagnoses(n); len(kids) > 0 {
		l.gap()
		l.head("what its children were proposed for")
		for _, k := range kids {
			l.wrap(0, sMuted, k)
		}
	}
}

// openDiagnoses tells for each child what it was proposed for.
func (s *search) openDiagnoses(n *tree.Node) []string {
	var out []string
	for _, id := range n.Children {
		k := s.t.Nodes[id]
		var names []string
		for _, f := range k.Transition.Diagnosis {
			names = append(names, string(f.Pathology))
		}
		if len(names) > 0 {
			out = append(out, name(id)+": "+strings.Join(slices.Compact(names), ", "))
		}
	}
	return out
}

func signed(x float64) string {
	if x < 0 {
		return "−" + delta(x)
	}
	return "+" + delta(x)
}

// effect is an expected effect in words.
func effect(e tree.Effect) string {
	t := e.Text
	if e.Low != 0 || e.High != 0 {
		r := "validation " + signed(e.Low) + " … " + signed(e.High)
		if t == "" {
			return r
		}
		t += ", " + r
	}
	return t
}

// severityStyle colours a severity; its words stand beside it.
func severityStyle(sv tree.Severity) paint.Style {
	switch sv {
	case tree.Severe:
		return sError
	case tree.Moderate:
		return sWarn
	case tree.Mild:
	}
	return sMuted
}

// finding paints one pathology with its evidence.
func (a *app) finding(l *lines, f tree.Finding) {
	st := severityStyle(f.Severity)
	if f.Pathology == tree.Healthy {
		st = fg(themes.Done)
	}
	l.text(0, st.With(paint.Bold), string(f.Pathology))
	if f.Pathology != tree.Healthy {
		l.text(min(22, l.c.W()/2), st, string(f.Severity))
	}
	l.y++
	for _, e := range f.Evidence {
		l.wrap(2, sMuted, e.Text)
	}
}

// drawCheckpoints lists the checkpoints with their scores and which one goes on.
func (a *app) drawCheckpoints(c paint.Canvas, n *tree.Node) {
	gl := a.look.glyphs
	l := a.scrolled(c)
	defer l.end()
	if n.Outcome == nil || len(n.Outcome.Checkpoints) == 0 {
		l.line(0, sMuted, "no checkpoint yet")
		return
	}
	back := 0 // a narrow pane has no room for the gauges
	if c.W() < 52 {
		back = 9
	}
	l.c.TextRight(8, l.y, sFaint, "step")
	l.c.Text(11, l.y, sFaint, "validation")
	l.c.TextRight(41-back, l.y, sFaint, "tokens")
	l.c.TextRight(50-back, l.y, sFaint, "size")
	l.y++
	best := -1.0
	for _, k := range n.Outcome.Checkpoints {
		best = max(best, k.Val.Mean)
	}
	for i, k := range n.Outcome.Checkpoints {
		st := sMuted
		if i == n.Outcome.Chosen {
			st = sText.With(paint.Bold)
			l.c.Text(0, l.y, sBest, gl.Mark.Cursor)
		}
		l.c.TextRight(8, l.y, st, num(k.Step))
		if k.Val.Known() {
			vs := st
			if k.Val.Mean == best {
				vs = sBest
			}
			x := l.c.Text(11, l.y, vs, score(k.Val.Mean))
			l.c.Text(x+1, l.y, sFaint, gl.Mark.PlusMinus+delta(1.96*k.Val.SE))
			if back == 0 {
				a.gauge(l.c, 23, l.y, 8, k.Val.Mean, sRun)
			}
		}
		l.c.TextRight(41-back, l.y, sMuted, count(float64(k.Tokens)))
		l.c.TextRight(50-back, l.y, sMuted, bytesText(float64(k.Size)))
		l.y++
	}
	l.gap()
	if n.Outcome.ChosenWhy != "" {
		l.wrap(0, sMuted, gl.Mark.Cursor+" goes on from here: "+n.Outcome.ChosenWhy)
	}
	for _, k := range n.Confirmed {
		l.line(0, sMuted, "retrained with seed "+num(int(k.Seed))+": val "+score(k.Val.Mean)+", test "+score(k.Test.Mean))
	}
}
