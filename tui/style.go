package tui

import (
	"llmzero/themes"
	"llmzero/tui/component/paint"
)

// ink is the paint of a theme's token.
func ink(t themes.Token) paint.Ink { return paint.Token(t) }

// fg is text of a token on the page.
func fg(t themes.Token) paint.Style { return paint.Style{Fg: ink(t)} }

// The styles that most of the screen is written in.
var (
	sText   = fg(themes.Text)
	sMuted  = fg(themes.Muted)
	sFaint  = fg(themes.Faint)
	sTitle  = fg(themes.Title).With(paint.Bold)
	sAccent = fg(themes.Accent)
	sKey    = fg(themes.Accent).With(paint.Bold)
	sBest   = fg(themes.Best)
	sGain   = fg(themes.Gain)
	sLoss   = fg(themes.Loss)
	sWait   = fg(themes.Waiting).With(paint.Bold)
	sRun    = fg(themes.Running)
	sWarn   = fg(themes.Warning)
	sError  = fg(themes.Error)
	sBorder = fg(themes.Border)
	sFocus  = fg(themes.BorderFocus)
	sGrid   = fg(themes.Grid)
)

// overlay puts a style on a dialog's background.
func overlay(s paint.Style) paint.Style { return s.On(ink(themes.Overlay)) }
