package engine

import (
	"context"
	"strings"
	"testing"

	"llmzero/engine/event"
	"llmzero/engine/tree"
)

// viewer follows a search as a screen does: it folds what the bus delivers.
type viewer struct {
	sub  *event.Subscription
	tree *tree.Tree
}

func newViewer(r *rig) *viewer {
	sub := r.bus.Subscribe()
	return &viewer{sub, r.Tree()}
}

// until waits until the tree that the events make is as wanted.
func (v *viewer) until(t *testing.T, what string, want func(*tree.Tree) bool) {
	t.Helper()
	for !want(v.tree) {
		if err := v.sub.Wait(t.Context()); err != nil {
			t.Fatalf("waiting until %s: %v", what, err)
		}
		for _, e := range v.sub.Read().Events {
			if e.Seq <= v.tree.Seq {
				continue
			}
			if err := event.Apply(v.tree, e); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// started runs the engine in a goroutine; finish ends it and returns Run's error.
func (r *rig) started(t *testing.T) (v *viewer, finish func() error) {
	t.Helper()
	v = newViewer(r)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	return v, func() error {
		cancel()
		return <-done
	}
}

func (r *rig) do(t *testing.T, c tree.Command) {
	t.Helper()
	if err := r.Do(t.Context(), c); err != nil {
		t.Fatalf("%s: %v", c.Kind, err)
	}
}

func TestGateAsks(t *testing.T) {
	r := newRig(t, spec(tree.AskAlways, 3), nil)
	v, finish := r.started(t)
	v.until(t, "three proposals wait", func(x *tree.Tree) bool { return len(x.Waiting()) == 3 })
	if v.tree.Spent.Segments != 0 {
		t.Errorf("%d segments ran before any verdict", v.tree.Spent.Segments)
	}
	r.do(t, tree.Command{Kind: tree.CmdApprove, Node: 1})
	r.do(t, tree.Command{Kind: tree.CmdVeto, Node: 2, Text: "too bold"})
	v.until(t, "node 1 is trained", func(x *tree.Tree) bool { return isTrained(x, 1) })
	edited := r.Tree().Nodes[3].Transition
	edited.Changes = []tree.Change{{Param: "learning_rate", To: tree.Number(0.004)}}
	r.do(t, tree.Command{Kind: tree.CmdEdit, Node: 3, Transition: &edited})
	v.until(t, "node 3 is trained", func(x *tree.Tree) bool { return isTrained(x, 3) })
	v.until(t, "another proposal waits", func(x *tree.Tree) bool { return len(x.Waiting()) > 0 })
	r.do(t, tree.Command{Kind: tree.CmdApprove, Node: v.tree.Waiting()[0].ID})
	v.until(t, "the search is done", func(x *tree.Tree) bool { return x.Status == tree.SearchDone })
	if err := finish(); err != nil {
		t.Fatal(err)
	}
	now := r.check(t)
	if n := now.Nodes[2]; n.State != tree.StateVetoed || n.Verdict.Why != "too bold" {
		t.Errorf("node 2 is %s with %+v", n.State, n.Verdict)
	}
	if n := now.Nodes[3]; n.Config.Float("learning_rate") != 0.004 || n.Verdict.Original == nil || n.Transition.Changes[0].From.Num != 1e-3 {
		t.Errorf("the edit did not arrive: %+v", n)
	}
	err := r.Do(t.Context(), tree.Command{Kind: tree.CmdApprove, Node: 1})
	if err == nil || !strings.Contains(err.Error(), "evaluated") {
		t.Errorf("approving a trained node: %v", err)
	}
}

func isTrained(x *tree.Tree, id tree.NodeID) bool {
	n, ok := x.Node(id)
	return ok && n.State.Trained()
}
