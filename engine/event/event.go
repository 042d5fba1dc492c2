package event

import (
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"llmzero/engine/tree"
)

// Event is one entry of a search's journal.
type Event struct {
	Seq  uint64    // from 1, without gaps within a search
	Time time.Time // when it was decided
	Who  string    // "engine", "human", "autopilot", "judge", or an agent's name
	Body Body
}

// Body is what happened. The types of this package implement it.
type Body interface {
	// Kind is the body's name in the journal.
	Kind() string
	apply(t *tree.Tree, e *Event) error
	touched() []tree.NodeID
}

// Touched lists the nodes that the event changes, so that a store can write just those. For an event that touches a
// subtree it lists the whole of it.
func (e Event) Touched() []tree.NodeID { return e.Body.touched() }

type envelope struct {
	Seq  uint64          `json:"seq"`
	Time time.Time       `json:"time"`
	Who  string          `json:"who"`
	Kind string          `json:"kind"`
	Body json.RawMessage `json:"body"`
}

// MarshalJSON writes the event with its kind beside the body.
func (e Event) MarshalJSON() ([]byte, error) {
	if e.Body == nil {
		return nil, fmt.Errorf("event %d has no body", e.Seq)
	}
	body, err := json.Marshal(e.Body)
	if err != nil {
		return nil, fmt.Errorf("event %d (%s): %w", e.Seq, e.Body.Kind(), err)
	}
	return json.Marshal(envelope{Seq: e.Seq, Time: e.Time, Who: e.Who, Kind: e.Body.Kind(), Body: body})
}

// UnmarshalJSON reads an event. A kind that this version does not know is an error that names it.
func (e *Event) UnmarshalJSON(b []byte) error {
	var env envelope
	if err := json.Unmarshal(b, &env); err != nil {
		return fmt.Errorf("journal entry: %w", err)
	}
	body, err := NewBody(env.Kind)
	if err != nil {
		return fmt.Errorf("journal entry %d: %w", env.Seq, err)
	}
	if len(env.Body) == 0 || string(env.Body) == "null" {
		return fmt.Errorf("journal entry %d (%s) has no body", env.Seq, env.Kind)
	}
	if err := json.Unmarshal(env.Body, body); err != nil {
		return fmt.Errorf("journal entry %d (%s): %w", env.Seq, env.Kind, err)
	}
	*e = Event{Seq: env.Seq, Time: env.Time, Who: env.Who, Body: body}
	return nil
}

// NewBody makes an empty body of a kind for a decoder to fill. The error names a kind that this version does not know.
func NewBody(kind string) (Body, error) {
	b, ok := kinds[kind]
	if !ok {
		return nil, fmt.Errorf("unknown kind %q: written by a newer llmzero?", kind)
	}
	return reflect.New(reflect.TypeOf(b).Elem()).Interface().(Body), nil
}

var kinds = func() map[string]Body {
	m := map[string]Body{}
	for _, b := range []Body{
		(*Created)(nil), (*BaseScored)(nil), (*Proposed)(nil), (*Judged)(nil), (*Queued)(nil), (*Started)(nil),
		(*Saved)(nil), (*StopAsked)(nil), (*Ended)(nil), (*Chosen)(nil), (*Unvetoed)(nil), (*Pruned)(nil), (*Unpruned)(nil),
		(*Pinned)(nil), (*Hinted)(nil), (*Banned)(nil), (*Unbanned)(nil), (*ApprovalSet)(nil), (*BudgetSet)(nil),
		(*StatusSet)(nil), (*Renamed)(nil), (*Confirmed)(nil), (*Tested)(nil), (*Reevaluated)(nil), (*AgentCalled)(nil),
		(*Wasted)(nil), (*Won)(nil),
	} {
		m[b.Kind()] = b
	}
	return m
}()

// Apply folds one event into the tree. An event out of sequence or an illegal move is an error and leaves the tree as it
// was.
func Apply(t *tree.Tree, e Event) error {
	if e.Body == nil {
		return fmt.Errorf("event %d has no body", e.Seq)
	}
	if e.Seq != t.Seq+1 {
		return fmt.Errorf("event %d (%s) does not follow event %d: ask for a snapshot", e.Seq, e.Body.Kind(), t.Seq)
	}
	if _, ok := e.Body.(*Created); !ok && t.Seq == 0 {
		return fmt.Errorf("event %d (%s): a journal begins with the event created", e.Seq, e.Body.Kind())
	}
	if err := e.Body.apply(t, &e); err != nil {
		return fmt.Errorf("event %d (%s): %w", e.Seq, e.Body.Kind(), err)
	}
	t.Seq, t.Updated = e.Seq, e.Time
	return nil
}

// Replay folds a whole journal into a new tree.
func Replay(events []Event) (*tree.Tree, error) {
	t := &tree.Tree{}
	for _, e := range events {
		if err := Apply(t, e); err != nil {
			return nil, err
		}
	}
	return t, nil
}
