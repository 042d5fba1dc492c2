package themes

import (
	"math"
	"testing"

	"github.com/lucasb-eyer/go-colorful"
	"pgregory.net/rapid"
)

func colorfulLinear(r, g, b float64) colorful.Color { return colorful.LinearRgb(r, g, b) }

func TestParseColor(t *testing.T) {
	for s, want := range map[string]Color{
		"#ffffff": {255, 255, 255},
		"#1a2B3c": {0x1a, 0x2b, 0x3c},
		"#f80":    {255, 0x88, 0},
	} {
		if got, err := ParseColor(s); err != nil || got != want {
			t.Errorf("ParseColor(%q) = %v, %v; want %v", s, got, err, want)
		}
	}
	for _, s := range []string{"", "#", "red", "ffffff", "#fffff", "#ggg", "#+12", "#-12345", "#1_2", "#0x12ab", "#ffffff0"} {
		if got, err := ParseColor(s); err == nil {
			t.Errorf("ParseColor(%q) = %v, want an error", s, got)
		}
	}
}

func anyColor(t *rapid.T, label string) Color {
	return Color{rapid.Byte().Draw(t, label+".r"), rapid.Byte().Draw(t, label+".g"), rapid.Byte().Draw(t, label+".b")}
}

func TestColorRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := anyColor(t, "c")
		if got, err := ParseColor(c.String()); err != nil || got != c {
			t.Fatalf("%v is written as %s and read as %v, %v", c, c, got, err)
		}
	})
}

// The reference values are those of the WCAG definition itself: 21 for black on white, 4.54 for #767676 on white.
func TestContrastReference(t *testing.T) {
	white, black := Color{255, 255, 255}, Color{}
	for _, c := range []struct {
		a, b Color
		want float64
	}{{white, black, 21}, {black, white, 21}, {white, white, 1}, {hex("#767676"), white, 4.54}} {
		if got := Contrast(c.a, c.b); math.Abs(got-c.want) > 0.01 {
			t.Errorf("Contrast(%s, %s) = %.3f, want %.2f", c.a, c.b, got, c.want)
		}
	}
}

func TestLegibleReachesOrDoesItsBest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, bg := anyColor(t, "c"), anyColor(t, "bg")
		got := legible(c, []Color{bg}, 4.5)
		// Black or white always reaches 4.5 on a single background.
		if r := Contrast(got, bg); r < 4.5 {
			t.Fatalf("legible(%s on %s) = %s with %.2f:1", c, bg, got, r)
		}
		if Contrast(c, bg) >= 4.5 && got != c {
			t.Fatalf("%s was legible on %s and became %s", c, bg, got)
		}
	})
}

func TestBlendAndGradient(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := make(Gradient, rapid.IntRange(1, 5).Draw(t, "n"))
		for i := range g {
			g[i] = anyColor(t, "stop")
		}
		x := rapid.Float64().Draw(t, "x")
		_ = g.At(x) // never panics, whatever x
		if g.At(0) != g[0] || g.At(-1) != g[0] || g.At(math.NaN()) != g[0] || g.At(1) != g[len(g)-1] || g.At(math.Inf(1)) != g[len(g)-1] {
			t.Fatalf("the ends of %v are %s and %s", g, g.At(0), g.At(1))
		}
		s := g.Steps(7)
		if len(s) != 7 || s[0] != g[0] || s[6] != g[len(g)-1] {
			t.Fatalf("Steps(7) of %v = %v", g, s)
		}
	})
	mid := Blend(Color{}, Color{255, 255, 255}, 0.5)
	if mid.R != mid.G || mid.G != mid.B || mid.R < 80 || mid.R > 120 {
		t.Errorf("half way from black to white is %s; Oklab's middle grey is near #636363", mid)
	}
	if (Gradient{}).At(0.5) != (Color{}) || len((Gradient{}).Steps(-1)) != 0 {
		t.Error("an empty gradient is black and has no steps")
	}
}
