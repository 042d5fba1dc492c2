package event_test

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"

	"llmzero/engine/event"
	"llmzero/engine/tree"
)

func hint(seq uint64) event.Event {
	return event.Event{Seq: seq, Who: "human", Body: &event.Hinted{Text: "go on"}}
}

func TestBusDeliversEveryEventInOrder(t *testing.T) {
	const n = 5000
	bus := event.NewBus()
	subs := []*event.Subscription{bus.Subscribe(), bus.Subscribe(), bus.Subscribe()}
	var wg sync.WaitGroup
	for _, s := range subs {
		wg.Go(func() {
			var last uint64
			for {
				if err := s.Wait(t.Context()); err != nil {
					if !errors.Is(err, io.EOF) {
						t.Errorf("Wait: %v", err)
					}
					break
				}
				for _, e := range s.Read().Events {
					if e.Seq != last+1 {
						t.Errorf("event %d follows %d", e.Seq, last)
					}
					last = e.Seq
				}
			}
			if last != n {
				t.Errorf("the last event read is %d, want %d", last, n)
			}
		})
	}
	for i := uint64(1); i <= n; i++ {
		bus.Publish(hint(i))
		bus.Points(1, tree.Point{Step: int(i)})
	}
	bus.Close()
	wg.Wait()
}

func TestBusNeverBlocksAndCountsDrops(t *testing.T) {
	bus := event.NewBus()
	s := bus.Subscribe()
	const n = 2000
	for i := range n {
		bus.Points(3, tree.Point{Step: i})
	}
	bus.Points(4, tree.Point{Step: 7})
	b := s.Read()
	got := b.Points[3]
	if len(got)+int(b.Dropped) != n || b.Dropped == 0 {
		t.Fatalf("%d points and %d dropped do not add up to %d", len(got), b.Dropped, n)
	}
	if got[len(got)-1].Step != n-1 || got[0].Step != n-len(got) {
		t.Errorf("kept steps %d to %d: want the newest", got[0].Step, got[len(got)-1].Step)
	}
	if len(b.Points[4]) != 1 {
		t.Errorf("a flood of one node dropped points of another")
	}
	if again := s.Read(); again.Dropped != 0 || again.Points != nil || again.Events != nil {
		t.Errorf("a second Read is not empty: %+v", again)
	}
}

func TestBusStartedClearsPointsOfAnEarlierAttempt(t *testing.T) {
	bus := event.NewBus()
	s := bus.Subscribe()
	bus.Points(2, tree.Point{Step: 1}, tree.Point{Step: 2})
	bus.Publish(event.Event{Seq: 1, Body: &event.Started{Node: 2, Attempt: 2}})
	bus.Points(2, tree.Point{Step: 1})
	if got := s.Read().Points[2]; len(got) != 1 {
		t.Errorf("got %d points, want the one of the second attempt", len(got))
	}
}

func TestSubscriptionEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	bus := event.NewBus()
	s, other := bus.Subscribe(), bus.Subscribe()
	if err := s.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait on a quiet bus: %v, want the context's error", err)
	}
	bus.Publish(hint(1))
	s.Close()
	bus.Publish(hint(2))
	if err := s.Wait(ctx); err != nil {
		t.Errorf("Wait: %v, want the queued event first", err)
	}
	if b := s.Read(); len(b.Events) != 1 || !b.Closed {
		t.Errorf("got %+v, want one event and the end", b)
	}
	if err := s.Wait(ctx); !errors.Is(err, io.EOF) {
		t.Errorf("Wait after the end: %v, want io.EOF", err)
	}
	bus.Close()
	bus.Close()
	if b := other.Read(); len(b.Events) != 2 || !b.Closed {
		t.Errorf("got %+v, want two events and the end", b)
	}
	if err := bus.Subscribe().Wait(t.Context()); !errors.Is(err, io.EOF) {
		t.Errorf("Wait on a closed bus: %v, want io.EOF", err)
	}
	bus.Publish(hint(3)) // must not panic or block
	bus.Points(1, tree.Point{})
}
