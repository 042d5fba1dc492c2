package team

import (
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
)

func TestEveryPieceOnce(t *testing.T) {
	for _, size := range []int{0, 1, 2, 5} {
		tm := New(size)
		for _, n := range []int{0, 1, 2, 3, 100} {
			hits := make([]atomic.Int32, n)
			tm.Do(n, func(w, i int) {
				if w < 0 || w >= tm.Size() {
					t.Errorf("worker %d of %d", w, tm.Size())
				}
				hits[i].Add(1)
			})
			for i := range hits {
				if got := hits[i].Load(); got != 1 {
					t.Errorf("size %d: piece %d of %d ran %d times", size, i, n, got)
				}
			}
		}
		tm.Close()
	}
}

func TestDoDoesNotAllocate(t *testing.T) {
	tm := New(2)
	defer tm.Close()
	var sum atomic.Int64
	f := func(_, i int) { sum.Add(int64(i)) }
	if got := testing.AllocsPerRun(100, func() { tm.Do(8, f) }); got != 0 {
		t.Errorf("%g allocations a call", got)
	}
}

// Quietly returns after f, leaves the caller's thread alone, and hands a panic on.
func TestQuietly(t *testing.T) {
	ran := false
	Quietly(func() { ran = true })
	if !ran {
		t.Error("it returned before f had run")
	}
	defer func() {
		if p := recover(); p == nil || !strings.Contains(fmt.Sprint(p), "too hot") || !strings.Contains(fmt.Sprint(p), "TestQuietly") {
			t.Errorf("recovered %v", p)
		}
	}()
	Quietly(func() { panic("too hot") })
}

// A panic on any worker is one of Do, so that whoever called it can recover, and the team goes on.
func TestPanicOfAWorkerIsOneOfDo(t *testing.T) {
	tm := New(2)
	defer tm.Close()
	for _, who := range []int{0, 1} {
		var started [2]atomic.Bool
		var seen any
		func() {
			defer func() { seen = recover() }()
			tm.Do(100, func(w, _ int) {
				started[w].Store(true)
				for !started[1-w].Load() { // until each worker has had a piece
					runtime.Gosched()
				}
				if w == who {
					panic("too hot")
				}
			})
		}()
		if !strings.Contains(fmt.Sprint(seen), "too hot") || !strings.Contains(fmt.Sprint(seen), "TestPanicOfAWorker") {
			t.Errorf("worker %d: recovered %v", who, seen)
		}
		var n atomic.Int32
		tm.Do(10, func(_, _ int) { n.Add(1) })
		if n.Load() != 10 {
			t.Errorf("after a panic of worker %d, %d pieces of 10 ran", who, n.Load())
		}
	}
}
