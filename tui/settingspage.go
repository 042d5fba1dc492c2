package tui

import (
	"math"
	"strconv"

	tea "charm.land/bubbletea/v2"

	"llmzero/themes"
	"llmzero/tui/component/chart"
	"llmzero/tui/component/paint"
)

// settingsWide is the width from which the settings have a preview of the theme beside them.
const settingsWide = 100

// openSettings opens the settings page: a form at the left, what it does to the screen at the right. The theme changes as one
// chooses.
func (a *app) openSettings() {
	was := a.settings
	yes := []Choice{{Name: "yes"}, {Name: "no"}}
	on := func(b bool) string { return map[bool]string{true: "yes", false: "no"}[b] }
	list := []Choice{{Name: "auto", Help: "our dark or light theme, by the terminal's background"}}
	for _, th := range a.opt.Themes {
		list = append(list, Choice{Name: th.Name, Help: th.Title})
	}
	f := &form{head: "Settings", verb: "keep", at: settingsRect}
	add := func(section string, fields ...*formField) {
		for _, x := range fields {
			x.section = section
		}
		f.fields = append(f.fields, fields...)
	}
	add("screen",
		choiceField("theme", "theme", or(a.look.name, "auto"), "←→ tries a theme at once", list),
		choiceField("glyphs", "signs", or(a.settings.Glyphs, glyphsAuto), "←→ tries them at once", []Choice{
			{Name: glyphsAuto, Help: "by the terminal and its locale; LLMZERO_GLYPHS decides too"},
			{Name: "unicode", Help: "braille curves, box drawing, arrows"},
			{Name: "ascii", Help: "for terminals and fonts that have nothing else"},
		}),
		textField("split", "tree's width", num(a.settings.Split), "percent of the screen; < and > change it on the search page too", whole(20, 80)),
		choiceField("mouse", "mouse", on(a.settings.Mouse), "off: the terminal selects text as usual", yes),
		choiceField("notify", "notify", a.settings.Notify, "when a proposal waits or a search ends", []Choice{
			{Name: notifyAway, Help: "a desktop notification (OSC 9) while another window has the focus"},
			{Name: notifyAlways, Help: "also the bell, whatever has the focus"},
			{Name: notifyNever, Help: "the screen alone says so"},
		}))
	add("approval rules of new searches", approvalFields(a.settings.Approval)...)
	add("keys", buttonField("keys", "keys", a.keysWord(), "every action with its keys; enter looks at them and changes them", plain((*app).openKeys)))
	p := a.opt.Paths
	for _, place := range []struct{ label, path, help string }{
		{"store", p.Store, "searches and checkpoints, one file; o on the library page opens another"},
		{"themes", p.Themes, "your own themes: TOML files in this folder"},
		{"prices", p.Prices, "what models cost, for the sums on the search page"},
		{"log", p.Log, "what the program writes down about itself"},
	} {
		if place.path != "" {
			add("places", fixedField(place.label, paint.Clean(place.path), place.help))
		}
	}
	f.changes = func(a *app, f *form) {
		a.setTheme(f.get("theme"))
		a.setGlyphs(f.get("glyphs"))
	}
	f.cancel = func(a *app) {
		a.setGlyphs(was.Glyphs)
		a.setTheme(or(a.opt.Theme, was.Theme))
		a.goBack()
	}
	f.submit = func(a *app, f *form) tea.Cmd {
		a.settings.Theme, a.settings.Glyphs = f.get("theme"), f.get("glyphs")
		a.opt.Theme = a.settings.Theme // what was chosen here counts more than the command line
		a.settings.Split, _ = strconv.Atoi(f.get("split"))
		a.settings.Mouse, a.settings.Notify = f.get("mouse") == "yes", f.get("notify")
		a.settings.Approval = approvalOf(f)
		a.removeDialog(f)
		a.goBack()
		return a.saveSettings()
	}
	a.open(onSettings)
	a.push(f)
}

// settingsRect is where the form of the settings stands.
func settingsRect(a *app) paint.Rect {
	w := a.w
	if w >= settingsWide {
		w = max(62, a.w/2)
	}
	return paint.Rect{Y: 1, W: w, H: a.h - 1}
}

// drawSettings paints what lies behind the form: the title, and where there is room a preview of the theme.
func (a *app) drawSettings(c paint.Canvas) {
	a.bar(c, "Settings")
	r := settingsRect(a)
	if a.w < settingsWide {
		return
	}
	in := a.panel(c.Sub(r.W, 1, c.W()-r.W, c.H()-1), "Preview: "+a.look.theme.Title, false)
	a.drawPreview(in.Sub(2, 1, in.W()-4, in.H()-2))
}

// drawPreview shows the theme on made-up nodes: every state, both roles, a curve with its parent's, gauges and messages.
func (a *app) drawPreview(c paint.Canvas) {
	gl := a.look.glyphs
	y := 0
	row := func(state string, st paint.Style, label, words, end string, es paint.Style) {
		x := c.Text(0, y, st, gl.State(state))
		x = c.Text(x+1, y, sText, label)
		c.TextIn(x+1, y, c.W()-x-16, sMuted, words, gl.Mark.Ellipsis)
		c.TextRight(c.W(), y, es, end)
		y++
	}
	state := func(s string) paint.Style { return fg(themes.StateToken(s)) }
	row("evaluated", sBest, "n7", "lr"+gl.Mark.Times+"2 T 1.2", "0.742 "+gl.Delta(1)+" .108", sGain)
	row("evaluated", state("evaluated"), "n2", "KL .05", "0.508 "+gl.Delta(-1)+" .013", sLoss)
	row("running", state("running"), "n9", "n 8"+gl.Mark.Arrow+"16", "62%", sRun)
	row("proposed", state("proposed"), "n12", "len 16"+gl.Mark.Arrow+"24", "waits for you", sWait)
	row("stopped", state("stopped"), "n5", "lr"+gl.Mark.Times+"4", "stopped", state("stopped"))
	row("failed", state("failed"), "n6", "n 32", "out of memory", sError)
	row("vetoed", state("vetoed"), "n4", "lr"+gl.Mark.Times+"8", "vetoed", state("vetoed"))
	y++
	if c.H()-y > 14 {
		box := c.Sub(0, y, c.W(), min(9, c.H()-y-8))
		a.drawPreviewCurves(box)
		y += box.H() + 1
	}
	for _, r := range []struct {
		role, name string
		share      float64
	}{{"capacity", "max_completion_length", 0.35}, {"regularization", "learning_rate", 0.6}} {
		s := fg(themes.RoleToken(r.role))
		x := c.Text(0, y, s, gl.Role(r.role)+" "+r.name)
		a.gauge(c, max(x+2, 26), y, max(4, c.W()-max(x+2, 26)-17), r.share, s)
		c.TextRight(c.W(), y, s, r.role)
		y++
	}
	for i, load := range []float64{0.2, 0.55, 0.95} {
		tok := [...]themes.Token{themes.HeatLow, themes.HeatMid, themes.HeatHigh}[i]
		x := c.Text(0, y, sMuted, "load ")
		a.gauge(c, x, y, 16, load, fg(tok))
		c.Text(x+18, y, fg(tok), num(int(100*load))+"%")
		y++
	}
	y++
	c.TextIn(0, y, c.W(), sWarn, gl.Mark.Warning+" a warning", gl.Mark.Ellipsis)
	c.TextIn(16, y, c.W()-16, sError, gl.Mark.Warning+" an error", gl.Mark.Ellipsis)
	c.TextIn(32, y, c.W()-32, fg(themes.Done), gl.Mark.Check+" done", gl.Mark.Ellipsis)
	y++
	c.Text(0, y, sText, "text")
	c.Text(8, y, sMuted, "muted")
	c.Text(16, y, sFaint, "faint")
	c.Text(24, y, sTitle, "title")
	c.Text(32, y, sKey, "key")
	sel := c.Sub(38, y, max(0, min(16, c.W()-38)), 1)
	sel.Fill(paint.Style{}.On(ink(themes.SelectionBg)))
	sel.Text(1, 0, fg(themes.SelectionFg).With(paint.Bold).On(ink(themes.SelectionBg)), "selected")
}

// drawPreviewCurves draws a node's curve over its parent's.
func (a *app) drawPreviewCurves(c paint.Canvas) {
	const n = 60
	x := make([]float64, n)
	node, parent := make([]float64, n), make([]float64, n)
	for i := range x {
		t := float64(i) / n
		x[i] = float64(i)
		parent[i] = 0.4 + 0.2*t + 0.02*math.Sin(9*t)
		node[i] = 0.45 + 0.35*math.Sqrt(t) + 0.02*math.Sin(23*t)
	}
	p := chart.Plot{Cursor: nan(), Series: []chart.Series{
		{X: x, Y: parent, Ink: ink(themes.Series2), Dash: 2}, {X: x, Y: node, Ink: ink(themes.Series1)},
	}}
	if !a.look.glyphs.Braille {
		p.Point = a.look.glyphs.Plot.Point
	}
	if p.Fit() {
		p.Draw(c)
	}
}
