package llm

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/google/jsonschema-go/jsonschema"

	"llmzero/engine/agent"
	"llmzero/engine/agent/curve"
	"llmzero/engine/tree"
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
