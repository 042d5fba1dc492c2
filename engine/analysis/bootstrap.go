package analysis

import (
	"math/rand/v2"
	"slices"
)

// Interval is a mean with its 95% interval.
type Interval struct {
	Mean float64 `json:"mean"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
	N    int     `json:"n"`
}

// resamples is the number of bootstrap samples: enough that the ends of the interval do not move in the second digit.
const resamples = 10_000

// Bootstrap is the mean of x with its 95% percentile bootstrap interval (Efron and Tibshirani, 1993, chapter 13). With one value
// the interval is that value, and with a handful it is too narrow: N stands beside it. The same x gives the same interval.
func Bootstrap(x []float64) Interval {
	out := Interval{N: len(x)}
	if len(x) == 0 {
		return out
	}
	out.Mean = mean(x)
	rng := rand.New(rand.NewPCG(uint64(len(x)), 0x626f6f74))
	means, draw := make([]float64, resamples), make([]float64, len(x))
	for i := range means {
		for j := range draw {
			draw[j] = x[rng.IntN(len(x))]
		}
		means[i] = mean(draw)
	}
	slices.Sort(means)
	out.Low, out.High = means[resamples*25/1000], means[resamples*975/1000-1]
	return out
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}
