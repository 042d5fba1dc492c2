package engine

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"llmzero/engine/agent"
	"llmzero/engine/tree"
)

// latch holds the first node that it is shown until it is opened.
type latch struct {
	once    sync.Once
	reached chan tree.NodeID
	open    chan struct{}
}

func newLatch() *latch { return &latch{reached: make(chan tree.NodeID, 1), open: make(chan struct{})} }

func (l *latch) hold(ctx context.Context, id tree.NodeID) {
	l.once.Do(func() {
		l.reached <- id
		select {
		case <-l.open:
		case <-ctx.Done():
		}
	})
}

func over(x *tree.Tree) bool { return x.Status != "" && x.Status != tree.SearchRunning }

// stateOf is a node's state, empty while it is not there.
func stateOf(x *tree.Tree, id tree.NodeID) tree.State {
	if n, ok := x.Node(id); ok {
		return n.State
	}
	return ""
}

// TestPrunedWhileRetrained checks that a retraining whose node is pruned meanwhile is kept, because it was paid for, and does not win.
func TestPrunedWhileRetrained(t *testing.T) {
	s := spec(tree.AskNever, 10)
	s.Budget.Confirm = 0.3
	r, l := newRig(t, s, nil), newLatch()
	r.trainer.gate = func(ctx context.Context, job tree.Job, step int) error {
		if job.Attempt >= attemptsOfConfirm {
			l.hold(ctx, tree.NodeID(job.Attempt/attemptsOfConfirm-1))
		}
		return nil
	}
	v, finish := r.started(t)
	id := <-l.reached
	r.do(t, tree.Command{Kind: tree.CmdPrune, Node: id})
	close(l.open)
	v.until(t, "the search is over", over)
	if err := finish(); err != nil {
		t.Fatal(err)
	}
	now := r.check(t)
	if n := now.Nodes[id]; now.Status != tree.SearchDone || len(n.Confirmed) != 1 || n.State != tree.StatePruned || now.Winner == id {
		t.Errorf("the search is %s (%s); node %d is %s with %d retrainings, the winner %d", now.Status, now.Reason, id, n.State, len(n.Confirmed), now.Winner)
	}
}

// TestWinnerPrunedWhileTested checks that another winner is named when the first one is pruned while the test scores are made.
func TestWinnerPrunedWhileTested(t *testing.T) {
	r, l := newRig(t, spec(tree.AskNever, 5), nil), newLatch()
	tests := 0
	r.trainer.exam = func(x tree.Exam) error {
		if x.Split == tree.SplitTest {
			if tests++; tests == 2 { // the base model is the first
				l.hold(t.Context(), tree.Root)
			}
		}
		return nil
	}
	v, finish := r.started(t)
	<-l.reached
	first, _ := r.Tree().Best()
	r.do(t, tree.Command{Kind: tree.CmdPrune, Node: first.ID})
	close(l.open)
	v.until(t, "the search is over", over)
	if err := finish(); err != nil {
		t.Fatal(err)
	}
	now := r.check(t)
	if best, _ := now.Best(); now.Status != tree.SearchDone || now.Winner != best.ID || now.Winner == first.ID || !best.Test.Known() {
		t.Errorf("the search is %s (%s) with the winner %d, best %d, pruned %d", now.Status, now.Reason, now.Winner, best.ID, first.ID)
	}
	if !now.Nodes[first.ID].Test.Known() {
		t.Error("the test score that was made of the pruned node is lost")
	}
}

// TestPrunedAboveRunning checks that a segment that trains while what it goes on from is pruned is pruned at its end, so that nothing
// goes on from it.
func TestPrunedAboveRunning(t *testing.T) {
	r, l := newRig(t, spec(tree.AskNever, 30), nil), newLatch()
	r.trainer.gate = func(ctx context.Context, job tree.Job, step int) error {
		if job.FromStep > 0 && step == 2 {
			l.hold(ctx, job.Node)
		}
		return nil
	}
	v, finish := r.started(t)
	id := <-l.reached
	parent := r.Tree().Nodes[id].Parent
	r.do(t, tree.Command{Kind: tree.CmdPrune, Node: parent})
	close(l.open)
	v.until(t, "the search is over", over)
	if err := finish(); err != nil {
		t.Fatal(err)
	}
	now := r.check(t)
	if n := now.Nodes[id]; n.State != tree.StatePruned || n.Before != tree.StateEvaluated || len(n.Children) > 0 {
		t.Errorf("below the pruned node %d, node %d is %s (%s) with the children %v", parent, id, n.State, n.Before, n.Children)
	}
	r.do(t, tree.Command{Kind: tree.CmdUnprune, Node: parent})
	r.do(t, tree.Command{Kind: tree.CmdUnprune, Node: id})
	if n := r.check(t).Nodes[id]; n.State != tree.StateEvaluated {
		t.Errorf("brought back, node %d is %s", id, n.State)
	}
}

// TestPinnedAndPrunedInATurn checks that a node that is pruned while the agent looks at it for a remedy does not end the search. Its
// failed child, which the agent looks at, runs again meanwhile and so is not pruned with it.
func TestPinnedAndPrunedInATurn(t *testing.T) {
	r := newRig(t, spec(tree.AskNever, 40), nil)
	first, again, turn := newLatch(), newLatch(), newLatch()
	failed := tree.NodeID(0)
	r.trainer.gate = func(ctx context.Context, job tree.Job, step int) error {
		switch {
		case job.FromStep > 0 && failed == 0:
			failed = job.Node
			first.hold(ctx, job.Node)
			return &tree.Failure{Class: tree.FailOOM, Message: "too large"}
		case job.Node == failed:
			again.hold(ctx, job.Node)
		}
		return nil
	}
	r.agent.gate = func(ctx context.Context, x agent.Turn) error {
		if x.Failure != nil {
			turn.hold(ctx, x.Node.ID)
		}
		return nil
	}
	v, finish := r.started(t)
	id := <-first.reached
	parent := r.Tree().Nodes[id].Parent
	r.do(t, tree.Command{Kind: tree.CmdPause})
	close(first.open)
	v.until(t, "the child has failed", func(x *tree.Tree) bool { return stateOf(x, id) == tree.StateFailed })
	r.do(t, tree.Command{Kind: tree.CmdPin, Node: parent})
	r.do(t, tree.Command{Kind: tree.CmdResume})
	<-turn.reached
	r.do(t, tree.Command{Kind: tree.CmdRetry, Node: id})
	<-again.reached
	r.do(t, tree.Command{Kind: tree.CmdPrune, Node: parent})
	calls := r.Tree().Agent.Calls
	close(turn.open)
	v.until(t, "the agent's answer is in", func(x *tree.Tree) bool { return x.Agent.Calls > calls || x.Status == tree.SearchFailed })
	close(again.open)
	v.until(t, "the child has ended", func(x *tree.Tree) bool { return stateOf(x, id) != tree.StateRunning || x.Status == tree.SearchFailed })
	if err := finish(); err != nil {
		t.Error(err)
	}
	if now := r.check(t); now.Status == tree.SearchFailed || now.Nodes[parent].Pinned {
		t.Errorf("the search is %s: %s; node %d pinned: %v", now.Status, now.Reason, parent, now.Nodes[parent].Pinned)
	}
}

// TestManyTurnsAtOnce checks that turns under way at one node differ, and that a search with many slots spends its whole budget.
func TestManyTurnsAtOnce(t *testing.T) {
	for _, parallel := range []int{4, 8, 16} {
		t.Run(fmt.Sprint(parallel), func(t *testing.T) {
			s := spec(tree.AskNever, 60)
			s.Parallel = parallel
			r := newRig(t, s, func(o *Options) { o.Unattended = true })
			var mu sync.Mutex
			turns, seeds := 0, map[uint64]bool{}
			r.agent.gate = func(_ context.Context, x agent.Turn) error {
				mu.Lock()
				defer mu.Unlock()
				turns++
				seeds[x.Seed] = true
				return nil
			}
			if err := r.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			now := r.check(t)
			if now.Status != tree.SearchDone || now.Spent.Segments != 60 || len(seeds) != turns {
				t.Errorf("%s (%s) after %d segments; %d turns with %d seeds", now.Status, now.Reason, now.Spent.Segments, turns, len(seeds))
			}
		})
	}
}

// TestClashingTurns checks that a proposal that was refused only because another turn was quicker leaves nothing behind: the node is
// looked at again, and the search does not take the agent for one that has nothing to say.
func TestClashingTurns(t *testing.T) {
	s := spec(tree.AskNever, 24)
	s.Parallel, s.FreshRate = 4, 0
	r := newRig(t, s, nil)
	r.opts.Agent = sameFirst{r.agent}
	if err := r.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	now := r.check(t)
	if now.Status != tree.SearchDone || now.Spent.Segments != 24 || len(r.empty) > 0 {
		t.Errorf("%s (%s) after %d segments; held for empty turns: %v", now.Status, now.Reason, now.Spent.Segments, r.empty)
	}
}

// sameFirst proposes the first of a fixed list of learning rates that the node has not had, whatever the seed.
type sameFirst struct{ *fakeAgent }

func (a sameFirst) Propose(_ context.Context, t agent.Turn) (agent.Answer, error) {
	src, from := t.Node, tree.CheckpointRef{Node: t.Node.ID}
	if c, ok := src.Outcome.Checkpoint(); ok && !t.Fresh {
		from.Step = c.Step
	}
	if t.Fresh {
		src, from = t.Path[0].Node, tree.CheckpointRef{}
	}
	for i := 1; i < 90; i++ {
		x := tree.Transition{From: from, Steps: t.Steps, By: "fake", Confidence: 0.6, Changes: []tree.Change{
			{Param: "learning_rate", From: src.Config["learning_rate"], To: tree.Number(float64(i) * 1e-3)},
		}}
		if t.Check(x) == nil {
			return agent.Answer{Proposals: []tree.Transition{x}}, nil
		}
	}
	return agent.Answer{}, nil
}

// TestEmptyTurnsAreReconsidered checks that a node at which the agent had nothing to propose is looked at again after a hint.
func TestEmptyTurnsAreReconsidered(t *testing.T) {
	r := newRig(t, spec(tree.AskNever, 5), func(o *Options) { o.Unattended = true })
	r.opts.Agent = mute{r.agent}
	if err := r.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if now := r.check(t); now.Status != tree.SearchPaused || !strings.Contains(now.Reason, "nothing new") || len(r.empty) == 0 {
		t.Fatalf("the search is %s: %q, held %v", now.Status, now.Reason, r.empty)
	}
	r.opts.Agent = r.agent
	r.do(t, tree.Command{Kind: tree.CmdHint, Text: "go up"})
	if len(r.empty) != 0 {
		t.Errorf("after a hint nodes are still held for their empty turns: %v", r.empty)
	}
	r.do(t, tree.Command{Kind: tree.CmdResume})
	if err := r.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if now := r.check(t); now.Status != tree.SearchDone {
		t.Errorf("the search is %s: %q", now.Status, now.Reason)
	}
}
