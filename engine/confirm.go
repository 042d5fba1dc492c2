package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"llmzero/engine/event"
	"llmzero/engine/strategy"
	"llmzero/engine/tree"
)

// What the confirm phase takes on: the best few strategies, each retrained a few times.
const (
	confirmPaths = 3
	confirmRuns  = 3
)

// attemptsOfConfirm numbers the attempts of retrained segments apart from those of the search, for trainers that keep files by
// node and attempt.
const attemptsOfConfirm = 100

// candidates are the strategies that the confirm phase retrains: the best nodes by validation, best first.
func (e *Engine) candidates() []*tree.Node {
	var all []*tree.Node
	for _, n := range e.tree.Nodes {
		if n.ID != tree.Root && n.State.Trained() && n.Val().Known() {
			all = append(all, n)
		}
	}
	slices.SortStableFunc(all, func(a, b *tree.Node) int { return cmp.Compare(b.Val().Mean, a.Val().Mean) })
	return all[:min(len(all), confirmPaths)]
}

// confirmBudget tells whether what is kept for confirmations pays for another retraining of n's path.
func (e *Engine) confirmBudget(n *tree.Node) bool {
	b, s := e.tree.Spec.Budget, e.tree.Confirm
	part := searchBudget(b)
	segments, tokens := n.Depth, e.tree.PathCost(n.ID).Tokens()
	for id, runs := range e.confirming { // what is under way
		s.Segments += runs * e.tree.Nodes[id].Depth
		s.Cost.SampledTokens += int64(runs) * e.tree.PathCost(id).Tokens()
	}
	if b.Confirm == 0 ||
		(b.Segments > 0 && s.Segments+segments > b.Segments-part.Segments) ||
		(b.Tokens > 0 && s.Cost.Tokens()+tokens > b.Tokens-part.Tokens) {
		return false
	}
	wall, gpu := (b.Wall - part.Wall).Seconds(), 3600*(b.GPUHours-part.GPUHours)
	return (b.Wall == 0 || s.Cost.WallSeconds < wall) && (b.GPUHours == 0 || s.Cost.GPUSeconds < gpu)
}

// confirm starts retrainings on free slots and tells whether any is under way. Every candidate gets its first run before one
// gets a second.
func (e *Engine) confirm(work context.Context) bool {
	total := func(n *tree.Node) int { return len(n.Confirmed) + e.confirming[n.ID] + e.unconfirmed[n.ID] }
	for slot, busy := range e.slots {
		if busy != 0 {
			continue
		}
		all := slices.DeleteFunc(e.candidates(), func(n *tree.Node) bool { return total(n) >= confirmRuns || !e.confirmBudget(n) })
		if len(all) == 0 {
			break
		}
		e.startConfirmation(work, slot, slices.MinFunc(all, func(a, b *tree.Node) int { return cmp.Compare(total(a), total(b)) }))
	}
	return len(e.confirming) > 0
}

// startConfirmation retrains a node's path from the base model with a seed of its own.
func (e *Engine) startConfirmation(work context.Context, slot int, n *tree.Node) {
	number := len(n.Confirmed) + e.confirming[n.ID] + e.unconfirmed[n.ID]
	spec := e.tree.Spec
	result := tree.Confirmation{Seed: tree.Derive(spec.Seed, "confirm", int(n.ID), number)}
	jobs, err := e.retraining(n, number, slot, result.Seed)
	e.confirming[n.ID]++
	e.slots[slot] = n.ID
	e.crew.start(func() func(context.Context) error {
		stages := 0
		if err == nil {
			stages, err = retrain(work, e.meter(), spec, jobs, &result)
		}
		return func(ctx context.Context) error {
			e.slots[slot] = 0
			if e.confirming[n.ID]--; e.confirming[n.ID] == 0 {
				delete(e.confirming, n.ID)
			}
			if without(ctx, e.opts.Logger, "a strategy could not be retrained", n.ID, err) {
				w := event.Wasted{Node: n.ID, Why: "an interrupted retraining", Cost: result.Cost, Confirm: true}
				if ctx.Err() == nil {
					e.unconfirmed[n.ID]++
					w.Why, w.Segments = "a retraining that failed: "+err.Error(), stages
				}
				return e.commit(ctx, nil, wasted(w)...)
			}
			return e.commit(ctx, nil, engineEntry(&event.Confirmed{Node: n.ID, Confirmation: result, Segments: len(jobs)}))
		}
	})
}

// retraining makes the jobs of one run of a node's strategy with a fresh seed.
func (e *Engine) retraining(n *tree.Node, number, slot int, seed uint64) ([]tree.Job, error) {
	s, err := strategy.Of(e.tree, n.ID)
	if err != nil {
		return nil, err
	}
	jobs := s.Jobs(seed)
	for i, x := range e.tree.Path(n.ID)[1:] {
		jobs[i].Node, jobs[i].Attempt, jobs[i].Slot = x.ID, attemptsOfConfirm*(1+int(n.ID))+number, e.slot(slot)
	}
	return jobs, nil
}

// retrain runs the jobs and scores their end on both splits. It tells how many were run, the one that failed included.
func retrain(ctx context.Context, tr Trainer, spec tree.Spec, jobs []tree.Job, result *tree.Confirmation) (stages int, err error) {
	last, cost, err := strategy.Train(ctx, tr, jobs, func(i int) { stages = i + 1 })
	result.Val, result.Cost = last.Val, cost
	if err == nil && !number(last.Val) {
		err = fmt.Errorf("the validation score is not a number")
	}
	if err != nil {
		result.Val = tree.Score{}
		return stages, err
	}
	result.Test, cost, err = strategy.Examine(ctx, tr, jobs, last, tree.Derive(spec.Seed, "test"))
	result.Cost = result.Cost.Plus(cost)
	return stages, err
}

// winner is the strategy to name: among those that were retrained the one with the best mean validation over its retrainings,
// so that luck on one seed does not win; without any, the best validation score.
func (e *Engine) winner() (tree.NodeID, string) {
	best, top, runs := tree.NodeID(-1), 0.0, 0
	for _, n := range e.candidates() {
		sum := 0.0
		for _, c := range n.Confirmed {
			sum += c.Val.Mean
		}
		if k := len(n.Confirmed); k > 0 && (best < 0 || sum/float64(k) > top) {
			best, top, runs = n.ID, sum/float64(k), k
		}
	}
	if best >= 0 {
		return best, fmt.Sprintf("best mean validation %.4g over %d retraining(s) with fresh seeds", top, runs)
	}
	if n, ok := e.tree.Best(); ok {
		return n.ID, "best validation score; it was not confirmed on fresh seeds"
	}
	return tree.Root, "nothing was trained"
}
