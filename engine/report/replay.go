package report

import (
	"context"
	"fmt"
	"io"

	"llmzero/engine/analysis"
	"llmzero/engine/strategy"
	"llmzero/engine/tree"
)

// Replay is the object of `llmzero strategy replay --json`.
type Replay struct {
	From   string            `json:"from"` // the search in which the strategy was found
	Node   tree.NodeID       `json:"node"`
	Task   string            `json:"task"`
	Base   int               `json:"base_model"`
	Stages int               `json:"stages"`
	Notes  []string          `json:"notes"` // what of the strategy had to give
	Runs   []ReplayRun       `json:"runs"`
	Before Scores            `json:"base"` // the base model's
	Val    analysis.Interval `json:"val"`
	Test   analysis.Interval `json:"test"`
}

// ReplayRun is one replay with a seed of its own.
type ReplayRun struct {
	Seed   uint64  `json:"seed"`
	Val    float64 `json:"val"`
	Test   float64 `json:"test"`
	Steps  int     `json:"steps"`
	Tokens int64   `json:"tokens"`
	WallS  float64 `json:"wall_s"`
}

// RunReplay replays a strategy with seeds from first on and tells its progress on w, a courtesy whose errors are not its concern.
func RunReplay(ctx context.Context, w io.Writer, tr strategy.Trainer, s strategy.Strategy, notes []string, first uint64, seeds int) (Replay, error) {
	all := make([]uint64, seeds)
	for i := range all {
		all[i] = first + uint64(i)
	}
	val, test, err := s.BaseScores(ctx, tr)
	if err != nil {
		return Replay{}, err
	}
	runs, err := strategy.Replay(ctx, tr, s, all, func(run, stage int) {
		_, _ = fmt.Fprintf(w, "run %d of %d, stage %d of %d\n", run+1, seeds, stage+1, len(s.Stages))
	})
	return MakeReplay(s, notes, runs, val, test), err
}

// MakeReplay reports the replays of a strategy.
func MakeReplay(s strategy.Strategy, notes []string, runs []strategy.Run, val, test tree.Score) Replay {
	r := Replay{
		From: s.Origin.Search, Node: s.Origin.Node, Task: s.Task, Base: s.Base, Stages: len(s.Stages),
		Notes: append([]string{}, notes...), Runs: []ReplayRun{}, Before: scores(val, test),
	}
	var vals, tests []float64
	for _, x := range runs {
		r.Runs = append(r.Runs, ReplayRun{x.Seed, x.Val.Mean, x.Test.Mean, x.Cost.Steps, x.Cost.Tokens(), x.Cost.WallSeconds})
		vals, tests = append(vals, x.Val.Mean), append(tests, x.Test.Mean)
	}
	r.Val, r.Test = analysis.Bootstrap(vals), analysis.Bootstrap(tests)
	return r
}

// ReplayText writes a replay for people.
func ReplayText(w io.Writer, r Replay) error {
	for _, n := range r.Notes {
		if _, err := fmt.Fprintln(w, "note: "+plain(n)); err != nil {
			return err
		}
	}
	rows := make([]string, len(r.Runs))
	for i, x := range r.Runs {
		rows[i] = fmt.Sprintf("%d\t%.3f\t%.3f\t%d\t%d\t%.1f", x.Seed, x.Val, x.Test, x.Steps, x.Tokens, x.WallS)
	}
	if err := grid(w, "SEED\tVALIDATION\tTEST\tSTEPS\tTOKENS\tSECONDS", rows); err != nil {
		return err
	}
	before := 0.0
	if r.Before.Test != nil {
		before = *r.Before.Test
	}
	_, err := fmt.Fprintf(w, "%s, base model %d: test %.3f, 95%% interval %.3f to %.3f over %d runs; the base model has %.3f\n",
		plain(r.Task), r.Base, r.Test.Mean, r.Test.Low, r.Test.High, r.Test.N, before)
	return err
}
