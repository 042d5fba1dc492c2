package tui

import (
	"time"

	"llmzero/themes"
	"llmzero/tui/component/paint"
)

// toast is the last thing the screen had to say, on one line above the footer.
type toast struct {
	text  string
	full  string // the whole text of an error, one key away
	token themes.Token
	until time.Time
}

const (
	noteTime  = 4 * time.Second
	errorTime = 15 * time.Second
)

func (t *toast) expire(now time.Time) {
	if t.text != "" && now.After(t.until) {
		*t = toast{full: t.full}
	}
}

// note tells something neutral, such as why a key does nothing.
func (a *app) note(text string) {
	a.toast = toast{text: text, token: themes.Info, until: a.now().Add(noteTime), full: a.toast.full}
}

// good tells that something was done.
func (a *app) good(text string) {
	a.toast = toast{text: text, token: themes.Done, until: a.now().Add(noteTime), full: a.toast.full}
}

// fail tells an error in one line and keeps its text.
func (a *app) fail(what string, err error) {
	text := what + ": " + err.Error()
	a.toast = toast{text: text, token: themes.Error, until: a.now().Add(errorTime), full: text}
}

// drawToast paints the toast over the row above the footer.
func (a *app) drawToast(c paint.Canvas) {
	if a.toast.text == "" {
		return
	}
	gl := a.look.glyphs
	mark := gl.Mark.Bullet
	tail := ""
	switch a.toast.token {
	case themes.Error:
		mark, tail = gl.Mark.Warning, "  ! full text"
	case themes.Done:
		mark = gl.Mark.Check
	default:
	}
	s := overlay(fg(a.toast.token))
	room := c.W() - 4
	text := paint.Cut(paint.Clean(a.toast.text), room-4-paint.Width(tail), gl.Mark.Ellipsis)
	w := paint.Width(text) + paint.Width(tail) + 4
	box := c.Sub(c.W()-w-1, c.H()-2, w, 1)
	box.Fill(s)
	x := box.Text(1, 0, s, mark+" ")
	x = box.Text(x, 0, overlay(sText), text)
	box.Text(x, 0, overlay(sMuted), tail)
}
