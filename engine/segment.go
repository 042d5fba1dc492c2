package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"llmzero/engine/agent"
	"llmzero/engine/event"
	"llmzero/engine/tree"
)

// checkpoints is how many checkpoints a segment saves.
const checkpoints = 4

// attempts is how often a segment is tried when it crashes or times out; other failures would only come again.
const attempts = 2

// mostFailures is how many segments in a row may fail before the search pauses.
const mostFailures = 8

// segment is one that runs.
type segment struct {
	slot   int
	cancel context.CancelCauseFunc
	stop   *tree.StopNote // set before it is canceled with tree.ErrStop
}

// startSegments puts nodes that are in line on free slots.
func (e *Engine) startSegments(ctx context.Context) (bool, error) {
	started := false
	for slot, busy := range e.slots {
		queue := e.census.list(tree.StateQueued)
		if len(queue) == 0 || len(e.running) >= e.room() {
			break
		}
		if busy != 0 {
			continue
		}
		if err := e.startSegment(ctx, slot, queue[0]); err != nil {
			return started, err
		}
		started = true
	}
	return started, nil
}

func (e *Engine) startSegment(work context.Context, slot int, id tree.NodeID) error {
	n := e.tree.Nodes[id]
	job := e.job(n)
	if err := e.commit(work, nil, engineEntry(&event.Started{Node: id, Attempt: job.Attempt, Slot: slot})); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(work)
	e.slots[slot] = id
	e.running[id] = &segment{slot: slot, cancel: cancel}
	s := &session{engine: e, crew: e.crew, job: job, node: *e.tree.Nodes[id], spec: e.tree.Spec, start: e.start(n)}
	e.crew.start(func() func(context.Context) error {
		defer cancel(nil)
		outcome, err := s.train(ctx)
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

// job says what a node's segment is to do.
func (e *Engine) job(n *tree.Node) tree.Job {
	spec := e.tree.Spec
	job := tree.Job{
		Search: spec.ID, Node: n.ID, Attempt: n.Attempts + 1, Task: spec.Task, Base: spec.Base,
		Seed:   derive(spec.Seed, "segment", int(n.ID), n.Attempts+1),
		Config: n.Config.Clone(), FromStep: n.Transition.From.Step, Steps: n.Transition.Steps,
		Tokens: e.allowance(), Checkpoints: checkpoints,
	}
	if job.Steps == 0 {
		job.Steps = spec.Segment
	}
	if p := e.tree.Nodes[n.Parent]; p.ID != tree.Root {
		job.Previous = p.Config.Clone()
		if c, ok := checkpointAt(p, n.Transition.From.Step); ok {
			job.FromRef = c.Ref
		}
	}
	return job
}

// start is the validation score of the checkpoint that n starts from.
func (e *Engine) start(n *tree.Node) tree.Score {
	p := e.tree.Nodes[n.Parent]
	if c, ok := checkpointAt(p, n.Transition.From.Step); ok {
		return c.Val
	}
	return p.Val()
}

func checkpointAt(n *tree.Node, step int) (tree.Checkpoint, bool) {
	if n.Outcome != nil {
		for _, c := range n.Outcome.Checkpoints {
			if c.Step == step {
				return c, true
			}
		}
	}
	return tree.Checkpoint{}, false
}

// session is a running segment as its own goroutine sees it.
type session struct {
	engine *Engine
	crew   *crew
	job    tree.Job
	spec   tree.Spec
	node   tree.Node // as it started; its outcome is set at the end
	start  tree.Score
	points []tree.Point
	saved  []tree.Checkpoint
}

// train loads the checkpoint to resume from and runs the trainer.
func (s *session) train(ctx context.Context) (tree.Outcome, error) {
	job := s.job
	if job.FromRef == "" && s.node.Parent != tree.Root {
		return tree.Outcome{}, &tree.Failure{
			Class: tree.FailData, Message: fmt.Sprintf("node %d has no checkpoint at step %d", s.node.Parent, job.FromStep),
		}
	}
	if strings.HasPrefix(job.FromRef, "sha256:") {
		data, err := s.engine.opts.Record.LoadBlob(ctx, job.FromRef)
		if err != nil {
			if ctx.Err() != nil {
				return tree.Outcome{}, err
			}
			return tree.Outcome{}, &tree.Failure{Class: tree.FailData, Message: err.Error()}
		}
		job.Resume = data
	}
	var out tree.Outcome
	err := guard("the trainer", func() (err error) {
		out, err = s.engine.opts.Trainer.Run(ctx, job, func(r tree.Report) error { return s.report(ctx, r) })
		return err
	})
	return out, err
}

// report takes what the trainer says. Points and samples go straight to the record and the bus; a checkpoint is written,
// then entered into the journal by the loop.
func (s *session) report(ctx context.Context, r tree.Report) error {
	saved := context.WithoutCancel(ctx) // what was measured is kept, also when the segment is being ended
	switch {
	case r.Point != nil:
		s.points = append(s.points, *r.Point)
		if err := s.engine.opts.Record.AppendPoints(saved, s.job.Node, []tree.Point{*r.Point}); err != nil {
			return recordError{err}
		}
		s.engine.opts.Bus.Points(s.job.Node, *r.Point)
	case r.Checkpoint != nil:
		return s.save(saved, *r.Checkpoint)
	case len(r.Samples) > 0:
		if err := s.engine.opts.Record.AppendSamples(saved, s.job.Node, r.Samples); err != nil {
			return recordError{err}
		}
	case r.Log != "":
		s.engine.opts.Logger.Info("trainer", "search", s.job.Search, "node", s.job.Node, "log", r.Log)
	}
	return nil
}

func (s *session) save(ctx context.Context, c tree.Checkpoint) error {
	if c.Ref == "" && len(c.Data) == 0 {
		return &tree.Failure{Class: tree.FailCrash, Message: fmt.Sprintf("the checkpoint at step %d has no content", c.Step)}
	}
	if len(c.Data) > 0 {
		ref, err := s.engine.opts.Record.SaveBlob(ctx, c.Data)
		if err != nil {
			return recordError{err}
		}
		c.Ref, c.Size, c.Data = ref, int64(len(c.Data)), nil
	}
	err := s.crew.call(func(ctx context.Context) error {
		return s.engine.commit(ctx, nil, engineEntry(&event.Saved{Node: s.job.Node, Checkpoint: c}))
	})
	if err == nil {
		s.saved = append(s.saved, c)
	}
	return err
}

// ended records how a segment came out. It runs in the loop.
func (e *Engine) ended(ctx context.Context, s *session, out tree.Outcome, err error) error {
	id, seg := s.job.Node, e.running[s.job.Node]
	out.Checkpoints, out.Spark = s.saved, spark(s.points)
	failure := classify(&out, err)
	s.node.Outcome = &out
	switch {
	case err != nil && errors.As(err, new(recordError)):
		return err
	case failure != nil && ctx.Err() != nil:
		out.Checkpoints = nil
		return e.commit(ctx, nil, engineEntry(&event.Queued{Node: id, Why: "interrupted: starts again from its parent's checkpoint"}))
	case failure != nil:
		out.Checkpoints, out.Chosen, out.Val = nil, -1, tree.Score{}
		out.Failure, out.Cost = failure, costOf(out.Cost, s.points)
		entries := []entry{engineEntry(&event.Ended{Node: id, State: tree.StateFailed, Outcome: out})}
		if e.failures++; e.failures >= mostFailures {
			entries = append(entries, engineEntry(&event.StatusSet{Status: tree.SearchPaused, Reason: fmt.Sprintf(
				"%d segments in a row failed, the last with %s; mend that, then resume", e.failures, failure)}))
		}
		again := s.job.Attempt < attempts && seg.stop == nil && (failure.Class == tree.FailCrash || failure.Class == tree.FailTimeout)
		if again {
			entries = append(entries, engineEntry(&event.Queued{Node: id, Why: "again after a " + string(failure.Class)}))
		}
		return e.commit(ctx, nil, entries...)
	}
	e.failures = 0
	out.Chosen, out.ChosenWhy = choose(out.Checkpoints)
	out.Val, out.Failure, out.Cost = out.Checkpoints[out.Chosen].Val, nil, costOf(out.Cost, s.points)
	state, who := tree.StateEvaluated, "engine"
	if out.Stop = seg.stop; out.Stop != nil {
		state, who = tree.StateStopped, out.Stop.By
		out.Stop.AtStep = out.Checkpoints[len(out.Checkpoints)-1].Step
		if left := s.job.FromStep + s.job.Steps - out.Stop.AtStep; left > 0 {
			out.Stop.SavedSteps = left
			out.Stop.SavedTokens = int64(left) * out.Cost.Tokens() / int64(max(1, out.Stop.AtStep-s.job.FromStep))
		}
	}
	return e.commit(ctx, nil, entry{who, &event.Ended{Node: id, State: state, Outcome: out}})
}

// classify makes a failure of an error, or of an outcome that cannot be used.
func classify(out *tree.Outcome, err error) *tree.Failure {
	var f *tree.Failure
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(err, context.DeadlineExceeded):
		return &tree.Failure{Class: tree.FailTimeout, Message: err.Error()}
	case err != nil:
		return &tree.Failure{Class: tree.FailCrash, Message: err.Error()}
	case out.Failure != nil:
		return out.Failure
	case len(out.Checkpoints) == 0:
		return &tree.Failure{Class: tree.FailCrash, Message: "the trainer ended without a checkpoint"}
	}
	for _, c := range out.Checkpoints {
		if math.IsNaN(c.Val.Mean) || math.IsInf(c.Val.Mean, 0) || math.IsNaN(c.Val.SE) {
			return &tree.Failure{Class: tree.FailNaN, Message: fmt.Sprintf("the validation score at step %d is not a number", c.Step)}
		}
	}
	return nil
}

// costOf is the trainer's account or, when it gave none, what its last point says.
func costOf(c tree.Cost, points []tree.Point) tree.Cost {
	if c.Tokens() == 0 && len(points) > 0 {
		c.Steps, c.SampledTokens = len(points), points[len(points)-1].Tokens
	}
	return c
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
