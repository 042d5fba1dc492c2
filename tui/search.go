package tui

import (
	"context"
	"math"
	"slices"
	"time"

	"llmzero/engine/event"
	"llmzero/engine/tree"
)

// search is one opened search: its tree, what is derived from it, and how it is looked at.
type search struct {
	id   string
	sess Session
	sub  *event.Subscription
	t    *tree.Tree
	live bool

	ix      index
	out     outline
	pane    inspector
	curves  map[tree.NodeID]*curve
	records map[tree.NodeID]*record

	dropped uint64 // metric points that the bus dropped
	rate    meter
	play    *player // a replay, nil without
	undo    []undoStep
	opened  time.Time
	said    string // what the screen should say about a move, until it has
}

// curve are the metric points of one node's own segment.
type curve struct {
	points  []tree.Point
	loading bool
	loaded  bool
	err     error
	version int // grows with every change, so that charts know when to redraw
}

// record is what is kept about one node beside its points.
type record struct {
	samples   []tree.Sample
	exchanges []tree.Exchange
	events    []event.Event
	loading   bool
	loaded    bool
	err       error
}

// index is what is derived from the tree's structure, made anew after state changes and never for metric points.
type index struct {
	best     tree.NodeID
	bestPath map[tree.NodeID]bool
	bestAt   []tree.NodeID // the best path's node at each depth
	waiting  []tree.NodeID
	running  []tree.NodeID
	queued   int
	low      float64 // lowest and highest validation score
	high     float64
	below    []int32   // how many nodes hang below each
	val      []float64 // validation score of each, NaN when unknown
	// The shape of the tree in compact arrays: walking 100,000 nodes along pointers misses the cache at every step.
	parent, first, next []int32 // -1 for none
	depth               []int32
}

func newSearch(id string, sess Session, now time.Time) *search {
	s := &search{
		id: id, sess: sess, live: sess.Live(), curves: map[tree.NodeID]*curve{}, records: map[tree.NodeID]*record{}, opened: now,
	}
	// Subscribed first, so that nothing falls between the snapshot and the first event.
	s.sub = sess.Subscribe()
	s.t = sess.Tree()
	s.pane.chart.cursor, s.pane.graph.zoom = -1, zoomNames
	s.reindex()
	if n := len(s.t.Nodes); n > 0 {
		s.out.cursor = s.ix.best
	}
	return s
}

// apply folds a batch of events and points. A gap in the events is mended with a snapshot.
func (s *search) apply(b event.Batch) (gap bool) {
	t := s.t
	if s.play != nil {
		t = s.play.real // the replay has a tree of its own
	}
	for _, e := range b.Events {
		if e.Seq <= t.Seq {
			continue
		}
		if st, ok := e.Body.(*event.Started); ok {
			s.curves[st.Node] = &curve{loaded: true}
			delete(s.records, st.Node)
		}
		if err := event.Apply(t, e); err != nil {
			return true
		}
		for _, id := range e.Touched() {
			delete(s.records, id)
		}
	}
	s.addPoints(b.Points)
	s.dropped += b.Dropped
	if len(b.Events) > 0 && s.play == nil {
		s.reindex()
	}
	return false
}

// addPoints appends live points to the curves that are held; others are read when they are looked at.
func (s *search) addPoints(points map[tree.NodeID][]tree.Point) {
	for id, ps := range points {
		c := s.curves[id]
		if c == nil || (!c.loaded && !c.loading) {
			continue
		}
		for _, p := range ps {
			if n := len(c.points); n > 0 && p.Step <= c.points[n-1].Step {
				continue // read from the store already
			}
			c.points = append(c.points, p)
		}
		c.version++
	}
}

// reindex derives the index from the tree.
func (s *search) reindex() {
	t := s.t
	count := len(t.Nodes)
	ix := index{
		bestPath: map[tree.NodeID]bool{}, below: renew(s.ix.below, count, 0), parent: renew(s.ix.parent, count, -1),
		first: renew(s.ix.first, count, -1), next: renew(s.ix.next, count, -1),
		val: grow(s.ix.val, count), depth: grow(s.ix.depth, count),
	}
	known := false
	for i := count - 1; i >= 0; i-- {
		n := t.Nodes[i]
		v := n.Val()
		ix.depth[i], ix.val[i] = int32(n.Depth), v.Mean
		if !v.Known() {
			ix.val[i] = math.NaN()
		}
		if i > 0 {
			p := n.Parent
			ix.below[p] += ix.below[i] + 1
			ix.parent[i], ix.next[i], ix.first[p] = int32(p), ix.first[p], int32(i)
		}
		switch n.State {
		case tree.StateProposed:
			ix.waiting = append(ix.waiting, n.ID)
		case tree.StateRunning:
			ix.running = append(ix.running, n.ID)
		case tree.StateQueued, tree.StateApproved:
			ix.queued++
		case tree.StateEvaluated, tree.StateStopped:
			if !v.Known() {
				continue
			}
			if !known || v.Mean >= ix.high {
				ix.best, ix.high = n.ID, v.Mean
			}
			if !known || v.Mean < ix.low {
				ix.low = v.Mean
			}
			known = true
		case tree.StateVetoed, tree.StateFailed, tree.StatePruned:
		}
	}
	slices.Reverse(ix.waiting)
	slices.Reverse(ix.running)
	if known {
		for _, n := range t.Path(ix.best) {
			ix.bestPath[n.ID] = true
			ix.bestAt = append(ix.bestAt, n.ID)
		}
	}
	grown := len(s.out.at) != count
	s.ix = ix
	s.out.folded = append(s.out.folded, make([]bool, max(0, count-len(s.out.folded)))...)
	s.touch()
	// A change of state moves no row unless rows are sorted by it; a filter lays them anew when its pass has ended.
	if grown || s.out.order != orderTree {
		s.out.stale, s.pane.graph.stale = true, true
	}
}

// renew is s with n elements of value v, reusing its memory.
func renew(s []int32, n int, v int32) []int32 {
	s = grow(s, n)
	for i := range s {
		s[i] = v
	}
	return s
}

// node is the node under the cursor; nil while the tree has none.
func (s *search) node() *tree.Node {
	n, _ := s.t.Node(s.out.cursor)
	return n
}

// parent is a node's parent, nil for the root.
func (s *search) parent(n *tree.Node) *tree.Node {
	if n == nil || n.ID == tree.Root {
		return nil
	}
	p, _ := s.t.Node(n.Parent)
	return p
}

// curve is what is held of a node's points, never nil; in a replay, what of them was known by then.
func (s *search) curve(id tree.NodeID) *curve {
	if c := s.curves[id]; c != nil {
		if s.play != nil {
			return s.play.known(s.t, id, c)
		}
		return c
	}
	return &curve{}
}

// progress is how much of a running segment is done, 0..1.
func (s *search) progress(n *tree.Node) float64 {
	c := s.curve(n.ID)
	if len(c.points) == 0 || n.Transition.Steps <= 0 {
		return 0
	}
	done := c.points[len(c.points)-1].Step - n.Transition.From.Step
	return max(0, min(1, float64(done)/float64(n.Transition.Steps)))
}

// meter measures tokens a second from the points of running segments.
type meter struct {
	rate float64
	last time.Time
	sum  int64
}

// count adds tokens and renews the rate every two seconds.
func (m *meter) count(tokens int64, now time.Time) {
	if m.last.IsZero() {
		m.last = now
	}
	m.sum += tokens
	if d := now.Sub(m.last); d >= 2*time.Second {
		m.rate, m.sum, m.last = float64(m.sum)/d.Seconds(), 0, now
	}
}

// wantsCurve tells whether a node's points are neither held nor on their way.
func (s *search) wantsCurve(id tree.NodeID) bool {
	c := s.curves[id]
	return c == nil || (!c.loaded && !c.loading && c.err == nil)
}

// maxCurves is how many nodes' points are held; a look around a large tree must not fill the memory.
const maxCurves = 256

// forget drops the points and records of nodes that are not in view once there are many.
func (s *search) forget(keep []tree.NodeID) {
	if len(s.curves) > maxCurves {
		for id := range s.curves {
			if !slices.Contains(keep, id) {
				delete(s.curves, id)
			}
		}
	}
	if len(s.records) > maxCurves/4 {
		clear(s.records)
	}
}

// points reads a node's metric points.
func (s *search) points(ctx context.Context, id tree.NodeID) pointsMsg {
	ps, err := s.sess.Record().Points(ctx, id)
	return pointsMsg{s: s, node: id, points: ps, err: err}
}
