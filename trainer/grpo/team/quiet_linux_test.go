package team

import (
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// nice is the calling thread's niceness; the system call gives 20 minus it.
func nice(t *testing.T) int {
	t.Helper()
	p, err := unix.Getpriority(unix.PRIO_PROCESS, unix.Gettid())
	if err != nil {
		t.Fatal(err)
	}
	return 20 - p
}

func TestTrainingThreadsAreNice(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before := nice(t)
	want := min(19, max(before, niceness))
	Quietly(func() {
		if got := nice(t); got != want {
			t.Errorf("a quiet thread has niceness %d, want %d", got, want)
		}
	})
	tm := New(2)
	defer tm.Close()
	seen := make([]int, 2)
	tm.Do(64, func(w, _ int) {
		seen[w] = nice(t)
		runtime.Gosched()
	})
	if seen[1] != 0 && seen[1] != want {
		t.Errorf("a helper has niceness %d, want %d", seen[1], want)
	}
	if got := nice(t); got != before {
		t.Errorf("the caller's niceness went from %d to %d", before, got)
	}
}
