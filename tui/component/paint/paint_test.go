package paint

import (
	"strings"
	"testing"
	"unicode"

	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"

	"llmzero/themes"
)

// nasty are pieces that must not tear a screen: escape sequences, controls, wide, joined and combining signs, broken UTF-8.
var nasty = []string{"a", "plain text", "界", "é", "é", "👩‍👩‍👧", "\x1b[31m", "\x1b]0;title\x07", "\x1b", "\x9b2J", "\u202e", "\u200d", "\ufe0f", "\t", "\n", "\xff", "⣿", "─", "🇩🇪", "\x00"}

func text(t *rapid.T, label string) string {
	return strings.Join(rapid.SliceOfN(rapid.SampledFrom(nasty), 0, 12).Draw(t, label), "")
}

// TestNothingOverflows paints nasty text anywhere and looks at what a terminal would get.
func TestNothingOverflows(t *testing.T) {
	pal := NewPalette(themes.Default(true))
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(1, 30).Draw(t, "w"), rapid.IntRange(1, 6).Draw(t, "h")
		g := NewGrid(w, h)
		for range rapid.IntRange(1, 8).Draw(t, "texts") {
			c := g.Canvas().Sub(rapid.IntRange(-3, w).Draw(t, "sx"), rapid.IntRange(-2, h).Draw(t, "sy"), rapid.IntRange(-1, w+4).Draw(t, "sw"), rapid.IntRange(-1, h+2).Draw(t, "sh"))
			s := text(t, "text")
			x := rapid.IntRange(-4, w+2).Draw(t, "x")
			if end := c.Text(x, rapid.IntRange(-1, h).Draw(t, "y"), Style{}, s); end != x+Width(s) {
				t.Fatalf("%q ends at %d, want %d", s, end, x+Width(s))
			}
			c.Frame(themes.Unicode().Box, Style{})
		}
		for _, line := range strings.Split(g.Render(pal), "\n") {
			if got := ansi.StringWidth(line); got != w {
				t.Fatalf("a line is %d cells wide, want %d: %q", got, w, line)
			}
			for _, r := range ansi.Strip(line) {
				if unicode.IsControl(r) {
					t.Fatalf("a control character reached the terminal: %q", line)
				}
			}
		}
	})
}

func TestCutAndWrapKeepTheWidth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, w := text(t, "text"), rapid.IntRange(0, 12).Draw(t, "w")
		if got := Width(Cut(s, w, "…")); got > w {
			t.Fatalf("Cut(%q, %d) is %d wide", s, w, got)
		}
		for _, l := range Wrap(s, w) {
			if Width(l) > max(1, w)+1 { // a wide sign does not fit into one cell
				t.Fatalf("Wrap(%q, %d) has the line %q", s, w, l)
			}
		}
	})
}

func TestCleanRemovesSequences(t *testing.T) {
	for in, want := range map[string]string{
		"a\x1b[31mred\x1b[0m": "ared", "\x1b]8;;http://x\x07link\x1b]8;;\x07": "link", "a\tb\nc": "a b c", "\u202eabc": "abc", "ok": "ok",
		"\x9b31mx": "?31mx", "\u009b31mx": "31mx",
	} {
		if got := Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestWrapBreaksAtBlanksAndKeepsTables(t *testing.T) {
	got := strings.Join(Wrap("one two three four\nstep   reward\n", 14), "|")
	if want := "one two three|four|step   reward|"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestZonesAndClipping(t *testing.T) {
	g := NewGrid(10, 3)
	c := g.Canvas().Sub(2, 1, 4, 1)
	c.Zone(-5, 0, 20, 5, "row", 7)
	if z, ok := g.Hit(3, 1); !ok || z.Index != 7 {
		t.Error("the zone does not answer")
	}
	if _, ok := g.Hit(7, 1); ok {
		t.Error("the zone answers outside its canvas")
	}
}

func TestASCIIGrid(t *testing.T) {
	g := NewGrid(12, 1)
	g.ASCII = true
	g.Canvas().Text(0, 0, Style{}, "lr×½ → 界")
	if got := strings.TrimSpace(g.Text()); got != "lrx0.5 > ?" {
		t.Errorf("got %q", got)
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range nasty {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, r := range Clean(s) {
			if unicode.IsControl(r) || unsafeRune(r) {
				t.Fatalf("Clean(%q) leaves %U", s, r)
			}
		}
	})
}

func BenchmarkRender(b *testing.B) {
	g, p := NewGrid(200, 60), NewPalette(themes.Default(true))
	for y := range 60 {
		for x := 0; x < 200; x += 10 {
			g.Canvas().Text(x, y, Style{Fg: Ink(1 + x/10%30)}, "some words")
		}
	}
	for b.Loop() {
		g.Render(p)
	}
}
