package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
)

var quick = Options{noSync: true, Timeout: time.Millisecond}

// filled makes a store with one search of some nodes and returns its path.
func filled(t testing.TB) string {
	t.Helper()
	path := t.TempDir() + "/store.db"
	st := must1(Open(path, quick))(t)
	fill(t, st, "mixed-1", 400)
	must0(t, st.Close())
	return path
}

func fill(t testing.TB, st *Store, id string, events int) *sim {
	t.Helper()
	ctx := context.Background()
	sm := newSim(id, 7)
	rec := must1(st.Create(ctx, sm.spec))(t)
	sm.blob = func() string {
		return must1(rec.SaveBlob(ctx, fmt.Appendf(nil, "weights %d of %s", sm.t.Seq, id)))(t)
	}
	must0(t, rec.Append(ctx, sm.t, sm.history(events), nil))
	return sm
}

func TestOpenRefusesWhatIsNoStore(t *testing.T) {
	random := make([]byte, 1<<16)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range random {
		random[i] = byte(rng.Uint32())
	}
	foreign := t.TempDir() + "/foreign.db"
	db := must1(bolt.Open(foreign, 0o600, nil))(t)
	must0(t, db.Update(func(tx *bolt.Tx) error { _, err := tx.CreateBucket([]byte("other")); return err }))
	must0(t, db.Close())
	newer := filled(t)
	db = must1(bolt.Open(newer, 0o600, nil))(t)
	must0(t, db.Update(func(tx *bolt.Tx) error { return tx.Bucket(bucketMeta).Put(keySchema, []byte("99")) }))
	must0(t, db.Close())
	file := func(b []byte) string {
		path := t.TempDir() + "/file"
		must0(t, os.WriteFile(path, b, 0o600))
		return path
	}
	for _, c := range []struct {
		name, path, says string
		want             error
	}{
		{"empty", file(nil), "remove it", ErrNotStore},
		{"short", file([]byte("hello")), "", ErrNotStore},
		{"random", file(random), "", ErrNotStore},
		{"folder", t.TempDir(), "folder", ErrNotStore},
		{"foreign", foreign, `"other"`, ErrNotStore},
		{"newer", newer, "newer llmzero", ErrNewerSchema},
	} {
		for _, readOnly := range []bool{false, true} {
			before, _ := os.ReadFile(c.path)
			_, err := Open(c.path, Options{ReadOnly: readOnly, Timeout: time.Millisecond})
			if !errors.Is(err, c.want) || !strings.Contains(fmt.Sprint(err), c.says) {
				t.Errorf("%s, read-only %v: %v", c.name, readOnly, err)
			}
			if after, _ := os.ReadFile(c.path); !bytes.Equal(before, after) {
				t.Errorf("%s: opening changed the file", c.name)
			}
		}
	}
	if _, err := Open(t.TempDir()+"/none", Options{ReadOnly: true}); !errors.Is(err, ErrNoStore) {
		t.Errorf("reading a file that is not there: %v", err)
	}
}

func TestLock(t *testing.T) {
	path := filled(t)
	first := must1(Open(path, Options{Timeout: time.Millisecond, Command: "llmzero run\x1b[31m"}))(t)
	for _, readOnly := range []bool{false, true} {
		_, err := Open(path, Options{ReadOnly: readOnly, Timeout: time.Millisecond})
		if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), fmt.Sprintf("llmzero run[31m (process %d, since", os.Getpid())) {
			t.Errorf("second opener, read-only %v: %v", readOnly, err)
		}
	}
	must0(t, first.Close())
	a := must1(Open(path, Options{ReadOnly: true, Timeout: time.Millisecond}))(t)
	b := must1(Open(path, Options{ReadOnly: true, Timeout: time.Millisecond}))(t)
	if _, err := Open(path, quick); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), "another process") {
		t.Errorf("a writer beside readers: %v", err)
	}
	if _, err := a.NewID(t.Context(), "mixed"); !errors.Is(err, ErrReadOnly) {
		t.Errorf("writing to a read-only store: %v", err)
	}
	must0(t, errors.Join(a.Close(), b.Close()))
	if _, err := a.List(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed store: %v", err)
	}
}

// TestDamage flips and cuts bytes of a good file. Whatever happens must be an error or a reported problem, or leave the
// content as it was: never a panic and never silence about another content.
func TestDamage(t *testing.T) {
	ctx := context.Background()
	good := must1(os.ReadFile(filled(t)))(t)
	rng := rand.New(rand.NewPCG(3, 4))
	dir := t.TempDir()
	var refused, reported, harmless int
	for i := range 150 {
		b := bytes.Clone(good)
		switch i % 4 {
		case 0: // a byte
			b[rng.IntN(len(b))] ^= byte(1 + rng.IntN(255))
		case 1: // a page of noise
			at := rng.IntN(len(b) - 4096)
			for j := range 4096 {
				b[at+j] = byte(rng.Uint32())
			}
		case 2: // a lost page
			at := rng.IntN(len(b)/4096) * 4096
			clear(b[at : at+4096])
		case 3: // a lost end
			b = b[:rng.IntN(len(b))]
		}
		path := fmt.Sprintf("%s/%d.db", dir, i)
		must0(t, os.WriteFile(path, b, 0o600))
		st, err := Open(path, quick)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrNotStore) && !errors.Is(err, ErrNewerSchema) {
				t.Errorf("damage %d: %v", i, err)
			}
			refused++
			continue
		}
		problems, err := st.Check(ctx)
		if err != nil || len(problems) > 0 {
			reported++
		} else {
			harmless++
			if rec, err := st.Search("mixed-1"); err == nil { // a byte in the counter of names or a free page
				must1(rec.Tree(ctx))(t)
			}
		}
		must0(t, st.Close())
	}
	t.Logf("%d refused, %d reported, %d harmless", refused, reported, harmless)
	if refused == 0 || reported == 0 {
		t.Error("the damage is too uniform to test anything")
	}
}

func TestOpenCopy(t *testing.T) {
	ctx := context.Background()
	path := t.TempDir() + "/store.db"
	st := openTest(t, path)
	sm := fill(t, st, "mixed-1", 300)
	rec := must1(st.Search("mixed-1"))(t)
	c := must1(OpenCopy(ctx, path, quick))(t)
	sameTree(t, must1(must1(c.Search("mixed-1"))(t).Tree(ctx))(t), sm.t)
	if !c.Copied() || !c.ReadOnly() || st.Copied() {
		t.Error("the copy does not say that it is one")
	}
	must0(t, c.Close())
	if _, err := os.Stat(c.copy); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the copy is left behind: %v", err)
	}
	// A writer that goes on: every copy that is opened must be sound.
	done := make(chan error, 1)
	ctx, stop := context.WithCancel(ctx)
	go func() {
		for ctx.Err() == nil {
			if err := rec.Append(context.Background(), sm.t, sm.history(3), nil); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	sound, busy := 0, 0
	for range 8 {
		c, err := OpenCopy(ctx, path, quick)
		switch {
		case errors.Is(err, ErrBusy):
			busy++
		case err != nil:
			t.Error(err)
		default:
			sound++
			must0(t, c.Close())
		}
	}
	stop()
	must0(t, <-done)
	t.Logf("%d sound copies, %d given up", sound, busy)
	if _, err := OpenCopy(context.Background(), path+"x", quick); !errors.Is(err, ErrNoStore) {
		t.Errorf("a copy of nothing: %v", err)
	}
}

// TestCopyOvertaken commits between the two readings of the meta pages.
func TestCopyOvertaken(t *testing.T) {
	path := t.TempDir() + "/store.db"
	st := openTest(t, path)
	fill(t, st, "mixed-1", 100)
	ctx := &commitInside{Context: context.Background(), commit: func() { must1(st.NewID(context.Background(), "x"))(t) }}
	same, err := copyOnce(ctx, path, t.TempDir()+"/copy")
	if same || err != nil {
		t.Errorf("a copy that was overtaken passes as consistent: %v, %v", same, err)
	}
}

// commitInside commits when the copying looks at its context.
type commitInside struct {
	context.Context //nolint:containedctx // it is a context
	commit          func()
}

func (c *commitInside) Err() error {
	if c.commit != nil {
		c.commit()
		c.commit = nil
	}
	return nil
}

func TestCompact(t *testing.T) {
	ctx := context.Background()
	path := t.TempDir() + "/store.db"
	st := openTest(t, path)
	a := fill(t, st, "mixed-1", 300)
	fill(t, st, "sort-1", 2000)
	must0(t, st.Remove(ctx, "sort-1"))
	before := must1(os.Stat(path))(t)
	must0(t, st.Compact(ctx))
	after := must1(os.Stat(path))(t)
	if after.Size() >= before.Size() {
		t.Errorf("%d bytes before, %d after", before.Size(), after.Size())
	}
	rec := must1(st.Search("mixed-1"))(t)
	sameTree(t, must1(rec.Tree(ctx))(t), a.t)
	must0(t, rec.Append(ctx, a.t, a.history(5), nil))
	if _, err := Open(path, quick); !errors.Is(err, ErrLocked) {
		t.Errorf("after Compact the store is not locked: %v", err)
	}
	left := must1(os.ReadDir(t.TempDir() + "/.."))(t)
	for _, f := range left {
		if strings.Contains(f.Name(), "compact-") {
			t.Errorf("%s is left behind", f.Name())
		}
	}
	must0(t, st.Close())
	again := openTest(t, path)
	sameTree(t, must1(must1(again.Search("mixed-1"))(t).Tree(ctx))(t), a.t)
}
