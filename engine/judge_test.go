package engine

import (
	"context"
	"math"
	"strings"
	"testing"

	"llmzero/engine/agent"
	"llmzero/engine/event"
	"llmzero/engine/tree"
)

func straight(from, to float64, n int) curve {
	c := make(curve, n)
	for i := range c {
		c[i] = mark{float64(100 * (i + 1)), from + (to-from)*float64(i)/float64(n-1)}
	}
	return c
}

func TestCurveAt(t *testing.T) {
	c := curve{{100, 1}, {200, 3}}
	for _, x := range []struct {
		tokens, want float64
		ok           bool
	}{{99, 0, false}, {100, 1, true}, {150, 2, true}, {200, 3, true}, {201, 0, false}} {
		if got, ok := c.at(x.tokens); got != x.want || ok != x.ok {
			t.Errorf("at %g: %g, %v", x.tokens, got, ok)
		}
	}
	if _, ok := curve(nil).at(1); ok {
		t.Error("an empty curve has a value")
	}
}

func TestDoomedRunRule(t *testing.T) {
	for _, x := range []struct {
		name   string
		reward func(step int) float64
		val    func(step int) float64
		rules  tree.Judge
		at     int // the step at which it is condemned, 0: never
	}{
		{"level with the best", func(int) float64 { return 0.5 }, nil, tree.DefaultJudge(), 0},
		{"28% below", func(int) float64 { return 0.36 }, nil, tree.DefaultJudge(), 0},
		{"32% below from the start: at 20% of the segment the polls begin", func(int) float64 { return 0.34 }, nil, tree.DefaultJudge(), 13},
		{"a dip of a few steps", func(s int) float64 {
			if s > 20 && s < 24 {
				return 0.1
			}
			return 0.5
		}, nil, tree.DefaultJudge(), 0},
		{"a collapse at step 20", func(s int) float64 {
			if s > 20 {
				return 0
			}
			return 0.5
		}, nil, tree.DefaultJudge(), 27},
		{"a harder curriculum with a good validation", func(int) float64 { return 0.1 }, func(int) float64 { return 0.5 }, tree.DefaultJudge(), 0},
		{"switched off", func(int) float64 { return 0 }, nil, tree.Judge{Off: true, Below: 0.3, Polls: 6}, 0},
		{"not a number", func(int) float64 { return math.NaN() }, nil, tree.DefaultJudge(), 0},
	} {
		t.Run(x.name, func(t *testing.T) {
			j := judge{rules: x.rules, steps: 40, rewards: straight(0.5, 0.5, 40), vals: straight(0.5, 0.5, 40), last: math.NaN()}
			got := 0
			for step := 1; step <= 40 && got == 0; step++ {
				p := tree.Point{Step: step, Tokens: int64(100 * step), Values: map[string]float64{tree.MetricReward: x.reward(step)}}
				if x.val != nil && step%5 == 0 {
					p.Values[tree.MetricValidation] = x.val(step)
				}
				if _, doomed := j.poll(p); doomed {
					got = step
				}
			}
			if got != x.at {
				t.Errorf("condemned at step %d, want %d", got, x.at)
			}
		})
	}
}

// TestEqualTokens checks that a segment with short answers is compared with what the best path had at as few tokens.
func TestEqualTokens(t *testing.T) {
	j := judge{rules: tree.DefaultJudge(), steps: 40, rewards: straight(0.1, 0.9, 40), last: math.NaN()}
	for step := 1; step <= 40; step++ {
		p := tree.Point{Step: step, Tokens: int64(50 * step), Values: map[string]float64{tree.MetricReward: 0.1 + 0.4*float64(step)/40}}
		if d, doomed := j.poll(p); doomed {
			t.Fatalf("condemned at step %d (%s), although it is level at equal tokens", step, d.why)
		}
	}
}

// bad makes some segments bad from their first step: their reward is 0.
func bad(r *rig, nodes ...tree.NodeID) {
	r.trainer.spoil = func(job tree.Job) bool {
		for _, n := range nodes {
			if job.Node == n {
				return true
			}
		}
		return false
	}
}

func TestJudgeStopsAndMeasuresFalseStops(t *testing.T) {
	for _, share := range []float64{0, 1} {
		s := spec(tree.AskNever, 8)
		s.Segment, s.Judge = 40, tree.Judge{Below: 0.3, Polls: 6, After: 0.2, TrialOne: share}
		r := newRig(t, s, nil)
		bad(r, 1, 3, 5)
		if err := r.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		now := r.check(t)
		if now.Nodes[1].State != tree.StateEvaluated {
			t.Errorf("the first segment is %s; it is never stopped", now.Nodes[1].State)
		}
		for _, id := range []tree.NodeID{3, 5} {
			n := now.Nodes[id]
			switch {
			case share == 0 && (n.State != tree.StateStopped || n.Outcome.Stop.By != "judge" || n.Outcome.Stop.SavedTokens <= 0 ||
				n.Outcome.Stop.SavedSteps <= 0 || !strings.Contains(n.Outcome.Stop.Why, "30% below")):
				t.Errorf("node %d is %s with %+v, want stopped by the judge", id, n.State, n.Outcome.Stop)
			case share == 1 && (n.State != tree.StateEvaluated || n.Outcome.Trial == nil || n.Outcome.Trial.FalseStop || n.Outcome.Trial.AtStep == 0):
				t.Errorf("node %d is %s with %+v, want run to its end as a trial that proves the judge right", id, n.State, n.Outcome.Trial)
			}
		}
	}
}

func TestAgentStopsASegment(t *testing.T) {
	s := spec(tree.AskNever, 4)
	s.Judge = tree.Judge{Below: 0.3, Polls: 6, After: 0.2}
	r := newRig(t, s, nil)
	r.agent.judge = func(w agent.Watch) agent.Judgement {
		return agent.Judgement{Stop: w.Node.ID == 2, Why: "KL runaway"}
	}
	if err := r.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	n := r.check(t).Nodes[2]
	if n.State != tree.StateStopped || n.Outcome.Stop.By != "agent" || n.Outcome.Stop.Why != "KL runaway" {
		t.Errorf("node 2 is %s with %+v", n.State, n.Outcome.Stop)
	}
}

func TestChooseCheckpoint(t *testing.T) {
	at := func(means ...float64) []tree.Checkpoint {
		var out []tree.Checkpoint
		for i, m := range means {
			out = append(out, tree.Checkpoint{Step: i, Val: tree.Score{Mean: m, SE: 0.01, N: 100}})
		}
		return out
	}
	for _, x := range []struct {
		all   []tree.Checkpoint
		index int
		why   string
	}{
		{at(0.1, 0.2, 0.3), 2, "the last has the best"},
		{at(0.1, 0.3, 0.295), 2, "none is better beyond the noise"},
		{at(0.1, 0.3, 0.2), 1, "best validation"},
		{at(0.1, 0.3, 0.295, 0.2), 2, "latest within the noise"},
		{[]tree.Checkpoint{{Step: 1}, {Step: 2}}, 0, "best validation"},
	} {
		if i, why := choose(x.all); i != x.index || !strings.Contains(why, x.why) {
			t.Errorf("%v: %d, %q; want %d, %q", x.all, i, why, x.index, x.why)
		}
	}
}

// TestAgentChooses checks that the agent's choice of a checkpoint decides what the next segments go on from.
func TestAgentChooses(t *testing.T) {
	r := newRig(t, spec(tree.AskNever, 8), nil)
	r.agent.choose = func(x agent.Ended) agent.Choice {
		if x.Node.ID == 2 {
			return agent.Choice{Index: 99} // nonsense: the rule's choice stands
		}
		by := ""
		if x.Node.ID == 3 {
			by = "rules" // the agent left it to the rules
		}
		return agent.Choice{Index: 1, Why: "before the collapse", By: by}
	}
	if err := r.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	now := r.check(t)
	for _, e := range r.record.journal() {
		if c, ok := e.Body.(*event.Chosen); ok && e.Who != map[bool]string{true: "rules", false: "fake"}[c.Node == 3] {
			t.Errorf("the choice at node %d is signed %q", c.Node, e.Who)
		}
	}
	if o := now.Nodes[1].Outcome; o.Chosen != 1 || o.ChosenWhy != "before the collapse" || o.Val != o.Checkpoints[1].Val {
		t.Errorf("node 1 goes on from checkpoint %d: %q", o.Chosen, o.ChosenWhy)
	}
	for _, n := range now.Nodes[1:] {
		if n.Parent == 1 && (n.Transition.From.Step != now.Nodes[1].Outcome.Checkpoints[1].Step || n.Transition.FromWhy != "before the collapse") {
			t.Errorf("node %d goes on from step %d: %q", n.ID, n.Transition.From.Step, n.Transition.FromWhy)
		}
	}
	if o := now.Nodes[2].Outcome; o.Chosen < 0 || o.Chosen >= len(o.Checkpoints) {
		t.Errorf("node 2 goes on from checkpoint %d", o.Chosen)
	}
}

// TestTrialThatFails checks that a condemned segment that runs on as a trial and fails is counted as rightly condemned, and that one
// that fails while it is being stopped is no trial.
func TestTrialThatFails(t *testing.T) {
	for _, share := range []float64{0, 1} {
		s := spec(tree.AskNever, 4)
		s.Segment, s.Judge = 40, tree.Judge{Below: 0.3, Polls: 6, After: 0.2, TrialOne: share}
		r := newRig(t, s, nil)
		bad(r, 3)
		r.trainer.silent = func(job tree.Job) bool { return job.Node == 3 } // with a checkpoint it could be stopped
		r.trainer.gate = func(_ context.Context, job tree.Job, step int) error {
			if job.Node == 3 && step == 30 {
				return &tree.Failure{Class: tree.FailNaN, Message: "not a number"}
			}
			return nil
		}
		if err := r.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		n := r.check(t).Nodes[3]
		if n.State != tree.StateFailed || (n.Outcome.Trial != nil) != (share == 1) {
			t.Fatalf("share %g: node 3 is %s with the trial %+v", share, n.State, n.Outcome.Trial)
		}
		if x := n.Outcome.Trial; x != nil && (x.FalseStop || x.AtStep == 0) {
			t.Errorf("the trial is %+v", x)
		}
	}
}

// TestFirstSegmentIsNeverStopped checks that the judge leaves node 1 alone also when it is tried again after others have ended.
func TestFirstSegmentIsNeverStopped(t *testing.T) {
	s := spec(tree.AskNever, 4)
	s.Segment, s.Judge = 40, tree.Judge{Below: 0.3, Polls: 6, After: 0.2}
	r := newRig(t, s, nil)
	r.trainer.gate = func(_ context.Context, job tree.Job, _ int) error {
		if job.Node == 1 && job.Attempt == 1 {
			return &tree.Failure{Class: tree.FailOOM, Message: "too large"}
		}
		return nil
	}
	bad(r, 1)
	if err := r.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.do(t, tree.Command{Kind: tree.CmdBudget, Budget: &tree.Budget{Segments: 5}})
	r.do(t, tree.Command{Kind: tree.CmdRetry, Node: 1})
	if err := r.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := r.check(t).Nodes[1]; n.State != tree.StateEvaluated || n.Attempts != 2 {
		t.Errorf("node 1 is %s after %d attempts", n.State, n.Attempts)
	}
}
