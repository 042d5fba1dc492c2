package paint

import (
	"image/color"
	"strconv"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"llmzero/themes"
)

// Ink names a colour of the palette: 0 is ordinary (text in front, the page behind), Token's inks follow, then the steps
// of the two gradients.
type Ink uint8

// GradientSteps is how finely the gradients are drawn.
const GradientSteps = 24

// Token is the ink of a theme's token.
func Token(t themes.Token) Ink { return Ink(t) + 1 }

// Heat is the ink of a load from 0 (idle) to 1 (full).
func Heat(t float64) Ink { return Ink(1+themes.NumTokens) + step(t) }

// Score is the ink of a score from 0 (the worst) to 1 (the best).
func Score(t float64) Ink { return Ink(1+themes.NumTokens+GradientSteps) + step(t) }

func step(t float64) Ink {
	if !(t > 0) { // NaN too
		return 0
	}
	return Ink(min(t, 1)*(GradientSteps-1) + 0.5)
}

const numInks = 1 + themes.NumTokens + 2*GradientSteps

// Palette turns inks into the escape sequences of one theme. It is not safe for concurrent use.
type Palette struct {
	fg, bg [numInks]string // SGR parameters
	none   bool            // no colours: what matters is told by attributes
	cache  map[Style]string
}

// NewPalette makes the palette of a theme for the depth that the theme was made At.
func NewPalette(th themes.Theme) *Palette {
	p := &Palette{cache: map[Style]string{}, none: th.Depth() == themes.DepthNone}
	put := func(i int, c color.Color) { p.fg[i], p.bg[i] = params(c, 38), params(c, 48) }
	for _, t := range themes.Tokens() {
		put(int(t)+1, th.Color(t))
	}
	for i := range GradientSteps {
		f := float64(i) / (GradientSteps - 1)
		put(1+themes.NumTokens+i, th.HeatColor(f))
		put(1+themes.NumTokens+GradientSteps+i, th.ScoreColor(f))
	}
	if th.Depth() == themes.Depth16 { // text in the page's colour stands on a bright badge: the terminal's default would not do
		p.fg[Token(themes.Background)] = map[bool]string{true: "30", false: "97"}[th.Dark]
	}
	p.fg[0], p.bg[0] = p.fg[Token(themes.Text)], p.bg[Token(themes.Background)]
	return p
}

// params are the SGR parameters that set a colour; base is 38 for the text and 48 for the background.
func params(c color.Color, base int) string {
	switch c := c.(type) {
	case nil:
		return strconv.Itoa(base + 1) // the terminal's own
	case ansi.BasicColor:
		n := int(c) + base - 8
		if c >= 8 {
			n += 52
		}
		return strconv.Itoa(n)
	}
	r, g, b, _ := c.RGBA()
	part := func(v uint32) string { return strconv.Itoa(int(v >> 8)) }
	return strconv.Itoa(base) + ";2;" + part(r) + ";" + part(g) + ";" + part(b)
}

func (p *Palette) sgr(b *strings.Builder, s Style) {
	seq, ok := p.cache[s]
	if !ok {
		seq = p.sequence(s)
		p.cache[s] = seq
	}
	b.WriteString(seq)
}

func (p *Palette) sequence(s Style) string {
	parts := []string{"0"}
	for _, a := range []struct {
		attr Attr
		code string
	}{{Bold, "1"}, {Italic, "3"}, {Underline, "4"}, {Strike, "9"}} {
		if s.Attr&a.attr != 0 {
			parts = append(parts, a.code)
		}
	}
	if p.none {
		// Without colours a selection or a key cap would vanish, so surfaces that stand out are reversed.
		if s.Attr&Reverse != 0 || s.Bg == Token(themes.SelectionBg) || s.Bg == Token(themes.AccentBg) {
			parts = append(parts, "7")
		}
	} else {
		parts = append(parts, p.fg[s.Fg], p.bg[s.Bg])
	}
	return "\x1b[" + strings.Join(parts, ";") + "m"
}
