package llm

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"llmzero/engine/agent"
	"llmzero/engine/agent/curve"
	"llmzero/engine/tree"
)

// The answers of the phases, as the model writes them. Their JSON schemas come from these types.

type diagnosis struct {
	Findings []finding `json:"findings" jsonschema:"what is wrong with the run, gravest first; one healthy finding when nothing is"`
}

type finding struct {
	Evidence  string `json:"evidence" jsonschema:"what the numbers show, in one sentence"`
	Metric    string `json:"metric" jsonschema:"the metric that shows it best"`
	Pathology string `json:"pathology"`
	Severity  string `json:"severity"`
}

type proposals struct {
	Proposals []proposal `json:"proposals" jsonschema:"distinct transitions, best first"`
}

type proposal struct {
	Rationale  string   `json:"rationale" jsonschema:"why, in one or two plain sentences"`
	Checkpoint string   `json:"checkpoint" jsonschema:"where to go on from"`
	Changes    []change `json:"changes" jsonschema:"all parameters that change together"`
	Steps      *float64 `json:"steps,omitempty" jsonschema:"optimizer steps of the next segment"`
	Effect     string   `json:"effect" jsonschema:"what the curves should do"`
	Confidence float64  `json:"confidence" jsonschema:"0 to 1"`
}

type change struct {
	Parameter string `json:"parameter"`
	Value     any    `json:"value" jsonschema:"the new value"`
	Reason    string `json:"reason" jsonschema:"in a few words"`
}

type judgement struct {
	Why  string `json:"why" jsonschema:"in one sentence"`
	Stop bool   `json:"stop" jsonschema:"true ends the segment now"`
}

type choice struct {
	Why        string `json:"why" jsonschema:"in one sentence"`
	Checkpoint string `json:"checkpoint"`
}

// Bounds of answers. Without them a runner's grammar grows until it breaks, and a small model never stops.
const (
	maxText      = 240
	maxFindings  = 3
	maxProposals = 2 // the gate takes the first that may be made; the second is its spare
	maxChanges   = 5
)

// place is a checkpoint under the name by which prompts and answers call it.
type place struct {
	name string
	ref  tree.CheckpointRef
	val  tree.Score
	note string
}

func placeName(ref tree.CheckpointRef) string {
	return "n" + strconv.Itoa(int(ref.Node)) + "@" + strconv.Itoa(ref.Step)
}

// placesOf are the checkpoints that a turn's proposals may resume from: those of the node and the one that it started from.
func placesOf(t agent.Turn, chain bool) []place {
	root := place{name: placeName(tree.CheckpointRef{}), note: "the base model"}
	if len(t.Path) > 0 {
		root.val = t.Path[0].Node.Val()
	}
	if t.Fresh || t.Node.ID == tree.Root {
		return []place{root}
	}
	var out []place
	if o := t.Node.Outcome; o != nil {
		for i, c := range o.Checkpoints {
			pl := place{ref: tree.CheckpointRef{Node: t.Node.ID, Step: c.Step}, val: c.Val}
			pl.name = placeName(pl.ref)
			if i == o.Chosen {
				pl.note = "chosen"
			}
			if !chain || i == o.Chosen {
				out = append(out, pl)
			}
		}
	}
	if chain && len(out) > 0 {
		return out
	}
	from := t.Node.Transition.From
	if src, err := t.Source(from); err == nil {
		pl := place{name: placeName(from), ref: from, note: "where this segment started"}
		if from.Node == tree.Root {
			pl.val = src.Val()
		}
		for _, c := range checkpointsOf(src) {
			if c.Step == from.Step {
				pl.val = c.Val
			}
		}
		out = append([]place{pl}, out...)
	}
	return out
}

func checkpointsOf(n tree.Node) []tree.Checkpoint {
	if n.Outcome == nil {
		return nil
	}
	return n.Outcome.Checkpoints
}

// decode extracts, validates and reads an answer.
func decode[T any](text string, s schema) (T, error) {
	var out T
	raw, err := extract(text)
	if err != nil {
		return out, err
	}
	var instance any
	if err := json.Unmarshal(raw, &instance); err != nil {
		return out, fmt.Errorf("the answer is not JSON: %w", err)
	}
	if err := s.plain.Validate(instance); err != nil {
		return out, fmt.Errorf("the answer does not follow the schema: %s", clean(err.Error(), 400))
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		return out, fmt.Errorf("the answer does not follow the schema: %w", err)
	}
	return out, nil
}

// read turns the model's findings into ours. Numbers come from the series, never from the model.
func (d diagnosis) read(points []tree.Point) ([]tree.Finding, []string) {
	var out []tree.Finding
	var wrong []string
	for _, f := range d.Findings {
		p, ok := pathology(f.Pathology)
		if !ok {
			wrong = append(wrong, fmt.Sprintf("%q is no pathology; they are %s", clean(f.Pathology, 40), list(tree.Pathologies)))
			continue
		}
		sev := tree.Severity(strings.ToLower(strings.TrimSpace(f.Severity)))
		if sev != tree.Mild && sev != tree.Moderate && sev != tree.Severe {
			wrong = append(wrong, fmt.Sprintf("severity %q: want mild, moderate or severe", clean(f.Severity, 40)))
			continue
		}
		ev := tree.Evidence{Metric: clean(f.Metric, 60), Text: clean(f.Evidence, maxText)}
		s := curve.Of(points, f.Metric)
		if s.Len() == 0 {
			if len(points) > 0 && p != tree.Healthy {
				wrong = append(wrong, fmt.Sprintf("%q was not measured; metrics are %s", ev.Metric, list(curve.Metrics(points))))
				continue
			}
			ev.Metric = ""
		} else {
			m := s.Move()
			ev.FromStep, ev.ToStep, ev.From, ev.To = m.FromStep, m.ToStep, m.From, m.To
		}
		out = append(out, tree.Finding{Pathology: p, Severity: sev, Evidence: []tree.Evidence{ev}})
	}
	if len(d.Findings) == 0 {
		wrong = append(wrong, "there is no finding; say healthy when nothing is wrong")
	}
	return out[:min(len(out), maxFindings)], wrong
}

func pathology(s string) (tree.Pathology, bool) {
	for _, p := range tree.Pathologies {
		if strings.EqualFold(strings.TrimSpace(s), string(p)) {
			return p, true
		}
	}
	return "", false
}

// read turns the model's proposals into transitions that may be made, and says what is wrong with the others.
func (ps proposals) read(t agent.Turn, places []place) ([]tree.Transition, []string) {
	var out []tree.Transition
	var wrong []string
	seen := map[string]int{}
	for i, p := range ps.Proposals {
		tr, err := p.read(t, places)
		if err == nil {
			err = t.Check(tr)
		}
		if err != nil {
			wrong = append(wrong, fmt.Sprintf("proposal %d: %s", i+1, clean(err.Error(), 300)))
			continue
		}
		config, err := t.Result(tr)
		if err != nil {
			wrong = append(wrong, fmt.Sprintf("proposal %d: %s", i+1, clean(err.Error(), 300)))
			continue
		}
		key := placeName(tr.From) + config.Key()
		if j, dup := seen[key]; dup {
			wrong = append(wrong, fmt.Sprintf("proposal %d is the same as proposal %d", i+1, j))
			continue
		}
		seen[key] = i + 1
		out = append(out, tr)
	}
	if len(ps.Proposals) == 0 {
		wrong = append(wrong, "there is no proposal; give at least one")
	}
	return out[:min(len(out), max(1, t.Count))], wrong
}

func (p proposal) read(t agent.Turn, places []place) (tree.Transition, error) {
	i := slices.IndexFunc(places, func(pl place) bool { return pl.name == strings.TrimSpace(p.Checkpoint) })
	if i < 0 {
		names := make([]string, len(places))
		for i, pl := range places {
			names[i] = pl.name
		}
		return tree.Transition{}, fmt.Errorf("checkpoint %q: want one of %s", clean(p.Checkpoint, 40), list(names))
	}
	src, err := t.Source(places[i].ref)
	if err != nil {
		return tree.Transition{}, err
	}
	if p.Confidence < 0 || p.Confidence > 1 {
		return tree.Transition{}, fmt.Errorf("confidence %g is outside 0 … 1", p.Confidence)
	}
	tr := tree.Transition{
		From: places[i].ref, FromWhy: places[i].note, Rationale: clean(p.Rationale, 2*maxText), Confidence: p.Confidence,
		Effect: tree.Effect{Text: clean(p.Effect, maxText)}, Steps: max(1, t.Steps),
	}
	if tr.Rationale == "" {
		return tr, fmt.Errorf("it gives no rationale")
	}
	if p.Steps != nil {
		least, most := t.StepBounds()
		if s := *p.Steps; s != math.Trunc(s) || s < float64(least) || s > float64(most) {
			return tr, fmt.Errorf("steps %g: want a whole number from %d to %d", s, least, most)
		}
		tr.Steps = int(*p.Steps)
	}
	for _, c := range p.Changes {
		param, v, err := c.read(t.Spec.Space)
		if err != nil {
			return tr, err
		}
		from := src.Config[param.Name]
		to := tree.Change{Param: param.Name, From: from, To: v, Reason: clean(c.Reason, 120)}
		said := slices.ContainsFunc(tr.Changes, func(o tree.Change) bool { return o.Param == to.Param && o.To == to.To })
		if v == from || said { // it says what is so already, or says it again, as small models do
			continue
		}
		tr.Changes = append(tr.Changes, to)
	}
	return tr, nil
}

// read finds the parameter by name or label and reads the value, also a number that was written as text.
func (c change) read(space tree.Space) (tree.Param, tree.Value, error) {
	name := strings.TrimSpace(c.Parameter)
	p, ok := space.Find(name)
	for i := 0; i < len(space.Params) && !ok; i++ {
		if space.Params[i].Short == name && name != "" {
			p, ok = space.Params[i], true
		}
	}
	if !ok {
		return p, tree.Value{}, fmt.Errorf("%q: the trainer has no such parameter; it has %s", clean(name, 40), list(space.Names()))
	}
	var v tree.Value
	var err error
	switch x := c.Value.(type) {
	case float64:
		v = tree.Number(x)
		if p.Kind == tree.KindChoice {
			v = tree.Choice(v.String())
		}
		err = p.Check(v)
	case string:
		v, err = p.Parse(x)
	default:
		err = fmt.Errorf("%s: a value is a number or the name of a choice", p.Name)
	}
	if err != nil {
		return p, v, fmt.Errorf("%w (allowed: %s)", err, p.Range())
	}
	return p, v, nil
}

func list[T ~string](in []T) string {
	out := make([]string, len(in))
	for i, x := range in {
		out[i] = string(x)
	}
	return strings.Join(out, ", ")
}
