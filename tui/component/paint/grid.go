package paint

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// Attr are text attributes, combined with |.
type Attr uint8

// The attributes.
const (
	Bold Attr = 1 << iota
	Italic
	Underline
	Strike
	Reverse // used when there are no colours
)

// Style is how a cell looks. The zero Style is ordinary text on the page's background.
type Style struct {
	Fg, Bg Ink
	Attr   Attr
}

// With returns s with more attributes.
func (s Style) With(a Attr) Style { s.Attr |= a; return s }

// On returns s on another background.
func (s Style) On(bg Ink) Style { s.Bg = bg; return s }

type cell struct {
	text  string // one grapheme cluster; empty for the second half of a wide one
	style Style
}

// Rect is a rectangle of cells.
type Rect struct{ X, Y, W, H int }

// Contains tells whether a cell lies in r.
func (r Rect) Contains(x, y int) bool { return x >= r.X && y >= r.Y && x < r.X+r.W && y < r.Y+r.H }

// Intersect is what r and s have in common; its size is never negative.
func (r Rect) Intersect(s Rect) Rect {
	x, y := max(r.X, s.X), max(r.Y, s.Y)
	return Rect{x, y, max(0, min(r.X+r.W, s.X+s.W)-x), max(0, min(r.Y+r.H, s.Y+s.H)-y)}
}

// Zone is a rectangle that answers the mouse.
type Zone struct {
	Rect
	Kind  string // what it is: "row", "tab", "key"
	Index int    // which one
}

// Grid is a screen of cells. It is not safe for concurrent use.
type Grid struct {
	ASCII bool // paint only ASCII: signs that have a plain likeness take it, others become "?"
	w, h  int
	cells []cell
	zones []Zone
	b     strings.Builder
}

// NewGrid makes a grid of blanks; sizes below 1 become 1.
func NewGrid(w, h int) *Grid {
	g := &Grid{}
	g.Resize(w, h)
	return g
}

// Resize changes the size and blanks the grid.
func (g *Grid) Resize(w, h int) {
	g.w, g.h = max(1, w), max(1, h)
	if n := g.w * g.h; cap(g.cells) >= n {
		g.cells = g.cells[:n]
	} else {
		g.cells = make([]cell, n)
	}
	g.Clear(Style{})
}

// Clear blanks the grid and forgets its zones.
func (g *Grid) Clear(s Style) {
	for i := range g.cells {
		g.cells[i] = cell{" ", s}
	}
	g.zones = g.zones[:0]
}

// Canvas is the whole grid.
func (g *Grid) Canvas() Canvas { return Canvas{g, Rect{0, 0, g.w, g.h}, Rect{0, 0, g.w, g.h}} }

// Hit finds the zone that was added last among those under a cell.
func (g *Grid) Hit(x, y int) (Zone, bool) {
	for i := len(g.zones) - 1; i >= 0; i-- {
		if g.zones[i].Contains(x, y) {
			return g.zones[i], true
		}
	}
	return Zone{}, false
}

// Render writes the grid as lines of styled text for a terminal of full colour.
func (g *Grid) Render(p *Palette) string {
	g.b.Reset()
	g.b.Grow(g.w * g.h * 3)
	for y := range g.h {
		if y > 0 {
			g.b.WriteByte('\n')
		}
		var pen Style
		open := false
		for _, c := range g.cells[y*g.w : (y+1)*g.w] {
			if c.text == "" {
				continue
			}
			if !open || c.style != pen {
				p.sgr(&g.b, c.style)
				pen, open = c.style, true
			}
			g.b.WriteString(c.text)
		}
		g.b.WriteString(ansi.ResetStyle)
	}
	return g.b.String()
}

// Text is the grid without styles, one line a row, blanks at the ends of lines cut.
func (g *Grid) Text() string {
	var b strings.Builder
	for y := range g.h {
		var line strings.Builder
		for _, c := range g.cells[y*g.w : (y+1)*g.w] {
			line.WriteString(c.text)
		}
		b.WriteString(strings.TrimRight(line.String(), " "))
		b.WriteByte('\n')
	}
	return b.String()
}

// At returns the text and style of a cell, for tests.
func (g *Grid) At(x, y int) (string, Style) {
	c := g.cells[y*g.w+x]
	return c.text, c.style
}

// set writes one cluster of width 1 or 2 and keeps wide neighbours whole.
func (g *Grid) set(x, y int, text string, width int, s Style) {
	i := y*g.w + x
	if g.cells[i].text == "" && x > 0 { // the second half of a wide cluster: blank its first half
		g.cells[i-1].text = " "
	}
	if end := i + width; x+width < g.w && g.cells[end].text == "" { // cut a wide cluster's second half off
		g.cells[end].text = " "
	}
	g.cells[i] = cell{text, s}
	if width == 2 {
		g.cells[i+1] = cell{"", s}
	}
}

// next takes the first cluster off s. It skips what must not reach a terminal; width is 0 at the end of s.
func next(s string) (cluster, rest string, width int) {
	for s != "" {
		c := s[0]
		switch {
		case c == 0x1b:
			s = skipEscape(s)
			continue
		case c == '\t' || c == '\n':
			return " ", s[1:], 1
		case c < 0x20 || c == 0x7f:
			s = s[1:]
			continue
		case c < 0x80 && (len(s) == 1 || s[1] < 0x80):
			return s[:1], s[1:], 1
		}
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 {
			return "?", s[1:], 1
		}
		if unsafeRune(r) {
			s = s[n:]
			continue
		}
		if (r >= 0x2500 && r < 0x2600) || (r >= 0x2800 && r < 0x2900) { // boxes, blocks, braille: one cell, no joiners
			return s[:n], s[n:], 1
		}
		cluster, _ := ansi.FirstGraphemeCluster(s, ansi.GraphemeWidth)
		rest = s[len(cluster):]
		if cluster, width = plain(cluster); width > 0 {
			return cluster, rest, width
		}
		s = rest
	}
	return "", "", 0
}

// plain keeps the first rune of a cluster and its accents. Terminals disagree on how wide joined emoji are; a screen that
// guesses wrong is torn, one that shows the first of them is not.
func plain(cluster string) (string, int) {
	r, n := utf8.DecodeRuneInString(cluster)
	width := min(2, ansi.StringWidthWc(cluster[:n]))
	switch {
	case width == 0:
		return "", 0
	case width != ansi.StringWidth(cluster[:n]): // half a flag, for one
		return "?", 1
	}
	if n == len(cluster) {
		return cluster, width
	}
	out := string(r)
	for _, r := range cluster[n:] {
		if unicode.Is(unicode.Mn, r) && !unsafeRune(r) && (r < 0xfe00 || r > 0xfe0f) {
			out += string(r)
		}
	}
	return out, width
}

// skipEscape leaves out one escape sequence; a broken one loses its ESC alone.
func skipEscape(s string) string {
	var st byte
	_, _, n, _ := ansi.DecodeSequence(s, st, nil)
	return s[max(1, n):]
}

// unsafeRune tells whether a rune is a C1 control or changes the direction of what follows.
func unsafeRune(r rune) bool {
	return (r >= 0x80 && r < 0xa0) || (r >= 0x202a && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069) ||
		r == 0x200e || r == 0x200f || r == 0x061c || r == 0xfeff
}

// Width is how many cells s takes when it is painted.
func Width(s string) int {
	n := 0
	for {
		_, rest, w := next(s)
		if w == 0 {
			return n
		}
		n, s = n+w, rest
	}
}

// Clean is s as it is painted: without control characters and escape sequences, line ends and tabs as blanks.
func Clean(s string) string {
	clean := true
	for i := range len(s) {
		if s[i] < 0x20 || s[i] >= 0x7f {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	var b strings.Builder
	for {
		c, rest, w := next(s)
		if w == 0 {
			return b.String()
		}
		b.WriteString(c)
		s = rest
	}
}

// Cut shortens s to width cells, ending in an ellipsis when something is lost.
func Cut(s string, width int, ellipsis string) string {
	if width <= 0 {
		return ""
	}
	if Width(s) <= width {
		return s
	}
	var b strings.Builder
	n := 0
	for {
		c, rest, w := next(s)
		if w == 0 || n+w > width-1 {
			return b.String() + ellipsis
		}
		b.WriteString(c)
		n, s = n+w, rest
	}
}

// Wrap breaks s into lines of at most width cells, at blanks where it can. Line ends in s are kept; other control
// characters are removed.
func Wrap(s string, width int) []string {
	width = max(1, width)
	var out []string
	for para := range strings.SplitSeq(strings.ReplaceAll(s, "\r\n", "\n"), "\n") {
		out = append(out, wrapLine(Clean(para), width)...)
	}
	return out
}

func wrapLine(s string, width int) []string {
	if Width(s) <= width {
		return []string{s} // as it is: tables in a model's prompt keep their columns
	}
	var out []string
	line, used := "", 0
	indent := s[:len(s)-len(strings.TrimLeft(s, " "))]
	for word := range strings.FieldsSeq(s) {
		w := Width(word)
		if used > 0 && used+1+w > width {
			out = append(out, line)
			line, used = "", 0
		}
		if used > 0 {
			line, used = line+" ", used+1
		} else if len(out) == 0 && len(indent) < width/2 {
			line, used = indent, len(indent)
			if used > 0 && used+w > width {
				line, used = "", 0
			}
		}
		for Width(word) > width-used { // a word longer than a line is cut
			head := ""
			n := used
			for {
				c, rest, cw := next(word)
				if n+cw > width || cw == 0 {
					break
				}
				head, word, n = head+c, rest, n+cw
			}
			if head == "" && used == 0 {
				return out
			}
			out = append(out, line+head)
			line, used = "", 0
		}
		line, used = line+word, used+Width(word)
	}
	return append(out, line)
}
