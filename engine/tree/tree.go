package tree

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Spec is what a search was started with. It does not change, but for what journal entries change by name.
type Spec struct {
	ID        string    `json:"id"`
	Name      string    `json:"name,omitempty"` // given by the researcher
	Task      string    `json:"task"`
	Base      int       `json:"base"` // which of the task's base models, from 1; 0 when the trainer has one
	Metric    string    `json:"metric"`
	Trainer   string    `json:"trainer"`         // "grpo", "trl", "worker:CMD"
	Model     string    `json:"model,omitempty"` // "grpo 27k"
	Agent     string    `json:"agent"`           // "rules", "ollama:MODEL", "openai:MODEL"
	Policy    string    `json:"policy"`
	Launcher  string    `json:"launcher,omitempty"`
	Seed      uint64    `json:"seed"`
	Segment   int       `json:"segment"` // optimizer steps of a segment
	Parallel  int       `json:"parallel"`
	Space     Space     `json:"space"`
	Root      Config    `json:"root"` // the practitioner's configuration
	Budget    Budget    `json:"budget"`
	Approval  Approval  `json:"approval"`
	Judge     Judge     `json:"judge"`
	FreshRate float64   `json:"fresh_rate"`        // share of forced fresh starts, 0..1
	Rescore   int       `json:"rescore,omitempty"` // times the samples to score a node on before its first expansion; 0: never
	Version   string    `json:"version,omitempty"` // of the program that started it
	Created   time.Time `json:"created"`
}

// Judge configures the early stop of doomed segments.
type Judge struct {
	Off      bool    `json:"off,omitempty"`
	Below    float64 `json:"below"`     // stop when this share below the best curve at the same tokens
	Polls    int     `json:"polls"`     // for this many polls in a row
	After    float64 `json:"after"`     // not before this share of the segment
	TrialOne float64 `json:"trial_one"` // share of stopped segments run to the end to measure false stops
}

// DefaultJudge is the doomed-run rule: 30% below the best curve for 6 polls in a row, after 20% of the segment, with every
// tenth stop overruled to measure false stops.
func DefaultJudge() Judge { return Judge{Below: 0.3, Polls: 6, After: 0.2, TrialOne: 0.1} }

// Check says what is wrong with the rules of the judge, or nil.
func (j Judge) Check() error {
	share := func(name string, f float64) error {
		if !(f >= 0 && f <= 1) { // nor NaN
			return fmt.Errorf("judge: %s is %g; it must be between 0 and 1", name, f)
		}
		return nil
	}
	if j.Polls < 0 {
		return fmt.Errorf("judge: %d polls; it takes at least 1", j.Polls)
	}
	return errors.Join(share("the share below the best curve", j.Below), share("the share of trials", j.TrialOne),
		share("the share of the segment before it", j.After))
}

// Status is where a whole search is.
type Status string

// The statuses of a search.
const (
	SearchRunning  Status = "running"
	SearchPaused   Status = "paused"
	SearchDone     Status = "done"     // its budget is spent, or nothing is left to expand
	SearchCanceled Status = "canceled" // ended by the researcher; it can go on
	SearchFailed   Status = "failed"
)

// Hint is a sentence of the researcher that the agent sees from then on.
type Hint struct {
	Text string    `json:"text"`
	Who  string    `json:"who"`
	When time.Time `json:"when"`
	Node NodeID    `json:"node"` // the node it was given at
}

// Ban forbids a range of a number, or one choice, from a moment on.
type Ban struct {
	Param  string  `json:"param"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
	Choice string  `json:"choice,omitempty"`
	Why    string  `json:"why,omitempty"`
	Who    string  `json:"who"`
}

// Hits tells whether v of the ban's parameter is forbidden.
func (b Ban) Hits(param string, v Value) bool {
	if param != b.Param {
		return false
	}
	if v.IsText() {
		return v.Text == b.Choice
	}
	return b.Choice == "" && v.Num >= b.Min && v.Num <= b.Max
}

// Tree is one search as it stands: its specification, its nodes and what it has spent.
type Tree struct {
	Spec     Spec      `json:"spec"`
	Status   Status    `json:"status"`
	Reason   string    `json:"reason,omitempty"` // why the status is what it is
	Nodes    []*Node   `json:"nodes"`            // Nodes[i].ID == i; empty until the base model was evaluated
	Spent    Spent     `json:"spent"`
	Confirm  Spent     `json:"confirm"` // the part of Spent that went to confirmations
	Hints    []Hint    `json:"hints,omitempty"`
	Bans     []Ban     `json:"bans,omitempty"`
	Agent    AgentCost `json:"agent"`
	Winner   NodeID    `json:"winner,omitempty"` // named at the end, 0 before
	Seq      uint64    `json:"seq"`              // of the last event that is in it
	Updated  time.Time `json:"updated"`
	BaseTest Score     `json:"base_test"`
}

// AgentCost sums what the agent's calls cost.
type AgentCost struct {
	Calls     int     `json:"calls"`
	TokensIn  int64   `json:"tokens_in"`
	TokensOut int64   `json:"tokens_out"`
	Cost      float64 `json:"cost"` // in the price table's currency
	Repairs   int     `json:"repairs"`
	Fallbacks int     `json:"fallbacks"`
}

// Node returns a node by its id.
func (t *Tree) Node(id NodeID) (*Node, bool) {
	if id < 0 || int(id) >= len(t.Nodes) {
		return nil, false
	}
	return t.Nodes[id], true
}

// Base is the validation score of the base model.
func (t *Tree) Base() Score {
	if len(t.Nodes) == 0 {
		return Score{}
	}
	return t.Nodes[Root].Val()
}

// Best is the node with the highest validation score; the root counts. Ties go to the earlier node.
func (t *Tree) Best() (*Node, bool) {
	var best *Node
	for _, n := range t.Nodes {
		if n.State.Trained() && n.Val().Known() && (best == nil || n.Val().Mean > best.Val().Mean) {
			best = n
		}
	}
	return best, best != nil
}

// Path lists the nodes from the root to id, both included; nil when there is no such node.
func (t *Tree) Path(id NodeID) []*Node {
	n, ok := t.Node(id)
	if !ok {
		return nil
	}
	path := make([]*Node, n.Depth+1)
	for i := n.Depth; i >= 0; i-- {
		path[i] = n
		n = t.Nodes[n.Parent]
	}
	return path
}

// PathCost is what it took to train along the path from the root to id.
func (t *Tree) PathCost(id NodeID) Cost {
	var c Cost
	for _, n := range t.Path(id) {
		if n.Outcome != nil {
			c = c.Plus(n.Outcome.Cost)
		}
	}
	return c
}

// Waiting lists the proposals that wait for a verdict, oldest first.
func (t *Tree) Waiting() []*Node {
	var out []*Node
	for _, n := range t.Nodes {
		if n.State == StateProposed {
			out = append(out, n)
		}
	}
	return out
}

// Clone copies the tree deeply enough that changing one copy's nodes, lists and states leaves the other alone. What events
// never change in place (transitions, configurations, outcomes) is shared.
func (t *Tree) Clone() *Tree {
	c := *t
	c.Nodes = make([]*Node, len(t.Nodes))
	nodes, children := make([]Node, len(t.Nodes)), make([]NodeID, 0, len(t.Nodes)) // few large pieces: a copy of a large tree is quick
	for i, n := range t.Nodes {
		nodes[i] = *n
		if from := len(children); len(n.Children) > 0 {
			children = append(children, n.Children...)
			nodes[i].Children = children[from:len(children):len(children)]
		}
		nodes[i].Confirmed = append([]Confirmation(nil), n.Confirmed...)
		c.Nodes[i] = &nodes[i]
	}
	c.Hints = append([]Hint(nil), t.Hints...)
	c.Bans = append([]Ban(nil), t.Bans...)
	return &c
}

// Link rebuilds what is derived from parents: children and depths. Call it after reading nodes from a store.
func (t *Tree) Link() error {
	for i, n := range t.Nodes {
		if n == nil || n.ID != NodeID(i) {
			return fmt.Errorf("tree %s: node %d is missing or misplaced", t.Spec.ID, i)
		}
		n.Children, n.Depth = nil, 0
		if i == 0 {
			if n.Parent != Root {
				return fmt.Errorf("tree %s: the root has the parent %d", t.Spec.ID, n.Parent)
			}
			continue
		}
		if n.Parent < 0 || n.Parent >= n.ID {
			return fmt.Errorf("tree %s: node %d has the parent %d, which does not come before it", t.Spec.ID, i, n.Parent)
		}
		p := t.Nodes[n.Parent]
		p.Children = append(p.Children, n.ID)
		n.Depth = p.Depth + 1
	}
	return nil
}

// Check verifies the invariants of the whole tree and names the first that does not hold.
func (t *Tree) Check() error {
	for i, n := range t.Nodes {
		if err := t.checkNode(NodeID(i), n); err != nil {
			return fmt.Errorf("tree %s: node %d: %w", t.Spec.ID, i, err)
		}
	}
	if t.Spent.Segments < 0 || t.Spent.Cost.Tokens() < 0 {
		return fmt.Errorf("tree %s: it has spent less than nothing", t.Spec.ID)
	}
	return nil
}

func (t *Tree) checkNode(id NodeID, n *Node) error {
	switch {
	case n.ID != id:
		return fmt.Errorf("its id is %d", n.ID)
	case id == Root:
		if n.Parent != Root || n.Depth != 0 {
			return fmt.Errorf("the root has a parent")
		}
	case n.Parent < 0 || n.Parent >= id:
		return fmt.Errorf("its parent %d does not come before it", n.Parent)
	case n.Depth != t.Nodes[n.Parent].Depth+1:
		return fmt.Errorf("its depth is %d", n.Depth)
	}
	if err := t.Spec.Space.Check(n.Config); err != nil {
		return err
	}
	if err := n.checkState(); err != nil {
		return err
	}
	for i, c := range n.Children {
		if int(c) >= len(t.Nodes) || t.Nodes[c].Parent != id || (i > 0 && c <= n.Children[i-1]) {
			return fmt.Errorf("its list of children is wrong at %d", c)
		}
	}
	return nil
}

// checkState verifies that a node has what its state says, and nothing that it cannot have.
func (n *Node) checkState() error {
	was := n.State
	if was == StatePruned {
		was = n.Before
	}
	switch {
	case was.Trained() && n.Outcome == nil:
		return fmt.Errorf("it is %s without an outcome", was)
	case was.Trained() && (math.IsNaN(n.Val().Mean) || n.Val().SE < 0):
		return fmt.Errorf("its score is not a number")
	case was == StateVetoed && (n.Verdict == nil || n.Verdict.Decision != Vetoed):
		return fmt.Errorf("it is vetoed without such a verdict")
	case n.ID != Root && was != StateProposed && was != StateVetoed && n.Verdict == nil:
		return fmt.Errorf("it is %s without a verdict", was)
	case n.Pinned && !n.State.Trained():
		return fmt.Errorf("it is pinned but %s", n.State)
	}
	return nil
}
