package store

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"llmzero/engine/event"
	"llmzero/engine/tree"
)

// t0 is where the tests' clock starts.
var t0 = time.Date(2026, 3, 1, 9, 30, 0, 123456789, time.UTC)

func testSpace() tree.Space {
	num := func(name string, lo, hi, def float64, scale tree.Scale, role tree.Role) tree.Param {
		return tree.Param{
			Name: name, Short: name[:1], Kind: tree.KindFloat, Min: lo, Max: hi, Scale: scale, Default: tree.Number(def),
			Role: role, Help: "for tests",
		}
	}
	return tree.Space{Params: []tree.Param{
		num("learning_rate", 1e-6, 1e-1, 3e-3, tree.ScaleLog, tree.RoleOther),
		num("beta", 1e-4, 1, 0.02, tree.ScaleLog, tree.RoleRegularization),
		num("epsilon", 0.05, 0.5, 0.2, tree.ScaleLinear, tree.RoleRegularization),
		num("epsilon_high", 0.05, 0.6, 0.28, tree.ScaleLinear, tree.RoleRegularization),
		num("temperature", 0.2, 2, 1, tree.ScaleLinear, tree.RoleOther),
		num("top_p", 0.1, 1, 1, tree.ScaleLinear, tree.RoleOther),
		num("entropy_coef", 1e-5, 0.1, 1e-3, tree.ScaleLog, tree.RoleRegularization),
		num("weight_decay", 1e-5, 0.5, 0.01, tree.ScaleLog, tree.RoleRegularization),
		num("max_grad_norm", 0.05, 10, 1, tree.ScaleLog, tree.RoleRegularization),
		num("num_iterations", 1, 8, 1, tree.ScaleLinear, tree.RoleOther),
		num("num_generations", 2, 64, 8, tree.ScaleLog, tree.RoleCapacity),
		num("max_completion_length", 4, 512, 48, tree.ScaleLog, tree.RoleCapacity),
		num("prompts_per_step", 1, 256, 32, tree.ScaleLog, tree.RoleCapacity),
		{
			Name: "loss_type", Short: "loss", Kind: tree.KindChoice, Choices: []string{"grpo", "bnpo", "dr_grpo"},
			Default: tree.Choice("grpo"), Role: tree.RoleOther, Help: "for tests",
		},
	}}
}

func testSpec(id string) tree.Spec {
	s := testSpace()
	return tree.Spec{
		ID: id, Task: "mixed", Base: 1, Metric: "accuracy", Trainer: "grpo", Agent: "rules", Policy: "uct", Seed: 1<<63 + 5,
		Segment: 20, Parallel: 2, Space: s, Root: s.Defaults(), Budget: tree.Budget{Segments: 100, Wall: time.Hour, Confirm: 0.2},
		Approval: tree.DefaultApproval(tree.AskRisky), Judge: tree.DefaultJudge(), FreshRate: 0.2, Created: t0,
	}
}

// sim makes valid histories of searches, the way an engine does, but at random.
type sim struct {
	t    *tree.Tree
	rng  *rand.Rand
	spec tree.Spec
	blob func() string // a reference for the next checkpoint
}

func newSim(id string, seed uint64) *sim {
	return &sim{
		t: &tree.Tree{}, rng: rand.New(rand.NewPCG(seed, 1)), spec: testSpec(id),
		blob: func() string { return "file:/tmp/checkpoint" },
	}
}

// step applies the next event. Illegal choices are drawn again.
func (s *sim) step() event.Event {
	for {
		e := event.Event{Seq: s.t.Seq + 1, Time: t0.Add(time.Duration(s.t.Seq) * 1234567891), Who: "engine", Body: s.body()}
		if event.Apply(s.t, e) == nil {
			return e
		}
	}
}

// history is n events.
func (s *sim) history(n int) []event.Event {
	out := make([]event.Event, n)
	for i := range out {
		out[i] = s.step()
	}
	return out
}

// score is coarse, so that there are ties.
func (s *sim) score() tree.Score {
	return tree.Score{Mean: float64(s.rng.IntN(16)) / 16, SE: s.rng.Float64(), N: 256}
}

func (s *sim) cost() tree.Cost {
	return tree.Cost{Steps: 20, SampledTokens: s.rng.Int64N(1 << 40), TrainedTokens: 7, WallSeconds: s.rng.Float64()}
}

func (s *sim) proposed() *event.Proposed {
	parent := tree.NodeID(s.rng.IntN(len(s.t.Nodes)))
	from := s.t.Nodes[parent].Config
	p := s.spec.Space.Params[s.rng.IntN(len(s.spec.Space.Params))]
	tr := tree.Transition{
		From: tree.CheckpointRef{Node: parent, Step: 20}, FromWhy: "the last", Rationale: "entropy fell; raise \x1b[31mit",
		Changes:    []tree.Change{{Param: p.Name, From: from[p.Name], To: p.At(s.rng.Float64()), Reason: "because"}},
		Confidence: s.rng.Float64(), Steps: 20, By: "rules", Exchange: fmt.Sprintf("x%d", s.t.Seq),
		Diagnosis: []tree.Finding{{
			Pathology: tree.EntropyCollapse, Severity: tree.Severe,
			Evidence: []tree.Evidence{{Metric: "entropy", FromStep: 3, ToStep: 15, From: 1.9, To: 0.3, Text: "entropy fell from 1.9 to 0.3"}},
		}},
	}
	return &event.Proposed{
		Node: tree.NodeID(len(s.t.Nodes)), Parent: parent, Transition: tr, Config: from.With(tr.Changes),
		Why: []tree.Term{{Name: "value", Value: 0.4}, {Name: "explore", Value: s.rng.Float64()}},
	}
}

func (s *sim) outcome() tree.Outcome {
	o := tree.Outcome{Cost: s.cost(), Kernel: "avx2", Spark: []float64{0.1, s.rng.Float64(), 0.3}, ChosenWhy: "best validation"}
	for i := range 2 {
		o.Checkpoints = append(o.Checkpoints, tree.Checkpoint{Step: 10 * (i + 1), Tokens: 999, Ref: s.blob(), Size: 3, Val: s.score()})
	}
	o.Chosen = s.rng.IntN(2)
	o.Val = o.Checkpoints[o.Chosen].Val
	return o
}

// body draws what may happen next; it need not be legal.
func (s *sim) body() event.Body {
	switch s.t.Seq {
	case 0:
		return &event.Created{Spec: s.spec}
	case 1:
		return &event.BaseScored{Val: s.score(), Cost: s.cost()}
	}
	id := tree.NodeID(s.rng.IntN(len(s.t.Nodes)))
	now := t0.Add(time.Duration(s.t.Seq))
	switch s.rng.IntN(24) {
	case 0, 1, 2:
		return s.proposed()
	case 3, 4:
		return &event.Judged{Node: id, Verdict: tree.Verdict{Decision: tree.Approved, Who: "autopilot", When: now}}
	case 5:
		return &event.Judged{Node: id, Verdict: tree.Verdict{Decision: tree.Vetoed, Who: "human", When: now, Why: "no"}}
	case 6:
		tr, c := s.t.Nodes[id].Transition, s.t.Nodes[id].Config
		return &event.Judged{
			Node: id, Transition: &tr, Config: c,
			Verdict: tree.Verdict{Decision: tree.Edited, Who: "human", When: now, Original: &tr},
		}
	case 7, 8:
		return &event.Queued{Node: id, Why: "slot"}
	case 9, 10:
		if s.t.Nodes[id].Pinned { // the engine unpins what it runs
			return &event.Pinned{Node: id}
		}
		return &event.Started{Node: id, Attempt: s.t.Nodes[id].Attempts + 1}
	case 11, 12:
		return &event.Saved{Node: id, Checkpoint: tree.Checkpoint{Step: 10, Ref: s.blob(), Size: 3, Val: s.score()}}
	case 13, 14:
		return &event.Ended{Node: id, State: tree.StateEvaluated, Outcome: s.outcome()}
	case 15:
		o := s.outcome()
		o.Stop = &tree.StopNote{By: "judge", Why: "doomed", AtStep: 10, SavedSteps: 10}
		return &event.Ended{Node: id, State: tree.StateStopped, Outcome: o}
	case 16:
		return &event.Ended{Node: id, State: tree.StateFailed, Outcome: tree.Outcome{
			Chosen: -1, Failure: &tree.Failure{Class: tree.FailOOM, Message: "out of memory"}, Cost: s.cost(),
		}}
	case 17:
		return &event.Chosen{Node: id, Index: s.rng.IntN(2), Why: "before the collapse"}
	case 18:
		return &event.Reevaluated{Node: id, Val: s.score(), Cost: s.cost()}
	case 19:
		if s.rng.IntN(2) == 0 {
			return &event.Pruned{Nodes: []tree.NodeID{id}, Why: "boring"}
		}
		return &event.Unpruned{Nodes: []tree.NodeID{id}}
	case 20:
		return &event.Confirmed{Node: id, Segments: 2, Confirmation: tree.Confirmation{Seed: 9, Val: s.score(), Cost: s.cost()}}
	case 21:
		return &event.Tested{Node: id, Test: s.score()}
	case 22:
		return &event.Pinned{Node: id, On: s.rng.IntN(2) == 0}
	}
	return s.steering(id)
}

func (s *sim) steering(id tree.NodeID) event.Body {
	switch s.rng.IntN(8) {
	case 0:
		return &event.Unvetoed{Node: id}
	case 1:
		return &event.Hinted{Text: "try a larger group", Node: id}
	case 2:
		return &event.Banned{Ban: tree.Ban{Param: "beta", Min: 0.1, Max: 1, Who: "human"}}
	case 3:
		return &event.Unbanned{Ban: tree.Ban{Param: "beta", Min: 0.1, Max: 1, Who: "human"}}
	case 4:
		return &event.BudgetSet{Budget: tree.Budget{Segments: s.rng.IntN(1000)}}
	case 5:
		return &event.StatusSet{Status: tree.SearchPaused, Reason: "lunch"}
	case 6:
		return &event.Renamed{Name: "Ωmega"}
	default:
		return &event.AgentCalled{Exchange: "x", Node: id, Phase: "propose", TokensIn: 100, Cost: 0.25}
	}
}

// testStore opens a new store whose integrity is checked at the end of the test.
func testStore(t testing.TB) *Store {
	t.Helper()
	return openTest(t, t.TempDir()+"/store.db")
}
