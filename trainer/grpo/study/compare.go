package main

import (
	"context"

	"llmzero/trainer/grpo/task"
)

// probeSeeds is the number of seeds of each probe.
const probeSeeds = 2

// budget is a declared token budget.
type budget struct {
	name   string
	tokens int64
}

// budgets are those at which a task is compared: all of them with the fine grid (ample only when it is asked for), middle
// with the coarse one.
func budgets(t *task.Task) []budget {
	b := []budget{{"tight", int64(t.Budgets.Tight)}, {"middle", int64(t.Budgets.Middle)}, {"ample", int64(t.Budgets.Ample)}}
	if !fine(t) {
		b = b[1:2]
	}
	return b
}

// comparison is the best constant and every schedule on the fresh seeds.
type comparison struct {
	screened
	tokens    int64
	grid      int // constants of the grid; of which screened.size started at this budget
	best      arm
	constant  []result
	schedules []arm
	staged    [][]result
	// landscape are the grid's arms and their first screening runs, where the whole grid ran at this budget.
	landscape      []arm
	landscapeScore []result
}

// compare screens the grid on the validation set, then scores the best constant and the schedules with fresh seeds. Above
// the tight budget only the better third of that budget's constants starts: the grid's first rung.
func (s *study) compare(ctx context.Context, t *task.Task, base int, tokens int64) (comparison, error) {
	c := comparison{tokens: tokens}
	arms := grid(t)
	c.grid = len(arms)
	if tight := int64(t.Budgets.Tight); fine(t) && tokens > tight {
		rs, err := s.results(ctx, t, base, tight, arms, screeningSeeds[:1])
		if err != nil {
			return c, err
		}
		arms, _ = rank(arms, rs)
		arms = arms[:len(arms)/3]
	}
	var err error
	if c.screened, err = s.screen(ctx, t, base, tokens, arms); err != nil {
		return c, err
	}
	if c.size == c.grid {
		first, err := s.results(ctx, t, base, tokens, arms, screeningSeeds[:1])
		if err != nil {
			return c, err
		}
		c.landscape = arms
		for _, rs := range first {
			c.landscapeScore = append(c.landscapeScore, rs[0])
		}
	}
	c.best = c.top[0]
	if fine(t) {
		c.schedules = append(schedules(t), derived(t, c.best)...)
	}
	rs, err := s.results(ctx, t, base, tokens, append([]arm{c.best}, c.schedules...), freshSeeds)
	if err != nil {
		return c, err
	}
	c.constant, c.staged = rs[0], rs[1:]
	return c, nil
}
