package rules

import (
	"strings"

	"llmzero/engine/tree"
)

// remedyPlans answer a class of failures. Their moves start from the configuration that failed.
var remedyPlans = map[tree.FailureClass][]plan{
	tree.FailOOM: {
		{confidence: 0.7, why: "It ran out of memory: half the prompts a step need half of it.", effect: "fits", moves: []move{down(pPrompts, 0.5, "smaller batch")}},
		{confidence: 0.62, why: "It ran out of memory: shorter answers need less of it.", effect: "fits", moves: []move{down(pLength, 0.7, "shorter answers")}},
		{confidence: 0.58, why: "It ran out of memory: smaller groups need less of it.", effect: "fits", moves: []move{down(pGroup, 0.5, "smaller groups")}},
		{confidence: 0.45, why: "It ran out of memory: a smaller adapter has a smaller optimizer state.", effect: "fits", moves: []move{down(pRank, 0.5, "smaller adapter")}},
	},
	tree.FailNaN: {
		{
			confidence: 0.68, why: "Numbers overflowed: smaller and better clipped steps.", effect: "finite loss",
			moves: []move{down(pLR, 0.3, "smaller steps"), down(pGradNorm, 0.5, "clip harder"), down(pEpochs, 0.5, "stay near the samples")},
		},
		{
			confidence: 0.52, why: "Numbers overflowed: hold the policy near its reference.", effect: "finite loss",
			moves: []move{down(pLR, 0.5, "smaller steps"), up(pBeta, 3, "near the reference")},
		},
		{
			confidence: 0.42, why: "Numbers overflowed: clip the gradient harder, keep the step.", effect: "finite loss",
			moves: []move{down(pGradNorm, 0.25, "clip harder")},
		},
	},
	tree.FailTimeout: {
		{confidence: 0.62, why: "It took too long: shorter answers make faster steps.", effect: "ends in time", moves: []move{down(pLength, 0.7, "shorter answers")}},
		{confidence: 0.58, why: "It took too long: half the prompts make faster steps.", effect: "ends in time", moves: []move{down(pPrompts, 0.5, "smaller batch")}},
		{confidence: 0.5, why: "It took too long: smaller groups make faster steps.", effect: "ends in time", moves: []move{down(pGroup, 0.5, "smaller groups")}},
	},
}

// remedies start again from the checkpoint of the failed segment, with its configuration mended.
func (w *work) remedies() []candidate {
	at, ok := w.parent("where the failed segment started")
	if !ok {
		return nil
	}
	failed := w.turn.Node.Config
	cause := sentence(w.findings[0])
	var out []candidate
	for _, p := range remedyPlans[w.turn.Failure.Class] {
		moves, ok := w.mended(at, failed, p.moves)
		if !ok {
			continue
		}
		out = append(out, candidate{
			at: at, moves: moves, unchanged: true, confidence: p.confidence,
			rationale: cause + p.why, effect: p.effect,
		})
	}
	// Take back what the message names, or else each change in turn: one of them broke it.
	for _, c := range w.turn.Node.Transition.Changes {
		conf := 0.5
		if strings.Contains(w.turn.Failure.Message, c.Param) {
			conf = 0.72
		}
		kept := failed.Clone()
		kept[c.Param] = at.config[c.Param]
		out = append(out, candidate{
			at: at, moves: w.towards(at, kept, nil), unchanged: true, confidence: conf, effect: "trains",
			rationale: cause + "Take back " + c.Param + " and keep the other changes.",
		})
	}
	return out
}

// mended applies moves to the configuration that failed and expresses the result as moves from the source.
func (w *work) mended(at source, failed tree.Config, moves []move) ([]move, bool) {
	ch, ok := changes(w.turn.Spec.Space, nil, failed, moves)
	if !ok {
		return nil, false
	}
	return w.towards(at, failed.With(ch), ch), true
}

// towards are the moves from the source to a configuration; those not among the remedies were in the failed segment.
func (w *work) towards(at source, to tree.Config, remedies []tree.Change) []move {
	reasons := map[string]string{}
	for _, c := range remedies {
		reasons[c.Param] = c.Reason
	}
	var out []move
	for _, c := range w.turn.Spec.Space.Diff(at.config, to) {
		why, ok := reasons[c.Param]
		if !ok {
			why = "kept from the failed segment"
		}
		out = append(out, move{param: c.Param, to: c.To, set: true, reason: why})
	}
	return out
}
