package engine

import (
	"context"
	"fmt"
	"testing"

	"llmzero/engine/tree"
)

// TestNextIsWhatComesNext asks again and again what would be expanded next, lets the search do one expansion, also after it was opened
// anew, and compares: pins, remedies and forced fresh starts included.
func TestNextIsWhatComesNext(t *testing.T) {
	s := spec(tree.AskNever, 2)
	s.FreshRate = 0.4
	r := newRig(t, s, nil)
	r.trainer.gate = func(_ context.Context, job tree.Job, _ int) error {
		if job.Node%4 == 3 {
			return &tree.Failure{Class: tree.FailOOM, Message: "too large"}
		}
		return nil
	}
	if err := r.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for i := 3; i < 30; i++ {
		r.do(t, tree.Command{Kind: tree.CmdBudget, Budget: &tree.Budget{Segments: i}})
		if i%6 == 0 {
			r.do(t, tree.Command{Kind: tree.CmdPin, Node: 2})
		}
		if i%2 == 0 {
			record, trainer := r.record, r.trainer
			r = newRig(t, s, func(o *Options) { o.Tree, o.Record, o.History, o.Trainer = r.Tree(), record, record, trainer })
			r.record, r.trainer = record, trainer
		}
		before := asJSON(t, r.Tree())
		next, err := r.Next(t.Context(), 3)
		if err != nil || len(next) != 3 {
			t.Fatalf("next is %v (%v)", next, err)
		}
		again, err := r.Next(t.Context(), 3)
		if err != nil || fmt.Sprint(again) != fmt.Sprint(next) || asJSON(t, r.Tree()) != before {
			t.Fatalf("asking changed what is next from %v to %v (%v)", next, again, err)
		}
		kinds[next[0].Terms[0].Name]++
		if err := r.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		now := r.check(t)
		n := now.Nodes[len(now.Nodes)-1]
		if n.Parent != next[0].Node || fmt.Sprint(n.Why) != fmt.Sprint(next[0].Terms) {
			t.Fatalf("node %d goes on from %d because of %v; next was %+v", n.ID, n.Parent, n.Why, next[0])
		}
	}
	for _, want := range []string{"pinned", "remedy for node", "forced fresh start"} {
		if kinds[want] == 0 {
			t.Errorf("no expansion was of the kind %q: %v", want, kinds)
		}
	}
}

// TestNextOfANewSearch checks the beginning: nothing before the base model is scored, then the practitioner's root.
func TestNextOfANewSearch(t *testing.T) {
	r := newRig(t, spec(tree.AskAlways, 3), nil)
	if next, err := r.Next(t.Context(), 3); err != nil || len(next) != 0 {
		t.Errorf("before the base model is scored next is %v (%v)", next, err)
	}
	g := newGrove(t, tree.Budget{Segments: 3})
	if next, err := g.Next(t.Context(), 3); err != nil || len(next) != 1 || next[0].Node != tree.Root || len(next[0].Terms) == 0 {
		t.Errorf("after it next is %v (%v), want the practitioner's root", next, err)
	}
}
