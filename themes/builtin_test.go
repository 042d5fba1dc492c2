package themes

import (
	"math"
	"strings"
	"testing"
)

func TestBuiltinsAreLegible(t *testing.T) {
	all := Builtins()
	if len(all) < 8 {
		t.Fatalf("%d built-in themes, want at least 8", len(all))
	}
	seen := map[string]bool{}
	for _, th := range all {
		t.Run(th.Name, func(t *testing.T) {
			if seen[th.Name] {
				t.Error("the name is used twice")
			}
			seen[th.Name] = true
			for _, p := range th.Problems() {
				t.Error(p)
			}
			if th.Dark != (th.RGB(Background).Luminance() < th.RGB(Text).Luminance()) {
				t.Errorf("Dark is %v, but background %s and text %s say otherwise", th.Dark, th.RGB(Background), th.RGB(Text))
			}
		})
	}
}

// TestPublishedPalettesStay holds adjustment to what legibility needs: surfaces never move, and a text token that was
// already legible keeps the colour its author published.
func TestPublishedPalettesStay(t *testing.T) {
	for _, s := range specs {
		th, err := Lookup(Builtins(), s.name, true)
		if err != nil {
			t.Fatal(err)
		}
		for tok, h := range s.colors {
			want, got := hex(h), th.RGB(tok)
			if tok < Border && got != want {
				t.Errorf("%s: surface %s moved from %s to %s", s.name, tok, want, got)
			}
			if tok >= Border && worst(want, th.backgrounds(tok)) >= tok.contrast() && got != want {
				t.Errorf("%s: legible %s moved from %s to %s", s.name, tok, want, got)
			}
			if want == got {
				continue
			}
			// What moves keeps its hue, within the rounding of 8 bits, unless it is nearly grey.
			_, c0, h0 := want.colorful().OkLch()
			_, c1, h1 := got.colorful().OkLch()
			d := math.Abs(math.Mod(h0-h1+540, 360) - 180)
			if c0 > 0.05 && c1 > 0.05 && d > 4 {
				t.Errorf("%s: %s changed hue by %.1f degrees (%s to %s)", s.name, tok, d, want, got)
			}
		}
	}
}

// pairs are tokens that stand side by side and must not be taken for one another.
var pairs = [][2]Token{
	{Gain, Loss},
	{Capacity, Regularization},
	{Best, Loss},
	{Waiting, Running},
	{Error, Done},
	{Series1, Series2},
	{Series1, Series3},
	{Series2, Series3},
	{Text, Accent},
	{Text, Best},
}

func TestMeaningsAreDistinct(t *testing.T) {
	for _, th := range Builtins() {
		for _, p := range pairs {
			if d := okDistance(th.RGB(p[0]), th.RGB(p[1])); d < 0.05 {
				t.Errorf("%s: %s %s and %s %s differ by only %.3f in Oklab", th.Name, p[0], th.RGB(p[0]), p[1], th.RGB(p[1]), d)
			}
		}
	}
}

// TestColourBlindness simulates the three dichromacies. The colour-blind-safe pair must keep what matters well apart; in
// our own themes, where hue may fail, lightness and the glyphs beside the colour must still tell.
func TestColourBlindness(t *testing.T) {
	tests := []struct {
		a, b      Token
		safe, own float64 // least distance in Oklab
	}{
		{Gain, Loss, 0.15, 0.06},
		{Error, Done, 0.15, 0.06},
		{Capacity, Regularization, 0.07, 0.05},
		{Waiting, Running, 0.07, 0.06},
		{Series1, Series2, 0.07, 0.06},
		{Series1, Series3, 0.07, 0.05},
	}
	for _, th := range Builtins() {
		safe, own := strings.HasPrefix(th.Name, "okabe-ito"), strings.HasPrefix(th.Name, "zero")
		for name, m := range dichromacies {
			for _, c := range tests {
				want := 0.0
				if safe {
					want = c.safe
				} else if own {
					want = c.own
				}
				if d := okDistance(simulate(th.RGB(c.a), m), simulate(th.RGB(c.b), m)); d < want {
					t.Errorf("%s, %s: %s and %s differ by only %.3f in Oklab, want %.2f", th.Name, name, c.a, c.b, d, want)
				}
			}
		}
	}
}

// dichromacies are the matrices for severity 1 of Machado, Oliveira and Fernandes (2009), on linear RGB.
var dichromacies = map[string][9]float64{
	"protanopia":   {0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998},
	"deuteranopia": {0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.011820, 0.042940, 0.968881},
	"tritanopia":   {1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.303900},
}

func simulate(c Color, m [9]float64) Color {
	r, g, b := c.colorful().LinearRgb()
	x := colorfulLinear(m[0]*r+m[1]*g+m[2]*b, m[3]*r+m[4]*g+m[5]*b, m[6]*r+m[7]*g+m[8]*b)
	return fromColorful(x)
}

func okDistance(a, b Color) float64 {
	l1, a1, b1 := a.colorful().OkLab()
	l2, a2, b2 := b.colorful().OkLab()
	return math.Sqrt((l1-l2)*(l1-l2) + (a1-a2)*(a1-a2) + (b1-b2)*(b1-b2))
}

func TestLookup(t *testing.T) {
	all := append(Builtins(), Theme{Name: "mine"}, Theme{Name: "zero-dark", Title: "my own"})
	for _, c := range []struct {
		name string
		dark bool
		want string
	}{
		{"auto", true, "Zero Dark"},
		{"", false, "Zero Light"},
		{"dark", false, "Zero Dark"},
		{" LIGHT ", true, "Zero Light"},
		{"Gruvbox-Dark", true, "Gruvbox Dark"},
		{"zero-dark", true, "my own"},
	} {
		th, err := Lookup(all, c.name, c.dark)
		if err != nil || th.Title != c.want {
			t.Errorf("Lookup(%q, %v) = %q, %v; want %q", c.name, c.dark, th.Title, err, c.want)
		}
	}
	_, err := Lookup(all, "gruvbix", true)
	if err == nil || !strings.Contains(err.Error(), "gruvbix") || !strings.Contains(err.Error(), "gruvbox-dark") || !strings.Contains(err.Error(), "mine") {
		t.Errorf("the error of an unknown theme should name it and list the others: %v", err)
	}
}

// TestDefaultsAreDerived holds for the smallest palette: everything else follows and is legible.
func TestDefaultsAreDerived(t *testing.T) {
	th, err := New("tiny", "Tiny", true, Palette{Background: hex("#101010"), Text: hex("#e0e0e0"), Accent: hex("#3366ff")})
	if err != nil {
		t.Fatal(err)
	}
	if p := th.Problems(); len(p) != 0 {
		t.Errorf("problems: %q", p)
	}
	if _, err := New("none", "None", true, Palette{Background: hex("#000")}); err == nil || !strings.Contains(err.Error(), "text") {
		t.Errorf("a palette with no text should be refused by name: %v", err)
	}
}
