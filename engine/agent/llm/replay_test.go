package llm

import (
	"context"
	"strings"
	"testing"

	"llmzero/engine/agent"
	"llmzero/engine/tree"
)

func TestReplay(t *testing.T) {
	s := newServer(t, answer{text: goodDiagnosis}, answer{text: "no"}, answer{text: goodProposals}, answer{text: `{"why":"w","checkpoint":"n3@30"}`})
	live := newAgent(t, "ollama", s, nil)
	turn := testTurn()
	first := mustPropose(t, live, turn)
	ended := agent.Ended{Spec: turn.Spec, Node: turn.Node, Points: turn.Points}
	choice, err := live.Choose(context.Background(), ended)
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewReplay(Recording{Search: "s1", Exchanges: append(first.Exchanges, choice.Exchanges...)})
	if err != nil {
		t.Fatal(err)
	}
	again := mustPropose(t, r, turn)
	if len(again.Proposals) != len(first.Proposals) {
		t.Fatalf("%d proposals, recorded were %d", len(again.Proposals), len(first.Proposals))
	}
	for i, p := range again.Proposals {
		if q := first.Proposals[i]; p.Rationale != q.Rationale || p.From != q.From || len(p.Changes) != len(q.Changes) || p.By != "replay:s1" {
			t.Errorf("replayed %+v, recorded %+v", p, q)
		}
	}
	if got, err := r.Choose(context.Background(), ended); err != nil || got.Index != choice.Index {
		t.Errorf("chose %+v, %v", got, err)
	}
	// The tape has run out: the rules step in, visibly.
	more := mustPropose(t, r, turn)
	if more.Proposals[0].By != "rules" || !strings.Contains(more.Exchanges[0].Fallback, "no further answer") {
		t.Errorf("%+v", more)
	}
}

// TestReplayOfJudgements plays a recorded stop again.
func TestReplayOfJudgements(t *testing.T) {
	points := make([]tree.Point, 30)
	for i := range points {
		x := float64(i) / 39
		points[i] = tree.Point{Step: 41 + i, Values: map[string]float64{tree.MetricEntropy: 0.6 + 2*x, tree.MetricReward: 0.5 - 0.3*x, tree.MetricTruncated: x}}
	}
	w := agent.Watch{Spec: testTurn().Spec, Points: points, Node: tree.Node{
		ID: 5, State: tree.StateRunning, Transition: tree.Transition{From: tree.CheckpointRef{Node: 3, Step: 40}, Steps: 40},
	}}
	s := newServer(t, answer{text: `{"why":"it is gone","stop":true}`})
	live, err := newAgent(t, "ollama", s, nil).Judge(t.Context(), w)
	if err != nil || !live.Stop {
		t.Fatalf("%+v, %v", live, err)
	}
	r, err := NewReplay(Recording{Search: "s1", Exchanges: live.Exchanges})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := r.Judge(t.Context(), w); err != nil || !got.Stop || got.Why != live.Why || len(got.Exchanges) != 1 {
		t.Errorf("replayed %+v, %v", got, err)
	}
	if got, err := r.Judge(t.Context(), w); err != nil || got.Stop || len(got.Exchanges) != 0 {
		t.Errorf("beyond the recording the rules judge: %+v, %v", got, err)
	}
}

func TestReplayOfTransitions(t *testing.T) {
	turn := testTurn()
	p := tree.Transition{From: tree.CheckpointRef{Node: 3, Step: 40}, Steps: 200, By: "rules", Rationale: "r", Changes: []tree.Change{
		{Param: "beta", From: tree.Number(0), To: tree.Number(0.5)},
	}}
	illegal := p // its segments were longer
	illegal.Changes = []tree.Change{{Param: "beta", From: tree.Number(0), To: tree.Number(50)}}
	r, err := NewReplay(Recording{Search: "s2", Nodes: []tree.Node{{}, {ID: 8, Transition: illegal}, {ID: 9, Transition: p}, {ID: 10, Transition: p}}})
	if err != nil {
		t.Fatal(err)
	}
	got := mustPropose(t, r, turn)
	if len(got.Proposals) != 1 || got.Proposals[0].Steps != 40 || got.Proposals[0].Note != "replayed from s2" || got.Proposals[0].Changes[0].To != tree.Number(0.5) {
		t.Errorf("%+v", got.Proposals)
	}
	if _, err := NewReplay(Recording{Search: "s3"}); err == nil {
		t.Error("an empty recording replays")
	}
}
