package trainer

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"llmzero/engine/tree"
)

// clockwork takes 40 ms for its first step, 10 ms for the others and 100 ms to score.
type clockwork struct {
	Trainer
	err error
}

func (c clockwork) Run(_ context.Context, job tree.Job, report func(tree.Report) error) (tree.Outcome, error) {
	if c.err != nil {
		return tree.Outcome{}, c.err
	}
	for i := range job.Steps {
		time.Sleep(map[bool]time.Duration{true: 40, false: 10}[i == 0] * time.Millisecond)
		if i == job.Steps-1 {
			time.Sleep(100 * time.Millisecond) // the last point comes with its validation
		}
		if err := report(tree.Report{Point: &tree.Point{Step: i + 1}}); err != nil {
			return tree.Outcome{}, err
		}
	}
	return tree.Outcome{Cost: tree.Cost{Steps: job.Steps, SampledTokens: 300, TrainedTokens: 300}}, nil
}

func TestMeasure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got, err := Measure(t.Context(), clockwork{}, Plan{Task: "x"})
		if err != nil || got != (Pace{Step: 10 * time.Millisecond, StepTokens: 200, Val: 100 * time.Millisecond}) {
			t.Errorf("%+v, %v", got, err)
		}
	})
	if _, err := Measure(t.Context(), clockwork{err: errors.New("no memory")}, Plan{}); err == nil {
		t.Error("a failure was taken for a pace")
	}
}
