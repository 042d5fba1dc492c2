package engine

import (
	"context"
	"errors"
	"testing"

	"llmzero/engine/event"
	"llmzero/engine/tree"
)

// stopping is a search whose node 2 trains its n-th step and was told to stop there; the trainer has not heard of it yet.
func stopping(t *testing.T, n int, then func() error) (r leaver, release chan struct{}, finish func() error) {
	t.Helper()
	ctx, leave := context.WithCancel(t.Context())
	r = leaver{newRig(t, spec(tree.AskNever, 4), nil), leave}
	reached, release := make(chan struct{}), make(chan struct{})
	r.trainer.gate = func(_ context.Context, job tree.Job, step int) error {
		if job.Node == 2 && step == n && job.Attempt == 1 {
			close(reached)
			<-release
			return then()
		}
		return nil
	}
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	<-reached
	r.do(t, tree.Command{Kind: tree.CmdStopNode, Node: 2, Text: "looks bad"})
	return r, release, func() error {
		leave()
		return <-done
	}
}

// leaver is a rig whose program can be left.
type leaver struct {
	*rig
	leave func()
}

func fine() error { return nil }

// TestStopIsWrittenWhenItIsAsked checks that a stop by hand is in the record before the segment has ended, as that of a person.
func TestStopIsWrittenWhenItIsAsked(t *testing.T) {
	r, release, finish := stopping(t, 5, fine)
	n := r.check(t).Nodes[2]
	if n.State != tree.StateRunning || n.Outcome == nil || n.Outcome.Stop == nil || n.Outcome.Stop.By != human || n.Outcome.Stop.Why != "looks bad" {
		t.Errorf("node 2 is %s with %+v", n.State, n.Outcome)
	}
	all := r.record.journal()
	if e := all[len(all)-1]; e.Who != human || e.Body.Kind() != "stop-asked" {
		t.Errorf("the last entry is %s by %s", e.Body.Kind(), e.Who)
	}
	close(release)
	if err := finish(); err != nil {
		t.Fatal(err)
	}
}

// TestStopOutlivesTheProgram checks that a segment that was told to stop is stopped also when the program is killed, left, or when the
// trainer fails before it has ended: with the checkpoints that it has, or else after its first step.
func TestStopOutlivesTheProgram(t *testing.T) {
	isStopped := func(t *testing.T, now *tree.Tree, checkpoints, at, attempts int) {
		t.Helper()
		n := now.Nodes[2]
		if n.State != tree.StateStopped || n.Outcome.Stop.By != human || n.Outcome.Stop.Why != "looks bad" || n.Attempts != attempts {
			t.Fatalf("node 2 is %s after %d attempts with %+v", n.State, n.Attempts, n.Outcome.Stop)
		}
		if s := n.Outcome.Stop; len(n.Outcome.Checkpoints) != checkpoints || s.AtStep != at || s.SavedSteps != 12-at || s.SavedTokens <= 0 {
			t.Errorf("node 2 was stopped with %d checkpoints: %+v", len(n.Outcome.Checkpoints), s)
		}
		if n.Outcome.Cost.Tokens() == 0 || !n.Val().Known() {
			t.Errorf("node 2 cost %+v and scored %+v", n.Outcome.Cost, n.Val())
		}
	}
	t.Run("killed with a checkpoint", func(t *testing.T) {
		r, release, finish := stopping(t, 5, fine)
		next := r.killed(t)
		close(release)
		if err := errors.Join(finish(), next.Run(t.Context())); err != nil {
			t.Fatal(err)
		}
		isStopped(t, next.check(t), 1, 3, 1)
	})
	t.Run("killed without a checkpoint", func(t *testing.T) {
		r, release, finish := stopping(t, 2, fine)
		next := r.killed(t)
		close(release)
		if err := errors.Join(finish(), next.Run(t.Context())); err != nil {
			t.Fatal(err)
		}
		isStopped(t, next.check(t), 1, 1, 2)
	})
	t.Run("the trainer fails", func(t *testing.T) {
		r, release, finish := stopping(t, 5, func() error { return errors.New("no space left") })
		v := newViewer(r.rig)
		close(release)
		v.until(t, "node 2 has ended", func(x *tree.Tree) bool { return x.Nodes[2].State != tree.StateRunning })
		if err := finish(); err != nil {
			t.Fatal(err)
		}
		isStopped(t, r.check(t), 1, 3, 1)
	})
	t.Run("left", func(t *testing.T) {
		r, release, finish := stopping(t, 5, func() error { return context.Canceled })
		r.leave()
		close(release)
		if err := finish(); err != nil {
			t.Fatal(err)
		}
		isStopped(t, r.check(t), 1, 3, 1)
	})
}

// TestRetriedNodeIsNotStopped checks that a node that is run again by hand does not inherit the stop of its failed attempt.
func TestRetriedNodeIsNotStopped(t *testing.T) {
	r, release, finish := stopping(t, 2, func() error { return &tree.Failure{Class: tree.FailOOM, Message: "too large"} })
	v := newViewer(r.rig)
	r.do(t, tree.Command{Kind: tree.CmdPause})
	close(release)
	v.until(t, "node 2 has failed", func(x *tree.Tree) bool { return x.Nodes[2].State == tree.StateFailed })
	r.do(t, tree.Command{Kind: tree.CmdRetry, Node: 2})
	r.do(t, tree.Command{Kind: tree.CmdResume})
	v.until(t, "node 2 has ended", func(x *tree.Tree) bool { return x.Nodes[2].State.Trained() })
	if err := finish(); err != nil {
		t.Fatal(err)
	}
	if n := r.check(t).Nodes[2]; n.State != tree.StateEvaluated || n.Outcome.Stop != nil {
		t.Errorf("node 2 is %s with %+v", n.State, n.Outcome.Stop)
	}
}

// TestReevaluationIsSigned checks that a second score carries the name of who wanted it.
func TestReevaluationIsSigned(t *testing.T) {
	s := spec(tree.AskAlways, 5)
	r := newRig(t, s, nil)
	v, finish := r.started(t)
	v.until(t, "a proposal waits", func(x *tree.Tree) bool { return len(x.Waiting()) > 0 })
	r.do(t, tree.Command{Kind: tree.CmdApprove, Node: 1})
	v.until(t, "node 1 is trained", func(x *tree.Tree) bool { return isTrained(x, 1) })
	r.do(t, tree.Command{Kind: tree.CmdReevaluate, Node: 1})
	v.until(t, "node 1 is scored again", func(x *tree.Tree) bool { return x.Nodes[1].Val().N == 400 })
	if err := finish(); err != nil {
		t.Fatal(err)
	}
	for _, e := range r.record.journal() {
		if _, ok := e.Body.(*event.Reevaluated); ok && e.Who != human {
			t.Errorf("the second score is signed %s", e.Who)
		}
	}
}
