package engine

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"llmzero/engine/search"
	"llmzero/engine/tree"
)

// standing is a strategy that was retrained, with the mean of its retrainings.
type standing struct {
	node  *tree.Node
	runs  int
	score tree.Score
}

// winner is the strategy to name, and why. Among those that were retrained it is the one with the best mean validation over its
// retrainings, so that luck on one seed does not win; of two, the one that was retrained more often stands unless the other is
// better beyond the noise. A strategy that was not retrained wins only if it is worth more beyond the noise by the search's own scores.
func (e *Engine) winner() (tree.NodeID, string) {
	worth := search.Estimates(e.tree)
	var first *standing
	all := e.standings()
	for i := range all {
		if first == nil || all[i].score.Beats(first.score) {
			first = &all[i]
		}
	}
	rest := tree.NodeID(-1)
	for id, s := range worth {
		if s.Known() && len(e.tree.Nodes[id].Confirmed) == 0 && (rest < 0 || s.Mean > worth[rest].Mean) {
			rest = tree.NodeID(id)
		}
	}
	switch {
	case first != nil && (rest < 0 || !worth[rest].Beats(worth[first.node.ID])):
		return first.node.ID, fmt.Sprintf("best mean validation %.4g over %d retraining(s) with fresh seeds", first.score.Mean, first.runs)
	case rest >= 0:
		return rest, "best validation score; it was not confirmed on fresh seeds" + e.unproven(e.tree.Nodes[rest])
	}
	return tree.Root, "nothing was trained"
}

// unproven says why a strategy was not retrained, behind a colon; it is empty when nothing is to be said.
func (e *Engine) unproven(n *tree.Node) string {
	b := e.tree.Spec.Budget
	switch failed := e.unconfirmed[n.ID]; {
	case n.ID == tree.Root:
		return ""
	case b.Confirm == 0:
		return ": no share of the budget is kept for that"
	case failed > 0:
		return fmt.Sprintf(": %d retraining(s) failed", failed)
	case b.Segments > 0 && n.Depth > e.kept().Segments:
		return fmt.Sprintf(": its path has %d segments and %d are kept for that", n.Depth, e.kept().Segments)
	case !e.pays(n, tree.Spent{}):
		return ": its path costs more than is kept for that"
	}
	return ""
}

// standings are the strategies that were retrained, the most often retrained first and of equals the one with the better mean. The
// error of a mean is that of the retrainings of all of them taken together: two or three runs of one tell little of its spread.
func (e *Engine) standings() []standing {
	var all []standing
	var squares, noise float64
	free, runs := 0, 0
	for _, n := range e.tree.Nodes {
		k := len(n.Confirmed)
		if !n.State.Trained() || k == 0 {
			continue
		}
		s := standing{node: n, runs: k}
		for _, c := range n.Confirmed {
			s.score.Mean += c.Val.Mean / float64(k)
			s.score.N += c.Val.N
			noise += c.Val.SE * c.Val.SE
		}
		for _, c := range n.Confirmed {
			squares += (c.Val.Mean - s.score.Mean) * (c.Val.Mean - s.score.Mean)
		}
		free, runs = free+k-1, runs+k
		all = append(all, s)
	}
	spread := noise / float64(max(1, runs)) // of one run, no less than the noise of its score
	if free > 0 {
		spread = max(spread, squares/float64(free))
	}
	for i := range all {
		all[i].score.SE = math.Sqrt(spread / float64(all[i].runs))
	}
	slices.SortStableFunc(all, func(a, b standing) int {
		return cmp.Or(cmp.Compare(b.runs, a.runs), cmp.Compare(b.score.Mean, a.score.Mean))
	})
	return all
}
