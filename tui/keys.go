package tui

import (
	tea "charm.land/bubbletea/v2"
)

// allActions is the table of everything that can be done.
func allActions() []action {
	var all []action
	for _, part := range [][]action{gateActions(), searchActions(), nodeActions(), viewActions(), homeActions(), pageActions(), dialogActions(), everywhere()} {
		all = append(all, part...)
	}
	return all
}

// plain is an action's run without a command.
func plain(f func(*app)) func(*app) tea.Cmd {
	return func(a *app) tea.Cmd { f(a); return nil }
}

// then runs f and reads what the page needs afterwards.
func then(f func(*app)) func(*app) tea.Cmd {
	return func(a *app) tea.Cmd { f(a); return a.follow() }
}

func everywhere() []action {
	const g = "Everywhere"
	return []action{
		{id: "help", keys: []string{"?", "f1"}, on: onPages | inGate, group: g, short: "help", help: "what can be done here, by key", foot: footHelp, run: plain((*app).openHelp)},
		{id: "palette", keys: []string{":", "ctrl+p"}, on: onPages | inGate, group: g, short: "commands", help: "find a command by its name; a number goes to that node", foot: 91, run: plain((*app).openPalette)},
		{id: "settings", keys: []string{","}, on: onPages, group: g, short: "settings", help: "theme, approval rules of new searches, keys, mouse, notifications, where files lie", run: plain((*app).openSettings)},
		{id: "error", keys: []string{"!"}, on: onPages | inGate, group: g, short: "messages", help: "what the screen has said, in full", why: func(a *app) string {
			if len(a.toasts) == 0 {
				return "there was no message yet"
			}
			return ""
		}, run: plain((*app).openMessages)},
		{id: "back", keys: []string{"esc", "backspace"}, on: onSearch | onTrajectories | onCompare | onAgent, group: g, short: "back", help: "back to where one came from; clears a filter first", foot: 80, run: (*app).escape},
		{id: "quit", keys: []string{"q"}, on: onPages, group: g, short: "quit", help: "leave; asks what becomes of running segments", foot: 99, run: (*app).askQuit},
		{id: "redraw", keys: []string{"ctrl+l"}, on: onPages | inGate, group: g, short: "redraw", help: "paint the screen anew", run: func(*app) tea.Cmd { return tea.ClearScreen }},
	}
}

// escape clears what is in the way, and goes back when nothing is.
func (a *app) escape() tea.Cmd {
	if a.page == onSearch && a.s != nil {
		switch {
		case a.s.out.filter.text != "":
			a.s.out.filter = filter{}
			a.s.out.stale = true
			return nil
		case a.s.pane.chart.cursor >= 0 && a.s.pane.tab == tabCurves && a.s.pane.focused:
			a.s.pane.chart.cursor = -1
			return nil
		case a.s.pane.focused:
			a.s.pane.focused = false
			return nil
		}
	}
	return a.goBack()
}

func dialogActions() []action {
	const g = "Dialog"
	return []action{
		{id: "form.submit", keys: []string{"enter", "ctrl+s"}, on: inForm, group: g, short: "done", help: "take what is entered", foot: 1, label: func(a *app) string {
			f, ok := a.top().(*form)
			switch {
			case ok && f.current().press != nil:
				return "open"
			case ok && f.verb != "":
				return f.verb
			}
			return "done"
		}, run: func(a *app) tea.Cmd {
			switch d := a.top().(type) {
			case *form:
				return d.finish(a)
			case *prompt:
				return d.finish(a)
			}
			return nil
		}},
		{id: "form.cancel", keys: []string{"esc"}, on: inForm, group: g, short: "cancel", help: "close without taking anything", foot: 2, run: plain(func(a *app) {
			f, ok := a.top().(*form)
			a.pop()
			if ok && f.cancel != nil {
				f.cancel(a)
			}
		})},
		{id: "form.next", keys: []string{"down", "tab", "j"}, shown: "↓↑", on: inForm, group: g, short: "move", help: "next field", foot: 3, why: needsForm, run: formMove(1)},
		{id: "form.prev", keys: []string{"up", "shift+tab", "k"}, on: inForm, group: g, help: "field before", run: formMove(-1)},
		{id: "form.pgdown", keys: []string{"pgdown"}, on: inForm, group: g, help: "some fields on", run: formMove(8)},
		{id: "form.pgup", keys: []string{"pgup"}, on: inForm, group: g, help: "some fields back", run: formMove(-8)},
		{id: "form.nudge", keys: nil, shown: "< >", on: inForm, group: g, short: "nudge", help: "move a number along its range", foot: 4, why: needsForm, run: plain(func(*app) {})},
		{id: "form.undo", keys: []string{"ctrl+z"}, shown: "^z", on: inForm, group: g, short: "undo", help: "take the last change back", foot: 5, why: needsForm, run: plain(func(a *app) {
			if f, ok := a.top().(*form); ok {
				f.undoLast()
				f.told(a)
			}
		})},
		{id: "form.reset", keys: []string{"ctrl+r"}, shown: "^r", on: inForm, group: g, short: "reset", help: "the value that the field had at first", foot: 6, why: needsForm, run: plain(func(a *app) {
			if f, ok := a.top().(*form); ok && f.current().fixed == "" {
				f.keep(f.current().value())
				f.current().set(f.current().was)
				f.told(a)
			}
		})},
		{id: "list.pick", keys: []string{"enter", "space"}, on: inList, group: g, short: "choose", help: "take the line", foot: 1, run: func(a *app) tea.Cmd {
			if ch, ok := a.top().(*chooser); ok {
				return ch.enter(a)
			}
			return nil
		}},
		{id: "list.close", keys: []string{"esc", "q"}, on: inList, group: g, short: "cancel", help: "close", foot: 2, run: plain((*app).pop)},
		{id: "list.down", keys: []string{"down", "j", "tab", "ctrl+n"}, shown: "↓↑", on: inList, group: g, short: "move", help: "next line", foot: 3, run: listMove(1)},
		{id: "list.up", keys: []string{"up", "k", "shift+tab", "ctrl+p"}, on: inList, group: g, help: "line before", run: listMove(-1)},
		{id: "list.pgdown", keys: []string{"pgdown", "ctrl+d"}, on: inList, group: g, help: "a page on", run: listMove(10)},
		{id: "list.pgup", keys: []string{"pgup", "ctrl+u"}, on: inList, group: g, help: "a page back", run: listMove(-10)},
		{id: "text.close", keys: []string{"esc", "q", "enter", "?"}, on: inText, group: g, short: "close", help: "close", foot: 1, run: plain((*app).pop)},
		{id: "text.down", keys: []string{"down", "j"}, shown: "↓↑", on: inText, group: g, short: "scroll", help: "one line on", foot: 2, run: textMove(1)},
		{id: "text.up", keys: []string{"up", "k"}, on: inText, group: g, help: "one line back", run: textMove(-1)},
		{id: "text.pgdown", keys: []string{"pgdown", "space", "ctrl+d"}, on: inText, group: g, short: "page on", help: "a page on", foot: 3, run: textMove(0)},
		{id: "text.pgup", keys: []string{"pgup", "ctrl+u"}, on: inText, group: g, help: "a page back", run: textMove(-20)},
		{id: "text.top", keys: []string{"home", "g"}, on: inText, group: g, help: "the beginning", run: textMove(-1 << 20)},
		{id: "text.end", keys: []string{"end", "G"}, on: inText, group: g, help: "the end", run: textMove(1 << 20)},
	}
}

// needsForm keeps the keys of forms out of the footer of a dialog with one line of text.
func needsForm(a *app) string {
	if _, ok := a.top().(*form); ok {
		return ""
	}
	return "there is one field only"
}

func formMove(by int) func(*app) tea.Cmd {
	return plain(func(a *app) {
		if f, ok := a.top().(*form); ok {
			for range max(by, -by) {
				f.move(sign(by))
			}
		}
	})
}

func sign(x int) int {
	if x < 0 {
		return -1
	}
	return 1
}

func listMove(by int) func(*app) tea.Cmd {
	return plain(func(a *app) {
		if ch, ok := a.top().(*chooser); ok {
			ch.move(by)
		}
	})
}

func textMove(by int) func(*app) tea.Cmd {
	return plain(func(a *app) {
		if r, ok := a.top().(*reader); ok {
			step := by
			if step == 0 {
				step = max(1, r.height-1)
			}
			r.top = max(0, r.top+step) // drawing keeps it within the text
		}
	})
}
