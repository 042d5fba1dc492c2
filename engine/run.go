package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"llmzero/engine/event"
	"llmzero/engine/tree"
)

// run is a running segment as its own goroutine sees it.
type run struct {
	engine *Engine
	crew   *crew
	job    tree.Job
	spec   tree.Spec
	node   tree.Node // as it started; its outcome is set at the end
	start  tree.Score
	best   []stage // the path that the judge compares with
	judge  judge
	points []tree.Point
	saved  []tree.Checkpoint
	cancel context.CancelCauseFunc
	asked  bool   // it is to stop at its first step: a person asked for that before the program was left
	alive  func() // tells the watch that the trainer said something
}

// train loads the checkpoint to resume from and runs the trainer.
func (s *run) train(ctx context.Context) (tree.Outcome, error) {
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
	if err := s.judge.load(ctx, s.best, s.engine.curves); err != nil {
		s.engine.opts.Logger.Warn("segments run without a judge", "err", err)
		s.judge.rules.Off = true
	}
	return s.engine.meter().Run(ctx, job, func(r tree.Report) error { return s.report(ctx, r) })
}

// errSilent is the cause with which a segment is canceled that said nothing for too long.
var errSilent = errors.New("the trainer said nothing for too long")

// watch cancels a segment that says nothing for too long, until the returned function is called.
func (s *run) watch(cancel context.CancelCauseFunc) (stop func()) {
	limit := s.engine.opts.Silence
	if limit <= 0 {
		s.alive = func() {}
		return s.alive
	}
	timer := time.AfterFunc(limit, func() { cancel(fmt.Errorf("%w: %s", errSilent, limit)) })
	s.alive = func() { timer.Reset(limit) }
	return func() { timer.Stop() }
}

// report takes what the trainer says. Points and samples go straight to the record and the bus; a checkpoint is written,
// then entered into the journal by the loop.
func (s *run) report(ctx context.Context, r tree.Report) error {
	s.alive()
	saved := context.WithoutCancel(ctx) // what was measured is kept, also when the segment is being ended
	switch {
	case r.Point != nil:
		s.points = append(s.points, *r.Point)
		if err := s.engine.opts.Record.AppendPoints(saved, s.job.Node, []tree.Point{*r.Point}); err != nil {
			return recordError{err}
		}
		s.engine.opts.Bus.Points(s.job.Node, *r.Point)
		if s.asked {
			s.cancel(tree.ErrStop)
		}
		if why, stop := s.judged(*r.Point); stop {
			return s.stop(tree.StopNote{By: "judge", Why: why})
		}
	case r.Checkpoint != nil:
		if err := s.save(saved, *r.Checkpoint); err != nil {
			return err
		}
		return s.consult(ctx)
	case len(r.Samples) > 0:
		if err := s.engine.opts.Record.AppendSamples(saved, s.job.Node, r.Samples); err != nil {
			return recordError{err}
		}
	case r.Log != "":
		s.engine.opts.Logger.Info("trainer", "node", s.job.Node, "log", r.Log)
	}
	return nil
}

func (s *run) save(ctx context.Context, c tree.Checkpoint) error {
	if f := s.distrust(c); f != nil {
		return f
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
	if err != nil {
		return err
	}
	s.saved = append(s.saved, c)
	return nil
}

// distrust says what is wrong with a checkpoint: trainers may be programs of others.
func (s *run) distrust(c tree.Checkpoint) *tree.Failure {
	last := s.job.FromStep
	if n := len(s.saved); n > 0 {
		last = s.saved[n-1].Step
	}
	switch {
	case c.Ref == "" && len(c.Data) == 0:
		return &tree.Failure{Class: tree.FailCrash, Message: fmt.Sprintf("the checkpoint at step %d has no content", c.Step)}
	case c.Step <= last:
		return &tree.Failure{Class: tree.FailData, Message: fmt.Sprintf("a checkpoint at step %d after one at step %d", c.Step, last)}
	case !number(c.Val):
		return &tree.Failure{Class: tree.FailNaN, Message: fmt.Sprintf("the validation score at step %d is not a number", c.Step)}
	}
	return nil
}

// number tells whether a score can be compared and written.
func number(s tree.Score) bool {
	sum := s.Mean + s.SE // NaN and infinities come through
	return !math.IsNaN(sum) && !math.IsInf(sum, 0) && s.SE >= 0
}

// consult asks the agent whether a segment that saved a checkpoint should go on.
func (s *run) consult(ctx context.Context) error {
	if ctx.Err() != nil || s.spec.Judge.Off || s.node.ID == 1 || len(s.saved) >= s.job.Checkpoints {
		return nil //nolint:nilerr // a segment that is ending needs no judge
	}
	a, err := s.ask(ctx)
	if without(ctx, s.engine.opts.Logger, "the agent did not judge", s.node.ID, err) {
		return nil
	}
	err = s.crew.call(func(ctx context.Context) error {
		return s.engine.commit(ctx, a.Exchanges, called(a.Exchanges)...)
	})
	if err != nil || !a.Stop || s.judge.doomed != nil {
		return err
	}
	s.judge.doomed = &doom{step: s.saved[len(s.saved)-1].Step, threshold: s.start.Mean, why: a.Why, agent: true}
	if s.onTrial() {
		return nil
	}
	return s.stop(tree.StopNote{By: "agent", Why: a.Why})
}

// stop ends the segment at its next step with what it has.
func (s *run) stop(note tree.StopNote) error {
	return s.crew.call(func(context.Context) error {
		if seg := s.engine.running[s.job.Node]; seg.stop == nil {
			seg.stop = &note
			seg.cancel(tree.ErrStop)
		}
		return nil
	})
}
