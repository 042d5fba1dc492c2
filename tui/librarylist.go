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

func statusCell(a *app, s *tree.Summary) (string, paint.Style) {
	switch s.Status {
	case tree.SearchRunning:
		if s.Waiting > 0 {
			return num(s.Waiting) + " waiting", sWait
		}
		return "running", sRun
	case tree.SearchPaused:
		return "paused", sWarn
	case tree.SearchDone:
		return "done", fg(themes.Done)
	case tree.SearchFailed:
		return "failed", sError
	case tree.SearchCanceled:
	}
	return "stopped", sMuted
}

// gainCell is the gain over the base with the half-width of its 95% interval.
func gainCell(a *app, s *tree.Summary) (string, paint.Style) {
	if !scored(s) {
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

func (a *app) drawLibrary(c paint.Canvas) {
	h, gl := a.home, a.look.glyphs
	title := "Searches"
	in := a.panel(c.Sub(0, 0, c.W(), c.H()), title, true)
	visible := fitColumns(libraryColumns(), in.W()-4)
	x := 3
	for _, col := range visible {
		if col.right {
			in.TextRight(x+col.width, 0, sFaint, col.head)
		} else {
			in.Text(x, 0, sFaint, col.head)
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
	foot := " sort: " + homeSorts[h.sort].name + " "
	if h.typing != nil {
		fx := c.Text(2, c.H()-1, sAccent, " filter: ")
		h.typing.draw(c.Sub(fx, c.H()-1, 40, 1), sText, true)
	} else if h.filter != "" {
		foot += gl.Mark.Separator + " filter: " + h.filter + " "
		c.Text(2, c.H()-1, sMuted, paint.Cut(foot, c.W()-20, gl.Mark.Ellipsis))
	} else {
		c.Text(2, c.H()-1, sFaint, foot)
	}
	c.TextRight(c.W()-2, c.H()-1, sFaint, " "+num(len(h.rows))+" ")
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
