//go:build !linux

package kernel

import "time"

var start = time.Now()

// threadSeconds is the wall time where the thread's CPU time is not at hand.
func threadSeconds() float64 { return time.Since(start).Seconds() }
