package engine

import (
	"context"

	"llmzero/engine/event"
	"llmzero/engine/tree"
)

// practitioner proposes the first node: the practitioner's configuration, from the base model.
func (e *Engine) practitioner(ctx context.Context) error {
	return e.propose(ctx, pick{node: tree.Root}, tree.Transition{
		Rationale: "The practitioner's root: train with the configuration that a practitioner would start with.",
		FromWhy:   "the base model", Confidence: 1, Steps: e.tree.Spec.Segment, By: "practitioner",
	}, nil)
}

// propose adds a proposal and, when the rules of the gate let it through, approves it and puts it in line, all in one
// transaction.
func (e *Engine) propose(ctx context.Context, p pick, t tree.Transition, exchanges []tree.Exchange) error {
	parent := e.tree.Nodes[t.From.Node]
	if c, ok := parent.Outcome.Checkpoint(); ok && t.FromWhy == "" && c.Step == t.From.Step {
		t.FromWhy = parent.Outcome.ChosenWhy
	}
	id := tree.NodeID(len(e.tree.Nodes))
	entries := append(called(exchanges), entry{t.By, &event.Proposed{
		Node: id, Parent: parent.ID, Transition: t, Config: parent.Config.With(t.Changes), Why: p.terms, Fresh: p.fresh,
	}})
	if waits, why := e.tree.Spec.Approval.Waits(e.tree.Spec.Space, t); !waits {
		entries = append(entries, e.autopilot(id, why)...)
	}
	if p.pin && e.tree.Nodes[p.node].Pinned { // it may have been pruned meanwhile
		entries = append(entries, engineEntry(&event.Pinned{Node: p.node}))
	}
	return e.commit(ctx, exchanges, entries...)
}

// release lets proposals through that no longer have to wait, because the rules of the gate, the budget or their parent have
// changed since they were made.
func (e *Engine) release(ctx context.Context) error {
	if e.tree.Spec.Approval.Mode == tree.AskAlways {
		return nil
	}
	room := e.room() - e.census.count(tree.StateApproved, tree.StateQueued) - len(e.running)
	var entries []entry
	for _, id := range e.census.list(tree.StateProposed) {
		n := e.tree.Nodes[id]
		waits, why := e.tree.Spec.Approval.Waits(e.tree.Spec.Space, n.Transition)
		if room <= 0 || waits || e.parentTrained(n) != nil || e.banned(n.Config) != nil {
			continue
		}
		entries = append(entries, e.autopilot(id, why)...)
		room--
	}
	return e.commit(ctx, nil, entries...)
}

// autopilot approves a proposal by the rules of the gate and puts it in line.
func (e *Engine) autopilot(id tree.NodeID, why string) []entry {
	v := tree.Verdict{Decision: tree.Approved, Who: "autopilot", When: e.opts.Clock(), Why: why}
	return []entry{{"autopilot", &event.Judged{Node: id, Verdict: v}}, engineEntry(&event.Queued{Node: id})}
}
