package tui

import (
	tea "charm.land/bubbletea/v2"
)

// viewActions change how a search is looked at.
func viewActions() []action {
	const g = "Looking"
	acts := []action{
		{id: "filter", keys: []string{"/"}, on: onSearch, group: g, short: "filter", help: "show matching nodes only: score>0.6 state:failed lr<1e-4 text", foot: 3, run: plain(func(a *app) {
			p := &a.s.pane
			p.filtering, p.filterWas, p.filterErr, p.focused = newField(a.s.out.filter.text), a.s.out.filter, "", false
			a.s.out.before = a.s.out.cursor
		})},
		{id: "sort", keys: []string{"s"}, on: onSearch, group: g, short: "sort", help: "by tree, score, gain, or last change", run: plain(func(a *app) {
			a.s.out.order = (a.s.out.order + 1) % numOrders
			a.s.out.stale = true
		})},
		{id: "graph", keys: []string{"v"}, on: onSearch, group: g, short: "graph", help: "draw the tree top-down instead of as an outline", run: plain((*app).toggleGraph)},
		{id: "overlay", keys: []string{"o"}, on: onSearch, group: g, short: "overlay", help: "beneath the curves: the parent, the parent from the same start, siblings, the path, nothing", run: then(func(a *app) {
			a.s.pane.chart.overlay = (a.s.pane.chart.overlay + 1) % numOverlays
			a.note("curves beneath: " + a.s.pane.chart.overlay.String())
		})},
		{id: "log", keys: []string{"L"}, on: onSearch, group: g, short: "log scale", help: "curves on a logarithmic scale", run: plain(func(a *app) { a.s.pane.chart.log = !a.s.pane.chart.log })},
		{id: "smooth", keys: []string{"~", "i"}, shown: "i", on: onSearch, group: g, short: "smooth", help: "curves: a moving average over the raw values", run: plain(func(a *app) { a.s.pane.chart.smooth = !a.s.pane.chart.smooth })},
		{id: "against", keys: []string{"d"}, on: onSearch, group: g, short: "difference from", help: "compare the configuration with the parent, the practitioner's or the best", run: plain(func(a *app) {
			a.s.pane.against = (a.s.pane.against + 1) % 3
			a.s.pane.tab = tabConfig
		})},
		{id: "zoomin", keys: []string{"+", "="}, on: onSearch, group: g, short: "zoom in", help: "curves: half the steps, around the cursor when it is set; graph: more of each node", run: plain(func(a *app) { a.zoom(1) })},
		{id: "zoomout", keys: []string{"-"}, on: onSearch, group: g, short: "zoom out", help: "curves: more steps; graph: more nodes, at last all of them", run: plain(func(a *app) { a.zoom(-1) })},
		{id: "samples", keys: []string{"f"}, on: onSearch, group: g, short: "which samples", help: "samples: all, right, wrong, cut off", why: func(a *app) string {
			if a.s.pane.tab != tabSamples {
				return "open the samples first (6)"
			}
			return ""
		}, run: plain(func(a *app) {
			a.s.pane.samples = (a.s.pane.samples + 1) % len(sampleKinds)
			a.s.pane.scroll[tabSamples] = 0
		})},
		{id: "narrower", keys: []string{"<"}, on: onSearch, group: g, short: "narrower tree", help: "give the inspector more room", run: func(a *app) tea.Cmd { return a.split(-4) }},
		{id: "wider", keys: []string{">"}, on: onSearch, group: g, short: "wider tree", help: "give the tree more room", run: func(a *app) tea.Cmd { return a.split(4) }},
		{id: "nexttab", keys: []string{"]"}, on: onSearch, group: g, short: "next tab", help: "next tab of the inspector", run: then(func(a *app) { a.s.pane.tab = (a.s.pane.tab + 1) % numTabs })},
		{id: "prevtab", keys: []string{"["}, on: onSearch, group: g, short: "previous tab", help: "tab before", run: then(func(a *app) { a.s.pane.tab = (a.s.pane.tab + numTabs - 1) % numTabs })},
	}
	acts = append(acts, graphActions()...)
	for i := range numTabs {
		acts = append(acts, action{
			id: "tab." + tabNames[i], keys: []string{num(int(i) + 1)}, on: onSearch, group: "Inspector", short: tabNames[i], help: tabHelp[i],
			run: then(func(a *app) { a.s.pane.tab = i }),
		})
	}
	return acts
}

// zoom is for the graph when it is in view and has the focus, else for the curves.
func (a *app) zoom(by int) {
	p := &a.s.pane
	if p.graph.on && !p.focused {
		p.graph.closer(by)
		return
	}
	v := &p.chart
	if n := a.s.node(); n != nil && v.cursor >= 0 && p.tab == tabCurves {
		// The step under the cursor moves into the middle.
		if ms := a.s.metrics(n.ID); len(ms) > 0 {
			if plot, ok := a.plot(n, ms[0]); ok {
				w := v.width
				v.centre = plot.XAt(min(v.cursor, w-1), w)
				v.cursor = w / 2
			}
		}
	}
	if v.zoom = max(0, min(6, v.zoom+by)); v.zoom == 0 {
		v.centre = 0
	}
}

var tabHelp = [numTabs]string{
	"the curves that tell most, scores, who decided and why", "every metric, with overlays and a cursor",
	"the configuration as a difference", "findings, evidence, reasons, expectations", "checkpoints and their scores",
	"the model's own answers with their rewards", "what happened to the node",
}

// split moves the border between tree and inspector.
func (a *app) split(by int) tea.Cmd {
	a.settings.Split = max(20, min(80, a.settings.Split+by))
	return a.saveSettings()
}

// homeActions are those of the library.
func homeActions() []action {
	const g = "Library"
	some := func(a *app) string {
		if a.home.current() == nil {
			return "no search is selected"
		}
		return ""
	}
	return []action{
		{id: "home.open", keys: []string{"enter", "right", "l"}, on: onHome, group: g, short: "open", help: "open the search, or take the menu's line", foot: 1, run: (*app).homeEnter},
		{id: "home.down", keys: []string{"down", "j"}, shown: "↓ j", on: onHome, group: g, help: "down", run: homeMove(1)},
		{id: "home.up", keys: []string{"up", "k"}, shown: "↑ k", on: onHome, group: g, help: "up", run: homeMove(-1)},
		{id: "home.top", keys: []string{"home", "g"}, on: onHome, group: g, help: "the first", run: homeMove(-1 << 20)},
		{id: "home.end", keys: []string{"end", "G"}, on: onHome, group: g, help: "the last", run: homeMove(1 << 20)},
		{id: "home.pgdown", keys: []string{"pgdown", "ctrl+d"}, on: onHome, group: g, help: "a page down", run: homeMove(10)},
		{id: "home.pgup", keys: []string{"pgup", "ctrl+u"}, on: onHome, group: g, help: "a page up", run: homeMove(-10)},
		{id: "home.new", keys: []string{"n"}, on: onHome, group: g, short: "new search", help: "choose task, trainer, agent and budget, and start", foot: 2, run: (*app).askNew},
		{id: "home.tour", keys: []string{"t"}, on: onHome, group: g, short: "quick tour", help: "start a small search at once", foot: 10, run: (*app).quickTour},
		{id: "home.filter", keys: []string{"/"}, on: onHome, group: g, short: "filter", help: "show matching searches only: best>0.6 gain>0 status:waiting task:sort agent:rules text", foot: 3, why: anySearch, run: plain(func(a *app) { a.home.typing = newField(a.home.filter) })},
		{id: "home.sort", keys: []string{"s"}, on: onHome, group: g, short: "sort", help: "newest, last changed, best, gain, spent, task, agent, status", foot: 6, why: anySearch, run: arranged(func(h *home) { h.sort = (h.sort + 1) % len(homeSorts) })},
		{id: "home.reverse", keys: []string{"S"}, on: onHome, group: g, short: "reverse the order", help: "the last first", why: anySearch, run: arranged(func(h *home) { h.reverse = !h.reverse })},
		{id: "home.mark", keys: []string{"space", "m"}, on: onHome, group: g, short: "mark", help: "mark to compare; c compares two, and of three the oldest mark goes", foot: 4, why: some, run: plain(func(a *app) {
			a.home.mark(a.home.current().Search)
		})},
		{id: "home.compare", keys: []string{"c"}, on: onHome, group: g, short: "compare", help: "compare the two marked searches", foot: 5, why: func(a *app) string {
			if len(a.home.marks) != 2 {
				return "mark two searches with space first"
			}
			return ""
		}, run: (*app).compareMarked},
		{id: "home.rename", keys: []string{"r"}, on: onHome, group: g, short: "rename", help: "give the search a name", foot: 7, why: some, run: (*app).homeRename},
		{id: "home.delete", keys: []string{"X", "delete"}, on: onHome, group: g, short: "delete", help: "delete the search and all its checkpoints", foot: 9, why: some, run: (*app).homeDelete},
		{id: "home.export", keys: []string{"e"}, on: onHome, group: g, short: "export", help: "write the search or its best strategy to a file", foot: 8, why: some, run: (*app).homeExport},
		{id: "home.import", keys: []string{"i"}, on: onHome, group: g, short: "import", help: "take a search that an export wrote into this store", run: (*app).askImport},
		{id: "home.store", keys: []string{"o"}, on: onHome, group: g, short: "open a store", help: "leave this store for another file", run: (*app).askStore},
		{id: "home.demo", keys: []string{"D"}, on: onHome, group: g, short: "demo", help: "watch how a recorded search grew", why: func(a *app) string {
			if !a.opt.Demo {
				return "there is no recording"
			}
			return ""
		}, run: (*app).watchDemo},
		{id: "home.reload", keys: []string{"R", "ctrl+r"}, on: onHome, group: g, short: "reload", help: "read the store again", run: func(a *app) tea.Cmd { return a.loadList() }},
		{id: "home.clear", keys: []string{"esc"}, on: onHome, group: g, help: "clear the filter", run: arranged((*home).clearFilter)},
	}
}

// homeMove moves the cursor of the library or the menu, and reads what is under it then.
func homeMove(by int) func(*app) tea.Cmd {
	return func(a *app) tea.Cmd {
		a.home.cursor += by
		a.home.clamp(a)
		return a.readGlance()
	}
}

// arranged changes how the list is arranged.
func arranged(f func(*home)) func(*app) tea.Cmd {
	return func(a *app) tea.Cmd {
		f(a.home)
		a.home.arrange()
		return a.readGlance()
	}
}

func anySearch(a *app) string {
	if len(a.home.all) == 0 {
		return "there is no search yet"
	}
	return ""
}

// clamp keeps the cursor within the list or the menu.
func (h *home) clamp(a *app) {
	n := len(h.rows)
	if len(h.all) == 0 {
		n = len(a.menu())
	}
	h.cursor = max(0, min(h.cursor, n-1))
}

func (a *app) homeEnter() tea.Cmd {
	h := a.home
	if h.busy != "" || !h.loaded {
		return nil
	}
	if len(h.all) == 0 {
		if h.err != nil {
			return a.loadList()
		}
		h.clamp(a)
		return a.menu()[h.cursor].run(a)
	}
	if s := h.current(); s != nil {
		return a.openSearch(s.Search)
	}
	return nil
}
