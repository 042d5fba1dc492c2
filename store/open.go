package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// Modes of what this package creates: the store holds prompts and completions of its user.
const (
	fileMode = 0o600
	dirMode  = 0o700
)

// Suffixes of files that become the store by a link or a rename; * is a random number.
const (
	newSuffix     = ".new-*"
	compactSuffix = ".compact-*"
)

// DefaultTimeout is how long Open waits for another process to let go of the file.
const DefaultTimeout = 2 * time.Second

// Options of Open and OpenCopy.
type Options struct {
	// ReadOnly opens the file for reading with a lock that it shares with other readers, but not with a writer.
	ReadOnly bool
	// Timeout is how long to wait for the lock; 0 is DefaultTimeout.
	Timeout time.Duration
	// Command says who holds the store, for the message that other processes get: "llmzero run". Empty: the program's name.
	Command string
	// Program is the version that is noted in the file by whoever writes it, for people.
	Program string

	noSync bool // tests and benchmarks of things other than durability
}

// Store is an open store. Its methods are safe for concurrent use.
type Store struct {
	path string
	swap sync.RWMutex // held to write while Compact puts another file in db's place
	db   *bolt.DB
	opts Options
	copy string // the temporary folder of OpenCopy
	now  func() time.Time

	closed atomic.Bool

	mu       sync.Mutex
	searches map[string]*Search // handles given out, so that all users of a search share its buffers
	saved    map[use]bool       // blobs saved since the file was opened, which an entry may be about to name
}

// Open opens the store at path, and creates it with mode 0600 (its folder with 0700) unless it is opened read-only.
// It returns ErrLocked when another process holds it, ErrNoStore, ErrNotStore, ErrNewerSchema, ErrOlderSchema or ErrCorrupt.
func Open(path string, o Options) (*Store, error) {
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // Compact puts a new file in the place of this one, not of a link to it
	}
	s := &Store{path: path, opts: o, now: time.Now, searches: map[string]*Search{}, saved: map[use]bool{}}
	if err := s.open(); err != nil {
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	return s, nil
}

func (s *Store) open() error {
	info, err := os.Stat(s.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if s.opts.ReadOnly {
			return fmt.Errorf("%w: start a search first, or name another file with --db", ErrNoStore)
		}
		if err := create(s.path, s.opts); err != nil {
			return err
		}
	case err != nil:
		return err
	case info.IsDir():
		return fmt.Errorf("%w: it is a folder; name a file", ErrNotStore)
	case info.Size() == 0:
		return fmt.Errorf("%w: the file is empty; remove it to start a new store", ErrNotStore)
	}
	prefetch(s.path)
	if err := s.preflight(); err != nil || s.opts.ReadOnly {
		return err
	}
	// The walk found sound pages; now take the file for ourselves.
	if err := s.db.Close(); err != nil {
		return err
	}
	if s.db, err = openBolt(s.path, s.opts, false); err != nil {
		return err
	}
	if err := s.adopt(); err != nil {
		return errors.Join(err, s.db.Close())
	}
	return nil
}

// preflight opens the file read-only and walks all of it. bbolt, opened to write, looks for free pages in a goroutine of its
// own, where a damaged page would end the process.
func (s *Store) preflight() (err error) {
	if s.db, err = openBolt(s.path, s.opts, true); err != nil {
		return err
	}
	err = s.view(context.Background(), func(tx *bolt.Tx) error {
		v, err := schemaOf(tx)
		switch {
		case err != nil:
			return err
		case s.opts.ReadOnly && v == 0:
			return fmt.Errorf("%w: the file holds nothing", ErrNoStore)
		case s.opts.ReadOnly && v < Schema():
			return fmt.Errorf("%w: %d, and this llmzero wants %d: open it to write once, which converts it", ErrOlderSchema, v, Schema())
		}
		return walk(tx)
	})
	if err != nil {
		return errors.Join(err, s.db.Close())
	}
	return nil
}

// walk visits every key of every bucket.
func walk(tx *bolt.Tx) error {
	var visit func(b *bolt.Bucket) error
	visit = func(b *bolt.Bucket) error {
		c := b.Cursor()
		for k, v := c.First(); k != nil; k, v = c.Next() {
			if v != nil {
				continue
			}
			if child := b.Bucket(k); child != nil {
				if err := visit(child); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return tx.ForEach(func(_ []byte, b *bolt.Bucket) error { return visit(b) })
}

// adopt migrates a file that this process holds, notes who writes it and leaves its owner's note.
func (s *Store) adopt() error {
	err := s.update(context.Background(), func(tx *bolt.Tx) error {
		if err := migrate(tx); err != nil {
			return err
		}
		if meta := tx.Bucket(bucketMeta); s.opts.Program != "" && string(meta.Get(keyProgram)) != s.opts.Program {
			return meta.Put(keyProgram, []byte(s.opts.Program))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := os.Chmod(s.path, fileMode); err != nil {
		return err
	}
	// What a process that was killed while it made or compacted the store has left; the lock says that it is gone.
	for _, suffix := range []string{newSuffix, compactSuffix} {
		left, err := filepath.Glob(escapeGlob(s.path) + suffix)
		if err != nil {
			return err
		}
		for _, path := range left {
			if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	if err := writeOwner(s.path, s.opts.Command); err != nil && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return nil // in a folder where nothing may be made, messages do without the note
}

// create makes a complete store under another name and links it into place, so that no crash leaves half a file there.
func create(path string, o Options) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, filepath.Base(path)+newSuffix)
	if err != nil {
		return err
	}
	tmp := f.Name()
	defer func() {
		if e := os.Remove(tmp); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}()
	if err := f.Close(); err != nil {
		return err
	}
	db, err := openBolt(tmp, o, false)
	if err != nil {
		return err
	}
	if err := errors.Join(db.Update(migrate), db.Close()); err != nil {
		return err
	}
	err = os.Link(tmp, path)
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil // someone else was first: theirs is as good
	case err != nil: // a file system without links
		err = os.Rename(tmp, path)
	}
	return errors.Join(err, syncDir(dir))
}

// escapeGlob makes a path match itself.
func escapeGlob(path string) string {
	if runtime.GOOS == "windows" {
		return path // Glob knows no escapes there
	}
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

func openBolt(path string, o Options, readOnly bool) (db *bolt.DB, err error) {
	defer guard(&err)()
	db, err = bolt.Open(path, fileMode, &bolt.Options{
		Timeout: o.Timeout, ReadOnly: readOnly, NoFreelistSync: true, FreelistType: bolt.FreelistMapType, NoSync: o.noSync, NoGrowSync: o.noSync,
	})
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return nil, fmt.Errorf("%w: %s holds it; close that one, or open a copy to read", ErrLocked, holder(path))
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%w; check who owns the file", err)
	case err != nil && !isSystem(err):
		return nil, fmt.Errorf("%w: %w", ErrNotStore, err)
	}
	return db, known(err)
}

// isSystem tells errors of the operating system, a full disk for one, from bbolt's about a file's content.
func isSystem(err error) bool {
	var path *fs.PathError
	var no syscall.Errno
	return errors.As(err, &path) || errors.As(err, &no) || errors.Is(err, ErrCorrupt)
}

// Path is the file's name as it was opened.
func (s *Store) Path() string { return s.path }

// Copied tells whether the store is a read-only copy made by OpenCopy, which does not follow the original.
func (s *Store) Copied() bool { return s.copy != "" }

// ReadOnly tells whether the store refuses to be written.
func (s *Store) ReadOnly() bool { return s.opts.ReadOnly }

// Close writes what is buffered, waits for calls that are under way and lets go of the file. A second Close does nothing.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	var err error
	if !s.opts.ReadOnly {
		s.mu.Lock()
		handles := slices.Collect(maps.Values(s.searches))
		s.mu.Unlock()
		for _, h := range handles {
			err = errors.Join(err, h.Flush(context.Background()))
		}
		// The note goes first: once the lock is free it may be another's.
		err = errors.Join(err, removeOwner(s.path))
	}
	s.swap.Lock()
	defer s.swap.Unlock()
	err = errors.Join(err, s.db.Close())
	if s.copy != "" {
		err = errors.Join(err, os.RemoveAll(s.copy))
	}
	if err != nil {
		return fmt.Errorf("close store %s: %w", s.path, err)
	}
	return nil
}

// writable says why nothing can be buffered for the store, or nil.
func (s *Store) writable() error {
	switch {
	case s.closed.Load():
		return ErrClosed
	case s.opts.ReadOnly:
		return ErrReadOnly
	}
	return nil
}

// view runs fn in a read transaction that ends with it.
func (s *Store) view(ctx context.Context, fn func(tx *bolt.Tx) error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.swap.RLock()
	defer s.swap.RUnlock()
	defer guard(&err)()
	return known(s.db.View(fn))
}

// update runs fn in a write transaction and commits it to disk.
func (s *Store) update(ctx context.Context, fn func(tx *bolt.Tx) error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.swap.RLock()
	defer s.swap.RUnlock()
	defer guard(&err)()
	return known(s.db.Update(fn))
}
