package tree

import (
	"slices"
	"time"
)

// State is where a node is in its life.
type State string

// The states of a node.
const (
	StateProposed  State = "proposed"  // waits for a verdict
	StateApproved  State = "approved"  // the gate let it through
	StateVetoed    State = "vetoed"    // the gate refused it
	StateQueued    State = "queued"    // waits for a slot
	StateRunning   State = "running"   // trains
	StateEvaluated State = "evaluated" // trained to its end and scored
	StateStopped   State = "stopped"   // ended early by the judge or a person; its checkpoints are scored
	StateFailed    State = "failed"    // ended without a usable result
	StatePruned    State = "pruned"    // taken out of the search; Node.Before keeps what it was
)

// States are all states in the order of a node's life.
var States = []State{
	StateProposed, StateApproved, StateVetoed, StateQueued, StateRunning,
	StateEvaluated, StateStopped, StateFailed, StatePruned,
}

// moves are the legal moves. Pruning may be undone to whatever the node was, so it is handled in May.
var moves = map[State][]State{
	StateProposed:  {StateApproved, StateVetoed, StatePruned},
	StateApproved:  {StateQueued, StatePruned},
	StateVetoed:    {StateProposed, StatePruned},
	StateQueued:    {StateRunning, StatePruned},
	StateRunning:   {StateEvaluated, StateStopped, StateFailed, StateQueued},
	StateEvaluated: {StatePruned, StateRunning},
	StateStopped:   {StatePruned, StateRunning},
	StateFailed:    {StateQueued, StatePruned},
}

// May tells whether a node in state s may move to state to. A pruned node may only return to the state it had before.
func (s State) May(to State, before State) bool {
	if s == StatePruned {
		return to == before && before != "" && before != StatePruned
	}
	return slices.Contains(moves[s], to)
}

// Trained tells whether a node in this state has scores and checkpoints to go on from.
func (s State) Trained() bool { return s == StateEvaluated || s == StateStopped }

// Open tells whether a node in this state is still to be decided or run.
func (s State) Open() bool {
	return s == StateProposed || s == StateApproved || s == StateQueued || s == StateRunning
}

// Checkpoint is a state of the network on disk with its validation score.
type Checkpoint struct {
	Step   int    `json:"step"`   // optimizer steps since the base model
	Tokens int64  `json:"tokens"` // of the segment up to here
	Ref    string `json:"ref"`    // "sha256:…" in the store, "file:…" for an external trainer
	Size   int64  `json:"size"`   // bytes
	Val    Score  `json:"val"`
	Data   []byte `json:"-"` // the content on its way to the store, nil otherwise
}

// FailureClass is why a segment failed.
type FailureClass string

// The classes of failures.
const (
	FailOOM     FailureClass = "oom"
	FailNaN     FailureClass = "nan"
	FailConfig  FailureClass = "bad-config"
	FailData    FailureClass = "data"
	FailCrash   FailureClass = "crash"
	FailTimeout FailureClass = "timeout"
)

// Failure is the error of a failed segment. It is data: the agent sees its class and proposes a remedy.
type Failure struct {
	Class   FailureClass `json:"class"`
	Message string       `json:"message"`
}

// Error is the class and the message.
func (f *Failure) Error() string { return string(f.Class) + ": " + f.Message }

// StopNote is why and when a segment was stopped early, and what that saved.
type StopNote struct {
	By          string `json:"by"` // "judge", "agent", "human"
	Why         string `json:"why"`
	AtStep      int    `json:"at_step"`
	SavedSteps  int    `json:"saved_steps"`
	SavedTokens int64  `json:"saved_tokens"` // estimated from the tokens a step so far
}

// Outcome is what a segment produced.
type Outcome struct {
	Checkpoints []Checkpoint `json:"checkpoints,omitempty"` // in step order
	Chosen      int          `json:"chosen"`                // index of the checkpoint to go on from, -1 for none
	ChosenWhy   string       `json:"chosen_why,omitempty"`
	Val         Score        `json:"val"` // of the chosen checkpoint
	Cost        Cost         `json:"cost"`
	Stop        *StopNote    `json:"stop,omitempty"`
	Failure     *Failure     `json:"failure,omitempty"`
	Kernel      string       `json:"kernel,omitempty"` // the arithmetic path that ran, which decides the last bits
	Spark       []float64    `json:"spark,omitempty"`  // the reward curve in at most 16 means, for lists
	Trial       *StopTrial   `json:"trial,omitempty"`  // set when a stop was overruled to measure false stops
}

// StopTrial records a segment that the judge would have stopped and that was run to its end all the same.
type StopTrial struct {
	AtStep    int  `json:"at_step"`    // where the judge would have stopped it
	FalseStop bool `json:"false_stop"` // it ended above the threshold that condemned it
}

// Checkpoint returns the chosen checkpoint.
func (o *Outcome) Checkpoint() (Checkpoint, bool) {
	if o == nil || o.Chosen < 0 || o.Chosen >= len(o.Checkpoints) {
		return Checkpoint{}, false
	}
	return o.Checkpoints[o.Chosen], true
}

// Term is one named part of a search policy's score, so that a screen can say why a node was chosen.
type Term struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
}

// Confirmation is a path retrained from the root with a fresh seed.
type Confirmation struct {
	Seed uint64 `json:"seed"`
	Val  Score  `json:"val"`
	Test Score  `json:"test"`
	Cost Cost   `json:"cost"`
}

// Node is one training segment, proposed, running or done.
type Node struct {
	ID         NodeID         `json:"id"`
	Parent     NodeID         `json:"parent"` // the root is its own parent
	State      State          `json:"state"`
	Before     State          `json:"before,omitempty"` // the state before pruning
	Transition Transition     `json:"transition"`
	Config     Config         `json:"config"`
	Verdict    *Verdict       `json:"verdict,omitempty"`
	Why        []Term         `json:"why,omitempty"`   // the policy's terms when the parent was chosen
	Fresh      bool           `json:"fresh,omitempty"` // a forced fresh start
	Outcome    *Outcome       `json:"outcome,omitempty"`
	Test       Score          `json:"test"`
	Attempts   int            `json:"attempts"`
	Pinned     bool           `json:"pinned,omitempty"`
	Confirmed  []Confirmation `json:"confirmed,omitempty"`
	Created    time.Time      `json:"created"`
	Updated    time.Time      `json:"updated"`

	Children []NodeID `json:"-"` // derived from the children's Parent, ascending
	Depth    int      `json:"-"` // derived: 0 for the root
}

// Val is the validation score of the node's chosen checkpoint; unknown until it has one.
func (n *Node) Val() Score {
	if n.Outcome == nil {
		return Score{}
	}
	return n.Outcome.Val
}

// CheckpointAt is the checkpoint that the node's segment left at an optimizer step since the base model.
func (n *Node) CheckpointAt(step int) (Checkpoint, bool) {
	if n.Outcome != nil {
		for _, c := range n.Outcome.Checkpoints {
			if c.Step == step {
				return c, true
			}
		}
	}
	return Checkpoint{}, false
}
