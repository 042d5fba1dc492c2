package task

import (
	"strings"
	"testing"
)

// Every task has a page of facts that names the command which measured it, and its first base.
func TestShipped(t *testing.T) {
	for _, k := range All() {
		page := k.Facts()
		if !strings.HasPrefix(page, "# "+k.Name+"\n") || !strings.Contains(page, "go run ./trainer/grpo/study") {
			t.Errorf("%s: no page of facts, or one without its command", k.Name)
		}
		if _, err := k.Base(1); err != nil {
			t.Error(err)
		}
	}
	if (&Task{Name: "none"}).Facts() != "" {
		t.Error("an unknown task has facts")
	}
}
