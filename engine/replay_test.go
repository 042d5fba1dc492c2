package engine

import (
	"context"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"llmzero/engine/tree"
)

// act draws a steering act that may or may not be possible.
func act(rt *rapid.T) tree.Command {
	kinds := []tree.CommandKind{
		tree.CmdApprove, tree.CmdApprove, tree.CmdApprove, tree.CmdEdit, tree.CmdVeto, tree.CmdUnveto, tree.CmdAnother, tree.CmdBranch,
		tree.CmdHint, tree.CmdPin, tree.CmdUnpin, tree.CmdPrune, tree.CmdUnprune, tree.CmdStopNode, tree.CmdRetry, tree.CmdBan,
		tree.CmdUnban, tree.CmdApproval, tree.CmdBudget, tree.CmdPause, tree.CmdResume, tree.CmdRename, tree.CmdReevaluate,
	}
	c := tree.Command{
		Kind: rapid.SampledFrom(kinds).Draw(rt, "act"), Node: tree.NodeID(rapid.IntRange(-1, 12).Draw(rt, "node")),
		Text: rapid.SampledFrom([]string{"", "because", "two words"}).Draw(rt, "text"),
	}
	lr := tree.Number(rapid.SampledFrom([]float64{1e-4, 1e-3, 3e-3, 1e-2, 7}).Draw(rt, "learning rate"))
	switch c.Kind {
	case tree.CmdEdit, tree.CmdBranch:
		c.Transition = &tree.Transition{
			From:    tree.CheckpointRef{Node: tree.NodeID(rapid.IntRange(0, 6).Draw(rt, "from")), Step: 3 * rapid.IntRange(0, 6).Draw(rt, "step")},
			Changes: []tree.Change{{Param: "learning_rate", To: lr}}, Steps: rapid.IntRange(-1, 8).Draw(rt, "steps"),
		}
	case tree.CmdBan, tree.CmdUnban:
		c.Ban = &tree.Ban{Param: "learning_rate", Min: lr.Num, Max: 3 * lr.Num}
	case tree.CmdApproval:
		a := tree.DefaultApproval(rapid.SampledFrom([]tree.Mode{tree.AskAlways, tree.AskRisky, tree.AskNever}).Draw(rt, "mode"))
		c.Approval = &a
	case tree.CmdBudget:
		c.Budget = &tree.Budget{Segments: rapid.IntRange(0, 30).Draw(rt, "segments")}
	default:
	}
	return c
}

// TestReplay steers a running search at random and checks that no act gets past its own checks only to be refused by the tree, that the
// tree is valid all along, and that its journal gives the same tree.
func TestReplay(t *testing.T) {
	nodes, segments := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		s := spec(rapid.SampledFrom([]tree.Mode{tree.AskAlways, tree.AskRisky, tree.AskNever}).Draw(rt, "first mode"), 25)
		s.Parallel, s.Seed = rapid.IntRange(1, 3).Draw(rt, "parallel"), rapid.Uint64().Draw(rt, "seed")
		r := newRig(t, s, nil)
		r.trainer.gate = func(_ context.Context, job tree.Job, step int) error {
			if step == 2 && tree.Chance(tree.Derive(job.Seed, "fails")) < 0.2 {
				return &tree.Failure{Class: tree.FailOOM, Message: "now and then"}
			}
			return nil
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx) }()
		for range rapid.IntRange(1, 40).Draw(rt, "acts") {
			for range rapid.IntRange(0, 60).Draw(rt, "turns of the loop") { // lets the search go on between acts
				if err := r.Engine.do(t.Context(), func(context.Context) error { return nil }); err != nil {
					rt.Fatal(err)
				}
			}
			err := r.Do(t.Context(), act(rt))
			if err != nil && strings.HasPrefix(err.Error(), "event ") {
				rt.Errorf("the tree refused what was let through: %v", err)
			}
		}
		if rapid.Bool().Draw(rt, "to its end") {
			// In one turn of the loop: the search must not end between two of the acts.
			err := r.Engine.do(t.Context(), func(saved context.Context) error {
				r.opts.Unattended = true // bans may leave the agent nothing to propose
				all := tree.DefaultApproval(tree.AskNever)
				more := r.tree.Spent.Segments + 10 // more than what runs now may still spend
				var errs []error
				for _, c := range []tree.Command{
					{Kind: tree.CmdApproval, Approval: &all}, {Kind: tree.CmdBudget, Budget: &tree.Budget{Segments: more}}, {Kind: tree.CmdResume},
				} {
					errs = append(errs, r.steer(saved, c))
				}
				return errors.Join(errs...)
			})
			if err != nil {
				rt.Error(err)
			}
		} else {
			cancel()
		}
		if err := <-done; err != nil {
			rt.Errorf("the search ended: %v", err)
		}
		cancel()
		now := r.check(t)
		nodes, segments = max(nodes, len(now.Nodes)), max(segments, now.Spent.Segments)
	})
	t.Logf("up to %d nodes and %d segments", nodes, segments)
}
