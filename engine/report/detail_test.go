package report

import (
	"encoding/json"
	"strings"
	"testing"

	"llmzero/engine/tree"
)

func TestShow(t *testing.T) {
	tr := &tree.Tree{Spec: tree.Spec{ID: "s"}, Agent: tree.AgentCost{Calls: 2, Fallbacks: 1}, Nodes: []*tree.Node{
		{State: tree.StateEvaluated, Outcome: &tree.Outcome{Val: tree.Score{Mean: .5, N: 4}, Checkpoints: []tree.Checkpoint{{}}}},
		{ID: 1, State: tree.StateProposed, Transition: tree.Transition{By: "rules", Note: "ollama:x gave no valid answer", Exchange: "x1"}},
	}}
	if err := tr.Link(); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(Show(tr, []tree.Exchange{{ID: "x1", Fallback: "no valid answer"}}))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"search":"s"`, `"fallbacks":1`, `"calls":2`, `"note":"ollama:x gave no valid answer"`, `"fallback":"no valid answer"`,
		`"val":{"mean":0.5`, `"val":null`, `"changes":[]`, `"exchange":"x1"`,
	} {
		if !strings.Contains(string(b), want) {
			t.Errorf("%s is missing in\n%s", want, b)
		}
	}
	if b, err = json.Marshal(Show(&tree.Tree{}, nil)); err != nil || !strings.Contains(string(b), `"exchanges":[]`) ||
		!strings.Contains(string(b), `"base":{"val":null,"val_se":null,"test":null}`) {
		t.Errorf("an empty search: %v\n%s", err, b)
	}
	for segments, want := range []string{`"base_val":null,"best_val":null`, `"base_val":0,"best_val":0`} { // a base that gets nothing right
		if b, err = json.Marshal(Rows([]tree.Summary{{Segments: segments}})); err != nil || !strings.Contains(string(b), want) {
			t.Errorf("%d segments: %v\n%s, want %s", segments, err, b, want)
		}
	}
}
