package engine

import (
	"cmp"
	"context"
	"math"

	"llmzero/engine/agent"
	"llmzero/engine/event"
	"llmzero/engine/tree"
)

// choose is the rule for the checkpoint to go on from: the latest of those whose validation score is within the standard
// error of the difference of the best one's.
func choose(all []tree.Checkpoint) (index int, why string) {
	best := 0
	for i, c := range all {
		if c.Val.Known() && (!all[best].Val.Known() || c.Val.Mean > all[best].Val.Mean) {
			best = i
		}
	}
	for i := len(all) - 1; i > best; i-- {
		if c := all[i]; c.Val.Known() && c.Val.Mean >= all[best].Val.Mean-math.Hypot(c.Val.SE, all[best].Val.SE) {
			if i == len(all)-1 {
				return i, "the last; none is better beyond the noise"
			}
			return i, "the latest within the noise of the best validation"
		}
	}
	if best == len(all)-1 {
		return best, "the last has the best validation"
	}
	return best, "best validation"
}

// choose asks the agent for the checkpoint to go on from.
func (s *run) choose(ctx context.Context) (c agent.Choice, err error) {
	err = guard(s.engine.opts.Logger, "the agent", func() (err error) {
		c, err = s.engine.opts.Agent.Choose(ctx, agent.Ended{
			Spec: s.spec, Node: s.node, Points: s.points, Start: s.start, Seed: tree.Derive(s.job.Seed, "choose"),
		})
		return err
	})
	return c, err
}

// chosen records the agent's choice where it differs from the rule's, and what the agent said.
func (e *Engine) chosen(ctx context.Context, id tree.NodeID, c agent.Choice, err error) error {
	n := e.tree.Nodes[id]
	entries := called(c.Exchanges)
	switch {
	case err != nil:
		e.opts.Logger.Warn("the agent chose no checkpoint; the rule's choice stands", "node", id, "err", err)
	case !n.State.Trained() || c.Index < 0 || c.Index >= len(n.Outcome.Checkpoints) || !n.Outcome.Checkpoints[c.Index].Val.Known():
	case c.Index != n.Outcome.Chosen || (c.Why != "" && c.Why != n.Outcome.ChosenWhy):
		by := cmp.Or(c.By, e.opts.Agent.Name())
		entries = append(entries, entry{by, &event.Chosen{Node: id, Index: c.Index, Why: c.Why}})
	}
	return e.commit(ctx, c.Exchanges, entries...)
}
