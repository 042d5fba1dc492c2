package rules

import (
	"math"

	"llmzero/engine/agent"
	"llmzero/engine/tree"
)

// trial is a transition that this search has already made near the turn's node, with what came of it.
type trial struct {
	changes []tree.Change
	gain    float64 // validation score over the checkpoint that it started from
	se      float64
	refused bool // vetoed, or failed: no score, but a reason to be careful
}

// trialsOf collects the children, the siblings and the path itself.
func trialsOf(t agent.Turn) []trial {
	var out []trial
	add := func(n tree.Node) {
		if n.ID == tree.Root || len(n.Transition.Changes) == 0 {
			return
		}
		tr := trial{changes: n.Transition.Changes}
		switch {
		case n.State == tree.StateVetoed, n.State == tree.StateFailed:
			tr.refused = true
		case n.State.Trained() && n.Val().Known():
			src, err := t.Source(n.Transition.From)
			if err != nil {
				return
			}
			start := valAt(src, n.Transition.From.Step)
			if !start.Known() {
				return
			}
			tr.gain, tr.se = n.Val().Mean-start.Mean, math.Hypot(n.Val().SE, start.SE)
		default:
			return
		}
		out = append(out, tr)
	}
	for _, n := range t.Children {
		add(n)
	}
	for _, n := range t.Siblings {
		add(n)
	}
	for _, s := range t.Path {
		add(s.Node)
	}
	return out
}

// record is a factor for the confidence in changes: above 1 when the same moves helped before, below 1 when they hurt,
// failed or were vetoed. One trial weighs as much as its gain stands out of its standard error.
func (w *work) record(changes []tree.Change) float64 {
	var sum float64
	for _, tr := range w.trials {
		share := w.shared(changes, tr.changes)
		if share == 0 {
			continue
		}
		if tr.refused {
			sum -= 0.3 * share
			continue
		}
		z := tr.gain / max(tr.se, 0.005)
		sum += 0.2 * share * math.Tanh(z/2)
	}
	return max(0.5, min(1.3, 1+sum))
}

// shared is the share of changes that move the same parameter the same way as in others.
func (w *work) shared(changes, others []tree.Change) float64 {
	if len(changes) == 0 {
		return 0
	}
	n := 0
	for _, a := range changes {
		for _, b := range others {
			if a.Param == b.Param && w.direction(a) == w.direction(b) {
				n++
			}
		}
	}
	return float64(n) / float64(max(len(changes), len(others)))
}

// direction is the sign of a change along its parameter's scale; 0 for choices without an order.
func (w *work) direction(c tree.Change) int {
	p, _ := w.turn.Spec.Space.Find(c.Param)
	from, to := p.Position(c.From), p.Position(c.To)
	switch {
	case to > from, to == from && c.To.Num > c.From.Num:
		return 1
	case to < from, to == from && c.To.Num < c.From.Num:
		return -1
	default:
		return 0
	}
}

// effect states what to expect. It has numbers only where the same moves were measured in this search: the range of
// their gains, a standard error either way.
func (w *work) effect(c candidate, p tree.Transition) tree.Effect {
	e := tree.Effect{Text: c.effect}
	n := 0
	for _, tr := range w.trials {
		if tr.refused || w.shared(p.Changes, tr.changes) < 0.5 {
			continue
		}
		lo, hi := tr.gain-tr.se, tr.gain+tr.se
		if n == 0 {
			e.Low, e.High = lo, hi
		} else {
			e.Low, e.High = min(e.Low, lo), max(e.High, hi)
		}
		n++
	}
	return e
}
