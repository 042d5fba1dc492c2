package tree

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Kind is a parameter's type.
type Kind string

// The kinds of parameters.
const (
	KindFloat  Kind = "float"
	KindInt    Kind = "int"
	KindChoice Kind = "choice"
)

// Scale says how distance between values is measured and how a range is drawn.
type Scale string

// The scales of numeric parameters.
const (
	ScaleLinear Scale = "linear"
	ScaleLog    Scale = "log"
)

// Role is what a parameter does to training, declared by the trainer before any search.
type Role string

// The roles of the paper (arXiv 2606.18388), and other for those that are neither.
const (
	RoleCapacity       Role = "capacity"
	RoleRegularization Role = "regularization"
	RoleOther          Role = "other"
)

// Param describes one hyper-parameter of a trainer.
type Param struct {
	Name  string  `json:"name"`           // TRL's name where it has one
	Short string  `json:"short"`          // label for narrow places: lr, KL, T, n
	Kind  Kind    `json:"kind"`           //
	Min   float64 `json:"min"`            // smallest value, in Unit
	Max   float64 `json:"max"`            // largest value, in Unit
	Scale Scale   `json:"scale"`          //
	Zero  bool    `json:"zero,omitempty"` // 0 is allowed below Min and switches the term off
	// Choices are the names of a choice parameter. When Ordered they grow from least to most and have positions.
	Choices []string `json:"choices,omitempty"`
	Ordered bool     `json:"ordered,omitempty"`
	Default Value    `json:"default"`
	Unit    string   `json:"unit,omitempty"`
	Role    Role     `json:"role"`
	// Structural marks a parameter whose change alters the network or the optimizer's state (a LoRA rank): such a
	// transition counts as risky.
	Structural bool   `json:"structural,omitempty"`
	Help       string `json:"help"` // one line
}

// Check says why v is not a value of p, or nil.
func (p Param) Check(v Value) error {
	if p.Kind == KindChoice {
		if !slices.Contains(p.Choices, v.Text) {
			return fmt.Errorf("%s: %q is not one of %s", p.Name, v, strings.Join(p.Choices, ", "))
		}
		return nil
	}
	switch {
	case v.IsText():
		return fmt.Errorf("%s: %q is not a number", p.Name, v.Text)
	case math.IsNaN(v.Num) || math.IsInf(v.Num, 0):
		return fmt.Errorf("%s: %v is not a finite number", p.Name, v.Num)
	case p.Kind == KindInt && v.Num != math.Trunc(v.Num):
		return fmt.Errorf("%s: %s is not a whole number", p.Name, v)
	case p.Zero && v.Num == 0:
		return nil
	case v.Num < p.Min || v.Num > p.Max:
		return fmt.Errorf("%s: %s is outside %s", p.Name, v, p.Range())
	}
	return nil
}

// Range is the allowed range in words: "1e-5 … 0.01", "0 or 0.001 … 1", "a, b, c".
func (p Param) Range() string {
	if p.Kind == KindChoice {
		return strings.Join(p.Choices, ", ")
	}
	s := Number(p.Min).String() + " … " + Number(p.Max).String()
	if p.Zero {
		s = "0 or " + s
	}
	return s
}

// Position places v in 0..1 along the parameter's scale. A zero that switches the term off and unordered or unknown
// choices are at 0.
func (p Param) Position(v Value) float64 {
	if p.Kind == KindChoice {
		i := slices.Index(p.Choices, v.Text)
		if !p.Ordered || i < 0 || len(p.Choices) < 2 {
			return 0
		}
		return float64(i) / float64(len(p.Choices)-1)
	}
	lo, hi, x := p.Min, p.Max, v.Num
	if hi <= lo || x <= lo {
		return 0
	}
	if p.Scale == ScaleLog && lo > 0 {
		lo, hi, x = math.Log(lo), math.Log(hi), math.Log(x)
	}
	return min(1, (x-lo)/(hi-lo))
}

// At is the value at position 0..1 along the parameter's scale, the inverse of Position up to rounding.
func (p Param) At(pos float64) Value {
	pos = max(0, min(1, pos))
	if p.Kind == KindChoice {
		return Choice(p.Choices[int(math.Round(pos*float64(len(p.Choices)-1)))])
	}
	x := p.Min + pos*(p.Max-p.Min)
	if p.Scale == ScaleLog && p.Min > 0 {
		x = math.Exp(math.Log(p.Min) + pos*(math.Log(p.Max)-math.Log(p.Min)))
	}
	return p.Clamp(Number(x))
}

// Clamp moves a number to the nearest value of p, with three significant digits for floats so that configurations stay
// readable. A choice that p does not know becomes the default.
func (p Param) Clamp(v Value) Value {
	if p.Kind == KindChoice {
		if slices.Contains(p.Choices, v.Text) {
			return v
		}
		return p.Default
	}
	x := v.Num
	if v.IsText() || math.IsNaN(x) {
		return p.Default
	}
	if p.Zero && x <= 0 {
		return Number(0)
	}
	if p.Kind == KindInt {
		x = math.Round(max(-1e15, min(1e15, x)))
	} else if r, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 3, 64), 64); err == nil {
		x = r
	}
	return Number(max(p.Min, min(p.Max, x)))
}

// Parse reads a value of p as a person types it.
func (p Param) Parse(s string) (Value, error) {
	s = strings.TrimSpace(s)
	if p.Kind == KindChoice {
		return Choice(s), p.Check(Choice(s))
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return Value{}, fmt.Errorf("%s: %q is not a number", p.Name, s)
	}
	return Number(f), p.Check(Number(f))
}

// Label is the short name when there is one.
func (p Param) Label() string {
	if p.Short != "" {
		return p.Short
	}
	return p.Name
}

// Space is a trainer's parameters, in the order in which screens show them.
type Space struct {
	Params []Param `json:"params"`
}

// Find returns the parameter of that name.
func (s Space) Find(name string) (Param, bool) {
	for _, p := range s.Params {
		if p.Name == name {
			return p, true
		}
	}
	return Param{}, false
}

// Fitted is a copy of s with the ranges and defaults of fits; those of other parameters stay.
func (s Space) Fitted(fits []Fit) Space {
	out := Space{Params: slices.Clone(s.Params)}
	for _, f := range fits {
		if i := slices.Index(s.Names(), f.Param); i >= 0 {
			p := &out.Params[i]
			p.Min, p.Max, p.Default = f.Min, f.Max, Number(f.Default)
		}
	}
	return out
}

// Validate says what is wrong with the declaration itself: doubled names, empty ranges, defaults out of range.
func (s Space) Validate() error {
	seen := map[string]bool{}
	for _, p := range s.Params {
		switch {
		case p.Name == "":
			return fmt.Errorf("space: a parameter has no name")
		case seen[p.Name]:
			return fmt.Errorf("space: parameter %s is declared twice", p.Name)
		case p.Kind == KindChoice && len(p.Choices) == 0:
			return fmt.Errorf("space: %s has no choices", p.Name)
		case p.Kind != KindChoice && p.Kind != KindInt && p.Kind != KindFloat:
			return fmt.Errorf("space: %s has the unknown kind %q", p.Name, p.Kind)
		case p.Kind != KindChoice && !(p.Min < p.Max):
			return fmt.Errorf("space: %s has the empty range %s", p.Name, p.Range())
		case p.Kind != KindChoice && p.Scale == ScaleLog && p.Min <= 0:
			return fmt.Errorf("space: %s has a log scale and a lower bound of %g; it must be above 0", p.Name, p.Min)
		case p.Role != RoleCapacity && p.Role != RoleRegularization && p.Role != RoleOther:
			return fmt.Errorf("space: %s has the unknown role %q", p.Name, p.Role)
		}
		if err := p.Check(p.Default); err != nil {
			return fmt.Errorf("space: default: %w", err)
		}
		seen[p.Name] = true
	}
	return nil
}

// Defaults is the practitioner's configuration: every parameter at its default.
func (s Space) Defaults() Config {
	c := make(Config, len(s.Params))
	for _, p := range s.Params {
		c[p.Name] = p.Default
	}
	return c
}

// Parse reads a full configuration: the defaults, with NAME=VALUE settings over them.
func (s Space) Parse(settings []string) (Config, error) {
	c := s.Defaults()
	for _, kv := range settings {
		name, text, ok := strings.Cut(kv, "=")
		if !ok {
			return nil, fmt.Errorf("%s: want NAME=VALUE", kv)
		}
		p, known := s.Find(name)
		if !known {
			return nil, fmt.Errorf("%s: the trainer has no parameter %s", kv, name)
		}
		v, err := p.Parse(text)
		if err != nil {
			return nil, err
		}
		c[name] = v
	}
	return c, nil
}

// Check says why c is not a full configuration of s, or nil.
func (s Space) Check(c Config) error {
	for name := range c {
		if _, ok := s.Find(name); !ok {
			return fmt.Errorf("%s: the trainer has no such parameter; it has %s", name, strings.Join(s.Names(), ", "))
		}
	}
	for _, p := range s.Params {
		v, ok := c[p.Name]
		if !ok {
			return fmt.Errorf("%s: the configuration gives no value", p.Name)
		}
		if err := p.Check(v); err != nil {
			return err
		}
	}
	return nil
}

// Names are the parameters' names in order.
func (s Space) Names() []string {
	names := make([]string, len(s.Params))
	for i, p := range s.Params {
		names[i] = p.Name
	}
	return names
}
