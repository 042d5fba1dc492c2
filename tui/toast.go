package tui

import (
	"time"

	"llmzero/themes"
	"llmzero/tui/component/paint"
)

// toast is something that the screen had to say. The last one stands on one line; all are kept for the list of messages.
type toast struct {
	text  string
	token themes.Token
	when  time.Time
	until time.Time
}

const (
	noteTime  = 4 * time.Second
	errorTime = 15 * time.Second
	maxToasts = 50 // kept for the list of messages
)

func (t *toast) expire(now time.Time) {
	if t.text != "" && now.After(t.until) {
		*t = toast{}
	}
}

// tell shows a message and keeps it.
func (a *app) tell(text string, token themes.Token, stays time.Duration) {
	a.toast = toast{text: text, token: token, when: a.now(), until: a.now().Add(stays)}
	a.toasts = append(a.toasts, a.toast)
	a.toasts = a.toasts[max(0, len(a.toasts)-maxToasts):]
}

// note tells something neutral, such as why a key does nothing.
func (a *app) note(text string) { a.tell(text, themes.Info, noteTime) }

// good tells that something was done.
func (a *app) good(text string) { a.tell(text, themes.Done, noteTime) }

// fail tells an error in one line; its full text is in the list of messages.
func (a *app) fail(what string, err error) {
	text := err.Error()
	if what != "" {
		text = what + ": " + text
	}
	a.tell(text, themes.Error, errorTime)
}

// openMessages lists what the screen has said, the newest first and in full.
func (a *app) openMessages() {
	r := &reader{head: "Messages", width: 104}
	for i := len(a.toasts) - 1; i >= 0; i-- {
		t := a.toasts[i]
		row := readerRow{key: t.when.Format("15:04:05"), text: t.text}
		if t.token == themes.Error {
			row.bad = true
		}
		r.rows = append(r.rows, row)
	}
	a.push(r)
}

// toastRow is the row that a message stands on: the lower border of the panes of the search page, else the one above the footer.
func (a *app) toastRow() int {
	y := a.h - 2
	if a.page == onSearch && a.s != nil {
		y = arrange(a.w, a.h, a.settings.Split, a.deviceRows(), false).devices.Y - 1
	}
	return y - a.playRows()
}

// drawToast paints the message.
func (a *app) drawToast(c paint.Canvas) {
	if a.toast.text == "" {
		return
	}
	gl := a.look.glyphs
	mark := gl.Mark.Bullet
	tail := ""
	switch a.toast.token {
	case themes.Error:
		mark, tail = gl.Mark.Warning, "  ! messages"
	case themes.Done:
		mark = gl.Mark.Check
	default:
	}
	s := overlay(fg(a.toast.token))
	room := c.W() - 4
	text := paint.Cut(paint.Clean(a.toast.text), room-4-paint.Width(tail), gl.Mark.Ellipsis)
	w := paint.Width(text) + paint.Width(tail) + 4
	box := c.Sub(c.W()-w-1, a.toastRow(), w, 1)
	box.Fill(s)
	x := box.Text(1, 0, s, mark+" ")
	x = box.Text(x, 0, overlay(sText), text)
	box.Text(x, 0, overlay(sMuted), tail)
}
