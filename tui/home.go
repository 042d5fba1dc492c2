package tui

import (
	"cmp"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"llmzero/engine/tree"
	"llmzero/themes"
	"llmzero/tui/component/paint"
)

// home is the library of searches; with none it is a menu that begins with the quick tour.
type home struct {
	all    []tree.Summary
	rows   []int // indices into all, filtered and sorted
	loaded bool
	err    error
	busy   string
	facts  []Fact

	cursor int
	top    int
	sort   int
	filter string
	typing *field          // the filter while it is typed
	marked map[string]bool // to compare
}

func newHome() *home { return &home{marked: map[string]bool{}} }

// homeSorts are the orders of the library.
var homeSorts = []struct {
	name string
	less func(a, b *tree.Summary) int
}{
	{"newest", func(a, b *tree.Summary) int { return b.Created.Compare(a.Created) }},
	{"changed", func(a, b *tree.Summary) int { return b.Updated.Compare(a.Updated) }},
	{"best", func(a, b *tree.Summary) int { return cmp.Compare(b.BestVal, a.BestVal) }},
	{"gain", func(a, b *tree.Summary) int { return cmp.Compare(b.BestVal-b.BaseVal, a.BestVal-a.BaseVal) }},
	{"task", func(a, b *tree.Summary) int { return strings.Compare(a.Task, b.Task) }},
}

func (h *home) setList(m listMsg) {
	id := h.currentID()
	h.loaded, h.err = true, m.err
	if m.err == nil {
		h.all = m.all
	}
	h.arrangeAt(id)
}

func (h *home) currentID() string {
	if s := h.current(); s != nil {
		return s.Search
	}
	return ""
}

// arrange filters and sorts, and keeps the cursor on its search.
func (h *home) arrange() { h.arrangeAt(h.currentID()) }

func (h *home) arrangeAt(id string) {
	h.rows = h.rows[:0]
	for i := range h.all {
		s := &h.all[i]
		hay := strings.ToLower(strings.Join([]string{s.Search, s.Name, s.Task, s.Trainer, s.Agent, s.Policy, string(s.Status)}, " "))
		keep := true
		for w := range strings.FieldsSeq(strings.ToLower(h.filter)) {
			keep = keep && strings.Contains(hay, w)
		}
		if keep {
			h.rows = append(h.rows, i)
		}
	}
	slices.SortStableFunc(h.rows, func(a, b int) int { return homeSorts[h.sort].less(&h.all[a], &h.all[b]) })
	h.cursor = max(0, min(h.cursor, len(h.rows)-1))
	for i, r := range h.rows {
		if h.all[r].Search == id {
			h.cursor = i
		}
	}
}

// current is the search under the cursor, nil without one.
func (h *home) current() *tree.Summary {
	if h.cursor < 0 || h.cursor >= len(h.rows) {
		return nil
	}
	return &h.all[h.rows[h.cursor]]
}

// menu are the lines of the home page while the store is empty.
type menuItem struct {
	label, help string
	run         func(*app) tea.Cmd
}

func (a *app) menu() []menuItem {
	q := a.offer.Quick
	about := "mixed task · embedded trainer · rules agent · about a minute"
	if q.Task != "" {
		about = strings.Join([]string{q.Task + " task", or(q.Trainer, "embedded") + " trainer", or(q.Agent, "rules") + " agent", "about a minute"}, " · ")
	}
	items := []menuItem{
		{"Start the quick tour", about, func(a *app) tea.Cmd { return a.quickTour() }},
		{"New search…", "choose the task, the trainer, the agent and the budget", func(a *app) tea.Cmd { return a.askNew() }},
		{"Open a store file…", "searches from another machine, or from last year", func(a *app) tea.Cmd { return a.askStore() }},
		{"Import a search…", "one that an export wrote, into this store", func(a *app) tea.Cmd { return a.askImport() }},
		{"Settings…", "theme, approval rules, keys, notifications", func(a *app) tea.Cmd { a.openSettings(); return nil }},
		{"Keys and help", "everything that can be done, by key", func(a *app) tea.Cmd { a.openHelp(); return nil }},
	}
	if a.opt.Demo {
		items = slices.Insert(items, 2, menuItem{"Watch the demo", "a recorded search, played back", func(a *app) tea.Cmd { return a.watchDemo() }})
	}
	return items
}

// watchDemo leaves for the recorded search.
func (a *app) watchDemo() tea.Cmd { return a.underWay(true, DemoStore) }

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func (a *app) quickTour() tea.Cmd {
	q := a.offer.Quick
	if q.Task == "" {
		q = NewSearch{Task: "mixed", Approval: tree.DefaultApproval(tree.AskAlways), Budget: tree.Budget{Segments: 12}}
	}
	return a.startSearch(q)
}

// drawHome paints the library or the menu.
func (a *app) drawHome(c paint.Canvas) {
	h := a.home
	a.bar(c, "Library")
	if a.opt.Version != "" {
		c.TextRight(c.W()-1, 0, sFaint.On(ink(themes.Surface)), a.opt.Version)
	}
	body := c.Sub(0, 1, c.W(), c.H()-2)
	switch {
	case h.busy != "":
		body.Center(body.H()/2, sMuted, h.busy+a.look.glyphs.Mark.Ellipsis)
	case !h.loaded:
		body.Center(body.H()/2, sMuted, "reading the store"+a.look.glyphs.Mark.Ellipsis)
	case h.err != nil:
		a.drawHomeError(body)
	case len(h.all) == 0:
		a.drawMenu(body)
	default:
		a.drawLibrary(body)
	}
	a.footer(c, 0)
}

func (a *app) drawHomeError(c paint.Canvas) {
	y := c.H()/2 - 2
	c.Center(y, sError, a.look.glyphs.Mark.Warning+" the store could not be read")
	for i, l := range paint.Wrap(a.home.err.Error(), c.W()-8) {
		c.Center(y+2+i, sMuted, l)
	}
	c.Center(y+5, sText, "press R to try again, q to leave")
}

func (a *app) drawMenu(c paint.Canvas) {
	items := a.menu()
	a.home.cursor = max(0, min(a.home.cursor, len(items)-1))
	w := min(84, c.W()-4)
	x := (c.W() - w) / 2
	y := max(1, c.H()/2-9)
	c.Text(x, y, sTitle, "l l m z e r o")
	c.Text(x, y+1, sMuted, "search over training trajectories")
	for i, l := range []string{
		"A tree of training segments grows from one base model. An agent looks at each",
		"segment's curves, says what is wrong and proposes what to change; you approve,",
		"edit or veto it. Everything is kept, and the best path can be replayed.",
	} {
		c.TextIn(x, y+3+i, w, sFaint, l, a.look.glyphs.Mark.Ellipsis)
	}
	y += 7
	for i, it := range items {
		c.Zone(x, y+i, w, 1, "menu", i)
		s, hs, mark := sText, sFaint, "  "
		if i == a.home.cursor {
			s, hs, mark = fg(themes.SelectionFg).With(paint.Bold), sMuted, a.look.glyphs.Mark.Cursor+" "
			row := c.Sub(x-1, y+i, w+2, 1)
			row.Fill(paint.Style{}.On(ink(themes.SelectionBg)))
			s, hs = s.On(ink(themes.SelectionBg)), hs.On(ink(themes.SelectionBg))
		}
		at := c.Text(x, y+i, s, mark+it.label)
		c.TextIn(max(at+2, x+26), y+i, x+w-max(at+2, x+26), hs, it.help, a.look.glyphs.Mark.Ellipsis)
	}
	y += len(items) + 2
	a.drawFacts(c.Sub(x, y, w, c.H()-y))
}

// drawFacts lists what is there and what is missing on this machine.
func (a *app) drawFacts(c paint.Canvas) {
	gl := a.look.glyphs
	for i, f := range a.home.facts {
		mark, s := gl.Mark.Check, fg(themes.Done)
		if !f.OK {
			mark, s = gl.Mark.Other, sFaint
		}
		c.Text(0, i, s, mark)
		c.TextIn(2, i, 16, sMuted, f.Name, gl.Mark.Ellipsis)
		at := c.TextIn(18, i, c.W()-18, sFaint, f.Value, gl.Mark.Ellipsis)
		if !f.OK && f.Hint != "" {
			c.TextIn(at+2, i, c.W()-at-2, sFaint, gl.Mark.Arrow+" "+f.Hint, gl.Mark.Ellipsis)
		}
	}
}

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
			if s.BestVal == 0 && s.BestSE == 0 {
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
	if s.BestVal == 0 && s.BestSE == 0 {
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
	if h.marked[s.Search] {
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
