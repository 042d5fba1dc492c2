package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// onEachPath runs f under every path that this CPU has.
func onEachPath(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	was := Path()
	defer func() {
		if err := Use(was); err != nil {
			t.Error(err)
		}
	}()
	for _, name := range Paths() {
		if err := Use(name); err != nil {
			t.Fatal(err)
		}
		t.Run(name, f)
	}
}

func randoms(rng *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	return x
}

// reference is the float64 product; it also returns the sum of magnitudes, against which rounding is measured.
func reference(a []float32, rs, cs, m int, b []float32, rsb, csb, n, k int) (c, mag []float64) {
	c, mag = make([]float64, m*n), make([]float64, m*n)
	for i := range m {
		for j := range n {
			for p := range k {
				x := float64(a[i*rs+p*cs]) * float64(b[p*rsb+j*csb])
				c[i*n+j] += x
				mag[i*n+j] += math.Abs(x)
			}
		}
	}
	return c, mag
}

func TestMulAgainstFloat64(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			m := rapid.IntRange(0, 40).Draw(t, "m")
			n := rapid.IntRange(1, 70).Draw(t, "n")
			k := rapid.IntRange(0, 300).Draw(t, "k")
			transA, transB := rapid.Bool().Draw(t, "transA"), rapid.Bool().Draw(t, "transB")
			acc := rapid.Bool().Draw(t, "acc")
			pad := rapid.IntRange(0, 5).Draw(t, "pad")
			rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
			rs, cs := k+pad, 1
			if transA {
				rs, cs = 1, m+pad
			}
			rsb, csb := n+pad, 1
			if transB {
				rsb, csb = 1, k+pad
			}
			a, b := randoms(rng, (m+pad+1)*(k+pad+1)), randoms(rng, (k+pad+1)*(n+pad+1))
			ldc := n + pad
			c := randoms(rng, m*ldc)
			before := append([]float32(nil), c...)
			var packed Packed
			packed.Pack(b, rsb, csb, k, n)
			Mul(c, ldc, a, rs, cs, m, &packed, acc)
			want, mag := reference(a, rs, cs, m, b, rsb, csb, n, k)
			compare(t, c, before, want, mag, m, n, ldc, acc)
			if n%Width == 0 && csb == 1 {
				d := append([]float32(nil), before...)
				MulRows(d, ldc, a, rs, cs, m, b, rsb, k, n, acc)
				for i := range d {
					if d[i] != c[i] {
						t.Fatalf("MulRows differs from Mul at %d: %g, %g", i, d[i], c[i])
					}
				}
				if m > 0 && cs == 1 && !acc {
					row := make([]float32, n)
					MulRow(row, a[:k], b, rsb)
					for j := range row {
						if row[j] != c[j] {
							t.Fatalf("MulRow differs from Mul at column %d: %g, %g", j, row[j], c[j])
						}
					}
				}
			}
		})
	})
}

func compare(t *rapid.T, c, before []float32, want, mag []float64, m, n, ldc int, acc bool) {
	for i := range m {
		for j := range ldc {
			got, old := c[i*ldc+j], before[i*ldc+j]
			if j >= n {
				if got != old {
					t.Fatalf("wrote outside C at row %d column %d", i, j)
				}
				continue
			}
			w, tol := want[i*n+j], 1e-5*mag[i*n+j]+1e-6
			if acc {
				w += float64(old)
				tol += 1e-6 * math.Abs(float64(old))
			}
			if math.Abs(float64(got)-w) > tol {
				t.Fatalf("C[%d,%d] = %g, want %g within %g", i, j, got, w, tol)
			}
		}
	}
}

// A row's bits must not depend on the rows computed with it: the trainer's determinism rests on it.
func TestRowsAreIndependent(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			m, n, k := rapid.IntRange(1, 50).Draw(t, "m"), rapid.IntRange(1, 40).Draw(t, "n"), rapid.IntRange(1, 600).Draw(t, "k")
			rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 2))
			a, b := randoms(rng, m*k), randoms(rng, k*n)
			var packed Packed
			packed.Pack(b, n, 1, k, n)
			all, one := make([]float32, m*n), make([]float32, n)
			Mul(all, n, a, k, 1, m, &packed, false)
			for i := range m {
				Mul(one, n, a[i*k:], k, 1, 1, &packed, false)
				for j := range n {
					if math.Float32bits(one[j]) != math.Float32bits(all[i*n+j]) {
						t.Fatalf("row %d of %d alone gives %g at column %d, with the others %g", i, m, one[j], j, all[i*n+j])
					}
				}
			}
		})
	})
}

// The two assembly paths run the same chain of fused multiply-adds.
func TestAssemblyPathsAgree(t *testing.T) {
	if !slices.Contains(Paths(), "avx512") {
		t.Skip("this CPU has no AVX-512")
	}
	was := path
	defer func() { path = was }()
	rng := rand.New(rand.NewPCG(3, 3))
	for _, s := range [][3]int{{1, 1, 1}, {7, 33, 64}, {13, 96, 300}, {29, 16, 257}} {
		m, n, k := s[0], s[1], s[2]
		a, b := randoms(rng, m*k), randoms(rng, k*n)
		var packed Packed
		packed.Pack(b, n, 1, k, n)
		c2, c5 := make([]float32, m*n), make([]float32, m*n)
		path = pathAVX2
		Mul(c2, n, a, k, 1, m, &packed, false)
		path = pathAVX512
		Mul(c5, n, a, k, 1, m, &packed, false)
		for i := range c2 {
			if c2[i] != c5[i] {
				t.Fatalf("%v: element %d is %g on avx2 and %g on avx512", s, i, c2[i], c5[i])
			}
		}
	}
}

func TestChoose(t *testing.T) {
	if got := choose("go"); got != pathGo {
		t.Errorf(`choose("go") = %v`, got)
	}
	paths := Paths()
	for _, name := range []string{"", "cuda"} {
		if got, best := pathNames[choose(name)], paths[len(paths)-1]; got != best {
			t.Errorf("choose(%q) = %s, want the best path %s", name, got, best)
		}
	}
}

func TestUseRefusesUnknownPaths(t *testing.T) {
	was := Path()
	if err := Use("cuda"); err == nil || Path() != was {
		t.Errorf("error %v, path %s", err, Path())
	}
}

func TestMulRefusesShortSlices(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("Mul accepted a C that is too short")
		}
	}()
	var packed Packed
	packed.Pack(make([]float32, 64), 16, 1, 4, 16)
	Mul(make([]float32, 31), 16, make([]float32, 8), 4, 1, 2, &packed, false)
}

// Shapes of the trainer: rows x terms x columns.
var shapes = [][3]int{{2048, 64, 64}, {2048, 64, 256}, {128, 64, 64}, {2048, 32, 96}, {64, 32, 128}, {20, 64, 64}}

// BenchmarkMul times the product with B packed beforehand, as in a step, where weights are packed once an update and used for
// every row of the batch.
func BenchmarkMul(b *testing.B) { benchMul(b, false) }

// BenchmarkMulPacking packs B within each product, as sgemm does in testdata/blas_bench.c.
func BenchmarkMulPacking(b *testing.B) { benchMul(b, true) }

// benchMul counts the thread's own CPU time, as testdata/blas_bench.c does, so that other programs disturb it little.
func benchMul(b *testing.B, packing bool) {
	was := path
	defer func() { path = was }()
	rng := rand.New(rand.NewPCG(1, 1))
	for _, kind := range slices.Backward(detect()) {
		for _, s := range shapes {
			m, k, n := s[0], s[1], s[2]
			b.Run(fmt.Sprintf("%s/%dx%dx%d", pathNames[kind], m, k, n), func(b *testing.B) {
				path = kind
				x, w := randoms(rng, m*k), randoms(rng, k*n)
				c := make([]float32, m*n)
				var packed Packed
				packed.Pack(w, n, 1, k, n)
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
				b.ReportAllocs()
				start := threadSeconds()
				for b.Loop() {
					if packing {
						packed.Pack(w, n, 1, k, n)
					}
					Mul(c, n, x, k, 1, m, &packed, false)
				}
				b.ReportMetric(2*float64(m*n*k)*float64(b.N)/(threadSeconds()-start)/1e9, "GFLOP/s")
			})
		}
	}
}
