package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/sync/errgroup"

	"llmzero/engine/event"
	"llmzero/engine/tree"
)

// Search is one search in the store. It satisfies engine.Record; its methods are safe for concurrent use.
type Search struct {
	store *Store
	id    string

	mu      sync.Mutex
	gone    bool // removed
	points  series[tree.Point]
	samples series[tree.Sample]
	brief   brief
}

// ID is the search's name in the store.
func (s *Search) ID() string { return s.id }

// bucket is the search's own, or ErrNotFound before its first Append and after its removal.
func (s *Search) bucket(tx *bolt.Tx) (*bolt.Bucket, error) {
	b := tx.Bucket(bucketSearches).Bucket([]byte(s.id))
	if b == nil {
		return nil, ErrNotFound
	}
	for _, name := range searchBuckets {
		if b.Bucket(name) == nil {
			return nil, fmt.Errorf("%w: the bucket %s is missing", ErrCorrupt, name)
		}
	}
	return b, nil
}

func (s *Search) wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("search %s: %s: %w", s.id, doing, err)
}

// Append commits journal entries, the nodes they touch, the agent's exchanges and what is buffered in one transaction;
// what it returned nil for is on disk. t is the tree after the entries. The entries must follow those that are
// there without a gap, the first one of a search being Created; otherwise it returns ErrSequence and nothing is
// written. Without entries t is not read and may be nil.
func (s *Search) Append(ctx context.Context, t *tree.Tree, events []event.Event, exchanges []tree.Exchange) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(events) == 0 && len(exchanges) == 0 {
		return nil
	}
	restarted := map[tree.NodeID]bool{}
	for _, e := range events {
		if b, ok := e.Body.(*event.Started); ok {
			restarted[b.Node] = true
		}
	}
	var now brief
	err := s.store.update(ctx, func(tx *bolt.Tx) error {
		b, err := s.bucket(tx)
		if errors.Is(err, ErrNotFound) && !s.gone {
			b, err = s.begin(tx, events)
		}
		if err != nil {
			return err
		}
		if err := s.clear(b, restarted); err != nil {
			return err
		}
		if err := s.flush(b, restarted); err != nil {
			return err
		}
		if err := putExchanges(b, exchanges); err != nil {
			return err
		}
		if len(events) == 0 {
			return nil
		}
		now, err = s.fold(b, t, events)
		return err
	})
	if err != nil {
		return s.wrap("append", err)
	}
	if len(events) > 0 {
		s.brief = now
	}
	s.forget()
	return nil
}

// begin makes the buckets of a new search.
func (s *Search) begin(tx *bolt.Tx, events []event.Event) (*bolt.Bucket, error) {
	if len(events) == 0 || events[0].Seq != 1 {
		return nil, fmt.Errorf("%w: a search begins with entry 1", ErrSequence)
	}
	created, ok := events[0].Body.(*event.Created)
	if !ok {
		return nil, fmt.Errorf("%w: a search begins with the entry created", ErrSequence)
	}
	if created.Spec.ID != s.id {
		return nil, fmt.Errorf("%w: the entry created is of search %q", ErrSequence, created.Spec.ID)
	}
	if err := claim(tx, s.id); err != nil {
		return nil, err
	}
	b, err := tx.Bucket(bucketSearches).CreateBucket([]byte(s.id))
	if err != nil {
		return nil, err
	}
	for _, name := range searchBuckets {
		if _, err := b.CreateBucket(name); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// fold writes entries and what they changed in the tree, and returns the brief that goes with it.
func (s *Search) fold(b *bolt.Bucket, t *tree.Tree, events []event.Event) (brief, error) {
	if t == nil || t.Spec.ID != s.id || t.Seq != events[len(events)-1].Seq {
		return brief{}, fmt.Errorf("%w: the tree is not that of this search after its last entry", ErrSequence)
	}
	touched, err := appendJournal(b.Bucket(bucketJournal), events)
	if err != nil {
		return brief{}, err
	}
	nodes := b.Bucket(bucketNodes)
	for id := range touched {
		n, ok := t.Node(id)
		if !ok {
			return brief{}, fmt.Errorf("the entries touch node %d, which the tree does not have", id)
		}
		v, err := encodeNode(t.Spec.Space, n)
		if err != nil {
			return brief{}, err
		}
		if err := nodes.Put(key(uint64(id)), v); err != nil {
			return brief{}, err
		}
	}
	now := s.brief.after(t, touched)
	return now, putHead(b, t, now)
}

// appendJournal writes entries after those that are there and returns the nodes that they touch.
func appendJournal(journal *bolt.Bucket, events []event.Event) (map[tree.NodeID]bool, error) {
	journal.FillPercent = 0.95 // only ever appended to
	last := uint64(0)
	if k, _ := journal.Cursor().Last(); k != nil {
		last, _ = number(k)
	}
	touched := map[tree.NodeID]bool{}
	for _, e := range events {
		if e.Seq != last+1 {
			return nil, fmt.Errorf("%w: entry %d comes after entry %d", ErrSequence, e.Seq, last)
		}
		last++
		v, err := encodeEvent(e)
		if err != nil {
			return nil, err
		}
		if err := journal.Put(key(e.Seq), v); err != nil {
			return nil, err
		}
		for _, id := range e.Touched() {
			touched[id] = true
		}
	}
	return touched, nil
}

// putHead writes what is not nodes. The specification is large and seldom changes, so it is written when it does.
func putHead(b *bolt.Bucket, t *tree.Tree, now brief) error {
	spec, err := enc.Marshal(t.Spec)
	if err != nil {
		return err
	}
	if !bytes.Equal(spec, b.Get(keySpec)) {
		if err := b.Put(keySpec, spec); err != nil {
			return err
		}
	}
	row := headRow{Tree: *t}
	head, err := enc.Marshal(row)
	if err != nil {
		return err
	}
	if err := b.Put(keyHead, head); err != nil {
		return err
	}
	sum, err := enc.Marshal(now.summary(t))
	if err != nil {
		return err
	}
	return b.Put(keySummary, sum)
}

// Tree reads the search as it stands after its last journal entry.
func (s *Search) Tree(ctx context.Context) (*tree.Tree, error) {
	var t *tree.Tree
	err := s.store.view(ctx, func(tx *bolt.Tx) error {
		b, err := s.bucket(tx)
		if err != nil {
			return err
		}
		t, err = readTree(ctx, b)
		return err
	})
	return t, s.wrap("read the tree", err)
}

// readTree decodes a search on all cores.
func readTree(ctx context.Context, b *bolt.Bucket) (*tree.Tree, error) {
	t, err := readHead(b)
	if err != nil {
		return nil, err
	}
	var rows [][]byte
	c := b.Bucket(bucketNodes).Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		if id, ok := number(k); !ok || id != uint64(len(rows)) {
			return nil, fmt.Errorf("%w: node %d is missing", ErrCorrupt, len(rows))
		}
		rows = append(rows, v)
	}
	if len(rows) == 0 {
		return t, nil
	}
	t.Nodes = make([]*tree.Node, len(rows))
	workers := min(runtime.GOMAXPROCS(0), 1+len(rows)/512)
	g, ctx := errgroup.WithContext(ctx)
	for w := range workers {
		lo, hi := w*len(rows)/workers, (w+1)*len(rows)/workers
		g.Go(func() (err error) {
			defer guard(&err)() // rows are in the memory map
			for i := lo; i < hi; i++ {
				if i%1024 == 0 && ctx.Err() != nil {
					return ctx.Err()
				}
				if t.Nodes[i], err = decodeNode(t.Spec.Space, tree.NodeID(i), rows[i]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	if err := t.Link(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return t, nil
}

func readHead(b *bolt.Bucket) (*tree.Tree, error) {
	var row headRow
	if err := decode(b.Get(keyHead), &row, "the head"); err != nil {
		return nil, err
	}
	t := row.Tree
	if err := decode(b.Get(keySpec), &t.Spec, "the specification"); err != nil {
		return nil, err
	}
	return &t, nil
}

// EventsOf reads the entries that touch a node, or with a negative node the whole journal.
func (s *Search) EventsOf(ctx context.Context, node tree.NodeID) ([]event.Event, error) {
	all, err := s.Events(ctx, 1)
	if err != nil || node < 0 {
		return all, err
	}
	return slices.DeleteFunc(all, func(e event.Event) bool { return !slices.Contains(e.Touched(), node) }), nil
}

// Events reads the journal from an entry on, inclusive; 0 and 1 are the whole of it.
func (s *Search) Events(ctx context.Context, from uint64) ([]event.Event, error) {
	var out []event.Event
	err := s.store.view(ctx, func(tx *bolt.Tx) error {
		b, err := s.bucket(tx)
		if err != nil {
			return err
		}
		out, err = readEvents(ctx, b, from)
		return err
	})
	return out, s.wrap("read the journal", err)
}

func readEvents(ctx context.Context, b *bolt.Bucket, from uint64) ([]event.Event, error) {
	var out []event.Event
	want := max(from, 1)
	c := b.Bucket(bucketJournal).Cursor()
	for k, v := c.Seek(key(want)); k != nil; k, v = c.Next() {
		seq, ok := number(k)
		if !ok || seq != want {
			return nil, fmt.Errorf("%w: journal entry %d is missing", ErrCorrupt, want)
		}
		e, err := decodeEvent(seq, v)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
		if want++; want%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return out, nil
}
