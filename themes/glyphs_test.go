package themes

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"
)

// eachGlyph calls f for every string in the set, with its path.
func eachGlyph(v reflect.Value, path string, f func(path, s string)) {
	switch v.Kind() {
	case reflect.String:
		f(path, v.String())
	case reflect.Struct:
		for i := range v.NumField() {
			eachGlyph(v.Field(i), path+"."+v.Type().Field(i).Name, f)
		}
	case reflect.Slice:
		for i := range v.Len() {
			eachGlyph(v.Index(i), fmt.Sprintf("%s[%d]", path, i), f)
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			eachGlyph(v.MapIndex(k), path+"."+k.String(), f)
		}
	default: // flags hold no glyphs
	}
}

func TestGlyphsAreOneCellWide(t *testing.T) {
	for _, g := range []*Glyphs{Unicode(), ASCII()} {
		n := 0
		eachGlyph(reflect.ValueOf(*g), g.Name, func(path, s string) {
			if strings.HasSuffix(path, ".Name") {
				return
			}
			n++
			if ansi.StringWidth(s) != 1 {
				t.Errorf("%s = %q is %d cells wide", path, s, ansi.StringWidth(s))
			}
			r, size := utf8.DecodeRuneInString(s)
			if size != len(s) || (g == ASCII() && (r < ' ' || r > '~')) {
				t.Errorf("%s = %q is not one character of the set", path, s)
			}
			// Private-use characters need a patched font; beyond the BMP are emoji.
			if r >= 0xe000 && r <= 0xf8ff || r > 0xffff {
				t.Errorf("%s = %q needs a special font", path, s)
			}
		})
		if n < 70 {
			t.Errorf("%s: only %d glyphs seen; is a group empty?", g.Name, n)
		}
	}
}

// The names are those of tree.State; a state without a glyph of its own would be a "?" on the screen.
var stateNames = []string{"proposed", "approved", "vetoed", "queued", "running", "evaluated", "stopped", "failed", "pruned"}

func TestEachStateHasItsGlyphAndColour(t *testing.T) {
	for _, g := range []*Glyphs{Unicode(), ASCII()} {
		seen := map[string]string{}
		for _, s := range stateNames {
			if _, ok := g.states[s]; !ok {
				t.Errorf("%s: no glyph for %s", g.Name, s)
			}
			if other, ok := seen[g.State(s)]; ok {
				t.Errorf("%s: %s and %s share %q", g.Name, s, other, g.State(s))
			}
			seen[g.State(s)] = s
			if s != "vetoed" && StateToken(s) == Muted {
				t.Errorf("%s has no colour", s)
			}
		}
	}
	if Unicode().State("unheard of") != "?" || StateToken("unheard of") != Muted {
		t.Error("an unknown state should be a muted ?")
	}
}

func TestSparkline(t *testing.T) {
	g := Unicode()
	for _, c := range []struct {
		in    []float64
		width int
		want  string
	}{
		{[]float64{0, 1, 2, 3, 4, 5, 6, 7}, 8, "▁▂▃▄▅▆▇█"},
		{[]float64{9, 9, 0, 7}, 2, "▁█"},
		{[]float64{5, 5}, 4, "▄▄"},
		{[]float64{0, math.NaN(), 1}, 3, "▁ █"},
		{[]float64{-math.MaxFloat64, math.MaxFloat64}, 2, "▁█"},
		{[]float64{math.NaN()}, 2, " "},
		{nil, 5, ""},
		{[]float64{1}, 0, ""},
	} {
		if got := g.Sparkline(c.in, c.width); got != c.want {
			t.Errorf("Sparkline(%v, %d) = %q, want %q", c.in, c.width, got, c.want)
		}
	}
	if got := g.SparklineIn([]float64{0, 50, 100, 150}, 4, 0, 100); got != "▁▅██" {
		t.Errorf("on 0 ... 100: %q", got)
	}
}

func TestBarHasItsWidth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := rapid.SampledFrom([]*Glyphs{Unicode(), ASCII()}).Draw(t, "set")
		w := rapid.IntRange(-2, 60).Draw(t, "width")
		x := rapid.Float64().Draw(t, "t")
		full, empty := g.Bar(x, w)
		if got := ansi.StringWidth(full + empty); got != max(w, 0) {
			t.Fatalf("Bar(%v, %d) is %d cells wide", x, w, got)
		}
		if (x <= 0 && full != "") || (x >= 1 && empty != "") {
			t.Fatalf("Bar(%v, %d) = %q and %q", x, w, full, empty)
		}
	})
	if full, empty := ASCII().Bar(0.5, 4); full+empty != "##.." {
		t.Errorf("half of four is %q", full+empty)
	}
	if full, _ := Unicode().Bar(math.NaN(), 4); full != "" {
		t.Errorf("NaN fills %q", full)
	}
}

func TestGlyphsFor(t *testing.T) {
	for _, c := range []struct {
		env  map[string]string
		want string
	}{
		{nil, "unicode"},
		{map[string]string{"LANG": "de_DE.UTF-8"}, "unicode"},
		{map[string]string{"LANG": "C"}, "ascii"},
		{map[string]string{"LANG": "C", "LC_ALL": "C.utf8"}, "unicode"},
		{map[string]string{"TERM": "linux", "LANG": "en_US.UTF-8"}, "ascii"},
		{map[string]string{"LLMZERO_GLYPHS": "ASCII", "LANG": "en_US.UTF-8"}, "ascii"},
		{map[string]string{"LLMZERO_GLYPHS": "unicode", "TERM": "linux"}, "unicode"},
	} {
		if got := GlyphsFor(func(k string) string { return c.env[k] }).Name; got != c.want {
			t.Errorf("with %v: %s, want %s", c.env, got, c.want)
		}
	}
}
