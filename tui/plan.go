package tui

import (
	"context"

	tea "charm.land/bubbletea/v2"

	"llmzero/engine/tree"
)

// Planner is a Session that can say which nodes its policy would expand next. A session need not be one.
type Planner interface {
	// Plan lists the next n nodes, the first one first, with the terms of the policy's score.
	Plan(ctx context.Context, n int) ([]Pick, error)
}

// Pick is a node that the policy would expand, and why.
type Pick struct {
	Node  tree.NodeID
	Terms []tree.Term // the sum last
}

// planned is how many nodes the plan lists.
const planned = 8

type planMsg struct {
	s     *search
	picks []Pick
	err   error
}

// askPlan asks which nodes come next.
func (a *app) askPlan() tea.Cmd {
	s := a.s
	p, ok := s.sess.(Planner)
	if !ok {
		return nil
	}
	return a.task(func(ctx context.Context) tea.Msg {
		picks, err := p.Plan(ctx, planned)
		return planMsg{s, picks, err}
	})
}

// gotPlan shows what comes next; enter goes to the node.
func (a *app) gotPlan(m planMsg) {
	if m.s != a.s {
		return
	}
	if m.err != nil {
		a.fail("what comes next", m.err)
		return
	}
	if len(m.picks) == 0 {
		a.note("nothing can be expanded at present")
		return
	}
	items := make([]choiceItem, len(m.picks))
	for i, p := range m.picks {
		items[i] = choiceItem{label: name(p.Node), help: termWords(p.Terms, a.s.t.Spec.Policy)}
	}
	a.choose("What comes next", "The nodes that "+a.s.t.Spec.Policy+" would go on from, in this order, if nothing else happened. Pinned nodes and fresh starts come before them.",
		items, func(a *app, i int) tea.Cmd {
			a.s.goTo(m.picks[i].Node)
			return a.follow()
		})
}
