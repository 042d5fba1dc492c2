package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
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

	mu    sync.Mutex
	begun map[string]func() (progress, error)
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
				r, err := s.train(ctx, t, base, tokens, a, seed)
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

// progress is where the stages of an arm have come to.
type progress struct {
	data   []byte // the last checkpoint
	spent  int64
	steps  int
	points []map[string]float64
}

// train runs one arm: its stages one after another, each from the last checkpoint of the one before. What a stage
// overspends (less than a step) is taken off the next, so that all arms get the same tokens.
func (s *study) train(ctx context.Context, t *task.Task, base int, tokens int64, a arm, seed uint64) (result, error) {
	started := time.Now()
	res := result{Task: t.Name, Base: base, Tokens: tokens, Arm: a.String(), Seed: seed, Kernel: kernel.Path()}
	p, err := s.stages(ctx, t, base, a.ends(tokens), a.stages, seed)
	res.Spent, res.Steps = p.spent, p.steps
	var failure *tree.Failure
	switch {
	case ctx.Err() != nil:
		return res, ctx.Err()
	case errors.As(err, &failure) && failure.Class == tree.FailNaN:
		res.Error = failure.Error()
		res.Wall = time.Since(started).Seconds()
		return res, nil // a measured outcome: this arm diverges
	case err != nil:
		return res, fmt.Errorf("%s, arm %s, seed %d: %w", t.Name, a, seed, err)
	}
	tr := &grpo.Trainer{Workers: 1}
	for split, to := range map[tree.Split]*float64{tree.SplitValidation: &res.Val, tree.SplitTest: &res.Test} {
		sc, _, err := tr.Evaluate(ctx, tree.Exam{Task: t.Name, Base: base, Data: p.data, Split: split, Seed: evalSeed})
		if err != nil {
			return res, err
		}
		*to = sc.Mean
	}
	tenth := max(1, len(p.points)/10)
	res.First, res.Last = means(p.points[:tenth]), means(p.points[len(p.points)-tenth:])
	res.Wall = time.Since(started).Seconds()
	return res, nil
}

// ends are the tokens that must be spent when each stage ends.
func (a arm) ends(tokens int64) []int64 {
	var total, reached float64
	for _, s := range a.stages {
		total += s.share
	}
	out := make([]int64, len(a.stages))
	for i, s := range a.stages {
		reached += s.share
		out[i] = int64(float64(tokens) * reached / total)
	}
	return out
}

// stages trains the stages up to their ends. What several arms have in common before their last stage is trained once.
func (s *study) stages(ctx context.Context, t *task.Task, base int, ends []int64, stages []stage, seed uint64) (progress, error) {
	last := len(stages) - 1
	var p progress
	if last > 0 {
		var err error
		if p, err = s.shared(ctx, t, base, ends[:last], stages[:last], seed); err != nil {
			return p, err
		}
	}
	cfg := grpo.SpaceOf(t).Defaults()
	maps.Copy(cfg, stages[last].set)
	job := tree.Job{
		Task: t.Name, Base: base, Seed: seed*1000 + uint64(last), Config: cfg, Resume: p.data, Tokens: ends[last] - p.spent, Checkpoints: 1,
	}
	p.points = slices.Clip(p.points) // others go on from the same points
	out, err := (&grpo.Trainer{Workers: 1}).Run(ctx, job, func(r tree.Report) error {
		if r.Checkpoint != nil {
			p.data = r.Checkpoint.Data
		}
		if r.Point != nil {
			p.points = append(p.points, r.Point.Values)
		}
		return nil
	})
	if err != nil {
		return p, err
	}
	p.spent += out.Cost.Tokens()
	p.steps += out.Cost.Steps
	return p, nil
}

// shared is stages, kept for the next arm that begins alike.
func (s *study) shared(ctx context.Context, t *task.Task, base int, ends []int64, stages []stage, seed uint64) (progress, error) {
	id := fmt.Sprint(t.Name, base, ends, arm{stages: stages}, seed)
	s.mu.Lock()
	run := s.begun[id]
	if run == nil {
		if s.begun == nil {
			s.begun = map[string]func() (progress, error){}
		}
		run = sync.OnceValues(func() (progress, error) { return s.stages(ctx, t, base, ends, stages, seed) })
		s.begun[id] = run
	}
	s.mu.Unlock()
	return run()
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
