package tui

import (
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"llmzero/engine/tree"
)

// The border is dragged from press to release, however far the pointer jumps, and kept once at the end.
func TestDragTheBorder(t *testing.T) {
	m := &fakeMemory{}
	r, _ := opened(t, func(o *Options) { o.Memory = m })
	r.screen()
	border := arrange(r.a.w, r.a.h, r.a.settings.Split, r.a.deviceRows(), false).inspect.X
	r.send(tea.MouseClickMsg{X: border, Y: 9, Button: tea.MouseLeft})
	r.send(tea.MouseMotionMsg{X: border + 30, Y: 2, Button: tea.MouseLeft})
	if b, _ := m.LoadState(t.Context(), "settings"); b != nil {
		t.Error("kept before the button was let go")
	}
	r.send(tea.MouseReleaseMsg{X: border + 30, Y: 2, Button: tea.MouseLeft})
	want := (border + 30) * 100 / r.a.w
	if b, _ := m.LoadState(t.Context(), "settings"); r.a.settings.Split != want || b == nil {
		t.Errorf("split %d, want %d; kept %s", r.a.settings.Split, want, b)
	}
	r.send(tea.MouseMotionMsg{X: 20, Y: 2, Button: tea.MouseLeft})
	if r.a.settings.Split != want {
		t.Error("it moves on after the button was let go")
	}
}

// A readout that the pointer brought goes with it; one that keys set stays.
func TestHoverLeaves(t *testing.T) {
	r, _ := opened(t, nil)
	r.a.s.goTo(7)
	r.do(r.a.follow())
	r.keys("2")
	r.screen()
	border := arrange(r.a.w, r.a.h, r.a.settings.Split, r.a.deviceRows(), false).inspect.X
	r.send(tea.MouseMotionMsg{X: border + 30, Y: 4})
	if r.a.s.pane.chart.cursor < 0 {
		t.Fatal("no readout under the pointer")
	}
	r.send(tea.MouseMotionMsg{X: 5, Y: 4})
	if r.a.s.pane.chart.cursor >= 0 {
		t.Error("the readout stays when the pointer has left")
	}
	r.keys("tab left")
	r.send(tea.MouseMotionMsg{X: 5, Y: 5})
	if r.a.s.pane.chart.cursor < 0 {
		t.Error("a readout set by keys went with the pointer")
	}
}

// An act that cannot be taken back is said to stand, and does not let the key take back something older unseen.
func TestUndoTellsWhatStands(t *testing.T) {
	r, f := opened(t, nil)
	r.keys("p H type:be+bold enter")
	n := len(f.done)
	r.keys("ctrl+z")
	r.mustShow("this stands: the agent will see it; once more takes back: n7 is expanded next")
	if len(f.done) != n {
		t.Fatalf("undo did %+v", f.last())
	}
	r.keys("ctrl+z")
	if c := f.last(); c.Kind != tree.CmdUnpin || c.Node != 7 {
		t.Errorf("undo did %+v", c)
	}
}

// What waits is seen, and reviewed, from every page of a search.
func TestWaitingIsSeenEverywhere(t *testing.T) {
	for _, key := range []string{"T", "a", "c"} {
		r, _ := opened(t, nil)
		r.keys(key)
		r.mustShow("1 waiting")
		r.keys("w")
		if r.a.gate() == nil || r.a.page != onSearch {
			t.Errorf("after %s, w opens no gate", key)
		}
	}
}

func TestMessagesAreKept(t *testing.T) {
	r, _ := opened(t, nil)
	r.keys("S") // n7 does not run
	r.keys("p !")
	r.mustShow("Messages", "not running", "n7 is expanded next")
	r.keys("esc")
	for range maxToasts + 5 {
		r.a.note("again")
	}
	if len(r.a.toasts) != maxToasts {
		t.Errorf("%d messages are kept", len(r.a.toasts))
	}
}

// Long help is wrapped, not cut; the palette shows keys.
func TestHelpIsWhole(t *testing.T) {
	r, _ := opened(t, nil)
	r.size(80, 24)
	r.keys("?")
	text := ""
	for range 40 {
		text += r.screen()
		r.keys("pgdown")
	}
	for _, want := range []string{"go to the inspector", "max_completion_length: longest answer in tokens"} {
		if !strings.Contains(strings.Join(strings.Fields(text), " "), want) {
			t.Errorf("the help lacks %q", want)
		}
	}
	r.keys("esc : type:trajectories")
	r.mustShow("every parameter over the stages of the best path")
}

// What the judge did, and how often it was wrong, stands on the search's own page.
func TestFalseStopRateIsShown(t *testing.T) {
	r, _ := opened(t, nil)
	r.keys("g")
	r.mustShow("stopped 1 segment, saved 28 steps", "no condemned segment was run to its end yet")
	for i, wrong := range []bool{true, false, false} {
		r.a.s.t.Nodes[[]int{1, 2, 3}[i]].Outcome.Trial = &tree.StopTrial{FalseStop: wrong}
	}
	r.a.dirty = true
	r.mustShow("false stops: 1 of 3 trials")
}

// The agent page of a search without a model tells the turns from the tree.
func TestAgentPageOfTheRules(t *testing.T) {
	lib := newFakeLibrary(library("s-1c22", "sort", 0.83))
	r := newRig(t, lib, nil)
	r.keys("enter g j a")
	r.a.s.records[1].exchanges = nil // a rules agent leaves none
	r.a.dirty = true
	r.mustShow("what led to n1", "what was proposed at n1", "n2", "lr×2", "validation +.330")
}

func TestWhatTheModelCostIsShown(t *testing.T) {
	r, _ := opened(t, nil)
	r.a.s.t.Agent = tree.AgentCost{Calls: 11, TokensIn: 52_000, TokensOut: 2400, Cost: 0.0312, Repairs: 1}
	r.keys("g")
	r.mustShow("11 calls", "52k in", "1 repair", "cost 0.0312")
	r.a.s.t.Agent.Cost = 0
	r.a.dirty = true
	r.mustShow("no price known")
}
