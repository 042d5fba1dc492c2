package tui

import (
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"llmzero/engine/event"
	"llmzero/engine/tree"
)

// tick lets a second pass.
func (r *rig) tick() {
	r.keys("wait")
	r.send(tickMsg(r.now))
}

// behind changes a search the way its engine would while nobody looks at it.
func (f *fakeSession) behind(change func(*script)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f.s)
}

func proposeOne(s *script) {
	s.propose(1, tree.Transition{Changes: []tree.Change{ch("beta", 0, 0.1, "")}})
}

func done(s *script) {
	s.say("engine", &event.StatusSet{Status: tree.SearchDone, Reason: "its budget is spent"})
}

func (r *rig) notified(words string) bool {
	for _, o := range r.out {
		if strings.Contains(o, "llmzero: "+words) {
			return true
		}
	}
	return false
}

// TestLibraryInViewIsRenewed: what runs behind the Library is told within a second, in the list, as a toast and as a
// notification.
func TestLibraryInViewIsRenewed(t *testing.T) {
	lib := newFakeLibrary(storybook())
	r := newRig(t, lib, nil)
	r.send(tea.BlurMsg{})
	r.mustShow("1 waiting")
	lib.sessions["s-7f3a"].behind(proposeOne)
	r.tick()
	r.mustShow("2 waiting", "s-7f3a: 2 proposals waiting")
	if !r.notified("s-7f3a: 2 proposals waiting") {
		t.Errorf("no notification: %q", r.out)
	}
	lib.sessions["s-7f3a"].behind(done)
	r.tick()
	r.mustShow("s-7f3a is done, best 0.742")
	r.out = nil
	r.tick()
	if len(r.out) > 0 {
		t.Errorf("what was told is told again: %q", r.out)
	}
}

// TestSearchBehindAnotherIsAnnounced: of two searches, the one that is not open is told about on the other's page; the open one
// speaks for itself, once, also when it is left.
func TestSearchBehindAnotherIsAnnounced(t *testing.T) {
	first, second := storybook(), storybook()
	second.t.Spec.ID, second.t.Spec.Name = "s-other", "sort-1"
	lib := newFakeLibrary(first, second)
	r := newRig(t, lib, nil)
	r.keys("down enter esc up enter")
	if r.a.s == nil || r.a.s.id != "s-7f3a" {
		t.Fatal("the first search should be open")
	}
	lib.sessions["s-7f3a"].behind(proposeOne)
	lib.sessions["s-other"].behind(proposeOne)
	r.tick()
	r.mustShow("sort-1: 2 proposals waiting")
	r.mustNotShow("s-7f3a: ")
	r.a.toast = toast{}
	r.keys("esc")
	r.tick()
	r.mustNotShow("s-7f3a: ")
	lib.sessions["s-7f3a"].behind(done)
	r.tick()
	r.mustShow("s-7f3a is done")
}

// TestTheStoreIsLeftAloneWhileNothingRunsBehind: on a search's page with nothing behind it, no list is read.
func TestTheStoreIsLeftAloneWhileNothingRunsBehind(t *testing.T) {
	r, _ := opened(t, nil)
	before := r.a.home.listed
	r.tick()
	if r.a.home.listed != before {
		t.Error("the list was read without a need")
	}
	r.a.page = onHome
	r.a.home.listing = true
	r.tick()
	if r.a.home.listed != before {
		t.Error("a second list was asked for while one is on its way")
	}
}

// TestWhatWasSeenOpenIsNotAnnouncedAgain: not when the search is left, and not when a list from before arrives after that.
func TestWhatWasSeenOpenIsNotAnnouncedAgain(t *testing.T) {
	r, f := opened(t, nil)
	f.behind(proposeOne)
	r.keys("esc")
	r.mustShow("2 waiting")
	r.mustNotShow("s-7f3a: ")
	r.keys("enter")
	early := r.a.loadList()()
	f.behind(proposeOne)
	back := r.a.goBack()
	r.send(early)
	r.do(back)
	r.mustShow("3 waiting")
	r.mustNotShow("s-7f3a: ")
}
