package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

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
		c.summary(id, b, stored)
	}
	if stored != nil && replayed != nil {
		c.compare(id, stored, replayed)
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

// compare names the first node that the journal tells differently.
func (c *checker) compare(id string, stored, replayed *tree.Tree) {
	same := func(a, b any) bool {
		x, errX := enc.Marshal(a)
		y, errY := enc.Marshal(b)
		return errX == nil && errY == nil && bytes.Equal(x, y)
	}
	switch {
	case !same(stored.Spec, replayed.Spec):
		c.add(id, "the specification is not what the journal says")
	case !same(headRow{Tree: *stored}, headRow{Tree: *replayed}):
		c.add(id, "the head is not what the journal says")
	case len(stored.Nodes) != len(replayed.Nodes):
		c.add(id, "it has %d nodes, and the journal %d", len(stored.Nodes), len(replayed.Nodes))
		return
	}
	for i := range stored.Nodes {
		a, errA := encodeNode(stored.Spec.Space, stored.Nodes[i])
		b, errB := encodeNode(replayed.Spec.Space, replayed.Nodes[i])
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			c.add(id, "node %d is not what the journal says", i)
			return
		}
	}
}

func (c *checker) summary(id string, b *bolt.Bucket, t *tree.Tree) {
	var sum tree.Summary
	if err := decode(b.Get(keySummary), &sum, "the summary"); err != nil {
		c.add(id, "%v", err)
		return
	}
	got, errA := enc.Marshal(sum)
	want, errB := enc.Marshal(t.Summary())
	if errA != nil || errB != nil || !bytes.Equal(got, want) {
		c.add(id, "the summary does not fit the tree")
	}
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
