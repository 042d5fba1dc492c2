// Package trainer says what a trainer must do and finds one by name.
package trainer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"llmzero/engine/tree"
)

// Trainer runs training segments. Implementations are safe for concurrent use and keep nothing between calls: what a
// segment needs comes with its job, what it leaves goes with its reports and outcome.
type Trainer interface {
	// Describe tells the parameters, tasks and metrics.
	Describe(ctx context.Context) (tree.Description, error)
	// Run trains one segment. It reports every step, checkpoint and some samples in order, from one goroutine; an error
	// from report ends the segment with that error. When ctx is canceled with the cause tree.ErrStop, it saves and
	// scores a last checkpoint and returns its outcome; with any other cause it returns that error. A *tree.Failure says
	// that the segment itself failed; the outcome then holds what was measured until then.
	Run(ctx context.Context, job tree.Job, report func(tree.Report) error) (tree.Outcome, error)
	// Evaluate scores a checkpoint, or the base model, on a split.
	Evaluate(ctx context.Context, exam tree.Exam) (tree.Score, tree.Cost, error)
}

// ErrUnknown is returned by Open for a name that no trainer has.
var ErrUnknown = errors.New("no such trainer")

// Factory makes a trainer. arg is what stands after the colon of a spec, empty when there is none.
type Factory func(arg string) (Trainer, error)

// Registry finds trainers by name.
type Registry map[string]Factory

// Open makes the trainer of a spec: NAME or NAME:ARG, such as "grpo" or "worker:python train.py".
func (r Registry) Open(spec string) (Trainer, error) {
	name, arg, _ := strings.Cut(spec, ":")
	f, ok := r[name]
	if !ok {
		return nil, fmt.Errorf("trainer %q: %w; there are %s", name, ErrUnknown, strings.Join(r.Names(), ", "))
	}
	t, err := f(arg)
	if err != nil {
		return nil, fmt.Errorf("trainer %s: %w", name, err)
	}
	return t, nil
}

// Names lists the trainers by name.
func (r Registry) Names() []string {
	names := make([]string, 0, len(r))
	for n := range r {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}
