package tui

import (
	"slices"

	tea "charm.land/bubbletea/v2"

	"llmzero/engine/tree"
	"llmzero/themes"
	"llmzero/tui/component/paint"
)

// gateActions answer a proposal.
func gateActions() []action {
	const g = "Proposal"
	on := func(f func(*app, *gate, *tree.Node) tea.Cmd) func(*app) tea.Cmd {
		return func(a *app) tea.Cmd {
			d := a.gate()
			if d == nil || d.busy {
				return nil
			}
			n, ok := a.s.t.Node(d.node)
			if !ok || n.State != tree.StateProposed {
				return nil
			}
			return f(a, d, n)
		}
	}
	return []action{
		{id: "gate.verdict.approve", keys: []string{"a"}, on: inGate, group: g, short: "approve", help: "let it train as proposed", foot: 1, run: on(func(a *app, d *gate, n *tree.Node) tea.Cmd {
			d.busy = true
			return a.do(name(n.ID)+" approved", tree.Command{Kind: tree.CmdApprove, Node: n.ID})
		})},
		{id: "gate.verdict.edit", keys: []string{"e"}, on: inGate, group: g, short: "edit", help: "change any value, the checkpoint or the length, then approve", foot: 2, run: on(func(a *app, _ *gate, n *tree.Node) tea.Cmd {
			a.editProposal(n)
			return nil
		})},
		{id: "gate.verdict.veto", keys: []string{"v"}, on: inGate, group: g, short: "veto…", help: "refuse it with a reason that the agent will see", foot: 3, run: on(func(a *app, d *gate, n *tree.Node) tea.Cmd {
			a.askVeto(d, n)
			return nil
		})},
		{id: "gate.verdict.another", keys: []string{"r"}, on: inGate, group: g, short: "ask again…", help: "ask for another proposal, with a hint", foot: 4, run: on(func(a *app, d *gate, n *tree.Node) tea.Cmd {
			a.ask("Ask again", "A hint for the agent; it may be empty.", "", "", func(a *app, text string) tea.Cmd {
				d.busy = true
				return a.do("asked for another", tree.Command{Kind: tree.CmdAnother, Node: n.ID, Text: text})
			})
			return nil
		})},
		{id: "gate.later", keys: []string{"s", "esc", "q"}, on: inGate, group: g, short: "later", help: "close; the proposal goes on waiting", foot: 5, run: plain((*app).pop)},
		{id: "gate.next", keys: []string{"n", "tab", "right", "l"}, on: inGate, group: g, short: "next", help: "the next proposal that waits", foot: 6, why: func(a *app) string {
			if a.s != nil && len(a.s.ix.waiting) > 1 {
				return ""
			}
			return "no other proposal waits"
		}, run: func(a *app) tea.Cmd { return a.gate().turn(a, 1) }},
		{id: "gate.prev", keys: []string{"p", "shift+tab", "left", "h"}, on: inGate, group: g, help: "the proposal before", run: func(a *app) tea.Cmd { return a.gate().turn(a, -1) }},
		{id: "gate.rules", keys: []string{"A"}, on: inGate, group: g, short: "rules", help: "which proposals wait for you at all", foot: 7, run: plain((*app).editRules)},
		{id: "gate.down", keys: []string{"down", "j"}, on: inGate, group: g, help: "scroll down", run: plain(func(a *app) { a.gate().scroll++ })},
		{id: "gate.up", keys: []string{"up", "k"}, on: inGate, group: g, help: "scroll up", run: plain(func(a *app) { a.gate().scroll = max(0, a.gate().scroll-1) })},
	}
}

// vetoIdeas are common reasons, offered with the arrow keys.
var vetoIdeas = []string{"tried before without gain", "too large a step", "the diagnosis is wrong", "too expensive for what it may give"}

func (a *app) askVeto(d *gate, n *tree.Node) {
	p := a.ask("Veto "+name(n.ID), "Why not? The agent sees the reason and proposes something else. ↑↓ offers common ones.", "",
		"a reason is needed: it is what the agent learns from", func(a *app, text string) tea.Cmd {
			d.busy = true
			return a.do(name(n.ID)+" vetoed", tree.Command{Kind: tree.CmdVeto, Node: n.ID, Text: text})
		})
	p.ideas = vetoIdeas
}

// waits says that nothing waits, for actions that need a proposal.
func waits(a *app) string {
	if a.s == nil || len(a.s.ix.waiting) == 0 {
		return "no proposal waits for a verdict"
	}
	return ""
}

// move is what up and down do: the cursor in the tree, or the scroll position of the inspector.
func move(by int) func(*app) tea.Cmd {
	return then(func(a *app) {
		s := a.s
		if s.pane.focused {
			s.pane.roll(by)
			return
		}
		if s.pane.graph.on && (by == 1 || by == -1) {
			s.walkGraph(0, by)
			return
		}
		s.step(by)
		s.pane.scroll = [numTabs]int{}
	})
}

// roll scrolls the open tab.
func (p *inspector) roll(by int) {
	if p.tab == tabCurves {
		p.chart.top = max(0, p.chart.top+by)
		return
	}
	p.scroll[p.tab] = max(0, min(p.scroll[p.tab]+by, max(0, p.extent-p.height)))
}

func page(by int) func(*app) tea.Cmd {
	return func(a *app) tea.Cmd {
		h := max(1, a.s.out.height-2)
		if a.s.pane.focused {
			h = max(1, a.s.pane.height-2)
		}
		return move(by * h)(a)
	}
}

// searchActions move about in a search.
func searchActions() []action {
	const g = "Moving"
	return []action{
		{id: "review", keys: []string{"enter"}, on: onSearch, group: "Proposals", short: "review", help: "review the proposal under the cursor, or the oldest that waits; without one, go to the inspector", foot: 1, label: func(a *app) string {
			if waits(a) != "" {
				return "inspect"
			}
			return "review"
		}, run: func(a *app) tea.Cmd {
			if len(a.s.ix.waiting) > 0 {
				return a.openGate()
			}
			a.s.pane.focused = !a.s.pane.focused
			return nil
		}},
		{id: "review.back", keys: []string{"w"}, on: onTrajectories | onCompare | onAgent, group: "Proposals", short: "review", help: "back to the tree, to review the oldest proposal that waits", why: waits, run: (*app).reviewFromAfar},
		{id: "down", keys: []string{"down", "j"}, shown: "↓ j", on: onSearch, group: g, help: "down", run: move(1)},
		{id: "up", keys: []string{"up", "k"}, shown: "↑ k", on: onSearch, group: g, help: "up", run: move(-1)},
		{id: "pgdown", keys: []string{"pgdown", "ctrl+d"}, on: onSearch, group: g, help: "a page down", run: page(1)},
		{id: "pgup", keys: []string{"pgup", "ctrl+u"}, on: onSearch, group: g, help: "a page up", run: page(-1)},
		{id: "top", keys: []string{"home", "g"}, on: onSearch, group: g, help: "to the root", run: move(-1 << 30)},
		{id: "end", keys: []string{"end", "G"}, on: onSearch, group: g, help: "to the last row", run: move(1 << 30)},
		{id: "left", keys: []string{"left", "h"}, shown: "← h", on: onSearch, group: g, help: "fold, then to the parent; in curves, the cursor", run: then(func(a *app) { a.sideways(-1) })},
		{id: "right", keys: []string{"right", "l"}, shown: "→ l", on: onSearch, group: g, help: "unfold, then to the first child; in curves, the cursor", run: then(func(a *app) { a.sideways(1) })},
		{id: "fold", keys: []string{"z"}, on: onSearch, group: g, short: "fold", help: "fold or unfold the node", why: func(a *app) string {
			if n := a.s.node(); n == nil || len(n.Children) == 0 {
				return "the node has no children"
			}
			return ""
		}, run: plain(func(a *app) { a.s.fold(a.s.out.cursor, !a.s.out.folded[a.s.out.cursor]) })},
		{id: "foldall", keys: []string{"Z"}, on: onSearch, group: g, short: "fold all but the best path", help: "fold what is not on the best path, or unfold all", run: plain(func(a *app) { a.s.foldAll() })},
		{id: "best", keys: []string{"b"}, on: onSearch, group: g, short: "best", help: "to the best node", foot: 4, run: then(func(a *app) { a.s.goTo(a.s.ix.best) })},
		{id: "waiting", keys: []string{"w"}, on: onSearch, group: g, short: "next waiting", help: "to the next proposal that waits", why: waits, run: then(func(a *app) { a.s.cycle(a.s.ix.waiting) })},
		{id: "running", keys: []string{"n"}, on: onSearch, group: g, short: "next running", help: "to the next running segment", why: func(a *app) string {
			if len(a.s.ix.running) == 0 {
				return "nothing is running"
			}
			return ""
		}, run: then(func(a *app) { a.s.cycle(a.s.ix.running) })},
		{id: "plan", keys: []string{"N"}, on: onSearch, group: g, short: "what comes next", help: "which nodes the policy would go on from, and why", why: func(a *app) string {
			if _, ok := a.s.sess.(Planner); !ok {
				return "this search is only shown"
			}
			return ""
		}, run: (*app).askPlan},
		{id: "parent", keys: []string{"u"}, on: onSearch, group: g, short: "parent", help: "to the parent", run: then(func(a *app) {
			if p := a.s.parent(a.s.node()); p != nil {
				a.s.goTo(p.ID)
			}
		})},
		{id: "sibling", keys: []string{"J"}, on: onSearch, group: g, short: "next sibling", help: "to the next sibling", run: then(func(a *app) { a.s.sibling(1) })},
		{id: "sibling.prev", keys: []string{"K"}, on: onSearch, group: g, short: "previous sibling", help: "to the sibling before", run: then(func(a *app) { a.s.sibling(-1) })},
		{id: "pane", keys: []string{"tab", "shift+tab"}, on: onSearch, group: g, short: "pane", help: "from the tree to the inspector and back", foot: 2, run: plain(func(a *app) { a.s.pane.focused = !a.s.pane.focused })},
	}
}

// reviewFromAfar goes back to the search page and opens the gate there.
func (a *app) reviewFromAfar() tea.Cmd {
	for a.page != onSearch && len(a.back) > 0 {
		a.goBack()
	}
	if a.page != onSearch {
		return nil
	}
	return a.openGate()
}

// sideways folds and unfolds in the tree, and moves the readout in curves.
func (a *app) sideways(by int) {
	s := a.s
	n := s.node()
	if n == nil {
		return
	}
	if s.pane.focused {
		a.sidewaysPane(by)
		return
	}
	if s.pane.graph.on {
		s.walkGraph(by, 0)
		return
	}
	folded := s.out.folded[n.ID]
	switch {
	case by > 0 && folded:
		s.fold(n.ID, false)
	case by > 0 && len(n.Children) > 0:
		s.lay()
		if i := int(s.out.at[n.ID]) + 1; i < len(s.out.rows) && s.t.Nodes[s.out.rows[i]].Parent == n.ID {
			s.out.cursor = s.out.rows[i]
		}
	case by < 0 && !folded && len(n.Children) > 0:
		s.fold(n.ID, true)
	case by < 0:
		s.goTo(n.Parent)
	}
}

func (a *app) sidewaysPane(by int) {
	p := &a.s.pane
	if p.tab != tabCurves {
		p.tab = (p.tab + tab(by) + numTabs) % numTabs
		return
	}
	v := &p.chart
	if v.cursor < 0 {
		v.cursor = 0
		if by < 0 {
			v.cursor = 1 << 20 // the right edge; drawing keeps it within
		}
		return
	}
	v.cursor = max(0, min(v.cursor, a.w)+by)
}

// cycle goes to the next of ids after the cursor.
func (s *search) cycle(ids []tree.NodeID) {
	for _, id := range ids {
		if id > s.out.cursor {
			s.goTo(id)
			return
		}
	}
	if len(ids) > 0 {
		s.goTo(ids[0])
	}
}

func (s *search) sibling(by int) {
	n := s.node()
	p := s.parent(n)
	if p == nil {
		return
	}
	i := slices.Index(p.Children, n.ID) + by
	if i >= 0 && i < len(p.Children) {
		s.goTo(p.Children[i])
	}
}

// pageTyped gives keys to a field that is being typed in on a page.
func (a *app) pageTyped(k tea.KeyPressMsg) (tea.Cmd, bool) {
	if a.page == onHome && a.home.typing != nil {
		taken := a.home.typed(k)
		return a.readGlance(), taken
	}
	if a.page != onSearch || a.s == nil || a.s.pane.filtering == nil {
		return nil, false
	}
	p := &a.s.pane
	switch k.String() {
	case "enter":
		if f, err := parseFilter(p.filtering.value(), a.s.t.Spec.Space); err == nil {
			p.filtering, p.filterErr = nil, ""
			a.s.setFilter(f)
		} else {
			a.note(err.Error())
		}
		return a.follow(), true
	case "esc":
		p.filtering, p.filterErr = nil, ""
		a.s.setFilter(p.filterWas)
		a.s.out.cursor = a.s.out.before
		return a.follow(), true
	case "up", "down":
		a.s.step(map[string]int{"up": -1, "down": 1}[k.String()])
		return a.follow(), true
	}
	if !p.filtering.typed(k) {
		return nil, true
	}
	// The list follows every letter; a word that is not finished yet leaves the last good filter in force.
	f, err := parseFilter(finished(p.filtering.value()), a.s.t.Spec.Space)
	p.filterErr = ""
	if err != nil {
		p.filterErr = err.Error()
		return nil, true
	}
	a.s.setFilter(f)
	return a.follow(), true
}

// needed are the nodes whose points the page in view shows.
func (a *app) needed() []tree.NodeID {
	s := a.s
	var ids []tree.NodeID
	if n := s.node(); n != nil && n.ID != tree.Root {
		if n.State != tree.StateProposed && n.State != tree.StateVetoed {
			ids = append(ids, n.ID)
		}
		ids = append(ids, a.overlaid(n)...)
	}
	if g := a.gate(); g != nil {
		if n, ok := s.t.Node(g.node); ok && n.Transition.From.Node != tree.Root {
			ids = append(ids, n.Transition.From.Node)
		}
	}
	ids = append(ids, s.ix.running[:min(len(s.ix.running), 16)]...)
	return ids
}

// neededRecord is the node whose records the page in view shows.
func (a *app) neededRecord() (tree.NodeID, bool) {
	n := a.s.node()
	if n == nil {
		return 0, false
	}
	on := a.page == onAgent || (a.page == onSearch && (a.s.pane.tab == tabSamples || a.s.pane.tab == tabLog))
	return n.ID, on
}

// announce tells about what came while the person looked elsewhere: a toast, and the bell when it is on.
func (a *app) announce(s *search, waiting int, status tree.Status) tea.Cmd {
	var text string
	switch {
	case len(s.ix.waiting) > waiting && a.gate() == nil:
		text = plural(len(s.ix.waiting), "proposal") + " waiting"
		if len(s.ix.waiting) == 1 {
			text = "a proposal waits"
		}
		switch { // below a dialog, enter is the dialog's
		case a.page != onSearch:
			text += ": w reviews"
		case len(a.dialogs) == 0:
			text += ": enter reviews"
		}
	case s.t.Status != status && (s.t.Status == tree.SearchDone || s.t.Status == tree.SearchFailed):
		text = "the search is " + string(s.t.Status)
		if s.t.Reason != "" {
			text += ": " + s.t.Reason
		}
	default:
		return nil
	}
	return a.notify(text)
}

// notify is a toast, and a notification with the bell when they are on.
func (a *app) notify(text string) tea.Cmd {
	a.tell(text, themes.Waiting, noteTime)
	switch {
	case a.settings.Notify == notifyAlways:
		return tea.Raw("\a\x1b]9;llmzero: " + paint.Clean(text) + "\x07")
	case a.settings.Notify == notifyNever || !a.blurred:
		return nil
	}
	return tea.Raw("\x1b]9;llmzero: " + paint.Clean(text) + "\x07")
}
