package store

import (
	"fmt"
	"reflect"
	"time"

	"github.com/fxamacker/cbor/v2"

	"llmzero/engine/event"
	"llmzero/engine/tree"
)

// enc is deterministic (sorted keys), so that equal values have equal bytes. dec takes the invalid UTF-8 that models
// write into completions, and lists as long as a subtree of a million nodes.
var (
	enc = must(cbor.EncOptions{
		Sort: cbor.SortBytewiseLexical, ShortestFloat: cbor.ShortestFloat16, Time: cbor.TimeRFC3339NanoUTC,
	}.EncMode())
	dec = must(cbor.DecOptions{
		UTF8: cbor.UTF8DecodeInvalid, FieldNameMatching: cbor.FieldNameMatchingCaseSensitive, MaxArrayElements: 1 << 24,
		DupMapKey: cbor.DupMapKeyEnforcedAPF,
	}.DecMode())
)

func must[M any](m M, err error) M {
	if err != nil {
		panic(fmt.Sprintf("store: codec options: %v", err)) // a constant is wrong: cannot happen outside development
	}
	return m
}

// decode reads a value; what names it in the error.
func decode(b []byte, v any, what string) error {
	if len(b) == 0 {
		return fmt.Errorf("%w: %s is missing", ErrCorrupt, what)
	}
	if err := dec.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrCorrupt, what, err)
	}
	return nil
}

// headRow is a tree without its specification and nodes: the outer fields hide the inner ones of the same name.
type headRow struct {
	tree.Tree
	Spec  *struct{} `json:"spec,omitempty"`
	Nodes *struct{} `json:"nodes,omitempty"`
}

// entry is a journal entry without its sequence number, which is its key.
type entry struct {
	Time time.Time       `json:"time"`
	Who  string          `json:"who"`
	Kind string          `json:"kind"`
	Body cbor.RawMessage `json:"body"`
}

func encodeEvent(e event.Event) ([]byte, error) {
	if e.Body == nil || reflect.ValueOf(e.Body).IsNil() {
		return nil, fmt.Errorf("journal entry %d has no body", e.Seq)
	}
	body, err := enc.Marshal(e.Body)
	if err != nil {
		return nil, fmt.Errorf("journal entry %d (%s): %w", e.Seq, e.Body.Kind(), err)
	}
	return enc.Marshal(entry{Time: e.Time, Who: e.Who, Kind: e.Body.Kind(), Body: body})
}

func decodeEvent(seq uint64, b []byte) (event.Event, error) {
	var en entry
	if err := decode(b, &en, fmt.Sprintf("journal entry %d", seq)); err != nil {
		return event.Event{}, err
	}
	body, err := event.NewBody(en.Kind)
	if err != nil {
		return event.Event{}, fmt.Errorf("journal entry %d: %w", seq, err)
	}
	if err := decode(en.Body, body, fmt.Sprintf("journal entry %d (%s)", seq, en.Kind)); err != nil {
		return event.Event{}, err
	}
	return event.Event{Seq: seq, Time: en.Time, Who: en.Who, Body: body}, nil
}
