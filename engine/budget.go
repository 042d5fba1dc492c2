package engine

import (
	"math"
	"time"

	"llmzero/engine/tree"
)

// searchBudget is the part of the budget that the search itself may spend; the rest is kept for confirmations.
func searchBudget(b tree.Budget) tree.Budget {
	keep := 1 - b.Confirm
	b.Segments -= int(math.Floor(b.Confirm * float64(b.Segments)))
	b.Tokens = int64(keep * float64(b.Tokens))
	b.Wall = time.Duration(keep * float64(b.Wall))
	b.GPUHours *= keep
	return b
}

// searched is what the search has spent without its confirmations.
func searched(t *tree.Tree) tree.Spent {
	s := t.Spent
	s.Segments -= t.Confirm.Segments
	s.Cost.PromptTokens -= t.Confirm.Cost.PromptTokens
	s.Cost.SampledTokens -= t.Confirm.Cost.SampledTokens
	s.Cost.TrainedTokens -= t.Confirm.Cost.TrainedTokens
	s.Cost.WallSeconds -= t.Confirm.Cost.WallSeconds
	s.Cost.GPUSeconds -= t.Confirm.Cost.GPUSeconds
	return s
}

// spent tells whether the search's part of the budget is used up.
func (e *Engine) spent() bool {
	return searchBudget(e.tree.Spec.Budget).Used(searched(e.tree)) >= 1
}

// room is how many more segments may be started or proposed, those under way included: a large number when nothing limits it.
func (e *Engine) room() int {
	if e.spent() {
		return 0
	}
	n := math.MaxInt
	b, s := searchBudget(e.tree.Spec.Budget), searched(e.tree)
	if b.Segments > 0 {
		n = b.Segments - s.Segments
	}
	if b.Tokens > 0 && e.typical > 0 {
		n = min(n, int((b.Tokens-s.Cost.Tokens()+e.typical-1)/e.typical))
	}
	return n
}

// allowance is how many tokens the next segment may spend, 0 for no limit: what is left when those that run have spent what was
// set aside for them. It is negative when nothing worth starting is left before one of them ends.
func (e *Engine) allowance() int64 {
	b, s := searchBudget(e.tree.Spec.Budget), searched(e.tree)
	if b.Tokens == 0 {
		return 0
	}
	left := b.Tokens - s.Cost.Tokens()
	if e.typical == 0 {
		return max(1, left/int64(len(e.slots))) // nobody knows yet what a segment costs
	}
	for id, seg := range e.running {
		if e.tree.Nodes[id].State == tree.StateRunning {
			left -= min(seg.allowance, e.typical) // no more than the dearest segment so far has cost
		}
	}
	if left <= 0 || (len(e.running) > 0 && left < e.typical/4) {
		return -1
	}
	return left
}

// fullCost is what a segment of that many steps would have cost, had it not ended early.
func fullCost(c tree.Cost, steps int) int64 {
	if c.Steps == 0 || c.Steps >= steps {
		return c.Tokens()
	}
	return c.Tokens() * int64(steps) / int64(c.Steps)
}
