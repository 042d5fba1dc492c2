package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"llmzero/engine/tree"
)

// TestConcurrent has writers of several searches, readers, a remover and a compaction at once.
func TestConcurrent(t *testing.T) {
	ctx := t.Context()
	st := testStore(t)
	var g errgroup.Group
	for w := range 3 {
		id := fmt.Sprintf("mixed-%d", w+1)
		sm := newSim(id, uint64(w))
		rec := must1(st.Create(ctx, sm.spec))(t)
		must0(t, rec.Append(ctx, sm.t, sm.history(2), nil))
		g.Go(func() error {
			for i := range 60 {
				if err := rec.Append(ctx, sm.t, sm.history(2), nil); err != nil {
					return err
				}
				if err := rec.AppendPoints(ctx, 0, []tree.Point{{Step: i}}); err != nil {
					return err
				}
			}
			return nil
		})
		g.Go(func() error {
			for last := 0; last < 60; {
				p, err := rec.Points(ctx, 0)
				if err != nil {
					return err
				}
				if len(p) < last {
					return fmt.Errorf("%d points, and %d before", len(p), last)
				}
				for i := range p {
					if p[i].Step != i {
						return fmt.Errorf("point %d is of step %d", i, p[i].Step)
					}
				}
				last = len(p)
				if _, err := rec.Tree(ctx); err != nil {
					return err
				}
			}
			return nil
		})
	}
	g.Go(func() error {
		for i := range 5 {
			if _, err := st.List(ctx); err != nil {
				return err
			}
			sm := newSim(fmt.Sprintf("other-%d", i), 1)
			rec, err := st.Create(ctx, sm.spec)
			if err == nil {
				err = rec.Append(ctx, sm.t, sm.history(20), nil)
			}
			if err == nil {
				err = st.Remove(ctx, rec.ID())
			}
			if err == nil {
				err = st.Compact(ctx)
			}
			if err != nil {
				return err
			}
			if err := rec.Append(ctx, sm.t, sm.history(1), nil); !errors.Is(err, ErrNotFound) {
				return fmt.Errorf("appending to a removed search: %w", err)
			}
		}
		return nil
	})
	must0(t, g.Wait())
}

// TestNoBlobInUseIsSwept saves, names, removes, compacts and opens at random; what a node names must load at every moment,
// and after a new start and a sweep nothing else may be left.
func TestNoBlobInUseIsSwept(t *testing.T) {
	dir, round := t.TempDir(), 0
	ctx := context.Background()
	rapid.Check(t, func(rt *rapid.T) {
		round++
		path := filepath.Join(dir, fmt.Sprintf("%d.db", round))
		do := func(err error) {
			rt.Helper()
			if err != nil {
				rt.Fatal(err)
			}
		}
		var st *Store
		sims := map[string]*sim{}
		reopen := func() {
			if st != nil {
				do(st.Close())
			}
			var err error
			st, err = Open(path, quick)
			do(err)
		}
		reopen()
		defer func() { do(st.Close()) }()
		n := 0
		for range rapid.IntRange(3, 15).Draw(rt, "steps") {
			id := fmt.Sprintf("mixed-%d", rapid.IntRange(1, 3).Draw(rt, "search"))
			switch rapid.IntRange(0, 6).Draw(rt, "act") {
			case 0, 1, 2:
				sm := sims[id]
				var rec *Search
				var err error
				if sm == nil {
					sm = newSim(id, rapid.Uint64().Draw(rt, "seed"))
					sims[id] = sm
					rec, err = st.Create(ctx, sm.spec)
				} else {
					rec, err = st.Search(id)
				}
				do(err)
				sm.blob = func() string { // contents are shared by searches
					n++
					ref, err := rec.SaveBlob(ctx, []byte{byte(n % 7)})
					do(err)
					return ref
				}
				do(rec.Append(ctx, sm.t, sm.history(20), nil))
			case 3:
				if sims[id] != nil {
					do(st.Remove(ctx, id))
					delete(sims, id)
				}
			case 4:
				do(st.Compact(ctx))
			case 5:
				reopen()
			case 6:
				_, err := st.saveBlob(ctx, id, []byte(id))
				do(err)
			}
			for id, sm := range sims {
				rec, err := st.Search(id)
				do(err)
				for _, ref := range blobRefs(sm.t) {
					_, err := rec.LoadBlob(ctx, ref)
					do(err)
				}
			}
		}
		reopen()
		do(st.Compact(ctx))
		problems, err := st.Check(ctx)
		do(err)
		if len(problems) > 0 {
			rt.Fatal(problems)
		}
		named := map[string]bool{}
		for _, sm := range sims {
			for _, ref := range blobRefs(sm.t) {
				named[ref] = true
			}
		}
		if got := countBlobs(st); got != len(named) {
			rt.Fatalf("%d blobs are left, and %d are named", got, len(named))
		}
		do(os.Remove(path))
	})
}

func countBlobs(s *Store) (n int) {
	err := s.view(context.Background(), func(tx *bolt.Tx) error {
		n = tx.Bucket(bucketBlobs).Stats().KeyN
		return nil
	})
	if err != nil {
		return -1
	}
	return n
}
