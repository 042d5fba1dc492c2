package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestExp(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 9))
	worst := 0.0
	for range 200_000 {
		x := float32(rng.Float64()*175 - 87)
		want := math.Exp(float64(x))
		worst = max(worst, math.Abs(float64(Exp(x))-want)/want)
	}
	if worst > 2.4e-7 { // two units in the last place
		t.Errorf("worst relative error %.3g", worst)
	}
	for _, x := range []float32{-1000, float32(math.Inf(-1))} {
		if y := Exp(x); y < 0 || y > 1.3e-38 {
			t.Errorf("Exp(%g) = %g", x, y)
		}
	}
	for _, x := range []float32{1000, float32(math.Inf(1))} {
		if y := Exp(x); y < 1e38 || math.IsInf(float64(y), 0) {
			t.Errorf("Exp(%g) = %g", x, y)
		}
	}
	if y := Exp(float32(math.NaN())); y == y {
		t.Errorf("Exp(NaN) = %g", y)
	}
	if Exp(0) != 1 {
		t.Errorf("Exp(0) = %g", Exp(0))
	}
}

func TestSoftmax(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(2, 9))
		for n := 1; n <= 70; n++ {
			for _, scale := range []float32{0.25, 1, 3} {
				x := randoms(rng, n)
				for i := range x {
					x[i] = x[i]*4 + 50
				}
				var sum float64
				for _, v := range x {
					sum += math.Exp(float64(scale) * float64(v-50))
				}
				logZ := math.Log(sum) + 50*float64(scale)
				got := append([]float32(nil), x...)
				if z := Softmax(got, scale); math.Abs(float64(z)-logZ) > 2e-5*math.Abs(logZ) {
					t.Errorf("n %d: log partition %g, want %g", n, z, logZ)
				}
				for i, v := range x {
					want := math.Exp(float64(scale)*float64(v) - logZ)
					if math.Abs(float64(got[i])-want) > 2e-6*want+1e-30 {
						t.Errorf("n %d: p[%d] = %g, want %g", n, i, got[i], want)
					}
				}
			}
		}
	})
	if z := Softmax(nil, 1); !math.IsInf(float64(z), -1) {
		t.Errorf("Softmax of nothing gives %g", z)
	}
}
