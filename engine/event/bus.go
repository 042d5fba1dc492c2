package event

import (
	"context"
	"io"
	"sync"

	"llmzero/engine/tree"
)

// maxUnread is how many metric points of one node a subscription keeps for a slow reader.
const maxUnread = 512

// Bus carries one search's events and metric points to its readers. Its methods are safe for concurrent use, start no
// goroutine and never block on a reader. The zero Bus is ready to use.
type Bus struct {
	mu     sync.Mutex
	subs   []*Subscription
	closed bool
}

// NewBus makes a bus without readers.
func NewBus() *Bus { return &Bus{} }

// Publish hands events to every subscription, in order. After Close it does nothing.
func (b *Bus) Publish(events ...Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	for _, s := range b.subs {
		s.publish(events)
	}
}

// Points hands metric points of a node's segment to every subscription. Points are not part of the journal's order: a
// slow reader loses the oldest. After Close it does nothing.
func (b *Bus) Points(node tree.NodeID, points ...tree.Point) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	for _, s := range b.subs {
		s.points(node, points)
	}
}

// Subscribe starts a subscription with what is published from now on. On a closed bus it is closed from the start.
//
// To miss nothing, subscribe first, then take the snapshot of the tree, and skip the events that it holds already.
func (b *Bus) Subscribe() *Subscription {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := &Subscription{bus: b, wake: make(chan struct{}, 1), closed: b.closed}
	if !b.closed {
		b.subs = append(b.subs, s)
	}
	return s
}

// Close ends every subscription once its queued events and points are read. It may be called twice.
func (b *Bus) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	for _, s := range b.subs {
		s.end()
	}
	b.subs = nil
}

// Batch is what a subscription has collected since the last Read.
type Batch struct {
	Events  []Event                      // in the order of their sequence numbers
	Points  map[tree.NodeID][]tree.Point // in the order in which they were reported, nil when there are none
	Dropped uint64                       // metric points lost since the last Read, because the reader was slow
	Closed  bool                         // the subscription has ended, and this batch is its last
}

// Subscription is one reader's view of a bus. One goroutine reads it.
type Subscription struct {
	bus  *Bus
	wake chan struct{} // holds a token while there is something unread

	mu      sync.Mutex
	events  []Event
	unread  map[tree.NodeID][]tree.Point
	dropped uint64
	closed  bool
}

// Wait returns nil when there is something to read, io.EOF once the subscription has ended and everything was read, and
// the context's error when that ends first.
func (s *Subscription) Wait(ctx context.Context) error {
	for {
		s.mu.Lock()
		ready, closed := len(s.events) > 0 || len(s.unread) > 0, s.closed
		s.mu.Unlock()
		switch {
		case ready:
			return nil
		case closed:
			return io.EOF
		}
		select {
		case <-s.wake:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Read takes what has been collected, without waiting; the batch is empty when there is nothing.
func (s *Subscription) Read() Batch {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := Batch{Events: s.events, Points: s.unread, Dropped: s.dropped, Closed: s.closed}
	s.events, s.unread, s.dropped = nil, nil, 0
	return b
}

// Close takes the subscription off its bus; what it has collected can still be read.
func (s *Subscription) Close() {
	s.bus.mu.Lock()
	defer s.bus.mu.Unlock()
	for i, x := range s.bus.subs {
		if x == s {
			s.bus.subs = append(s.bus.subs[:i:i], s.bus.subs[i+1:]...)
			break
		}
	}
	s.end()
}

func (s *Subscription) publish(events []Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range events {
		if b, ok := e.Body.(*Started); ok {
			delete(s.unread, b.Node) // points of an attempt that was given up
		}
	}
	s.events = append(s.events, events...)
	s.signal()
}

func (s *Subscription) points(node tree.NodeID, points []tree.Point) {
	if len(points) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.unread == nil {
		s.unread = make(map[tree.NodeID][]tree.Point)
	}
	all := append(s.unread[node], points...)
	if over := len(all) - maxUnread; over > 0 {
		s.dropped += uint64(over)
		all = append(all[:0], all[over:]...)
	}
	s.unread[node] = all
	s.signal()
}

func (s *Subscription) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.signal()
}

func (s *Subscription) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
