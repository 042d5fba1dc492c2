package tui

import (
	"cmp"
	"slices"
	"strings"
	"time"

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

	listing bool      // a list is on its way
	listed  time.Time // when it was asked for last
	told    map[string]standing

	seen    *glance // what was read of a search under the cursor
	reading bool    // another one is on its way

	cursor    int
	coming    string // the search on which the cursor is to stand when the list comes
	top       int
	sort      int
	reverse   bool
	filter    string
	terms     libraryFilter // the words of the filter that are right
	filterErr string        // what is wrong with the filter as it is typed
	typing    *field        // the filter while it is typed
	marks     []string      // to compare, at most two, the older first
}

func newHome() *home { return &home{told: map[string]standing{}} }

// homeSorts are the orders of the library, and the columns that show them.
var homeSorts = []struct {
	name, column string
	less         func(a, b *tree.Summary) int
}{
	{"newest", "", func(a, b *tree.Summary) int { return b.Created.Compare(a.Created) }},
	{"changed", "changed", func(a, b *tree.Summary) int { return b.Updated.Compare(a.Updated) }},
	{"best", "best", func(a, b *tree.Summary) int { return cmp.Compare(b.BestVal, a.BestVal) }},
	{"gain", "gain", func(a, b *tree.Summary) int { return cmp.Compare(b.BestVal-b.BaseVal, a.BestVal-a.BaseVal) }},
	{"spent", "tokens", func(a, b *tree.Summary) int { return cmp.Compare(b.Tokens, a.Tokens) }},
	{"task", "task", func(a, b *tree.Summary) int { return strings.Compare(a.Task, b.Task) }},
	{"agent", "agent", func(a, b *tree.Summary) int { return strings.Compare(a.Agent, b.Agent) }},
	{"status", "status", func(a, b *tree.Summary) int {
		return slices.Index(statusWords, statusWord(a)) - slices.Index(statusWords, statusWord(b))
	}},
}

// order is a comparison of searches in the order that was chosen.
func (h *home) order(a, b int) int {
	d := homeSorts[h.sort].less(&h.all[a], &h.all[b])
	if h.reverse {
		return -d
	}
	return d
}

func (h *home) setList(m listMsg) {
	id := or(h.coming, h.currentID())
	h.loaded, h.err = true, m.err
	if m.err == nil {
		h.all, h.coming = m.all, ""
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
		if h.terms.match(&h.all[i]) {
			h.rows = append(h.rows, i)
		}
	}
	slices.SortStableFunc(h.rows, h.order)
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

// mark marks a search for comparing, or takes its mark away. Of three, the oldest mark goes.
func (h *home) mark(id string) {
	if i := slices.Index(h.marks, id); i >= 0 {
		h.marks = slices.Delete(h.marks, i, i+1)
		return
	}
	h.marks = append(h.marks, id)
	h.marks = h.marks[max(0, len(h.marks)-2):]
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
	about := paint.Wrap("A tree of training segments grows from one base model. An agent looks at each segment's curves, says what is wrong and "+
		"proposes what to change; you approve, edit or veto it. Everything is kept, and the best path can be replayed.", w)
	for i, l := range about {
		c.Text(x, y+3+i, sFaint, l)
	}
	y += 4 + len(about)
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
