package optim

import (
	"math"
	"testing"
)

// Against the textbook update in float64, written out for one weight.
func TestStepFollowsThePaper(t *testing.T) {
	grads := []float64{0.5, -0.2, 0.1, 3, 0}
	const lr, decay = 0.01, 0.1
	o, w := New(2), []float32{1, 7}
	m, v, x := 0.0, 0.0, 1.0
	for i, g := range grads {
		o.Step(w, []float32{float32(g), 100}, lr, 1, []Span{{0, 1, decay}})
		m, v = 0.9*m+0.1*g, 0.999*v+0.001*g*g
		mh, vh := m/(1-math.Pow(0.9, float64(i+1))), v/(1-math.Pow(0.999, float64(i+1)))
		x -= lr*decay*x + lr*mh/(math.Sqrt(vh)+1e-8)
		if math.Abs(float64(w[0])-x) > 1e-6 {
			t.Fatalf("after step %d: %g, want %g", i+1, w[0], x)
		}
	}
	if w[1] != 7 {
		t.Errorf("a weight outside the spans moved to %g", w[1])
	}
}

func TestScaledGradient(t *testing.T) {
	a, b := New(1), New(1)
	wa, wb := []float32{1}, []float32{1}
	for range 3 {
		a.Step(wa, []float32{2}, 0.1, 0.25, []Span{{0, 1, 0}})
		b.Step(wb, []float32{0.5}, 0.1, 1, []Span{{0, 1, 0}})
	}
	if wa[0] != wb[0] {
		t.Errorf("scaled %g, plain %g", wa[0], wb[0])
	}
}

func TestClip(t *testing.T) {
	g := []float32{3, 0, 4}
	n := Norm(g, []Span{{0, 3, 0}})
	if n != 5 {
		t.Fatalf("norm %g, want 5", n)
	}
	if s := ClipScale(n, 1); math.Abs(s-0.2) > 1e-6 {
		t.Errorf("scale %g, want 0.2", s)
	}
	for _, limit := range []float64{0, 10} {
		if s := ClipScale(n, limit); s != 1 {
			t.Errorf("limit %g: scale %g, want 1", limit, s)
		}
	}
}
