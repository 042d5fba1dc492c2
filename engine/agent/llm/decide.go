package llm

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"llmzero/engine/agent"
	"llmzero/engine/agent/rules"
	"llmzero/engine/tree"
)

// judged is a segment at a quarter of its length.
type judged struct {
	search  string
	node    tree.NodeID
	attempt int
	quarter int
}

// judgeTimeout limits the wait for a judgement, since the segment may be waiting too.
const judgeTimeout = time.Minute

// Judge stops what the rules stop. Beyond that the model is asked at most at each quarter of a segment, and only when the
// rules see a severe finding: asking at every poll would cost more than the segment.
func (a *Agent) Judge(ctx context.Context, w agent.Watch) (agent.Judgement, error) {
	j, err := a.rules.Judge(ctx, w)
	if err != nil || j.Stop || len(w.Points) == 0 {
		return j, err
	}
	signs := rules.Findings(w.Points)
	steps := max(1, w.Node.Transition.Steps)
	done := w.Points[len(w.Points)-1].Step - w.Node.Transition.From.Step
	key := judged{w.Spec.ID, w.Node.ID, w.Node.Attempts, min(3, 4*done/steps)}
	if !severe(signs) || key.quarter < 1 || !a.first(key) {
		return j, nil
	}
	t := agent.Turn{Spec: w.Spec, Node: w.Node, Points: w.Points, Steps: steps}
	sections, err := a.short(t, signs, nil)
	if err != nil {
		return j, err
	}
	s, err := judgementSchema()
	if err != nil {
		return j, err
	}
	c := a.conversation(w.Node.ID, w.Seed, sections)
	type verdict struct {
		judgement
		ok bool
	}
	v, ok, err := ask(ctx, a, c, question[verdict]{
		phase: "judge", schema: s, template: "judge", data: map[string]any{"Done": done, "Steps": steps},
		timeout: min(a.cfg.Timeout, judgeTimeout),
		read: func(text string) (verdict, []string) {
			d, err := decode[judgement](text, s)
			if err != nil {
				return verdict{}, []string{err.Error()}
			}
			return verdict{d, true}, nil
		},
		usable: func(v verdict) bool { return v.ok },
	})
	j.Exchanges = c.exchanges
	if err != nil || !ok {
		return j, err
	}
	if j.Stop, j.Why = v.Stop, clean(v.Why, maxText); j.Stop {
		j.Findings = signs
		if j.Why == "" {
			j.Why = a.cfg.Name + " gave no reason"
		}
	}
	return j, nil
}

// first tells whether key is new, and remembers it.
func (a *Agent) first(key judged) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.asked[key] {
		return false
	}
	a.asked[key] = true
	return true
}

func severe(fs []tree.Finding) bool {
	for _, f := range fs {
		if f.Severity == tree.Severe && f.Pathology != tree.Healthy {
			return true
		}
	}
	return false
}

// Choose asks for the checkpoint when there are at least two; the rules choose when the model does not.
func (a *Agent) Choose(ctx context.Context, e agent.Ended) (agent.Choice, error) {
	byRules, err := a.rules.Choose(ctx, e)
	if err != nil || len(checkpointsOf(e.Node)) < 2 {
		return byRules, err
	}
	var places []place
	for _, c := range checkpointsOf(e.Node) {
		ref := tree.CheckpointRef{Node: e.Node.ID, Step: c.Step}
		places = append(places, place{name: placeName(ref), ref: ref, val: c.Val})
	}
	start := place{name: placeName(e.Node.Transition.From), val: e.Start, note: "where this segment started; not to choose"}
	t := agent.Turn{Spec: e.Spec, Node: e.Node, Points: e.Points}
	signs := rules.Findings(e.Points)
	sections, err := a.short(t, signs, append([]place{start}, places...))
	if err != nil {
		return byRules, err
	}
	s, err := choiceSchema(places)
	if err != nil {
		return byRules, err
	}
	c := a.conversation(e.Node.ID, e.Seed, sections)
	pick, ok, err := ask(ctx, a, c, question[agent.Choice]{
		phase: "choose", schema: s, template: "choose",
		read: func(text string) (agent.Choice, []string) {
			d, err := decode[choice](text, s)
			if err != nil {
				return agent.Choice{Index: -1}, []string{err.Error()}
			}
			i := slices.IndexFunc(places, func(p place) bool { return p.name == strings.TrimSpace(d.Checkpoint) })
			if i < 0 {
				return agent.Choice{Index: -1}, []string{"checkpoint " + clean(d.Checkpoint, 40) + " is not one of this segment's"}
			}
			why := clean(d.Why, maxText)
			if why == "" {
				return agent.Choice{Index: -1}, []string{"it gives no reason"}
			}
			if wrong := muchWorse(places, i); wrong != "" && !severe(rules.Collapses(signs)) {
				return agent.Choice{Index: -1}, []string{wrong}
			}
			return agent.Choice{Index: i, Why: why, By: a.cfg.Name}, nil
		},
		usable: func(c agent.Choice) bool { return c.By != "" },
	})
	if err != nil {
		return byRules, err
	}
	if !ok {
		byRules.Exchanges = c.exchanges
		return byRules, nil
	}
	pick.Exchanges = c.exchanges
	return pick, nil
}

// muchWorse says that a checkpoint scores below the best by more than three standard errors of their difference. A model
// that gives such a score away without a severe collapse to flee from has misread the table.
func muchWorse(places []place, i int) string {
	for _, p := range places {
		if gap := p.val.Mean - places[i].val.Mean; p.val.Known() && places[i].val.Known() && gap > 3*math.Hypot(p.val.SE, places[i].val.SE) {
			return fmt.Sprintf("%s scores %.3f below %s, far beyond the noise, and no collapse was seen", places[i].name, gap, p.name)
		}
	}
	return ""
}

// short is what a model sees of a segment when it decides about that segment alone.
func (a *Agent) short(t agent.Turn, signs []tree.Finding, places []place) ([]section, error) {
	w := &writer{}
	w.add("task", rankAlways, map[string]any{"Spec": t.Spec, "Base": tree.Score{}})
	if len(t.Points) > 0 {
		w.add("curves", rankCurves, curveRows(t.Points, 8, false), curveRows(t.Points, 4, false), curveRows(t.Points, 4, true))
		w.addList("signs", rankSigns, findingLines(signs))
	}
	w.addList("checkpoints", rankAlways, placeLines(places))
	return w.sections, w.err
}
