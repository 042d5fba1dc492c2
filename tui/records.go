package tui

import (
	"math"
	"slices"
	"strings"

	"llmzero/engine/event"
	"llmzero/engine/tree"
	"llmzero/tui/component/paint"
)

// sampleKinds are the choices of which samples are shown.
var sampleKinds = []struct {
	name string
	keep func(tree.Sample) bool
}{
	{"all", func(tree.Sample) bool { return true }},
	{"right", func(s tree.Sample) bool { return s.Reward >= 0.999 }},
	{"wrong", func(s tree.Sample) bool { return s.Reward < 0.999 && !s.Truncated }},
	{"cut off", func(s tree.Sample) bool { return s.Truncated }},
}

// recordOf is what is held of a node's records; it tells in the tab when there is nothing to show yet.
func (a *app) recordOf(l *lines, n *tree.Node) (*record, bool) {
	r := a.s.records[n.ID]
	switch {
	case r == nil || r.loading:
		l.line(0, sMuted, "reading"+a.look.glyphs.Mark.Ellipsis)
		return nil, false
	case r.err != nil:
		l.wrap(0, sError, "could not be read: "+r.err.Error())
		return nil, false
	}
	return r, true
}

// drawSamples lists completions, the newest first, with prompt, answer and reward.
func (a *app) drawSamples(c paint.Canvas, n *tree.Node) {
	l := a.scrolled(c)
	defer l.end()
	r, ok := a.recordOf(l, n)
	if !ok {
		return
	}
	kind := sampleKinds[a.s.pane.samples]
	shown := 0
	right, cut := 0, 0
	for _, s := range r.samples {
		if s.Reward >= 0.999 {
			right++
		}
		if s.Truncated {
			cut++
		}
	}
	l.line(0, sFaint, "showing "+kind.name+" (f)   "+num(len(r.samples))+" samples, "+num(right)+" right, "+num(cut)+" cut off")
	for i := len(r.samples) - 1; i >= 0; i-- {
		s := r.samples[i]
		if !kind.keep(s) {
			continue
		}
		shown++
		l.gap()
		a.drawSample(l, s)
	}
	if shown == 0 {
		l.gap()
		l.line(0, sMuted, "no such samples were kept for this node")
	}
}

func (a *app) drawSample(l *lines, s tree.Sample) {
	gl := a.look.glyphs
	st, mark := sLoss, gl.Mark.Cross
	switch {
	case s.Reward >= 0.999:
		st, mark = sGain, gl.Mark.Check
	case s.Truncated:
		st, mark = sWarn, gl.Mark.Ellipsis
	case s.Reward > 0:
		st = sWarn
	}
	x := l.c.Text(0, l.y, st.With(paint.Bold), mark+" "+fixed(s.Reward))
	tail := "step " + num(s.Step)
	if s.Truncated {
		tail = "cut off   " + tail
	}
	end := l.c.TextRight(l.c.W(), l.y, sFaint, tail)
	l.c.TextIn(max(x+2, 9), l.y, end-max(x+2, 9)-2, sMuted, s.Prompt, gl.Mark.Ellipsis)
	l.y++
	for i, t := range paint.Wrap(s.Completion, l.c.W()-11) {
		if i == 6 {
			l.line(9, sFaint, gl.Mark.Ellipsis)
			break
		}
		l.text(9, sText, t)
		l.y++
	}
	if s.Answer != "" && s.Reward < 0.999 {
		l.line(9, sFaint, "right: "+s.Answer)
	}
}

// drawLog lists the journal's entries that touch the node.
func (a *app) drawLog(c paint.Canvas, n *tree.Node) {
	l := a.scrolled(c)
	defer l.end()
	r, ok := a.recordOf(l, n)
	if !ok {
		return
	}
	if len(r.events) == 0 {
		l.line(0, sMuted, "nothing is recorded about this node")
	}
	events := r.events
	if n.ID == tree.Root { // of the whole search: the newest first, and no more than one would read
		events = slices.Clone(events[max(0, len(events)-maxLog):])
		slices.Reverse(events)
	}
	x := 20
	if n.ID == tree.Root {
		x = 26
	}
	for _, e := range events {
		l.c.Text(0, l.y, sFaint, e.Time.Format("15:04:05"))
		l.c.TextIn(10, l.y, 9, sMuted, e.Who, a.look.glyphs.Mark.Ellipsis)
		if touched := e.Touched(); n.ID == tree.Root && len(touched) > 0 {
			l.c.TextIn(20, l.y, 5, sAccent, name(touched[0]), a.look.glyphs.Mark.Ellipsis)
		}
		l.wrap(x, sText, eventWords(a.s.t.Spec.Space, e))
	}
}

// maxLog is how many entries the log of a whole search shows.
const maxLog = 400

// eventWords tells an event in a sentence.
func eventWords(sp tree.Space, e event.Event) string {
	switch b := e.Body.(type) {
	case *event.Proposed:
		return "proposed " + changeWords(sp, b.Transition)
	case *event.Judged:
		return because(string(b.Verdict.Decision), b.Verdict.Why)
	case *event.Queued:
		return because("queued", b.Why)
	case *event.Started:
		if b.Attempt > 1 {
			return "started, attempt " + num(b.Attempt)
		}
		return "started on slot " + num(b.Slot)
	case *event.Saved:
		return "checkpoint at step " + num(b.Checkpoint.Step) + ", validation " + score(b.Checkpoint.Val.Mean)
	case *event.Ended:
		return ended(b)
	case *event.Chosen:
		return because("goes on from checkpoint "+num(b.Index+1), b.Why)
	case *event.Reevaluated:
		return "scored again: " + score(b.Val.Mean) + " on " + num(b.Val.N) + " samples"
	case *event.Confirmed:
		return "retrained with seed " + num(int(b.Confirmation.Seed)) + ": test " + score(b.Confirmation.Test.Mean)
	case *event.Tested:
		return "test score " + score(b.Test.Mean)
	case *event.Pinned:
		return map[bool]string{true: "pinned", false: "pin taken off"}[b.On]
	case *event.Hinted:
		return "hint: " + b.Text
	case *event.AgentCalled:
		return because("the agent was asked to "+b.Phase, b.Fallback)
	}
	return searchEventWords(e)
}

// searchEventWords tells an event of the whole search in a sentence.
func searchEventWords(e event.Event) string {
	switch b := e.Body.(type) {
	case *event.StatusSet:
		return because("the search is "+string(b.Status), b.Reason)
	case *event.Created:
		return "the search was started"
	case *event.BaseScored:
		return "the base model scores " + score(b.Val.Mean)
	case *event.Renamed:
		return "named " + b.Name
	case *event.Banned:
		return "banned " + banWords(b.Ban)
	case *event.ApprovalSet:
		return "approval rules: " + rules(b.Approval)
	case *event.StopAsked:
		return "asked to stop, keeping what it has"
	case *event.Wasted:
		return "counted compute that came to nothing: " + b.Why
	case *event.Won:
		return because("wins", b.Why)
	}
	return strings.ReplaceAll(e.Body.Kind(), "-", " ")
}

// because adds a reason where there is one.
func because(head, why string) string {
	if why == "" {
		return head
	}
	return head + ": " + why
}

func ended(b *event.Ended) string {
	switch {
	case b.Outcome.Failure != nil:
		return "failed: " + b.Outcome.Failure.Error()
	case b.Outcome.Stop != nil:
		return "stopped by " + b.Outcome.Stop.By + ": " + b.Outcome.Stop.Why
	case math.IsNaN(b.Outcome.Val.Mean):
		return "ended"
	}
	return "ended with validation " + score(b.Outcome.Val.Mean)
}
