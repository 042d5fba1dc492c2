package rules

import (
	"context"
	"fmt"
	"math"

	"llmzero/engine/agent"
	"llmzero/engine/tree"
)

// Choose takes the last checkpoint when its validation is level with the best within one standard error of their
// difference, because it has seen more training; the best one when it is not; and when the curves collapsed, the last
// good one before they did.
func (Agent) Choose(ctx context.Context, e agent.Ended) (agent.Choice, error) {
	if err := ctx.Err(); err != nil {
		return agent.Choice{}, err
	}
	if e.Node.Outcome == nil || len(e.Node.Outcome.Checkpoints) == 0 {
		return agent.Choice{Index: -1, By: Name, Why: "the segment left no checkpoint"}, nil
	}
	cks := e.Node.Outcome.Checkpoints
	top := -1
	for i, c := range cks {
		if scored(c) && (top < 0 || c.Val.Mean > cks[top].Val.Mean) {
			top = i
		}
	}
	if top < 0 {
		return agent.Choice{Index: len(cks) - 1, By: Name, Why: "the last one; none has a validation score"}, nil
	}
	level := levelWith(cks, top)
	v := &view{points: e.Points, checkpoints: cks, start: e.Start, config: e.Node.Config}
	if i, why, ok := beforeCollapse(v, cks, level); ok {
		return agent.Choice{Index: i, Why: why, By: Name}, nil
	}
	return pick(cks, top, level[len(level)-1]), nil
}

// levelWith lists the checkpoints whose score is within one standard error of the difference from the best, in step order.
func levelWith(cks []tree.Checkpoint, top int) []int {
	var level []int
	for i, c := range cks {
		if scored(c) && cks[top].Val.Mean-c.Val.Mean <= math.Hypot(cks[top].Val.SE, c.Val.SE) {
			level = append(level, i)
		}
	}
	return level
}

// collapse tells whether a pathology ruins what came before it, so that an earlier checkpoint is worth more than its score.
func collapse(p tree.Pathology) bool {
	switch p {
	case tree.EntropyCollapse, tree.EntropyExplosion, tree.Instability, tree.KLRunaway:
		return true
	default:
		return false
	}
}

// Collapses are the findings for which Choose goes back to an earlier checkpoint.
func Collapses(fs []tree.Finding) []tree.Finding {
	var out []tree.Finding
	for _, f := range fs {
		if collapse(f.Pathology) {
			out = append(out, f)
		}
	}
	return out
}

// beforeCollapse looks for a collapse and picks the last of the level checkpoints from before it, unless the collapse
// came too late to matter.
func beforeCollapse(v *view, cks []tree.Checkpoint, level []int) (index int, why string, ok bool) {
	for _, m := range diagnose(v) {
		if !collapse(m.rule.pathology) {
			continue
		}
		for k := len(level) - 1; k >= 0; k-- {
			i := level[k]
			if cks[i].Step <= m.onset() && i < len(cks)-1 {
				return i, fmt.Sprintf("before the %s at step %d, and within noise of the best validation", m.rule.pathology, m.onset()), true
			}
		}
	}
	return 0, "", false
}

func pick(cks []tree.Checkpoint, top, last int) agent.Choice {
	best := cks[top]
	switch {
	case top == len(cks)-1:
		return agent.Choice{Index: top, By: Name, Why: "the last one, with the best validation " + num(best.Val.Mean)}
	case last == len(cks)-1:
		return agent.Choice{Index: last, By: Name, Why: fmt.Sprintf("the last one: its %s is within noise of the best, %s at step %d",
			num(cks[last].Val.Mean), num(best.Val.Mean), best.Step)}
	case last == top:
		return agent.Choice{Index: top, By: Name, Why: fmt.Sprintf("best validation %s; the last one has %s",
			num(best.Val.Mean), num(cks[len(cks)-1].Val.Mean))}
	default:
		return agent.Choice{Index: last, By: Name, Why: fmt.Sprintf("the latest within noise of the best: %s against %s at step %d",
			num(cks[last].Val.Mean), num(best.Val.Mean), best.Step)}
	}
}

func scored(c tree.Checkpoint) bool { return c.Val.Known() && !math.IsNaN(c.Val.Mean) }
