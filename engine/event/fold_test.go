package event_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"llmzero/engine/event"
	"llmzero/engine/tree"
)

var space = tree.Space{Params: []tree.Param{{
	Name: "lr", Kind: tree.KindFloat, Min: 1e-5, Max: 1, Scale: tree.ScaleLog, Default: tree.Number(0.1), Role: tree.RoleRegularization,
}}}

func spec() tree.Spec {
	return tree.Spec{ID: "s-1", Task: "sort", Space: space, Root: space.Defaults(), Budget: tree.Budget{Segments: 9}}
}

// bodies draws what may be written into a journal, possible or not.
func body(t *rapid.T, nodes int) event.Body {
	id := tree.NodeID(rapid.IntRange(-1, nodes+1).Draw(t, "node"))
	some := tree.NodeID(rapid.IntRange(0, max(0, nodes-1)).Draw(t, "some"))
	val := tree.Score{Mean: rapid.Float64Range(0, 1).Draw(t, "score"), SE: 0.01, N: 10}
	cp := tree.Checkpoint{Step: rapid.IntRange(1, 50).Draw(t, "step"), Tokens: 5, Ref: "sha256:00", Val: val}
	cost := tree.Cost{Steps: 1, SampledTokens: 7}
	verdict := tree.Verdict{
		Decision: rapid.SampledFrom([]tree.Decision{tree.Approved, tree.Vetoed, tree.Edited, "maybe"}).Draw(t, "decision"), Who: "human",
	}
	cfg := tree.Config{"lr": tree.Number(rapid.SampledFrom([]float64{0.1, 0.2, 7}).Draw(t, "lr"))}
	outcome := tree.Outcome{Checkpoints: []tree.Checkpoint{cp, cp}, Chosen: rapid.IntRange(-1, 2).Draw(t, "chosen"), Val: val, Cost: cost}
	if rapid.Bool().Draw(t, "failure") {
		outcome.Failure = &tree.Failure{Class: tree.FailOOM, Message: "full"}
	}
	transition := tree.Transition{From: tree.CheckpointRef{Node: some}, Steps: 5, By: "rules"}
	if verdict.Decision == tree.Edited && rapid.Bool().Draw(t, "with original") {
		verdict.Original = &transition
	}
	ban := tree.Ban{Param: rapid.SampledFrom([]string{"lr", "kl"}).Draw(t, "param"), Min: 0.5, Max: 1}
	return rapid.SampledFrom([]event.Body{
		&event.Created{Spec: spec()},
		&event.BaseScored{Val: val, Cost: cost},
		&event.Proposed{Node: tree.NodeID(nodes), Parent: some, Transition: transition, Config: cfg},
		&event.Proposed{Node: tree.NodeID(nodes), Parent: some, Transition: transition, Config: cfg},
		&event.Proposed{Node: id, Parent: some, Transition: transition, Config: cfg},
		&event.Judged{Node: some, Verdict: verdict, Transition: &transition, Config: cfg},
		&event.Judged{Node: some, Verdict: verdict, Transition: &transition, Config: cfg},
		&event.Queued{Node: some}, &event.Queued{Node: some}, &event.Started{Node: some, Attempt: 1}, &event.Started{Node: some, Attempt: 2},
		&event.Saved{Node: some, Checkpoint: cp},
		&event.Ended{Node: some, State: rapid.SampledFrom(tree.States).Draw(t, "state"), Outcome: outcome},
		&event.Ended{Node: some, State: tree.StateEvaluated, Outcome: outcome},
		&event.Chosen{Node: some, Index: rapid.IntRange(-1, 1).Draw(t, "index")},
		&event.Reevaluated{Node: some, Val: val, Cost: cost},
		&event.Confirmed{Node: some, Confirmation: tree.Confirmation{Seed: 1, Val: val, Cost: cost}, Segments: 2},
		&event.Tested{Node: some, Test: val}, &event.Won{Node: id}, &event.Unvetoed{Node: id},
		&event.Pruned{Nodes: []tree.NodeID{some, id}}, &event.Pruned{Nodes: []tree.NodeID{some}}, &event.Unpruned{Nodes: []tree.NodeID{some}},
		&event.Pinned{Node: id, On: true}, &event.Hinted{Text: "try", Node: id}, &event.Banned{Ban: ban}, &event.Unbanned{Ban: ban},
		&event.ApprovalSet{Approval: tree.Approval{Mode: rapid.SampledFrom([]tree.Mode{tree.AskRisky, "yes"}).Draw(t, "mode")}},
		&event.BudgetSet{Budget: tree.Budget{Segments: rapid.IntRange(-1, 3).Draw(t, "segments")}},
		&event.StatusSet{Status: rapid.SampledFrom([]tree.Status{tree.SearchPaused, "asleep"}).Draw(t, "status")},
		&event.Renamed{Name: "n"}, &event.AgentCalled{Node: id, TokensIn: 3, Repaired: true, Fallback: "late"},
	}).Draw(t, "body")
}

// likely is what usually comes next in a node's life, other when nothing does.
func likely(n *tree.Node, other event.Body) event.Body {
	val := tree.Score{Mean: 0.5, SE: 0.1, N: 10}
	cp := tree.Checkpoint{Step: 5, Tokens: 5, Ref: "sha256:00", Val: val}
	switch n.State {
	case tree.StateProposed:
		return &event.Judged{Node: n.ID, Verdict: tree.Verdict{Decision: tree.Approved, Who: "autopilot"}}
	case tree.StateApproved:
		return &event.Queued{Node: n.ID}
	case tree.StateQueued:
		return &event.Started{Node: n.ID, Attempt: n.Attempts + 1}
	case tree.StateRunning:
		if n.Outcome == nil {
			return &event.Saved{Node: n.ID, Checkpoint: cp}
		}
		return &event.Ended{Node: n.ID, State: tree.StateStopped, Outcome: tree.Outcome{Checkpoints: n.Outcome.Checkpoints, Val: val}}
	case tree.StateVetoed:
		return &event.Unvetoed{Node: n.ID}
	case tree.StatePruned:
		return &event.Unpruned{Nodes: []tree.NodeID{n.ID}}
	default:
		return other
	}
}

func encode(t *rapid.T, v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// nodes is what each node is, as text.
func nodes(t *rapid.T, x *tree.Tree) []string {
	out := make([]string, len(x.Nodes))
	for i, n := range x.Nodes {
		out[i] = encode(t, n)
	}
	return out
}

// TestFold applies random entries, most of them impossible, and checks what every user of the fold relies on: a refused entry changes
// nothing, an accepted one leaves a valid tree, names every node it changed, and survives being written and read.
func TestFold(t *testing.T) {
	applied := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		x := &tree.Tree{}
		var journal []event.Event
		start := []event.Body{&event.Created{Spec: spec()}, &event.BaseScored{Val: tree.Score{Mean: 0.1, N: 10}}}
		for i := range rapid.IntRange(2, 80).Draw(t, "entries") {
			e := event.Event{Seq: x.Seq + 1, Time: time.Unix(int64(i), 0).UTC(), Who: "human"}
			if e.Body = nil; i < len(start) {
				e.Body = start[i]
			} else {
				e.Body = body(t, len(x.Nodes))
				if n := x.Nodes[rapid.IntRange(0, len(x.Nodes)-1).Draw(t, "to move")]; rapid.Bool().Draw(t, "likely") {
					e.Body = likely(n, e.Body)
				}
			}
			before, was := encode(t, x), nodes(t, x)
			err := event.Apply(x, e)
			if err != nil {
				if got := encode(t, x); got != before {
					t.Fatalf("%s was refused (%v) and changed the tree\nfrom %s\nto   %s", e.Body.Kind(), err, before, got)
				}
				continue
			}
			applied[e.Body.Kind()]++
			journal = append(journal, e)
			if err := x.Check(); err != nil {
				t.Fatalf("after %s: %v", encode(t, e), err)
			}
			for id, now := range nodes(t, x) {
				if (id >= len(was) || was[id] != now) && !slices.Contains(e.Touched(), tree.NodeID(id)) {
					t.Fatalf("%s changed node %d and does not say so", encode(t, e), id)
				}
			}
		}
		var read []event.Event
		if err := json.Unmarshal([]byte(encode(t, journal)), &read); err != nil {
			t.Fatal(err)
		}
		again, err := event.Replay(read)
		if err != nil {
			t.Fatal(err)
		}
		if encode(t, again) != encode(t, x) {
			t.Fatalf("the replay differs:\n%s\n%s", encode(t, again), encode(t, x))
		}
		children := func(x *tree.Tree) (out [][]tree.NodeID) {
			for _, n := range x.Nodes {
				out = append(out, slices.Clone(n.Children))
			}
			return out
		}
		derived := children(x)
		if err := x.Link(); err != nil || !reflect.DeepEqual(derived, children(x)) {
			t.Fatalf("the children that the fold keeps differ from those derived anew (%v)", err)
		}
	})
	for _, kind := range []string{"judged", "started", "saved", "ended"} {
		if applied[kind] == 0 {
			t.Errorf("no entry %q was ever possible: the test says nothing about it", kind)
		}
	}
}

func TestApplyRefusesGaps(t *testing.T) {
	x := &tree.Tree{}
	if err := event.Apply(x, event.Event{Seq: 1, Body: &event.Hinted{Text: "x"}}); err == nil {
		t.Error("a journal that does not begin with created is accepted")
	}
	if err := event.Apply(x, event.Event{Seq: 1, Body: &event.Created{Spec: spec()}}); err != nil {
		t.Fatal(err)
	}
	for _, e := range []event.Event{
		{Seq: 1, Body: &event.Hinted{}}, {Seq: 3, Body: &event.Hinted{}}, {Seq: 2}, {Seq: 2, Body: &event.Created{Spec: spec()}},
	} {
		if err := event.Apply(x, e); err == nil || x.Seq != 1 {
			t.Errorf("entry %d is accepted after entry 1", e.Seq)
		}
	}
}

func FuzzEventJSON(f *testing.F) {
	f.Add([]byte(`{"seq":1,"time":"2026-11-21T12:00:00Z","who":"human","kind":"hinted","body":{"text":"go on","node":3}}`))
	f.Add([]byte(`{"seq":2,"time":"2026-11-21T12:00:00Z","who":"engine","kind":"ended","body":{"node":1,"state":"evaluated","outcome":{"chosen":0}}}`))
	f.Add([]byte(`{"kind":"future","body":{}}`))
	f.Add([]byte(`{"kind":"pruned","body":null}`))
	f.Add([]byte(`{"kind":"proposed","body":{"config":{"lr":"x"},"transition":{"changes":[{"param":"lr","from":1,"to":"a"}]}}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var e event.Event
		if json.Unmarshal(b, &e) != nil {
			return
		}
		out, err := json.Marshal(e)
		if err != nil {
			return // an empty value, which no writer makes
		}
		var again event.Event
		if err := json.Unmarshal(out, &again); err != nil {
			t.Fatalf("%s was written and cannot be read: %v", out, err)
		}
		if second, err := json.Marshal(again); err != nil || !bytes.Equal(out, second) {
			t.Fatalf("written twice: %s and %s (%v)", out, second, err)
		}
		e.Touched()
		x := &tree.Tree{}
		for i, body := range []event.Body{&event.Created{Spec: spec()}, &event.BaseScored{}} {
			if err := event.Apply(x, event.Event{Seq: uint64(i + 1), Body: body}); err != nil {
				t.Fatal(err)
			}
		}
		e.Seq = 3
		if event.Apply(x, e) == nil { // must not panic, whatever it says
			x.Best()
		}
	})
}

// TestOldEntries checks that entries written before they had a cost are still read.
func TestOldEntries(t *testing.T) {
	for _, old := range []string{
		`{"seq":7,"time":"2026-11-01T10:00:00Z","who":"engine","kind":"queued","body":{"node":1,"why":"interrupted"}}`,
		`{"seq":8,"time":"2026-11-01T10:00:00Z","who":"engine","kind":"tested","body":{"node":1,"test":{"mean":0.5,"se":0.1,"n":100}}}`,
	} {
		var e event.Event
		if err := json.Unmarshal([]byte(old), &e); err != nil {
			t.Fatal(err)
		}
		if again, err := json.Marshal(e); err != nil || string(again) != old {
			t.Errorf("%s\nis written as\n%s (%v)", old, again, err)
		}
	}
}
