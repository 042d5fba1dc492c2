package tui

import (
	"strings"

	"llmzero/engine/tree"
	"llmzero/themes"
	"llmzero/tui/component/paint"
)

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
