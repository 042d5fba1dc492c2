package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	bolt "go.etcd.io/bbolt"

	"llmzero/engine/event"
	"llmzero/engine/tree"
)

// Problem is something wrong in a store.
type Problem struct {
	Search string // empty for the file as a whole
	What   string
}

// String is one line for people.
func (p Problem) String() string {
	if p.Search == "" {
		return p.What
	}
	return "search " + p.Search + ": " + p.What
}

// Check looks for damage: bbolt's own check of its pages, every value decodes, the journal has no gap and its replay equals
// the nodes, the trees' invariants hold, and every blob that a node names is there with its digest. It returns what is
// wrong, nothing for a sound store; the error is for a check that could not be done.
func (s *Store) Check(ctx context.Context) ([]Problem, error) {
	var c checker
	err := s.view(ctx, func(tx *bolt.Tx) error { return c.file(ctx, tx) })
	if errors.Is(err, ErrCorrupt) {
		c.add("", "%v", err)
		err = nil
	}
	if err != nil {
		return c.problems, fmt.Errorf("check store %s: %w", s.path, err)
	}
	return c.problems, nil
}

// checker collects problems.
type checker struct {
	problems []Problem
	named    map[[32]byte]Problem // blobs that nodes name, with what to say when one is missing
}

func (c *checker) add(search, format string, args ...any) {
	c.problems = append(c.problems, Problem{Search: search, What: fmt.Sprintf(format, args...)})
}

func (c *checker) file(ctx context.Context, tx *bolt.Tx) error {
	// The walk comes first: it meets damaged pages in this goroutine, where a panic is caught.
	if err := walk(tx); err != nil {
		return err
	}
	for err := range tx.Check() {
		c.add("", "pages: %v", err)
	}
	if _, err := schemaOf(tx); err != nil {
		return err
	}
	c.named = map[[32]byte]Problem{}
	searches := tx.Bucket(bucketSearches)
	err := searches.ForEach(func(k, v []byte) error {
		if v != nil {
			c.add("", "searches: the key %q is no search", k)
			return nil
		}
		return c.search(ctx, string(k), searches.Bucket(k))
	})
	if err != nil {
		return err
	}
	return c.blobs(ctx, tx.Bucket(bucketBlobs))
}

func (c *checker) search(ctx context.Context, id string, b *bolt.Bucket) error {
	for _, name := range searchBuckets {
		if b.Bucket(name) == nil {
			c.add(id, "the bucket %s is missing", name)
			return nil
		}
	}
	stored, err := readTree(ctx, b)
	if err != nil {
		c.add(id, "%v", err)
	}
	events, replayErr := readEvents(ctx, b, 0)
	var replayed *tree.Tree
	if replayErr == nil {
		replayed, replayErr = event.Replay(events)
	}
	if replayErr != nil {
		c.add(id, "%v", replayErr)
	}
	if stored != nil {
		if stored.Spec.ID != id {
			c.add(id, "its specification is of search %q", stored.Spec.ID)
		}
		if err := stored.Check(); err != nil {
			c.add(id, "%v", err)
		}
	}
	if stored != nil && replayed != nil {
		c.compare(id, b, stored, replayed)
	}
	c.series(id, b)
	err = eachRef(b, func(node tree.NodeID, d [32]byte) error {
		c.named[d] = Problem{Search: id, What: fmt.Sprintf("node %d: its checkpoint %s%s is missing", node, refPrefix, hex.EncodeToString(d[:]))}
		return nil
	})
	if err != nil && stored != nil { // otherwise it was said above
		c.add(id, "%v", err)
	}
	return ctx.Err()
}

// compare names what the journal tells differently.
func (c *checker) compare(id string, b *bolt.Bucket, stored, replayed *tree.Tree) {
	for _, part := range []struct {
		key  []byte
		want any
	}{
		{keySpec, replayed.Spec}, {keyHead, headRow{Tree: *replayed}}, {keySummary, replayed.Summary()},
	} {
		if err := agrees(b.Get(part.key), part.want); err != nil {
			c.add(id, "the %s is not what the journal says: %v", part.key, err)
		}
	}
	if len(stored.Nodes) != len(replayed.Nodes) {
		c.add(id, "it has %d nodes, and the journal %d", len(stored.Nodes), len(replayed.Nodes))
		return
	}
	for i := range stored.Nodes {
		x, errX := encodeNode(stored.Spec.Space, stored.Nodes[i])
		y, errY := encodeNode(replayed.Spec.Space, replayed.Nodes[i])
		if errX != nil || errY != nil || !bytes.Equal(x, y) {
			c.add(id, "node %d is not what the journal says", i)
			return
		}
	}
}

// agrees compares a stored value with what it should be. A field that only one of them has is one that another version of
// the program had not, which is no damage.
func agrees(stored []byte, want any) error {
	b, err := enc.Marshal(want)
	if err != nil {
		return err
	}
	var x, y any
	if err := errors.Join(decode(stored, &x, "it"), dec.Unmarshal(b, &y)); err != nil {
		return err
	}
	if at, ok := differ(x, y); ok {
		return fmt.Errorf("at %q", strings.TrimPrefix(at, "."))
	}
	return nil
}

// differ finds the first place where two decoded values differ.
func differ(x, y any) (at string, ok bool) {
	switch a := x.(type) {
	case map[any]any:
		b, same := y.(map[any]any)
		if !same {
			return "", true
		}
		for k := range a {
			if v, both := b[k]; both {
				if at, ok := differ(a[k], v); ok {
					return fmt.Sprintf(".%v%s", k, at), true
				}
			}
		}
		return "", false
	case []any:
		b, same := y.([]any)
		if !same || len(a) != len(b) {
			return "", true
		}
		for i := range a {
			if at, ok := differ(a[i], b[i]); ok {
				return fmt.Sprintf(".%d%s", i, at), true
			}
		}
		return "", false
	}
	a, errA := enc.Marshal(x)
	b, errB := enc.Marshal(y)
	return "", errA != nil || errB != nil || !bytes.Equal(a, b)
}

// series decodes points, samples and exchanges. ForEach's error is nil, as the visitors' are.
func (c *checker) series(id string, b *bolt.Bucket) {
	visit := func(name []byte, decode func(v []byte) error) {
		err := b.Bucket(name).ForEach(func(k, v []byte) error {
			node, ok := number(k)
			if !ok {
				return fmt.Errorf("a key of %d bytes", len(k))
			}
			if err := decode(v); err != nil {
				return fmt.Errorf("node %d: %w", node, err)
			}
			return nil
		})
		if err != nil {
			c.add(id, "%s: %v", name, err)
		}
	}
	visit(bucketPoints, func(v []byte) error { _, err := decodePoints(v); return err })
	visit(bucketSamples, func(v []byte) error { _, err := decodeSamples(v); return err })
	visit(bucketExchanges, func(v []byte) error {
		var x tree.Exchange
		if err := decode(v, &x, "an exchange"); err != nil {
			return err
		}
		if b.Bucket(bucketExchangeIDs).Get([]byte(x.ID)) == nil {
			return fmt.Errorf("exchange %s is not in the index", x.ID)
		}
		return nil
	})
}

func (c *checker) blobs(ctx context.Context, b *bolt.Bucket) error {
	err := b.ForEach(func(k, v []byte) error {
		if len(k) != 32 {
			c.add("", "blobs: a key of %d bytes", len(k))
			return nil
		}
		d := [32]byte(k)
		delete(c.named, d)
		if sha256.Sum256(v) != d {
			c.add("", "blob %s%s: the content has another digest", refPrefix, hex.EncodeToString(k))
		}
		return ctx.Err()
	})
	for _, p := range c.named {
		c.problems = append(c.problems, p)
	}
	return err
}
