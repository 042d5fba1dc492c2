package rules

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"strings"

	"llmzero/engine/agent"
	"llmzero/engine/tree"
)

// Name is how the rules agent is chosen and signs its proposals.
const Name = "rules"

// Agent is the rules agent. It keeps nothing between calls.
type Agent struct{}

var _ agent.Agent = Agent{}

// New makes the rules agent.
func New() Agent { return Agent{} }

// Name is "rules".
func (Agent) Name() string { return Name }

// Propose diagnoses the turn's node and ranks transitions against what it finds; with nothing wrong it explores.
func (Agent) Propose(ctx context.Context, t agent.Turn) (agent.Answer, error) {
	if err := ctx.Err(); err != nil {
		return agent.Answer{}, err
	}
	w := newWork(t)
	var cands []candidate
	switch {
	case t.Failure != nil:
		w.findings = []tree.Finding{failureFinding(t)}
		cands = w.remedies()
	case t.Fresh || t.Node.ID == tree.Root:
		cands = w.freshStarts()
	default:
		ms := diagnose(w.view)
		w.findings = findings(w.view, ms)
		cands = append(w.against(ms), w.explore(ms)...)
	}
	cands = append(w.hinted(), cands...)
	return agent.Answer{Findings: w.findings, Proposals: w.rank(cands)}, nil
}

// candidate is a transition in the making.
type candidate struct {
	at         source
	moves      []move
	unchanged  bool // go on with no change but what bans force
	confidence float64
	rationale  string
	effect     string
	note       string
}

// source is a checkpoint to resume from with the configuration that changes are relative to.
type source struct {
	ref    tree.CheckpointRef
	config tree.Config
	why    string
}

// work is one turn in progress.
type work struct {
	turn     agent.Turn
	view     *view
	trials   []trial
	findings []tree.Finding
	rng      *rand.Rand
}

func newWork(t agent.Turn) *work {
	w := &work{turn: t, view: viewOf(t), trials: trialsOf(t)}
	w.rng = rand.New(rand.NewPCG(t.Seed, uint64(t.Node.ID)+1))
	w.turn.Count = max(1, t.Count)
	if t.Steps < 1 {
		w.turn.Steps = max(1, t.Spec.Segment)
	}
	return w
}

func viewOf(t agent.Turn) *view {
	v := &view{points: t.Points, config: t.Node.Config}
	if t.Node.Outcome != nil {
		v.checkpoints = t.Node.Outcome.Checkpoints
	}
	if n, err := t.Source(t.Node.Transition.From); err == nil {
		v.start = valAt(n, t.Node.Transition.From.Step)
	}
	return v
}

// valAt is the validation score of a node's checkpoint.
func valAt(n tree.Node, step int) tree.Score {
	if n.Outcome != nil {
		for _, c := range n.Outcome.Checkpoints {
			if c.Step == step {
				return c.Val
			}
		}
	}
	if n.ID == tree.Root {
		return n.Val()
	}
	return tree.Score{}
}

// against turns the plans of what was found into candidates, and merges the first plans of the two gravest findings.
func (w *work) against(ms []match) []candidate {
	var out []candidate
	for i, m := range ms {
		for _, p := range m.rule.plans {
			if c, ok := w.candidate(m, p); ok {
				// later findings matter less than the gravest
				c.confidence -= 0.04 * float64(min(i, 3))
				out = append(out, c)
			}
		}
	}
	if len(ms) >= 2 {
		if c, ok := w.merged(ms[0], ms[1]); ok {
			out = append(out, c)
		}
	}
	return out
}

func (w *work) candidate(m match, p plan) (candidate, bool) {
	at, ok := w.resume(p.from, m)
	if !ok {
		return candidate{}, false
	}
	return candidate{
		at: at, moves: p.moves, confidence: p.confidence * weight(m.finding.Severity), effect: p.effect,
		rationale: sentence(m.finding) + p.why,
	}, true
}

// merged answers two findings at once: a run that is cut short and unstable needs room and smaller steps together.
func (w *work) merged(a, b match) (candidate, bool) {
	pa, pb := a.rule.plans[0], b.rule.plans[0]
	at := pa.from
	if at == chosen {
		at = pb.from
	}
	src, ok := w.resume(at, a)
	if !ok {
		return candidate{}, false
	}
	const most = 5
	moves := slices.Concat(pa.moves, pb.moves)
	conf := max(pa.confidence*weight(a.finding.Severity), pb.confidence*weight(b.finding.Severity)) + 0.02
	return candidate{
		at: src, moves: moves[:min(most, len(moves))], confidence: conf,
		effect:    pa.effect + "; " + pb.effect,
		rationale: sentence(a.finding) + "With it comes " + string(b.finding.Pathology) + ", so both are answered at once.",
	}, true
}

func weight(s tree.Severity) float64 {
	switch s {
	case tree.Severe:
		return 1.1
	case tree.Moderate:
		return 1
	default:
		return 0.9
	}
}

// sentence says a finding's first evidence as a sentence with a space behind it.
func sentence(f tree.Finding) string {
	if len(f.Evidence) == 0 {
		return ""
	}
	text := f.Evidence[0].Text
	return strings.ToUpper(text[:1]) + text[1:] + ". "
}

// resume finds the checkpoint that a plan goes on from.
func (w *work) resume(p place, m match) (source, bool) {
	n := w.turn.Node
	if n.Outcome == nil || len(n.Outcome.Checkpoints) == 0 {
		return source{}, false
	}
	cks := n.Outcome.Checkpoints
	at := func(c tree.Checkpoint, why string) source {
		return source{ref: tree.CheckpointRef{Node: n.ID, Step: c.Step}, config: n.Config, why: why}
	}
	switch p {
	case best:
		if b, _, ok := w.view.validation(); ok {
			if i := slices.IndexFunc(cks, func(c tree.Checkpoint) bool { return c.Step == b.Step }); i >= 0 {
				return at(cks[i], "best validation "+num(b.Val.Mean)), true
			}
			if src, ok := w.parent("the validation was best before this segment"); ok {
				return src, true
			}
		}
	case before:
		step := m.onset()
		for i := len(cks) - 1; i >= 0; i-- {
			if cks[i].Step <= step {
				return at(cks[i], "before the "+string(m.rule.pathology)+" at step "+num(float64(step))), true
			}
		}
		if src, ok := w.parent("before the " + string(m.rule.pathology) + ": the checkpoint this segment started from"); ok {
			return src, true
		}
	case chosen:
	}
	if c, ok := n.Outcome.Checkpoint(); ok {
		why := n.Outcome.ChosenWhy
		if why == "" {
			why = "the checkpoint chosen when the segment ended"
		}
		return at(c, why), true
	}
	return at(cks[len(cks)-1], "the last checkpoint"), true
}

// onset is the first step of the gravest evidence.
func (m match) onset() int {
	if len(m.finding.Evidence) == 0 {
		return 0
	}
	return m.finding.Evidence[0].FromStep
}

// parent is the checkpoint that the turn's node started from.
func (w *work) parent(why string) (source, bool) {
	ref := w.turn.Node.Transition.From
	n, err := w.turn.Source(ref)
	if err != nil || w.turn.Node.ID == tree.Root {
		return source{}, false
	}
	return source{ref: ref, config: n.Config, why: why}, true
}

// rank makes transitions of the candidates, drops what may not be proposed, and fills up with bolder and gentler
// variants and at last with random perturbations until the turn's count is reached.
func (w *work) rank(cands []candidate) []tree.Transition {
	var out []tree.Transition
	seen := map[string]bool{}
	take := func(c candidate, strength float64) {
		p, ok := w.transition(c, strength)
		if !ok || w.turn.Check(p) != nil {
			return
		}
		config, err := w.turn.Result(p)
		if err != nil {
			return
		}
		key := config.Key() + strings.Repeat("|", int(p.From.Node)+1) + num(float64(p.From.Step))
		if !seen[key] {
			seen[key] = true
			out = append(out, p)
		}
	}
	for _, c := range cands {
		take(c, 1)
	}
	for _, strength := range []float64{0.5, 1.6} {
		for _, c := range cands {
			if len(out) < w.turn.Count {
				take(c, strength)
			}
		}
	}
	for try := 0; len(out) < w.turn.Count && try < 40*w.turn.Count; try++ {
		if c, ok := w.perturbed(); ok {
			take(c, 1)
		}
	}
	slices.SortStableFunc(out, func(a, b tree.Transition) int { return cmp.Compare(b.Confidence, a.Confidence) })
	return out[:min(len(out), w.turn.Count)]
}

// transition makes a candidate concrete.
func (w *work) transition(c candidate, strength float64) (tree.Transition, bool) {
	moves := make([]move, len(c.moves))
	for i, m := range c.moves {
		moves[i] = m.stretched(strength)
	}
	if len(moves) == 0 && !c.unchanged {
		return tree.Transition{}, false
	}
	ch, ok := changes(w.turn.Spec.Space, w.turn.Bans, c.at.config, moves)
	if !ok {
		return tree.Transition{}, false
	}
	p := tree.Transition{
		From: c.at.ref, FromWhy: c.at.why, Changes: ch, Diagnosis: w.findings, Rationale: c.rationale,
		Steps: w.turn.Steps, By: Name, Note: c.note,
	}
	p.Confidence = w.confidence(c, p, strength)
	p.Effect = w.effect(c, p)
	return p, true
}

// confidence corrects the prior of a candidate by what this search has seen.
func (w *work) confidence(c candidate, p tree.Transition, strength float64) float64 {
	conf := c.confidence * w.record(p.Changes)
	if strength != 1 {
		conf *= 0.85
	}
	return float64(int(max(0.05, min(0.95, conf))*100+0.5)) / 100
}
