package engine

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"llmzero/engine/agent"
	"llmzero/engine/event"
	"llmzero/engine/tree"
)

func TestFailureClasses(t *testing.T) {
	for _, x := range []struct {
		name  string
		out   tree.Outcome
		err   error
		class tree.FailureClass
	}{
		{"the trainer's own class", tree.Outcome{}, &tree.Failure{Class: tree.FailOOM, Message: "24 GiB"}, tree.FailOOM},
		{"a deadline", tree.Outcome{}, context.DeadlineExceeded, tree.FailTimeout},
		{"any other error", tree.Outcome{}, errors.New("exit status 1"), tree.FailCrash},
		{"a failure in the outcome", tree.Outcome{Failure: &tree.Failure{Class: tree.FailData}}, nil, tree.FailData},
		{"no checkpoint", tree.Outcome{}, nil, tree.FailCrash},
	} {
		if f := classify(&x.out, x.err); f == nil || f.Class != x.class {
			t.Errorf("%s: %v, want %s", x.name, f, x.class)
		}
	}
	if f := classify(&tree.Outcome{Checkpoints: []tree.Checkpoint{{}}}, nil); f != nil {
		t.Errorf("a good outcome is %v", f)
	}
}

// TestDistrust feeds what a careless or broken trainer may report.
func TestDistrust(t *testing.T) {
	good := tree.Checkpoint{Step: 5, Data: []byte("x"), Val: tree.Score{Mean: 0.5, SE: 0.1, N: 10}}
	for _, x := range []struct {
		name   string
		change func(*tree.Checkpoint)
		class  tree.FailureClass
	}{
		{"sound", func(*tree.Checkpoint) {}, ""},
		{"without content", func(c *tree.Checkpoint) { c.Data = nil }, tree.FailCrash},
		{"before the segment", func(c *tree.Checkpoint) { c.Step = 2 }, tree.FailData},
		{"the same twice", func(c *tree.Checkpoint) { c.Step = 4 }, tree.FailData},
		{"a score that is not a number", func(c *tree.Checkpoint) { c.Val.Mean = math.NaN() }, tree.FailNaN},
		{"an infinite score", func(c *tree.Checkpoint) { c.Val.Mean = math.Inf(1) }, tree.FailNaN},
		{"a negative error", func(c *tree.Checkpoint) { c.Val.SE = -1 }, tree.FailNaN},
	} {
		s := &run{job: tree.Job{FromStep: 2}, saved: []tree.Checkpoint{{Step: 4}}}
		c := good
		x.change(&c)
		switch f := s.distrust(c); {
		case f == nil && x.class != "":
			t.Errorf("%s: accepted, want %s", x.name, x.class)
		case f != nil && f.Class != x.class:
			t.Errorf("%s: %v, want %q", x.name, f, x.class)
		}
	}
}

// TestFailureIsRemedied checks that an out-of-memory failure is marked, not retried as it is, and shown to the agent.
func TestFailureIsRemedied(t *testing.T) {
	var seen []tree.FailureClass
	r := newRig(t, spec(tree.AskNever, 6), nil)
	r.trainer.gate = func(_ context.Context, job tree.Job, _ int) error {
		if job.Node == 3 {
			return &tree.Failure{Class: tree.FailOOM, Message: "out of memory"}
		}
		return nil
	}
	r.agent.gate = func(_ context.Context, turn agent.Turn) error {
		if turn.Failure != nil {
			seen = append(seen, turn.Failure.Class)
		}
		return nil
	}
	if err := r.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	now := r.check(t)
	if n := now.Nodes[3]; n.State != tree.StateFailed || n.Attempts != 1 || n.Outcome.Failure.Class != tree.FailOOM {
		t.Errorf("node 3 is %s after %d attempts with %+v", n.State, n.Attempts, n.Outcome.Failure)
	}
	if now.Spent.Segments != 6 || now.Status != tree.SearchDone {
		t.Errorf("the search is %s after %d segments", now.Status, now.Spent.Segments)
	}
	if len(seen) == 0 || seen[0] != tree.FailOOM {
		t.Errorf("the agent saw the failures %v, want the out-of-memory one", seen)
	}
}

func TestCrashIsRetriedOnce(t *testing.T) {
	for _, x := range []struct {
		crashes int // of node 2
		state   tree.State
	}{{1, tree.StateEvaluated}, {9, tree.StateFailed}} {
		r := newRig(t, spec(tree.AskNever, 4), nil)
		r.trainer.gate = func(_ context.Context, job tree.Job, step int) error {
			if job.Node == 2 && job.Attempt <= x.crashes && step == 5 {
				panic("index out of range")
			}
			return nil
		}
		if err := r.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		n := r.check(t).Nodes[2]
		if n.State != x.state || n.Attempts != 2 {
			t.Errorf("%d crashes: node 2 is %s after %d attempts, want %s after 2", x.crashes, n.State, n.Attempts, x.state)
		}
		if x.state == tree.StateFailed && !strings.Contains(n.Outcome.Failure.Message, "index out of range") {
			t.Errorf("the failure says %q", n.Outcome.Failure.Message)
		}
		if got := len(r.record.points[2]); x.state == tree.StateEvaluated && got != 12 {
			t.Errorf("node 2 has %d points, want those of its second attempt alone", got)
		}
	}
}

// TestSilence checks that a trainer that hangs is given up, retried, and does not hold the search up.
func TestSilence(t *testing.T) {
	r := newRig(t, spec(tree.AskNever, 4), func(o *Options) { o.Silence = 100 * time.Millisecond })
	r.trainer.gate = func(ctx context.Context, job tree.Job, step int) error {
		if job.Node == 2 && step == 5 {
			<-ctx.Done() // hangs until it is canceled
			return ctx.Err()
		}
		return nil
	}
	if err := r.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	now := r.check(t)
	if n := now.Nodes[2]; n.State != tree.StateFailed || n.Outcome.Failure.Class != tree.FailTimeout || n.Attempts != 2 {
		t.Errorf("node 2 is %s after %d attempts with %+v, want timed out twice", n.State, n.Attempts, n.Outcome.Failure)
	}
	if now.Status != tree.SearchDone {
		t.Errorf("the search is %s", now.Status)
	}
}

// TestEverythingFails checks that a search whose segments all fail pauses with the reason instead of spending for ever.
func TestEverythingFails(t *testing.T) {
	s := spec(tree.AskNever, 0)
	s.Budget = tree.Budget{Tokens: 1e9}
	r := newRig(t, s, func(o *Options) { o.Unattended = true })
	r.trainer.gate = func(context.Context, tree.Job, int) error {
		return &tree.Failure{Class: tree.FailConfig, Message: "no such option"}
	}
	if err := r.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	now := r.check(t)
	if now.Status != tree.SearchPaused || !strings.Contains(now.Reason, "no such option") {
		t.Errorf("the search is %s: %q, want paused with the reason", now.Status, now.Reason)
	}
}

func TestAgentFailures(t *testing.T) {
	t.Run("a few are borne", func(t *testing.T) {
		r := newRig(t, spec(tree.AskNever, 5), nil)
		n := 0
		r.agent.gate = func(context.Context, agent.Turn) error {
			if n++; n%2 == 0 {
				return errors.New("no answer")
			}
			return nil
		}
		if err := r.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if now := r.check(t); now.Status != tree.SearchDone {
			t.Errorf("the search is %s", now.Status)
		}
	})
	t.Run("too many end the search", func(t *testing.T) {
		r := newRig(t, spec(tree.AskNever, 5), nil)
		r.agent.gate = func(context.Context, agent.Turn) error { panic("nil map") }
		if err := r.Run(t.Context()); !errors.Is(err, ErrAgent) {
			t.Errorf("got %v, want ErrAgent", err)
		}
		if now := r.check(t); now.Status != tree.SearchFailed || !strings.Contains(now.Reason, "nil map") {
			t.Errorf("the search is %s: %q", now.Status, now.Reason)
		}
	})
	t.Run("nothing to propose", func(t *testing.T) {
		r := newRig(t, spec(tree.AskNever, 5), func(o *Options) { o.Unattended = true })
		e := r.Engine
		e.opts.Agent = mute{r.agent}
		if err := r.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if now := r.check(t); now.Status != tree.SearchPaused || !strings.Contains(now.Reason, "nothing new") {
			t.Errorf("the search is %s: %q", now.Status, now.Reason)
		}
	})
}

// mute proposes nothing.
type mute struct{ *fakeAgent }

func (mute) Propose(context.Context, agent.Turn) (agent.Answer, error) { return agent.Answer{}, nil }

// TestRecordFails checks that nothing is shown that was not written, and that the search ends with the error.
func TestRecordFails(t *testing.T) {
	full := errors.New("no space left on device")
	r := newRig(t, spec(tree.AskNever, 5), nil)
	r.record.fail = func(events []event.Event) error {
		for _, e := range events {
			if b, ok := e.Body.(*event.Saved); ok && b.Node == 2 {
				return full
			}
		}
		return nil
	}
	sub := r.bus.Subscribe()
	if err := r.Run(t.Context()); !errors.Is(err, full) {
		t.Fatalf("got %v, want the record's error", err)
	}
	now := r.check(t)
	shown := sub.Read().Events
	if got := shown[len(shown)-1].Seq; got != now.Seq || got != uint64(len(r.record.events)) {
		t.Errorf("shown up to %d, tree at %d, written %d entries", got, now.Seq, len(r.record.events))
	}
	r.record.fail = nil
	if err := r.Run(t.Context()); err != nil { // there is space again
		t.Fatal(err)
	}
	if again := r.check(t); again.Status != tree.SearchDone || again.Spent.Segments != 5 {
		t.Errorf("the search is %s after %d segments", again.Status, again.Spent.Segments)
	}
}

func TestBaseCannotBeScored(t *testing.T) {
	r := newRig(t, spec(tree.AskNever, 5), nil)
	r.trainer.exam = func(tree.Exam) error { return errors.New("no weights") }
	if err := r.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "score the base model on climb: no weights") {
		t.Errorf("got %v", err)
	}
	if now := r.check(t); now.Status != tree.SearchFailed {
		t.Errorf("the search is %s", now.Status)
	}
}

// TestTestScoreFails checks that a search ends all the same when its test score cannot be had, and says so.
func TestTestScoreFails(t *testing.T) {
	r := newRig(t, spec(tree.AskNever, 3), nil)
	r.trainer.exam = func(x tree.Exam) error {
		if x.Split == tree.SplitTest {
			return errors.New("no test set")
		}
		return nil
	}
	if err := r.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if now := r.check(t); now.Status != tree.SearchDone || !strings.Contains(now.Reason, "no test set") || now.BaseTest.Known() {
		t.Errorf("the search is %s: %q", now.Status, now.Reason)
	}
}
