package tui

import (
	"slices"

	"llmzero/engine/tree"
	"llmzero/tui/component/paint"
)

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
