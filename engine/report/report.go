// Package report makes the JSON objects of the command line's contract out of trees. Its functions are pure: the same tree gives
// the same object.
package report

import (
	"time"

	"llmzero/engine/analysis"
	"llmzero/engine/tree"
)

// Search is the object of `llmzero run --json` and `llmzero show --json`.
type Search struct {
	Search   string            `json:"search"`
	Name     string            `json:"name,omitempty"`
	Task     string            `json:"task"`
	Base     int               `json:"base_model,omitempty"` // which of the task's base models
	Trainer  string            `json:"trainer"`
	Model    string            `json:"model,omitempty"`
	Agent    string            `json:"agent"`
	Policy   string            `json:"policy"`
	Seed     uint64            `json:"seed"`
	Status   tree.Status       `json:"status"`
	Reason   string            `json:"reason,omitempty"`
	Segments int               `json:"segments"`
	Nodes    int               `json:"nodes"` // proposed ones and the root included
	Tokens   int64             `json:"tokens"`
	WallS    float64           `json:"wall_s"` // of segments and evaluations, added up
	GPUHours float64           `json:"gpu_hours,omitempty"`
	BaseVal  Scores            `json:"base"`
	Best     *Best             `json:"best"` // null until the base model was scored
	Waiting  int               `json:"waiting"`
	Vetoed   int               `json:"vetoed"`
	Failed   int               `json:"failed"`
	Stopped  int               `json:"stopped"`
	Pruned   int               `json:"pruned"`
	Created  time.Time         `json:"created"`
	Updated  time.Time         `json:"updated"`
	Judging  *analysis.Judging `json:"judging,omitempty"`
	Used     float64           `json:"budget_used"` // share of the budget that runs out first

	AgentUse tree.AgentCost `json:"agent_use"` // calls, tokens, cost, repairs and fall-backs of a model
}

// Scores are a model's scores, null until it was scored; on the test split that is for the report only.
type Scores struct {
	Val    *float64 `json:"val"`
	ValSE  *float64 `json:"val_se"`
	Test   *float64 `json:"test"`
	TestSE *float64 `json:"test_se,omitempty"`
}

// Best is the best node: the winner when one was named, else the highest validation score.
type Best struct {
	Node tree.NodeID `json:"node"`
	Scores
	Path      []Step     `json:"path"` // from the first segment to the node; empty for the base model
	Confirmed *Confirmed `json:"confirmed,omitempty"`
}

// Step is one segment of a path.
type Step struct {
	Node    tree.NodeID           `json:"node"`
	From    int                   `json:"from_step"`
	Steps   int                   `json:"steps"`
	Changes map[string]tree.Value `json:"changes"`
	Val     float64               `json:"val"`
}

// Make reports a search.
func Make(t *tree.Tree) Search {
	s := t.Spec
	r := Search{
		Search: s.ID, Name: s.Name, Task: s.Task, Base: s.Base, Trainer: s.Trainer, Model: s.Model, Agent: s.Agent,
		Policy: s.Policy, Seed: s.Seed, Status: t.Status, Reason: t.Reason, Segments: t.Spent.Segments, Nodes: len(t.Nodes),
		Tokens: t.Spent.Cost.Tokens(), WallS: t.Spent.Cost.WallSeconds, GPUHours: t.Spent.Cost.GPUSeconds / 3600,
		BaseVal: scores(t.Base(), t.BaseTest), Created: s.Created, Updated: t.Updated, Judging: analysis.Judged(t),
		Used: s.Budget.Used(t.Spent), AgentUse: t.Agent,
	}
	for _, n := range t.Nodes {
		switch n.State {
		case tree.StateProposed:
			r.Waiting++
		case tree.StateVetoed:
			r.Vetoed++
		case tree.StateFailed:
			r.Failed++
		case tree.StateStopped:
			r.Stopped++
		case tree.StatePruned:
			r.Pruned++
		default:
		}
	}
	r.Best = best(t)
	return r
}

func scores(val, test tree.Score) Scores {
	var s Scores
	if val.Known() {
		s.Val, s.ValSE = &val.Mean, &val.SE
	}
	if test.Known() {
		s.Test, s.TestSE = &test.Mean, &test.SE
	}
	return s
}

func best(t *tree.Tree) *Best {
	n, ok := t.Best()
	if t.Winner != tree.Root {
		n, ok = t.Node(t.Winner)
	}
	if !ok {
		return nil
	}
	b := &Best{Node: n.ID, Scores: scores(n.Val(), n.Test), Path: []Step{}, Confirmed: confirmed(n.Confirmed)}
	for _, x := range t.Path(n.ID)[1:] {
		step := Step{Node: x.ID, From: x.Transition.From.Step, Steps: x.Transition.Steps, Changes: map[string]tree.Value{}, Val: x.Val().Mean}
		for _, c := range x.Transition.Changes {
			step.Changes[c.Param] = c.To
		}
		b.Path = append(b.Path, step)
	}
	return b
}

// Row is one search in the array of `llmzero list --json`.
type Row struct {
	Search   string      `json:"search"`
	Name     string      `json:"name,omitempty"`
	Task     string      `json:"task"`
	Trainer  string      `json:"trainer"`
	Agent    string      `json:"agent"`
	Policy   string      `json:"policy"`
	Status   tree.Status `json:"status"`
	Nodes    int         `json:"nodes"`
	Segments int         `json:"segments"`
	BaseVal  *float64    `json:"base_val"` // null until the base model was scored
	BestVal  *float64    `json:"best_val"`
	Created  time.Time   `json:"created"`
	Tokens   int64       `json:"tokens"`
	Waiting  int         `json:"waiting"`
	Used     float64     `json:"budget_used"`
}

// Rows reports a list of searches; it is never nil, so that no searches are an empty array.
func Rows(all []tree.Summary) []Row {
	rows := make([]Row, len(all))
	for i, s := range all {
		rows[i] = Row{
			Search: s.Search, Name: s.Name, Task: s.Task, Trainer: s.Trainer, Agent: s.Agent, Policy: s.Policy, Status: s.Status,
			Nodes: s.Nodes, Segments: s.Segments, Created: s.Created, Tokens: s.Tokens,
			Waiting: s.Waiting, Used: s.Used,
		}
		if s.Scored() {
			rows[i].BaseVal, rows[i].BestVal = &s.BaseVal, &s.BestVal
		}
	}
	return rows
}
