package store

import (
	"bytes"
	"context"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// Limits of what the screen may keep, so that a mistake there cannot fill the store.
const (
	maxScreenKey   = 128
	maxScreenValue = 1 << 20
)

// LoadState reads what the screen keeps under a key; nil when there is nothing.
func (s *Store) LoadState(ctx context.Context, key string) ([]byte, error) {
	var out []byte
	err := s.view(ctx, func(tx *bolt.Tx) error {
		out = bytes.Clone(tx.Bucket(bucketScreen).Get([]byte(key)))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("state of the screen: %w", err)
	}
	return out, nil
}

// SaveState keeps something small for the screen under a key, in place of what was there.
func (s *Store) SaveState(ctx context.Context, key string, data []byte) error {
	if key == "" || len(key) > maxScreenKey || len(data) > maxScreenValue {
		return fmt.Errorf("state of the screen: key of %d and value of %d bytes; at most %d and %d are kept",
			len(key), len(data), maxScreenKey, maxScreenValue)
	}
	err := s.update(ctx, func(tx *bolt.Tx) error { return tx.Bucket(bucketScreen).Put([]byte(key), data) })
	if err != nil {
		return fmt.Errorf("state of the screen: %w", err)
	}
	return nil
}
