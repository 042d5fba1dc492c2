package chart

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"llmzero/tui/component/paint"
)

func drawn(p *Plot, w, h int) string {
	g := paint.NewGrid(w, h)
	p.Draw(g.Canvas())
	return g.Text()
}

func TestRisingLine(t *testing.T) {
	p := &Plot{Series: []Series{{X: []float64{0, 1, 2, 3}, Y: []float64{0, 1, 2, 3}}}, Cursor: math.NaN()}
	if !p.Fit() {
		t.Fatal("nothing to draw")
	}
	if got, want := drawn(p, 4, 2), "  ⣀⠔⠊\n⡠⠔⠉\n"; got != want {
		// The exact dots depend on rounding; what matters is that the line goes from the lower left to the upper right.
		rows := strings.Split(got, "\n")
		if !strings.HasPrefix(rows[1], "⡠") || !strings.HasPrefix(rows[0], "  ") {
			t.Errorf("got\n%swant about\n%s", got, want)
		}
	}
}

func TestStepsAndPlainSigns(t *testing.T) {
	p := &Plot{Series: []Series{{X: []float64{0, 4, 8}, Y: []float64{0, 1, 1}, Steps: true}}, Cursor: math.NaN(), Point: "*"}
	p.Fit()
	if got, want := drawn(p, 9, 2), "    *****\n*****\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// TestAnyDataIsDrawn: infinities, gaps, single points and flat curves neither panic nor leave the canvas.
func TestAnyDataIsDrawn(t *testing.T) {
	value := rapid.SampledFrom([]float64{0, 1, -1, 1e300, -1e300, 1e-300, math.NaN(), math.Inf(1), math.Inf(-1), 0.5})
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 12).Draw(t, "n")
		s := Series{Steps: rapid.Bool().Draw(t, "steps"), Dash: rapid.IntRange(0, 3).Draw(t, "dash")}
		for i := range n {
			s.X, s.Y = append(s.X, float64(i)), append(s.Y, value.Draw(t, "y"))
		}
		p := &Plot{Series: []Series{s}, Log: rapid.Bool().Draw(t, "log"), Cursor: value.Draw(t, "cursor"), Marks: []Mark{{From: value.Draw(t, "from"), To: value.Draw(t, "to")}}}
		if p.Fit() {
			drawn(p, rapid.IntRange(1, 20).Draw(t, "w"), rapid.IntRange(1, 8).Draw(t, "h"))
		}
	})
}

func TestFitGivesAFlatCurveABand(t *testing.T) {
	p := &Plot{Series: []Series{{X: []float64{3}, Y: []float64{0.5}}}}
	if !p.Fit() || !(p.Y0 < 0.5 && p.Y1 > 0.5 && p.X1 > p.X0) {
		t.Errorf("bounds %g…%g, %g…%g", p.X0, p.X1, p.Y0, p.Y1)
	}
}

func TestColumnAndXAtAgree(t *testing.T) {
	p := &Plot{X0: 10, X1: 110}
	for col := range 50 {
		if got := p.Column(p.XAt(col, 50), 50); got != col {
			t.Errorf("column %d comes back as %d", col, got)
		}
	}
}

func TestSmooth(t *testing.T) {
	for _, y := range Smooth([]float64{2, 2, 2, 2}, 0.1) {
		if math.Abs(y-2) > 1e-12 {
			t.Errorf("a constant became %g", y)
		}
	}
	got := Smooth([]float64{0, 1, math.NaN(), 1}, 0.5)
	if math.Abs(got[1]-2.0/3) > 1e-12 || !math.IsNaN(got[2]) || got[3] <= got[1] {
		t.Errorf("got %v", got)
	}
}
