package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"llmzero/trainer/grpo/task"
)

// writeMoves says for every base that was measured, and for all of them together, whether the best values move while the
// model trains.
func (s *study) writeMoves(ctx context.Context, b *strings.Builder, t *task.Task) error {
	var bases [][]moved
	for n := 1; n <= task.Bases; n++ {
		constant, ms, err := s.moves(ctx, t, n)
		if errors.Is(err, errMissing) {
			continue
		}
		if err != nil {
			return err
		}
		if bases == nil {
			fmt.Fprintf(b, "## Do the best values move?\n\nFrom three states of a run with the best constant of the tight budget - at the start, after a quarter of the ample budget and after\nthree quarters - one more segment of a quarter is trained with one parameter changed. Validation accuracy after it, mean of\n%d fresh seeds; %d other seeds chose the best value of each state (in bold).\n\n", len(moveSeeds), len(moveScreening))
		}
		bases = append(bases, ms)
		fmt.Fprintf(b, "Base %d, around %s.\n\n", n, constant)
		for _, m := range ms {
			writeMoved(b, m)
		}
	}
	if len(bases) < 2 {
		return nil
	}
	fmt.Fprintf(b, "The %d bases together:\n\n", len(bases))
	for _, m := range pooled(bases) {
		fmt.Fprintf(b, "- %s\n", m.verdict())
	}
	b.WriteString("\n")
	return nil
}

// pooled puts the seeds of all bases together, sweep by sweep.
func pooled(bases [][]moved) []moved {
	out := make([]moved, len(bases[0]))
	join := func(at func(moved) [][][]float64, i int) [][][]float64 {
		all := make([][][]float64, len(states))
		for state := range all {
			all[state] = make([][]float64, len(out[i].values))
			for _, ms := range bases {
				for v, seeds := range at(ms[i])[state] {
					all[state][v] = append(all[state][v], seeds...)
				}
			}
		}
		return all
	}
	for i, m := range bases[0] {
		out[i].sweep = m.sweep
		out[i].screen = join(func(m moved) [][][]float64 { return m.screen }, i)
		out[i].fresh = join(func(m moved) [][][]float64 { return m.fresh }, i)
	}
	return out
}

func writeMoved(b *strings.Builder, m moved) {
	fmt.Fprintf(b, "| %s |", m.param)
	for _, v := range m.values {
		fmt.Fprintf(b, " %g |", v)
	}
	b.WriteString("\n|" + strings.Repeat("---|", len(m.values)+1) + "\n")
	for i, st := range states {
		fmt.Fprintf(b, "| %s |", st.name)
		for j, seeds := range m.fresh[i] {
			format := " %.3f |"
			if j == m.best(i) {
				format = " **%.3f** |"
			}
			fmt.Fprintf(b, format, average(seeds))
		}
		b.WriteString("\n")
	}
	b.WriteString("\n" + m.verdict() + "\n\n")
}

// verdict compares the values that were best first and last, at both ends, on the fresh seeds.
func (m moved) verdict() string {
	last := len(states) - 1
	first, then := m.best(0), m.best(last)
	also := ""
	if m.note != "" {
		also = " (" + m.note + ")"
	}
	if first == then {
		return fmt.Sprintf("%s%s: %g is best at both ends.", m.param, also, m.values[first])
	}
	d0, h0 := interval(differences(m.fresh[0][first], m.fresh[0][then]))
	d1, h1 := interval(differences(m.fresh[last][then], m.fresh[last][first]))
	word := "not shown to move"
	if d0 > h0 && d1 > h1 {
		word = "moves"
	}
	return fmt.Sprintf("%s%s: %s. %g rather than %g is worth %+.3f +- %.3f at the start, %g rather than %g is worth %+.3f +- %.3f late.",
		m.param, also, word, m.values[first], m.values[then], d0, h0, m.values[then], m.values[first], d1, h1)
}
