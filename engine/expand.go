package engine

import (
	"context"
	"errors"
	"fmt"

	"llmzero/engine/agent"
	"llmzero/engine/event"
	"llmzero/engine/tree"
)

// patience is how many failures, or empty answers, of the agent in a row are borne.
const patience = 3

// advance starts everything that can start now: the base model's score, segments on free slots, agent turns, the end.
func (e *Engine) advance(ctx context.Context) error {
	if e.tree.Status != tree.SearchRunning || e.closing || e.scoring {
		return nil
	}
	if len(e.tree.Nodes) == 0 {
		e.scoreBase(ctx)
		return nil
	}
	if err := e.release(ctx); err != nil {
		return err
	}
	for {
		more, err := e.startSegments(ctx)
		if err != nil {
			return err
		}
		turned, err := e.startTurns(ctx)
		if err != nil {
			return err
		}
		if !more && !turned {
			break
		}
	}
	if e.room() == 0 && len(e.running) == 0 && e.inTurn() == 0 && len(e.rescoring) == 0 && !e.confirm(ctx) && e.crew.size == 0 {
		e.close(ctx)
	}
	return e.stuck(ctx)
}

// stuck pauses a search in which nothing is under way and nobody is there, or nothing could be done, to change that.
func (e *Engine) stuck(ctx context.Context) error {
	waiting := e.census.count(tree.StateProposed)
	var why string
	switch {
	case e.crew.size > 0 || e.tree.Status != tree.SearchRunning:
	case waiting == 0:
		why = "nothing can be expanded; branch by hand or bring something back, then resume"
	case e.opts.Unattended:
		why = fmt.Sprintf("%d proposals wait for a verdict and nobody is there; approve them at the screen, or let all through", waiting)
	}
	if why == "" {
		return nil
	}
	return e.commit(ctx, nil, engineEntry(&event.StatusSet{Status: tree.SearchPaused, Reason: why}))
}

// scoreBase evaluates the base model, which becomes the root.
func (e *Engine) scoreBase(work context.Context) {
	e.scoring = true
	spec := e.tree.Spec
	e.crew.start(func() func(context.Context) error {
		val, cost, err := e.exam(work, spec, tree.Node{Config: spec.Root}, tree.SplitValidation, 0, tree.Derive(spec.Seed, "base"))
		return func(ctx context.Context) error {
			e.scoring = false
			if err != nil {
				paid := e.commit(ctx, nil, wasted(event.Wasted{Why: "a score of the base model that came to nothing", Cost: cost})...)
				if ctx.Err() != nil || paid != nil {
					return paid // the loop is ending; the next one scores it
				}
				return fmt.Errorf("score the base model on %s: %w", spec.Task, err)
			}
			return e.commit(ctx, nil, engineEntry(&event.BaseScored{Val: val, Cost: cost}))
		}
	})
}

// wanted is how many more agent turns should be under way.
func (e *Engine) wanted() int {
	waiting := e.census.count(tree.StateProposed)
	active := e.census.count(tree.StateApproved, tree.StateQueued) + len(e.running)
	turns := e.inTurn()
	free := len(e.slots) - active - turns
	if len(e.slots) == 1 && active+turns+len(e.rescoring) > 0 {
		free = 0 // one thing at a time: the same seed gives the same tree
	}
	n := 0
	switch e.tree.Spec.Approval.Mode {
	case tree.AskNever:
		n = free
	case tree.AskRisky:
		if waiting+turns < e.opts.Prefetch {
			n = free
		}
	default:
		n = min(1, e.opts.Prefetch-waiting) - turns
	}
	if room := e.room(); room < 1<<30 {
		n = min(n, room-active-waiting-turns)
	}
	return n
}

func (e *Engine) inTurn() int {
	n := 0
	for _, k := range e.holds {
		n += k
	}
	return n
}

// startTurns picks nodes and lets the agent look at them.
func (e *Engine) startTurns(ctx context.Context) (bool, error) {
	any := false
	for {
		p, ok := e.pinned()
		if !ok {
			if e.wanted() <= 0 {
				return any, nil
			}
			if p, ok = e.pick(); !ok {
				return any, nil
			}
		}
		if e.rescoring[p.node] > 0 {
			return any, nil // it is expanded when its second score is there
		}
		any = true
		if e.unsure(p) {
			e.startReevaluation(ctx, e.tree.Nodes[p.node], e.tree.Spec.Rescore, "engine")
			continue
		}
		if len(e.tree.Nodes) == 1 {
			if err := e.practitioner(ctx); err != nil {
				return any, err
			}
			continue
		}
		e.startTurn(ctx, p)
	}
}

// startTurn lets the agent look at a node. The policy counts the turn as a visit meanwhile.
func (e *Engine) startTurn(work context.Context, p pick) {
	e.hold(p.node, 1)
	b := e.brief(p)
	e.crew.start(func() func(context.Context) error {
		var answer agent.Answer
		turn, err := b.fill(work, e.curves)
		if err == nil {
			err = guard(e.opts.Logger, "the agent", func() (err error) {
				answer, err = e.opts.Agent.Propose(work, turn)
				return err
			})
		}
		return func(ctx context.Context) error {
			e.hold(p.node, -1)
			if ctx.Err() != nil {
				return nil //nolint:nilerr // the loop is ending; the node is picked again when the search goes on
			}
			return e.turned(ctx, p, turn, answer, err)
		}
	})
}

func (e *Engine) hold(id tree.NodeID, by int) {
	e.holds[id] += by
	if e.holds[id] == 0 {
		delete(e.holds, id)
	}
	e.policy.Hold(e.tree, id, by)
}

// turned takes the agent's answer to the gate.
func (e *Engine) turned(ctx context.Context, p pick, turn agent.Turn, answer agent.Answer, err error) error {
	e.fruitless++
	if without(ctx, e.opts.Logger, "the agent failed in a turn", p.node, err) {
		if e.errs++; e.errs < patience {
			return nil
		}
		return fmt.Errorf("%w: %w", ErrAgent, err)
	}
	e.errs = 0
	if n, ok := e.tree.Node(turn.Node.ID); !ok || n.State == tree.StatePruned {
		return e.commit(ctx, answer.Exchanges, called(answer.Exchanges)...)
	}
	now := e.sight(p, e.tree.Nodes[turn.Node.ID]).turn // as it is now: something like it may have been proposed meanwhile
	var refused []error
	late := false // something was proposed that was right when the agent was asked
	for _, t := range answer.Proposals {
		if t.Steps == 0 {
			t.Steps = turn.Steps
		}
		if err := now.Check(t); err != nil {
			refused, late = append(refused, err), late || turn.Check(t) == nil
			continue
		}
		if from := e.tree.Nodes[t.From.Node]; !from.State.Trained() {
			refused = append(refused, fmt.Errorf("node %d is %s", from.ID, from.State))
			continue
		}
		e.barren, e.fruitless = 0, 0
		return e.propose(ctx, p, t, answer.Exchanges)
	}
	e.opts.Logger.Info("the agent proposes nothing", "node", p.node, "refused", errors.Join(refused...))
	entries := called(answer.Exchanges)
	if late { // another turn was quicker: look again
		return e.commit(ctx, answer.Exchanges, entries...)
	}
	e.empty[p.node]++
	e.policy.Hold(e.tree, p.node, 1)          // as good as a child: look elsewhere
	if p.pin && e.tree.Nodes[p.node].Pinned { // it may have been pruned meanwhile
		entries = append(entries, engineEntry(&event.Pinned{Node: p.node}))
	}
	if e.barren++; e.barren >= 2*patience {
		entries = append(entries, engineEntry(&event.StatusSet{
			Status: tree.SearchPaused, Reason: "the agent proposes nothing new; lift a ban, give a hint or branch by hand, then resume",
		}))
		e.barren = 0
	}
	return e.commit(ctx, answer.Exchanges, entries...)
}

// reconsider lets nodes be looked at again at which the agent had nothing to propose: it may have now.
func (e *Engine) reconsider() {
	for id, n := range e.empty {
		e.policy.Hold(e.tree, id, -n)
	}
	clear(e.empty)
	e.barren, e.fruitless = 0, 0
}

// called sums exchanges up for the journal.
func called(exchanges []tree.Exchange) []entry {
	var out []entry
	for _, x := range exchanges {
		out = append(out, entry{x.Agent, &event.AgentCalled{
			Exchange: x.ID, Node: x.Node, Phase: x.Phase, TokensIn: x.TokensIn, TokensOut: x.TokensOut, Cost: x.Cost,
			Repaired: x.Repaired, Fallback: x.Fallback,
		}})
	}
	return out
}
