package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"llmzero/engine/agent"
	"llmzero/engine/event"
	"llmzero/engine/search"
	"llmzero/engine/tree"
)

// Errors of an engine as a whole.
var (
	// ErrRunning is returned when Run is called on an engine that runs already.
	ErrRunning = errors.New("the search runs already")
	// ErrAgent is returned when the agent failed several times in a row.
	ErrAgent = errors.New("the agent fails")
)

// Options are the parts of an engine. Record is required, either Tree or Spec, and for Run also Trainer and Agent: without
// them a search can still be looked at and steered.
type Options struct {
	Spec     tree.Spec  // of a new search
	Tree     *tree.Tree // of a search that goes on; the engine owns it from then on
	Record   Record
	History  History // reads back metric points; nil: what this engine saw itself
	Trainer  Trainer
	Agent    agent.Agent
	Policy   search.Policy // nil: made from Spec.Policy
	Bus      *event.Bus    // nil: nobody listens
	Clock    func() time.Time
	Logger   *slog.Logger
	Slots    []tree.Slot // what segments run on; empty: Spec.Parallel equal ones
	Prefetch int         // proposals that may wait for a person, 3 when 0
	// Silence is how long a segment may say nothing before it counts as timed out; 0: for ever.
	Silence time.Duration
	// Unattended makes Run return when the search pauses, because nobody is there to resume it.
	Unattended bool
}

// Engine runs one search. Do and Tree are safe for concurrent use, also while Run works.
type Engine struct {
	opts   Options
	policy search.Policy
	curves *curves

	state sync.Mutex // guards live
	live  *live      // nil while Run does not work

	shown sync.RWMutex // guards tree: the loop writes it, Tree reads it
	tree  *tree.Tree

	// What follows belongs to the loop, or to Do while no loop works.
	census      census
	podium      podium
	holds       map[tree.NodeID]int // turns under way, by the node that the policy was told of
	slots       []tree.NodeID       // by slot, 0 for a free one
	running     map[tree.NodeID]*segment
	crew        *crew // nil while no loop works
	rescoring   map[tree.NodeID]int
	errs        int                  // agent errors in a row
	barren      int                  // turns in a row in which the agent proposed nothing
	fruitless   int                  // turns in a row without a proposal, also because another one was quicker or the agent failed
	empty       map[tree.NodeID]int  // turns in which the agent proposed nothing; the policy holds their nodes
	failures    int                  // failed segments in a row
	typical     int64                // tokens of the dearest segment so far, had it run to its end
	failed      []tree.NodeID        // nodes that failed and may need a remedy
	confirming  map[tree.NodeID]int  // retrainings under way
	unconfirmed map[tree.NodeID]int  // retrainings that failed in this process
	rescored    map[tree.NodeID]bool // nodes that were scored again in this process
	closing     bool                 // the last phase is under way: confirmations and test scores
	found       map[tree.NodeID]bool // interrupted segments whose trainer still has them
	scoring     bool                 // the base model is being scored
}

// live is what connects a running loop with other goroutines.
type live struct {
	calls chan call
	ended chan struct{}
}

// call is a function for the loop to run. Its context ends when the loop is to end; commit writes all the same.
type call struct {
	fn   func(ctx context.Context) error
	done chan error
}

// New makes an engine for a new search or for one that goes on. It does no I/O; Run does.
func New(o Options) (*Engine, error) {
	if o.Record == nil {
		return nil, errors.New("engine: a record is required")
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Bus == nil {
		o.Bus = event.NewBus()
	}
	if o.Prefetch == 0 {
		o.Prefetch = 3
	}
	e := &Engine{
		opts: o, tree: o.Tree, curves: newCurves(o.History), holds: map[tree.NodeID]int{}, running: map[tree.NodeID]*segment{},
		rescoring: map[tree.NodeID]int{}, rescored: map[tree.NodeID]bool{}, found: map[tree.NodeID]bool{},
		empty: map[tree.NodeID]int{}, confirming: map[tree.NodeID]int{}, unconfirmed: map[tree.NodeID]int{},
	}
	if e.tree == nil || e.tree.Seq == 0 {
		spec, err := Complete(o.Spec)
		if err != nil {
			return nil, err
		}
		e.tree, e.opts.Spec = &tree.Tree{Spec: spec}, spec
	}
	e.opts.Logger = o.Logger.With("search", e.tree.Spec.ID)
	if e.policy = o.Policy; e.policy == nil {
		// The first segments are all children of the root: enough of them to fill the slots.
		p, err := search.New(e.tree.Spec.Policy, search.Options{RootChildren: max(3, e.tree.Spec.Parallel)})
		if err != nil {
			return nil, err
		}
		e.policy = p
	}
	for id := range e.tree.Nodes {
		e.policy.Update(e.tree, tree.NodeID(id))
		e.census.update(e.tree, tree.NodeID(id))
		e.podium.update(e.tree, tree.NodeID(id))
		e.noteFailed(tree.NodeID(id))
	}
	if len(e.opts.Slots) == 0 {
		e.opts.Slots = Shares(e.tree.Spec.Parallel, runtime.GOMAXPROCS(0))
	}
	e.slots = make([]tree.NodeID, len(e.opts.Slots))
	return e, nil
}

// Tree returns a copy of the tree as it stands in the record.
func (e *Engine) Tree() *tree.Tree {
	e.shown.RLock()
	defer e.shown.RUnlock()
	return e.tree.Clone()
}

func (e *Engine) status() tree.Status {
	e.shown.RLock()
	defer e.shown.RUnlock()
	return e.tree.Status
}

// working tells whether Run works.
func (e *Engine) working() bool {
	e.state.Lock()
	defer e.state.Unlock()
	return e.live != nil
}

// Next lists the next n nodes that would be expanded, and why, as if each expansion were under way when the following one is chosen.
func (e *Engine) Next(ctx context.Context, n int) ([]search.Choice, error) {
	var out []search.Choice
	err := e.do(ctx, func(context.Context) error {
		out = e.next(n)
		return nil
	})
	return out, err
}

// do runs fn in the loop, or in the caller's goroutine while no loop works.
func (e *Engine) do(ctx context.Context, fn func(context.Context) error) error {
	for {
		e.state.Lock()
		l := e.live
		if l == nil {
			defer e.state.Unlock()
			return fn(ctx)
		}
		e.state.Unlock()
		c := call{fn: fn, done: make(chan error, 1)}
		select {
		case l.calls <- c:
			return <-c.done
		case <-l.ended:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Run works on the search until its budget is spent, it is canceled, it fails or ctx is done, and returns when everything is
// saved and every goroutine that it started has ended. When ctx is done, running segments are put in line again and the
// search is paused; Run returns nil then. With the cause tree.ErrDetach segments that their trainer can find again stay
// running.
func (e *Engine) Run(ctx context.Context) error {
	if e.opts.Trainer == nil || e.opts.Agent == nil {
		return errors.New("engine: a search runs with a trainer and an agent only")
	}
	e.state.Lock()
	if e.live != nil {
		e.state.Unlock()
		return ErrRunning
	}
	l := &live{calls: make(chan call), ended: make(chan struct{})}
	e.live = l
	e.state.Unlock()
	defer func() {
		e.state.Lock()
		e.live = nil
		e.state.Unlock()
		close(l.ended)
	}()
	var wg sync.WaitGroup
	defer wg.Wait()

	work, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	e.crew = &crew{live: l, wg: &wg}
	err := e.begin(work)
	for err == nil && work.Err() == nil && e.tree.Status != tree.SearchCanceled {
		if err = e.advance(work); err != nil || e.over() {
			break
		}
		select {
		case c := <-l.calls:
			err = serve(work, c)
		case <-work.Done(): // not ctx: that is done a moment before work knows the cause
		}
	}
	cancel(context.Canceled)
	for e.crew.size > 0 {
		if failed := serve(work, <-l.calls); err == nil {
			err = failed
		}
	}
	err = errors.Join(err, e.leave(work, err))
	e.crew = nil
	return err
}

// fatal marks an error that ends the loop, as opposed to one that only the caller is told of.
type fatal struct{ error }

func (f fatal) Unwrap() error { return f.error }

func serve(ctx context.Context, c call) error {
	err := c.fn(ctx)
	c.done <- err
	var f fatal
	if errors.As(err, &f) {
		return err
	}
	return nil
}

// over tells whether there is nothing to wait for.
func (e *Engine) over() bool {
	return e.crew.size == 0 && (e.tree.Status == tree.SearchDone || e.tree.Status == tree.SearchFailed ||
		(e.opts.Unattended && e.tree.Status == tree.SearchPaused))
}

// create writes the first entry of a new search.
func (e *Engine) create(ctx context.Context) error {
	if e.tree.Seq > 0 {
		return nil
	}
	return e.commit(ctx, nil, engineEntry(&event.Created{Spec: e.tree.Spec}))
}

// begin brings a tree from the record back to work: what ran when the last process ended is put in line again.
func (e *Engine) begin(ctx context.Context) error {
	if err := e.create(ctx); err != nil {
		return err
	}
	var entries []entry
	clear(e.found)
	for _, id := range e.census.list(tree.StateRunning) {
		entries = append(entries, e.pickUp(ctx, id))
	}
	for _, id := range e.census.list(tree.StateApproved) {
		entries = append(entries, engineEntry(&event.Queued{Node: id}))
	}
	if e.tree.Status == tree.SearchDone && !e.spent() {
		entries = append(entries, engineEntry(&event.StatusSet{Status: tree.SearchRunning, Reason: "there is budget again"}))
	}
	e.failed = e.failed[:0]
	for _, n := range e.tree.Nodes {
		if n.ID != tree.Root && n.Outcome != nil {
			e.typical = max(e.typical, fullCost(n.Outcome.Cost, n.Transition.Steps))
		}
		e.noteFailed(n.ID)
	}
	clear(e.slots)
	clear(e.running)
	e.closing, e.scoring, e.errs, e.barren, e.fruitless, e.failures = false, false, 0, 0, 0, 0
	return e.commit(ctx, nil, entries...)
}

// noteFailed remembers a failed node for a remedy; pick sorts out those that had one.
func (e *Engine) noteFailed(id tree.NodeID) {
	if e.tree.Nodes[id].State == tree.StateFailed {
		e.failed = append(e.failed, id)
	}
}

// leave records why the loop ended when the search itself did not.
func (e *Engine) leave(ctx context.Context, err error) error {
	switch {
	case err != nil && errors.As(err, new(recordError)):
		return nil // nothing more can be written
	case err != nil:
		return e.commit(ctx, nil, engineEntry(&event.StatusSet{Status: tree.SearchFailed, Reason: reason(err)}))
	case e.tree.Status == tree.SearchRunning:
		return e.commit(ctx, nil, engineEntry(&event.StatusSet{Status: tree.SearchPaused, Reason: "llmzero was left; resume to go on"}))
	}
	return nil
}

// reason is an error in one line of a few words.
func reason(err error) string {
	var f fatal
	if errors.As(err, &f) {
		err = f.error
	}
	return fmt.Sprint(err)
}

// Shares divides processor cores among n slots, at least one each.
func Shares(n, cores int) []tree.Slot {
	slots := make([]tree.Slot, max(1, n))
	for i := range slots {
		slots[i] = tree.Slot{Index: i, Cores: max(1, cores/len(slots))}
	}
	return slots
}
