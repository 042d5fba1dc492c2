package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"llmzero/engine/event"
	"llmzero/engine/search"
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

// kept is the part of the budget that only confirmations may spend.
func (e *Engine) kept() tree.Budget {
	b := e.tree.Spec.Budget
	part := searchBudget(b)
	b.Segments, b.Tokens, b.Wall, b.GPUHours = b.Segments-part.Segments, b.Tokens-part.Tokens, b.Wall-part.Wall, b.GPUHours-part.GPUHours
	return b
}

// pays tells whether what is kept for confirmations pays for another retraining of n's path when spent is gone.
func (e *Engine) pays(n *tree.Node, spent tree.Spent) bool {
	all, kept := e.tree.Spec.Budget, e.kept()
	path := e.tree.PathCost(n.ID)
	c := spent.Cost.Plus(path)
	return all.Confirm > 0 &&
		(all.Segments == 0 || spent.Segments+n.Depth <= kept.Segments) &&
		(all.Tokens == 0 || c.Tokens() <= kept.Tokens) &&
		(all.Wall == 0 || c.WallSeconds <= kept.Wall.Seconds()) &&
		(all.GPUHours == 0 || c.GPUSeconds <= 3600*kept.GPUHours)
}

// committed is what confirmations have spent, and will have when those under way end.
func (e *Engine) committed() tree.Spent {
	s := e.tree.Confirm
	for id, runs := range e.confirming {
		for range runs {
			s.Segments += e.tree.Nodes[id].Depth
			s.Cost = s.Cost.Plus(e.tree.PathCost(id))
		}
	}
	return s
}

// candidates are the strategies that the confirm phase retrains: those that are worth most, best first, among those whose path what is
// kept pays for at all. A path that is too long for it does not take the turn of one that is not.
func (e *Engine) candidates() []*tree.Node {
	worth := search.Estimates(e.tree)
	var all []*tree.Node
	for _, n := range e.tree.Nodes {
		if n.ID != tree.Root && worth[n.ID].Known() && e.pays(n, tree.Spent{}) {
			all = append(all, n)
		}
	}
	slices.SortStableFunc(all, func(a, b *tree.Node) int { return cmp.Compare(worth[b.ID].Mean, worth[a.ID].Mean) })
	return all[:min(len(all), confirmPaths)]
}

// confirm starts retrainings on free slots and tells whether any is under way. Every candidate gets its first run before one
// gets a second.
func (e *Engine) confirm(work context.Context) bool {
	total := func(n *tree.Node) int { return len(n.Confirmed) + e.confirming[n.ID] + e.unconfirmed[n.ID] }
	candidates := e.candidates()
	for slot, busy := range e.slots {
		if busy != 0 {
			continue
		}
		spent := e.committed()
		all := slices.DeleteFunc(slices.Clone(candidates), func(n *tree.Node) bool { return total(n) >= confirmRuns || !e.pays(n, spent) })
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
