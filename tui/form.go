package tui

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"llmzero/engine/tree"
	"llmzero/themes"
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

type undone struct {
	field int
	value string
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

func (f *form) want(a *app) (int, int) {
	if f.at != nil {
		r := f.at(a)
		return r.W, r.H
	}
	n := 0
	section := ""
	for _, x := range f.fields {
		if f.hidden(x) {
			continue
		}
		n++
		if x.section != section {
			section = x.section
			n += 2
		}
	}
	w := f.width
	if w == 0 {
		w = 86
	}
	return w, n + 8 + len(paint.Wrap(f.intro, w-6))
}

// corner is where the form stands.
func (f *form) corner(a *app, cols, rows, w, h int) (x, y int) {
	if f.at != nil {
		r := f.at(a)
		return r.X, r.Y
	}
	return (cols - w) / 2, max(0, (rows-h)/2)
}

// draw paints the fields that fit around the one with the focus, then help or error, then the keys.
func (f *form) draw(a *app, c paint.Canvas) {
	bg := ink(themes.Overlay)
	y := 1
	if f.intro != "" {
		for _, l := range paint.Wrap(f.intro, c.W()-4) {
			c.Text(2, y, overlay(sMuted), l)
			y++
		}
	}
	list := c.Sub(0, y, c.W(), c.H()-y-4)
	f.drawFields(a, list)
	y = c.H() - 4
	x := f.current()
	line := c.Sub(2, y+1, c.W()-4, 1)
	i, err := f.problem(a)
	ferr := x.err()
	switch {
	case ferr != nil:
		line.TextIn(0, 0, line.W(), overlay(sError), a.look.glyphs.Mark.Warning+" "+ferr.Error(), "…")
	case err != nil && (f.tried || i < 0):
		line.TextIn(0, 0, line.W(), overlay(sError), a.look.glyphs.Mark.Warning+" "+err.Error(), "…")
	default:
		line.TextIn(0, 0, line.W(), overlay(sMuted), f.helpLine(x), "…")
	}
	if f.aside != nil {
		c.TextIn(2, y+2, c.W()-4, overlay(sFaint), f.aside(a, f), "…")
	}
	a.keyLine(c.Sub(0, c.H()-1, c.W(), 1), 2, c.W()-2, inForm, bg)
}

func (f *form) helpLine(x *formField) string {
	t := x.help
	if x.input == nil && len(x.choices) > 0 && x.choices[x.at].Help != "" {
		t = x.choices[x.at].Help
	}
	if x.param != nil && x.param.Kind != tree.KindChoice {
		t = x.param.Range() + "   " + t
	}
	return t
}

func (f *form) drawFields(a *app, c paint.Canvas) {
	type row struct {
		section string
		field   int
	}
	var rows []row
	section, at := "", 0
	labels := 8
	for i, x := range f.fields {
		if f.hidden(x) {
			continue
		}
		if x.section != section {
			section = x.section
			if len(rows) > 0 {
				rows = append(rows, row{"", -1})
			}
			rows = append(rows, row{section, -1})
		}
		if i == f.focus {
			at = len(rows)
		}
		rows = append(rows, row{"", i})
		labels = max(labels, paint.Width(x.label))
	}
	labels = min(labels, 24)
	f.top = max(0, min(f.top, at-1))
	f.top = max(f.top, at-c.H()+2)
	f.top = max(0, min(f.top, len(rows)-c.H()))
	for y := 0; y < c.H() && f.top+y < len(rows); y++ {
		r := rows[f.top+y]
		switch {
		case r.section != "":
			a.rule(c.Sub(2, y, c.W()-4, 1), r.section, overlay(sMuted))
		case r.field >= 0:
			f.drawField(a, c.Sub(0, y, c.W(), 1), r.field, labels)
		}
	}
	a.scrollbar(c.Sub(c.W()-1, 0, 1, c.H()), f.top, c.H(), len(rows))
}

func (f *form) drawField(a *app, c paint.Canvas, i, labels int) {
	x, gl := f.fields[i], a.look.glyphs
	bg := ink(themes.Overlay)
	focused := i == f.focus
	c.Zone(0, 0, c.W(), 1, "field", i)
	ls := sMuted
	if focused {
		ls = sText.With(paint.Bold)
		c.Text(0, 0, sAccent.On(bg), gl.Mark.Cursor)
	}
	if x.param != nil {
		c.Text(2, 0, fg(themes.RoleToken(string(x.param.Role))).On(bg), gl.Role(string(x.param.Role)))
		c.TextIn(4, 0, labels, ls.On(bg), x.label, gl.Mark.Ellipsis)
	} else {
		c.TextIn(2, 0, labels+2, ls.On(bg), x.label, gl.Mark.Ellipsis)
	}
	vx := labels + 6
	room := c.W() - vx - 2
	if x.fixed != "" {
		st := sMuted
		if x.press != nil && focused {
			st = sText
		}
		c.TextIn(vx, 0, room, st.On(bg), x.fixed, gl.Mark.Ellipsis)
		return
	}
	vs := sText
	if x.err() != nil {
		vs = sError
	}
	if x.input == nil {
		text := x.value()
		if focused {
			text = gl.Mark.Left + " " + text + " " + gl.Mark.Right
		}
		end := c.TextIn(vx, 0, room, vs.On(bg), text, gl.Mark.Ellipsis)
		if why := x.choices[x.at].Why; why != "" {
			c.TextIn(end+2, 0, c.W()-end-4, overlay(sWarn), why, gl.Mark.Ellipsis)
		} else if f.changed(i) && x.was != "" {
			c.TextIn(end+2, 0, c.W()-end-4, overlay(sFaint), "was "+x.was, gl.Mark.Ellipsis)
		} else if x.from != nil && x.from.String() != x.value() {
			c.TextIn(end+2, 0, c.W()-end-4, overlay(sFaint), "from "+value(*x.from), gl.Mark.Ellipsis)
		}
		return
	}
	width := room
	if x.param != nil {
		width = min(room, 14)
	} else if f.changed(i) && x.was != "" {
		width = max(8, room-paint.Width(x.was)-6)
	}
	box := c.Sub(vx, 0, width, 1)
	if focused {
		box.Fill(paint.Style{}.On(ink(themes.Surface)))
		vs = vs.On(ink(themes.Surface))
		if f.fresh { // marked, as what is typed replaces it
			vs = vs.On(ink(themes.SelectionBg))
		}
		x.input.draw(box, vs, true)
	} else {
		x.input.draw(box, vs.On(bg), false)
	}
	f.drawOriginal(a, c, i, vx+width+1, bg)
}

// drawOriginal shows beside a value where it comes from and what it was, and its way through the range with the bounds at the
// ends.
func (f *form) drawOriginal(a *app, c paint.Canvas, i, x int, bg paint.Ink) {
	fl := f.fields[i]
	changed := f.changed(i) && fl.was != ""
	var words []string
	if fl.from != nil && fl.from.String() != fl.value() {
		words = append(words, "from "+value(*fl.from))
	}
	if changed && (fl.from == nil || fl.from.String() != fl.was) {
		words = append(words, "was "+fl.was)
	}
	room := 15
	if fl.from != nil {
		room = 26
	}
	c.TextIn(x, 0, room-1, overlay(sFaint), strings.Join(words, ", "), a.look.glyphs.Mark.Ellipsis)
	x += room
	if fl.param == nil || c.W()-x-2 < 6 {
		return
	}
	from, err := fl.param.Parse(fl.was)
	if fl.from != nil {
		from, err = *fl.from, nil
	}
	v, err2 := fl.param.Parse(fl.value())
	if err != nil || err2 != nil {
		return
	}
	end := c.W() - 2
	if end-x >= 30 && fl.param.Kind != tree.KindChoice {
		c.TextRight(x+7, 0, overlay(sFaint), number(fl.param.Min))
		c.Text(end-7, 0, overlay(sFaint), number(fl.param.Max))
		x, end = x+8, end-8
	}
	a.rangeBar(c.Sub(x, 0, end-x, 1), *fl.param, from, v, from != v, bg)
}
