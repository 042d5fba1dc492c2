package strategy

import (
	"context"

	"llmzero/engine/tree"
)

// Run is one replay of a strategy.
type Run struct {
	Seed uint64
	Val  tree.Score
	Test tree.Score
	Cost tree.Cost
}

// testSeed draws the completions of every replay's test score, so that runs are compared on the same luck.
const testSeed = 1

// Replay trains s from the base model once with each seed, one after the other, and scores every run on the test split. tell,
// which may be nil, hears of each stage before it runs. The runs that ended before an error are returned with it.
func Replay(ctx context.Context, tr Trainer, s Strategy, seeds []uint64, tell func(run, stage int)) ([]Run, error) {
	runs := make([]Run, 0, len(seeds))
	for i, seed := range seeds {
		jobs := s.Jobs(tree.Derive(seed, "replay"))
		last, cost, err := Train(ctx, tr, jobs, func(stage int) {
			if tell != nil {
				tell(i, stage)
			}
		})
		if err != nil {
			return runs, err
		}
		r := Run{Seed: seed, Val: last.Val, Cost: cost}
		if r.Test, cost, err = Examine(ctx, tr, jobs, last, testSeed); err != nil {
			return runs, err
		}
		r.Cost = r.Cost.Plus(cost)
		runs = append(runs, r)
	}
	return runs, nil
}

// BaseScores are the base model's own, on the splits and with the luck of the replays' test scores.
func (s Strategy) BaseScores(ctx context.Context, tr Trainer) (val, test tree.Score, err error) {
	exam := tree.Exam{Task: s.Task, Base: s.Base, Config: s.Stages[0].Config, Split: tree.SplitValidation, Seed: testSeed}
	if val, _, err = tr.Evaluate(ctx, exam); err != nil {
		return val, test, err
	}
	exam.Split = tree.SplitTest
	test, _, err = tr.Evaluate(ctx, exam)
	return val, test, err
}
