package tui

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"llmzero/engine/tree"
	"llmzero/tui/component/paint"
)

// agentPage is the conversation about a node: what the agent was asked and what it said.
type agentPage struct {
	top    int
	height int
	extent int
	hidden bool // prompts are hidden
}

func (a *app) openAgent() tea.Cmd {
	a.pages.agent = agentPage{}
	a.open(onAgent)
	return a.follow()
}

// drawAgent paints the exchanges of the node under the cursor.
func (a *app) drawAgent(c paint.Canvas) {
	s := a.s
	if s == nil || s.node() == nil {
		return
	}
	n, p := s.node(), &a.pages.agent
	a.bar(c, or(s.t.Spec.Name, s.t.Spec.Task), "Agent", name(n.ID), s.t.Spec.Agent)
	body := c.Sub(2, 2, c.W()-4, c.H()-3)
	p.height = body.H()
	l := &lines{a: a, c: body, y: -p.top}
	r := s.records[n.ID]
	switch {
	case r == nil || r.loading:
		l.line(0, sMuted, "reading"+a.look.glyphs.Mark.Ellipsis)
	case r.err != nil:
		l.wrap(0, sError, "could not be read: "+r.err.Error())
	case len(r.exchanges) == 0:
		a.drawTurns(l, n)
	default:
		for _, x := range r.exchanges {
			a.drawExchange(l, x)
		}
	}
	p.extent = l.y + p.top
	p.top = max(0, min(p.top, p.extent-body.H()))
	a.scrollbar(c.Sub(c.W()-1, 2, 1, body.H()), p.top, body.H(), p.extent)
	a.footer(c, 0)
}

// drawTurns tells the turns of an agent that needs no words, from what the tree keeps of them: the one that led to the node and
// the ones that looked at it.
func (a *app) drawTurns(l *lines, n *tree.Node) {
	if n.ID != tree.Root {
		l.head("what led to " + name(n.ID))
		a.drawTurn(l, n)
		l.gap()
	}
	l.head("what was proposed at " + name(n.ID))
	if len(n.Children) == 0 {
		l.line(0, sMuted, "nothing yet")
	}
	for _, id := range n.Children {
		a.drawTurn(l, a.s.t.Nodes[id])
		l.gap()
	}
	l.wrap(0, sFaint, "The rules agent works by a table and has no prompts. With a language model every prompt and answer is kept here.")
}

// drawTurn tells one proposal: what was seen, what was to change and why, and what became of it.
func (a *app) drawTurn(l *lines, n *tree.Node) {
	t := n.Transition
	l.text(0, sAccent, name(n.ID))
	l.wrap(6, sText, changeWords(a.s.t.Spec.Space, t))
	for _, f := range t.Diagnosis {
		l.wrap(6, severityStyle(f.Severity), findingWords(f))
	}
	if t.Rationale != "" {
		l.wrap(6, sMuted, t.Rationale)
	}
	for _, ch := range t.Changes {
		if ch.Reason != "" {
			l.wrap(6, sFaint, ch.Param+": "+ch.Reason)
		}
	}
	end := "by " + agentName(t.By)
	if v := n.Verdict; v != nil {
		end += ", " + string(v.Decision) + " by " + or(map[string]string{"human": "you"}[v.Who], v.Who)
		if v.Why != "" {
			end += ": " + v.Why
		}
	}
	if g, ok := a.s.gain(n); ok {
		end += "; validation " + signed(g)
	}
	l.wrap(6, sFaint, end)
}

// findingWords are a finding with its evidence.
func findingWords(f tree.Finding) string {
	text := string(f.Pathology)
	if f.Pathology != tree.Healthy {
		text += " (" + string(f.Severity) + ")"
	}
	for _, e := range f.Evidence {
		text += ": " + e.Text
	}
	return text
}

func (a *app) drawExchange(l *lines, x tree.Exchange) {
	sep := " " + a.look.glyphs.Mark.Separator + " "
	head := x.Phase + sep + x.Agent
	facts := []string{x.When.Format("15:04:05")}
	if x.Latency > 0 {
		facts = append(facts, span(x.Latency))
	}
	if x.TokensIn+x.TokensOut > 0 {
		facts = append(facts, count(float64(x.TokensIn))+" in, "+count(float64(x.TokensOut))+" out")
	}
	if x.Priced {
		facts = append(facts, costWords(x.Cost))
	}
	if x.Images > 0 {
		facts = append(facts, plural(x.Images, "image"))
	}
	a.rule(l.c.Sub(0, l.y, l.c.W(), 1), head, sTitle)
	l.c.TextRight(l.c.W(), l.y, sFaint, " "+strings.Join(facts, sep))
	l.y++
	if !a.pages.agent.hidden {
		l.line(0, sAccent, "prompt")
		l.wrap(2, sMuted, x.Prompt)
	}
	if x.Thinking != "" && !a.pages.agent.hidden {
		l.line(0, sFaint, "thought")
		l.wrap(2, sFaint, x.Thinking)
	}
	l.line(0, sGain, "answer")
	l.wrap(2, sText, x.Answer)
	for _, e := range x.Errors {
		l.wrap(2, sWarn, a.look.glyphs.Mark.Warning+" "+e)
	}
	if x.Repaired {
		l.line(2, sMuted, "repaired: the agent was told and answered again")
	}
	if x.Fallback != "" {
		l.wrap(2, sWarn, "the rules agent stepped in: "+x.Fallback)
	}
	l.gap()
}

func agentActions() []action {
	const g = "Agent"
	roll := func(by int) func(*app) tea.Cmd {
		return plain(func(a *app) {
			p := &a.pages.agent
			step := by
			if by == 100 || by == -100 {
				step = sign(by) * max(1, p.height-2)
			}
			p.top = max(0, p.top+step)
		})
	}
	other := func(by int) func(*app) tea.Cmd {
		return then(func(a *app) { a.s.step(by); a.pages.agent.top = 0 })
	}
	return []action{
		onNode(action{id: "agent.open", keys: []string{"a"}, on: onSearch, group: "Pages", short: "agent", help: "what the agent was asked about the node and what it said"}, nil, func(a *app, _ *tree.Node) tea.Cmd { return a.openAgent() }),
		{id: "agent.down", keys: []string{"down", "j"}, shown: "↓↑", on: onAgent, group: g, short: "scroll", help: "one line on", foot: 1, run: roll(1)},
		{id: "agent.up", keys: []string{"up", "k"}, on: onAgent, group: g, help: "one line back", run: roll(-1)},
		{id: "agent.pgdown", keys: []string{"pgdown", "space", "ctrl+d"}, on: onAgent, group: g, help: "a page on", run: roll(100)},
		{id: "agent.pgup", keys: []string{"pgup", "ctrl+u"}, on: onAgent, group: g, help: "a page back", run: roll(-100)},
		{id: "agent.prompts", keys: []string{"p"}, on: onAgent, group: g, short: "prompts", help: "show or hide the prompts", foot: 2, run: plain(func(a *app) { a.pages.agent.hidden = !a.pages.agent.hidden })},
		{id: "agent.next", keys: []string{"n", "right", "l"}, on: onAgent, group: g, short: "next node", help: "the next node", foot: 3, run: other(1)},
		{id: "agent.prev", keys: []string{"N", "left", "h"}, on: onAgent, group: g, help: "the node before", run: other(-1)},
	}
}
