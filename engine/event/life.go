package event

import (
	"fmt"

	"llmzero/engine/tree"
)

// Created starts a search.
type Created struct {
	Spec tree.Spec `json:"spec"`
}

// BaseScored adds the root: the base model with its validation score.
type BaseScored struct {
	Val  tree.Score `json:"val"`
	Cost tree.Cost  `json:"cost"`
}

// Proposed adds a node that waits for a verdict.
type Proposed struct {
	Node       tree.NodeID     `json:"node"`
	Parent     tree.NodeID     `json:"parent"`
	Transition tree.Transition `json:"transition"`
	Config     tree.Config     `json:"config"`
	Why        []tree.Term     `json:"why,omitempty"`
	Fresh      bool            `json:"fresh,omitempty"`
}

// Judged is the gate's verdict on a proposal. Transition and Config are set when it was edited.
type Judged struct {
	Node       tree.NodeID      `json:"node"`
	Verdict    tree.Verdict     `json:"verdict"`
	Transition *tree.Transition `json:"transition,omitempty"`
	Config     tree.Config      `json:"config,omitempty"`
}

// Queued puts an approved node, a failed one that is retried, or one whose segment was interrupted in line for a slot.
type Queued struct {
	Node tree.NodeID `json:"node"`
	Why  string      `json:"why,omitempty"`
	Cost tree.Cost   `json:"cost,omitzero"` // of the attempt that was interrupted
}

// Started says that a node's segment trains.
type Started struct {
	Node    tree.NodeID `json:"node"`
	Attempt int         `json:"attempt"`
	Slot    int         `json:"slot"`
}

// Saved says that a running segment's checkpoint is in the store.
type Saved struct {
	Node       tree.NodeID     `json:"node"`
	Checkpoint tree.Checkpoint `json:"checkpoint"`
}

// StopAsked says that a person wants a running segment to end and to keep what it has. Who says who.
type StopAsked struct {
	Node tree.NodeID `json:"node"`
	Why  string      `json:"why,omitempty"`
}

// Ended says how a segment came out: evaluated, stopped or failed.
type Ended struct {
	Node    tree.NodeID  `json:"node"`
	State   tree.State   `json:"state"`
	Outcome tree.Outcome `json:"outcome"`
}

// Chosen says from which of its checkpoints a node goes on.
type Chosen struct {
	Node  tree.NodeID `json:"node"`
	Index int         `json:"index"`
	Why   string      `json:"why,omitempty"`
}

// Reevaluated replaces the score of a node's chosen checkpoint by one on more samples.
type Reevaluated struct {
	Node tree.NodeID `json:"node"`
	Val  tree.Score  `json:"val"`
	Cost tree.Cost   `json:"cost"`
}

// Confirmed adds a retraining of a node's path from the root with a fresh seed.
type Confirmed struct {
	Node         tree.NodeID       `json:"node"`
	Confirmation tree.Confirmation `json:"confirmation"`
	Segments     int               `json:"segments"`
}

// Tested records a score on the test split, which no selection sees. Node 0 is the base model.
type Tested struct {
	Node tree.NodeID `json:"node"`
	Test tree.Score  `json:"test"`
	Cost tree.Cost   `json:"cost,omitzero"`
}

// Wasted counts compute that came to nothing: an evaluation or a retraining that failed or that nobody wants any more.
type Wasted struct {
	Node     tree.NodeID `json:"node"`
	Why      string      `json:"why"`
	Cost     tree.Cost   `json:"cost"`
	Segments int         `json:"segments,omitempty"`
	Confirm  bool        `json:"confirm,omitempty"` // it was for a confirmation
}

// Won names the best strategy of a finished search.
type Won struct {
	Node tree.NodeID `json:"node"`
	Why  string      `json:"why,omitempty"`
}

// Kind names the body in the journal.
func (*Created) Kind() string { return "created" }

// Kind names the body in the journal.
func (*BaseScored) Kind() string { return "base-scored" }

// Kind names the body in the journal.
func (*Proposed) Kind() string { return "proposed" }

// Kind names the body in the journal.
func (*Judged) Kind() string { return "judged" }

// Kind names the body in the journal.
func (*Queued) Kind() string { return "queued" }

// Kind names the body in the journal.
func (*Started) Kind() string { return "started" }

// Kind names the body in the journal.
func (*Saved) Kind() string { return "saved" }

// Kind names the body in the journal.
func (*StopAsked) Kind() string { return "stop-asked" }

// Kind names the body in the journal.
func (*Ended) Kind() string { return "ended" }

// Kind names the body in the journal.
func (*Chosen) Kind() string { return "chosen" }

// Kind names the body in the journal.
func (*Reevaluated) Kind() string { return "re-evaluated" }

// Kind names the body in the journal.
func (*Confirmed) Kind() string { return "confirmed" }

// Kind names the body in the journal.
func (*Tested) Kind() string { return "tested" }

// Kind names the body in the journal.
func (*Wasted) Kind() string { return "wasted" }

// Kind names the body in the journal.
func (*Won) Kind() string { return "won" }

func (*Created) touched() []tree.NodeID       { return nil }
func (*BaseScored) touched() []tree.NodeID    { return []tree.NodeID{tree.Root} }
func (b *Proposed) touched() []tree.NodeID    { return []tree.NodeID{b.Node} }
func (b *Judged) touched() []tree.NodeID      { return []tree.NodeID{b.Node} }
func (b *Queued) touched() []tree.NodeID      { return []tree.NodeID{b.Node} }
func (b *Started) touched() []tree.NodeID     { return []tree.NodeID{b.Node} }
func (b *Saved) touched() []tree.NodeID       { return []tree.NodeID{b.Node} }
func (b *StopAsked) touched() []tree.NodeID   { return []tree.NodeID{b.Node} }
func (b *Ended) touched() []tree.NodeID       { return []tree.NodeID{b.Node} }
func (b *Chosen) touched() []tree.NodeID      { return []tree.NodeID{b.Node} }
func (b *Reevaluated) touched() []tree.NodeID { return []tree.NodeID{b.Node} }
func (b *Confirmed) touched() []tree.NodeID   { return []tree.NodeID{b.Node} }
func (b *Tested) touched() []tree.NodeID      { return []tree.NodeID{b.Node} }
func (*Wasted) touched() []tree.NodeID        { return nil }
func (*Won) touched() []tree.NodeID           { return nil }

func (b *Created) apply(t *tree.Tree, e *Event) error {
	if t.Seq != 0 {
		return fmt.Errorf("the search was created already")
	}
	if err := b.Spec.Space.Validate(); err != nil {
		return err
	}
	if err := b.Spec.Space.Check(b.Spec.Root); err != nil {
		return fmt.Errorf("root configuration: %w", err)
	}
	t.Spec, t.Status = b.Spec, tree.SearchRunning
	return nil
}

func (b *BaseScored) apply(t *tree.Tree, e *Event) error {
	if t.Spec.ID == "" || len(t.Nodes) != 0 {
		return fmt.Errorf("the base model is scored once, after the search was created")
	}
	t.Nodes = []*tree.Node{{
		State: tree.StateEvaluated, Config: t.Spec.Root, Created: e.Time, Updated: e.Time,
		Outcome: &tree.Outcome{
			Checkpoints: []tree.Checkpoint{{Val: b.Val}}, Val: b.Val, ChosenWhy: "the base model", Cost: b.Cost,
		},
	}}
	t.Spent.Cost = t.Spent.Cost.Plus(b.Cost)
	return nil
}

func (b *Proposed) apply(t *tree.Tree, e *Event) error {
	if int(b.Node) != len(t.Nodes) || b.Node == tree.Root {
		return fmt.Errorf("node %d does not follow node %d", b.Node, len(t.Nodes)-1)
	}
	p, ok := t.Node(b.Parent)
	if !ok {
		return fmt.Errorf("no node %d to go on from", b.Parent)
	}
	if !p.State.Trained() {
		return fmt.Errorf("node %d is %s: only a trained node can be gone on from", b.Parent, p.State)
	}
	if err := t.Spec.Space.Check(b.Config); err != nil {
		return err
	}
	t.Nodes = append(t.Nodes, &tree.Node{
		ID: b.Node, Parent: b.Parent, State: tree.StateProposed, Transition: b.Transition, Config: b.Config,
		Why: b.Why, Fresh: b.Fresh, Created: e.Time, Updated: e.Time, Depth: p.Depth + 1,
	})
	p.Children = append(p.Children, b.Node)
	return nil
}

func (b *Judged) apply(t *tree.Tree, e *Event) error {
	to := tree.StateApproved
	switch b.Verdict.Decision {
	case tree.Approved:
	case tree.Edited:
		if b.Transition == nil || b.Verdict.Original == nil {
			return fmt.Errorf("an edit of node %d lacks the new or the original transition", b.Node)
		}
		if err := t.Spec.Space.Check(b.Config); err != nil {
			return err
		}
	case tree.Vetoed:
		to = tree.StateVetoed
	default:
		return fmt.Errorf("unknown decision %q", b.Verdict.Decision)
	}
	n, err := move(t, b.Node, to, e)
	if err != nil {
		return err
	}
	v := b.Verdict
	n.Verdict = &v
	if v.Decision == tree.Edited {
		n.Transition, n.Config = *b.Transition, b.Config
	}
	return nil
}

func (b *Queued) apply(t *tree.Tree, e *Event) error {
	n, err := move(t, b.Node, tree.StateQueued, e)
	if err == nil {
		n.Outcome = asked(n.Outcome)
		t.Spent.Cost = t.Spent.Cost.Plus(b.Cost)
	}
	return err
}

func (b *Started) apply(t *tree.Tree, e *Event) error {
	n, err := move(t, b.Node, tree.StateRunning, e)
	if err == nil {
		n.Attempts, n.Outcome, n.Pinned = b.Attempt, asked(n.Outcome), false
	}
	return err
}

// asked is what stays of an attempt that was interrupted: that it was to be stopped. One that was stopped has chosen a checkpoint.
func asked(o *tree.Outcome) *tree.Outcome {
	if o == nil || o.Stop == nil || o.Chosen >= 0 {
		return nil
	}
	return &tree.Outcome{Chosen: -1, Stop: o.Stop}
}

// underWay is a running node and a copy of what there is of its outcome, to be changed and put in its place.
func underWay(t *tree.Tree, id tree.NodeID) (*tree.Node, tree.Outcome, error) {
	n, ok := t.Node(id)
	if !ok || n.State != tree.StateRunning {
		return nil, tree.Outcome{}, fmt.Errorf("node %d does not run", id)
	}
	if n.Outcome != nil {
		return n, *n.Outcome, nil
	}
	return n, tree.Outcome{Chosen: -1}, nil
}

func (b *StopAsked) apply(t *tree.Tree, e *Event) error {
	n, o, err := underWay(t, b.Node)
	if err != nil {
		return err
	}
	o.Stop = &tree.StopNote{By: e.Who, Why: b.Why, AtStep: n.Transition.From.Step}
	if k := len(o.Checkpoints); k > 0 {
		o.Stop.AtStep = o.Checkpoints[k-1].Step
	}
	n.Outcome, n.Updated = &o, e.Time
	return nil
}

func (b *Saved) apply(t *tree.Tree, e *Event) error {
	n, o, err := underWay(t, b.Node)
	if err != nil {
		return err
	}
	o.Checkpoints = append(o.Checkpoints[:len(o.Checkpoints):len(o.Checkpoints)], b.Checkpoint)
	n.Outcome, n.Updated = &o, e.Time
	return nil
}

func (b *Ended) apply(t *tree.Tree, e *Event) error {
	switch b.State {
	case tree.StateEvaluated, tree.StateStopped:
		if _, ok := b.Outcome.Checkpoint(); !ok {
			return fmt.Errorf("node %d ended as %s without a chosen checkpoint", b.Node, b.State)
		}
	case tree.StateFailed:
		if b.Outcome.Failure == nil {
			return fmt.Errorf("node %d failed without a reason", b.Node)
		}
	default:
		return fmt.Errorf("a segment does not end as %q", b.State)
	}
	n, err := move(t, b.Node, b.State, e)
	if err != nil {
		return err
	}
	o := b.Outcome
	n.Outcome = &o
	t.Spent.Segments++
	t.Spent.Cost = t.Spent.Cost.Plus(o.Cost)
	return nil
}

func (b *Chosen) apply(t *tree.Tree, e *Event) error {
	n, err := trained(t, b.Node)
	if err != nil {
		return err
	}
	if b.Index < 0 || b.Index >= len(n.Outcome.Checkpoints) {
		return fmt.Errorf("node %d has no checkpoint %d", b.Node, b.Index)
	}
	o := *n.Outcome
	o.Chosen, o.ChosenWhy, o.Val = b.Index, b.Why, o.Checkpoints[b.Index].Val
	n.Outcome, n.Updated = &o, e.Time
	return nil
}

func (b *Reevaluated) apply(t *tree.Tree, e *Event) error {
	n, err := measured(t, b.Node)
	if err != nil {
		return err
	}
	o := *n.Outcome
	o.Checkpoints = append([]tree.Checkpoint(nil), o.Checkpoints...)
	o.Checkpoints[o.Chosen].Val = b.Val
	o.Val, o.Cost = b.Val, o.Cost.Plus(b.Cost)
	n.Outcome, n.Updated = &o, e.Time
	t.Spent.Cost = t.Spent.Cost.Plus(b.Cost)
	return nil
}

func (b *Confirmed) apply(t *tree.Tree, e *Event) error {
	n, err := measured(t, b.Node)
	if err != nil {
		return err
	}
	n.Confirmed, n.Updated = append(n.Confirmed, b.Confirmation), e.Time
	spend(t, b.Confirmation.Cost, b.Segments, true)
	return nil
}

func (b *Wasted) apply(t *tree.Tree, _ *Event) error {
	spend(t, b.Cost, b.Segments, b.Confirm)
	return nil
}

// spend counts what was spent, and whether it was for a confirmation.
func spend(t *tree.Tree, c tree.Cost, segments int, confirm bool) {
	of := []*tree.Spent{&t.Spent}
	if confirm {
		of = append(of, &t.Confirm)
	}
	for _, s := range of {
		s.Segments += segments
		s.Cost = s.Cost.Plus(c)
	}
}

func (b *Tested) apply(t *tree.Tree, e *Event) error {
	n, err := measured(t, b.Node)
	if err != nil {
		return err
	}
	n.Test, n.Updated = b.Test, e.Time
	t.Spent.Cost = t.Spent.Cost.Plus(b.Cost)
	if b.Node == tree.Root {
		t.BaseTest = b.Test
	}
	return nil
}

func (b *Won) apply(t *tree.Tree, e *Event) error {
	if _, err := trained(t, b.Node); err != nil {
		return err
	}
	t.Winner = b.Node
	return nil
}

// move checks and makes a node's move to another state.
func move(t *tree.Tree, id tree.NodeID, to tree.State, e *Event) (*tree.Node, error) {
	n, ok := t.Node(id)
	if !ok {
		return nil, fmt.Errorf("no node %d", id)
	}
	if id == tree.Root || !n.State.May(to, n.Before) {
		return nil, fmt.Errorf("node %d is %s and cannot become %s", id, n.State, to)
	}
	n.State, n.Updated = to, e.Time
	return n, nil
}

func trained(t *tree.Tree, id tree.NodeID) (*tree.Node, error) {
	n, ok := t.Node(id)
	if !ok {
		return nil, fmt.Errorf("no node %d", id)
	}
	if !n.State.Trained() {
		return nil, fmt.Errorf("node %d is %s: it has no checkpoint", id, n.State)
	}
	return n, nil
}

// measured is trained, or was before it was pruned: what was under way then is still written, because it was paid for.
func measured(t *tree.Tree, id tree.NodeID) (*tree.Node, error) {
	if n, ok := t.Node(id); ok && n.State == tree.StatePruned && n.Before.Trained() {
		return n, nil
	}
	return trained(t, id)
}
