package llm

import (
	"fmt"
	"time"
)

// down remembers a server that fails, so that a search does not wait out the time limit at every turn.
type down struct {
	failures int
	until    time.Time
	last     string
}

// Failures in a row before a server is left alone, and for how long at first and at most.
const (
	patient   = 2
	firstRest = 20 * time.Second
	longRest  = 5 * time.Minute
)

// failed counts a call that the server did not answer.
func (a *Agent) failed(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.down.failures++
	a.down.last = clean(err.Error(), 200)
	if n := a.down.failures - patient; n >= 0 {
		a.down.until = a.cfg.Now().Add(min(longRest, firstRest<<min(n, 10)))
	}
}

// worked forgets the failures.
func (a *Agent) worked() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.down = down{}
}

// resting says why the server is not asked now, and is empty when it may be.
func (a *Agent) resting() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.down.failures < patient || !a.cfg.Now().Before(a.down.until) {
		return ""
	}
	return fmt.Sprintf("not asked: the server failed %d times in a row, the last time with: %s", a.down.failures, a.down.last)
}
