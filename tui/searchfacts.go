package tui

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"llmzero/engine/analysis"
	"llmzero/engine/tree"
	"llmzero/tui/component/paint"
)

// drawSearchFacts is the overview of the root: what was asked for, how it stands, and what the researcher told the agent.
func (a *app) drawSearchFacts(c paint.Canvas) {
	s := a.s
	sp := s.t.Spec
	l := a.scrolled(c)
	defer l.end()
	row := func(label, text string) {
		if text == "" {
			return
		}
		l.c.TextIn(0, l.y, 12, sMuted, label, a.look.glyphs.Mark.Ellipsis)
		l.wrap(13, sText, text)
	}
	sep := " " + a.look.glyphs.Mark.Separator + " "
	l.head("search")
	row("id", strings.TrimSpace(sp.ID+"  "+sp.Name))
	row("task", sp.Task+sep+or(sp.Model, sp.Trainer)+sep+"seed "+num(int(sp.Seed)))
	row("agent", sp.Agent+sep+"policy "+sp.Policy)
	row("segments", plural(sp.Segment, "step")+" each"+sep+num(max(1, sp.Parallel))+" at once")
	row("budget", budgetWords(sp.Budget))
	row("proposals", rules(sp.Approval)+" (A)")
	if s.t.Reason != "" {
		row("status", string(s.t.Status)+": "+s.t.Reason)
	}
	l.gap()
	l.head("scores")
	a.scoreRow(l, "base model", s.t.Base(), s.t.BaseTest)
	if best, ok := s.t.Node(s.ix.best); ok && best.ID != tree.Root {
		a.scoreRow(l, "best, "+name(best.ID), best.Val(), best.Test)
	}
	a.drawWinner(l)
	l.gap()
	l.head("spent")
	cost := s.t.Spent.Cost
	row("segments", num(s.t.Spent.Segments))
	row("tokens", count(float64(cost.Tokens()))+" of training, "+count(float64(cost.EvalTokens))+" of evaluation")
	row("training", span(time.Duration(cost.WallSeconds*float64(time.Second))))
	if j := analysis.Judged(s.t); j != nil {
		row("judge", judgeWords(*j))
	}
	if g := s.t.Agent; g.Calls > 0 {
		row("agent", plural(g.Calls, "call")+sep+count(float64(g.TokensIn))+" in, "+count(float64(g.TokensOut))+" out"+sep+
			plural(g.Repairs, "repair")+", "+plural(g.Fallbacks, "fall-back")+sep+costWords(g.Cost))
	}
	if len(s.t.Hints) > 0 {
		l.gap()
		l.head("hints to the agent")
		for _, h := range s.t.Hints {
			l.wrap(0, sText, a.look.glyphs.Mark.Bullet+" "+h.Text)
		}
	}
	if len(s.t.Bans) > 0 {
		l.gap()
		l.head("banned values")
		for _, b := range s.t.Bans {
			l.wrap(0, sText, a.look.glyphs.Mark.Bullet+" "+banWords(b))
		}
	}
}

// costWords is what a model's calls cost, in the price table's currency.
func costWords(cost float64) string {
	if cost == 0 {
		return "no price known (prices.toml)"
	}
	return "cost " + strconv.FormatFloat(cost, 'g', 3, 64)
}

// judgeWords says what stopping doomed segments saved and how often it was wrong, as the trials show.
func judgeWords(j analysis.Judging) string {
	text := "stopped " + plural(j.Stopped, "segment") + ", saved " + plural(j.SavedSteps, "step") + ", about " + count(float64(j.SavedTokens)) + " tokens"
	if j.Trials == 0 {
		return text + "; no condemned segment was run to its end yet, so the false-stop rate is not known"
	}
	return text + fmt.Sprintf("; false stops: %d of %s", j.FalseStops, plural(j.Trials, "trial"))
}

func banWords(b tree.Ban) string {
	what := number(b.Min) + " … " + number(b.Max)
	if b.Choice != "" {
		what = b.Choice
	}
	if b.Why != "" {
		what += "  " + b.Why
	}
	return b.Param + " " + what
}

// budgetWords says what a search may spend.
func budgetWords(b tree.Budget) string {
	var parts []string
	if b.Segments > 0 {
		parts = append(parts, plural(b.Segments, "segment"))
	}
	if b.Tokens > 0 {
		parts = append(parts, count(float64(b.Tokens))+" tokens")
	}
	if b.Wall > 0 {
		parts = append(parts, span(b.Wall))
	}
	if b.GPUHours > 0 {
		parts = append(parts, number(b.GPUHours)+" GPU-hours")
	}
	t := strings.Join(parts, ", ")
	if b.Confirm > 0 {
		t += "; " + num(int(100*b.Confirm+0.5)) + "% of it confirms the best paths"
	}
	return t
}

func (a *app) scoreRow(l *lines, label string, val, test tree.Score) {
	pm := a.look.glyphs.Mark.PlusMinus
	l.c.TextIn(0, l.y, 12, sMuted, label, a.look.glyphs.Mark.Ellipsis)
	x := 13
	for _, p := range []struct {
		name string
		s    tree.Score
	}{{"validation", val}, {"test", test}} {
		if p.s.Known() {
			if x > 13 && x+18 > l.c.W() {
				x = 13
				l.y++
			}
			x = l.c.Text(x, l.y, sText.With(paint.Bold), score(p.s.Mean))
			x = l.c.Text(x+1, l.y, sFaint, pm+delta(1.96*p.s.SE)+" "+p.name) + 3
		}
	}
	l.y++
}

// drawWinner tells the headline of a finished search: the winner retrained from the root with fresh seeds, on the test set.
func (a *app) drawWinner(l *lines) {
	s := a.s
	w, ok := s.t.Node(s.t.Winner)
	if !ok || w.ID == tree.Root {
		return
	}
	var xs []float64
	for _, k := range w.Confirmed {
		if k.Test.Known() {
			xs = append(xs, k.Test.Mean)
		}
	}
	text := "winner " + name(w.ID)
	if len(xs) > 0 {
		b := analysis.Bootstrap(xs)
		text += ", retrained with " + plural(b.N, "fresh seed") + ": test " + score(b.Mean)
		if b.N > 1 {
			text += " (95% interval " + score(b.Low) + " to " + score(b.High) + ")"
		}
	} else {
		text += ": not confirmed on fresh seeds, so its score may be luck"
	}
	l.wrap(0, sGain, a.look.glyphs.Mark.Check+" "+text)
}
