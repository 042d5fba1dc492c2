package cli

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"llmzero/tui"
)

// TestDoctorIsPlain has a model whose name would steer the terminal.
func TestDoctorIsPlain(t *testing.T) {
	a := &app{Globals: Globals{DB: t.TempDir() + "/x.db"}, Parts: Parts{Doctor: func(context.Context) []tui.Fact {
		return []tui.Fact{{Name: "Ollama", Value: "evil\x1b[2J\x1b]0;title\x07\r\nmodel\u009b31m", Hint: "\x1b[31mred"}}
	}}}
	c := newDoctor(a)
	var out bytes.Buffer
	c.SetOut(&out)
	c.SetArgs(nil)
	if err := c.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := out.String()
	if strings.ContainsAny(got, "\x1b\x07\r\u009b") || strings.Count(got, "\n") != 2 || !strings.Contains(got, "evil") || !strings.Contains(got, "model") {
		t.Errorf("%q", got)
	}
}
