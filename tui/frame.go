package tui

import (
	"strings"

	"github.com/charmbracelet/colorprofile"

	"llmzero/themes"
	"llmzero/tui/component/paint"
)

// panel draws a frame with a title in its upper edge and returns the inside.
func (a *app) panel(c paint.Canvas, title string, focused bool) paint.Canvas {
	edge, head := sBorder, sMuted
	if focused {
		edge, head = sFocus, sTitle
	}
	in := c.Frame(a.look.glyphs.Box, edge)
	if focused && a.look.known && a.look.profile <= colorprofile.ASCII {
		head = head.With(paint.Reverse) // without colours the edge does not tell
	}
	if title != "" {
		c.Text(2, 0, head, " "+paint.Cut(paint.Clean(title), c.W()-6, a.look.glyphs.Mark.Ellipsis)+" ")
	}
	return in
}

// bar draws the header line of a page: where one is, and a free part on the right.
func (a *app) bar(c paint.Canvas, trail ...string) int {
	line := c.Sub(0, 0, c.W(), 1)
	line.Fill(paint.Style{}.On(ink(themes.Surface)))
	on := func(s paint.Style) paint.Style { return s.On(ink(themes.Surface)) }
	x := line.Text(1, 0, on(sAccent.With(paint.Bold)), "llmzero")
	for i, t := range trail {
		s := sMuted
		if i == 0 {
			s = sText
			x = line.Text(x, 0, on(sFaint), "  ")
		} else {
			x = line.Text(x, 0, on(sFaint), " "+a.look.glyphs.Mark.Separator+" ")
		}
		x = line.Text(x, 0, on(s), paint.Clean(t))
	}
	if a.page&(onTrajectories|onCompare|onAgent) != 0 {
		a.waitingBadge(line)
	}
	return x
}

// badge is what says how many proposals wait, empty when none does.
func (a *app) badge() string {
	if a.s == nil || len(a.s.ix.waiting) == 0 || a.s.play != nil {
		return ""
	}
	return " " + a.look.glyphs.Mark.Waiting + " " + num(len(a.s.ix.waiting)) + " waiting "
}

// badgeWidth is what the badge takes of the right end of a header line, with a gap.
func (a *app) badgeWidth() int {
	if w := paint.Width(a.badge()); w > 0 {
		return w + 2
	}
	return 0
}

// waitingBadge says at the right end of a header line how many proposals wait, loudest of all, and returns how wide it is.
func (a *app) waitingBadge(line paint.Canvas) int {
	text := a.badge()
	w := paint.Width(text)
	if w == 0 {
		return 0
	}
	x := line.W() - 1 - w
	line.Text(x, 0, paint.Style{Fg: ink(themes.Background), Bg: ink(themes.Waiting), Attr: paint.Bold | paint.Reverse}, text)
	line.Zone(x, 0, w, 1, "waiting", 0)
	return w
}

// footer draws the keys that matter at the present place, as many as fit in front of what stands on the right.
func (a *app) footer(c paint.Canvas, right int) {
	line := c.Sub(0, c.H()-1, c.W()-right, 1)
	line.Fill(paint.Style{}.On(ink(themes.Surface)))
	if len(a.dialogs) > 0 {
		return // a dialog has its own keys
	}
	a.keyLine(line, 1, c.W()-right-1, a.pagePlace(), ink(themes.Surface))
}

// footHelp is the place of the help in a footer: it stands behind what matters here, and always has room.
const footHelp = 90

// keyLine writes "key words" pairs from column x on while they fit before column end. Help always has room.
func (a *app) keyLine(line paint.Canvas, x, end int, p place, bg paint.Ink) {
	if p != a.place() {
		return // the keys of what lies below do not hold
	}
	items := a.acts.footer(p)
	reserved := 0
	for _, it := range items {
		if it.foot == footHelp {
			reserved = paint.Width(it.key()+it.words(a)) + 4
		}
	}
	for i, it := range items {
		words := it.words(a)
		text := it.key() + " " + words
		w := paint.Width(text)
		if it.foot == footHelp {
			reserved = 0
		}
		if x+w > end-reserved {
			continue
		}
		key, word := sKey, sMuted
		if it.reason(a) != "" {
			if i > 3 || p&onPages == 0 || p == onHome {
				continue // what cannot be done and is not important here only takes room
			}
			key, word = sFaint, sFaint
		}
		line.Zone(x, 0, w, 1, "action", a.indexOf(it))
		at := line.Text(x, 0, key.On(bg), it.key())
		line.Text(at+1, 0, word.On(bg), words)
		x += w + 3
	}
}

func (a *app) indexOf(x *action) int {
	for i := range a.acts.all {
		if &a.acts.all[i] == x {
			return i
		}
	}
	return -1
}

// drawDialog paints a dialog in the middle of the screen; below it everything else stays visible.
func (a *app) drawDialog(c paint.Canvas, d dialog, top bool) {
	w, h := d.want(a)
	if f, ok := d.(*form); !ok || f.at == nil { // what has a place of its own knows its size
		w, h = min(w, c.W()-2), min(h, c.H()-2)
	}
	box := c.Sub((c.W()-w)/2, max(0, (c.H()-h)/2), w, h)
	if p, ok := d.(placed); ok {
		x, y := p.corner(a, c.W(), c.H(), w, h)
		box = c.Sub(x, y, w, h)
	}
	bg := ink(themes.Overlay)
	box.Fill(paint.Style{}.On(bg))
	edge := sFocus
	if !top {
		edge = sBorder
	}
	box.Zone(0, 0, w, h, "dialog", 0)
	in := box.Frame(a.look.glyphs.Box, edge.On(bg))
	if t := d.title(a); t != "" {
		box.Text(2, 0, sTitle.On(bg), " "+paint.Cut(paint.Clean(t), w-6, a.look.glyphs.Mark.Ellipsis)+" ")
	}
	d.draw(a, in)
}

// placed is a dialog that chooses where it stands.
type placed interface {
	corner(a *app, cols, rows, w, h int) (x, y int)
}

// gauge draws a bar of n cells in two inks.
func (a *app) gauge(c paint.Canvas, x, y, n int, share float64, full paint.Style) {
	f, e := a.look.glyphs.Bar(share, n)
	x = c.Text(x, y, full, f)
	c.Text(x, y, fg(themes.Track).On(full.Bg), e)
}

// rule draws a titled section line.
func (a *app) rule(c paint.Canvas, title string, s paint.Style) {
	x := c.Text(0, 0, s, title)
	if x < c.W()-1 {
		c.Text(x+1, 0, sGrid.On(s.Bg), strings.Repeat(a.look.glyphs.Box.Top, c.W()-x-1))
	}
}
