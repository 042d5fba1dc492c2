package engine

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"llmzero/engine/agent"
	"llmzero/engine/report"
	"llmzero/engine/tree"
	"llmzero/store"
)

// house is a host on a real store and fakes.
type house struct {
	*Host
	store   *store.Store
	trainer *fakeTrainer
	broken  error // of the trainer, when it cannot be opened
}

func newHouse(t *testing.T, path string) *house {
	t.Helper()
	st, err := store.Open(path, store.Options{Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{store: st, trainer: &fakeTrainer{}}
	h.Host = NewHost(HostOptions{
		Archive: shelves{st},
		Trainer: func(context.Context, tree.Spec) (Trainer, error) { return h.trainer, h.broken },
		Agent:   func(context.Context, tree.Spec) (agent.Agent, error) { return &fakeAgent{}, nil },
	})
	return h
}

// leave closes the host, checks the store and closes it.
func (h *house) leave(t *testing.T) {
	t.Helper()
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	problems, err := h.store.Check(t.Context())
	if err != nil {
		t.Error(err)
	}
	for _, p := range problems {
		t.Error(p)
	}
	if err := h.store.Close(); err != nil {
		t.Error(err)
	}
}

func request(mode tree.Mode, segments int) tree.Spec {
	s := spec(mode, segments)
	s.ID, s.Space, s.Root = "", tree.Space{}, tree.Config{"learning_rate": tree.Number(2e-3)}
	return s
}

// TestHost follows a search through two programs: started, left in the middle, looked at, resumed, done, extended.
func TestHost(t *testing.T) {
	path := filepath.Join(t.TempDir(), "llmzero.db")
	h := newHouse(t, path)
	block := newHold(3, 6)
	h.trainer.gate = block.gate
	s, err := h.Start(t.Context(), request(tree.AskNever, 6))
	if err != nil {
		t.Fatal(err)
	}
	id := s.ID()
	<-block.reached
	if !s.Live() {
		t.Error("a search that was just started is not live")
	}
	if same, err := h.Open(t.Context(), id); err != nil || same != s {
		t.Errorf("opening a live search gives %p (%v), want the same session %p", same, err, s)
	}
	if err := h.Remove(t.Context(), id); err == nil || !strings.Contains(err.Error(), "cancel it first") {
		t.Errorf("removing a live search: %v", err)
	}
	spec := s.Tree().Spec
	if spec.Root.Float("learning_rate") != 2e-3 || spec.Root.Int("max_completion_length") != 16 || spec.Metric != "accuracy" || spec.Model != "fake 1" {
		t.Errorf("the specification was completed to %+v", spec)
	}
	h.leave(t)
	if _, err := h.Open(t.Context(), id); err == nil {
		if _, err = h.Start(t.Context(), request(tree.AskNever, 1)); !errors.Is(err, ErrClosed) {
			t.Errorf("starting on a closed host: %v", err)
		}
	}

	h = newHouse(t, path)
	h.broken = errors.New("no GPU here")
	s, err = h.Open(t.Context(), id)
	if err != nil {
		t.Fatal(err) // a search can be looked at without its trainer
	}
	left := s.Tree()
	if s.Live() || left.Status != tree.SearchPaused || left.Nodes[3].State != tree.StateQueued {
		t.Errorf("the search that was left is live %v, %s, its node 3 %s", s.Live(), left.Status, left.Nodes[3].State)
	}
	if err := s.Do(t.Context(), tree.Command{Kind: tree.CmdHint, Text: "be bold"}); err != nil { // and steered
		t.Error(err)
	}
	if err := s.Do(t.Context(), tree.Command{Kind: tree.CmdResume}); err == nil || !strings.Contains(err.Error(), "no GPU here") {
		t.Errorf("resuming without the trainer: %v", err)
	}
	h.broken = nil
	sub := s.Subscribe()
	if _, err := h.Resume(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if err := s.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(sub.Read().Events) == 0 {
		t.Error("a subscription made before the search was resumed heard nothing of it")
	}
	if now := s.Tree(); now.Status != tree.SearchDone || now.Spent.Segments != 6 || now.Hints[0].Text != "be bold" {
		t.Errorf("the search is %s after %d segments with the hints %v", now.Status, now.Spent.Segments, now.Hints)
	}
	if err := s.Do(t.Context(), tree.Command{Kind: tree.CmdBudget, Budget: &tree.Budget{Segments: 8}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if now := s.Tree(); now.Spent.Segments != 8 || now.Status != tree.SearchDone {
		t.Errorf("with a raised budget the search is %s after %d segments", now.Status, now.Spent.Segments)
	}
	if next, err := s.Next(t.Context(), 2); err != nil || len(next) == 0 || len(next[0].Terms) == 0 {
		t.Errorf("what is next: %+v, %v", next, err)
	}
	list, err := h.List(t.Context())
	if err != nil || len(list) != 1 || list[0].BestVal <= list[0].BaseVal {
		t.Errorf("the list is %+v (%v)", list, err)
	}
	if r := report.Make(s.Tree()); r.Best == nil || r.Best.Test == nil || len(r.Best.Path) == 0 || r.Segments != 8 {
		t.Errorf("the report is %+v", r)
	}
	if err := h.Remove(t.Context(), id); err != nil {
		t.Error(err)
	}
	if list, err := h.List(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("after removing it the list is %+v (%v)", list, err)
	}
	h.leave(t)
}

func TestStartRefuses(t *testing.T) {
	h := newHouse(t, filepath.Join(t.TempDir(), "llmzero.db"))
	defer h.leave(t)
	for _, x := range []struct {
		change func(*tree.Spec)
		want   string
	}{
		{func(s *tree.Spec) { s.Task = "swim" }, `no task "swim"; it has climb`},
		{func(s *tree.Spec) { s.Base = 7 }, "no number 7"},
		{func(s *tree.Spec) { s.Policy = "mcts" }, "uct"},
		{func(s *tree.Spec) { s.Budget = tree.Budget{} }, "no limit at all"},
		{func(s *tree.Spec) { s.Segment = -3 }, "at least 1"},
		{func(s *tree.Spec) { s.FreshRate = 2 }, "between 0 and 1"},
		{func(s *tree.Spec) { s.FreshRate = math.NaN() }, "between 0 and 1"},
		{func(s *tree.Spec) { s.Rescore = -1 }, "2 or more"},
		{func(s *tree.Spec) { s.Judge = tree.Judge{Below: 2} }, "below the best curve is 2"},
		{func(s *tree.Spec) { s.Judge = tree.Judge{TrialOne: math.NaN()} }, "share of trials is NaN"},
		{func(s *tree.Spec) { s.Judge = tree.Judge{Polls: -1} }, "at least 1"},
		{func(s *tree.Spec) { s.Root = tree.Config{"warp": tree.Number(1)} }, "no such parameter"},
		{func(s *tree.Spec) { s.Root = tree.Config{"learning_rate": tree.Number(9)} }, "outside"},
	} {
		s := request(tree.AskNever, 3)
		x.change(&s)
		if _, err := h.Start(t.Context(), s); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("got %v, want an error with %q", err, x.want)
		}
	}
	if list, err := h.List(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("refused searches left %v in the store (%v)", list, err)
	}
	if _, err := h.Open(t.Context(), "climb-9"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("opening what is not there: %v", err)
	}
}

// TestTwoSearchesAtOnce checks that searches of one host do not get into each other's way.
func TestTwoSearchesAtOnce(t *testing.T) {
	h := newHouse(t, filepath.Join(t.TempDir(), "llmzero.db"))
	defer h.leave(t)
	var all []*Session
	for range 3 {
		s, err := h.Start(t.Context(), request(tree.AskNever, 8))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	var first string
	for i, s := range all {
		if err := s.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		r := report.Make(s.Tree())
		r.Search, r.Created, r.Updated = "", time.Time{}, time.Time{}
		if got := asJSON(t, r); i == 0 {
			first = got
		} else if got != first {
			t.Errorf("searches with the same seed differ when they run beside each other:\n%s\n%s", first, got)
		}
	}
}
