package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	bolt "go.etcd.io/bbolt"
)

// compactTx is how many bytes Compact copies in one transaction.
const compactTx = 8 << 20

// Compact sweeps blobs that nothing names and rewrites the file without its free pages, which bbolt never gives back. The new
// file takes the old one's place by a rename: a crash leaves one or the other. Other calls on the store wait.
func (s *Store) Compact(ctx context.Context) error {
	err := s.compact(ctx)
	if err != nil {
		return fmt.Errorf("compact store %s: %w", s.path, err)
	}
	return nil
}

func (s *Store) compact(ctx context.Context) (err error) {
	if s.opts.ReadOnly {
		return ErrReadOnly
	}
	if err := s.update(ctx, func(tx *bolt.Tx) error { return s.sweep(ctx, tx, "") }); err != nil {
		return err
	}
	s.swap.Lock()
	defer s.swap.Unlock()
	f, err := os.CreateTemp(filepath.Dir(s.path), filepath.Base(s.path)+compactSuffix)
	if err != nil {
		return err
	}
	tmp := f.Name()
	if err := f.Close(); err != nil {
		return err
	}
	// The lock on the new file is ours from before it has the store's name, so nobody gets in between.
	fresh, err := openBolt(tmp, s.opts, false)
	if err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	err = func() (err error) {
		defer guard(&err)()
		return bolt.Compact(fresh, s.db, compactTx)
	}()
	if err == nil {
		err = errors.Join(ctx.Err(), fresh.Sync())
	}
	if err == nil {
		err = os.Rename(tmp, s.path)
	}
	if err != nil {
		return errors.Join(err, fresh.Close(), os.Remove(tmp))
	}
	old := s.db
	s.db = fresh
	return errors.Join(syncDir(filepath.Dir(s.path)), old.Close())
}

// syncDir makes a link or rename durable.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // folders cannot be synced there
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
