package engine

import (
	"context"
	"math"
	"sync"
	"testing"

	"llmzero/engine/tree"
)

// TestConfirmPhase checks that a declared share of the budget retrains the best strategies with fresh seeds.
func TestConfirmPhase(t *testing.T) {
	s := spec(tree.AskNever, 20)
	s.Budget.Confirm = 0.3
	r := newRig(t, s, nil)
	if err := r.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	now := r.check(t)
	if now.Spent.Segments-now.Confirm.Segments != 14 || now.Confirm.Segments == 0 || now.Confirm.Segments > 6 {
		t.Errorf("%d segments, %d of them confirmations; want 14 and at most 6", now.Spent.Segments, now.Confirm.Segments)
	}
	seeds, total := map[uint64]bool{}, 0
	for _, n := range now.Nodes {
		for _, c := range n.Confirmed {
			seeds[c.Seed] = true
			total++
			if !c.Val.Known() || !c.Test.Known() || c.Cost.Steps == 0 {
				t.Errorf("node %d's confirmation %+v lacks scores or its cost", n.ID, c)
			}
			if math.Abs(c.Val.Mean-n.Val().Mean) > 0.05 || c.Val == n.Val() {
				t.Errorf("node %d was worth %v, retrained with another seed %v: want near, not the same", n.ID, n.Val(), c.Val)
			}
		}
	}
	if total == 0 || len(seeds) != total {
		t.Errorf("%d confirmations with %d seeds", total, len(seeds))
	}
	if len(now.Nodes[now.Winner].Confirmed) == 0 {
		t.Errorf("the winner %d was not confirmed", now.Winner)
	}
	for _, j := range r.trainer.jobs {
		if j.Attempt >= attemptsOfConfirm && j.FromStep == 0 && len(j.Resume) > 0 {
			t.Errorf("a retraining starts from a checkpoint: %+v", j)
		}
	}
}

// TestRescore checks that a search that asks for it scores a node on more samples before it is expanded.
func TestRescore(t *testing.T) {
	s := spec(tree.AskNever, 8)
	s.Rescore = 4
	r := newRig(t, s, nil)
	if err := r.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	now := r.check(t)
	for _, n := range now.Nodes[1:] {
		if len(n.Children) > 0 && n.Val().N != 400 {
			t.Errorf("node %d was expanded with a score on %d samples, want 400", n.ID, n.Val().N)
		}
	}
}

func TestBudgets(t *testing.T) {
	for _, x := range []struct {
		name   string
		budget tree.Budget
		within func(tree.Spent) bool
	}{
		{"tokens", tree.Budget{Tokens: 10_000}, func(s tree.Spent) bool { return s.Cost.Tokens() >= 10_000 && s.Cost.Tokens() <= 10_160 }},
		{"segments before tokens", tree.Budget{Tokens: 1e9, Segments: 3}, func(s tree.Spent) bool { return s.Segments == 3 }},
		{"wall time", tree.Budget{Wall: 30e9}, func(s tree.Spent) bool { return s.Cost.WallSeconds >= 30 && s.Cost.WallSeconds < 42 }},
	} {
		s := spec(tree.AskNever, 0)
		s.Budget = x.budget
		r := newRig(t, s, nil)
		if err := r.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if now := r.check(t); now.Status != tree.SearchDone || !x.within(now.Spent) {
			t.Errorf("%s: %s after %+v", x.name, now.Status, now.Spent)
		}
	}
}

// TestParallelTokens checks that segments that run beside each other share what is left of the tokens.
func TestParallelTokens(t *testing.T) {
	s := spec(tree.AskNever, 0)
	for _, tokens := range []int64{4_000, 10_000} {
		s.Parallel, s.Budget = 4, tree.Budget{Tokens: tokens}
		r := newRig(t, s, nil)
		if err := r.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		const step = 160 // tokens of one step, by which each segment may overshoot
		if got := r.check(t).Spent.Cost.Tokens(); got < tokens || got > tokens+4*step {
			t.Errorf("%d tokens were spent, want about %d", got, tokens)
		}
	}
}

// TestParallel checks that slots fill up with different nodes, and that one slot's failure does not stop the others.
func TestParallel(t *testing.T) {
	for range 25 { // what goes wrong between goroutines goes wrong now and then
		testParallel(t)
	}
}

func testParallel(t *testing.T) {
	s := spec(tree.AskNever, 30)
	s.Parallel = 4
	r := newRig(t, s, nil)
	var mu sync.Mutex
	most, running := 0, 0
	busy := func(by int) int {
		mu.Lock()
		defer mu.Unlock()
		running += by
		most = max(most, running)
		return running
	}
	var full sync.Once
	filled := make(chan struct{})
	r.trainer.gate = func(_ context.Context, job tree.Job, step int) error {
		if step == 1 && busy(1) == s.Parallel {
			full.Do(func() { close(filled) })
		}
		if step == 2 {
			<-filled // the first segments wait for each other
		}
		if job.Node%7 == 6 && step == 3 {
			busy(-1)
			panic("slot down")
		}
		if step == job.Steps {
			busy(-1)
		}
		return nil
	}
	if err := r.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	now := r.check(t)
	if now.Status != tree.SearchDone || now.Spent.Segments != 30 || running != 0 || most != 4 {
		t.Errorf("the search is %s after %d segments, at most %d at once, %d left", now.Status, now.Spent.Segments, most, running)
	}
	slots := map[int]bool{}
	for _, j := range r.trainer.jobs {
		slots[j.Slot.Index] = true
	}
	if len(slots) != 4 {
		t.Errorf("segments ran on the slots %v, want four", slots)
	}
}
