package main

import (
	"context"
	"maps"

	"llmzero/engine/tree"
	"llmzero/trainer/grpo/task"
)

// A segment from three states of one training run, each time with one parameter at each of its values, shows whether the
// parameter's best value moves while the model trains.

// states are how much of the middle budget was spent before the segment.
var states = []struct {
	name  string
	spent float64
}{{"start", 0}, {"early", 0.25}, {"late", 0.75}}

// segmentShare is the segment's part of the middle budget.
const segmentShare = 0.25

// sweep is one parameter and the configurations of the segment, one for each value.
type sweep struct {
	param  string
	note   string // what else differs from the constant
	values []float64
	set    []tree.Config
}

// sweeps vary one parameter of a constant. Groups keep the number of completions a step. Lengths are tried on problems of every
// difficulty, so that only the length says which of them can be solved.
func sweeps(t *task.Task, c tree.Config) []sweep {
	add := func(s *sweep, v float64, over tree.Config) {
		set := maps.Clone(c)
		maps.Copy(set, over)
		set[s.param] = tree.Number(v)
		s.values, s.set = append(s.values, v), append(s.set, set)
	}
	difficulty := sweep{param: "difficulty"}
	for d := t.Difficulty.Lo; d <= t.Difficulty.Hi; d++ {
		add(&difficulty, float64(d), nil)
	}
	group := sweep{param: "num_generations", note: "the same number of completions a step"}
	for n := 2; n <= 32; n *= 2 {
		rows := c.Float("num_generations") * c.Float("prompts_per_step")
		add(&group, float64(n), tree.Config{"prompts_per_step": tree.Number(max(2, rows/float64(n)))})
	}
	length := sweep{param: "max_completion_length", note: "problems of every difficulty"}
	for n := 4; n <= t.MaxAnswer+2; n += 2 {
		add(&length, float64(n), tree.Config{"difficulty": tree.Number(float64(t.Difficulty.Hi))})
	}
	return []sweep{difficulty, group, length}
}

// moved is how one parameter's values came out: validation accuracy after the segment by state, value and seed, with the
// seeds that select and the fresh ones apart.
type moved struct {
	sweep
	screen, fresh [][][]float64
}

// best is the index of the value with the highest mean of the screening seeds at a state.
func (m moved) best(state int) int {
	at, top := 0, -1.0
	for i, seeds := range m.screen[state] {
		if mean := average(seeds); mean > top {
			at, top = i, mean
		}
	}
	return at
}

// moves measures the sweeps around the best constant of the middle budget.
func (s *study) moves(ctx context.Context, t *task.Task, base int) (constant arm, out []moved, err error) {
	middle := int64(t.Budgets.Middle)
	c, err := s.compare(ctx, t, base, middle)
	if err != nil {
		return constant, nil, err
	}
	constant = c.best
	trunk := constant.stages[0].set
	for _, sw := range sweeps(t, trunk) {
		m := moved{sweep: sw}
		for _, st := range states {
			arms := make([]arm, len(sw.set))
			for i, set := range sw.set {
				arms[i].stages = []stage{{segmentShare, set}}
				if st.spent > 0 {
					arms[i].stages = []stage{{st.spent, trunk}, {segmentShare, set}}
				}
			}
			tokens := int64(float64(middle) * (st.spent + segmentShare))
			screen, err := s.results(ctx, t, base, tokens, arms, screeningSeeds)
			if err != nil {
				return constant, nil, err
			}
			fresh, err := s.results(ctx, t, base, tokens, arms, freshSeeds)
			if err != nil {
				return constant, nil, err
			}
			m.screen, m.fresh = append(m.screen, validation(screen)), append(m.fresh, validation(fresh))
		}
		out = append(out, m)
	}
	return constant, out, nil
}

func validation(rs [][]result) [][]float64 {
	out := make([][]float64, len(rs))
	for i, seeds := range rs {
		for _, r := range seeds {
			out[i] = append(out[i], r.Val)
		}
	}
	return out
}
