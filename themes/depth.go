package themes

import (
	"image/color"

	"github.com/charmbracelet/x/ansi"
)

// Depth is how much colour a terminal shows.
type Depth uint8

// The depths. DepthFull also serves 256-colour terminals: the terminal library finds the nearest of the 256.
const (
	DepthFull Depth = iota // 24-bit colour or 256 colours
	Depth16                // the terminal's own 16 ANSI colours, chosen by meaning, not by distance
	DepthNone              // no colour: NO_COLOR is set, or the output is no terminal
)

// At returns the theme as a terminal of that depth shows it. Rounding RGB to the nearest of 16 colours would merge
// tokens, and turn faint text into black on black; so at Depth16 each token has an ANSI colour of its own choice.
func (th Theme) At(d Depth) Theme {
	th.depth = d
	return th
}

// Depth is what At set.
func (th Theme) Depth() Depth { return th.depth }

// basic is the ANSI colour of a token; nil is the terminal's default foreground or background.
func basic(t Token, dark bool) color.Color {
	pick := func(onDark, onLight ansi.BasicColor) color.Color {
		if dark {
			return onDark
		}
		return onLight
	}
	switch t {
	case Background, Surface, Overlay, Text, Title, Other:
		return nil
	case SelectionBg, AccentBg:
		return pick(ansi.Blue, ansi.Blue)
	case SelectionFg, OnAccent:
		return ansi.BrightWhite
	case Border, Track, Grid, Faint:
		return pick(ansi.White, ansi.BrightBlack)
	case Muted:
		return pick(ansi.White, ansi.BrightBlack)
	case Accent, BorderFocus, Info, Series1, Running:
		return pick(ansi.BrightCyan, ansi.Blue)
	case Best, Series2, HeatMid:
		return pick(ansi.BrightYellow, ansi.Yellow)
	case Gain, Done, Series4, HeatLow, ScoreHigh:
		return pick(ansi.BrightGreen, ansi.Green)
	case Loss, Error, Series6, HeatHigh, ScoreLow:
		return pick(ansi.BrightRed, ansi.Red)
	case Waiting, Warning, Series5:
		return pick(ansi.Yellow, ansi.Yellow)
	case Capacity:
		return pick(ansi.BrightBlue, ansi.Blue)
	case Regularization, Series3:
		return pick(ansi.BrightMagenta, ansi.Magenta)
	case ScoreMid:
		return nil
	case numTokens:
	}
	return nil
}
