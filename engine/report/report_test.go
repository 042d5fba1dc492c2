package report

import (
	"encoding/json"
	"testing"
	"time"

	"llmzero/engine/tree"
)

func score(mean float64) tree.Score { return tree.Score{Mean: mean, SE: 0.01, N: 100} }

func outcome(mean float64, o tree.Outcome) *tree.Outcome {
	o.Val = score(mean)
	o.Checkpoints = []tree.Checkpoint{{Step: 10, Val: o.Val}}
	return &o
}

// searched is a search with a node in every state that the report counts.
func searched(t *testing.T) *tree.Tree {
	t.Helper()
	lr := []tree.Change{{Param: "learning_rate", From: tree.Number(1), To: tree.Number(2), Reason: "slow"}}
	x := &tree.Tree{
		Spec: tree.Spec{
			ID: "sort-1", Task: "sort", Base: 1, Trainer: "grpo", Agent: "rules", Policy: "uct", Seed: 7,
			Budget: tree.Budget{Segments: 10}, Created: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC),
		},
		Status: tree.SearchDone, Reason: "the budget is spent", Winner: 2, BaseTest: score(0.09),
		Spent: tree.Spent{Segments: 5, Cost: tree.Cost{SampledTokens: 300, TrainedTokens: 200, EvalTokens: 999, WallSeconds: 12.5}},
		Nodes: []*tree.Node{
			{State: tree.StateEvaluated, Outcome: outcome(0.1, tree.Outcome{}), Test: score(0.09)},
			{ID: 1, State: tree.StateEvaluated, Outcome: outcome(0.5, tree.Outcome{Trial: &tree.StopTrial{AtStep: 3, FalseStop: true}}), Transition: tree.Transition{Steps: 10}},
			{
				ID: 2, Parent: 1, State: tree.StateEvaluated, Outcome: outcome(0.4, tree.Outcome{}), Test: score(0.38),
				Transition: tree.Transition{From: tree.CheckpointRef{Node: 1, Step: 10}, Steps: 20, Changes: lr},
				Confirmed:  []tree.Confirmation{{Val: score(0.25), Test: score(0.25)}, {Val: score(0.75), Test: score(0.5)}},
			},
			{ID: 3, State: tree.StateVetoed},
			{ID: 4, State: tree.StateFailed, Outcome: &tree.Outcome{Failure: &tree.Failure{Class: tree.FailOOM}}},
			{ID: 5, State: tree.StateStopped, Outcome: outcome(0.2, tree.Outcome{Stop: &tree.StopNote{By: "judge", SavedSteps: 7, SavedTokens: 70}})},
			{ID: 6, State: tree.StateStopped, Outcome: outcome(0.2, tree.Outcome{Stop: &tree.StopNote{By: "human", SavedSteps: 1}})},
			{ID: 7, State: tree.StatePruned, Before: tree.StateFailed},
			{ID: 8, State: tree.StateProposed},
		},
	}
	if err := x.Link(); err != nil {
		t.Fatal(err)
	}
	return x
}

func text(t *testing.T, v any) string {
	t.Helper()
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestContract fixes the names and the meaning of the fields that other programs read.
func TestContract(t *testing.T) {
	const want = `{
 "search": "sort-1",
 "task": "sort",
 "base_model": 1,
 "trainer": "grpo",
 "agent": "rules",
 "policy": "uct",
 "seed": 7,
 "status": "done",
 "reason": "the budget is spent",
 "segments": 5,
 "nodes": 9,
 "tokens": 500,
 "wall_s": 12.5,
 "base": {
  "val": 0.1,
  "val_se": 0.01,
  "test": 0.09,
  "test_se": 0.01
 },
 "best": {
  "node": 2,
  "val": 0.4,
  "val_se": 0.01,
  "test": 0.38,
  "test_se": 0.01,
  "path": [
   {
    "node": 1,
    "from_step": 0,
    "steps": 10,
    "changes": {},
    "val": 0.5
   },
   {
    "node": 2,
    "from_step": 10,
    "steps": 20,
    "changes": {
     "learning_rate": 2
    },
    "val": 0.4
   }
  ],
  "confirmed": {
   "runs": 2,
   "val": 0.5,
   "val_se": 0.25,
   "test": 0.375
  }
 },
 "waiting": 1,
 "vetoed": 1,
 "failed": 1,
 "stopped": 2,
 "pruned": 1,
 "created": "2026-11-21T12:00:00Z",
 "updated": "0001-01-01T00:00:00Z",
 "judging": {
  "stopped": 1,
  "saved_steps": 7,
  "saved_tokens": 70,
  "trials": 1,
  "false_stops": 1
 },
 "budget_used": 0.5,
 "agent_use": {
  "calls": 0,
  "tokens_in": 0,
  "tokens_out": 0,
  "cost": 0,
  "repairs": 0,
  "fallbacks": 0
 }
}`
	if got := text(t, Make(searched(t))); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestBestWithoutAWinner(t *testing.T) {
	x := searched(t)
	x.Winner = 0
	if b := Make(x).Best; b.Node != 1 || b.Test != nil {
		t.Errorf("the best is %+v, want node 1, which was not tested", b)
	}
	empty := Make(&tree.Tree{Spec: tree.Spec{ID: "new"}})
	if empty.Best != nil || empty.BaseVal.Test != nil {
		t.Errorf("a search without a root reports %+v", empty)
	}
}

func TestRows(t *testing.T) {
	if got := text(t, Rows(nil)); got != "[]" {
		t.Errorf("no searches are %s, want an empty array", got)
	}
	const want = `[
 {
  "search": "sort-1",
  "task": "sort",
  "trainer": "grpo",
  "agent": "rules",
  "policy": "uct",
  "status": "done",
  "nodes": 9,
  "segments": 5,
  "base_val": 0.1,
  "best_val": 0.5,
  "created": "2026-11-21T12:00:00Z",
  "tokens": 500,
  "waiting": 1,
  "budget_used": 0.5
 }
]`
	if got := text(t, Rows([]tree.Summary{searched(t).Summary()})); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
