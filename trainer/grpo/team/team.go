// Package team spreads numbered pieces of work over a fixed set of goroutines, without allocating per call.
package team

import (
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// Team is a set of workers. Make one with [New] and end it with [Team.Close].
type Team struct {
	size int
	next atomic.Int64
	n    int
	f    func(worker, piece int)
	wake []chan struct{}
	done chan struct{}

	mu      sync.Mutex
	failure string // the first panic of a call, with its stack
}

// New starts a team of size workers, at least one. The goroutine that calls Do is one of them; the others compute at a lower
// priority (see [Quietly]).
func New(size int) *Team {
	t := &Team{size: max(size, 1), done: make(chan struct{})}
	for w := 1; w < t.size; w++ {
		wake := make(chan struct{})
		t.wake = append(t.wake, wake)
		go func() {
			quiet()
			for range wake {
				t.guard(w)
				t.done <- struct{}{}
			}
			t.done <- struct{}{}
		}()
	}
	return t
}

// Size is the number of workers.
func (t *Team) Size() int { return t.size }

// Do calls f for every piece 0..n-1 and returns when all are done. Pieces are taken in rising order by whichever worker
// is free, 0..Size()-1; results must not depend on who takes which. Calls must not overlap. When f panics, on whichever worker,
// the pieces that nobody took yet are left out and Do panics, once all workers are back; the team can go on.
func (t *Team) Do(n int, f func(worker, piece int)) {
	t.n, t.f = n, f
	t.next.Store(0)
	helpers := min(len(t.wake), n-1)
	for w := range max(helpers, 0) {
		t.wake[w] <- struct{}{}
	}
	t.guard(0)
	for range max(helpers, 0) {
		<-t.done
	}
	t.f = nil
	if failure := t.failure; failure != "" {
		t.failure = ""
		panic(failure)
	}
}

// guard is work whose panic is kept for Do: one on a helper's goroutine would end the process.
func (t *Team) guard(w int) {
	defer func() {
		if p := recover(); p != nil {
			t.next.Store(int64(t.n)) // no more pieces
			t.mu.Lock()
			defer t.mu.Unlock()
			if t.failure == "" {
				t.failure = fmt.Sprintf("%v\n%s", p, debug.Stack())
			}
		}
	}()
	t.work(w)
}

func (t *Team) work(w int) {
	for {
		i := int(t.next.Add(1)) - 1
		if i >= t.n {
			return
		}
		t.f(w, i)
	}
}

// Close ends the workers and waits for them. The team must be idle.
func (t *Team) Close() {
	for _, c := range t.wake {
		close(c)
	}
	for range t.wake {
		<-t.done
	}
	t.wake = nil
}
