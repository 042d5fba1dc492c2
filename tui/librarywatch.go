package tui

import (
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"llmzero/engine/tree"
)

// listEvery is how often the list of searches is read while it is in view or searches run behind what is. It is a little
// less than the clock's second, so that each tick of that clock counts.
const listEvery = 900 * time.Millisecond

// standing is what was last told of a search that is not the open one.
type standing struct {
	waiting int
	status  tree.Status
}

// openID is the id of the open search, empty without one.
func (a *app) openID() string {
	if a.s == nil {
		return ""
	}
	return a.s.id
}

// relist reads the list again when it is due.
func (a *app) relist() tea.Cmd {
	h := a.home
	if h.listing || a.now().Sub(h.listed) < listEvery || (a.page != onHome && !a.othersRun()) {
		return nil
	}
	return a.loadList()
}

// othersRun tells whether a search of this sitting other than the open one may be running. The list says so: a session must
// not be asked in Update.
func (a *app) othersRun() bool {
	open := a.openID()
	for i := range a.home.all {
		s := &a.home.all[i]
		if s.Status == tree.SearchRunning && s.Search != open && a.exit.known[s.Search] != nil {
			return true
		}
	}
	return false
}

// gotList takes a list and tells what has come in searches that are not open.
func (a *app) gotList(m listMsg) tea.Cmd {
	a.home.listing = false
	a.home.setList(m)
	if m.err != nil {
		return nil
	}
	return tea.Batch(a.announceOthers(m.open), a.readGlance())
}

// announceOthers compares the list with what was told before. The search that is open, or was when the list was asked for,
// speaks for itself, and is begun anew once it is left.
func (a *app) announceOthers(wasOpen string) tea.Cmd {
	h, open := a.home, a.openID()
	var news []string
	for i := range h.all {
		s := &h.all[i]
		if s.Search == open || s.Search == wasOpen {
			delete(h.told, s.Search)
			continue
		}
		if before, known := h.told[s.Search]; known {
			if text := whatCame(before, s); text != "" {
				news = append(news, text)
			}
		}
		h.told[s.Search] = standing{s.Waiting, s.Status}
	}
	if len(news) == 0 {
		return nil
	}
	return a.notify(strings.Join(news, "; "))
}

// whatCame says what is new in a search, "" for nothing that needs a person.
func whatCame(before standing, s *tree.Summary) string {
	who := or(s.Name, s.Search)
	switch {
	case s.Waiting > before.waiting && s.Waiting == 1:
		return who + ": a proposal waits"
	case s.Waiting > before.waiting:
		return who + ": " + plural(s.Waiting, "proposal") + " waiting"
	case s.Status == before.status:
	case s.Status == tree.SearchDone && scored(s):
		return who + " is done, best " + score(s.BestVal)
	case s.Status == tree.SearchDone:
		return who + " is done"
	case s.Status == tree.SearchFailed:
		return who + " has failed"
	}
	return ""
}

// scored tells whether a search has a best validation score.
func scored(s *tree.Summary) bool { return s.Scored() }
