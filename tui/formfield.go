package tui

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"llmzero/engine/tree"
)

// formField is one line of a form: text, one of some choices, or with press a button and with fixed a text to read.
type formField struct {
	id      string
	label   string
	help    string
	section string
	input   *field
	choices []Choice
	at      int
	parse   func(string) error
	was     string      // what it was before, shown beside a change
	from    *tree.Value // what the node that is gone on from has, for a parameter
	param   *tree.Param // draws the range bar, and makes < and > nudge along it
	off     func(*form) bool
	press   func(*app) tea.Cmd
	fixed   string
}

func textField(id, label, value, help string, parse func(string) error) *formField {
	return &formField{id: id, label: label, help: help, input: newField(value), parse: parse, was: value}
}

func choiceField(id, label, value, help string, choices []Choice) *formField {
	f := &formField{id: id, label: label, help: help, choices: choices, was: value}
	for i, c := range choices {
		if c.Name == value {
			f.at = i
		}
	}
	return f
}

// buttonField does something when it is pressed; value tells what it is about.
func buttonField(id, label, value, help string, press func(*app) tea.Cmd) *formField {
	return &formField{id: id, label: label, help: help, fixed: value, press: press}
}

// fixedField is a line to read.
func fixedField(label, value, help string) *formField {
	return &formField{id: label, label: label, help: help, fixed: value}
}

// paramField edits a parameter of a space.
func paramField(p tree.Param, v tree.Value) *formField {
	if p.Kind == tree.KindChoice {
		cs := make([]Choice, len(p.Choices))
		for i, n := range p.Choices {
			cs[i] = Choice{Name: n}
		}
		f := choiceField(p.Name, p.Name, v.Text, p.Help, cs)
		f.param = &p
		return f
	}
	f := textField(p.Name, p.Name, v.String(), p.Help, func(s string) error { _, err := p.Parse(s); return err })
	f.param = &p
	return f
}

func (f *formField) value() string {
	if f.input != nil {
		return strings.TrimSpace(f.input.value())
	}
	if len(f.choices) == 0 {
		return f.was
	}
	return f.choices[f.at].Name
}

func (f *formField) set(v string) {
	if f.input != nil {
		f.input.set(v)
		return
	}
	if i := slices.IndexFunc(f.choices, func(c Choice) bool { return c.Name == v }); i >= 0 {
		f.at = i
	}
}

// err says what is wrong with the field, or nil.
func (f *formField) err() error {
	if f.input == nil {
		if len(f.choices) > 0 && f.choices[f.at].Why != "" {
			return errors.New(f.choices[f.at].Name + ": " + f.choices[f.at].Why)
		}
		return nil
	}
	if f.parse == nil {
		return nil
	}
	return f.parse(f.value())
}

// numeric tells whether the field is a number to type: every text that is checked is one.
func (f *formField) numeric() bool { return f.input != nil && f.parse != nil }

// step moves a plain number by 1, and by a tenth of its power of ten when it has three digits or more.
func (f *formField) step(up bool) {
	v, err := strconv.ParseFloat(f.value(), 64)
	if err != nil {
		return
	}
	by := max(1, math.Pow(10, math.Floor(math.Log10(max(1, v)))-1))
	if !up {
		by = -by
	}
	if text := strconv.FormatFloat(v+by, 'f', -1, 64); f.parse(text) == nil {
		f.set(text)
	}
}
