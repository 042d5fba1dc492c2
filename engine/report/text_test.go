package report

import (
	"strings"
	"testing"

	"llmzero/engine/tree"
)

func TestTreeTextIsHarmless(t *testing.T) {
	space := tree.Space{Params: []tree.Param{{Name: "learning_rate", Short: "lr", Kind: tree.KindFloat, Min: 1, Max: 2, Default: tree.Number(1)}}}
	tr := &tree.Tree{Spec: tree.Spec{ID: "s", Space: space, Agent: "rules\x1b[31m"}, Nodes: []*tree.Node{
		{State: tree.StateEvaluated, Outcome: &tree.Outcome{Val: tree.Score{Mean: .5, N: 4}, Checkpoints: []tree.Checkpoint{{}}}},
		{
			ID: 1, State: tree.StateVetoed, Verdict: &tree.Verdict{Decision: tree.Vetoed, Why: "seen\nbefore\x1b]0;x\a"},
			Transition: tree.Transition{Changes: []tree.Change{{Param: "learning_rate", From: tree.Number(1), To: tree.Number(2)}}},
		},
	}}
	if err := tr.Link(); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := TreeText(&b, tr); err != nil {
		t.Fatal(err)
	}
	got := b.String()
	for _, want := range []string{"n1 lr 1 → 2", "seen before", "root", "0.500"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
	if strings.ContainsAny(got, "\x1b\a") {
		t.Errorf("control characters in %q", got)
	}
}
