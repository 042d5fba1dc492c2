package tui

import (
	"llmzero/engine/tree"
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
