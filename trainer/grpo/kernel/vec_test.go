package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// close checks got against want, element by element, relative to the largest |want|.
func closeTo(t *testing.T, what string, got []float32, want []float64) {
	t.Helper()
	top := 1e-30
	for _, w := range want {
		top = max(top, math.Abs(w))
	}
	for i, w := range want {
		if math.Abs(float64(got[i])-w) > 2e-6*top {
			t.Fatalf("%s: element %d is %g, want %g", what, i, got[i], w)
		}
	}
}

func TestRMSNormAgainstFloat64(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(4, 4))
		for _, n := range []int{16, 32, 48, 64} {
			for _, rows := range []int{0, 1, 5} {
				x, g, dy := randoms(rng, rows*n), randoms(rng, n), randoms(rng, rows*n)
				y, r := make([]float32, rows*n), make([]float32, rows)
				RMSNorm(y, r, x, g)
				dx, dg := randoms(rng, rows*n), randoms(rng, n)
				wy, wdx, wdg := make([]float64, rows*n), make([]float64, rows*n), make([]float64, n)
				for j := range dg {
					wdg[j] = float64(dg[j])
				}
				for i := range rows {
					var ss, dot float64
					for j := range n {
						ss += float64(x[i*n+j]) * float64(x[i*n+j])
						dot += float64(x[i*n+j]) * float64(dy[i*n+j]) * float64(g[j])
					}
					s := 1 / math.Sqrt(ss/float64(n)+NormEps)
					for j := range n {
						at := i*n + j
						wy[at] = float64(x[at]) * s * float64(g[j])
						wdx[at] = float64(dx[at]) + float64(dy[at])*s*float64(g[j]) - s*s*s*dot/float64(n)*float64(x[at])
						wdg[j] += float64(dy[at]) * s * float64(x[at])
					}
				}
				RMSNormGrad(dx, dg, dy, x, r, g)
				closeTo(t, "y", y, wy)
				closeTo(t, "dx", dx, wdx)
				closeTo(t, "dg", dg, wdg)
			}
		}
	})
}

func TestElementwise(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(5, 5))
		a, d := randoms(rng, 40), randoms(rng, 40)
		act := make([]float32, 40)
		was, dwas := append([]float32(nil), a...), append([]float32(nil), d...)
		ReLUSquare(act, a)
		ReLUSquareGrad(d, a)
		for i, v := range was {
			v = max(v, 0)
			if a[i] != v || act[i] != v*v || d[i] != dwas[i]*2*v {
				t.Fatalf("element %d: relu %g, square %g, gradient %g", i, a[i], act[i], d[i])
			}
		}
		for n := range 20 {
			x, y := randoms(rng, n), randoms(rng, n)
			want := append([]float32(nil), x...)
			for i := range want {
				want[i] += y[i]
			}
			Add(x, y)
			for i := range x {
				if x[i] != want[i] {
					t.Fatalf("Add of %d: element %d is %g, want %g", n, i, x[i], want[i])
				}
			}
		}
	})
}

func TestSoftmaxGrad(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(6, 6))
		for _, n := range []int{8, 16, 48} {
			ds, p := randoms(rng, 3*n), randoms(rng, 3*n)
			want := make([]float64, 3*n)
			for i := range 3 {
				var dot float64
				for j := range n {
					dot += float64(ds[i*n+j]) * float64(p[i*n+j])
				}
				for j := range n {
					want[i*n+j] = 0.25 * float64(p[i*n+j]) * (float64(ds[i*n+j]) - dot)
				}
			}
			SoftmaxGrad(ds, p, 3, n, 0.25)
			closeTo(t, "ds", ds, want)
		}
	})
}

func TestTranspose(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(9, 9))
		for rows := range 40 {
			const stride, ld = 21, 43
			src, dst := randoms(rng, 40*stride), randoms(rng, Width*ld)
			want := append([]float32(nil), dst...)
			for i := range rows {
				for j := range Width {
					want[j*ld+i] = src[i*stride+j]
				}
			}
			Transpose(dst, ld, src, stride, rows)
			for i := range want {
				if dst[i] != want[i] {
					t.Fatalf("%d rows: element %d is %g, want %g", rows, i, dst[i], want[i])
				}
			}
		}
	})
}

// A padded row and a dense one must give the same bits: the sampler and the forward pass keep their rows differently.
func TestSoftmaxRowIsSoftmax(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(7, 7))
		for n := 1; n <= 48; n++ {
			dense, row := randoms(rng, n), randoms(rng, 48)
			copy(row, dense)
			Softmax(dense, 0.25)
			SoftmaxRow(row, n, 0.25)
			for i, v := range row {
				if i < n && v != dense[i] || i >= n && v != 0 {
					t.Fatalf("n %d: element %d is %g", n, i, v)
				}
			}
		}
	})
}

func TestAdamAgreesOnAllPaths(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	const n = 37
	g := randoms(rng, n)
	c := Adam{GradScale: 0.5, Beta1: 0.9, C1: 0.1, Beta2: 0.999, C2: 0.001, Rate: 1e-3, Root: 1.1, Eps: 1e-8, Keep: 0.999}
	w0 := randoms(rng, n)
	var want []float32
	onEachPath(t, func(t *testing.T) {
		w, m, v := append([]float32(nil), w0...), make([]float32, n), make([]float32, n)
		for range 3 {
			c.Update(w, g, m, v)
		}
		if want == nil {
			want = w
		}
		for i := range w {
			if w[i] != want[i] {
				t.Fatalf("weight %d is %g, on the Go path %g", i, w[i], want[i])
			}
		}
	})
}

func TestShapesAreChecked(t *testing.T) {
	for name, f := range map[string]func(){
		"width":  func() { RMSNorm(make([]float32, 8), make([]float32, 1), make([]float32, 8), make([]float32, 8)) },
		"length": func() { RMSNorm(make([]float32, 8), make([]float32, 1), make([]float32, 16), make([]float32, 16)) },
		"row":    func() { SoftmaxRow(make([]float32, 9), 9, 1) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

func BenchmarkSoftmax(b *testing.B) {
	x := randoms(rand.New(rand.NewPCG(1, 1)), 32)
	for b.Loop() {
		SoftmaxRow(x, 20, 0.25)
	}
}
