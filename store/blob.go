package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	bolt "go.etcd.io/bbolt"

	"llmzero/engine/tree"
)

const refPrefix = "sha256:"

// digestOf reads a reference "sha256:" and 64 hex digits.
func digestOf(ref string) (d [32]byte, err error) {
	text, ok := strings.CutPrefix(ref, refPrefix)
	if !ok || hex.DecodedLen(len(text)) != len(d) {
		return d, fmt.Errorf("blob %q: a reference is %s and 64 hex digits", printable(ref), refPrefix)
	}
	if _, err := hex.Decode(d[:], []byte(text)); err != nil {
		return d, fmt.Errorf("blob %q: %w", printable(ref), err)
	}
	return d, nil
}

// use says that a search saved a blob since the file was opened.
type use struct {
	digest [32]byte
	search string
}

// SaveBlob keeps content and returns its reference, "sha256:" and the hex digest. Equal content is kept once.
func (s *Search) SaveBlob(ctx context.Context, data []byte) (string, error) {
	ref, err := s.store.saveBlob(ctx, s.id, data)
	return ref, s.wrap("save a blob", err)
}

func (s *Store) saveBlob(ctx context.Context, search string, data []byte) (string, error) {
	d := sha256.Sum256(data)
	// Marked before it is written, so that a sweep between the two leaves it.
	s.mu.Lock()
	s.saved[use{d, search}] = true
	s.mu.Unlock()
	err := s.update(ctx, func(tx *bolt.Tx) error {
		blobs := tx.Bucket(bucketBlobs)
		if blobs.Get(d[:]) != nil {
			return nil
		}
		return blobs.Put(d[:], data)
	})
	if err != nil {
		return "", err
	}
	return refPrefix + hex.EncodeToString(d[:]), nil
}

// LoadBlob reads what SaveBlob kept, in this search or another. It returns ErrNotFound when it is not there and ErrCorrupt
// when it is not what its reference says.
func (s *Search) LoadBlob(ctx context.Context, ref string) ([]byte, error) {
	d, err := digestOf(ref)
	if err != nil {
		return nil, s.wrap("load a blob", err)
	}
	var data []byte
	err = s.store.view(ctx, func(tx *bolt.Tx) error {
		v := tx.Bucket(bucketBlobs).Get(d[:])
		if v == nil {
			return ErrNotFound
		}
		data = bytes.Clone(v)
		return nil
	})
	if err == nil && sha256.Sum256(data) != d {
		err = fmt.Errorf("%w: the content has another digest", ErrCorrupt)
	}
	if err != nil {
		return nil, s.wrap("load blob "+ref, err)
	}
	return data, nil
}

// eachRef visits the blobs that the nodes of a search name.
func eachRef(search *bolt.Bucket, fn func(node tree.NodeID, d [32]byte) error) error {
	var spec tree.Spec
	if err := decode(search.Get(keySpec), &spec, "the specification"); err != nil {
		return err
	}
	return search.Bucket(bucketNodes).ForEach(func(k, v []byte) error {
		id, _ := number(k)
		n, err := decodeNode(spec.Space, tree.NodeID(id), v)
		if err != nil || n.Outcome == nil {
			return err
		}
		for _, c := range n.Outcome.Checkpoints {
			if !strings.HasPrefix(c.Ref, refPrefix) {
				continue // a file of an external trainer, or the base model
			}
			d, err := digestOf(c.Ref)
			if err != nil {
				return fmt.Errorf("%w: node %d: %w", ErrCorrupt, id, err)
			}
			if err := fn(n.ID, d); err != nil {
				return err
			}
		}
		return nil
	})
}

// sweep deletes the blobs that no node names and that no search but the one given has saved since the file was opened. When a
// node does not decode it deletes nothing, because that node may name any of them.
func (s *Store) sweep(ctx context.Context, tx *bolt.Tx, removed string) error {
	used := map[[32]byte]bool{}
	searches := tx.Bucket(bucketSearches)
	err := searches.ForEachBucket(func(id []byte) error {
		return eachRef(searches.Bucket(id), func(_ tree.NodeID, d [32]byte) error {
			used[d] = true
			return nil
		})
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	for u := range s.saved {
		if u.search != removed {
			used[u.digest] = true
		}
	}
	s.mu.Unlock()
	var free [][]byte
	blobs := tx.Bucket(bucketBlobs)
	c := blobs.Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		if len(k) == 32 && !used[[32]byte(k)] {
			free = append(free, bytes.Clone(k))
		}
	}
	for _, k := range free {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := blobs.Delete(k); err != nil {
			return err
		}
	}
	return nil
}
