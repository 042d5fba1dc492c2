package themes

import (
	"image/color"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

func TestTokenNames(t *testing.T) {
	for _, tok := range Tokens() {
		if tok.String() == "" {
			t.Errorf("token %d has no name", tok)
		}
		if got, ok := TokenByName(tok.String()); !ok || got != tok {
			t.Errorf("TokenByName(%q) = %d, %v; want %d", tok, got, ok, tok)
		}
	}
	if len(Tokens()) != NumTokens || numTokens.String() != "unknown" {
		t.Error("the list of tokens is not complete")
	}
}

// TestTextIsGraded keeps the hierarchy of text visible: secondary text recedes, in every theme.
func TestTextIsGraded(t *testing.T) {
	for _, th := range Builtins() {
		bg := th.RGB(Background)
		text, muted, faint := Contrast(th.RGB(Text), bg), Contrast(th.RGB(Muted), bg), Contrast(th.RGB(Faint), bg)
		if text < 1.1*muted || muted < faint {
			t.Errorf("%s: contrast of text %.1f, muted %.1f, faint %.1f", th.Name, text, muted, faint)
		}
	}
}

func TestDepths(t *testing.T) {
	for _, full := range Builtins() {
		low := full.At(Depth16)
		for _, tok := range Tokens() {
			if _, ok := full.Color(tok).(Color); !ok {
				t.Errorf("%s: %s is a %T in full colour", full.Name, tok, full.Color(tok))
			}
			if c := low.Color(tok); c != nil {
				if _, ok := c.(ansi.BasicColor); !ok {
					t.Errorf("%s: %s is a %T at 16 colours", full.Name, tok, c)
				}
			}
			if c := full.At(DepthNone).Color(tok); c != nil {
				t.Errorf("%s: %s is %v without colour", full.Name, tok, c)
			}
		}
		for _, pair := range [][2]Token{{Gain, Loss}, {Capacity, Regularization}, {Waiting, Running}, {SelectionFg, SelectionBg}, {OnAccent, AccentBg}} {
			if low.Color(pair[0]) == low.Color(pair[1]) {
				t.Errorf("%s: %s and %s are the same of 16 colours", full.Name, pair[0], pair[1])
			}
		}
		if low.Color(Background) != nil || low.Color(Text) != nil {
			t.Errorf("%s: at 16 colours the terminal's own background and text must stand", full.Name)
		}
	}
}

func TestRampsFollowTheDepth(t *testing.T) {
	th := Default(true)
	if th.HeatColor(0) != color.Color(th.RGB(HeatLow)) || th.HeatColor(2) != color.Color(th.RGB(HeatHigh)) {
		t.Error("the ends of the heat gradient are its tokens")
	}
	low := th.At(Depth16)
	if low.HeatColor(0.1) != low.Color(HeatLow) || low.HeatColor(0.5) != low.Color(HeatMid) || low.ScoreColor(0.9) != low.Color(ScoreHigh) {
		t.Error("at 16 colours a gradient has three steps")
	}
	if th.Series(0) != th.Series(6) || th.Series(-1) != th.Series(5) {
		t.Error("the curve colours repeat every six")
	}
}

// TestAt256Colours rounds each theme to the 256 colours of older terminals, as the terminal library does: what must be
// told apart still is, and text is still readable, if not at AA's ratio.
func TestAt256Colours(t *testing.T) {
	round := func(c Color) Color {
		r, g, b, _ := ansi.Convert256(c).RGBA()
		return Color{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8)}
	}
	for _, th := range Builtins() {
		for _, p := range pairs {
			if a, b := round(th.RGB(p[0])), round(th.RGB(p[1])); a == b {
				t.Errorf("%s: %s and %s are both %s", th.Name, p[0], p[1], a)
			}
		}
		for tok := Text; tok < numTokens; tok++ {
			for _, bg := range tok.surfaces() {
				if c := Contrast(round(th.RGB(tok)), round(th.RGB(bg))); c < 3 {
					t.Errorf("%s: %s on %s has contrast %.1f", th.Name, tok, bg, c)
				}
			}
		}
	}
}
