package tui

import (
	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"llmzero/themes"
	"llmzero/tui/component/paint"
)

// field is one line of text being edited. Bubbles' text input does the editing; the grid paints it.
type field struct{ in textinput.Model }

func newField(value string) *field { return &field{newInput(value)} }

func (f *field) value() string { return f.in.Value() }

func (f *field) set(v string) {
	f.in.SetValue(paint.Clean(v))
	f.in.CursorEnd()
}

// typed edits the text. Keys that are not for editing are left to others.
func (f *field) typed(k tea.KeyPressMsg) bool {
	if k.Text == "" {
		switch k.String() {
		case "backspace", "delete", "left", "right", "home", "end", "ctrl+a", "ctrl+e", "ctrl+w", "ctrl+u", "ctrl+k",
			"alt+left", "alt+right", "alt+b", "alt+f", "alt+backspace", "ctrl+left", "ctrl+right", "ctrl+h", "ctrl+b", "ctrl+f":
		default:
			return false
		}
	}
	f.in, _ = f.in.Update(k)
	return true
}

// draw paints the text and, when the field has the focus, its cursor; long text scrolls with the cursor.
func (f *field) draw(c paint.Canvas, s paint.Style, focused bool) {
	runes := []rune(f.in.Value())
	pos := f.in.Position()
	begin := 0
	for begin < pos && paint.Width(string(runes[begin:pos])) >= c.W() {
		begin++
	}
	c.Text(0, 0, s, string(runes[begin:]))
	if !focused {
		return
	}
	x := paint.Width(string(runes[begin:pos]))
	under := " "
	if pos < len(runes) {
		under = string(runes[pos])
	}
	c.Text(x, 0, paint.Style{Fg: ink(themes.OnAccent), Bg: ink(themes.AccentBg)}, under)
}
