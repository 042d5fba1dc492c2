package engine

import (
	"context"
	"errors"
	"maps"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"llmzero/engine/event"
	"llmzero/engine/tree"
)

// account is a trainer that reports three points and then does what it is told.
type account struct {
	fakeTrainer
	end func() (tree.Outcome, error)
}

func (a *account) Run(_ context.Context, _ tree.Job, report func(tree.Report) error) (tree.Outcome, error) {
	for i := 1; i <= 3; i++ {
		if err := report(tree.Report{Point: &tree.Point{Step: i, Tokens: int64(100 * i)}}); err != nil {
			return tree.Outcome{}, err
		}
	}
	return a.end()
}

func TestMeter(t *testing.T) {
	own := tree.Cost{Steps: 3, SampledTokens: 250, TrainedTokens: 50, WallSeconds: 7}
	oom := &tree.Failure{Class: tree.FailOOM}
	counted := tree.Cost{Steps: 3, SampledTokens: 300, WallSeconds: 1, GPUSeconds: 2} // the clock moves a second, on two GPUs
	for _, x := range []struct {
		name string
		end  func() (tree.Outcome, error)
		want tree.Cost
		err  string
	}{
		{"its own account", func() (tree.Outcome, error) { return tree.Outcome{Cost: own}, nil }, own, ""},
		{"its own account of a failure", func() (tree.Outcome, error) { return tree.Outcome{Cost: own}, oom }, own, "oom"},
		{"no account", func() (tree.Outcome, error) { return tree.Outcome{}, nil }, counted, ""},
		{"no account of a failure", func() (tree.Outcome, error) { return tree.Outcome{}, oom }, counted, "oom"},
		{"a panic", func() (tree.Outcome, error) { panic("nil map") }, counted, "panicked"},
		{"a cost below nothing", func() (tree.Outcome, error) { return tree.Outcome{Cost: tree.Cost{SampledTokens: -5}}, nil }, counted, "data: "},
		{"a cost that is not a number", func() (tree.Outcome, error) { return tree.Outcome{Cost: tree.Cost{WallSeconds: math.NaN()}}, nil }, counted, "data: "},
		{"such a cost beside a failure", func() (tree.Outcome, error) { return tree.Outcome{Cost: tree.Cost{FLOP: math.Inf(1)}}, oom }, counted, "oom"},
	} {
		r := newRig(t, spec(tree.AskNever, 1), nil)
		r.opts.Trainer = &account{end: x.end}
		out, err := r.meter().Run(t.Context(), tree.Job{Slot: tree.Slot{GPUs: []int{0, 1}}}, func(tree.Report) error { return nil })
		if out.Cost != x.want {
			t.Errorf("%s: %+v, want %+v", x.name, out.Cost, x.want)
		}
		if (err == nil) != (x.err == "") || (err != nil && !strings.Contains(err.Error(), x.err)) {
			t.Errorf("%s: the error is %v, want %q", x.name, err, x.err)
		}
	}
}

// TestEverythingIsPaidFor lets all kinds of work come to nothing, and compares what the search has spent with what the trainer did.
func TestEverythingIsPaidFor(t *testing.T) {
	s := spec(tree.AskNever, 14)
	s.Budget.Confirm = 0.4
	r := newRig(t, s, nil)
	var steps, evaluated atomic.Int64
	leave, again, scoring := newHold(4, 7), newLatch(), newLatch()
	failed := map[string]bool{}
	once := func(what string) bool {
		r.record.mu.Lock()
		defer r.record.mu.Unlock()
		was := failed[what]
		failed[what] = true
		return !was
	}
	r.trainer.gate = func(ctx context.Context, job tree.Job, step int) error {
		switch {
		case job.Node == 2 && step == 5 && job.Attempt == 1:
			panic("index out of range")
		case job.Node == 3 && step == 3:
			return &tree.Failure{Class: tree.FailNaN, Message: "not a number"}
		case job.Attempt >= attemptsOfConfirm && step == 4 && once("retraining"):
			return errors.New("no space left")
		case job.Attempt >= attemptsOfConfirm && step == 9 && once("another retraining"):
			again.hold(ctx, job.Node) // until the loop is left
		}
		if err := leave.gate(ctx, job, step); err != nil {
			return err
		}
		steps.Add(1)
		return nil
	}
	r.trainer.exam = func(x tree.Exam) error {
		switch {
		case x.Split == tree.SplitTest && once("a test score"):
			return errors.New("no test set")
		case x.Samples == 400:
			scoring.hold(t.Context(), tree.Root)
		}
		evaluated.Add(int64(max(x.Samples, 100)))
		return nil
	}
	v, finish := r.started(t)
	<-leave.reached
	v.until(t, "node 1 is trained", func(x *tree.Tree) bool { return isTrained(x, 1) })
	r.do(t, tree.Command{Kind: tree.CmdReevaluate, Node: 1})
	<-scoring.reached
	r.do(t, tree.Command{Kind: tree.CmdPrune, Node: 1}) // its second score comes to nothing
	close(scoring.open)
	if err := finish(); err != nil { // node 4 is interrupted
		t.Fatal(err)
	}
	close(leave.release)
	r.do(t, tree.Command{Kind: tree.CmdResume})
	_, finish = r.started(t)
	<-again.reached
	if err := finish(); err != nil { // a retraining is interrupted
		t.Fatal(err)
	}
	r.do(t, tree.Command{Kind: tree.CmdResume})
	if err := r.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	now := r.check(t)
	if now.Status != tree.SearchDone {
		t.Errorf("the search is %s: %s", now.Status, now.Reason)
	}
	const step = 160 // tokens
	if got := now.Spent.Cost; got.Tokens() != step*steps.Load() || got.EvalTokens != evaluated.Load() {
		t.Errorf("spent %d tokens and %d of evaluations; the trainer took %d and %d", got.Tokens(), got.EvalTokens, step*steps.Load(), evaluated.Load())
	}
	var why []string
	for _, e := range r.record.journal() {
		switch b := e.Body.(type) {
		case *event.Wasted:
			why = append(why, b.Why)
		case *event.Queued:
			if b.Cost.Tokens() > 0 {
				why = append(why, b.Why)
			}
		default:
		}
	}
	all := strings.Join(why, "\n")
	for _, want := range []string{"second score", interrupted, "retraining that failed: stage 1", "interrupted retraining"} {
		if !strings.Contains(all, want) {
			t.Errorf("nothing was paid for %q; the entries are\n%s", want, all)
		}
	}
}

// killed is the engine of the next program, had this one been killed at this moment.
func (r *rig) killed(t *testing.T) *rig {
	t.Helper()
	left := newMemory()
	left.events = r.record.journal()
	r.record.mu.Lock()
	for id, p := range r.record.points {
		left.points[id] = slices.Clone(p)
	}
	maps.Copy(left.blobs, r.record.blobs)
	r.record.mu.Unlock()
	now, err := event.Replay(left.events)
	if err != nil {
		t.Fatal(err)
	}
	next := newRig(t, r.opts.Spec, func(o *Options) { o.Tree, o.Record, o.History = now, left, left })
	next.record = left
	return next
}

// TestKilledAttemptIsPaidFor checks that an attempt that ended with its process is counted by what the record has of it.
func TestKilledAttemptIsPaidFor(t *testing.T) {
	r := newRig(t, spec(tree.AskNever, 5), nil)
	h := newHold(3, 7)
	r.trainer.gate = h.gate
	_, finish := r.started(t)
	<-h.reached
	next := r.killed(t)
	if err := finish(); err != nil {
		t.Fatal(err)
	}
	before := next.Tree().Spent.Cost
	if err := next.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	next.check(t)
	for _, e := range next.record.journal() {
		if b, ok := e.Body.(*event.Queued); ok && b.Why == interrupted {
			if b.Cost.Steps != 6 || b.Cost.Tokens() != 960 || b.Cost.WallSeconds <= 0 || b.Cost.WallSeconds >= before.WallSeconds {
				t.Errorf("the attempt that was killed in its seventh step is counted as %+v", b.Cost)
			}
			return
		}
	}
	t.Error("nothing is in line again")
}
