package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"llmzero/engine/tree"
	"llmzero/trainer/grpo"
	"llmzero/trainer/grpo/kernel"
	"llmzero/trainer/grpo/task"
)

// evalSeed is the same for every run: equal luck at evaluation.
const evalSeed = 7

// study runs arms and keeps their results.
type study struct {
	journal  *journal
	parallel int
	// offline runs nothing: what the journal lacks is errMissing.
	offline bool
}

// errMissing is returned when an offline study needs a run that the journal lacks.
var errMissing = errors.New("not measured yet")

// results runs every arm with every seed at a budget, those already in the journal aside, and returns them arm by arm.
func (s *study) results(ctx context.Context, t *task.Task, base int, tokens int64, arms []arm, seeds []uint64) ([][]result, error) {
	out := make([][]result, len(arms))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(s.parallel)
	var finished atomic.Int64
	for i, a := range arms {
		out[i] = make([]result, len(seeds))
		for j, seed := range seeds {
			if r, ok := s.journal.get(key{t.Name, base, tokens, a.String(), seed}); ok {
				out[i][j] = r
				continue
			}
			if s.offline {
				return nil, errMissing
			}
			g.Go(func() error {
				r, err := train(ctx, t, base, tokens, a, seed)
				if err != nil {
					return err
				}
				if n := finished.Add(1); n%20 == 0 {
					fmt.Fprintf(os.Stderr, "%s base %d, %d tokens: %d runs\n", t.Name, base, tokens, n)
				}
				out[i][j] = r
				return s.journal.add(r)
			})
		}
	}
	return out, g.Wait()
}

// train runs one arm: its stages one after another, each from the last checkpoint of the one before. What a stage
// overspends (less than a step) is taken off the next, so that all arms get the same tokens.
func train(ctx context.Context, t *task.Task, base int, tokens int64, a arm, seed uint64) (result, error) {
	started := time.Now()
	res := result{Task: t.Name, Base: base, Tokens: tokens, Arm: a.String(), Seed: seed, Kernel: kernel.Path()}
	tr := &grpo.Trainer{Workers: 1}
	var total, reached float64
	for _, s := range a.stages {
		total += s.share
	}
	var data []byte
	var points []map[string]float64
	for i, s := range a.stages {
		reached += s.share
		cfg := grpo.SpaceOf(t).Defaults()
		maps.Copy(cfg, s.set)
		job := tree.Job{
			Task: t.Name, Base: base, Seed: seed*1000 + uint64(i), Config: cfg, Resume: data,
			Tokens: int64(float64(tokens)*reached/total) - res.Spent, Checkpoints: 1,
		}
		out, err := tr.Run(ctx, job, func(r tree.Report) error {
			if r.Checkpoint != nil {
				data = r.Checkpoint.Data
			}
			if r.Point != nil {
				points = append(points, r.Point.Values)
			}
			return nil
		})
		if ctx.Err() != nil {
			return res, ctx.Err()
		}
		var failure *tree.Failure
		switch {
		case errors.As(err, &failure) && failure.Class == tree.FailNaN:
			res.Error = failure.Error()
			res.Wall = time.Since(started).Seconds()
			return res, nil // a measured outcome: this arm diverges
		case err != nil:
			return res, fmt.Errorf("%s, arm %s, seed %d: %w", t.Name, a, seed, err)
		}
		res.Spent += out.Cost.Tokens()
		res.Steps += out.Cost.Steps
	}
	for split, to := range map[tree.Split]*float64{tree.SplitValidation: &res.Val, tree.SplitTest: &res.Test} {
		sc, _, err := tr.Evaluate(ctx, tree.Exam{Task: t.Name, Base: base, Data: data, Split: split, Seed: evalSeed})
		if err != nil {
			return res, err
		}
		*to = sc.Mean
	}
	tenth := max(1, len(points)/10)
	res.First, res.Last = means(points[:tenth]), means(points[len(points)-tenth:])
	res.Wall = time.Since(started).Seconds()
	return res, nil
}

// watched are the metrics kept of each run.
var watched = []string{
	tree.MetricReward, tree.MetricEntropy, tree.MetricKL, tree.MetricLength, tree.MetricTruncated, tree.MetricZeroStd,
	tree.MetricAllRight, tree.MetricAllWrong, tree.MetricGradNorm,
}

func means(points []map[string]float64) map[string]float64 {
	out := map[string]float64{}
	for _, name := range watched {
		for _, p := range points {
			out[name] += p[name] / float64(len(points))
		}
	}
	return out
}
