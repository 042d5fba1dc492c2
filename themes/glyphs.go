package themes

import "strings"

// Glyphs is a set of characters for everything that the screen draws. Each string is one terminal cell wide.
type Glyphs struct {
	Name    string // "unicode" or "ascii"
	Box     BoxGlyphs
	Tree    TreeGlyphs
	Mark    MarkGlyphs
	Gauge   GaugeGlyphs
	Slider  SliderGlyphs
	Spark   []string // a ramp from low to high
	Spinner []string // frames of one turn
	Braille bool     // charts may use braille dots; else they draw with Plot
	Plot    PlotGlyphs
	states  map[string]string
}

// BoxGlyphs are the parts of a frame.
type BoxGlyphs struct {
	TopLeft, Top, TopRight, Left, Right, BottomLeft, Bottom, BottomRight string
	TeeLeft, TeeRight, TeeTop, TeeBottom, Cross                          string
}

// TreeGlyphs draw an outline: two cells a level, such as Branch+Dash or Pipe+" ".
type TreeGlyphs struct {
	Branch, Last, Pipe, Dash string // "├" "└" "│" "─"
	Folded, Unfolded         string
}

// MarkGlyphs are single signs.
type MarkGlyphs struct {
	Best, Up, Down, Flat      string // the best path; gain, loss and no change
	Cursor, Ellipsis, Bullet  string
	Check, Cross, Warning     string
	Waiting, Clock, Times     string
	Capacity, Regularization  string // roles, so that they do not rest on colour alone
	Other, Play, Pause        string
	Right, Left, Separator    string
	ScrollThumb, ScrollTrack  string
	Degree, PlusMinus, Arrow  string
	Edited, Selected, Unknown string
}

// GaugeGlyphs draw a horizontal gauge; Parts are the fractions of one cell from empty to full, for a fine end.
type GaugeGlyphs struct {
	Full, Empty string
	Parts       []string
}

// SliderGlyphs draw a parameter's place in its range: the line, the old and the new value and the way between them.
type SliderGlyphs struct {
	Line, Old, New, Way, ToRight, ToLeft string
}

// PlotGlyphs draw a chart and its axes.
type PlotGlyphs struct {
	Point, Cursor, AxisX, AxisY, TickX, TickY, Corner string
	Dashed, Dotted                                    string // legend samples of the parent's and the siblings' curves
}

// State is the glyph of a node's state by its name in engine/tree; an unknown state is "?".
func (g *Glyphs) State(state string) string {
	if s, ok := g.states[state]; ok {
		return s
	}
	return "?"
}

// Role is the glyph of a parameter's role by its name in engine/tree.
func (g *Glyphs) Role(role string) string {
	switch role {
	case "capacity":
		return g.Mark.Capacity
	case "regularization":
		return g.Mark.Regularization
	}
	return g.Mark.Other
}

// Delta is the glyph of a change against the parent: up, down, or flat for zero and NaN.
func (g *Glyphs) Delta(d float64) string {
	switch {
	case d > 0:
		return g.Mark.Up
	case d < 0:
		return g.Mark.Down
	}
	return g.Mark.Flat
}

// Sparkline draws the last width values, one cell each, scaled to their own range (all equal: the middle). NaN and
// infinities are blanks. Fewer values than width give a shorter string.
func (g *Glyphs) Sparkline(values []float64, width int) string {
	return g.SparklineIn(values, width, nan, nan)
}

// SparklineIn is Sparkline on a fixed range [low, high], such as 0 ... 100 for a percentage; a NaN bound is taken from
// the values drawn.
func (g *Glyphs) SparklineIn(values []float64, width int, low, high float64) string {
	if width <= 0 {
		return ""
	}
	if len(values) > width {
		values = values[len(values)-width:]
	}
	lo, hi, ok := bounds(values)
	if !isNaN(low) {
		lo = low
	}
	if !isNaN(high) {
		hi = high
	}
	var b strings.Builder
	top := len(g.Spark) - 1
	for _, v := range values {
		switch {
		case !ok || !finite(v):
			b.WriteByte(' ')
		case hi-lo <= 0:
			b.WriteString(g.Spark[top/2])
		default:
			// Halving first keeps the span finite for the widest float64 range.
			t := (v/2 - lo/2) / (hi/2 - lo/2)
			b.WriteString(g.Spark[min(max(int(t*float64(top)+0.5), 0), top)])
		}
	}
	return b.String()
}

// Bar draws a gauge of exactly width cells, filled to t in [0, 1] (clamped; NaN is 0), and returns the filled and the
// empty part apart so that each takes its own colour.
func (g *Glyphs) Bar(t float64, width int) (filled, empty string) {
	if width <= 0 {
		return "", ""
	}
	if !(t > 0) {
		t = 0
	}
	cells := min(t, 1) * float64(width)
	full := int(cells)
	filled = strings.Repeat(g.Gauge.Full, full)
	if n := len(g.Gauge.Parts); full < width && n > 1 {
		if part := int((cells - float64(full)) * float64(n)); part > 0 {
			filled += g.Gauge.Parts[part]
			full++
		}
	}
	return filled, strings.Repeat(g.Gauge.Empty, width-full)
}

// GlyphsFor chooses a set from the environment (os.Getenv in main): LLMZERO_GLYPHS=ascii or unicode decides, else a
// UTF-8 locale on anything but the kernel's console has Unicode. A locale that says nothing counts as UTF-8.
func GlyphsFor(getenv func(string) string) *Glyphs {
	switch strings.ToLower(getenv("LLMZERO_GLYPHS")) {
	case "ascii":
		return ASCII()
	case "unicode":
		return Unicode()
	}
	// The Linux console's font has neither braille nor the state signs.
	if getenv("TERM") == "linux" {
		return ASCII()
	}
	for _, k := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToLower(getenv(k)); v != "" {
			if strings.Contains(v, "utf-8") || strings.Contains(v, "utf8") {
				return Unicode()
			}
			return ASCII()
		}
	}
	return Unicode()
}
