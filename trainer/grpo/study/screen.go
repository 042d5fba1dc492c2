package main

import (
	"cmp"
	"context"
	"slices"

	"llmzero/trainer/grpo/task"
)

// finalists are re-run with all screening seeds.
const finalists = 10

// screened is what a grid came to at one budget.
type screened struct {
	size int   // constants that were tried
	runs int   // screening runs
	top  []arm // finalists, best mean validation score first
	mean []float64
}

// screen finds the best constant by successive halving over seeds on the validation set: every candidate once, the best
// quarter twice, the top ten with all screening seeds.
func (s *study) screen(ctx context.Context, t *task.Task, base int, tokens int64, arms []arm) (screened, error) {
	out := screened{size: len(arms), top: arms}
	seeds := 0
	for _, rung := range []struct{ keep, seeds int }{{len(arms), 1}, {max(finalists, len(arms)/4), 2}, {finalists, len(screeningSeeds)}} {
		out.top = out.top[:min(rung.keep, len(out.top))]
		out.runs += len(out.top) * (rung.seeds - seeds)
		seeds = rung.seeds
		rs, err := s.results(ctx, t, base, tokens, out.top, screeningSeeds[:rung.seeds])
		if err != nil {
			return out, err
		}
		out.top, out.mean = rank(out.top, rs)
	}
	return out, nil
}

// rank orders arms by mean validation score, best first; equal scores keep their order.
func rank(arms []arm, rs [][]result) ([]arm, []float64) {
	type scored struct {
		arm  arm
		mean float64
	}
	all := make([]scored, len(arms))
	for i, a := range arms {
		all[i].arm = a
		for _, r := range rs[i] {
			all[i].mean += r.Val / float64(len(rs[i]))
		}
	}
	slices.SortStableFunc(all, func(a, b scored) int { return cmp.Compare(b.mean, a.mean) })
	sorted, mean := make([]arm, len(all)), make([]float64, len(all))
	for i, x := range all {
		sorted[i], mean[i] = x.arm, x.mean
	}
	return sorted, mean
}
