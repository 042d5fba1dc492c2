package engine

import (
	"context"
	"fmt"

	"llmzero/engine/event"
	"llmzero/engine/tree"
)

// close ends a search whose budget is spent: the base and the best node are scored on the test split, for the report only,
// and the winner is named.
func (e *Engine) close(work context.Context) {
	e.closing = true
	best, why := e.winner()
	spec, base, winner := e.tree.Spec, *e.tree.Nodes[tree.Root], *e.tree.Nodes[best]
	e.crew.start(func() func(context.Context) error {
		var tested []entry
		var err error
		for _, n := range []tree.Node{base, winner} {
			if n.Test.Known() || (n.ID == tree.Root && len(tested) > 0) {
				continue
			}
			var score tree.Score
			var cost tree.Cost
			if score, cost, err = e.exam(work, spec, n, tree.SplitTest, 0, tree.Derive(spec.Seed, "test")); err != nil {
				tested = append(tested, wasted(event.Wasted{Node: n.ID, Why: "a test score that came to nothing", Cost: cost})...)
				break
			}
			tested = append(tested, engineEntry(&event.Tested{Node: n.ID, Test: score, Cost: cost}))
		}
		return func(ctx context.Context) error {
			e.closing = false
			if work.Err() != nil {
				return e.commit(ctx, nil, tested...)
			}
			return e.closed(ctx, winner.ID, why, tested, err)
		}
	})
}

// closed names the winner and ends the search, unless there is budget again or the best node has changed.
func (e *Engine) closed(ctx context.Context, winner tree.NodeID, because string, tested []entry, err error) error {
	entries := tested
	if best, _ := e.winner(); e.tree.Status != tree.SearchRunning || e.room() > 0 || best != winner {
		return e.commit(ctx, nil, entries...)
	}
	why := "the budget is spent"
	if err != nil {
		e.opts.Logger.Error("no test score", "err", err)
		why = fmt.Sprintf("%s; the test score failed: %v", why, err)
	}
	return e.commit(ctx, nil, append(entries,
		engineEntry(&event.Won{Node: winner, Why: because}),
		engineEntry(&event.StatusSet{Status: tree.SearchDone, Reason: why}))...)
}
