package tui

import (
	"context"
	"errors"
	"strings"
	"testing"

	"llmzero/engine/event"
	"llmzero/engine/tree"
)

func shelf() []tree.Summary {
	return []tree.Summary{
		{Search: "s-1", Name: "first try", Task: "sort", Agent: "ollama:qwen3:8b", Policy: "uct", Trainer: "grpo", Status: tree.SearchRunning, Waiting: 2, BaseVal: 0.4, BestVal: 0.7, BestSE: 0.01, Nodes: 9, Tokens: 5000},
		{Search: "s-2", Task: "add", Agent: "rules", Policy: "uct", Trainer: "trl", Status: tree.SearchRunning, BaseVal: 0.5, BestVal: 0.45, BestSE: 0.01, Nodes: 40, Tokens: 9000},
		{Search: "s-3", Task: "mixed", Agent: "rules", Policy: "greedy", Trainer: "grpo", Status: tree.SearchCanceled, Nodes: 1},
		{Search: "s-4", Task: "Sort-hard", Agent: "rules", Policy: "chain", Trainer: "grpo", Status: tree.SearchDone, BaseVal: 0.2, BestVal: 0.9, BestSE: 0.01, Nodes: 12, Tokens: 7000},
	}
}

// listed are the searches in the list, as it is arranged.
func (h *home) listedIDs() string {
	var ids []string
	for _, r := range h.rows {
		ids = append(ids, strings.TrimPrefix(h.all[r].Search, "s-"))
	}
	return strings.Join(ids, " ")
}

func TestLibraryFilter(t *testing.T) {
	for text, want := range map[string]string{
		"":                       "1 2 3 4",
		"best>0.6":               "1 4",
		"best<=0.7 gain>0":       "1",
		"gain<0":                 "2",
		"nodes>=12 -task:add":    "4",
		"status:waiting":         "1",
		"STATUS:Running":         "1 2",
		"status:stopped":         "3",
		"status:canceled":        "3",
		"-status:done":           "1 2 3",
		"task:sort":              "1 4",
		"agent:qwen3:8b":         "1",
		"ollama:qwen3":           "1",
		"policy:greedy grpo":     "3",
		"trainer:trl":            "2",
		"name:first":             "1",
		"try sort":               "1",
		"waiting>0":              "1",
		"tokens>6e3 -":           "2 4",
		"task:nothing":           "",
		"base>=0":                "1 2 4", // a search without a score has none to compare
		"segments=0 used<1 done": "4",
	} {
		f, err := parseLibraryFilter(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
		}
		h := newHome()
		h.all, h.terms = shelf(), f
		h.arrange()
		if got := h.listedIDs(); got != want {
			t.Errorf("%q lists %q, want %q", text, got, want)
		}
	}
}

func TestWrongLibraryFilterSaysWhatIsPossible(t *testing.T) {
	for text, want := range map[string]string{
		"status:x": "waiting running paused failed done stopped", "status:": "one of waiting", "status": "one of waiting",
		"bset>1": "best", "best>": "needs a number", "best": "best>0", "task:": "part of it", "nodes>=x": "nodes>= needs a number",
	} {
		if _, err := parseLibraryFilter(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gives %v; it should tell %q", text, err, want)
		}
	}
	r := newRig(t, newFakeLibrary(storybook(), library("s-2", "sort", 0.8)), nil)
	r.keys("/ type:task:sort+best>")
	r.mustShow("best> needs a number", "s-2")
	r.mustNotShow("s-7f3a")
	r.keys("enter")
	if r.a.home.typing == nil {
		t.Error("a wrong filter was taken")
	}
	r.keys("0 enter")
	r.mustShow("filter: task:sort best>0")
	r.keys("esc")
	r.mustShow("s-7f3a")
}

func TestLibraryOrders(t *testing.T) {
	h := newHome()
	h.all = shelf()
	for i, s := range homeSorts {
		if want, ok := map[string]string{"spent": "2 4 1 3", "agent": "1 2 3 4", "status": "1 2 4 3", "gain": "4 1 3 2"}[s.name]; ok {
			h.sort = i
			h.arrange()
			if got := h.listedIDs(); got != want {
				t.Errorf("by %s: %s, want %s", s.name, got, want)
			}
		}
	}
	r := newRig(t, newFakeLibrary(storybook(), library("s-2", "sort", 0.8)), nil)
	r.keys("s s S")
	r.mustShow("sort: best, reversed")
	if got := r.a.home.listedIDs(); got != "7f3a 2" {
		t.Errorf("the worst first: %s", got)
	}
}

func TestOfThreeMarksTheOldestGoes(t *testing.T) {
	r := newRig(t, newFakeLibrary(storybook(), library("s-2", "sort", 0.8), library("s-3", "add", 0.6)), nil)
	r.keys("space down space down space c")
	if p := r.a.pages.compare; p.sides[0] == nil || p.sides[0].t.Spec.ID != "s-2" || p.sides[1].t.Spec.ID != "s-3" {
		t.Fatalf("compared are %v", r.a.home.marks)
	}
	r.keys("esc space")
	if got := strings.Join(r.a.home.marks, " "); got != "s-2" {
		t.Errorf("marked is %s; a second press takes the mark away", got)
	}
}

func TestLibraryFooterNamesWhatCanBeDone(t *testing.T) {
	r := newRig(t, newFakeLibrary(storybook(), library("s-2", "sort", 0.8)), nil)
	r.mustShow("r rename", "X delete", "e export")
	r.mustNotShow("c compare")
	r.keys("space down space")
	r.mustShow("c compare")
}

func TestGlanceTellsWhatASearchCameTo(t *testing.T) {
	s := library("s-2", "sort", 0.83)
	for i, x := range []float64{0.80, 0.84, 0.82} {
		s.say("engine", &event.Confirmed{Node: 2, Confirmation: tree.Confirmation{Seed: uint64(i), Test: tree.Score{Mean: x, SE: 0.02, N: 512}}})
	}
	s.say("engine", &event.Won{Node: 2})
	r := newRig(t, newFakeLibrary(storybook(), s), nil)
	r.mustShow("path to the best node", "n 8→16", "0.634", "22% of 32 segments", "120 steps")
	r.keys("down")
	for _, z := range [][2]int{{60, 24}, {80, 24}, {120, 24}, {120, 40}, {200, 60}} {
		r.size(z[0], z[1])
		r.mustShow("done: its budget is spent", "0.830 ±.014", "0.820 [.800 .840] of 3")
		if z[0] > 60 {
			r.mustShow("path to the winner", "80 steps")
		}
	}
	r.size(60, 20)
	r.mustShow("Searches", "s-2")
}

// TestGlanceFollowsTheSearch: one that changes is read again, a large one is not read at all, and one that cannot be read says
// why.
func TestGlanceFollowsTheSearch(t *testing.T) {
	lib := newFakeLibrary(storybook())
	r := newRig(t, lib, nil)
	r.mustNotShow("path to the winner")
	lib.sessions["s-7f3a"].behind(func(s *script) { s.say("engine", &event.Won{Node: 7}) })
	r.tick()
	r.mustShow("path to the winner")
	r.a.home.seen = nil
	r.a.home.all[0].Nodes = glanceNodes + 1
	r.do(r.a.readGlance())
	r.size(120, 40)
	r.mustShow("1001 nodes are not read")
	if r.a.home.seen != nil {
		t.Error("a large search was read for a glance")
	}
	r.a.home.all[0].Nodes, r.a.home.all[0].Search = 3, "s-gone"
	r.do(r.a.readGlance())
	r.size(120, 40)
	r.mustShow("no search is called s-gone")
}

// countingLibrary counts how many searches are opened.
type countingLibrary struct {
	*fakeLibrary
	opened int
}

func (l *countingLibrary) Open(ctx context.Context, id string) (Session, error) {
	l.opened++
	if l.opened > 100 {
		return nil, errors.New("too often")
	}
	return l.fakeLibrary.Open(ctx, id)
}

// TestGlanceReadsOneAtATime: a search that stays as it is is read once, and while one is read no other is.
func TestGlanceReadsOneAtATime(t *testing.T) {
	lib := &countingLibrary{fakeLibrary: newFakeLibrary(library("s-1", "add", 0.6), library("s-2", "sort", 0.8))}
	r := newRig(t, lib.fakeLibrary, func(o *Options) { o.Library = lib })
	for range 5 {
		r.tick()
	}
	if lib.opened != 1 {
		t.Errorf("an unchanged search was read %d times", lib.opened)
	}
	r.a.home.reading = true
	r.keys("down up down")
	if lib.opened != 1 {
		t.Errorf("%d searches were read while one was on its way", lib.opened)
	}
	r.send(glanceMsg{&glance{id: "s-1"}}) // it has come, and the cursor is elsewhere meanwhile
	if lib.opened != 2 || r.a.home.seen.id != "s-2" {
		t.Errorf("%d searches were read, the last one is %s", lib.opened, r.a.home.seen.id)
	}
}
