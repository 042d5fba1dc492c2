package tree_test

import (
	"encoding/json"
	"strings"
	"testing"

	"llmzero/engine/tree"
)

// TestMoves writes the legal moves down a second time, from the states' meaning.
func TestMoves(t *testing.T) {
	legal := map[tree.State]string{
		tree.StateProposed: "approved vetoed pruned", tree.StateApproved: "queued pruned", tree.StateVetoed: "proposed pruned",
		tree.StateQueued: "running pruned", tree.StateRunning: "evaluated stopped failed queued",
		tree.StateEvaluated: "running pruned", tree.StateStopped: "running pruned", tree.StateFailed: "queued pruned",
	}
	for from, all := range legal {
		for _, to := range tree.States {
			want := strings.Contains(" "+all+" ", " "+string(to)+" ")
			if got := from.May(to, ""); got != want {
				t.Errorf("%s to %s: %v, want %v", from, to, got, want)
			}
		}
	}
}

func FuzzValueJSON(f *testing.F) {
	for _, s := range []string{`1`, `"grpo"`, `""`, `null`, `1e400`, `[1]`, `-0.0`, `"\u0000"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var v tree.Value
		if json.Unmarshal(b, &v) != nil {
			return
		}
		out, err := json.Marshal(v)
		if err != nil {
			t.Fatalf("%s was read as %v, which cannot be written: %v", b, v, err)
		}
		var again tree.Value
		if err := json.Unmarshal(out, &again); err != nil || again != v {
			t.Fatalf("%s, then %s: %v and %v (%v)", b, out, v, again, err)
		}
	})
}

// FuzzTreeJSON checks that no tree that can be read brings the methods down that look at one.
func FuzzTreeJSON(f *testing.F) {
	f.Add([]byte(`{"spec":{"id":"x"},"nodes":[{"state":"evaluated","outcome":{"val":{"n":1}}},{"id":1,"state":"proposed"}]}`))
	f.Add([]byte(`{"nodes":[null]}`))
	f.Add([]byte(`{"nodes":[{"parent":1}]}`))
	f.Add([]byte(`{"nodes":[{"id":0},{"id":1,"parent":1}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var x tree.Tree
		if json.Unmarshal(b, &x) != nil || x.Link() != nil {
			return
		}
		valid := x.Check() == nil
		x.Best()
		x.Waiting()
		x.Summary()
		for id := range x.Nodes {
			if p := x.Path(tree.NodeID(id)); len(p) == 0 || p[0].ID != tree.Root || p[len(p)-1].ID != tree.NodeID(id) {
				t.Fatalf("the path to node %d has %d nodes", id, len(p))
			}
		}
		out, err := json.Marshal(x.Clone())
		if err != nil {
			t.Fatal(err)
		}
		var again tree.Tree
		if err := json.Unmarshal(out, &again); err != nil {
			t.Fatal(err)
		}
		if err := again.Link(); err != nil || (again.Check() == nil) != valid {
			t.Fatalf("written and read again: %v", err)
		}
	})
}
