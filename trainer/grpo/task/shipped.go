package task

import (
	"embed"

	"llmzero/trainer/grpo/base"
)

//go:embed facts
var facts embed.FS

// Base returns the shipped weights of base n (1..Bases) as a safetensors file; the error says when a build lacks it.
func (t *Task) Base(n int) ([]byte, error) { return base.Weights(t.Name, n) }

// Facts returns the task's page of measured facts as Markdown, empty when nothing was measured yet.
func (t *Task) Facts() string {
	b, err := facts.ReadFile("facts/" + t.Name + ".md")
	if err != nil {
		return ""
	}
	return string(b)
}
