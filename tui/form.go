package tui

import (
	tea "charm.land/bubbletea/v2"

	"llmzero/tui/component/paint"
)

// form is a dialog of labelled fields that are checked as one types.
type form struct {
	head    string
	intro   string
	fields  []*formField
	focus   int
	fresh   bool // the field with the focus was not touched yet: what is typed replaces its value
	visit   bool // a change of this visit to the field is kept for undo already
	top     int
	undo    []undone
	submit  func(*app, *form) tea.Cmd
	verb    string                   // what enter does: "start the search"
	check   func(*app, *form) error  // of all fields together
	aside   func(*app, *form) string // a line below the fields, such as an estimate
	tried   bool
	width   int
	changes func(*app, *form)     // told after every change
	cancel  func(*app)            // told when it is closed without taking anything
	at      func(*app) paint.Rect // where it stands, frame included; nil: in the middle, as large as it needs
}

type undone struct {
	field int
	value string
}

func (f *form) field(id string) *formField {
	for _, x := range f.fields {
		if x.id == id {
			return x
		}
	}
	return nil
}

func (f *form) get(id string) string {
	if x := f.field(id); x != nil {
		return x.value()
	}
	return ""
}

func (f *form) hidden(x *formField) bool { return x.off != nil && x.off(f) }

// problem is the first thing that is wrong with the form.
func (f *form) problem(a *app) (int, error) {
	for i, x := range f.fields {
		if f.hidden(x) {
			continue
		}
		if err := x.err(); err != nil {
			return i, err
		}
	}
	if f.check != nil {
		return -1, f.check(a, f)
	}
	return -1, nil
}

func (f *form) place() place        { return inForm }
func (f *form) title(*app) string   { return f.head }
func (f *form) current() *formField { return f.fields[f.focus] }
func (f *form) changed(i int) bool  { return f.fields[i].value() != f.fields[i].was }

// keep remembers a field's value for undo, once in a visit to it: a value typed in five strokes is taken back in one.
func (f *form) keep(value string) {
	if !f.visit {
		f.undo, f.visit = append(f.undo, undone{f.focus, value}), true
	}
}

// focusOn goes to a field.
func (f *form) focusOn(i int) { f.focus, f.fresh, f.visit = i, true, false }

func (f *form) move(by int) {
	for range f.fields {
		f.focusOn((f.focus + by + len(f.fields)) % len(f.fields))
		if !f.hidden(f.current()) {
			return
		}
	}
}

// typed edits the field with the focus.
func (f *form) typed(a *app, k tea.KeyPressMsg) (tea.Cmd, bool) {
	x := f.current()
	key := k.String()
	switch {
	case x.fixed != "":
		return nil, k.Text != "" && key != "j" && key != "k" && key != "?"
	case x.numeric() && (key == "j" || key == "k"):
		return nil, false // no number has them: they move
	case x.input == nil:
		return nil, f.chosen(a, k)
	case x.numeric() && (key == "<" || key == ">"):
		f.nudge(key == ">")
		f.told(a)
		return nil, true
	}
	before := x.input.value()
	if f.fresh && k.Text != "" {
		x.input.set("")
	}
	taken := x.input.typed(k)
	f.fresh = f.fresh && !taken
	if taken && x.input.value() != before {
		f.keep(before)
		f.told(a)
	}
	return nil, taken
}

// chosen moves in a field of choices; false for keys that it does not take.
func (f *form) chosen(a *app, k tea.KeyPressMsg) bool {
	x, key := f.current(), k.String()
	step := map[string]int{"left": -1, "h": -1, "<": -1, "right": 1, "l": 1, ">": 1, "space": 1}[key]
	if step == 0 {
		// Nothing but movement is typed at a choice; letters must not fall through to actions of the page.
		return k.Text != "" && key != "j" && key != "k" && key != "?"
	}
	f.keep(x.value())
	x.at = (x.at + step + len(x.choices)) % max(1, len(x.choices))
	f.told(a)
	return true
}

func (f *form) told(a *app) {
	if f.changes != nil {
		f.changes(a, f)
	}
}

// nudge moves a number to the next round one.
func (f *form) nudge(up bool) {
	x := f.current()
	if x.param == nil {
		f.keep(x.value())
		x.step(up)
		f.fresh = true
		return
	}
	v, err := x.param.Parse(x.value())
	if err != nil {
		v = x.param.Default
	}
	n := nextRound(*x.param, v, up)
	f.keep(x.value())
	x.set(n.String())
	f.fresh = true
}

// undoLast takes the last change back.
func (f *form) undoLast() {
	if n := len(f.undo); n > 0 {
		u := f.undo[n-1]
		f.undo = f.undo[:n-1]
		f.focusOn(u.field)
		f.fields[u.field].set(u.value)
	}
}

// finish submits the form when nothing is wrong with it; on a button it presses that.
func (f *form) finish(a *app) tea.Cmd {
	if press := f.current().press; press != nil {
		return press(a)
	}
	f.tried = true
	if i, err := f.problem(a); err != nil {
		if i >= 0 {
			f.focusOn(i)
		}
		return nil
	}
	return a.submitting(f, func() tea.Cmd { return f.submit(a, f) })
}
