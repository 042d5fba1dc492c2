package engine

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"llmzero/engine/tree"
)

// kept starts a search with one segment, waits for its end and opens it again on a new host, where it does not run.
func kept(t *testing.T) (*house, *Session) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "llmzero.db")
	h := newHouse(t, path)
	s, err := h.Start(t.Context(), request(tree.AskNever, 1))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	id := s.ID()
	h.leave(t)
	h = newHouse(t, path)
	if s, err = h.Open(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	return h, s
}

func budget(segments int) tree.Command {
	return tree.Command{Kind: tree.CmdBudget, Budget: &tree.Budget{Segments: segments}}
}

// TestNothingBeginsAfterClose checks that no run begins on a host that is ending, also when it was asked for before.
func TestNothingBeginsAfterClose(t *testing.T) {
	h, s := kept(t)
	open, opening := h.opts.Trainer, newLatch()
	h.opts.Trainer = func(ctx context.Context, sp tree.Spec) (Trainer, error) {
		opening.hold(t.Context(), tree.Root)
		return open(ctx, sp)
	}
	asked := make(chan error, 1)
	go func() { asked <- s.Do(t.Context(), budget(3)) }()
	<-opening.reached
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	close(opening.open)
	if err := <-asked; !errors.Is(err, ErrClosed) {
		t.Errorf("what was asked before the host was closed: %v, want ErrClosed", err)
	}
	for _, c := range []tree.Command{{Kind: tree.CmdResume}, budget(5), {Kind: tree.CmdHint, Text: "late"}} {
		if err := s.Do(t.Context(), c); !errors.Is(err, ErrClosed) {
			t.Errorf("%s on a closed host: %v, want ErrClosed", c.Kind, err)
		}
	}
	if err := s.launch(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("a run on a closed host: %v, want ErrClosed", err)
	}
	if s.Live() {
		t.Error("a search runs on a closed host")
	}
	h.leave(t)
}

// TestActsWaitForTheEngine checks that nothing is steered in an engine while it is exchanged for one with a trainer: the new one
// would not know of it.
func TestActsWaitForTheEngine(t *testing.T) {
	h, s := kept(t)
	open, hinted := h.opts.Trainer, make(chan error, 1)
	h.opts.Trainer = func(ctx context.Context, sp tree.Spec) (Trainer, error) {
		if s.acts.TryLock() {
			t.Error("the engine is exchanged while acts go on")
			s.acts.Unlock()
		}
		go func() { hinted <- s.Do(t.Context(), tree.Command{Kind: tree.CmdHint, Text: "meanwhile"}) }()
		return open(ctx, sp)
	}
	if err := s.Do(t.Context(), budget(3)); err != nil {
		t.Fatal(err)
	}
	if err := <-hinted; err != nil {
		t.Error(err)
	}
	if err := s.Wait(t.Context()); err != nil {
		t.Error(err)
	}
	if now := s.Tree(); now.Status != tree.SearchDone || now.Spent.Segments != 3 || len(now.Hints) != 1 {
		t.Errorf("the search is %s after %d segments with the hints %v", now.Status, now.Spent.Segments, now.Hints)
	}
	h.leave(t)
}

// TestResumedAtItsEnd checks that a search goes on that is told to between the end of its run and the moment at which the session
// takes notice of it.
func TestResumedAtItsEnd(t *testing.T) {
	h := newHouse(t, filepath.Join(t.TempDir(), "llmzero.db"))
	defer h.leave(t)
	first := newLatch()
	h.trainer.gate = func(ctx context.Context, job tree.Job, _ int) error {
		first.hold(ctx, job.Node)
		return nil
	}
	s, err := h.Start(t.Context(), request(tree.AskNever, 1))
	if err != nil {
		t.Fatal(err)
	}
	<-first.reached
	s.acts.Lock() // the session cannot take the end of the run
	s.engine.state.Lock()
	l := s.engine.live
	s.engine.state.Unlock()
	close(first.open)
	<-l.ended
	if err := s.do(t.Context(), budget(3)); err != nil {
		t.Error(err)
	}
	s.acts.Unlock()
	if err := s.Wait(t.Context()); err != nil {
		t.Error(err)
	}
	if now := s.Tree(); now.Status != tree.SearchDone || now.Spent.Segments != 3 {
		t.Errorf("the search is %s after %d segments, want done after 3", now.Status, now.Spent.Segments)
	}
}
