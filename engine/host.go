package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"llmzero/engine/agent"
	"llmzero/engine/event"
	"llmzero/engine/tree"
)

// HostOptions are what a host is made of.
type HostOptions struct {
	Archive Archive
	// Trainer opens the trainer of a specification (its Trainer and Launcher).
	Trainer func(ctx context.Context, s tree.Spec) (Trainer, error)
	// Agent opens the agent of a specification.
	Agent      func(ctx context.Context, s tree.Spec) (agent.Agent, error)
	Clock      func() time.Time // nil: time.Now
	Logger     *slog.Logger     // nil: nothing is logged
	Unattended bool             // searches that pause end, because nobody is there
	// Slots says what the segments of a search run on, nil for Parallel equal shares of the processor's cores.
	Slots func(s tree.Spec) []tree.Slot
	// Silence is how long a segment may say nothing before it counts as timed out; two hours when 0.
	Silence time.Duration
	Version string // of the program, for the record
}

// Host opens searches of an archive and runs as many of them as are asked for. It is safe for concurrent use.
type Host struct {
	opts HostOptions

	mu       sync.Mutex
	sessions map[string]*Session
	closed   bool
}

// NewHost makes a host.
func NewHost(o HostOptions) *Host {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Silence == 0 {
		o.Silence = 2 * time.Hour
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Host{opts: o, sessions: map[string]*Session{}}
}

// ErrClosed is returned by a host that was closed.
var ErrClosed = errors.New("the program is ending")

// Start creates a search and lets it run. What the specification leaves open is filled in: the space, the metric and the model by
// the trainer, values missing in Root by the space's defaults.
func (h *Host) Start(ctx context.Context, spec tree.Spec) (*Session, error) {
	tr, err := h.opts.Trainer(ctx, spec)
	if err != nil {
		return nil, err
	}
	if spec, err = describe(ctx, tr, spec); err != nil {
		return nil, err
	}
	a, err := h.opts.Agent(ctx, spec)
	if err != nil {
		return nil, err
	}
	spec.Created, spec.Version = h.opts.Clock(), h.opts.Version
	named := spec
	if named.ID == "" {
		named.ID = "new" // the archive gives the name; everything else is checked before it does
	}
	if _, err := Complete(named); err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, ErrClosed
	}
	shelf, err := h.opts.Archive.Create(ctx, spec)
	if err != nil {
		return nil, err
	}
	spec.ID = shelf.ID()
	s := &Session{host: h, shelf: shelf, bus: event.NewBus()}
	if s.engine, err = New(s.options(tr, a, Options{Spec: spec})); err != nil {
		return nil, err
	}
	if err := s.engine.create(ctx); err != nil {
		return nil, err
	}
	h.sessions[spec.ID] = s
	return s, s.launch(ctx)
}

// describe completes a specification with what the trainer says of itself.
func describe(ctx context.Context, tr Trainer, spec tree.Spec) (tree.Spec, error) {
	d, err := tr.Describe(ctx)
	if err != nil {
		return spec, fmt.Errorf("trainer %s: %w", spec.Trainer, err)
	}
	task, err := d.Task(spec.Task)
	if err != nil {
		return spec, err
	}
	if spec.Base == 0 && task.Bases > 1 {
		spec.Base = 1
	}
	if spec.Base < 0 || spec.Base > max(1, task.Bases) {
		return spec, fmt.Errorf("task %s has %d base models; there is no number %d", task.Name, task.Bases, spec.Base)
	}
	spec.Space, spec.Metric = d.SpaceOf(task.Name), task.Metric
	if spec.Model == "" {
		spec.Model = d.Model
	}
	root := spec.Space.Defaults()
	for name, v := range spec.Root {
		p, ok := spec.Space.Find(name)
		if !ok {
			return spec, fmt.Errorf("%s: the trainer has no such parameter; it has %v", name, spec.Space.Names())
		}
		if err := p.Check(v); err != nil {
			return spec, err
		}
		root[name] = v
	}
	spec.Root = root
	return spec, nil
}

// Open returns a search to look at and to steer; a search that does not run goes on when it is told to (tree.CmdResume).
func (h *Host) Open(ctx context.Context, id string) (*Session, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s, ok := h.sessions[id]; ok {
		return s, nil
	}
	if h.closed {
		return nil, ErrClosed
	}
	shelf, err := h.opts.Archive.Open(ctx, id)
	if err != nil {
		return nil, err
	}
	t, err := shelf.Tree(ctx)
	if err != nil {
		return nil, err
	}
	s := &Session{host: h, shelf: shelf, bus: event.NewBus()}
	if s.engine, err = New(s.options(nil, nil, Options{Tree: t})); err != nil {
		return nil, err
	}
	h.sessions[id] = s
	return s, nil
}

// Resume opens a search and lets it go on.
func (h *Host) Resume(ctx context.Context, id string) (*Session, error) {
	s, err := h.Open(ctx, id)
	if err != nil {
		return nil, err
	}
	return s, s.Do(ctx, tree.Command{Kind: tree.CmdResume})
}

// List sums all searches up, newest first.
func (h *Host) List(ctx context.Context) ([]tree.Summary, error) { return h.opts.Archive.List(ctx) }

// Remove deletes a search that does not run here.
func (h *Host) Remove(ctx context.Context, id string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s, ok := h.sessions[id]; ok {
		if s.Live() {
			return fmt.Errorf("search %s runs; cancel it first", id)
		}
		s.bus.Close()
		delete(h.sessions, id)
	}
	return h.opts.Archive.Remove(ctx, id)
}

// Close ends all searches with everything saved, waits for them and then closes their buses. Nothing can be opened afterwards.
func (h *Host) Close() error { return h.end(context.Canceled) }

// Detach is Close, but segments of external trainers go on without the program and are found again.
func (h *Host) Detach() error { return h.end(tree.ErrDetach) }

func (h *Host) end(cause error) error {
	h.mu.Lock()
	h.closed = true
	all := make([]*Session, 0, len(h.sessions))
	for _, s := range h.sessions {
		all = append(all, s)
	}
	h.mu.Unlock()
	for _, s := range all {
		s.close(cause)
	}
	var errs []error
	for _, s := range all {
		errs = append(errs, s.Wait(context.Background()))
		s.bus.Close()
	}
	return errors.Join(errs...)
}
