package tree

import (
	"maps"
	"slices"
	"strings"
)

// Config gives every parameter a value, by name.
type Config map[string]Value

// Change is one parameter's move in a transition.
type Change struct {
	Param  string `json:"param"`
	From   Value  `json:"from"`
	To     Value  `json:"to"`
	Reason string `json:"reason,omitempty"`
}

// Float is the numeric value of a parameter, 0 when there is none.
func (c Config) Float(name string) float64 { return c[name].Num }

// Int is the rounded value of a parameter, 0 when there is none.
func (c Config) Int(name string) int { return c[name].Int() }

// Clone copies c.
func (c Config) Clone() Config { return maps.Clone(c) }

// With is a copy of c after the changes.
func (c Config) With(changes []Change) Config {
	d := make(Config, len(c)+len(changes))
	maps.Copy(d, c)
	for _, ch := range changes {
		d[ch.Param] = ch.To
	}
	return d
}

// Key is a canonical text of c: equal configurations have equal keys.
func (c Config) Key() string {
	names := slices.Sorted(maps.Keys(c))
	var b strings.Builder
	for _, n := range names {
		b.WriteString(n)
		b.WriteByte('=')
		b.WriteString(c[n].String())
		b.WriteByte(';')
	}
	return b.String()
}

// Diff lists what changes from a to b in the space's order; parameters that the space does not know come last by name.
func (s Space) Diff(a, b Config) []Change {
	var out []Change
	add := func(name string) {
		from, to := a[name], b[name]
		if from != to {
			out = append(out, Change{Param: name, From: from, To: to})
		}
	}
	known := make(map[string]bool, len(s.Params))
	for _, p := range s.Params {
		known[p.Name] = true
		add(p.Name)
	}
	rest := map[string]bool{}
	for _, c := range []Config{a, b} {
		for n := range c {
			if !known[n] {
				rest[n] = true
			}
		}
	}
	for _, n := range slices.Sorted(maps.Keys(rest)) {
		add(n)
	}
	return out
}
