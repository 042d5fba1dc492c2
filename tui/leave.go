package tui

import (
	"context"
	"maps"
	"slices"

	tea "charm.land/bubbletea/v2"

	"llmzero/engine/tree"
)

// exit is how the screen is left.
type exit struct {
	Left
	idle  bool               // leave as soon as nothing trains
	known map[string]Session // every session opened in this sitting: searches go on behind the library
}

// leavingMsg tells what is under way in all searches that run in this program.
type leavingMsg struct {
	running  int
	queued   int
	external bool   // some of it can go on without the screen
	asked    bool   // the person asked to leave, rather than the clock
	store    string // the store to open next, if any
}

// underWay counts what is under way. It asks the sessions in a command, since one of them may be busy.
func (a *app) underWay(asked bool, store string) tea.Cmd {
	sessions := slices.Collect(maps.Values(a.exit.known))
	return a.task(func(context.Context) tea.Msg {
		m := leavingMsg{asked: asked, store: store}
		for _, s := range sessions {
			if !s.Live() {
				continue
			}
			t := s.Tree()
			for _, n := range t.Nodes {
				switch n.State {
				case tree.StateRunning:
					m.running++
				case tree.StateQueued, tree.StateApproved:
					m.queued++
				default:
				}
			}
			m.external = m.external || t.Spec.Launcher != "" || t.Spec.Trainer != "grpo"
		}
		return m
	})
}

// askQuit leaves, and asks first what becomes of what is under way. Asked twice, it leaves at once.
func (a *app) askQuit() tea.Cmd {
	if ch, ok := a.top().(*chooser); ok && ch.head == leaveHead {
		return a.quit(LeaveStop, "")
	}
	return a.underWay(true, "")
}

const leaveHead = "Leave"

// quit leaves, for another store when one is named.
func (a *app) quit(l Leave, store string) tea.Cmd {
	a.exit.Left = Left{Leave: l, Store: store}
	return tea.Sequence(a.saveScreen(), tea.Quit)
}

// leaving goes on with leaving once it is known what is under way.
func (a *app) leaving(m leavingMsg) tea.Cmd {
	switch {
	case !m.asked && m.running == 0, m.asked && m.running+m.queued == 0:
		return a.quit(LeaveStop, m.store)
	case !m.asked:
		return nil
	}
	type way struct {
		item choiceItem
		run  func(*app) tea.Cmd
	}
	ways := []way{{
		choiceItem{label: "Stop and leave", help: "what trains is queued again and starts over from its parent", key: "s"},
		func(a *app) tea.Cmd { return a.quit(LeaveStop, m.store) },
	}}
	if m.external {
		ways = append(ways, way{
			choiceItem{label: "Leave jobs running", help: "external jobs go on without the screen and are found again", key: "d"},
			func(a *app) tea.Cmd { return a.quit(LeaveDetach, m.store) },
		})
	}
	ways = append(ways, way{
		choiceItem{label: "Finish, then leave", help: "searches pause; the screen closes when nothing trains", key: "f"},
		func(a *app) tea.Cmd { return a.finishThenLeave(m.store) },
	}, way{choiceItem{label: "Stay", key: "n"}, func(*app) tea.Cmd { return nil }})
	items := make([]choiceItem, len(ways))
	for i, w := range ways {
		items[i] = w.item
	}
	what := "A segment is under way. What should become of it?"
	if n := m.running + m.queued; n > 1 {
		what = num(n) + " segments are under way. What should become of them?"
	}
	a.choose(leaveHead, what+" Nothing that is finished is lost either way.", items, func(a *app, i int) tea.Cmd { return ways[i].run(a) })
	return nil
}

// finishThenLeave pauses every search that runs; the clock asks until nothing trains.
func (a *app) finishThenLeave(store string) tea.Cmd {
	a.exit.idle, a.exit.Store = true, store
	a.note("leaving when what trains has ended; ctrl+c leaves at once")
	sessions := slices.Collect(maps.Values(a.exit.known))
	return a.task(func(ctx context.Context) tea.Msg {
		for _, s := range sessions {
			if !s.Live() {
				continue
			}
			if err := s.Do(ctx, tree.Command{Kind: tree.CmdPause}); err != nil {
				return savedMsg{"pause", err}
			}
		}
		return nil
	})
}
