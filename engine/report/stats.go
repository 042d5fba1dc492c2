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
