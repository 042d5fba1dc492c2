package analysis

import (
	"math"
	"math/rand/v2"
	"testing"
)

// For many normal draws the percentile interval is near mean +- 1.96 standard errors.
func TestBootstrap(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	x := make([]float64, 400)
	for i := range x {
		x[i] = 5 + rng.NormFloat64()
	}
	b := Bootstrap(x)
	if half := 1.96 / math.Sqrt(400); math.Abs(b.High-b.Mean-half) > 0.02 || math.Abs(b.Mean-b.Low-half) > 0.02 || b.N != 400 {
		t.Errorf("%+v, want about +- %.3f", b, half)
	}
	if again := Bootstrap(x); again != b {
		t.Errorf("%+v and %+v from the same numbers", b, again)
	}
	if one := Bootstrap([]float64{0.3}); one != (Interval{0.3, 0.3, 0.3, 1}) {
		t.Errorf("one value: %+v", one)
	}
	if none := Bootstrap(nil); none != (Interval{}) {
		t.Errorf("no value: %+v", none)
	}
	if two := Bootstrap([]float64{0, 1}); two.Low != 0 || two.High != 1 || two.Mean != 0.5 {
		t.Errorf("two values: %+v", two)
	}
}
