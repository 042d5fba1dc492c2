package rules

import (
	"cmp"
	"slices"

	"llmzero/engine/tree"
)

// Parameters that the table knows, by TRL's names, and our own beside them.
const (
	pLR         = "learning_rate"
	pBeta       = "beta"
	pClipHigh   = "epsilon_high"
	pT          = "temperature"
	pEntropy    = "entropy_coef"
	pDecay      = "weight_decay"
	pGradNorm   = "max_grad_norm"
	pEpochs     = "num_iterations"
	pGroup      = "num_generations"
	pLength     = "max_completion_length"
	pPrompts    = "prompts_per_step"
	pRank       = "lora_rank"
	pDifficulty = "difficulty"
	pReference  = "ref_reset"
	pOverlong   = "overlong_penalty"
)

// place is where a plan resumes.
type place int

const (
	chosen place = iota // the checkpoint that was chosen when the segment ended
	best                // the checkpoint with the best validation score
	before              // the last checkpoint before the evidence begins, the parent's when there is none
)

// plan is one coordinated transition against a pathology.
type plan struct {
	moves      []move // the first one is what the plan is about: without it there is no plan
	from       place
	confidence float64 // how much we believe in it before anything of this search is known
	why        string  // one sentence
	effect     string  // what it should do to the curves
}

// rule is one row of the table. It fires when all of its needs hold.
type rule struct {
	pathology tree.Pathology
	needs     []sign
	worse     []sign // add evidence and severity
	plans     []plan // best first
}

// Thresholds of several rows, as shares of groups or completions.
const (
	mostGroups    = 0.5
	nearCeiling   = 0.9
	manyTruncated = 0.15
	manyClipped   = 0.3
)

var saturated = either(above(tree.MetricAllRight, mostGroups), above(tree.MetricReward, nearCeiling))

// table is what research on RL post-training knows of pathologies and remedies, from the published recipes (DAPO, ProRL,
// POLARIS, Skywork-OR1, DeepScaleR, rStar2-Agent). Which remedy belongs to which pathology is our reading of them.
var table = []rule{
	{
		pathology: tree.EntropyCollapse,
		needs: []sign{
			falls(tree.MetricEntropy, 0.5),
			either(rises(tree.MetricZeroStd, 0.2, 0.15), falls(tree.MetricRewardStd, 0.4)),
			unless(saturated),
		},
		worse: []sign{rewardDrops(0.1), above(tree.MetricZeroStd, mostGroups), validationFlat},
		plans: []plan{
			{
				moves: []move{down(pLR, 0.5, "slower, so that the policy stays broad"), up(pT, 1.15, "sample more broadly")},
				from:  before, confidence: 0.72,
				why:    "What a collapsed policy has forgotten rarely comes back, so go on from before it and more gently.",
				effect: "entropy stays above its level at the checkpoint",
			},
			{
				moves: []move{
					up(pT, 1.25, "sample more broadly"), up(pClipHigh, 1.3, "let unlikely tokens gain"),
					up(pEntropy, 2, "pay for entropy"), down(pLR, 0.5, "collapse slows with the step size"),
				},
				confidence: 0.6,
				why:        "More temperature, a wider upper clip and an entropy bonus bring exploration back.",
				effect:     "entropy rises again, fewer groups without spread",
			},
			{
				moves:      []move{up(pEntropy, 3, "pay for entropy"), up(pBeta, 2, "hold on to the broad reference")},
				confidence: 0.5,
				why:        "The bonus and the pull of the reference both work against a narrow policy.",
				effect:     "entropy stops falling",
			},
		},
	},
	{
		pathology: tree.EntropyExplosion,
		needs:     []sign{rises(tree.MetricEntropy, 0.4, 0.1), either(rewardDrops(0.1), falls(tree.MetricReward, 0.1))},
		worse:     []sign{rises(tree.MetricLength, 0.2, 1), above(tree.MetricTruncated, manyTruncated)},
		plans: []plan{
			{
				moves: []move{
					down(pLR, 0.4, "steps were too large"), down(pT, 0.85, "sample nearer to what is known"),
					up(pBeta, 2, "pull back to the reference"),
				},
				from: before, confidence: 0.72,
				why:    "The policy is coming apart; go back to before it did and take smaller, better held steps.",
				effect: "entropy and length stay level, reward recovers",
			},
			{
				moves: []move{down(pT, 0.8, "sample nearer to what is known"), down(pEntropy, 0.3, "stop paying for entropy"), down(pLR, 0.5, "steps were too large")},
				from:  best, confidence: 0.58,
				why:    "Less temperature and no bonus take away what feeds the entropy.",
				effect: "entropy falls, reward recovers",
			},
		},
	},
	{
		pathology: tree.KLRunaway,
		needs: []sign{
			rises(tree.MetricKL, 2, 0.05),
			either(rewardDrops(0.1), falls(tree.MetricReward, 0.1), validationFalls),
		},
		worse: []sign{above(tree.MetricKL, 0.5), above(tree.MetricClip, manyClipped)},
		plans: []plan{
			{
				moves: []move{
					up(pBeta, 3, "hold the policy near the reference"), down(pLR, 0.5, "drift slows with the step size"),
					down(pEpochs, 0.5, "fewer steps away from the samples"),
				},
				from: best, confidence: 0.7,
				why:    "The policy drifts from the reference and no longer earns reward for it.",
				effect: "KL grows no faster than reward",
			},
			{
				moves: []move{down(pLR, 0.4, "drift slows with the step size"), down(pEpochs, 0.5, "fewer steps away from the samples")},
				from:  before, confidence: 0.6,
				why:    "Smaller steps from before the drift keep what was learnt.",
				effect: "KL grows more slowly, reward keeps its peak",
			},
		},
	},
	{
		pathology: tree.KLStagnation,
		needs: []sign{
			flat(tree.MetricReward, 0.05), below(tree.MetricKL, 0.02), unless(falls(tree.MetricEntropy, 0.3)),
			unless(saturated), unless(above(tree.MetricAllWrong, mostGroups)),
		},
		worse: []sign{validationFlat, flat(tree.MetricKL, 0.5)},
		plans: []plan{
			{
				moves:      []move{down(pBeta, 0.25, "let the policy leave the reference"), up(pLR, 2, "it hardly moves")},
				confidence: 0.68,
				why:        "The policy hardly leaves the reference and the reward stands still.",
				effect:     "KL grows and reward with it",
			},
			{
				moves:      []move{up(pLR, 3, "it hardly moves")},
				confidence: 0.6,
				why:        "Nothing moves: neither KL nor reward; the steps are too small.",
				effect:     "KL grows and reward with it",
			},
			{
				moves:      []move{up(pReference, 1, "anchor at what has been learnt"), up(pLR, 1.5, "it hardly moves")},
				confidence: 0.5,
				why:        "A new reference at this checkpoint removes the pull back to the base model.",
				effect:     "KL starts again from 0 and reward rises",
			},
		},
	},
	{
		pathology: tree.Truncation,
		needs:     []sign{above(tree.MetricTruncated, manyTruncated)},
		worse:     []sign{rises(tree.MetricTruncated, 0.3, 0.05), above(tree.MetricTruncated, 0.3)},
		plans: []plan{
			{
				moves:      []move{up(pLength, 1.5, "room for the answers that are cut"), down(pLR, 0.7, "gentler while longer answers settle")},
				confidence: 0.72,
				why:        "Answers that are cut earn nothing however right they begin: room first.",
				effect:     "truncated share falls below 10%",
			},
			{
				moves:      []move{up(pLength, 1.5, "room for the answers that are cut"), up(pOverlong, 2, "and a price on running to the limit")},
				confidence: 0.6,
				why:        "Room for long answers, and a penalty so that they do not grow into it.",
				effect:     "truncated share falls, mean length grows little",
			},
			{
				moves:      []move{up(pOverlong, 2, "a price on running to the limit"), down(pT, 0.9, "fewer rambling samples")},
				confidence: 0.48,
				why:        "If the answers need not be long, a penalty is cheaper than room.",
				effect:     "mean length falls, truncated share with it",
			},
		},
	},
	{
		pathology: tree.LengthHacking,
		needs:     []sign{rises(tree.MetricLength, 0.3, 1), either(flat(tree.MetricReward, 0.05), falls(tree.MetricReward, 0.05))},
		worse:     []sign{rises(tree.MetricTruncated, 0.2, 0.05), validationFlat},
		plans: []plan{
			{
				moves:      []move{up(pOverlong, 2, "a price on length"), down(pLR, 0.7, "gentler while length settles")},
				confidence: 0.62,
				why:        "Answers grow longer and earn no more; the cap stays and length gets a price.",
				effect:     "mean length falls back, reward unchanged or better",
			},
			{
				moves: []move{up(pBeta, 2, "the reference answers shortly"), up(pOverlong, 1.5, "a price on length")},
				from:  before, confidence: 0.5,
				why:    "The reference answers shortly; hold on to it from before the answers grew.",
				effect: "mean length stays where it was",
			},
		},
	},
	{
		pathology: tree.SparseSignal,
		needs: []sign{
			either(above(tree.MetricAllWrong, mostGroups), above(tree.MetricZeroStd, mostGroups)), below(tree.MetricReward, 0.35),
			unless(falls(tree.MetricEntropy, 0.5)),
		},
		worse: []sign{above(tree.MetricAllWrong, 0.7), flat(tree.MetricReward, 0.05)},
		plans: []plan{
			{
				moves:      []move{down(pDifficulty, 0.6, "problems it can sometimes solve"), up(pLR, 1.3, "use the signal while it is there")},
				confidence: 0.7,
				why:        "Most groups have no right answer and teach nothing; easier problems do.",
				effect:     "fewer all-wrong groups, reward rises",
			},
			{
				moves:      []move{up(pGroup, 2, "more chances for a right answer in a group"), up(pT, 1.15, "more varied answers")},
				confidence: 0.62,
				why:        "Larger and more varied groups hold a right answer more often.",
				effect:     "fewer groups without spread",
			},
			{
				moves:      []move{up(pT, 1.25, "more varied answers"), up(pClipHigh, 1.3, "let rare right answers gain")},
				confidence: 0.5,
				why:        "Rare right answers must be sampled first, and then be allowed to grow.",
				effect:     "fewer groups without spread",
			},
		},
	},
	{
		pathology: tree.SaturatedSignal,
		needs:     []sign{either(above(tree.MetricAllRight, mostGroups), above(tree.MetricZeroStd, mostGroups)), above(tree.MetricReward, 0.75)},
		worse:     []sign{above(tree.MetricAllRight, 0.7), validationFlat},
		plans: []plan{
			{
				moves:      []move{up(pDifficulty, 1.5, "problems it cannot solve yet")},
				confidence: 0.74,
				why:        "Most groups are all right and teach nothing more; harder problems do.",
				effect:     "training reward falls at first, validation rises",
			},
			{
				moves:      []move{up(pDifficulty, 2, "problems it cannot solve yet"), up(pGroup, 1.5, "harder problems need more chances"), down(pLR, 0.8, "keep what it can do")},
				confidence: 0.64,
				why:        "Harder problems with larger groups, and steps small enough to keep the easy ones.",
				effect:     "training reward falls at first, validation rises",
			},
			{
				moves:      []move{down(pGroup, 0.5, "easy groups need few samples"), up(pPrompts, 2, "more problems for the same tokens")},
				confidence: 0.45,
				why:        "Small groups over more problems find the few that still teach.",
				effect:     "same tokens a step, more groups with spread",
			},
			{
				moves:      []move{up(pT, 1.2, "sample beyond the sure answers")},
				confidence: 0.42,
				why:        "A higher temperature makes sure answers unsure again, which brings spread back.",
				effect:     "fewer all-right groups",
			},
		},
	},
	{
		pathology: tree.Overfitting,
		needs:     []sign{rises(tree.MetricReward, 0.05, 0.02), validationFalls},
		worse:     []sign{rises(tree.MetricKL, 1, 0.02), falls(tree.MetricEntropy, 0.3)},
		plans: []plan{
			{
				moves: []move{up(pBeta, 3, "hold the policy near the reference"), up(pDecay, 2, "smaller weights"), down(pLR, 0.7, "gentler")},
				from:  best, confidence: 0.68,
				why:    "Training reward rises while validation falls: go back to the best validation and regularize.",
				effect: "validation rises with the training reward",
			},
			{
				moves: []move{down(pLR, 0.4, "gentler"), down(pEpochs, 0.5, "each sample used less often")},
				from:  best, confidence: 0.55,
				why:    "Fewer and smaller steps on the same samples fit them less closely.",
				effect: "validation keeps its best value and then rises",
			},
		},
	},
	{
		pathology: tree.Instability,
		needs:     []sign{either(notFinite, spikes(tree.MetricGradNorm, 6), above(tree.MetricClip, manyClipped))},
		worse:     []sign{spikes(tree.MetricGradNorm, 20), above(tree.MetricClip, manyClipped), rewardDrops(0.1)},
		plans: []plan{
			{
				moves: []move{
					down(pLR, 0.5, "smaller steps"), down(pGradNorm, 0.5, "clip what spikes"),
					down(pEpochs, 0.5, "stay near the samples"),
				},
				from: before, confidence: 0.68,
				why:    "Training is unstable; smaller and better clipped steps from before the trouble.",
				effect: "gradient norm without spikes, clip fraction below 0.3",
			},
			{
				moves:      []move{down(pGradNorm, 0.5, "clip what spikes"), up(pGroup, 2, "larger groups make calmer gradients")},
				confidence: 0.52,
				why:        "Larger groups average the noise out that the clip does not catch.",
				effect:     "gradient norm without spikes",
			},
		},
	},
	{
		pathology: tree.CapacityLimit,
		needs: []sign{
			plateau(tree.MetricReward), unless(saturated), unless(falls(tree.MetricEntropy, 0.7)),
			unless(rises(tree.MetricKL, 5, 0.5)), unless(above(tree.MetricTruncated, manyTruncated)),
		},
		worse: []sign{validationFlat},
		plans: []plan{
			{
				moves:      []move{up(pGroup, 2, "better estimates of the advantage")},
				confidence: 0.6,
				why:        "Reward rose and then stood still with healthy entropy and KL; more samples a problem resolve finer differences.",
				effect:     "reward rises again",
			},
			{
				moves:      []move{up(pRank, 2, "more room to learn in"), down(pLR, 0.8, "new weights settle")},
				confidence: 0.52,
				why:        "The adapter may be full: reward stands still while entropy and KL are healthy.",
				effect:     "reward rises again",
			},
			{
				moves:      []move{up(pPrompts, 2, "more problems a step"), up(pLR, 1.4, "larger batches carry larger steps")},
				confidence: 0.5,
				why:        "A larger batch carries a larger step past the plateau.",
				effect:     "reward rises again",
			},
			{
				moves:      []move{up(pLength, 1.25, "room to think")},
				confidence: 0.42,
				why:        "More room may allow answers that the limit never let it try.",
				effect:     "mean length grows and reward with it",
			},
		},
	},
}

// match is a rule that fired.
type match struct {
	rule     rule
	finding  tree.Finding
	strength float64
}

// diagnose runs the table over a view and returns what fired, most severe first.
func diagnose(v *view) []match {
	var out []match
	for _, r := range table {
		if m, ok := r.match(v); ok {
			out = append(out, m)
		}
	}
	slices.SortStableFunc(out, func(a, b match) int { return cmp.Compare(b.strength, a.strength) })
	return out
}

func (r rule) match(v *view) (match, bool) {
	m := match{rule: r, finding: tree.Finding{Pathology: r.pathology}}
	var sum float64
	for _, s := range r.needs {
		ev, strength, ok := s(v)
		if !ok {
			return match{}, false
		}
		sum += strength
		m.add(ev)
	}
	m.strength = sum / float64(len(r.needs))
	for _, s := range r.worse {
		if ev, strength, ok := s(v); ok {
			m.strength += 0.15 + 0.15*strength
			m.add(ev)
		}
	}
	m.strength = min(1, m.strength)
	m.finding.Severity = grade(m.strength)
	return m, true
}

// add keeps evidence that says something new.
func (m *match) add(ev tree.Evidence) {
	if ev.Text == "" {
		return
	}
	for _, e := range m.finding.Evidence {
		if e.Metric == ev.Metric {
			return
		}
	}
	m.finding.Evidence = append(m.finding.Evidence, ev)
}

func grade(strength float64) tree.Severity {
	switch {
	case strength >= 0.6:
		return tree.Severe
	case strength >= 0.3:
		return tree.Moderate
	default:
		return tree.Mild
	}
}

// findings are the matches' findings; a single healthy one when there are none and the segment was seen at all.
func findings(v *view, ms []match) []tree.Finding {
	if len(ms) == 0 {
		f := tree.Finding{Pathology: tree.Healthy, Severity: tree.Mild}
		for _, m := range []string{tree.MetricReward, tree.MetricEntropy} {
			if s := v.series(m); s.Len() > 0 {
				head, tail := s.Head(), s.Tail()
				f.Evidence = append(f.Evidence, tree.Evidence{
					Metric: m, FromStep: head.FromStep, ToStep: tail.ToStep, From: head.Mean, To: tail.Mean,
					Text: label(m) + " went from " + num(head.Mean) + " to " + num(tail.Mean),
				})
			}
		}
		return []tree.Finding{f}
	}
	out := make([]tree.Finding, len(ms))
	for i, m := range ms {
		out[i] = m.finding
	}
	return out
}

// Findings runs the pathology table over the points of a segment, most severe first; a single healthy one when nothing
// fires.
func Findings(points []tree.Point) []tree.Finding {
	v := &view{points: points}
	return findings(v, diagnose(v))
}
