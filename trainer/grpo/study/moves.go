package main

import (
	"context"
	"maps"
	"math"
	"slices"

	"llmzero/engine/tree"
	"llmzero/trainer/grpo/task"
)

// A segment from three states of one training run, each time with one parameter at each of its values, shows whether the
// parameter's best value moves while the model trains.

// states are how much of the ample budget was spent before the segment.
var states = []struct {
	name  string
	spent float64
}{{"start", 0}, {"early", 0.25}, {"late", 0.75}}

// segmentShare is the segment's part of the ample budget.
const segmentShare = 0.25

// sweep is one parameter and the configurations of the segment, for each state one for each value.
type sweep struct {
	param  string
	note   string // what else differs from the constant
	values []float64
	set    [][]tree.Config // by state and value
}

// over returns a sweep of c; also says what else is set at a state.
func over(c tree.Config, param, note string, values []float64, also func(state int) tree.Config) sweep {
	s := sweep{param: param, note: note, values: values, set: make([][]tree.Config, len(states))}
	for i := range states {
		for _, v := range values {
			set := maps.Clone(c)
			maps.Copy(set, also(i))
			set[param] = tree.Number(v)
			s.set[i] = append(s.set[i], set)
		}
	}
	return s
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

// moves sweeps one parameter after another around the best constant of the tight budget: a fast learner, which leaves the
// most to gain by changing it later. All else stays: a larger group is a larger batch and so fewer steps. Lengths are tried
// on problems of every difficulty, so that only the length says which can be solved, and on those up to the difficulty that
// was found best at the state.
func (s *study) moves(ctx context.Context, t *task.Task, base int) (constant arm, out []moved, err error) {
	c, err := s.compare(ctx, t, base, int64(t.Budgets.Tight))
	if err != nil {
		return constant, nil, err
	}
	constant = c.best
	trunk := constant.stages[0].set
	caps := []float64{1, 2, 3, 4, 6, 8, 10}
	caps = slices.DeleteFunc(caps, func(d float64) bool { return d < float64(t.Difficulty.Lo) || d > float64(t.Difficulty.Hi) })
	room := tree.Config{"max_completion_length": tree.Number(float64(t.MaxCompletion))}
	difficulty, err := s.moved(ctx, t, base, trunk, over(trunk, "difficulty", "the default length", caps, func(int) tree.Config { return room }))
	if err != nil {
		return constant, nil, err
	}
	const steps = 6
	var lengths []float64
	for i := range steps + 1 { // even steps of the logarithm from 4 to the default
		lengths = append(lengths, math.Round(4*math.Pow(float64(t.MaxCompletion)/4, float64(i)/steps)))
	}
	out = append(out, difficulty)
	for _, sw := range []sweep{
		over(trunk, "num_generations", "prompts a step as they are", []float64{2, 4, 8, 16, 32}, func(int) tree.Config { return nil }),
		over(trunk, "max_completion_length", "problems of every difficulty", lengths, func(int) tree.Config {
			return tree.Config{"difficulty": tree.Number(float64(t.Difficulty.Hi))}
		}),
		over(trunk, "max_completion_length", "problems up to the difficulty that is best at the state", lengths, func(state int) tree.Config {
			return tree.Config{"difficulty": tree.Number(caps[difficulty.best(state)])}
		}),
	} {
		m, err := s.moved(ctx, t, base, trunk, sw)
		if err != nil {
			return constant, nil, err
		}
		out = append(out, m)
	}
	return constant, out, nil
}

// moved measures one sweep.
func (s *study) moved(ctx context.Context, t *task.Task, base int, trunk tree.Config, sw sweep) (moved, error) {
	ample := float64(t.Budgets.Ample)
	m := moved{sweep: sw}
	for state, st := range states {
		arms := make([]arm, len(sw.values))
		for i, set := range sw.set[state] {
			arms[i].stages = []stage{{segmentShare, set}}
			if st.spent > 0 {
				arms[i].stages = []stage{{st.spent, trunk}, {segmentShare, set}}
			}
		}
		tokens := int64(ample * (st.spent + segmentShare))
		screen, err := s.results(ctx, t, base, tokens, arms, moveScreening)
		if err != nil {
			return m, err
		}
		fresh, err := s.results(ctx, t, base, tokens, arms, moveSeeds)
		if err != nil {
			return m, err
		}
		m.screen, m.fresh = append(m.screen, validation(screen)), append(m.fresh, validation(fresh))
	}
	return m, nil
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
