package tui

import (
	"errors"
	"strings"
	"testing"

	"llmzero/engine/tree"
)

// The settings page keeps what is chosen, and undoes a tried theme when it is left without.
func TestSettingsPage(t *testing.T) {
	m := &fakeMemory{}
	r := newRig(t, newFakeLibrary(storybook()), func(o *Options) { o.Memory = m; o.Paths = Paths{Store: "/data/llmzero.db"} })
	was := r.a.look.theme.Name
	r.keys(",")
	r.mustShow("Settings", "approval rules of new searches", "places", "/data/llmzero.db", "Preview")
	r.keys("right right")
	if r.a.look.theme.Name == was {
		t.Fatal("the theme does not change as one chooses")
	}
	r.keys("esc")
	if r.a.look.theme.Name != was || r.a.page != onHome {
		t.Fatalf("esc left theme %s and page %v", r.a.look.theme.Name, r.a.page)
	}
	r.keys(", down down down down down right")
	r.mustShow("risky factor")
	r.keys("enter")
	if r.a.settings.Approval.Mode != tree.AskRisky || r.a.page != onHome {
		t.Fatalf("kept %+v on page %v", r.a.settings.Approval, r.a.page)
	}
	if b, _ := m.LoadState(t.Context(), "settings"); !strings.Contains(string(b), `"mode":"risky"`) {
		t.Errorf("saved %s", b)
	}
	r.do(r.a.askNew())
	if f := r.a.top().(*form); f.newSearch().Approval.Mode != tree.AskRisky {
		t.Error("a new search does not begin with the approval rules of the settings")
	}
}

// A key of one's own takes effect, is kept, and cannot take another action's place.
func TestOwnKeys(t *testing.T) {
	m := &fakeMemory{}
	r := newRig(t, newFakeLibrary(storybook()), func(o *Options) { o.Memory = m })
	r.keys(", down down down down down down enter")
	r.mustShow("Keys", "Proposal: approve")
	r.keys("type:pages:+traj enter")
	r.mustShow("Press the key")
	r.keys("b")
	r.mustShow("b would mean both")
	r.keys("Q esc")
	r.mustShow("1 action with your own keys")
	r.keys("esc enter Q")
	if r.a.page != onTrajectories {
		t.Fatalf("Q leads to page %v", r.a.page)
	}
	// Another sitting finds them; nonsense in the store is told and changes nothing.
	again := newRig(t, newFakeLibrary(storybook()), func(o *Options) { o.Memory = m })
	again.do(again.a.loadSettings())
	if x, ok := again.a.acts.find(onSearch, "Q"); !ok || x.id != "traj.open" {
		t.Error("the key is forgotten")
	}
	again.send(settingsMsg{s: settings{Split: 44, Keys: map[string][]string{"filter": {"b"}}}})
	if x, _ := again.a.acts.find(onSearch, "b"); x.id != "best" {
		t.Error("two actions have one key")
	}
	again.mustShow("b would mean both")
	r.keys("esc esc , down down down down down down enter type:pages:+traj enter delete")
	if x, ok := r.a.acts.find(onSearch, "T"); !ok || x.id != "traj.open" {
		t.Error("delete does not bring the program's own key back")
	}
}

// Another store is opened only when it can be; what runs is asked about first.
func TestAnotherStore(t *testing.T) {
	r := newRig(t, newFakeLibrary(), func(o *Options) { o.Paths.Store = "/data/llmzero.db" })
	r.keys("down down enter type:/data/llmzero.db enter")
	r.mustShow("that one is open")
	r.keys("esc o type:text.txt enter")
	r.mustShow("not an llmzero store")
	if r.quit {
		t.Fatal("it left for a file that is no store")
	}
	r.keys("o type:/mnt/old.db enter")
	if !r.quit || r.a.exit.Store != "/mnt/old.db" {
		t.Fatalf("quit %v, to %q", r.quit, r.a.exit.Store)
	}
	busy, _ := opened(t, nil)
	busy.keys("esc o type:other.db enter")
	busy.mustShow("2 segments are under way")
	busy.keys("n")
	if busy.quit || busy.a.exit.Store != "" {
		t.Error("staying remembers the other store")
	}
	told := newRig(t, newFakeLibrary(), func(o *Options) { o.Trouble = errors.New("open /mnt/old.db: it is locked") })
	told.mustShow("it is locked")
}

func TestImport(t *testing.T) {
	r := newRig(t, newFakeLibrary(storybook()), nil)
	r.keys("i type:new.llmzero enter")
	r.mustShow("not an export")
	r.mustShow("new.llmzero") // what was typed is still there
	r.keys("esc i type:old.llmzero enter")
	r.mustShow("imported s-0001")
}

// The form of a new search tells what it will take, by a pace that is measured once for what it asks for.
func TestNewSearchTellsItsTime(t *testing.T) {
	r := newRig(t, newFakeLibrary(storybook()), nil)
	r.keys("n")
	r.mustNotShow("as just measured")
	r.send(tickMsg(r.now))
	// 12 segments of 40 steps: 12 * (40 * 10 ms + 4 * 50 ms) = 7.2 s and 12 * 40 * 2000 tokens
	r.mustShow("480 steps in all", "about 960k tokens", "about 7.2 s of training, as just measured")
	if len(r.a.pace.of) != 1 || r.a.pace.under {
		t.Errorf("measured %v", r.a.pace.of)
	}
	r.send(tickMsg(r.now))
	if len(r.a.pace.of) != 1 {
		t.Error("measured twice")
	}
}

func TestDemoLeavesForTheRecording(t *testing.T) {
	r := newRig(t, newFakeLibrary(), func(o *Options) { o.Demo = true })
	r.mustShow("Watch the demo")
	r.keys("down down enter")
	if !r.quit || r.a.exit.Store != DemoStore {
		t.Errorf("quit %v, to %q", r.quit, r.a.exit.Store)
	}
	without := newRig(t, newFakeLibrary(), nil)
	without.mustNotShow("Watch the demo")
	without.keys("D")
	without.mustShow("there is no recording")
}

// How a search was looked at is found again: page, tab, filter, what Config compares with.
func TestComesBackToWhereItWas(t *testing.T) {
	m := &fakeMemory{}
	r, _ := opened(t, func(o *Options) { o.Memory = m })
	r.a.s.goTo(3)
	r.keys("3 d d T")
	r.do(r.a.quit(LeaveStop, ""))
	again, _ := opened(t, func(o *Options) { o.Memory = m })
	again.do(again.a.loadScreen(again.a.s.id))
	if again.a.page != onTrajectories || again.a.s.out.cursor != 3 || again.a.s.pane.against != 2 || again.a.s.pane.tab != tabConfig {
		t.Errorf("page %v, cursor %d, against %d, tab %d", again.a.page, again.a.s.out.cursor, again.a.s.pane.against, again.a.s.pane.tab)
	}
	again.keys("esc")
	if again.a.page != onSearch {
		t.Error("esc does not lead from the page to the tree")
	}
}

func TestSignsAreChosen(t *testing.T) {
	m := &fakeMemory{}
	r := newRig(t, newFakeLibrary(storybook()), func(o *Options) { o.Memory = m })
	r.keys(", down right right")
	if r.a.look.glyphs.Name != "ascii" {
		t.Fatalf("signs are %s", r.a.look.glyphs.Name)
	}
	for _, c := range r.screen() {
		if c > 0x7e {
			t.Fatalf("%q is painted", c)
		}
	}
	r.keys("esc")
	if r.a.look.glyphs.Name == "ascii" {
		t.Error("esc keeps the signs")
	}
	r.keys(", down right right enter")
	again := newRig(t, newFakeLibrary(storybook()), func(o *Options) { o.Memory = m })
	again.do(again.a.loadSettings())
	if again.a.look.glyphs.Name != "ascii" {
		t.Error("the choice is forgotten")
	}
}
