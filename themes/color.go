package themes

import (
	"fmt"
	"math"
	"strconv"

	"github.com/lucasb-eyer/go-colorful"
)

// Color is an opaque sRGB colour with 8 bits a channel. It is an image/color.Color.
type Color struct{ R, G, B uint8 }

// RGBA implements image/color.Color: 16-bit channels, always opaque.
func (c Color) RGBA() (r, g, b, a uint32) {
	return uint32(c.R) * 0x101, uint32(c.G) * 0x101, uint32(c.B) * 0x101, 0xffff
}

// String returns the colour as "#rrggbb".
func (c Color) String() string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

// ParseColor reads "#rrggbb" or "#rgb"; the error says what was expected.
func ParseColor(s string) (Color, error) {
	fail := fmt.Errorf("%q is not a colour: write it as #rrggbb or #rgb", s)
	if (len(s) != 7 && len(s) != 4) || s[0] != '#' {
		return Color{}, fail
	}
	// ParseUint accepts neither signs nor, with an explicit base, underscores.
	v, err := strconv.ParseUint(s[1:], 16, 32)
	if err != nil {
		return Color{}, fail
	}
	if len(s) == 4 {
		return Color{uint8(v >> 8 * 0x11), uint8(v >> 4 & 0xf * 0x11), uint8(v & 0xf * 0x11)}, nil
	}
	return Color{uint8(v >> 16), uint8(v >> 8), uint8(v)}, nil
}

// hex reads a colour constant of this package's own tables.
func hex(s string) Color {
	c, err := ParseColor(s)
	if err != nil {
		panic("themes: built-in " + err.Error())
	}
	return c
}

func (c Color) colorful() colorful.Color {
	return colorful.Color{R: float64(c.R) / 255, G: float64(c.G) / 255, B: float64(c.B) / 255}
}

func fromColorful(c colorful.Color) Color {
	r, g, b := c.Clamped().RGB255()
	return Color{r, g, b}
}

// Luminance is the relative luminance in [0, 1] of WCAG 2.2.
func (c Color) Luminance() float64 {
	lin := func(v uint8) float64 {
		x := float64(v) / 255
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	return 0.2126*lin(c.R) + 0.7152*lin(c.G) + 0.0722*lin(c.B)
}

// Contrast is the WCAG 2.2 contrast ratio of two colours, from 1 (the same) to 21 (black on white); 4.5 is AA for text.
func Contrast(a, b Color) float64 {
	la, lb := a.Luminance(), b.Luminance()
	if la < lb {
		la, lb = lb, la
	}
	return (la + 0.05) / (lb + 0.05)
}

// Blend mixes a and b in Oklab, where equal steps look equal: t = 0 is a, t = 1 is b; t is clamped (NaN is 0).
func Blend(a, b Color, t float64) Color {
	switch {
	case !(t > 0):
		return a
	case t >= 1:
		return b
	}
	return fromColorful(a.colorful().BlendOkLab(b.colorful(), t))
}

// Gradient is a row of colour stops, evenly spaced over [0, 1].
type Gradient []Color

// At returns the colour at t, clamped to [0, 1] (NaN is 0); the zero Gradient is black.
func (g Gradient) At(t float64) Color {
	switch {
	case len(g) == 0:
		return Color{}
	case len(g) == 1 || !(t > 0):
		return g[0]
	case t >= 1:
		return g[len(g)-1]
	}
	x := t * float64(len(g)-1)
	i := int(x)
	return Blend(g[i], g[i+1], x-float64(i))
}

// Steps samples the gradient at n evenly spaced points, for a legend or a table of styles made once.
func (g Gradient) Steps(n int) []Color {
	out := make([]Color, max(n, 0))
	for i := range out {
		t := 0.0
		if n > 1 {
			t = float64(i) / float64(n-1)
		}
		out[i] = g.At(t)
	}
	return out
}

// worst is the lowest contrast of c over the backgrounds.
func worst(c Color, backgrounds []Color) float64 {
	w := math.Inf(1)
	for _, b := range backgrounds {
		w = min(w, Contrast(c, b))
	}
	return w
}

// legible moves the Oklch lightness of c, its hue kept and its chroma reduced only where sRGB ends, by the smallest
// step that reaches the wanted contrast on every background. If none does, it returns the most legible colour found.
func legible(c Color, backgrounds []Color, want float64) Color {
	best, bestW := c, worst(c, backgrounds)
	if bestW >= want {
		return c
	}
	l, chroma, h := c.colorful().OkLch()
	for i := 1; i <= 200; i++ {
		for _, dir := range []float64{1, -1} {
			nl := l + dir*float64(i)/200
			if nl < 0 || nl > 1 {
				continue
			}
			n := inGamut(nl, chroma, h)
			w := worst(n, backgrounds)
			if w >= want {
				return n
			}
			if w > bestW {
				best, bestW = n, w
			}
		}
	}
	return best
}

// inGamut is the Oklch colour with its chroma reduced until sRGB can show it.
func inGamut(l, chroma, h float64) Color {
	for range 40 {
		if c := colorful.OkLch(l, chroma, h); c.IsValid() {
			return fromColorful(c)
		}
		chroma *= 0.92
	}
	return fromColorful(colorful.OkLch(l, 0, h))
}
