package llm

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"

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

// schema is a JSON schema in three forms: the plain one of the Go type that answers are validated against, whose
// complaints a model can understand; the one in the prompt, with the turn's own names in it; and the one that a server
// holds the model to, which may be long.
type schema struct {
	plain *jsonschema.Resolved
	told  json.RawMessage
	sent  json.RawMessage
}

// schemaFor makes the schema of T; narrow puts the turn's names and bounds into it, and sharpen (which may be nil) what
// is too long for a prompt.
func schemaFor[T any](narrow, sharpen func(s *jsonschema.Schema)) (schema, error) {
	plain, err := jsonschema.For[T](nil)
	if err != nil {
		return schema{}, fmt.Errorf("answer schema: %w", err)
	}
	loosen(plain)
	resolved, err := plain.Resolve(nil)
	if err != nil {
		return schema{}, fmt.Errorf("answer schema: %w", err)
	}
	sent, err := jsonschema.For[T](nil)
	if err != nil {
		return schema{}, fmt.Errorf("answer schema: %w", err)
	}
	bound(sent)
	narrow(sent)
	out := schema{plain: resolved}
	if out.told, err = json.Marshal(sent); err != nil {
		return schema{}, fmt.Errorf("answer schema: %w", err)
	}
	if sharpen != nil {
		sharpen(sent)
	}
	if out.sent, err = json.Marshal(sent); err != nil {
		return schema{}, fmt.Errorf("answer schema: %w", err)
	}
	return out, nil
}

// loosen allows fields that nobody asked for: a remark beside a good answer is no reason to send it back.
func loosen(s *jsonschema.Schema) {
	if s == nil {
		return
	}
	s.AdditionalProperties = nil
	for _, p := range s.Properties {
		loosen(p)
	}
	loosen(s.Items)
}

// bound limits every string.
func bound(s *jsonschema.Schema) {
	if s == nil {
		return
	}
	if s.Type == "string" {
		s.MaxLength = jsonschema.Ptr(maxText)
	}
	if slices.Contains(s.Types, "null") { // Go's slices may be null, answers may not
		s.Types = slices.DeleteFunc(s.Types, func(t string) bool { return t == "null" })
		if len(s.Types) == 1 {
			s.Type, s.Types = s.Types[0], nil
		}
	}
	for _, p := range s.Properties {
		bound(p)
	}
	bound(s.Items)
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

func diagnosisSchema(points []tree.Point) (schema, error) {
	return schemaFor[diagnosis](func(s *jsonschema.Schema) {
		list := s.Properties["findings"]
		list.MinItems, list.MaxItems = jsonschema.Ptr(1), jsonschema.Ptr(maxFindings)
		f := list.Items.Properties
		f["pathology"].Enum = anys(tree.Pathologies)
		f["severity"].Enum = anys([]tree.Severity{tree.Mild, tree.Moderate, tree.Severe})
		m := slices.DeleteFunc(curve.Metrics(points), func(m string) bool {
			return m == tree.MetricTokens || m == tree.MetricLearningRate
		})
		if len(m) > 0 {
			f["metric"].Enum = anys(m)
		}
	}, nil)
}

func proposalsSchema(t agent.Turn, places []place, count int) (schema, error) {
	return schemaFor[proposals](func(s *jsonschema.Schema) {
		list := s.Properties["proposals"]
		list.MinItems, list.MaxItems = jsonschema.Ptr(1), jsonschema.Ptr(min(maxProposals, max(1, count)))
		p := list.Items.Properties
		var names []string
		for _, pl := range places {
			names = append(names, pl.name)
		}
		if len(names) > 0 {
			p["checkpoint"].Enum = anys(names)
		}
		p["confidence"].Minimum, p["confidence"].Maximum = jsonschema.Ptr(0.0), jsonschema.Ptr(1.0)
		p["changes"].MaxItems = jsonschema.Ptr(maxChanges)
		least, most := t.StepBounds()
		p["steps"].Type = "integer"
		p["steps"].Minimum, p["steps"].Maximum = jsonschema.Ptr(float64(least)), jsonschema.Ptr(float64(most))
	}, func(s *jsonschema.Schema) {
		s.Properties["proposals"].Items.Properties["changes"].Items = changeSchema(t.Spec.Space)
	})
}

// changeSchema allows one form a parameter, so that a grammar holds the model to a value of the right type.
func changeSchema(space tree.Space) *jsonschema.Schema {
	var forms []*jsonschema.Schema
	for _, p := range space.Params {
		v := &jsonschema.Schema{Type: "number", Minimum: jsonschema.Ptr(p.Min), Maximum: jsonschema.Ptr(p.Max)}
		if p.Zero {
			v.Minimum = jsonschema.Ptr(min(0, p.Min))
		}
		switch p.Kind {
		case tree.KindInt:
			v.Type = "integer"
		case tree.KindChoice:
			v = &jsonschema.Schema{Type: "string", Enum: anys(p.Choices)}
		case tree.KindFloat:
		}
		forms = append(forms, &jsonschema.Schema{
			Type: "object", Required: []string{"parameter", "value", "reason"},
			Properties: map[string]*jsonschema.Schema{
				"parameter": {Type: "string", Enum: []any{p.Name}},
				"value":     v,
				"reason":    {Type: "string", MaxLength: jsonschema.Ptr(80)},
			},
			PropertyOrder: []string{"parameter", "value", "reason"},
		})
	}
	return &jsonschema.Schema{AnyOf: forms}
}

func choiceSchema(places []place) (schema, error) {
	return schemaFor[choice](func(s *jsonschema.Schema) {
		var names []string
		for _, pl := range places {
			names = append(names, pl.name)
		}
		s.Properties["checkpoint"].Enum = anys(names)
	}, nil)
}

func judgementSchema() (schema, error) { return schemaFor[judgement](func(*jsonschema.Schema) {}, nil) }

func anys[T ~string](in []T) []any {
	out := make([]any, len(in))
	for i, x := range in {
		out[i] = string(x)
	}
	return out
}

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
