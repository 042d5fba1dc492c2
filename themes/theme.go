package themes

import (
	"fmt"
	"image/color"
)

// Theme is a complete set of colours. The zero Theme has no colours; take one from Builtins, Default or Parse.
// Themes are values: copying one is cheap and At returns a changed copy.
type Theme struct {
	Name  string // what --theme takes
	Title string // for people
	Dark  bool   // made for a dark background
	File  string // the file of a user theme, else empty

	depth  Depth
	colors [numTokens]Color
}

// Palette is what a theme's author writes: the colours of some tokens. New derives the others.
type Palette map[Token]Color

// New makes a theme of a palette. Background, Text and Accent are required; every other token has a default derived from
// those given. Each token's lightness is then moved just far enough to be legible on all its surfaces.
func New(name, title string, dark bool, p Palette) (Theme, error) {
	for _, t := range []Token{Background, Text, Accent} {
		if _, ok := p[t]; !ok {
			return Theme{}, fmt.Errorf("theme %s: the token %s is missing; background, text and accent are required", name, t)
		}
	}
	th := Theme{Name: name, Title: title, Dark: dark}
	th.fill(p)
	th.adjust(nil)
	return th, nil
}

// fill sets each token from the palette or, where it has none, from the tokens before it.
func (th *Theme) fill(p Palette) {
	bg, text, accent := p[Background], p[Text], p[Accent]
	derived := map[Token]func() Color{
		Surface:     func() Color { return Blend(bg, text, 0.03) },
		Overlay:     func() Color { return Blend(bg, text, 0.06) },
		SelectionBg: func() Color { return Blend(bg, accent, 0.18) },
		AccentBg:    func() Color { return accent },
		Border:      func() Color { return Blend(bg, text, 0.22) },
		BorderFocus: func() Color { return accent },
		Track:       func() Color { return Blend(bg, text, 0.16) },
		Grid:        func() Color { return Blend(bg, text, 0.18) },
		Muted:       func() Color { return Blend(text, bg, 0.25) },
		Faint:       func() Color { return Blend(text, bg, 0.42) },
		Title:       func() Color { return text },
		SelectionFg: func() Color { return text },
		OnAccent:    func() Color { return bg },
		Done:        func() Color { return th.colors[Gain] },
		Running:     func() Color { return accent },
		Warning:     func() Color { return th.colors[Waiting] },
		Error:       func() Color { return th.colors[Loss] },
		Info:        func() Color { return accent },
		Other:       func() Color { return th.colors[Muted] },
		Series1:     func() Color { return accent },
		Series2:     func() Color { return th.colors[Best] },
		Series3:     func() Color { return th.colors[Regularization] },
		Series4:     func() Color { return th.colors[Gain] },
		Series5:     func() Color { return th.colors[Waiting] },
		Series6:     func() Color { return th.colors[Loss] },
		HeatLow:     func() Color { return th.colors[Gain] },
		HeatMid:     func() Color { return th.colors[Best] },
		HeatHigh:    func() Color { return th.colors[Loss] },
		ScoreLow:    func() Color { return th.colors[Loss] },
		ScoreMid:    func() Color { return th.colors[Muted] },
		ScoreHigh:   func() Color { return th.colors[Gain] },
	}
	for t := range numTokens {
		if c, ok := p[t]; ok {
			th.colors[t] = c
		} else if f, ok := derived[t]; ok {
			th.colors[t] = f()
		} else {
			th.colors[t] = accent
		}
	}
}

// adjust makes each token legible on its surfaces, save the surfaces themselves and the tokens in keep.
func (th *Theme) adjust(keep Palette) {
	for t := Border; t < numTokens; t++ {
		if _, ok := keep[t]; !ok {
			th.colors[t] = legible(th.colors[t], th.backgrounds(t), t.contrast())
		}
	}
}

func (th *Theme) backgrounds(t Token) []Color {
	out := make([]Color, 0, 4)
	for _, s := range t.surfaces() {
		out = append(out, th.colors[s])
	}
	return out
}

// RGB is the token's colour in full, whatever the terminal can show; an unknown token is Text's.
func (th Theme) RGB(t Token) Color {
	if t >= numTokens {
		t = Text
	}
	return th.colors[t]
}

// Color is the token's colour as the terminal at hand can show it (see At), ready for a terminal library: an RGB colour,
// one of the 16 ANSI colours, or nil for the terminal's own default.
func (th Theme) Color(t Token) color.Color {
	switch th.depth {
	case Depth16:
		return basic(t, th.Dark)
	case DepthNone:
		return nil
	case DepthFull:
	}
	return th.RGB(t)
}

// State is the colour of a node's state by its name in engine/tree.
func (th Theme) State(state string) color.Color { return th.Color(StateToken(state)) }

// Role is the colour of a parameter's role by its name in engine/tree.
func (th Theme) Role(role string) color.Color { return th.Color(RoleToken(role)) }

// Heat is the gradient of a load from idle to full.
func (th Theme) Heat() Gradient {
	return Gradient{th.colors[HeatLow], th.colors[HeatMid], th.colors[HeatHigh]}
}

// Scores is the gradient of node scores from the worst to the best.
func (th Theme) Scores() Gradient {
	return Gradient{th.colors[ScoreLow], th.colors[ScoreMid], th.colors[ScoreHigh]}
}

// HeatColor is Heat at t in [0, 1], as the terminal at hand can show it.
func (th Theme) HeatColor(t float64) color.Color {
	return th.ramp(th.Heat(), t, [3]Token{HeatLow, HeatMid, HeatHigh})
}

// ScoreColor is Scores at t in [0, 1], as the terminal at hand can show it.
func (th Theme) ScoreColor(t float64) color.Color {
	return th.ramp(th.Scores(), t, [3]Token{ScoreLow, ScoreMid, ScoreHigh})
}

func (th Theme) ramp(g Gradient, t float64, stops [3]Token) color.Color {
	if th.depth == DepthFull {
		return g.At(t)
	}
	switch {
	case t > 2.0/3:
		return th.Color(stops[2])
	case t > 1.0/3:
		return th.Color(stops[1])
	}
	return th.Color(stops[0])
}

// Series is the colour of the i-th curve of a chart; it starts again after the sixth.
func (th Theme) Series(i int) color.Color {
	return th.Color(Series1 + Token(((i%6)+6)%6))
}

// Problems lists, one sentence each, the tokens that are hard to read on a surface of theirs. Built-in themes have none.
func (th Theme) Problems() []string {
	var out []string
	for t := Border; t < numTokens; t++ {
		for _, s := range t.surfaces() {
			c := Contrast(th.colors[t], th.colors[s])
			if c < t.contrast() {
				out = append(out, fmt.Sprintf("%s %s on %s %s has contrast %.1f:1; it needs %.1f:1",
					t, th.colors[t], s, th.colors[s], c, t.contrast()))
			}
		}
	}
	return out
}
