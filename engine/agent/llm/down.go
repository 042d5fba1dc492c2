package llm

import (
	"errors"
	"fmt"
	"time"
)

// down remembers a server that fails, so that a search does not wait out the time limit at every turn.
type down struct {
	failures int
	until    time.Time
	told     bool // until is what the server asked for
	last     string
}

// Failures in a row before a server is left alone, and for how long at first and at most; longTold is the longest that it
// is left alone because it asked for it.
const (
	patient   = 2
	firstRest = 20 * time.Second
	longRest  = 5 * time.Minute
	longTold  = 24 * time.Hour
)

// failed counts a call that the server did not answer.
func (a *Agent) failed(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.down.failures++
	a.down.last = clean(err.Error(), 200)
	var busy *busyError
	if errors.As(err, &busy) && busy.after > 0 {
		a.down.told, a.down.until = true, a.cfg.Now().Add(min(longTold, busy.after))
		return
	}
	if n := a.down.failures - patient; n >= 0 {
		a.down.told, a.down.until = false, a.cfg.Now().Add(min(longRest, firstRest<<min(n, 10)))
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
	switch {
	case !a.cfg.Now().Before(a.down.until):
		return ""
	case a.down.told:
		return fmt.Sprintf("not asked: the server wants to be left alone until %s: %s", a.down.until.Format(time.TimeOnly), a.down.last)
	}
	return fmt.Sprintf("not asked: the server failed %d times in a row, the last time with: %s", a.down.failures, a.down.last)
}
