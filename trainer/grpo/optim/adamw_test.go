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
		o.Step(w, []float32{float32(g), 100}, lr, 1, []Span{{From: 0, To: 1, Decay: decay}})
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
		a.Step(wa, []float32{2}, 0.1, 0.25, []Span{{From: 0, To: 1}})
		b.Step(wb, []float32{0.5}, 0.1, 1, []Span{{From: 0, To: 1}})
	}
	if wa[0] != wb[0] {
		t.Errorf("scaled %g, plain %g", wa[0], wb[0])
	}
}

func TestClip(t *testing.T) {
	g := []float32{3, 0, 4}
	n := Norm(g, []Span{{From: 0, To: 3}})
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

// A weight that joins late has the first updates of a fresh optimizer, and the old ones go on as if alone.
func TestLateWeights(t *testing.T) {
	const lr, before = 0.01, 20
	grads := []float32{0.5, -2, 0.3}
	all, alone, fresh := New(2), New(1), New(1)
	w, wAlone, wFresh := []float32{1, 1}, []float32{1}, []float32{1}
	for i := range before + len(grads) {
		g := grads[i%len(grads)]
		spans := []Span{{From: 0, To: 1}}
		if i >= before {
			spans = append(spans, Span{From: 1, To: 2, Born: before})
			fresh.Step(wFresh, []float32{g}, lr, 1, []Span{{From: 0, To: 1}})
		}
		all.Step(w, []float32{g, g}, lr, 1, spans)
		alone.Step(wAlone, []float32{g}, lr, 1, []Span{{From: 0, To: 1}})
		if i == before && math.Abs(math.Abs(float64(w[1])-1)-lr) > 1e-6 {
			t.Errorf("the first update of a late weight is %g, want %g", math.Abs(float64(w[1])-1), lr)
		}
	}
	if w[0] != wAlone[0] || w[1] != wFresh[0] {
		t.Errorf("old %g, alone %g; late %g, fresh %g", w[0], wAlone[0], w[1], wFresh[0])
	}
}
