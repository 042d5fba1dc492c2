package tui

import (
	"math"

	"llmzero/engine/tree"
)

// roundSteps are the round numbers of a decade on a log scale, 1-1.5-2-3-5-7 and the next decade's 1.
var roundSteps = [...]float64{1, 1.5, 2, 3, 5, 7, 10}

// nextRound is the next round value of a numeric parameter above or below v: on a log scale of the series above, else a multiple of
// a round twentieth of the range, and for whole numbers at least one away. A zero that switches a term off lies below the least value.
func nextRound(p tree.Param, v tree.Value, up bool) tree.Value {
	if p.Zero && v.Num <= p.Min && !up {
		return tree.Number(0)
	}
	if p.Zero && v.Num == 0 {
		return tree.Number(p.Min)
	}
	var next float64
	if p.Scale == tree.ScaleLog && p.Min > 0 && v.Num > 0 && p.Kind != tree.KindInt {
		next = nextInSeries(v.Num, up)
	} else {
		step := roundStep((p.Max - p.Min) / 20)
		if p.Kind == tree.KindInt {
			step = max(1, math.Round(step))
		} else { // values have three significant digits
			step = max(step, math.Pow(10, math.Floor(math.Log10(max(math.Abs(p.Min), math.Abs(p.Max))))-2))
		}
		const tiny = 1e-9 // what was reached by adding steps is on the grid
		if up {
			next = (math.Floor(v.Num/step+tiny) + 1) * step
		} else {
			next = (math.Ceil(v.Num/step-tiny) - 1) * step
		}
	}
	return p.Clamp(tree.Number(next))
}

// nextInSeries is the next number of the series above or below x.
func nextInSeries(x float64, up bool) float64 {
	decade := math.Pow(10, math.Floor(math.Log10(x)))
	const tiny = 1e-6
	m := x / decade
	if up {
		for _, s := range roundSteps {
			if s > m*(1+tiny) {
				return s * decade
			}
		}
		return 15 * decade
	}
	for i := len(roundSteps) - 1; i >= 0; i-- {
		if roundSteps[i] < m*(1-tiny) {
			return roundSteps[i] * decade
		}
	}
	return 0.7 * decade
}

// roundStep is the number of the series 1-2-5 nearest below x, or x's own decade.
func roundStep(x float64) float64 {
	if !(x > 0) {
		return 1
	}
	decade := math.Pow(10, math.Floor(math.Log10(x)))
	for _, s := range []float64{5, 2} {
		if x/decade >= s {
			return s * decade
		}
	}
	return decade
}
