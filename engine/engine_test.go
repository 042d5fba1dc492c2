package engine

import (
	"encoding/json"
	"slices"
	"testing"

	"llmzero/engine/event"
	"llmzero/engine/tree"
)

// rig is an engine on fakes.
type rig struct {
	*Engine
	record  *memory
	trainer *fakeTrainer
	agent   *fakeAgent
	bus     *event.Bus
}

func newRig(t *testing.T, s tree.Spec, with func(*Options)) *rig {
	t.Helper()
	r := &rig{record: newMemory(), trainer: &fakeTrainer{}, agent: &fakeAgent{}, bus: event.NewBus()}
	o := Options{Spec: s, Record: r.record, History: r.record, Trainer: r.trainer, Agent: r.agent, Bus: r.bus, Clock: ticker()}
	if with != nil {
		with(&o)
	}
	e, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	r.Engine = e
	return r
}

// check verifies what must hold of every search at every moment: the invariants, and that the journal gives the tree.
func (r *rig) check(t *testing.T) *tree.Tree {
	t.Helper()
	now := r.Tree()
	if err := now.Check(); err != nil {
		t.Error(err)
	}
	var journal []event.Event
	if err := json.Unmarshal([]byte(asJSON(t, r.record.journal())), &journal); err != nil {
		t.Fatal(err)
	}
	replayed, err := event.Replay(journal)
	if err != nil {
		t.Fatal(err)
	}
	if err := replayed.Link(); err != nil {
		t.Error(err)
	}
	if a, b := asJSON(t, now), asJSON(t, replayed.Clone()); a != b {
		t.Errorf("the replay of the journal differs from the tree:\n%s\n%s", a, b)
	}
	if !r.working() {
		r.checkDerived(t)
	}
	return now
}

// checkDerived compares what the loop keeps beside the tree with the tree.
func (r *rig) checkDerived(t *testing.T) {
	t.Helper()
	var vetoed, best []tree.NodeID
	for _, n := range r.tree.Nodes {
		if n.State == tree.StateVetoed {
			vetoed = append(vetoed, n.ID)
		}
		if placed(n) {
			best = append(best, n.ID)
		}
	}
	slices.SortFunc(best, ranks(r.tree))
	if k := len(r.podium.top); !slices.Equal(r.census.vetoed, vetoed) || k < min(len(best), podiumLeft) || !slices.Equal(r.podium.top, best[:k]) {
		t.Errorf("vetoed %v, kept %v; best %v, kept %v", vetoed, r.census.vetoed, best, r.podium.top)
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestSearchRunsToItsBudget(t *testing.T) {
	r := newRig(t, spec(tree.AskNever, 10), nil)
	if err := r.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	now := r.check(t)
	if now.Status != tree.SearchDone || now.Spent.Segments != 10 {
		t.Errorf("the search is %s (%s) after %d segments, want done after 10", now.Status, now.Reason, now.Spent.Segments)
	}
	best, ok := now.Best()
	if !ok || best.Val().Mean <= now.Base().Mean {
		t.Errorf("the best node %+v is no better than the base %+v", best, now.Base())
	}
	if now.Winner != best.ID || !best.Test.Known() || !now.BaseTest.Known() {
		t.Errorf("winner %d, test %+v, base test %+v: want the best node and both test scores", now.Winner, best.Test, now.BaseTest)
	}
	first := now.Nodes[1]
	if first.Parent != tree.Root || len(first.Transition.Changes) != 0 || first.Transition.By != "practitioner" {
		t.Errorf("the first node is %+v, want the practitioner's root", first.Transition)
	}
	for _, n := range now.Nodes[1:] {
		if len(n.Outcome.Checkpoints) != checkpoints || n.Outcome.Spark == nil {
			t.Errorf("node %d has %d checkpoints and spark %v", n.ID, len(n.Outcome.Checkpoints), n.Outcome.Spark)
		}
	}
	if len(r.record.seen) != now.Agent.Calls || now.Agent.Calls == 0 {
		t.Errorf("%d exchanges are kept, %d counted", len(r.record.seen), now.Agent.Calls)
	}
}

func TestSameSeedSameTree(t *testing.T) {
	var trees []string
	for range 2 {
		r := newRig(t, spec(tree.AskNever, 12), nil)
		if err := r.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		trees = append(trees, asJSON(t, r.check(t)))
	}
	if trees[0] != trees[1] {
		t.Errorf("two runs with the same seed differ:\n%s\n%s", trees[0], trees[1])
	}
}
