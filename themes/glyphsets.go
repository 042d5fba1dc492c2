package themes

import "math"

var nan = math.NaN()

func isNaN(v float64) bool  { return v != v }
func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// bounds is the range of the finite values; ok is false if there are none.
func bounds(values []float64) (lo, hi float64, ok bool) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if finite(v) {
			lo, hi, ok = min(lo, v), max(hi, v), true
		}
	}
	return lo, hi, ok
}

// Unicode is the set for a terminal with a common font: box drawing, geometric shapes, block elements and braille; no
// emoji and nothing that needs a patched font.
func Unicode() *Glyphs { return &unicodeSet }

// ASCII is the set for a terminal or a log that shows nothing beyond ASCII.
func ASCII() *Glyphs { return &asciiSet }

var unicodeSet = Glyphs{
	Name: "unicode",
	Box: BoxGlyphs{
		TopLeft: "╭", Top: "─", TopRight: "╮", Left: "│", Right: "│", BottomLeft: "╰", Bottom: "─", BottomRight: "╯",
		TeeLeft: "├", TeeRight: "┤", TeeTop: "┬", TeeBottom: "┴", Cross: "┼",
	},
	Tree: TreeGlyphs{Branch: "├", Last: "└", Pipe: "│", Dash: "─", Folded: "▸", Unfolded: "▾"},
	Mark: MarkGlyphs{
		Best: "★", Up: "▲", Down: "▼", Flat: "·",
		Cursor: "▸", Ellipsis: "…", Bullet: "•",
		Check: "✓", Cross: "✗", Warning: "⚠",
		Waiting: "◌", Clock: "◷", Times: "×",
		Capacity: "■", Regularization: "◆",
		Other: "·", Play: "▶", Pause: "‖",
		Right: "→", Left: "←", Separator: "·",
		ScrollThumb: "┃", ScrollTrack: "│",
		Degree: "°", PlusMinus: "±", Arrow: "→",
		Edited: "✎", Selected: "◉", Unknown: "–",
	},
	Gauge:   GaugeGlyphs{Full: "█", Empty: "░", Parts: []string{"░", "▏", "▎", "▍", "▌", "▋", "▊", "▉"}},
	Slider:  SliderGlyphs{Line: "─", Old: "●", New: "○", Way: "━", ToRight: "▶", ToLeft: "◀"},
	Spark:   []string{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"},
	Spinner: []string{"⣷", "⣯", "⣟", "⡿", "⢿", "⣻", "⣽", "⣾"},
	Braille: true,
	Plot: PlotGlyphs{
		Point: "•", Cursor: "│", AxisX: "─", AxisY: "│", TickX: "┬", TickY: "┤", Corner: "└",
		Dashed: "┄", Dotted: "·",
	},
	states: map[string]string{
		"proposed": "◌", "approved": "◎", "queued": "○", "running": "◐", "evaluated": "●",
		"stopped": "✂", "failed": "⚠", "vetoed": "✗", "pruned": "⊘",
	},
}

var asciiSet = Glyphs{
	Name: "ascii",
	Box: BoxGlyphs{
		TopLeft: "+", Top: "-", TopRight: "+", Left: "|", Right: "|", BottomLeft: "+", Bottom: "-", BottomRight: "+",
		TeeLeft: "+", TeeRight: "+", TeeTop: "+", TeeBottom: "+", Cross: "+",
	},
	Tree: TreeGlyphs{Branch: "|", Last: "`", Pipe: "|", Dash: "-", Folded: "+", Unfolded: "-"},
	Mark: MarkGlyphs{
		Best: "*", Up: "^", Down: "v", Flat: ".",
		Cursor: ">", Ellipsis: ".", Bullet: "*",
		Check: "y", Cross: "x", Warning: "!",
		Waiting: "?", Clock: "@", Times: "x",
		Capacity: "#", Regularization: "%",
		Other: ".", Play: ">", Pause: "=",
		Right: ">", Left: "<", Separator: "-",
		ScrollThumb: "#", ScrollTrack: "|",
		Degree: "C", PlusMinus: "~", Arrow: ">",
		Edited: "e", Selected: "@", Unknown: "-",
	},
	Gauge:   GaugeGlyphs{Full: "#", Empty: "."},
	Slider:  SliderGlyphs{Line: "-", Old: "o", New: "O", Way: "=", ToRight: ">", ToLeft: "<"},
	Spark:   []string{"_", ".", "-", "=", "+", "*", "#"},
	Spinner: []string{"|", "/", "-", "\\"},
	Plot: PlotGlyphs{
		Point: "*", Cursor: "|", AxisX: "-", AxisY: "|", TickX: "+", TickY: "+", Corner: "+",
		Dashed: "-", Dotted: ".",
	},
	states: map[string]string{
		"proposed": "?", "approved": "o", "queued": ".", "running": "~", "evaluated": "*",
		"stopped": "/", "failed": "!", "vetoed": "x", "pruned": "-",
	},
}
