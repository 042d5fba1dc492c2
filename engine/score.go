package engine

import (
	"context"
	"errors"
	"strings"

	"llmzero/engine/event"
	"llmzero/engine/tree"
)

// exam scores a node's chosen checkpoint, outside the loop.
func (e *Engine) exam(ctx context.Context, spec tree.Spec, n tree.Node, split tree.Split, samples int, seed uint64) (tree.Score, tree.Cost, error) {
	x := tree.Exam{Task: spec.Task, Base: spec.Base, Config: n.Config, Split: split, Samples: samples, Seed: seed}
	if c, ok := n.Outcome.Checkpoint(); ok {
		x.Ref = c.Ref
	}
	if strings.HasPrefix(x.Ref, "sha256:") {
		data, err := e.opts.Record.LoadBlob(ctx, x.Ref)
		if err != nil {
			return tree.Score{}, tree.Cost{}, err
		}
		x.Data = data
	}
	return e.meter().Evaluate(ctx, x)
}

// moreSamples is how many times the samples of its last score a re-evaluation takes.
const moreSamples = 4

// reevaluate scores a node's checkpoint on more samples; the score arrives as an entry of its own.
func (e *Engine) reevaluate(ctx context.Context, c tree.Command) error {
	n, err := e.in(c.Node, "score it again", tree.StateEvaluated, tree.StateStopped)
	if err != nil {
		return err
	}
	if e.crew == nil {
		return errors.New("the search does not run; resume it first")
	}
	e.startReevaluation(ctx, n, moreSamples, human)
	return nil
}

// unsure tells whether a node that is about to be expanded is first to be scored on more samples: a search may ask for that
// (tree.Spec.Rescore). It is done once a node.
func (e *Engine) unsure(p pick) bool {
	n := e.tree.Nodes[p.node]
	if e.tree.Spec.Rescore <= 1 || n.ID == tree.Root || p.fresh || e.rescored[n.ID] || n.Val().SE == 0 {
		return false
	}
	return n.Val().N < e.tree.Spec.Rescore*e.tree.Base().N
}

// startReevaluation scores a node's chosen checkpoint on that many times the samples of its last score, as who wants it.
func (e *Engine) startReevaluation(work context.Context, n *tree.Node, times int, who string) {
	spec, node := e.tree.Spec, *n
	samples := times * max(1, node.Val().N)
	e.rescored[node.ID] = true
	e.rescoring[node.ID]++
	e.crew.start(func() func(context.Context) error {
		val, cost, err := e.exam(work, spec, node, tree.SplitValidation, samples, tree.Derive(spec.Seed, "re-evaluate", int(node.ID), samples))
		return func(ctx context.Context) error {
			if e.rescoring[node.ID]--; e.rescoring[node.ID] == 0 {
				delete(e.rescoring, node.ID)
			}
			n := e.tree.Nodes[node.ID]
			if without(ctx, e.opts.Logger, "no second score", n.ID, err) || !n.State.Trained() || n.Outcome.Chosen != node.Outcome.Chosen {
				// It failed, or the node was pruned or another checkpoint was chosen meanwhile.
				return e.commit(ctx, nil, wasted(event.Wasted{Node: node.ID, Why: "a second score that came to nothing", Cost: cost})...)
			}
			return e.commit(ctx, nil, entry{who, &event.Reevaluated{Node: node.ID, Val: val, Cost: cost}})
		}
	})
}
