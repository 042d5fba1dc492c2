package themes

// Token names what a colour means on the screen. Its String is the key of a user theme's [colors] table.
type Token uint8

// The tokens. Surfaces first, then lines, then text, then data.
const (
	Background  Token = iota // the page
	Surface                  // panes, header and footer bars
	Overlay                  // dialogs above the page
	SelectionBg              // the selected row
	AccentBg                 // a filled badge or key cap; its text is OnAccent

	Border      // frames at rest
	BorderFocus // the frame with the focus
	Track       // the empty part of a gauge or slider
	Grid        // chart axes and grid lines

	Text        // ordinary text
	Muted       // secondary text
	Faint       // units, captions; still readable
	Title       // titles of panes and pages
	SelectionFg // text of the selected row
	OnAccent    // text on AccentBg
	Accent      // focus, keys, links
	Best        // gold: the best path and score
	Gain        // better than the parent
	Loss        // worse than the parent
	Waiting     // orange: waits for the person
	Running     // a segment under way
	Done        // evaluated, healthy, success
	Warning     // needs a look
	Error       // failed
	Info        // neutral notice

	Capacity       // blue: parameters that add capacity
	Regularization // violet: parameters that hold back
	Other          // parameters of neither role

	Series1 // the curve of the node itself
	Series2 // its parent
	Series3 // further curves
	Series4
	Series5
	Series6

	HeatLow  // gauges and device load: cool
	HeatMid  // half
	HeatHigh // full

	ScoreLow  // node scores: the worst
	ScoreMid  // half
	ScoreHigh // the best

	numTokens
)

// NumTokens is how many tokens there are; they are 0 ... NumTokens-1.
const NumTokens = int(numTokens)

var tokenNames = [numTokens]string{
	Background: "background", Surface: "surface", Overlay: "overlay", SelectionBg: "selection_bg", AccentBg: "accent_bg",
	Border: "border", BorderFocus: "border_focus", Track: "track", Grid: "grid",
	Text: "text", Muted: "muted", Faint: "faint", Title: "title", SelectionFg: "selection_fg", OnAccent: "on_accent",
	Accent: "accent", Best: "best", Gain: "gain", Loss: "loss", Waiting: "waiting", Running: "running", Done: "done",
	Warning: "warning", Error: "error", Info: "info",
	Capacity: "capacity", Regularization: "regularization", Other: "other",
	Series1: "series1", Series2: "series2", Series3: "series3", Series4: "series4", Series5: "series5", Series6: "series6",
	HeatLow: "heat_low", HeatMid: "heat_mid", HeatHigh: "heat_high",
	ScoreLow: "score_low", ScoreMid: "score_mid", ScoreHigh: "score_high",
}

// String is the token's name in a theme file, such as "border_focus".
func (t Token) String() string {
	if t < numTokens {
		return tokenNames[t]
	}
	return "unknown"
}

// TokenByName finds a token by the name that String gives it.
func TokenByName(name string) (Token, bool) {
	for t, n := range tokenNames {
		if n == name {
			return Token(t), true
		}
	}
	return 0, false
}

// Tokens lists every token in order, for a theme preview.
func Tokens() []Token {
	out := make([]Token, numTokens)
	for i := range out {
		out[i] = Token(i)
	}
	return out
}

// IsText reports whether the token is drawn as text, and so must reach AA contrast.
func (t Token) IsText() bool { return t >= Text && t < numTokens }

// surfaces are the backgrounds on which the token is drawn: every text may stand in a pane, a dialog and a selected row.
func (t Token) surfaces() []Token {
	if t == OnAccent {
		return []Token{AccentBg}
	}
	return []Token{Background, Surface, Overlay, SelectionBg}
}

// contrast is the ratio the token must reach: WCAG 1.4.3 for text, 1.4.11 for the focus frame, and just visible for the
// frames, tracks and grids that only decorate.
func (t Token) contrast() float64 {
	switch {
	case t == BorderFocus:
		return 3
	case t == Border || t == Track || t == Grid:
		return 1.15
	case t.IsText():
		return 4.5
	}
	return 1
}

// StateToken is the colour of a node's state, named as engine/tree names it ("proposed", "running", ...); an unknown
// state is Muted.
func StateToken(state string) Token {
	switch state {
	case "proposed":
		return Waiting
	case "approved", "queued":
		return Info
	case "running":
		return Running
	case "evaluated":
		return Done
	case "stopped":
		return Warning
	case "failed":
		return Error
	case "vetoed": // a decision, not a failure
		return Muted
	case "pruned":
		return Faint
	}
	return Muted
}

// RoleToken is the colour of a parameter's role: "capacity", "regularization" or anything else.
func RoleToken(role string) Token {
	switch role {
	case "capacity":
		return Capacity
	case "regularization":
		return Regularization
	}
	return Other
}
