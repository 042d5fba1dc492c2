package tui

import (
	"fmt"
	"math"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"llmzero/engine/tree"
	"llmzero/themes"
	"llmzero/tui/component/chart"
	"llmzero/tui/component/paint"
)

// gateGuard is how long the gate ignores verdicts after a proposal has appeared in it, so that a key that was on its way
// when it opened, or when the next proposal slid in, approves nothing.
const gateGuard = 300 * time.Millisecond

// gate reviews the proposals that wait, one at a time.
type gate struct {
	node   tree.NodeID
	shown  time.Time
	scroll int
	extent int
	height int
	busy   bool // a verdict is on its way
}

func (g *gate) place() place { return inGate }

// openGate reviews the proposal under the cursor if it waits, else the oldest one.
func (a *app) openGate() tea.Cmd {
	s := a.s
	if len(s.ix.waiting) == 0 {
		return nil
	}
	id := s.ix.waiting[0]
	if n := s.node(); n != nil && n.State == tree.StateProposed {
		id = n.ID
	}
	a.push(&gate{node: id, shown: a.now()})
	s.goTo(id)
	return a.follow()
}

// queue is where the gate's proposal stands among those that wait.
func (g *gate) queue(s *search) (at, n int) {
	for i, id := range s.ix.waiting {
		if id == g.node {
			return i, len(s.ix.waiting)
		}
	}
	return -1, len(s.ix.waiting)
}

// turn shows another waiting proposal.
func (g *gate) turn(a *app, by int) tea.Cmd {
	at, n := g.queue(a.s)
	if n == 0 {
		a.pop()
		return nil
	}
	g.show(a, a.s.ix.waiting[(max(at, 0)+by+n)%n])
	return a.follow()
}

func (g *gate) show(a *app, id tree.NodeID) {
	g.node, g.shown, g.scroll, g.busy = id, a.now(), 0, false
	a.s.goTo(id)
}

// sync follows the tree: a proposal that was decided makes room for the next, and the gate closes after the last.
func (g *gate) sync(a *app) {
	if n, ok := a.s.t.Node(g.node); ok && n.State == tree.StateProposed {
		return
	}
	if len(a.s.ix.waiting) == 0 {
		a.removeDialog(g)
		return
	}
	g.show(a, a.s.ix.waiting[0])
}

// syncDialogs lets the gate follow what happened.
func (a *app) syncDialogs() {
	for _, d := range a.dialogs {
		if g, ok := d.(*gate); ok && a.s != nil {
			g.sync(a)
			return
		}
	}
}

// removeDialog takes one dialog away, and those above it.
func (a *app) removeDialog(d dialog) {
	for i, x := range a.dialogs {
		if x == d {
			a.dialogs = a.dialogs[:i]
			return
		}
	}
}

// gate is the topmost gate, nil without one.
func (a *app) gate() *gate {
	g, _ := a.top().(*gate)
	return g
}

// typed swallows verdicts that were typed before the proposal could be read.
func (g *gate) typed(a *app, k tea.KeyPressMsg) (tea.Cmd, bool) {
	if x, ok := a.acts.find(inGate, k.String()); ok && strings.HasPrefix(x.id, "gate.verdict") {
		if a.now().Sub(g.shown) < gateGuard {
			return nil, true
		}
	}
	return nil, false
}

func (g *gate) title(a *app) string {
	n, ok := a.s.t.Node(g.node)
	if !ok {
		return "Proposal"
	}
	tr := n.Transition
	t := fmt.Sprintf("Proposal %s %s from %s", name(n.ID), a.look.glyphs.Mark.Separator, name(tr.From.Node))
	if tr.From.Step > 0 {
		t += " @ step " + num(tr.From.Step)
	}
	if at, of := g.queue(a.s); of > 0 {
		t += fmt.Sprintf(" %s %d of %d", a.look.glyphs.Mark.Separator, at+1, of)
	}
	return t
}

// want is as wide as the inspector, over which the gate lies, or as wide as the changes need where that is less.
func (g *gate) want(a *app) (int, int) {
	w := min(a.w-2, max(92, arrange(a.w, a.h, a.settings.Split, 0, false).inspect.W))
	return w, min(a.h-3, max(16, g.measure(a, w)+5))
}

// measure is how many lines the proposal takes in a dialog of width w: it is painted where nothing can be seen.
func (g *gate) measure(a *app, w int) int {
	n, ok := a.s.t.Node(g.node)
	if !ok {
		return 0
	}
	l := &lines{a: a, c: paint.NewGrid(1, 1).Canvas().Sub(0, -1, w-6, 0)}
	g.write(a, l, n)
	return l.y
}

// write paints the proposal: what was seen, what changes, and why.
func (g *gate) write(a *app, l *lines, n *tree.Node) {
	g.drawDiagnosis(a, l, n)
	l.gap()
	g.drawChanges(a, l, n)
	l.gap()
	g.drawReasons(a, l, n)
}

// corner keeps the tree visible at the left where there is room.
func (g *gate) corner(_ *app, cols, rows, w, h int) (int, int) {
	return max(0, cols-w), max(1, min(3, rows-h-1))
}

func (g *gate) draw(a *app, c paint.Canvas) {
	n, ok := a.s.t.Node(g.node)
	if !ok {
		return
	}
	body := c.Sub(2, 1, c.W()-4, c.H()-3)
	l := &lines{a: a, c: body, y: -g.scroll}
	g.write(a, l, n)
	g.extent, g.height = l.y+g.scroll+1, body.H()
	g.scroll = max(0, min(g.scroll, g.extent-1-body.H()))
	a.scrollbar(c.Sub(c.W()-1, 1, 1, c.H()-3), g.scroll, body.H(), g.extent-1)
	foot := c.Sub(0, c.H()-1, c.W(), 1)
	end := c.W() - 2
	if c.W() >= 100 {
		end = foot.TextRight(end, 0, overlay(sFaint), "A rules: "+rules(a.s.t.Spec.Approval)) - 2
	}
	if g.busy {
		foot.Text(2, 0, overlay(sRun), a.spinner()+" telling the engine")
		return
	}
	a.keyLine(foot, 2, end, inGate, ink(themes.Overlay))
}

// rules are the approval rules in words.
func rules(r tree.Approval) string {
	switch r.Mode {
	case tree.AskNever:
		return "approve all"
	case tree.AskRisky:
		return "ask when risky"
	case tree.AskAlways:
	}
	return "ask every time"
}

// labelled paints a row's label in the gate's left column.
func (l *lines) labelled(label string) int {
	l.c.Text(0, l.y, overlay(sMuted), label)
	return 12
}

func (g *gate) drawDiagnosis(a *app, l *lines, n *tree.Node) {
	x := l.labelled("Diagnosis")
	if len(n.Transition.Diagnosis) == 0 {
		what := "nothing was found wrong"
		if n.Fresh || n.Transition.From.Node == tree.Root {
			what = "a fresh start from the base model: there is no curve to look at yet"
		}
		for _, t := range paint.Wrap(what, l.c.W()-x) {
			l.line(x, overlay(sMuted), t)
		}
		return
	}
	from := n.Transition.From.Node
	wide := 0
	for _, f := range n.Transition.Diagnosis {
		w := paint.Width(string(f.Pathology))
		if f.Pathology != tree.Healthy {
			w += 1 + len(f.Severity)
		}
		wide = max(wide, w)
	}
	for _, f := range n.Transition.Diagnosis {
		st := severityStyle(f.Severity)
		if f.Pathology == tree.Healthy {
			st = fg(themes.Done)
		}
		at := l.c.Text(x, l.y, overlay(st.With(paint.Bold)), string(f.Pathology))
		if f.Pathology != tree.Healthy {
			l.c.Text(at+1, l.y, overlay(st), string(f.Severity))
		}
		tx := x + wide + 2
		if l.c.W() < 70 {
			tx = x + 2
			l.y++
		}
		for i, e := range f.Evidence {
			if i > 0 && l.c.W() < 70 {
				break
			}
			mark := themes.Loss
			if f.Pathology == tree.Healthy {
				mark = themes.Done
			}
			g.drawEvidence(a, l, from, tx, e, mark)
		}
		if len(f.Evidence) == 0 {
			l.y++
		}
	}
}

// drawEvidence paints one piece of evidence beside the piece of curve that shows it.
func (g *gate) drawEvidence(a *app, l *lines, from tree.NodeID, x int, e tree.Evidence, mark themes.Token) {
	curveW := 18
	switch room := l.c.W() - x; {
	case room >= 90:
		curveW = 40
	case room < 34:
		curveW = 0
	case room < 46:
		curveW = 12
	}
	if curveW > 0 {
		xs, ys := a.s.series(from, e.Metric)
		p := &chart.Plot{Series: []chart.Series{{X: xs, Y: ys, Ink: ink(themes.Muted)}}, Cursor: nan(), Bg: ink(themes.Overlay)}
		if !a.look.glyphs.Braille {
			p.Point = a.look.glyphs.Plot.Point
		}
		if len(xs) > 1 && p.Fit() {
			p.Marks = []chart.Mark{{From: float64(e.FromStep), To: float64(e.ToStep), Ink: ink(mark)}}
			p.Draw(l.c.Sub(l.c.W()-curveW, l.y, curveW, 2))
		}
	}
	rows := paint.Wrap(e.Text, max(10, l.c.W()-x-curveW-2))
	for _, t := range rows {
		l.line(x, overlay(sText), t)
	}
	if curveW > 0 {
		for range max(0, 3-len(rows)) {
			l.gap() // the little chart is two rows high, and neighbours should not touch
		}
	}
}

func (g *gate) drawChanges(a *app, l *lines, n *tree.Node) {
	x := l.labelled("Changes")
	sp := a.s.t.Spec.Space
	if len(n.Transition.Changes) == 0 {
		what := "none: it goes on with the same settings"
		if n.Parent == tree.Root {
			what = "none: the practitioner's settings, the starting point against which later changes are measured"
		}
		for _, t := range paint.Wrap(what, l.c.W()-x) {
			l.line(x, overlay(sMuted), t)
		}
		return
	}
	gl := a.look.glyphs
	names := 0
	roles := 0
	for _, ch := range n.Transition.Changes {
		names = max(names, paint.Width(ch.Param))
		if p, ok := sp.Find(ch.Param); ok {
			roles = max(roles, len(p.Role))
		}
	}
	names = max(6, min(names, 22, l.c.W()-x-23))
	for _, ch := range n.Transition.Changes {
		p, ok := sp.Find(ch.Param)
		role := fg(themes.RoleToken(string(p.Role)))
		l.c.Text(x, l.y, overlay(role), gl.Role(string(p.Role)))
		l.c.TextIn(x+2, l.y, names, overlay(sText), ch.Param, gl.Mark.Ellipsis)
		at := x + names + 3
		l.c.TextRight(at+8, l.y, overlay(sMuted), value(ch.From))
		tight := l.c.W()-at-34 < 8 // then the bar stands instead of the range in numbers
		bar := max(0, min(28, l.c.W()-at-34))
		if tight {
			bar = max(0, min(12, l.c.W()-at-20))
		}
		if bar >= 6 && ok {
			a.rangeBar(l.c.Sub(at+9, l.y, bar, 1), p, ch.From, ch.To, true, ink(themes.Overlay))
			at += bar + 1
		} else {
			l.c.Text(at+9, l.y, overlay(role), gl.Mark.Arrow)
			at += 2
		}
		end := l.c.Text(at+9, l.y, overlay(sText.With(paint.Bold)), value(ch.To))
		if ok && !tight {
			end = max(end+2, at+17)
			if w := paint.Width(shortRange(p)); end+w < l.c.W() {
				end = l.c.Text(end, l.y, overlay(sFaint), shortRange(p)) + 2
			}
			if l.c.W()-roles > end {
				l.c.Text(l.c.W()-roles, l.y, overlay(role), string(p.Role))
			}
		}
		l.y++
		if ch.Reason != "" && l.c.W() >= 70 {
			for _, t := range paint.Wrap(ch.Reason, l.c.W()-x-4) {
				l.line(x+4, overlay(sFaint), t)
			}
		}
	}
	if same := len(sp.Params) - len(n.Transition.Changes); same > 0 {
		l.line(x, overlay(sFaint), gl.Mark.Other+" "+num(same)+" other parameters unchanged")
	}
}

func shortRange(p tree.Param) string {
	if p.Kind == tree.KindChoice {
		return p.Range()
	}
	return number(p.Min) + " … " + number(p.Max)
}

func (g *gate) drawReasons(a *app, l *lines, n *tree.Node) {
	tr := n.Transition
	para := func(label string, st paint.Style, text string) {
		if text == "" {
			return
		}
		x := l.labelled(label)
		for _, t := range paint.Wrap(text, l.c.W()-x) {
			l.line(x, overlay(st), t)
		}
	}
	para("Why", sText, tr.Rationale)
	e := effect(tr.Effect)
	switch {
	case e == "" && len(tr.Changes) == 0: // the starting point expects nothing
	case e == "":
		para("Expects", sMuted, "confidence "+number(tr.Confidence))
	default:
		para("Expects", sMuted, e+", confidence "+number(tr.Confidence))
	}
	cost := plural(tr.Steps, "step")
	if t := a.s.tokensFor(n); t > 0 {
		cost += " · about " + count(t) + " tokens"
		if left := float64(a.s.t.Spec.Budget.Tokens) - float64(a.s.t.Spent.Cost.Tokens()); a.s.t.Spec.Budget.Tokens > 0 && left > 0 {
			cost += " of " + count(left) + " left"
		}
	}
	para("Costs", sMuted, cost)
	if len(n.Why) > 0 {
		para("Chosen", sFaint, "by "+a.s.t.Spec.Policy+": "+termWords(n.Why, a.s.t.Spec.Policy))
	}
	if why := a.s.t.Spec.Approval.Risky(a.s.t.Spec.Space, tr); why != "" {
		para("Risky", sWarn, why)
	}
	if tr.FromWhy != "" && tr.From.Node != tree.Root {
		para("Resumes", sMuted, name(tr.From.Node)+" @ step "+num(tr.From.Step)+": "+tr.FromWhy)
	}
	by := "proposed by " + agentName(tr.By)
	if tr.Note != "" {
		by += " · " + tr.Note
	}
	para("From", sFaint, by)
}

// termWords writes the parts of a policy's score as a sum; a part that bears the policy's name is the sum itself.
func termWords(terms []tree.Term, policy string) string {
	var b strings.Builder
	for _, t := range terms {
		v := t.Name + " " + fixed(math.Abs(t.Value))
		switch {
		case t.Name == policy || t.Name == "total":
			b.WriteString(" = " + fixed(t.Value))
		case math.Abs(t.Value) < 5e-4:
		case t.Value < 0:
			b.WriteString(" − " + v)
		case b.Len() > 0:
			b.WriteString(" + " + v)
		default:
			b.WriteString(v)
		}
	}
	return strings.TrimPrefix(b.String(), " ")
}

// tokensFor estimates a segment's tokens from the tokens a step of what it goes on from, scaled by how much longer and
// more numerous the answers get, and before anything was trained from the answers of the base model's evaluation; 0 without a
// measurement.
func (s *search) tokensFor(n *tree.Node) float64 {
	p := s.parent(n)
	if p == nil || p.Outcome == nil || p.Outcome.Cost.Steps <= 0 {
		for _, m := range s.t.Nodes {
			if m.Outcome != nil && m.ID != tree.Root && m.Outcome.Cost.Steps > 0 {
				p = m
				break
			}
		}
	}
	if p == nil || p.Outcome == nil || p.Outcome.Cost.Steps <= 0 {
		return s.tokensAtFirst(n)
	}
	per := float64(p.Outcome.Cost.Tokens()) / float64(p.Outcome.Cost.Steps)
	for _, k := range []string{"num_generations", "prompts_per_step", "num_iterations"} {
		if a, b := p.Config.Float(k), n.Config.Float(k); a > 0 && b > 0 && k != "num_iterations" {
			per *= b / a
		}
	}
	return per * float64(n.Transition.Steps)
}

// tokensAtFirst takes every completion to be as long as those of the base model's evaluation, each counted once when it is sampled
// and once an inner epoch when it is trained on.
func (s *search) tokensAtFirst(n *tree.Node) float64 {
	root, ok := s.t.Node(tree.Root)
	if !ok || root.Outcome == nil || root.Val().N == 0 {
		return 0
	}
	each := float64(root.Outcome.Cost.EvalTokens) / float64(root.Val().N)
	completions := n.Config.Float("num_generations") * n.Config.Float("prompts_per_step")
	return each * completions * (1 + max(1, n.Config.Float("num_iterations"))) * float64(n.Transition.Steps)
}
