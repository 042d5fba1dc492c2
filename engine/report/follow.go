package report

import (
	"context"
	"fmt"
	"io"
	"sync"

	"llmzero/engine/event"
	"llmzero/engine/tree"
)

// Follow writes a line for what happens in a search until the subscription or ctx ends. t is the tree from which the
// subscription goes on; events that are in it already are passed over. Errors of w are not its concern: progress is a courtesy.
func Follow(ctx context.Context, w io.Writer, t *tree.Tree, sub *event.Subscription) {
	for sub.Wait(ctx) == nil {
		for _, e := range sub.Read().Events {
			if e.Seq <= t.Seq {
				continue
			}
			if err := event.Apply(t, e); err != nil {
				_, _ = fmt.Fprintf(w, "progress is no longer shown: %v\n", err)
				return
			}
			if line := line(t, e); line != "" {
				_, _ = fmt.Fprintln(w, line)
			}
		}
	}
}

// line says what happened, empty for what is not worth a line.
func line(t *tree.Tree, e event.Event) string {
	switch b := e.Body.(type) {
	case *event.BaseScored:
		return fmt.Sprintf("base model: %.3f ±%.3f", b.Val.Mean, b.Val.SE)
	case *event.Proposed:
		return fmt.Sprintf("n%d proposed from n%d: %s", b.Node, b.Parent, plain(Changes(t.Spec.Space, b.Transition.Changes)))
	case *event.Judged:
		if b.Verdict.Decision == tree.Vetoed {
			return fmt.Sprintf("n%d vetoed: %s", b.Node, plain(b.Verdict.Why))
		}
	case *event.StopAsked:
		return fmt.Sprintf("n%d is to stop: %s", b.Node, plain(b.Why))
	case *event.Ended:
		return ended(t, b)
	case *event.Confirmed:
		c := b.Confirmation
		return fmt.Sprintf("n%d confirmed with seed %d: %.3f ±%.3f", b.Node, c.Seed, c.Val.Mean, c.Val.SE)
	case *event.Won:
		return fmt.Sprintf("best: n%d %s", b.Node, plain(b.Why))
	case *event.StatusSet:
		return fmt.Sprintf("search %s: %s", b.Status, plain(b.Reason))
	}
	return ""
}

func ended(t *tree.Tree, b *event.Ended) string {
	spent := fmt.Sprintf("%d segments, %d tokens", t.Spent.Segments, t.Spent.Cost.Tokens())
	switch {
	case b.Outcome.Failure != nil:
		return fmt.Sprintf("n%d failed: %s (%s)", b.Node, plain(b.Outcome.Failure.Error()), spent)
	case b.Outcome.Stop != nil:
		return fmt.Sprintf("n%d stopped at step %d: %s; %.3f (%s)", b.Node, b.Outcome.Stop.AtStep, plain(b.Outcome.Stop.Why), b.Outcome.Val.Mean, spent)
	}
	return fmt.Sprintf("n%d evaluated: %.3f ±%.3f (%s)", b.Node, b.Outcome.Val.Mean, b.Outcome.Val.SE, spent)
}

// Session is a search that runs.
type Session interface {
	Tree() *tree.Tree
	Subscribe() *event.Subscription
	Wait(ctx context.Context) error
}

// Attend waits for the end of a search and meanwhile writes a line for what happens in it.
func Attend(ctx context.Context, w io.Writer, s Session) error {
	sub := s.Subscribe()
	defer sub.Close()
	var telling sync.WaitGroup
	telling.Go(func() { Follow(ctx, w, s.Tree(), sub) })
	err := s.Wait(ctx)
	sub.Close()
	telling.Wait()
	return err
}
