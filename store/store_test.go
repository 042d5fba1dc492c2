package store

import (
	"bytes"
	"context"
	"errors"
	"os"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"llmzero/engine/event"
	"llmzero/engine/tree"
)

func openTest(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(path, Options{noSync: true, Timeout: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		problems, err := s.Check(context.Background())
		if err != nil && !errors.Is(err, ErrClosed) {
			t.Errorf("check at the end: %v", err)
		}
		for _, p := range problems {
			t.Errorf("check at the end: %v", p)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// must0 and must1 end a test on an error.
func must0(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func must1[T any](v T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		must0(t, err)
		return v
	}
}

// sameTree compares what the store would write.
func sameTree(t testing.TB, got, want *tree.Tree) {
	t.Helper()
	a, b := must1(enc.Marshal(got))(t), must1(enc.Marshal(want))(t)
	if !bytes.Equal(a, b) {
		t.Fatalf("trees differ:\n got %+v\nwant %+v", got, want)
	}
	for i := range got.Nodes {
		if got.Nodes[i].Depth != want.Nodes[i].Depth || !slices.Equal(got.Nodes[i].Children, want.Nodes[i].Children) {
			t.Fatalf("node %d is linked differently", i)
		}
	}
}

// TestJournalAndNodesAgree appends random histories in random batches, and expects the same tree from the nodes, from
// a replay and in memory, also after the file was closed and opened.
func TestJournalAndNodesAgree(t *testing.T) {
	dir := t.TempDir()
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		ctx := context.Background()
		path := dir + "/" + time.Duration(round).String() + ".db"
		st, err := Open(path, Options{noSync: true})
		if err != nil {
			rt.Fatal(err)
		}
		defer func() {
			if err := st.Close(); err != nil {
				rt.Fatal(err)
			}
		}()
		sm := newSim("mixed-1", rapid.Uint64().Draw(rt, "seed"))
		rec, err := st.Create(ctx, sm.spec)
		if err != nil {
			rt.Fatal(err)
		}
		var all []event.Event
		for range rapid.IntRange(1, 12).Draw(rt, "batches") {
			batch := sm.history(rapid.IntRange(1, 15).Draw(rt, "size"))
			if err := rec.Append(ctx, sm.t, batch, nil); err != nil {
				rt.Fatal(err)
			}
			all = append(all, batch...)
			if list, err := st.List(ctx); err != nil || len(list) != 1 || !reflect.DeepEqual(list[0], sm.t.Summary()) {
				rt.Fatalf("summary %+v, want %+v (%v)", list, sm.t.Summary(), err)
			}
		}
		if err := st.Close(); err != nil {
			rt.Fatal(err)
		}
		if st, err = Open(path, Options{noSync: true}); err != nil {
			rt.Fatal(err)
		}
		if rec, err = st.Search("mixed-1"); err != nil {
			rt.Fatal(err)
		}
		got, err := rec.Tree(ctx)
		if err != nil {
			rt.Fatal(err)
		}
		events, err := rec.Events(ctx, 0)
		if err != nil || len(events) != len(all) {
			rt.Fatalf("%d events of %d: %v", len(events), len(all), err)
		}
		replayed, err := event.Replay(events)
		if err != nil {
			rt.Fatal(err)
		}
		want, _ := enc.Marshal(sm.t)
		for name, tr := range map[string]*tree.Tree{"nodes": got, "replay": replayed} {
			if b, _ := enc.Marshal(tr); !bytes.Equal(b, want) {
				rt.Fatalf("%s differ from memory", name)
			}
		}
		if err := got.Check(); err != nil {
			rt.Fatal(err)
		}
	})
}

func TestAppendRefusesWhatDoesNotFollow(t *testing.T) {
	ctx := context.Background()
	st := testStore(t)
	sm := newSim("mixed-1", 1)
	first := sm.history(10)
	rec := must1(st.Create(ctx, sm.spec))(t)
	if err := rec.Append(ctx, sm.t, first[1:], nil); !errors.Is(err, ErrSequence) {
		t.Errorf("beginning with entry 2: %v", err)
	}
	must0(t, rec.Append(ctx, sm.t, first, nil))
	if err := rec.Append(ctx, sm.t, first, nil); !errors.Is(err, ErrSequence) {
		t.Errorf("the same entries again: %v", err)
	}
	before := sm.t.Clone()
	next := sm.history(2)
	if err := rec.Append(ctx, sm.t, next[1:], nil); !errors.Is(err, ErrSequence) {
		t.Errorf("with a gap: %v", err)
	}
	if err := rec.Append(ctx, before, next, nil); !errors.Is(err, ErrSequence) {
		t.Errorf("with the tree before the entries: %v", err)
	}
	sameTree(t, must1(rec.Tree(ctx))(t), before)
	must0(t, rec.Append(ctx, sm.t, next, nil))
	sameTree(t, must1(rec.Tree(ctx))(t), sm.t)
	tail := must1(rec.Events(ctx, 11))(t)
	if len(tail) != 2 || tail[0].Seq != 11 {
		t.Errorf("the journal from entry 11 on is %+v", tail)
	}
}

func TestNames(t *testing.T) {
	ctx := context.Background()
	st := testStore(t)
	begin := func(id string) {
		sm := newSim(id, 1)
		rec := must1(st.Create(ctx, sm.spec))(t)
		must0(t, rec.Append(ctx, sm.t, append(sm.history(0), sm.step()), nil))
	}
	for _, want := range []string{"mixed-1", "mixed-2"} {
		rec := must1(st.Create(ctx, tree.Spec{Task: "mixed"}))(t)
		if rec.ID() != want {
			t.Fatalf("name %s, want %s", rec.ID(), want)
		}
		begin(want)
	}
	must0(t, st.Remove(ctx, "mixed-2"))
	if id := must1(st.NewID(ctx, "mixed"))(t); id != "mixed-3" {
		t.Errorf("a removed name was given again: %s", id)
	}
	begin("mixed-9")
	if id := must1(st.NewID(ctx, "mixed"))(t); id != "mixed-10" {
		t.Errorf("a name below one that is taken: %s", id)
	}
	if id := must1(st.NewID(ctx, "wörld map/7"))(t); id != "w-rld-map-7-1" {
		t.Errorf("name of a strange task: %s", id)
	}
	if _, err := st.Create(ctx, testSpec("mixed-1")); !errors.Is(err, ErrExists) {
		t.Errorf("a name that is taken: %v", err)
	}
	if _, err := st.Create(ctx, testSpec("../x")); err == nil {
		t.Error("a path as a name was taken")
	}
	_, err := st.Search("mixd-1")
	if !errors.Is(err, ErrNotFound) || !bytes.Contains([]byte(err.Error()), []byte("did you mean mixed-1")) {
		t.Errorf("a mistyped name: %v", err)
	}
}

func TestBlobs(t *testing.T) {
	ctx := context.Background()
	path := t.TempDir() + "/store.db"
	st := openTest(t, path)
	var refs []string
	rec := map[string]*Search{}
	for _, id := range []string{"a-1", "b-1"} {
		sm := newSim(id, 3)
		rec[id] = must1(st.Create(ctx, sm.spec))(t)
		sm.blob = func() string {
			content := []byte{byte(len(refs) % 5)} // contents repeat within and across searches
			if len(refs) > 200 {
				content = []byte(id)
			}
			ref := must1(rec[id].SaveBlob(ctx, content))(t)
			refs = append(refs, ref)
			return ref
		}
		must0(t, rec[id].Append(ctx, sm.t, sm.history(300), nil))
	}
	orphan := must1(rec["a-1"].SaveBlob(ctx, []byte("orphan")))(t)
	must0(t, st.Remove(ctx, "b-1"))
	if got := must1(rec["a-1"].LoadBlob(ctx, orphan))(t); string(got) != "orphan" {
		t.Error("a blob was swept that an entry may be about to name")
	}
	checkRefs := func(st *Store) {
		t.Helper()
		rec := must1(st.Search("a-1"))(t)
		tr := must1(rec.Tree(ctx))(t)
		n := 0
		for _, node := range tr.Nodes[1:] {
			if node.Outcome == nil {
				continue
			}
			for _, c := range node.Outcome.Checkpoints {
				must1(rec.LoadBlob(ctx, c.Ref))(t)
				n++
			}
		}
		if n == 0 {
			t.Fatal("the search names no blob: the test tests nothing")
		}
	}
	checkRefs(st)
	must0(t, st.Close())
	st = openTest(t, path)
	must0(t, st.Compact(ctx))
	checkRefs(st)
	a := must1(st.Search("a-1"))(t)
	if _, err := a.LoadBlob(ctx, orphan); !errors.Is(err, ErrNotFound) {
		t.Errorf("an orphan of an earlier process outlived Compact: %v", err)
	}
	for _, ref := range []string{"", "sha256:", "sha256:zz", "md5:00", orphan + "0"} {
		if _, err := a.LoadBlob(ctx, ref); err == nil {
			t.Errorf("reference %q was taken", ref)
		}
	}
}

func TestSeries(t *testing.T) {
	ctx := context.Background()
	st := testStore(t)
	clock := t0
	st.now = func() time.Time { return clock }
	sm := newSim("mixed-1", 1)
	rec := must1(st.Create(ctx, sm.spec))(t)
	do := func(b event.Body) {
		t.Helper()
		e := event.Event{Seq: sm.t.Seq + 1, Time: t0, Who: "engine", Body: b}
		must0(t, event.Apply(sm.t, e))
		must0(t, rec.Append(ctx, sm.t, []event.Event{e}, nil))
	}
	do(&event.Created{Spec: sm.spec})
	do(&event.BaseScored{Val: tree.Score{Mean: 0.5, N: 1}})
	do(sm.proposed())
	do(&event.Judged{Node: 1, Verdict: tree.Verdict{Decision: tree.Approved}})
	do(&event.Queued{Node: 1})
	do(&event.Started{Node: 1, Attempt: 1})
	point := func(i int) tree.Point {
		p := tree.Point{Step: i, Tokens: int64(i) * 100, Values: map[string]float64{"reward": float64(i) / 3}}
		if i%10 == 0 {
			p.Values["eval_reward"] = 0.25
		}
		return p
	}
	var want []tree.Point
	writes := func() int64 {
		stats := st.db.Stats()
		return stats.TxStats.GetWrite()
	}
	before := writes()
	for i := range 10 {
		want = append(want, point(i))
		must0(t, rec.AppendPoints(ctx, 1, want[i:]))
	}
	if writes() != before {
		t.Error("ten points in no time were committed one by one")
	}
	same := func() {
		t.Helper()
		if got := must1(rec.Points(ctx, 1))(t); !reflect.DeepEqual(got, want) {
			t.Fatalf("points\n got %v\nwant %v", got, want)
		}
	}
	same()
	for i := 10; i < 200; i++ {
		clock = clock.Add(20 * time.Millisecond)
		want = append(want, point(i))
		must0(t, rec.AppendPoints(ctx, 1, want[i:]))
	}
	same()
	odd := tree.Sample{Step: 3, Prompt: "2+2=", Completion: "4\xff\x1b[2J", Reward: 1}
	must0(t, rec.AppendSamples(ctx, 1, []tree.Sample{odd}))
	do(&event.Hinted{Text: "flushes", Node: 1})
	if rec.points.count+rec.samples.count != 0 {
		t.Error("Append left points or samples in the buffer")
	}
	same()
	if got := must1(rec.Samples(ctx, 1))(t); len(got) != 1 || got[0] != odd {
		t.Errorf("samples %+v", got)
	}
	do(&event.Queued{Node: 1})
	must0(t, rec.AppendPoints(ctx, 1, []tree.Point{point(201)})) // buffered when the next attempt starts
	do(&event.Started{Node: 1, Attempt: 2})
	want = nil
	same()
	if got := must1(rec.Samples(ctx, 1))(t); len(got) != 0 {
		t.Errorf("samples of an earlier attempt are left: %v", got)
	}
}

func TestExchanges(t *testing.T) {
	ctx := context.Background()
	st := testStore(t)
	sm := newSim("mixed-1", 1)
	rec := must1(st.Create(ctx, sm.spec))(t)
	x := func(id string, node tree.NodeID) tree.Exchange {
		return tree.Exchange{ID: id, Node: node, Phase: "propose", Agent: "rules", Prompt: "p", Answer: "a" + id, Latency: 7, When: t0}
	}
	all := []tree.Exchange{x("a", 2), x("b", 1), x("c", 2)}
	must0(t, rec.Append(ctx, sm.t, sm.history(2), all[:1]))
	must0(t, rec.Append(ctx, nil, nil, all[1:]))
	if got := must1(rec.Exchanges(ctx, 2))(t); !reflect.DeepEqual(got, []tree.Exchange{all[0], all[2]}) {
		t.Errorf("exchanges of node 2: %+v", got)
	}
	if got := must1(rec.Exchanges(ctx, AllNodes))(t); len(got) != 3 {
		t.Errorf("all exchanges: %+v", got)
	}
	if got := must1(rec.Exchange(ctx, "b"))(t); !reflect.DeepEqual(got, all[1]) {
		t.Errorf("exchange b: %+v", got)
	}
	if _, err := rec.Exchange(ctx, "z"); !errors.Is(err, ErrNotFound) {
		t.Errorf("an exchange that is not there: %v", err)
	}
}

func TestModes(t *testing.T) {
	dir := t.TempDir() + "/data"
	st := openTest(t, dir+"/store.db")
	for path, want := range map[string]os.FileMode{dir: 0o700 | os.ModeDir, dir + "/store.db": 0o600, dir + "/store.db.owner": 0o600} {
		if info := must1(os.Stat(path))(t); info.Mode() != want {
			t.Errorf("%s has mode %v, want %v", path, info.Mode(), want)
		}
	}
	must0(t, st.Close())
	left := must1(os.ReadDir(dir))(t)
	if len(left) != 1 {
		t.Errorf("files left beside the store: %v", left)
	}
}

// TestClose keeps what was buffered, and leaves nothing of what killed processes left.
func TestClose(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	must0(t, os.Mkdir(dir+"/real[1]", 0o700))
	path := dir + "/real[1]/store.db"
	st := openTest(t, path)
	fill(t, st, "mixed-1", 50)
	st.now = func() time.Time { return t0 } // nothing ages
	rec := must1(st.Search("mixed-1"))(t)
	must0(t, rec.AppendPoints(ctx, 0, []tree.Point{{Step: 1}}))
	must0(t, rec.AppendPoints(ctx, 0, []tree.Point{{Step: 2}}))
	must0(t, st.Close())
	if err := rec.AppendPoints(ctx, 0, []tree.Point{{Step: 3}}); !errors.Is(err, ErrClosed) {
		t.Errorf("points after Close: %v", err)
	}
	left := []string{path + ".new-123", path + ".compact-456"}
	for _, f := range left {
		must0(t, os.WriteFile(f, nil, 0o600))
	}
	link := dir + "/link.db"
	must0(t, os.Symlink(path, link))
	st = openTest(t, link)
	for _, f := range left {
		if _, err := os.Stat(f); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is still there: %v", f, err)
		}
	}
	must0(t, st.Compact(ctx))
	if info := must1(os.Lstat(link))(t); info.Mode()&os.ModeSymlink == 0 {
		t.Error("Compact put a file in the place of a link")
	}
	must0(t, st.Close())
	st = openTest(t, path)
	if p := must1(must1(st.Search("mixed-1"))(t).Points(ctx, 0))(t); len(p) != 2 {
		t.Errorf("points after Close: %v", p)
	}
}
