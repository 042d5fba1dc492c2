package team

import "golang.org/x/sys/unix"

// niceness of training threads: they get about a tenth of a contended core, and all of one that nobody else wants.
const niceness = 10

// lower makes the calling thread nicer, unless it is so already. A system that refuses leaves it as it is: a matter of comfort,
// not of results.
func lower() {
	self := unix.Gettid()
	if p, err := unix.Getpriority(unix.PRIO_PROCESS, self); err == nil && 20-p < niceness { // the call gives 20 minus it
		_ = unix.Setpriority(unix.PRIO_PROCESS, self, niceness)
	}
}
