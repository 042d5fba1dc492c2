package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"llmzero/engine/tree"
)

// rowVersion is the first byte of a node's row. The fields follow one another without names, which reads a node with 15
// allocations where CBOR took 47, so that a tree of 100,000 nodes opens in under a second. To add a field, write it last in
// its struct, count rowVersion up and read it only `if r.version >= N`; rows of all earlier versions stay readable.
const rowVersion = 1

// errCut is what a row says that ends too early or has a count that cannot be.
var errCut = errors.New("the row is cut off or damaged")

// encodeNode writes a node as a row. Integers are varints, floats 8 bytes, texts and lists have their length before
// them, and the configuration is its values in the order of the space.
func encodeNode(s tree.Space, n *tree.Node) ([]byte, error) {
	w := rowWriter{b: make([]byte, 0, 1024)}
	w.b = append(w.b, rowVersion)
	w.int(int64(n.ID))
	w.int(int64(n.Parent))
	w.text(string(n.State))
	w.text(string(n.Before))
	w.transition(&n.Transition)
	if err := w.config(s, n.Config); err != nil {
		return nil, fmt.Errorf("node %d: %w", n.ID, err)
	}
	if w.bool(n.Verdict != nil); n.Verdict != nil {
		w.verdict(n.Verdict)
	}
	list(&w, n.Why, func(t *tree.Term) { w.text(t.Name); w.float(t.Value) })
	w.bool(n.Fresh)
	if w.bool(n.Outcome != nil); n.Outcome != nil {
		w.outcome(n.Outcome)
	}
	w.score(n.Test)
	w.int(int64(n.Attempts))
	w.bool(n.Pinned)
	list(&w, n.Confirmed, func(c *tree.Confirmation) {
		w.uint(c.Seed)
		w.score(c.Val)
		w.score(c.Test)
		w.cost(c.Cost)
	})
	w.time(n.Created)
	w.time(n.Updated)
	return w.b, nil
}

// decodeNode is the inverse of encodeNode. The texts of the node share one copy of the row.
func decodeNode(s tree.Space, id tree.NodeID, row []byte) (*tree.Node, error) {
	if len(row) == 0 || row[0] < 1 {
		return nil, fmt.Errorf("%w: node %d: %w", ErrCorrupt, id, errCut)
	}
	if row[0] > rowVersion {
		return nil, fmt.Errorf("%w: node %d is a row of version %d", ErrNewerSchema, id, row[0])
	}
	r := rowReader{b: row, s: string(row), at: 1, version: row[0]}
	n := &tree.Node{ID: tree.NodeID(r.int()), Parent: tree.NodeID(r.int())}
	n.State, n.Before = tree.State(r.text()), tree.State(r.text())
	r.transition(&n.Transition)
	n.Config = r.config(s)
	if r.bool() {
		n.Verdict = r.verdict()
	}
	n.Why = items(&r, func(t *tree.Term) { t.Name, t.Value = r.text(), r.float() })
	n.Fresh = r.bool()
	if r.bool() {
		n.Outcome = r.outcome()
	}
	n.Test = r.score()
	n.Attempts = int(r.int())
	n.Pinned = r.bool()
	n.Confirmed = items(&r, func(c *tree.Confirmation) {
		c.Seed, c.Val, c.Test, c.Cost = r.uint(), r.score(), r.score(), r.cost()
	})
	n.Created, n.Updated = r.time(), r.time()
	switch {
	case r.err == nil && r.at != len(row):
		r.err = fmt.Errorf("%d bytes are left", len(row)-r.at)
	case r.err == nil && n.ID != id:
		r.err = fmt.Errorf("it says that it is node %d", n.ID)
	}
	if r.err != nil {
		return nil, fmt.Errorf("%w: node %d: %w", ErrCorrupt, id, r.err)
	}
	return n, nil
}

// rowWriter appends to a row.
type rowWriter struct{ b []byte }

func (w *rowWriter) int(v int64)   { w.b = binary.AppendVarint(w.b, v) }
func (w *rowWriter) uint(v uint64) { w.b = binary.AppendUvarint(w.b, v) }
func (w *rowWriter) float(v float64) {
	w.b = binary.LittleEndian.AppendUint64(w.b, math.Float64bits(v))
}
func (w *rowWriter) text(v string) { w.b = append(binary.AppendUvarint(w.b, uint64(len(v))), v...) }
func (w *rowWriter) time(v time.Time) {
	w.int(v.Unix())
	w.uint(uint64(v.Nanosecond()))
}

func (w *rowWriter) bool(v bool) {
	if v {
		w.b = append(w.b, 1)
	} else {
		w.b = append(w.b, 0)
	}
}

func list[T any](w *rowWriter, items []T, each func(*T)) {
	w.uint(uint64(len(items)))
	for i := range items {
		each(&items[i])
	}
}

// rowReader reads a row from its start to its end. After an error it gives zeros.
type rowReader struct {
	b       []byte
	s       string // the same as b: texts are parts of it
	at      int
	version byte
	err     error
}

func (r *rowReader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.at = len(r.b)
}

func (r *rowReader) int() int64 {
	v, n := binary.Varint(r.b[r.at:])
	if n <= 0 {
		r.fail(errCut)
		return 0
	}
	r.at += n
	return v
}

func (r *rowReader) uint() uint64 {
	v, n := binary.Uvarint(r.b[r.at:])
	if n <= 0 {
		r.fail(errCut)
		return 0
	}
	r.at += n
	return v
}

func (r *rowReader) float() float64 {
	if len(r.b)-r.at < 8 {
		r.fail(errCut)
		return 0
	}
	v := math.Float64frombits(binary.LittleEndian.Uint64(r.b[r.at:]))
	r.at += 8
	return v
}

// count reads the length of a text or list; each of its items takes a byte at least.
func (r *rowReader) count() int {
	n := r.uint()
	if n > uint64(len(r.b)-r.at) {
		r.fail(errCut)
		return 0
	}
	return int(n)
}

func (r *rowReader) text() string {
	n := r.count()
	r.at += n
	return r.s[r.at-n : r.at]
}

func (r *rowReader) bool() bool {
	if r.at >= len(r.b) || r.b[r.at] > 1 {
		r.fail(errCut)
		return false
	}
	r.at++
	return r.b[r.at-1] == 1
}

func (r *rowReader) time() time.Time {
	sec, nsec := r.int(), r.uint()
	if nsec >= 1e9 {
		r.fail(errCut)
		return time.Time{}
	}
	return time.Unix(sec, int64(nsec)).UTC()
}

func items[T any](r *rowReader, each func(*T)) []T {
	n := r.count()
	if n == 0 {
		return nil
	}
	out := make([]T, n)
	for i := range out {
		each(&out[i])
		if r.err != nil {
			return nil
		}
	}
	return out
}

// config writes the values of a full configuration in the order of the space.
func (w *rowWriter) config(s tree.Space, c tree.Config) error {
	if len(c) != len(s.Params) {
		return fmt.Errorf("the configuration has %d values and the space %d parameters", len(c), len(s.Params))
	}
	for i := range s.Params {
		v, ok := c[s.Params[i].Name]
		if !ok {
			return fmt.Errorf("%s: the configuration gives no value", s.Params[i].Name)
		}
		w.value(v)
	}
	return nil
}

// config shares the names of choices with the space.
func (r *rowReader) config(s tree.Space) tree.Config {
	c := make(tree.Config, len(s.Params))
	for i := range s.Params {
		p := &s.Params[i]
		v := r.value()
		if v.IsText() {
			if j := slices.Index(p.Choices, v.Text); j >= 0 {
				v.Text = p.Choices[j]
			}
		}
		if r.err != nil {
			return nil
		}
		c[p.Name] = v
	}
	return c
}

// value is its text, and when that is empty its number.
func (w *rowWriter) value(v tree.Value) {
	if w.text(v.Text); v.Text == "" {
		w.float(v.Num)
	}
}

func (r *rowReader) value() tree.Value {
	if text := r.text(); text != "" {
		return tree.Choice(text)
	}
	return tree.Number(r.float())
}
