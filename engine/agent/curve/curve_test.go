package curve

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"llmzero/engine/tree"
)

func series(values ...float64) Series {
	s := Series{Metric: "m"}
	for i, v := range values {
		s.Steps, s.Values = append(s.Steps, 10+i), append(s.Values, v)
	}
	return s
}

func TestOfLeavesOutWhatIsNoNumber(t *testing.T) {
	pts := []tree.Point{
		{Step: 1, Values: map[string]float64{"a": 1}},
		{Step: 2, Values: map[string]float64{"b": 5}},
		{Step: 3, Values: map[string]float64{"a": math.NaN()}},
		{Step: 4, Values: map[string]float64{"a": 4, tree.MetricKL: 0}},
	}
	if s := Of(pts, "a"); !slices.Equal(s.Steps, []int{1, 4}) || !slices.Equal(s.Values, []float64{1, 4}) {
		t.Errorf("%+v", s)
	}
	if m, step, ok := Broken(pts); !ok || m != "a" || step != 3 {
		t.Errorf("%s %d %v", m, step, ok)
	}
	if got := Metrics(pts); !slices.Equal(got, []string{tree.MetricKL, "a", "b"}) {
		t.Errorf("%v", got)
	}
}

func TestWindow(t *testing.T) {
	s := series(1, 2, 3, 4, 5, 6, 7, 8)
	if h := s.Head(); h.Mean != 1.5 || h.FromStep != 10 || h.ToStep != 11 || h.N != 2 {
		t.Errorf("head %+v", h)
	}
	if w := s.Tail(); w.Mean != 7.5 || w.Min != 7 || w.Max != 8 || w.SD != 0.5 {
		t.Errorf("tail %+v", w)
	}
	if e := (Series{}).Tail(); e != (Stat{}) {
		t.Errorf("empty %+v", e)
	}
	if m := series(5, 1, 3, 100).Median(); m != 4 {
		t.Errorf("median %g", m)
	}
	// A trend hardly counts as noise: neighbours differ by 1, the standard deviation is 2.3.
	if n := s.Noise(); math.Abs(n-math.Sqrt(0.5)) > 1e-9 {
		t.Errorf("noise %g", n)
	}
}

func TestMoveFindsTheCliff(t *testing.T) {
	var v []float64
	for i := range 40 {
		v = append(v, 2-1.5*math.Max(0, math.Min(1, float64(i-20)/5)))
	}
	m := series(v...).Move()
	if !m.Clear() || math.Abs(m.Delta+1.5) > 1e-9 || m.FromStep < 27 || m.FromStep > 31 || m.ToStep < 33 || m.ToStep > 38 || m.From < 1.8 || m.To > 0.7 {
		t.Errorf("%+v: the fall is from step 30 to 35", m)
	}
}

// TestAnySeries looks at any series: no panic, and what is said is inside it.
func TestAnySeries(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := series(rapid.SliceOfN(rapid.Float64Range(-1e6, 1e6), 0, 60).Draw(t, "values")...)
		lo, hi := rapid.Float64Range(-1, 2).Draw(t, "lo"), rapid.Float64Range(-1, 2).Draw(t, "hi")
		w, m := s.Window(lo, hi), s.Move()
		peak, at := s.Peak()
		if s.Len() == 0 {
			return
		}
		least, most := slices.Min(s.Values)-1e-3, slices.Max(s.Values)+1e-3
		for _, x := range []float64{w.Mean, w.Min, w.Max, m.From, m.To, peak, s.Median()} {
			if x < least || x > most {
				t.Fatalf("%g is outside %g … %g", x, least, most)
			}
		}
		if m.FromStep > m.ToStep || !slices.Contains(s.Steps, m.FromStep) || !slices.Contains(s.Steps, at) || w.N < 1 || m.Sigma < 0 {
			t.Fatalf("%+v, peak at %d", m, at)
		}
	})
}
