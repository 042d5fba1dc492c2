package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	bolt "go.etcd.io/bbolt"

	"llmzero/engine/tree"
)

// Names of searches are fit for keys, file names and command lines.
var (
	validID = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$`)
	unfit   = regexp.MustCompile(`[^a-zA-Z0-9._-]+`)
)

// NewID reserves a name for a search of a task: the task and the next number, "mixed-1". A number is given once, also when its
// search was never written or is removed.
func (s *Store) NewID(ctx context.Context, task string) (string, error) {
	base := baseName(task)
	var id string
	err := s.update(ctx, func(tx *bolt.Tx) (err error) {
		id, err = nextID(tx, base)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("new search of %s: %w", printable(task), err)
	}
	return id, nil
}

// baseName makes a task fit for a search's name.
func baseName(task string) string {
	base := strings.Trim(unfit.ReplaceAllString(task, "-"), "-._")
	if base == "" {
		return "search"
	}
	return base[:min(len(base), 40)]
}

func nextID(tx *bolt.Tx, base string) (string, error) {
	ids := tx.Bucket(bucketIDs)
	n := uint64(0)
	if b := ids.Get([]byte(base)); b != nil {
		var err error
		if n, err = strconv.ParseUint(string(b), 10, 64); err != nil {
			return "", fmt.Errorf("%w: counter of %s: %w", ErrCorrupt, base, err)
		}
	}
	n++
	return base + "-" + strconv.FormatUint(n, 10), ids.Put([]byte(base), strconv.AppendUint(nil, n, 10))
}

// claim keeps NewID from giving a name that a search took by itself, by an import for example.
func claim(tx *bolt.Tx, id string) error {
	i := strings.LastIndexByte(id, '-')
	if i < 0 {
		return nil
	}
	n, err := strconv.ParseUint(id[i+1:], 10, 32)
	if err != nil {
		return nil //nolint:nilerr // a name without a number cannot be given by NewID
	}
	ids, base := tx.Bucket(bucketIDs), []byte(id[:i])
	if given, err := strconv.ParseUint(string(ids.Get(base)), 10, 64); err == nil && given >= n {
		return nil
	}
	return ids.Put(base, strconv.AppendUint(nil, n, 10))
}

// Create returns the handle of a new search, under spec.ID or, when that is empty, a new name (Search.ID). The search is in
// the store from its first Append on, which must begin with the event Created; until then reading it gives
// ErrNotFound and a crash leaves nothing. It returns ErrExists when the name is taken.
func (s *Store) Create(ctx context.Context, spec tree.Spec) (*Search, error) {
	if err := s.writable(); err != nil {
		return nil, fmt.Errorf("create a search: %w", err)
	}
	id := spec.ID
	if id == "" {
		var err error
		if id, err = s.NewID(ctx, spec.Task); err != nil {
			return nil, err
		}
	}
	if !validID.MatchString(id) {
		return nil, fmt.Errorf("create search %q: a name has 1 to 64 letters, digits, dots, dashes or underscores", id)
	}
	err := s.view(ctx, func(tx *bolt.Tx) error {
		if tx.Bucket(bucketSearches).Bucket([]byte(id)) != nil {
			return ErrExists
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("create search %s: %w", id, err)
	}
	return s.handle(id), nil
}

// Search returns the handle of a search. The error wraps ErrNotFound and lists names like it.
func (s *Store) Search(id string) (*Search, error) {
	var names []string
	err := s.view(context.Background(), func(tx *bolt.Tx) error {
		searches := tx.Bucket(bucketSearches)
		if searches.Bucket([]byte(id)) != nil {
			return nil
		}
		err := searches.ForEachBucket(func(k []byte) error {
			names = append(names, string(k))
			return nil
		})
		return errors.Join(ErrNotFound, err)
	})
	if errors.Is(err, ErrNotFound) {
		return nil, fmt.Errorf("search %s: %w; %s", printable(id), ErrNotFound, suggest(id, names))
	}
	if err != nil {
		return nil, fmt.Errorf("search %s: %w", printable(id), err)
	}
	return s.handle(id), nil
}

func (s *Store) handle(id string) *Search {
	s.mu.Lock()
	defer s.mu.Unlock()
	h, ok := s.searches[id]
	if !ok {
		h = &Search{store: s, id: id}
		s.searches[id] = h
	}
	return h
}

// suggest names the searches that a mistyped name may mean.
func suggest(id string, names []string) string {
	if len(names) == 0 {
		return "the store holds no search yet"
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(distance(id, a), distance(id, b)), cmp.Compare(a, b))
	})
	return "did you mean " + strings.Join(names[:min(3, len(names))], ", ") + "?"
}

// distance is the Levenshtein distance in bytes.
func distance(a, b string) int {
	a, b = a[:min(len(a), 64)], b[:min(len(b), 64)]
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diag := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := diag
			if a[i] != b[j] {
				d++
			}
			diag = row[j+1]
			row[j+1] = min(d, row[j]+1, diag+1)
		}
	}
	return row[len(b)]
}

// List returns a summary of every search, newest first. One that cannot be read is listed as failed, with the reason as its
// name, so that it does not hide the others.
func (s *Store) List(ctx context.Context) ([]tree.Summary, error) {
	var out []tree.Summary
	err := s.view(ctx, func(tx *bolt.Tx) error {
		searches := tx.Bucket(bucketSearches)
		return searches.ForEachBucket(func(k []byte) error {
			var sum tree.Summary
			if err := decode(searches.Bucket(k).Get(keySummary), &sum, "the summary"); err != nil {
				sum = tree.Summary{Search: string(k), Status: tree.SearchFailed, Name: printable(err.Error())}
			}
			out = append(out, sum)
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list searches: %w", err)
	}
	slices.SortFunc(out, func(a, b tree.Summary) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(len(b.Search), len(a.Search)), cmp.Compare(b.Search, a.Search))
	})
	return out, nil
}

// Remove deletes a search and the blobs that no other search names.
func (s *Store) Remove(ctx context.Context, id string) error {
	h, err := s.Search(id)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	err = s.update(ctx, func(tx *bolt.Tx) error {
		if err := tx.Bucket(bucketSearches).DeleteBucket([]byte(id)); err != nil {
			return err
		}
		return s.sweep(ctx, tx, id)
	})
	if err != nil {
		return fmt.Errorf("remove search %s: %w", id, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.searches, id)
	h.gone = true
	return nil
}
