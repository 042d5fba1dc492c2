package team

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// Quietly runs f on a thread of its own with a lower priority where the system has such (Linux), and returns when f has: while
// every core trains, a screen still gets its turn at once. The thread ends with f. A panic of f is one of the caller, with the
// stack of f in its text.
func Quietly(f func()) {
	var failure any
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if p := recover(); p != nil {
				failure = fmt.Sprintf("%v\n%s", p, debug.Stack())
			}
		}()
		quiet()
		f()
	}()
	<-done
	if failure != nil {
		panic(failure)
	}
}

// quiet ties the goroutine to its thread for good and lowers the thread's priority. The runtime ends a thread whose goroutine
// ended tied, so that nobody inherits the priority.
func quiet() {
	runtime.LockOSThread()
	lower()
}
