package tui

import (
	"slices"

	"llmzero/engine/tree"
	"llmzero/themes"
	"llmzero/tui/component/paint"
)

// libraryColumn is a column of the library.
type libraryColumn struct {
	head  string
	width int
	right bool
	rank  int // columns with a high rank are left out first
	cell  func(a *app, s *tree.Summary) (string, paint.Style)
}

func libraryColumns() []libraryColumn {
	return []libraryColumn{
		{"search", 18, false, 0, func(a *app, s *tree.Summary) (string, paint.Style) {
			return or(s.Name, s.Search), sText
		}},
		{"task", 9, false, 4, func(_ *app, s *tree.Summary) (string, paint.Style) { return s.Task, sMuted }},
		{"trainer", 9, false, 11, func(_ *app, s *tree.Summary) (string, paint.Style) { return s.Trainer, sMuted }},
		{"agent", 14, false, 10, func(_ *app, s *tree.Summary) (string, paint.Style) { return s.Agent, sMuted }},
		{"policy", 8, false, 12, func(_ *app, s *tree.Summary) (string, paint.Style) { return s.Policy, sMuted }},
		{"status", 12, false, 1, statusCell},
		{"best", 6, true, 2, func(_ *app, s *tree.Summary) (string, paint.Style) {
			if !scored(s) {
				return "–", sFaint
			}
			return score(s.BestVal), sBest
		}},
		{"gain", 12, true, 3, gainCell},
		{"nodes", 6, true, 6, func(_ *app, s *tree.Summary) (string, paint.Style) { return num(s.Nodes), sMuted }},
		{"tokens", 7, true, 8, func(_ *app, s *tree.Summary) (string, paint.Style) { return count(float64(s.Tokens)), sMuted }},
		{"budget", 7, true, 9, func(_ *app, s *tree.Summary) (string, paint.Style) {
			return num(int(100*min(s.Used, 1)+0.5)) + "%", sMuted
		}},
		{"changed", 10, true, 7, func(a *app, s *tree.Summary) (string, paint.Style) { return ago(s.Updated, a.now()), sFaint }},
	}
}

func statusCell(_ *app, s *tree.Summary) (string, paint.Style) {
	switch w := statusWord(s); w {
	case "waiting":
		return num(s.Waiting) + " waiting", sWait
	case "running":
		return w, sRun
	case "paused":
		return w, sWarn
	case "done":
		return w, fg(themes.Done)
	case "failed":
		return w, sError
	}
	return "stopped", sMuted
}

// gainCell is the gain over the base with the half-width of its 95% interval.
func gainCell(a *app, s *tree.Summary) (string, paint.Style) {
	if !scored(s) {
		return "–", sFaint
	}
	if s.Segments == 0 {
		return "–", sFaint
	}
	g := s.BestVal - s.BaseVal
	pm := 1.96 * sqrt(s.BestSE*s.BestSE+s.BaseSE*s.BaseSE)
	text := a.look.glyphs.Delta(g) + " " + delta(g) + " " + a.look.glyphs.Mark.PlusMinus + delta(pm)
	if g-pm > 0 {
		return text, sGain
	}
	if g+pm < 0 {
		return text, sLoss
	}
	return text, sMuted
}

// glanceRows is the least height of the preview, frame included; a screen too low for it shows the list alone.
const glanceRows = 9

// drawLibrary paints the list, and below it what the search under the cursor came to.
func (a *app) drawLibrary(c paint.Canvas) {
	h := a.home.listHeight(c.H())
	a.drawSearches(c.Sub(0, 0, c.W(), h))
	if s := a.home.current(); s != nil && h < c.H() {
		a.drawGlance(c.Sub(0, h, c.W(), c.H()-h), s)
	}
}

// listHeight is how many of the page's rows the list gets: what it needs, but two fifths are the preview's.
func (h *home) listHeight(rows int) int {
	room := max(glanceRows, rows*2/5)
	if room > rows/2 || len(h.rows) == 0 {
		return rows
	}
	return max(6, min(len(h.rows)+3, rows-room))
}

func (a *app) drawSearches(c paint.Canvas) {
	h, gl := a.home, a.look.glyphs
	in := a.panel(c, "Searches", true)
	visible := fitColumns(libraryColumns(), in.W()-4)
	x := 3
	for _, col := range visible {
		st := sFaint
		if col.head == homeSorts[h.sort].column {
			st = sAccent
		}
		if col.right {
			in.TextRight(x+col.width, 0, st, col.head)
		} else {
			in.Text(x, 0, st, col.head)
		}
		x += col.width + 2
	}
	rows := in.Sub(0, 1, in.W(), in.H()-1)
	h.top = max(0, min(h.top, h.cursor))
	h.top = max(h.top, h.cursor-rows.H()+1)
	for i := 0; i < rows.H() && h.top+i < len(h.rows); i++ {
		a.drawLibraryRow(rows.Sub(0, i, rows.W(), 1), h.top+i, visible)
	}
	if len(h.rows) == 0 {
		rows.Center(rows.H()/2, sMuted, "no search matches "+gl.Mark.Bullet+" esc clears the filter")
	}
	a.drawLibraryFoot(c)
}

// drawLibraryFoot says in the frame how the list is ordered and filtered, and takes the filter while it is typed.
func (a *app) drawLibraryFoot(c paint.Canvas) {
	h, gl := a.home, a.look.glyphs
	y := c.H() - 1
	c.TextRight(c.W()-2, y, sFaint, " "+num(len(h.rows))+" ")
	if h.typing != nil {
		x := c.Text(2, y, sAccent, " filter: ")
		w := min(40, c.W()-x-8)
		if h.filterErr != "" {
			w = min(w, paint.Width(h.typing.value())+1)
			c.TextIn(x+w, y, c.W()-x-w-2, sWarn, " "+gl.Mark.Warning+" "+h.filterErr+" ", gl.Mark.Ellipsis)
		}
		h.typing.draw(c.Sub(x, y, w, 1), sText, true)
		return
	}
	foot, st := " sort: "+homeSorts[h.sort].name, sFaint
	if h.reverse {
		foot += ", reversed"
	}
	if h.filter != "" {
		foot, st = foot+" "+gl.Mark.Separator+" filter: "+h.filter, sMuted
	}
	c.Text(2, y, st, paint.Cut(foot+" ", c.W()-20, gl.Mark.Ellipsis))
}

// fitColumns leaves the least important columns out until the others fit, and gives what is left over to the first.
func fitColumns(cols []libraryColumn, width int) []libraryColumn {
	for {
		sum, least := 0, 0
		for i, col := range cols {
			sum += col.width + 2
			if col.rank > cols[least].rank {
				least = i
			}
		}
		if sum <= width+2 || len(cols) == 1 {
			cols[0].width += max(0, min(width-sum, 30))
			return cols
		}
		cols = slices.Delete(cols, least, least+1)
	}
}

func (a *app) drawLibraryRow(c paint.Canvas, i int, cols []libraryColumn) {
	h, gl := a.home, a.look.glyphs
	s := &h.all[h.rows[i]]
	bg := paint.Ink(0)
	c.Zone(0, 0, c.W(), 1, "library", i)
	if i == h.cursor {
		bg = ink(themes.SelectionBg)
		c.Fill(paint.Style{}.On(bg))
		c.Text(0, 0, sAccent.On(bg), gl.Mark.Cursor)
	}
	if slices.Contains(h.marks, s.Search) {
		c.Text(1, 0, sAccent.On(bg), gl.Mark.Selected)
	}
	x := 3
	for _, col := range cols {
		text, st := col.cell(a, s)
		text = paint.Cut(paint.Clean(text), col.width, gl.Mark.Ellipsis)
		if i == h.cursor && st == sText {
			st = fg(themes.SelectionFg).With(paint.Bold)
		}
		if col.right {
			c.TextRight(x+col.width, 0, st.On(bg), text)
		} else {
			c.Text(x, 0, st.On(bg), text)
		}
		x += col.width + 2
	}
}
