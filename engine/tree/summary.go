package tree

import "time"

// Summary is one search as a row of a list.
type Summary struct {
	Search   string    `json:"search"`
	Name     string    `json:"name,omitempty"`
	Task     string    `json:"task"`
	Trainer  string    `json:"trainer"`
	Agent    string    `json:"agent"`
	Policy   string    `json:"policy"`
	Status   Status    `json:"status"`
	Nodes    int       `json:"nodes"`
	Segments int       `json:"segments"`
	BaseVal  float64   `json:"base_val"`
	BestVal  float64   `json:"best_val"`
	Created  time.Time `json:"created"`

	Updated time.Time `json:"updated"`
	Tokens  int64     `json:"tokens"`
	Waiting int       `json:"waiting"` // proposals that wait for a verdict
	BaseSE  float64   `json:"base_se"`
	BestSE  float64   `json:"best_se"`
	Used    float64   `json:"used"` // share of the budget that is spent
}

// Scored tells whether the base model was scored, so that BaseVal and BestVal mean something: it is before any segment.
func (s Summary) Scored() bool {
	return s.Segments > 0 || s.BaseVal != 0 || s.BaseSE != 0 || s.BestVal != 0
}

// Summary sums the tree up.
func (t *Tree) Summary() Summary {
	s := Summary{
		Search: t.Spec.ID, Name: t.Spec.Name, Task: t.Spec.Task, Trainer: t.Spec.Trainer, Agent: t.Spec.Agent,
		Policy: t.Spec.Policy, Status: t.Status, Nodes: len(t.Nodes), Segments: t.Spent.Segments,
		BaseVal: t.Base().Mean, BaseSE: t.Base().SE, Created: t.Spec.Created, Updated: t.Updated,
		Tokens: t.Spent.Cost.Tokens(), Waiting: len(t.Waiting()), Used: t.Spec.Budget.Used(t.Spent),
	}
	if best, ok := t.Best(); ok {
		s.BestVal, s.BestSE = best.Val().Mean, best.Val().SE
	}
	return s
}
