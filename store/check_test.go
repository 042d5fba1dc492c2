package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"

	"llmzero/engine/tree"
)

// TestCheckReports plants one contradiction after the other in a sound store. Check must name each, and a copy of such a
// store must not open.
func TestCheckReports(t *testing.T) {
	ctx := context.Background()
	base := t.TempDir() + "/store.db"
	st := must1(Open(base, quick))(t)
	sm := fill(t, st, "mixed-1", 400)
	rec := must1(st.Search("mixed-1"))(t)
	must0(t, rec.AppendPoints(ctx, 1, []tree.Point{{Step: 1, Values: map[string]float64{"reward": 1}}}))
	must0(t, rec.Append(ctx, nil, nil, []tree.Exchange{{ID: "x1", Node: 1}}))
	must0(t, st.Close())
	good := must1(os.ReadFile(base))(t)
	digest := must1(digestOf(blobRefs(sm.t)[0]))(t)
	put := func(b *bolt.Bucket, k, v []byte) error { return b.Put(k, v) }
	row := func(change func(n *tree.Node)) []byte {
		n := *sm.t.Nodes[1]
		change(&n)
		return must1(encodeNode(sm.t.Spec.Space, &n))(t)
	}
	for name, c := range map[string]struct {
		plant func(tx *bolt.Tx, search *bolt.Bucket) error
		says  string
	}{
		"a blob is gone": {func(tx *bolt.Tx, _ *bolt.Bucket) error {
			return tx.Bucket(bucketBlobs).Delete(digest[:])
		}, "is missing"},
		"a blob is changed": {func(tx *bolt.Tx, _ *bolt.Bucket) error {
			return put(tx.Bucket(bucketBlobs), digest[:], []byte("other"))
		}, "another digest"},
		"a blob under a short name": {func(tx *bolt.Tx, _ *bolt.Bucket) error {
			return put(tx.Bucket(bucketBlobs), []byte("x"), []byte("x"))
		}, "a key of 1 bytes"},
		"a gap in the journal": {func(_ *bolt.Tx, s *bolt.Bucket) error {
			return s.Bucket(bucketJournal).Delete(key(17))
		}, "journal entry 17 is missing"},
		"the end of the journal is gone": {func(_ *bolt.Tx, s *bolt.Bucket) error {
			return s.Bucket(bucketJournal).Delete(key(400))
		}, "not what the journal says"},
		"a node is gone": {func(_ *bolt.Tx, s *bolt.Bucket) error {
			return s.Bucket(bucketNodes).Delete(key(2))
		}, "node 2 is missing"},
		"a node is changed": {func(_ *bolt.Tx, s *bolt.Bucket) error {
			return put(s.Bucket(bucketNodes), key(1), row(func(n *tree.Node) { n.Attempts += 7 }))
		}, "node 1 is not what the journal says"},
		"a node breaks an invariant": {func(_ *bolt.Tx, s *bolt.Bucket) error {
			return put(s.Bucket(bucketNodes), key(1), row(func(n *tree.Node) { n.State, n.Outcome = tree.StateEvaluated, nil }))
		}, "without an outcome"},
		"a node is cut": {func(_ *bolt.Tx, s *bolt.Bucket) error {
			return put(s.Bucket(bucketNodes), key(1), row(func(*tree.Node) {})[:20])
		}, "cut off"},
		"a row of a later version": {func(_ *bolt.Tx, s *bolt.Bucket) error {
			return put(s.Bucket(bucketNodes), key(1), []byte{rowVersion + 1})
		}, "newer schema"},
		"the head is changed": {func(_ *bolt.Tx, s *bolt.Bucket) error {
			other := *sm.t
			other.Spent.Segments++
			v, err := enc.Marshal(headRow{Tree: other})
			return errors.Join(err, put(s, keyHead, v))
		}, `the head is not what the journal says: at "spent.segments"`},
		"the specification is changed": {func(_ *bolt.Tx, s *bolt.Bucket) error {
			other := sm.t.Spec
			other.Seed++
			v, err := enc.Marshal(other)
			return errors.Join(err, put(s, keySpec, v))
		}, `the spec is not what the journal says: at "seed"`},
		"the summary is changed": {func(_ *bolt.Tx, s *bolt.Bucket) error {
			v, err := enc.Marshal(tree.Summary{Search: "mixed-1"})
			return errors.Join(err, put(s, keySummary, v))
		}, "the summary is not what"},
		"the summary is gone": {func(_ *bolt.Tx, s *bolt.Bucket) error {
			return s.Delete(keySummary)
		}, "it is missing"},
		"a bucket is gone": {func(_ *bolt.Tx, s *bolt.Bucket) error {
			return s.DeleteBucket(bucketPoints)
		}, "bucket points is missing"},
		"points are cut": {func(_ *bolt.Tx, s *bolt.Bucket) error {
			v, err := enc.Marshal(pointChunk{Steps: []int{1}})
			return errors.Join(err, put(s.Bucket(bucketPoints), key(1, 1), v))
		}, "token counts"},
		"an exchange without an index": {func(_ *bolt.Tx, s *bolt.Bucket) error {
			return s.Bucket(bucketExchangeIDs).Delete([]byte("x1"))
		}, "x1 is not in the index"},
		"a key among the searches": {func(tx *bolt.Tx, _ *bolt.Bucket) error {
			return put(tx.Bucket(bucketSearches), []byte("stray"), []byte("x"))
		}, `"stray" is no search`},
	} {
		path := filepath.Join(t.TempDir(), "store.db")
		must0(t, os.WriteFile(path, good, 0o600))
		st := must1(Open(path, quick))(t)
		if p, err := st.Check(ctx); err != nil || len(p) > 0 {
			t.Fatalf("before: %v, %v", p, err)
		}
		must0(t, st.update(ctx, func(tx *bolt.Tx) error {
			return c.plant(tx, tx.Bucket(bucketSearches).Bucket([]byte("mixed-1")))
		}))
		problems, err := st.Check(ctx)
		if err != nil || !strings.Contains(fmt.Sprint(problems), c.says) {
			t.Errorf("%s: %v, %v", name, problems, err)
		}
		if _, err := OpenCopy(ctx, path, quick); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: a copy opens: %v", name, err)
		}
		must0(t, st.Close())
	}
}

func TestLoadBlobVerifies(t *testing.T) {
	ctx := context.Background()
	st := must1(Open(t.TempDir()+"/store.db", quick))(t)
	rec := must1(st.Create(ctx, testSpec("mixed-1")))(t)
	content := bytes.Repeat([]byte("weights"), 9000) // several pages
	ref := must1(rec.SaveBlob(ctx, content))(t)
	if got := must1(rec.LoadBlob(ctx, ref))(t); !bytes.Equal(got, content) {
		t.Error("the content is another")
	}
	d := sha256.Sum256(content)
	must0(t, st.update(ctx, func(tx *bolt.Tx) error { return tx.Bucket(bucketBlobs).Put(d[:], content[1:]) }))
	if _, err := rec.LoadBlob(ctx, ref); !errors.Is(err, ErrCorrupt) {
		t.Errorf("changed content was given out: %v", err)
	}
	must0(t, st.Close())
}

// TestCheckAcceptsFieldsOfOthers reads what a version wrote that had one field less and one more.
func TestCheckAcceptsFieldsOfOthers(t *testing.T) {
	ctx := context.Background()
	st := testStore(t) // which checks at the end
	fill(t, st, "mixed-1", 100)
	must0(t, st.update(ctx, func(tx *bolt.Tx) error {
		b := tx.Bucket(bucketSearches).Bucket([]byte("mixed-1"))
		for _, k := range [][]byte{keySummary, keyHead, keySpec} {
			var v map[string]any
			if err := decode(b.Get(k), &v, string(k)); err != nil {
				return err
			}
			v["colour"] = "blue"
			delete(v, map[string]string{"summary": "waiting", "head": "base_test", "spec": "fresh_rate"}[string(k)])
			row, err := enc.Marshal(v)
			if err := errors.Join(err, b.Put(k, row)); err != nil {
				return err
			}
		}
		return nil
	}))
	must1(must1(st.Search("mixed-1"))(t).Tree(ctx))(t)
}

// TestListShowsDamaged reads the sound searches beside one that is not.
func TestListShowsDamaged(t *testing.T) {
	ctx := context.Background()
	st := must1(Open(t.TempDir()+"/store.db", quick))(t)
	fill(t, st, "mixed-1", 50)
	fill(t, st, "mixed-2", 50)
	must0(t, st.update(ctx, func(tx *bolt.Tx) error {
		return tx.Bucket(bucketSearches).Bucket([]byte("mixed-2")).Delete(keySummary)
	}))
	list := must1(st.List(ctx))(t)
	if len(list) != 2 || list[0].Search != "mixed-1" || list[1].Status != tree.SearchFailed || !strings.Contains(list[1].Name, "damaged") {
		t.Errorf("list %+v", list)
	}
	must0(t, st.Close())
}

// TestSyncs guards what no kill can show, because the kernel keeps what was written: commits go to the disk.
func TestSyncs(t *testing.T) {
	st := must1(Open(t.TempDir()+"/store.db", Options{}))(t)
	if st.db.NoSync || st.db.NoGrowSync || !st.db.NoFreelistSync {
		t.Error("commits are not synced, or the list of free pages is")
	}
	must0(t, st.Compact(t.Context()))
	if st.db.NoSync || st.db.NoGrowSync || !st.db.NoFreelistSync {
		t.Error("after Compact commits are not synced, or the list of free pages is")
	}
	must0(t, st.Close())
}
