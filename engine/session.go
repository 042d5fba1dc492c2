package engine

import (
	"context"
	"sync"

	"llmzero/engine/agent"
	"llmzero/engine/event"
	"llmzero/engine/search"
	"llmzero/engine/tree"
)

// Session is one search that a host has opened, whether it runs or not. It is safe for concurrent use.
type Session struct {
	host  *Host
	shelf Shelf
	bus   *event.Bus

	// acts keeps steering acts, the exchange of the engine and the beginning and end of a run apart. It is taken before mu.
	acts sync.Mutex

	mu     sync.Mutex // guards what follows
	engine *Engine
	cancel context.CancelCauseFunc // nil unless live
	ended  chan struct{}           // closed when the last run ended, nil when there was none
	err    error                   // of the last run
	closed bool                    // the host is ending: no run may begin
	again  bool                    // the search was told to go on after its run had ended
}

func (s *Session) options(tr Trainer, a agent.Agent, o Options) Options {
	h := s.host.opts
	o.Record, o.History, o.Trainer, o.Agent, o.Bus = s.shelf, s.shelf, tr, a, s.bus
	o.Clock, o.Logger, o.Unattended, o.Silence = h.Clock, h.Logger, h.Unattended, h.Silence
	spec := o.Spec
	if o.Tree != nil {
		spec = o.Tree.Spec
	}
	if h.Slots != nil {
		o.Slots = h.Slots(spec)
	}
	return o
}

// launch runs the engine in a goroutine that Close or Wait waits for. The caller holds acts, or nobody else knows of s.
func (s *Session) launch(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	run, cancel := context.WithCancelCause(context.WithoutCancel(ctx)) // the search outlives the call that starts it
	ended, e := make(chan struct{}), s.engine
	s.cancel, s.ended, s.err, s.again = cancel, ended, nil, false
	go func() {
		defer close(ended)
		defer cancel(nil)
		for s.goesOn(run, e, e.Run(run)) { // all of it is in the condition
		}
	}()
	return nil
}

// goesOn takes the end of a run. It tells whether the search was told to go on since, and otherwise makes s idle.
func (s *Session) goesOn(run context.Context, e *Engine, err error) bool {
	if err != nil {
		s.host.opts.Logger.Error("search ended", "search", s.shelf.ID(), "err", err)
	}
	s.acts.Lock()
	defer s.acts.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if again := s.again; again && run.Err() == nil && e.status() == tree.SearchRunning {
		s.again = false
		return true
	}
	s.cancel, s.err = nil, err
	return false
}

// ID is the search's name.
func (s *Session) ID() string { return s.shelf.ID() }

// Shelf is what the archive keeps of the search.
func (s *Session) Shelf() Shelf { return s.shelf }

// Tree returns a copy of the tree as it stands; the caller owns it.
func (s *Session) Tree() *tree.Tree { return s.now().Tree() }

// Subscribe delivers what happens from now on, over all runs of the search in this program.
func (s *Session) Subscribe() *event.Subscription { return s.bus.Subscribe() }

// Live tells whether an engine works on the search in this program.
func (s *Session) Live() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cancel != nil
}

// Next lists the next n nodes that the policy would expand, and why.
func (s *Session) Next(ctx context.Context, n int) ([]search.Choice, error) {
	return s.now().Next(ctx, n)
}

func (s *Session) now() *Engine {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.engine
}

// Do carries out a steering act; its error is for people. Resuming a search that is not live, or raising the budget of one that
// is done, also makes it run.
func (s *Session) Do(ctx context.Context, c tree.Command) error {
	s.acts.Lock()
	defer s.acts.Unlock()
	return s.do(ctx, c)
}

// do is Do for a caller that holds acts.
func (s *Session) do(ctx context.Context, c tree.Command) error {
	starts := c.Kind == tree.CmdResume || c.Kind == tree.CmdBudget
	if s.Live() {
		err := s.engine.Do(ctx, c)
		if err == nil && starts && !s.engine.working() { // its run has ended, and the end is yet to be taken
			s.mu.Lock()
			defer s.mu.Unlock()
			s.again = true
		}
		return err
	}
	if err := s.open(); err != nil {
		return err
	}
	if !starts {
		return s.engine.Do(ctx, c)
	}
	if err := s.equip(ctx); err != nil {
		if c.Kind == tree.CmdBudget {
			return s.engine.Do(ctx, c) // it can be set all the same
		}
		return err
	}
	if err := s.open(); err != nil { // a trainer may take long to find
		return err
	}
	if err := s.engine.Do(ctx, c); err != nil || s.engine.status() != tree.SearchRunning {
		return err
	}
	return s.launch(ctx)
}

// open is ErrClosed when the host is ending.
func (s *Session) open() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	return nil
}

// equip gives an engine that was opened to look at its trainer and agent. The caller holds acts, so that nothing is steered in the
// old engine once its tree is copied.
func (s *Session) equip(ctx context.Context) error {
	if s.engine.opts.Trainer != nil {
		return nil
	}
	t := s.engine.Tree()
	tr, err := s.host.opts.Trainer(ctx, t.Spec)
	if err != nil {
		return err
	}
	a, err := s.host.opts.Agent(ctx, t.Spec)
	if err != nil {
		return err
	}
	e, err := New(s.options(tr, a, Options{Tree: t}))
	if err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.engine = e
	}
	return err
}

// close asks a live session to end and lets no run begin any more.
func (s *Session) close(cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if s.cancel != nil {
		s.cancel(cause)
	}
}

// Wait returns when the search no longer runs, with the error that ended it, or with that of ctx when that ends first.
func (s *Session) Wait(ctx context.Context) error {
	s.mu.Lock()
	ended := s.ended
	s.mu.Unlock()
	if ended == nil {
		return nil
	}
	select {
	case <-ended:
	case <-ctx.Done():
		return ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}
