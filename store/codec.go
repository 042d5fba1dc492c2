package store

import (
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"slices"
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

// nodeRow is a node whose configuration is packed.
type nodeRow struct {
	tree.Node
	Config []byte `json:"config"`
}

// Kinds of a packed value.
const (
	packedNumber = 0 // then 8 bytes: the float's bits, little-endian
	packedText   = 1 // then the length as a uvarint, and the bytes
)

// pack writes the values of a full configuration in the order of the space.
func pack(s tree.Space, c tree.Config) ([]byte, error) {
	if len(c) != len(s.Params) {
		return nil, fmt.Errorf("the configuration has %d values and the space %d parameters", len(c), len(s.Params))
	}
	b := make([]byte, 0, 9*len(c))
	for i := range s.Params {
		v, ok := c[s.Params[i].Name]
		switch {
		case !ok:
			return nil, fmt.Errorf("%s: the configuration gives no value", s.Params[i].Name)
		case v.IsText():
			b = binary.AppendUvarint(append(b, packedText), uint64(len(v.Text)))
			b = append(b, v.Text...)
		default:
			b = binary.LittleEndian.AppendUint64(append(b, packedNumber), math.Float64bits(v.Num))
		}
	}
	return b, nil
}

// unpack is the inverse of pack. Names of choices are shared with the space.
func unpack(s tree.Space, b []byte) (tree.Config, error) {
	c := make(tree.Config, len(s.Params))
	for i := range s.Params {
		p := &s.Params[i]
		switch {
		case len(b) >= 9 && b[0] == packedNumber:
			c[p.Name] = tree.Number(math.Float64frombits(binary.LittleEndian.Uint64(b[1:])))
			b = b[9:]
		case len(b) >= 2 && b[0] == packedText:
			n, w := binary.Uvarint(b[1:])
			if w <= 0 || n == 0 || n > uint64(len(b)-1-w) {
				return nil, fmt.Errorf("%s: a packed text is cut off", p.Name)
			}
			text := b[1+w : 1+w+int(n)]
			if j := slices.IndexFunc(p.Choices, func(name string) bool { return name == string(text) }); j >= 0 {
				c[p.Name] = tree.Choice(p.Choices[j])
			} else {
				c[p.Name] = tree.Choice(string(text))
			}
			b = b[1+w+int(n):]
		default:
			return nil, fmt.Errorf("%s: a packed configuration is cut off", p.Name)
		}
	}
	if len(b) != 0 {
		return nil, fmt.Errorf("%d bytes are left after a packed configuration", len(b))
	}
	return c, nil
}

func encodeNode(s tree.Space, n *tree.Node) ([]byte, error) {
	packed, err := pack(s, n.Config)
	if err != nil {
		return nil, fmt.Errorf("node %d: %w", n.ID, err)
	}
	return enc.Marshal(nodeRow{Node: *n, Config: packed})
}

func decodeNode(s tree.Space, id tree.NodeID, b []byte) (*tree.Node, error) {
	var row nodeRow
	if err := decode(b, &row, fmt.Sprintf("node %d", id)); err != nil {
		return nil, err
	}
	c, err := unpack(s, row.Config)
	if err != nil {
		return nil, fmt.Errorf("%w: node %d: %w", ErrCorrupt, id, err)
	}
	if row.ID != id {
		return nil, fmt.Errorf("%w: node %d says that it is node %d", ErrCorrupt, id, row.ID)
	}
	n := row.Node
	n.Config = c
	return &n, nil
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
