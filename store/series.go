package store

import (
	"bytes"
	"context"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"llmzero/engine/tree"
)

// A series is committed when it has this many entries, or when its last commit is this long ago.
const (
	seriesSize = 64
	seriesAge  = time.Second
)

// series buffers what a node's segment reports and a kill may lose at most a second of.
type series[T any] struct {
	pending map[tree.NodeID][]T
	count   int
	since   time.Time // of the last commit
}

func (b *series[T]) add(node tree.NodeID, items []T, now time.Time) (full bool) {
	if b.pending == nil {
		b.pending = map[tree.NodeID][]T{}
	}
	b.pending[node] = append(b.pending[node], items...)
	b.count += len(items)
	return b.count >= seriesSize || now.Sub(b.since) >= seriesAge
}

func (b *series[T]) forget(now time.Time) { b.pending, b.count, b.since = nil, 0, now }

// pointChunk keeps points by column, which needs each metric's name once.
type pointChunk struct {
	Steps   []int    `json:"steps"`
	Tokens  []int64  `json:"tokens"`
	Columns []column `json:"columns"`
}

// column is one metric: its values at the points of the indices At, or at all of them when At is empty.
type column struct {
	Name   string    `json:"name"`
	At     []int     `json:"at,omitempty"`
	Values []float64 `json:"values"`
}

func encodePoints(points []tree.Point) ([]byte, error) {
	var c pointChunk
	index := map[string]int{}
	for i, p := range points {
		c.Steps, c.Tokens = append(c.Steps, p.Step), append(c.Tokens, p.Tokens)
		for name, v := range p.Values {
			j, ok := index[name]
			if !ok {
				j = len(c.Columns)
				index[name] = j
				c.Columns = append(c.Columns, column{Name: name})
			}
			c.Columns[j].At, c.Columns[j].Values = append(c.Columns[j].At, i), append(c.Columns[j].Values, v)
		}
	}
	for j := range c.Columns {
		if len(c.Columns[j].At) == len(points) {
			c.Columns[j].At = nil
		}
	}
	return enc.Marshal(c)
}

func decodePoints(b []byte) ([]tree.Point, error) {
	var c pointChunk
	if err := decode(b, &c, "a chunk of points"); err != nil {
		return nil, err
	}
	if len(c.Tokens) != len(c.Steps) {
		return nil, fmt.Errorf("%w: a chunk of points has %d steps and %d token counts", ErrCorrupt, len(c.Steps), len(c.Tokens))
	}
	points := make([]tree.Point, len(c.Steps))
	for i := range points {
		points[i] = tree.Point{Step: c.Steps[i], Tokens: c.Tokens[i], Values: make(map[string]float64, len(c.Columns))}
	}
	for _, col := range c.Columns {
		full := len(col.At) == 0
		if (full && len(col.Values) != len(points)) || (!full && len(col.Values) != len(col.At)) {
			return nil, fmt.Errorf("%w: a chunk of points lacks values of %s", ErrCorrupt, col.Name)
		}
		for j, v := range col.Values {
			i := j
			if !full {
				i = col.At[j]
			}
			if i < 0 || i >= len(points) {
				return nil, fmt.Errorf("%w: a chunk of points has a value of %s at %d", ErrCorrupt, col.Name, i)
			}
			points[i].Values[col.Name] = v
		}
	}
	return points, nil
}

func encodeSamples(samples []tree.Sample) ([]byte, error) { return enc.Marshal(samples) }

func decodeSamples(b []byte) ([]tree.Sample, error) {
	var out []tree.Sample
	return out, decode(b, &out, "a chunk of samples")
}

// AppendPoints keeps metric points of a node's segment, in the order given. They are on disk after a second, 64 points
// or the next Append, whichever comes first with a call. The event Started clears those of an earlier attempt.
func (s *Search) AppendPoints(ctx context.Context, node tree.NodeID, points []tree.Point) error {
	if len(points) == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.store.writable(); err != nil {
		return s.wrap("append points", err)
	}
	if !s.points.add(node, points, s.store.now()) {
		return nil
	}
	return s.wrap("append points", s.commit(ctx))
}

// AppendSamples keeps completions of a node's segment, under the same rules as AppendPoints.
func (s *Search) AppendSamples(ctx context.Context, node tree.NodeID, samples []tree.Sample) error {
	if len(samples) == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.store.writable(); err != nil {
		return s.wrap("append samples", err)
	}
	if !s.samples.add(node, samples, s.store.now()) {
		return nil
	}
	return s.wrap("append samples", s.commit(ctx))
}

// Flush commits buffered points and samples now.
func (s *Search) Flush(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone || s.points.count+s.samples.count == 0 {
		return nil
	}
	return s.wrap("flush", s.commit(ctx))
}

func (s *Search) commit(ctx context.Context) error {
	err := s.store.update(ctx, func(tx *bolt.Tx) error {
		b, err := s.bucket(tx)
		if err != nil {
			return err
		}
		return s.flush(b, nil)
	})
	if err == nil {
		s.forget()
	}
	return err
}

func (s *Search) forget() {
	s.points.forget(s.store.now())
	s.samples.forget(s.store.now())
}

// flush writes the buffers, without the nodes in drop.
func (s *Search) flush(b *bolt.Bucket, drop map[tree.NodeID]bool) error {
	if err := putSeries(b.Bucket(bucketPoints), s.points.pending, drop, encodePoints); err != nil {
		return err
	}
	return putSeries(b.Bucket(bucketSamples), s.samples.pending, drop, encodeSamples)
}

func putSeries[T any](b *bolt.Bucket, pending map[tree.NodeID][]T, drop map[tree.NodeID]bool, encode func([]T) ([]byte, error)) error {
	for node, items := range pending {
		if drop[node] {
			continue
		}
		v, err := encode(items)
		if err != nil {
			return err
		}
		chunk, err := b.NextSequence()
		if err != nil {
			return err
		}
		if err := b.Put(key(uint64(node), chunk), v); err != nil {
			return err
		}
	}
	return nil
}

// clear deletes the points and samples of nodes that start again.
func (s *Search) clear(b *bolt.Bucket, nodes map[tree.NodeID]bool) error {
	for node := range nodes {
		for _, name := range [][]byte{bucketPoints, bucketSamples} {
			var keys [][]byte // deleting under a cursor skips entries
			err := eachOf(b.Bucket(name), node, func(k, _ []byte) error {
				keys = append(keys, bytes.Clone(k))
				return nil
			})
			if err != nil {
				return err
			}
			for _, k := range keys {
				if err := b.Bucket(name).Delete(k); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// eachOf visits the entries of a node in order.
func eachOf(b *bolt.Bucket, node tree.NodeID, fn func(k, v []byte) error) error {
	prefix := key(uint64(node))
	c := b.Cursor()
	for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
		if err := fn(k, v); err != nil {
			return err
		}
	}
	return nil
}

// Points reads the metric points of a node's last attempt, in the order in which they came, buffered ones included.
func (s *Search) Points(ctx context.Context, node tree.NodeID) ([]tree.Point, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out, err := readSeries(ctx, s, bucketPoints, node, decodePoints)
	if err != nil {
		return nil, s.wrap(fmt.Sprintf("points of node %d", node), err)
	}
	return append(out, s.points.pending[node]...), nil
}

// Samples reads the samples of a node's last attempt, in the order in which they came, buffered ones included.
func (s *Search) Samples(ctx context.Context, node tree.NodeID) ([]tree.Sample, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out, err := readSeries(ctx, s, bucketSamples, node, decodeSamples)
	if err != nil {
		return nil, s.wrap(fmt.Sprintf("samples of node %d", node), err)
	}
	return append(out, s.samples.pending[node]...), nil
}

func readSeries[T any](ctx context.Context, s *Search, name []byte, node tree.NodeID, decode func([]byte) ([]T, error)) ([]T, error) {
	var out []T
	err := s.store.view(ctx, func(tx *bolt.Tx) error {
		b, err := s.bucket(tx)
		if err != nil {
			return err
		}
		return eachOf(b.Bucket(name), node, func(_, v []byte) error {
			items, err := decode(v)
			out = append(out, items...)
			return err
		})
	})
	return out, err
}
