package engine

import (
	"context"
	"errors"
	"fmt"
	"math"

	"llmzero/engine/agent"
	"llmzero/engine/event"
	"llmzero/engine/tree"
)

// checkpoints is how many checkpoints a segment saves.
const checkpoints = 4

// attempts is how often a segment is tried when it crashes or times out; other failures would only come again.
const attempts = 2

// interrupted is why a segment that ran when the program ended is in line again.
const interrupted = "interrupted: starts again from its parent's checkpoint"

// mostFailures is how many segments in a row may fail before the search pauses.
const mostFailures = 8

// segment is one that runs.
type segment struct {
	cancel    context.CancelCauseFunc
	allowance int64          // tokens that it may spend, 0 for no limit
	stop      *tree.StopNote // set before it is canceled with tree.ErrStop
}

// startSegments puts nodes that are in line on free slots.
func (e *Engine) startSegments(ctx context.Context) (bool, error) {
	started := false
	for slot, busy := range e.slots {
		id, ok := e.nextQueued()
		if !ok || len(e.running) >= e.room() {
			break
		}
		if busy != 0 {
			continue
		}
		if e.allowance() < 0 {
			break
		}
		if err := e.startSegment(ctx, slot, id); err != nil {
			return started, err
		}
		started = true
	}
	return started, nil
}

// nextQueued is the first node in line. One that is tried again waits until its last attempt has left its slot, because running
// is by node: else the end of the old attempt would be taken for that of the new one.
func (e *Engine) nextQueued() (tree.NodeID, bool) {
	for _, id := range e.census.list(tree.StateQueued) {
		if e.running[id] == nil {
			return id, true
		}
	}
	return 0, false
}

func (e *Engine) startSegment(work context.Context, slot int, id tree.NodeID) error {
	n := e.tree.Nodes[id]
	attempt := n.Attempts + 1
	if e.found[id] {
		attempt = n.Attempts
		delete(e.found, id)
	}
	job := e.job(n, attempt, slot)
	if err := e.commit(work, nil, engineEntry(&event.Started{Node: id, Attempt: job.Attempt, Slot: slot})); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(work)
	e.slots[slot] = id
	seg := &segment{cancel: cancel, allowance: job.Tokens}
	if o := e.tree.Nodes[id].Outcome; o != nil && o.Stop != nil {
		note := *o.Stop
		seg.stop = &note
	}
	e.running[id] = seg
	s := &run{
		cancel: cancel, asked: seg.stop != nil,
		engine: e, crew: e.crew, job: job, node: *e.tree.Nodes[id], spec: e.tree.Spec, start: e.start(n),
		judge: judge{rules: e.tree.Spec.Judge, start: e.spentBefore(n), steps: job.Steps, last: math.NaN()},
	}
	if id != 1 { // the first segment is never stopped, however late it is tried again
		s.best = e.reference()
	}
	e.crew.start(func() func(context.Context) error {
		defer cancel(nil)
		quiet := s.watch(cancel)
		outcome, err := s.train(ctx)
		quiet()
		if cause := context.Cause(ctx); err != nil && errors.Is(cause, errSilent) {
			err = cause
		}
		e.curves.put(id, s.points)
		err = s.crew.call(func(ctx context.Context) error { return e.ended(ctx, s, outcome, err) })
		var chosen agent.Choice
		var chooseErr error
		if err == nil && work.Err() == nil && len(s.node.Outcome.Checkpoints) > 0 {
			chosen, chooseErr = s.choose(work)
		}
		return func(ctx context.Context) error {
			delete(e.running, id)
			e.slots[slot] = 0
			if err != nil || work.Err() != nil || len(s.node.Outcome.Checkpoints) == 0 {
				return err
			}
			return e.chosen(ctx, id, chosen, chooseErr)
		}
	})
	return nil
}

// slot is what a segment on a slot may use.
func (e *Engine) slot(i int) tree.Slot { return e.opts.Slots[i] }

// job says what a node's segment is to do.
func (e *Engine) job(n *tree.Node, attempt, slot int) tree.Job {
	spec := e.tree.Spec
	job := tree.Job{
		Search: spec.ID, Node: n.ID, Attempt: attempt, Task: spec.Task, Base: spec.Base,
		Seed:   tree.Derive(spec.Seed, "segment", int(n.ID), attempt),
		Config: n.Config.Clone(), FromStep: n.Transition.From.Step, Steps: n.Transition.Steps,
		Tokens: max(0, e.allowance()), Checkpoints: checkpoints, Slot: e.slot(slot),
	}
	if job.Steps == 0 {
		job.Steps = spec.Segment
	}
	if p := e.tree.Nodes[n.Parent]; p.ID != tree.Root {
		job.Previous = p.Config.Clone()
		if c, ok := p.CheckpointAt(n.Transition.From.Step); ok {
			job.FromRef = c.Ref
		}
	}
	return job
}

// start is the validation score of the checkpoint that n starts from.
func (e *Engine) start(n *tree.Node) tree.Score {
	p := e.tree.Nodes[n.Parent]
	if c, ok := p.CheckpointAt(n.Transition.From.Step); ok {
		return c.Val
	}
	return p.Val()
}

// ended records how a segment came out. It runs in the loop.
func (e *Engine) ended(ctx context.Context, s *run, out tree.Outcome, err error) error {
	id, seg := s.job.Node, e.running[s.job.Node]
	out.Checkpoints, out.Spark, out.Stop, out.Trial = s.saved, spark(s.points), nil, nil // a trainer cannot say the last two
	failure := classify(&out, err)
	e.typical = max(e.typical, fullCost(out.Cost, s.job.Steps))
	s.node.Outcome = &out
	detached := errors.Is(context.Cause(ctx), tree.ErrDetach) && e.finds()
	switch {
	case err != nil && errors.As(err, new(recordError)):
		return err
	case failure == nil:
	case detached:
		return nil // it goes on; the node stays running until the program is back
	case seg.stop != nil && len(out.Checkpoints) > 0: // it was to end early and to keep what it has
	case ctx.Err() != nil:
		return e.commit(ctx, nil, engineEntry(&event.Queued{Node: id, Why: interrupted, Cost: out.Cost}))
	default:
		return e.failedEnd(ctx, s, &out, failure)
	}
	e.failures = 0
	out.Chosen, out.ChosenWhy = choose(out.Checkpoints)
	out.Val, out.Failure = out.Checkpoints[out.Chosen].Val, nil
	state, who := tree.StateEvaluated, "engine"
	if seg.stop != nil {
		state, who = tree.StateStopped, seg.stop.By
		noteStop(&out, *seg.stop, s.job.FromStep, s.job.Steps)
	}
	out.Trial = s.trial(&out, seg.stop)
	entries := []entry{{who, &event.Ended{Node: id, State: state, Outcome: out}}}
	if e.tree.Nodes[s.node.Parent].State == tree.StatePruned { // its subtree was taken out while it trained
		entries = append(entries, engineEntry(&event.Pruned{Nodes: []tree.NodeID{id}, Why: "its subtree was pruned while it trained"}))
	}
	return e.commit(ctx, nil, entries...)
}

// failedEnd records a failure. What may go better a second time is put in line again, the rest is for the agent to remedy.
func (e *Engine) failedEnd(ctx context.Context, s *run, out *tree.Outcome, failure *tree.Failure) error {
	id, seg := s.job.Node, e.running[s.job.Node]
	out.Checkpoints, out.Chosen, out.Val, out.Failure = nil, -1, tree.Score{}, failure
	out.Trial = s.trial(out, seg.stop)
	entries := []entry{engineEntry(&event.Ended{Node: id, State: tree.StateFailed, Outcome: *out})}
	if e.failures++; e.failures >= mostFailures {
		entries = append(entries, engineEntry(&event.StatusSet{Status: tree.SearchPaused, Reason: fmt.Sprintf(
			"%d segments in a row failed, the last with %s; mend that, then resume", e.failures, failure)}))
	}
	again := (failure.Class == tree.FailCrash || failure.Class == tree.FailTimeout) && s.job.Attempt < attempts && seg.stop == nil
	if again && e.tree.Nodes[s.node.Parent].State != tree.StatePruned {
		entries = append(entries, engineEntry(&event.Queued{Node: id, Why: "again after a " + string(failure.Class)}))
	} else {
		e.failed = append(e.failed, id)
	}
	return e.commit(ctx, nil, entries...)
}

// noteStop says of a segment of so many steps where it was stopped and what that saved.
func noteStop(out *tree.Outcome, note tree.StopNote, from, steps int) {
	note.AtStep = out.Checkpoints[len(out.Checkpoints)-1].Step
	if left := from + steps - note.AtStep; left > 0 {
		note.SavedSteps = left
		note.SavedTokens = int64(left) * out.Cost.Tokens() / int64(max(1, note.AtStep-from))
	}
	out.Stop = &note
}

// pickUp is what becomes of a segment that ran when the last process ended: it is in line again or, when it was to be stopped and has
// saved a checkpoint, stopped there.
func (e *Engine) pickUp(ctx context.Context, id tree.NodeID) entry {
	n := e.tree.Nodes[id]
	if f, ok := e.opts.Trainer.(Finder); ok && f.Find(ctx, e.job(n, n.Attempts, 0)) {
		e.found[id] = true
		return engineEntry(&event.Queued{Node: id, Why: "it went on without the program: followed again"})
	}
	cost := e.lost(ctx, id)
	if n.Outcome == nil || n.Outcome.Stop == nil || len(n.Outcome.Checkpoints) == 0 {
		return engineEntry(&event.Queued{Node: id, Why: interrupted, Cost: cost})
	}
	out := tree.Outcome{Checkpoints: n.Outcome.Checkpoints, Cost: cost}
	out.Chosen, out.ChosenWhy = choose(out.Checkpoints)
	out.Val = out.Checkpoints[out.Chosen].Val
	noteStop(&out, *n.Outcome.Stop, n.Transition.From.Step, n.Transition.Steps)
	return entry{out.Stop.By, &event.Ended{Node: id, State: tree.StateStopped, Outcome: out}}
}

// finds tells whether the trainer's segments can outlive the program.
func (e *Engine) finds() bool {
	_, ok := e.opts.Trainer.(Finder)
	return ok
}

// classify makes a failure of an error, or of an outcome that cannot be used.
func classify(out *tree.Outcome, err error) *tree.Failure {
	var f *tree.Failure
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(err, errSilent), errors.Is(err, context.DeadlineExceeded):
		return &tree.Failure{Class: tree.FailTimeout, Message: err.Error()}
	case err != nil:
		return &tree.Failure{Class: tree.FailCrash, Message: err.Error()}
	case out.Failure != nil:
		return out.Failure
	case len(out.Checkpoints) == 0:
		return &tree.Failure{Class: tree.FailCrash, Message: "the trainer ended without a checkpoint"}
	}
	return nil
}

// spark is the reward curve in at most 16 means.
func spark(points []tree.Point) []float64 {
	var all []float64
	for _, p := range points {
		if v, ok := p.Values[tree.MetricReward]; ok && !math.IsNaN(v) && !math.IsInf(v, 0) {
			all = append(all, v)
		}
	}
	n := min(16, len(all))
	out := make([]float64, n)
	for i := range n {
		part := all[i*len(all)/n : (i+1)*len(all)/n]
		for _, v := range part {
			out[i] += v / float64(len(part))
		}
	}
	return out
}
