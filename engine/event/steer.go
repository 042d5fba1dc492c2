package event

import (
	"fmt"
	"slices"

	"llmzero/engine/tree"
)

// Unvetoed brings a vetoed proposal back to the gate.
type Unvetoed struct {
	Node tree.NodeID `json:"node"`
}

// Pruned takes nodes out of the search: a node and what hangs below it, listed by the engine, running ones excepted.
type Pruned struct {
	Nodes []tree.NodeID `json:"nodes"`
	Why   string        `json:"why,omitempty"`
}

// Unpruned brings pruned nodes back to what they were.
type Unpruned struct {
	Nodes []tree.NodeID `json:"nodes"`
}

// Pinned says that a node must (or, when On is false, need not) be expanded next.
type Pinned struct {
	Node tree.NodeID `json:"node"`
	On   bool        `json:"on"`
}

// Hinted adds a sentence for the agent.
type Hinted struct {
	Text string      `json:"text"`
	Node tree.NodeID `json:"node"`
}

// Banned forbids a range of a parameter.
type Banned struct {
	Ban tree.Ban `json:"ban"`
}

// Unbanned lifts a ban.
type Unbanned struct {
	Ban tree.Ban `json:"ban"`
}

// ApprovalSet changes the rules of the gate.
type ApprovalSet struct {
	Approval tree.Approval `json:"approval"`
}

// BudgetSet changes the budget, upwards or downwards.
type BudgetSet struct {
	Budget tree.Budget `json:"budget"`
}

// StatusSet changes the status of the search.
type StatusSet struct {
	Status tree.Status `json:"status"`
	Reason string      `json:"reason,omitempty"`
}

// Renamed gives the search a name.
type Renamed struct {
	Name string `json:"name"`
}

// AgentCalled sums an agent's call; its text is kept apart under Exchange's id.
type AgentCalled struct {
	Exchange  string      `json:"exchange"`
	Node      tree.NodeID `json:"node"`
	Phase     string      `json:"phase"`
	TokensIn  int64       `json:"tokens_in"`
	TokensOut int64       `json:"tokens_out"`
	Cost      float64     `json:"cost"`
	Repaired  bool        `json:"repaired,omitempty"`
	Fallback  string      `json:"fallback,omitempty"`
}

// Kind names the body in the journal.
func (*Unvetoed) Kind() string { return "unvetoed" }

// Kind names the body in the journal.
func (*Pruned) Kind() string { return "pruned" }

// Kind names the body in the journal.
func (*Unpruned) Kind() string { return "unpruned" }

// Kind names the body in the journal.
func (*Pinned) Kind() string { return "pinned" }

// Kind names the body in the journal.
func (*Hinted) Kind() string { return "hinted" }

// Kind names the body in the journal.
func (*Banned) Kind() string { return "banned" }

// Kind names the body in the journal.
func (*Unbanned) Kind() string { return "unbanned" }

// Kind names the body in the journal.
func (*ApprovalSet) Kind() string { return "approval-set" }

// Kind names the body in the journal.
func (*BudgetSet) Kind() string { return "budget-set" }

// Kind names the body in the journal.
func (*StatusSet) Kind() string { return "status-set" }

// Kind names the body in the journal.
func (*Renamed) Kind() string { return "renamed" }

// Kind names the body in the journal.
func (*AgentCalled) Kind() string { return "agent-called" }

func (b *Unvetoed) touched() []tree.NodeID  { return []tree.NodeID{b.Node} }
func (b *Pruned) touched() []tree.NodeID    { return b.Nodes }
func (b *Unpruned) touched() []tree.NodeID  { return b.Nodes }
func (b *Pinned) touched() []tree.NodeID    { return []tree.NodeID{b.Node} }
func (*Hinted) touched() []tree.NodeID      { return nil }
func (*Banned) touched() []tree.NodeID      { return nil }
func (*Unbanned) touched() []tree.NodeID    { return nil }
func (*ApprovalSet) touched() []tree.NodeID { return nil }
func (*BudgetSet) touched() []tree.NodeID   { return nil }
func (*StatusSet) touched() []tree.NodeID   { return nil }
func (*Renamed) touched() []tree.NodeID     { return nil }
func (*AgentCalled) touched() []tree.NodeID { return nil }

func (b *Unvetoed) apply(t *tree.Tree, e *Event) error {
	n, err := move(t, b.Node, tree.StateProposed, e)
	if err == nil {
		n.Verdict = nil
	}
	return err
}

func (b *Pruned) apply(t *tree.Tree, e *Event) error {
	seen := map[tree.NodeID]bool{}
	for _, id := range b.Nodes {
		n, ok := t.Node(id)
		if !ok || id == tree.Root || seen[id] || !n.State.May(tree.StatePruned, "") {
			return fmt.Errorf("node %d cannot be pruned", id)
		}
		seen[id] = true
	}
	for _, id := range b.Nodes {
		n := t.Nodes[id]
		n.Before, n.State, n.Pinned, n.Updated = n.State, tree.StatePruned, false, e.Time
	}
	return nil
}

func (b *Unpruned) apply(t *tree.Tree, e *Event) error {
	seen := map[tree.NodeID]bool{}
	for _, id := range b.Nodes {
		if n, ok := t.Node(id); !ok || n.State != tree.StatePruned || seen[id] {
			return fmt.Errorf("node %d is not pruned", id)
		}
		seen[id] = true
	}
	for _, id := range b.Nodes {
		n := t.Nodes[id]
		n.State, n.Before, n.Updated = n.Before, "", e.Time
	}
	return nil
}

func (b *Pinned) apply(t *tree.Tree, e *Event) error {
	n, err := trained(t, b.Node)
	if err != nil {
		return err
	}
	n.Pinned, n.Updated = b.On, e.Time
	return nil
}

func (b *Hinted) apply(t *tree.Tree, e *Event) error {
	t.Hints = append(t.Hints, tree.Hint{Text: b.Text, Who: e.Who, When: e.Time, Node: b.Node})
	return nil
}

func (b *Banned) apply(t *tree.Tree, _ *Event) error {
	if _, ok := t.Spec.Space.Find(b.Ban.Param); !ok {
		return fmt.Errorf("%s: the trainer has no such parameter", b.Ban.Param)
	}
	t.Bans = append(t.Bans, b.Ban)
	return nil
}

func (b *Unbanned) apply(t *tree.Tree, _ *Event) error {
	i := slices.Index(t.Bans, b.Ban)
	if i < 0 {
		return fmt.Errorf("no such ban on %s is in force", b.Ban.Param)
	}
	t.Bans = slices.Delete(slices.Clone(t.Bans), i, i+1)
	return nil
}

func (b *ApprovalSet) apply(t *tree.Tree, _ *Event) error {
	switch b.Approval.Mode {
	case tree.AskAlways, tree.AskRisky, tree.AskNever:
	default:
		return fmt.Errorf("unknown approval mode %q: want ask, risky or all", b.Approval.Mode)
	}
	t.Spec.Approval = b.Approval
	return nil
}

func (b *BudgetSet) apply(t *tree.Tree, _ *Event) error {
	if err := b.Budget.Check(); err != nil {
		return err
	}
	t.Spec.Budget = b.Budget
	return nil
}

func (b *StatusSet) apply(t *tree.Tree, _ *Event) error {
	switch b.Status {
	case tree.SearchRunning, tree.SearchPaused, tree.SearchDone, tree.SearchCanceled, tree.SearchFailed:
	default:
		return fmt.Errorf("unknown status %q", b.Status)
	}
	t.Status, t.Reason = b.Status, b.Reason
	return nil
}

func (b *Renamed) apply(t *tree.Tree, _ *Event) error {
	t.Spec.Name = b.Name
	return nil
}

func (b *AgentCalled) apply(t *tree.Tree, _ *Event) error {
	t.Agent.Calls++
	t.Agent.TokensIn += b.TokensIn
	t.Agent.TokensOut += b.TokensOut
	t.Agent.Cost += b.Cost
	if b.Repaired {
		t.Agent.Repairs++
	}
	if b.Fallback != "" {
		t.Agent.Fallbacks++
	}
	return nil
}
