package llm

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"llmzero/engine/agent"
	"llmzero/engine/agent/rules"
	"llmzero/engine/tree"
)

func TestJudge(t *testing.T) {
	exploding := func(n int) []tree.Point {
		pts := make([]tree.Point, n)
		for i := range pts {
			x := float64(i) / 39
			pts[i] = tree.Point{Step: 41 + i, Values: map[string]float64{
				tree.MetricEntropy: 0.6 + 2*x, tree.MetricReward: 0.5 - 0.3*x, tree.MetricLength: 9 + 20*x, tree.MetricTruncated: x,
			}}
		}
		return pts
	}
	watch := func(n int) agent.Watch {
		return agent.Watch{Spec: testTurn().Spec, Points: exploding(n), Node: tree.Node{
			ID: 5, State: tree.StateRunning, Transition: tree.Transition{From: tree.CheckpointRef{Node: 3, Step: 40}, Steps: 40},
		}}
	}
	for _, stop := range []bool{true, false} {
		s := newServer(t, answer{text: fmt.Sprintf(`{"why":"it is\u0007 gone","stop":%v}`, stop)})
		a := newAgent(t, "ollama", s, nil)
		var got agent.Judgement
		for n := 1; n <= 39; n++ {
			j, err := a.Judge(context.Background(), watch(n))
			if err != nil {
				t.Fatal(err)
			}
			if len(j.Exchanges) > 0 {
				got = j
			}
			if stop && j.Stop {
				break
			}
		}
		if got.Stop != stop || len(got.Exchanges) != 1 || stop && got.Why != "it is gone" {
			t.Errorf("stop %v: %+v", stop, got)
		}
		if n := s.calls(); n < 1 || n > 3 {
			t.Errorf("%d calls for one segment, want 1 to 3", n)
		}
	}
	s := newServer(t, answer{text: `{"why":"fine","stop":false}`})
	a := newAgent(t, "ollama", s, nil)
	for id := range tree.NodeID(3) { // each segment is asked about, and once in a quarter
		for n := 30; n <= 32; n++ {
			w := watch(n)
			w.Node.ID = 5 + id
			if _, err := a.Judge(context.Background(), w); err != nil {
				t.Fatal(err)
			}
		}
	}
	if s.calls() != 3 {
		t.Errorf("%d calls for three segments in one quarter of each", s.calls())
	}
	s = newServer(t, answer{status: 500})
	j, err := newAgent(t, "ollama", s, nil).Judge(context.Background(), watch(30))
	if err != nil || j.Stop || len(j.Exchanges) != 1 || j.Exchanges[0].Fallback == "" {
		t.Errorf("a dead server: %+v, %v", j, err)
	}
}

func TestChoose(t *testing.T) {
	ended := func() agent.Ended {
		turn := testTurn()
		return agent.Ended{Spec: turn.Spec, Node: turn.Node, Points: turn.Points, Start: score(0.47)}
	}
	agents(t, func(t *testing.T, a *Agent, s *server) {
		got, err := a.Choose(context.Background(), ended())
		if err != nil || got.Index != 0 || got.Why != "before the cut" || got.By != a.Name() || len(got.Exchanges) != 1 || got.Exchanges[0].Phase != "choose" {
			t.Errorf("%+v, %v", got, err)
		}
		one := ended()
		one.Node.Outcome = &tree.Outcome{Checkpoints: one.Node.Outcome.Checkpoints[:1]}
		if got, err := a.Choose(context.Background(), one); err != nil || got.Index != 0 || s.calls() != 1 {
			t.Errorf("one checkpoint is no question: %+v, %v, %d calls", got, err, s.calls())
		}
	}, answer{text: `{"why":"before the cut","checkpoint":"n3@30"}`})
	agents(t, func(t *testing.T, a *Agent, _ *server) {
		worse := ended()
		o := *worse.Node.Outcome
		o.Checkpoints = []tree.Checkpoint{{Step: 30, Val: score(0.3)}, {Step: 40, Val: score(0.52)}}
		worse.Node.Outcome = &o
		worse.Points = nil
		got, err := a.Choose(context.Background(), worse)
		if err != nil || got.Index != 1 || !strings.Contains(got.Exchanges[0].Fallback, "far beyond the noise") {
			t.Errorf("gave 0.22 away: %+v, %v", got, err)
		}
	}, answer{text: `{"why":"the first","checkpoint":"n3@30"}`})
	agents(t, func(t *testing.T, a *Agent, _ *server) {
		got, err := a.Choose(context.Background(), ended())
		if err != nil || got.Index != 1 || got.By != "rules" || len(got.Exchanges) != 1 || got.Exchanges[0].Fallback == "" {
			t.Errorf("%+v, %v", got, err)
		}
	}, answer{text: `{"why":"","checkpoint":"n1@20"}`})
	agents(t, func(t *testing.T, a *Agent, s *server) {
		got, err := a.Choose(context.Background(), ended())
		x := got.Exchanges[0]
		if err != nil || got.By != "rules" || s.calls() != 2 || len(x.Errors) != 2 || !strings.Contains(x.Fallback, "it gives no reason") {
			t.Errorf("a choice without a reason: %+v, %v", got, err)
		}
	}, answer{text: `{"why":"","checkpoint":"n3@30"}`})
}

// TestChooseFleesOnlyACollapse has a checkpoint far below the best: a severe truncation is no reason to take it, a severe
// collapse is.
func TestChooseFleesOnlyACollapse(t *testing.T) {
	metric := func(values map[string][2]float64) []tree.Point {
		pts := make([]tree.Point, 40)
		for i := range pts {
			x := float64(i) / 39
			pts[i] = tree.Point{Step: 21 + i, Values: map[string]float64{}}
			for name, v := range values {
				pts[i].Values[name] = v[0] + (v[1]-v[0])*x
			}
		}
		return pts
	}
	for name, c := range map[string]struct {
		points []tree.Point
		by     string
	}{
		"truncation": {metric(map[string][2]float64{
			tree.MetricTruncated: {0.2, 0.95}, tree.MetricReward: {0.4, 0.4}, tree.MetricEntropy: {0.6, 0.6},
		}), "rules"},
		"explosion": {metric(map[string][2]float64{
			tree.MetricEntropy: {0.6, 2.6}, tree.MetricReward: {0.5, 0.1}, tree.MetricLength: {9, 30}, tree.MetricTruncated: {0, 1},
		}), "ollama:tiny"},
	} {
		signs := rules.Findings(c.points)
		if !severe(signs) || severe(rules.Collapses(signs)) != (c.by != "rules") {
			t.Fatalf("%s: the curves show %+v", name, signs)
		}
		turn := testTurn()
		e := agent.Ended{Spec: turn.Spec, Node: turn.Node, Points: c.points}
		e.Node.Outcome = &tree.Outcome{Checkpoints: []tree.Checkpoint{{Step: 30, Val: score(0.3)}, {Step: 40, Val: score(0.52)}}}
		s := newServer(t, answer{text: `{"why":"the first","checkpoint":"n3@30"}`})
		if got, err := newAgent(t, "ollama", s, nil).Choose(t.Context(), e); err != nil || got.By != c.by {
			t.Errorf("%s: %s chose %d, %v", name, got.By, got.Index, err)
		}
	}
}
