package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// copyTries is how often OpenCopy starts again when a commit falls into its copying.
const copyTries = 20

// briefly is how long OpenShared waits for a writer that may be on its way out.
const briefly = 50 * time.Millisecond

// OpenShared opens a store to read: the file itself, or while another process writes to it a copy.
func OpenShared(ctx context.Context, path string) (*Store, error) {
	s, err := Open(path, Options{ReadOnly: true, Timeout: briefly})
	if errors.Is(err, ErrLocked) {
		return OpenCopy(ctx, path, Options{})
	}
	return s, err
}

// OpenCopy opens a consistent copy of a store, read-only, whether or not another process holds the original. The copy lies in
// the folder for temporary files, readable by its user only, until Close. It returns ErrBusy when the holder commits so often that no
// copy is consistent, and ErrCorrupt when the copy fails Check.
func OpenCopy(ctx context.Context, path string, o Options) (*Store, error) {
	dir, err := os.MkdirTemp("", "llmzero-copy-*")
	if err != nil {
		return nil, fmt.Errorf("copy store %s: %w", path, err)
	}
	s, err := openCopy(ctx, path, filepath.Join(dir, filepath.Base(path)), o)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("copy store %s: %w", path, err), os.RemoveAll(dir))
	}
	s.copy = dir
	return s, nil
}

func openCopy(ctx context.Context, path, to string, o Options) (*Store, error) {
	for try := 0; ; try++ {
		same, err := copyOnce(ctx, path, to)
		if err != nil {
			return nil, err
		}
		if same {
			break
		}
		if try == copyTries {
			return nil, fmt.Errorf("%w: %d copies were overtaken by a commit; try again, or pause the search in %s",
				ErrBusy, copyTries, holder(path))
		}
		select { // the trainer's next commit is a second away, or a segment
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Duration(try+1) * 10 * time.Millisecond):
		}
	}
	o.ReadOnly = true
	s, err := Open(to, o)
	if err != nil {
		return nil, err
	}
	problems, err := s.Check(ctx)
	if err == nil && len(problems) > 0 {
		err = fmt.Errorf("%w: %d problems, the first: %v", ErrCorrupt, len(problems), problems[0])
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// copyOnce copies the file and tells whether no transaction was committed meanwhile. bbolt never overwrites a page that the
// last committed state reaches: a commit writes to free pages first and to one of the two meta pages last. So a copy is
// that state as long as the meta pages are the same after it as before; a transaction that was only being written has
// touched nothing that the copy's meta pages lead to.
func copyOnce(ctx context.Context, from, to string) (same bool, err error) {
	src, err := os.Open(from)
	if errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("%w: start a search first, or name another file with --db", ErrNoStore)
	}
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	before, err := metaPages(src)
	if err != nil {
		return false, err
	}
	dst, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_RDWR, fileMode)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, dst.Close()) }()
	if _, err := io.Copy(dst, readerContext{ctx, src}); err != nil {
		return false, err
	}
	after, err := metaPages(src)
	if err != nil || !bytes.Equal(before, after) {
		return false, err
	}
	// The copied meta pages may already be those of a commit that ended between the two readings of them.
	_, err = dst.WriteAt(before, 0)
	return err == nil, err
}

// metaPages reads the first two pages. The page size is bbolt's: 4 bytes at 24 of a meta page, in the machine's order.
func metaPages(f *os.File) ([]byte, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	head := make([]byte, 28)
	if _, err := f.ReadAt(head, 0); err != nil {
		return nil, fmt.Errorf("%w: the file has no meta page", ErrNotStore)
	}
	size := int(binary.NativeEndian.Uint32(head[24:]))
	if size < 512 || size > 1<<20 {
		size = os.Getpagesize() // the first meta page is being written or is damaged; bbolt will tell
	}
	pages := make([]byte, 2*size)
	if _, err := f.ReadAt(pages, 0); err != nil {
		return nil, fmt.Errorf("%w: the file is shorter than its meta pages", ErrNotStore)
	}
	return pages, nil
}

// readerContext ends a copy when its context ends.
type readerContext struct {
	ctx context.Context //nolint:containedctx // io.Copy takes no context; this lives for one call
	r   io.Reader
}

func (r readerContext) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}
