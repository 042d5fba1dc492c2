package chart

import (
	"math"
	"strings"
	"testing"

	"llmzero/tui/component/paint"
)

// TestABandFillsWhatLiesBetween: whole cells, eighths at its edges, and nothing where it does not reach.
func TestABandFillsWhatLiesBetween(t *testing.T) {
	p := &Plot{X0: 0, X1: 10, Y0: 0, Y1: 4, Cursor: math.NaN(), Bands: []Band{{X: []float64{0, 10}, Lo: []float64{1, 1}, Hi: []float64{2.5, 2.5}, Ink: 3, Page: 4}}}
	rows := strings.Split(drawn(p, 4, 4), "\n")
	if rows[0] != "" || rows[1] != "▄▄▄▄" || rows[2] != "████" || rows[3] != "" {
		t.Errorf("got %q", rows)
	}
	p.Bands[0].Lo, p.Bands[0].Hi = []float64{1.5, 1.5}, []float64{3, 3}
	g := paint.NewGrid(4, 4)
	p.Draw(g.Canvas())
	if text, st := g.At(1, 2); text != "▄" || st.Fg != 4 || st.Bg != 3 { // filled from above: the page in front of the band
		t.Errorf("the lower edge is %q in %+v", text, st)
	}
	p.Series = []Series{{X: []float64{0, 10}, Y: []float64{2.5, 2.5}, Ink: 7}}
	p.Draw(g.Canvas())
	if _, st := g.At(1, 1); st.Fg != 7 || st.Bg != 3 {
		t.Errorf("a curve on the band is %+v", st)
	}
	p.Series, p.Point = nil, "*"
	if got := drawn(p, 4, 4); strings.TrimSpace(got) != "" {
		t.Errorf("without braille it is %q", got)
	}
}

func TestAWideLineIsTwoDotsWide(t *testing.T) {
	p := &Plot{X0: 0, X1: 4, Y0: 0, Y1: 4, Cursor: math.NaN(), Series: []Series{{X: []float64{0, 4}, Y: []float64{2, 2}}}}
	thin := drawn(p, 4, 2)
	p.Series[0].Wide = true
	wide := drawn(p, 4, 2)
	dots := func(s string) (n int) {
		for _, r := range s {
			for b := r - 0x2800; b > 0 && b < 256; b &= b - 1 {
				n++
			}
		}
		return n
	}
	if dots(thin) != 8 || dots(wide) != 16 {
		t.Errorf("%d and %d dots", dots(thin), dots(wide))
	}
}

func TestRowIsWhereTheCurveIs(t *testing.T) {
	p := &Plot{X0: 0, X1: 4, Y0: 0, Y1: 4, Cursor: math.NaN()}
	for y := 0.0; y <= 4; y += 0.25 {
		p.Series = []Series{{X: []float64{0, 4}, Y: []float64{y, y}}}
		rows := strings.Split(drawn(p, 4, 5), "\n")
		if got := p.Row(y, 5); strings.TrimSpace(rows[got]) == "" {
			t.Errorf("y %g is not in row %d: %q", y, got, rows)
		}
	}
}
