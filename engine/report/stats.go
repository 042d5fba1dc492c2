package report

import (
	"math"

	"llmzero/engine/tree"
)

// Confirmed sums up the retrainings of a path with fresh seeds.
type Confirmed struct {
	Runs int     `json:"runs"`
	Val  float64 `json:"val"`    // mean over the runs
	SE   float64 `json:"val_se"` // of the mean, from the spread between runs; 0 for a single one
	Test float64 `json:"test"`   // mean over the runs
}

func confirmed(all []tree.Confirmation) *Confirmed {
	if len(all) == 0 {
		return nil
	}
	c := &Confirmed{Runs: len(all)}
	n := float64(len(all))
	for _, x := range all {
		c.Val += x.Val.Mean / n
		c.Test += x.Test.Mean / n
	}
	if len(all) > 1 {
		var ss float64
		for _, x := range all {
			ss += (x.Val.Mean - c.Val) * (x.Val.Mean - c.Val)
		}
		c.SE = math.Sqrt(ss / (n - 1) / n)
	}
	return c
}

// Judging says what stopping doomed segments saved, and how often it was wrong.
type Judging struct {
	Stopped     int   `json:"stopped"` // by the judge or the agent
	SavedSteps  int   `json:"saved_steps"`
	SavedTokens int64 `json:"saved_tokens"` // estimated
	Trials      int   `json:"trials"`       // condemned segments that were run to their end all the same
	FalseStops  int   `json:"false_stops"`  // of the trials, those that ended above what condemned them
}

func judging(t *tree.Tree) *Judging {
	var j Judging
	for _, n := range t.Nodes {
		if n.Outcome == nil {
			continue
		}
		if s := n.Outcome.Stop; s != nil && s.By != "human" {
			j.Stopped++
			j.SavedSteps += s.SavedSteps
			j.SavedTokens += s.SavedTokens
		}
		if x := n.Outcome.Trial; x != nil {
			j.Trials++
			if x.FalseStop {
				j.FalseStops++
			}
		}
	}
	if j == (Judging{}) {
		return nil
	}
	return &j
}
