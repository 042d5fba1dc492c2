package rules

import (
	"slices"

	"llmzero/engine/agent/curve"
	"llmzero/engine/tree"
)

// explore proposes what may help although nothing is wrong: go on, a harder curriculum once the reward is high, more
// capacity, and turns of the regularization parameters, which the paper found to oscillate.
func (w *work) explore(ms []match) []candidate {
	at, ok := w.resume(chosen, match{})
	if !ok {
		return nil
	}
	discount, lead := 1.0, ""
	if len(ms) > 0 {
		discount = 0.75
	} else if len(w.findings) > 0 {
		lead = sentence(w.findings[0])
	}
	reward := w.view.series(tree.MetricReward)
	tail := reward.Tail().Mean
	out := []candidate{w.goOn(at, lead, len(ms) == 0 && rising(reward.Move()))}
	add := func(conf float64, why, effect string, moves ...move) {
		conf += 0.04 * (w.rng.Float64() - 0.5) // the seed decides between plans that we believe in alike
		out = append(out, candidate{
			at: at, moves: moves, confidence: conf, rationale: lead + why, effect: effect,
		})
	}
	harder := 0.42
	if reward.Len() > 0 && tail >= 0.6 {
		harder = 0.62
	}
	add(harder, "It can do most of these; harder problems keep the signal alive.", "training reward dips, validation rises",
		up(pDifficulty, 1.5, "problems at the edge of what it can do"))
	add(0.52, "More samples a problem give better advantages, which carry a larger step; they cost tokens.",
		"reward rises more steadily", up(pGroup, 2, "better estimates of the advantage"), up(pLR, 1.3, "steadier gradients carry more"))
	if w.turn.Budget.Used(w.turn.Spent) > 0.7 {
		add(0.56, "The budget ends soon: smaller steps settle what was learnt.", "validation rises a little and steadily",
			down(pLR, 0.4, "settle"), down(pT, 0.9, "nearer to how it is evaluated"))
	}
	lr := w.turnOf(pLR, 1.6)
	add(0.52, "Another learning rate from here shows whether the steps were too large or too small.", "faster, or steadier",
		lr, with(lr, pBeta, 1.5, "hold faster steps nearer, slower ones less"))
	t := w.turnOf(pT, 1.2)
	add(0.46, "Another temperature changes what is explored.", "entropy follows the temperature",
		t, with(t, pClipHigh, 1.2, "what is sampled must be allowed to grow"))
	kl := w.turnOf(pBeta, 2.5)
	add(0.42, "Another KL coefficient loosens or tightens the hold of the reference.", "KL follows",
		kl, with(kl, pLR, 1.2, "a held policy bears larger steps"))
	add(0.4, "A second pass over the same samples learns more from each token.", "reward rises faster, clip fraction grows",
		up(pEpochs, 2, "use each sample twice"), down(pLR, 0.8, "more steps, each smaller"))
	add(0.38, "More room for answers.", "mean length may grow and reward with it", up(pLength, 1.25, "room to think"))
	add(0.36, "A larger adapter has more to learn in.", "reward rises further", up(pRank, 2, "more room to learn in"))
	for i := range out {
		out[i].confidence *= discount
	}
	return out
}

// rising tells whether a reward still grows beyond its noise, by a tenth of itself at least in a segment.
func rising(m curve.Move) bool { return m.Clear() && m.Delta > 0.1*m.From }

// with moves a second parameter the same way as the first.
func with(first move, param string, factor float64, reason string) move {
	if first.factor > 1 {
		return up(param, factor, reason)
	}
	return down(param, 1/factor, reason)
}

// goOn changes nothing.
func (w *work) goOn(at source, lead string, grows bool) candidate {
	c := candidate{
		at: at, unchanged: true, confidence: 0.4, effect: "the curves go on as they are",
		rationale: lead + "One more segment with the same settings shows whether there is more in them.",
	}
	if grows {
		c.confidence = 0.58
		c.rationale = lead + "Reward still rises and nothing is wrong: go on unchanged."
	}
	return c
}

// turnOf moves a parameter against its last move along the path, so that it oscillates; up when it never moved.
func (w *work) turnOf(param string, factor float64) move {
	for i := len(w.turn.Path) - 1; i >= 0; i-- {
		changes := w.turn.Path[i].Node.Transition.Changes
		k := slices.IndexFunc(changes, func(c tree.Change) bool { return c.Param == param })
		if k < 0 {
			continue
		}
		if w.direction(changes[k]) > 0 {
			return down(param, 1/factor, "it went up before")
		}
		return up(param, factor, "it went down before")
	}
	if w.rng.IntN(2) == 0 {
		return down(param, 1/factor, "not tried on this path")
	}
	return up(param, factor, "not tried on this path")
}

// perturbed moves one to three random parameters by x1.2 or x0.8, or twice that far, as population based training does
// (Jaderberg et al. 2017). It is the last resort when everything with a reason has been tried.
func (w *work) perturbed() (candidate, bool) {
	var at source
	var ok bool
	switch {
	case w.turn.Fresh || w.turn.Node.ID == tree.Root:
		at, ok = w.root()
	case w.turn.Failure != nil:
		at, ok = w.parent("where the failed segment started")
	default:
		at, ok = w.resume(chosen, match{})
	}
	if !ok || len(w.turn.Spec.Space.Params) == 0 {
		return candidate{}, false
	}
	var moves []move
	for range 1 + w.rng.IntN(3) {
		p := w.turn.Spec.Space.Params[w.rng.IntN(len(w.turn.Spec.Space.Params))]
		factor := []float64{0.5, 0.8, 1.2, 2}[w.rng.IntN(4)]
		if p.Kind == tree.KindChoice && !p.Ordered {
			factor = 2
			if w.rng.IntN(2) == 0 {
				factor = 0.5
			}
		}
		moves = append(moves, move{param: p.Name, factor: factor, reason: "a random perturbation"})
	}
	return candidate{
		at: at, moves: moves, confidence: 0.3, effect: "unknown",
		rationale: "Everything with a reason has been tried here; a random perturbation may find what no rule knows.",
	}, true
}
