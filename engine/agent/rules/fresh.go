package rules

import (
	"cmp"
	"slices"

	"llmzero/engine/agent"
	"llmzero/engine/tree"
)

// recipes are openings for a fresh start, as variations of the practitioner's configuration. Factors, not values: a
// learning rate that suits an 8B model means nothing to a small one.
var recipes = []plan{
	{
		confidence: 0.6, why: "Easy problems first: rules learnt on short ones make the long ones learnable.",
		effect: "reward is high early, harder stages follow",
		moves:  []move{down(pDifficulty, 0.35, "begin with what it can nearly do"), up(pLR, 1.5, "early steps may be large")},
	},
	{
		confidence: 0.58, why: "A bold opening: larger steps while everything is still to be learnt.",
		effect: "faster gains, more risk",
		moves:  []move{up(pLR, 2.5, "early steps may be large"), down(pGradNorm, 0.5, "but clipped")},
	},
	{
		confidence: 0.56, why: "Large and varied groups after DAPO: no pull of the reference, a wide upper clip.",
		effect: "broad exploration, entropy stays up",
		moves: []move{
			up(pClipHigh, 1.4, "let unlikely tokens gain"), set(pBeta, 0, "no pull to the base model"),
			up(pGroup, 2, "better estimates of the advantage"),
		},
	},
	{
		confidence: 0.54, why: "Sample broadly from the start, as ProRL and POLARIS do.",
		effect: "more groups with spread",
		moves:  []move{up(pT, 1.2, "sample more broadly"), up(pClipHigh, 1.6, "let unlikely tokens gain")},
	},
	{
		confidence: 0.52, why: "A careful opening: small steps held near the reference.",
		effect: "slow and steady gains",
		moves:  []move{down(pLR, 0.4, "small steps"), up(pBeta, 2, "near the reference")},
	},
	{
		confidence: 0.5, why: "Small groups over more problems see more of the task for the same tokens.",
		effect: "wider coverage a token",
		moves:  []move{down(pGroup, 0.5, "fewer samples a problem"), up(pPrompts, 2, "more problems a step")},
	},
	{
		confidence: 0.5, why: "Two passes over each batch learn more from every sampled token.",
		effect: "faster gains a token",
		moves:  []move{up(pEpochs, 2, "use each sample twice"), down(pLR, 0.7, "more steps, each smaller")},
	},
	{
		confidence: 0.48, why: "Short answers first, as DeepScaleR does: room is added once it is needed.",
		effect: "cheaper steps, some truncation",
		moves:  []move{down(pLength, 0.67, "short answers are cheap"), up(pLR, 1.3, "cheap steps may be larger")},
	},
}

// freshStarts vary the practitioner's configuration from the base model: itself first, then recipes, then what the best
// strategy ended with.
func (w *work) freshStarts() []candidate {
	at, ok := w.root()
	if !ok {
		return nil
	}
	out := []candidate{{
		at: at, unchanged: true, confidence: 0.85, effect: "a curve to compare everything with",
		rationale: "The practitioner's own configuration first: everything else is compared with it.",
	}}
	for _, r := range recipes {
		out = append(out, candidate{
			at: at, moves: r.moves, rationale: r.why, effect: r.effect,
			// Fresh starts are there to differ: the seed moves the order more than our belief does.
			confidence: r.confidence + 0.2*(w.rng.Float64()-0.5),
		})
	}
	slices.SortStableFunc(out, func(a, b candidate) int { return cmp.Compare(b.confidence, a.confidence) })
	return append(out, w.transplant(at)...)
}

// transplant starts with the configuration that the best strategy ended with.
func (w *work) transplant(at source) []candidate {
	if len(w.turn.Best) == 0 || len(w.turn.Best[0].Path) == 0 {
		return nil
	}
	path := w.turn.Best[0].Path
	var moves []move
	for _, c := range w.turn.Spec.Space.Diff(at.config, path[len(path)-1].Config) {
		moves = append(moves, move{param: c.Param, to: c.To, set: true, reason: "as the best strategy ended"})
	}
	return []candidate{{
		at: at, moves: moves, confidence: 0.45, effect: "shows whether the path mattered or only its end",
		rationale: "The best strategy's last configuration from the start: was it the path, or only where it ended?",
	}}
}

// root is the base model with the practitioner's configuration.
func (w *work) root() (source, bool) {
	ref := tree.CheckpointRef{Node: tree.Root}
	n, err := w.turn.Source(ref)
	if err != nil {
		return source{}, false
	}
	return source{ref: ref, config: n.Config, why: "the base model: a fresh start"}, true
}

// failureFinding says what failed.
func failureFinding(t agent.Turn) tree.Finding {
	step := 0
	if n := len(t.Points); n > 0 {
		step = t.Points[n-1].Step
	}
	return tree.Finding{Pathology: tree.SegmentFailure, Severity: tree.Severe, Evidence: []tree.Evidence{{
		FromStep: step, ToStep: step, Text: "the segment failed: " + printable(t.Failure.Error()),
	}}}
}
