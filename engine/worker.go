package engine

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"

	"llmzero/engine/tree"
)

// crew are the goroutines that work for a loop and talk to it through calls. The loop serves calls until the last of every
// worker has come, so a worker never waits in vain.
type crew struct {
	live *live
	wg   *sync.WaitGroup
	size int // workers whose last call is still to come; belongs to the loop
}

// start runs task in a goroutine. What task returns runs in the loop as the worker's last call.
func (w *crew) start(task func() func(context.Context) error) {
	w.size++
	w.wg.Go(func() {
		last := task()
		_ = w.call(func(ctx context.Context) error { // the loop hears of the error
			w.size--
			return last(ctx)
		})
	})
}

// call runs fn in the loop and waits for it. An error of fn ends the loop.
func (w *crew) call(fn func(context.Context) error) error {
	c := call{done: make(chan error, 1), fn: func(ctx context.Context) error {
		if err := fn(ctx); err != nil {
			return fatal{err} // nobody else would hear of it
		}
		return nil
	}}
	w.live.calls <- c
	return <-c.done
}

// without tells whether something the search can do without failed, and logs it unless the loop is ending.
func without(ctx context.Context, log *slog.Logger, what string, node tree.NodeID, err error) bool {
	if err != nil && ctx.Err() == nil {
		log.Warn(what, "node", node, "err", err)
	}
	return err != nil
}

// guard turns a panic of a trainer or an agent into an error, so that one of them cannot take the record's process down.
func guard(log *slog.Logger, what string, fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			log.Error(what+" panicked", "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("%s panicked: %v; the log has the stack", what, p)
		}
	}()
	return fn()
}
