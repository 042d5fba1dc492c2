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

// room is how many more segments may be started or proposed beside those that are under way: a large number when the budget
// does not count segments.
func (e *Engine) room() int {
	if e.spent() {
		return 0
	}
	n := math.MaxInt
	b, s := searchBudget(e.tree.Spec.Budget), searched(e.tree)
	if b.Segments > 0 {
		n = b.Segments - s.Segments
	}
	if b.Tokens > 0 && s.Segments > 0 {
		// Segments under way will spend what a segment has cost on average.
		mean := max(1, s.Cost.Tokens()/int64(s.Segments))
		n = min(n, int((b.Tokens-s.Cost.Tokens()+mean-1)/mean))
	}
	return n
}

// allowance is how many tokens the next segment may spend, 0 for no limit: what is left after those that run.
func (e *Engine) allowance() int64 {
	b, s := searchBudget(e.tree.Spec.Budget), searched(e.tree)
	if b.Tokens == 0 {
		return 0
	}
	left := b.Tokens - s.Cost.Tokens()
	if s.Segments > 0 {
		left -= int64(len(e.running)) * (s.Cost.Tokens() / int64(s.Segments))
	}
	return max(1, left)
}
