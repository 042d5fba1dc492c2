package trainer

import (
	"context"
	"time"

	"llmzero/engine/tree"
)

// Pace is what training takes with a configuration on this machine.
type Pace struct {
	Step       time.Duration // an optimizer step
	StepTokens float64       // prompt, sampled and trained tokens of a step
	Val        time.Duration // scoring a checkpoint
}

// paceSteps is how many steps a measurement takes.
const paceSteps = 3

// Measure trains a few steps from the base model and forgets them. The plan's Steps, Tokens and Checkpoint do not matter.
func Measure(ctx context.Context, t Trainer, p Plan) (Pace, error) {
	started := time.Now()
	var at []time.Duration
	out, err := t.Run(ctx, tree.Job{
		Search: "pace", Task: p.Task, Base: p.Base, Seed: p.Seed, Config: p.Config, Steps: paceSteps, Checkpoints: 1, ValSamples: p.ValSamples,
	}, func(r tree.Report) error {
		if r.Point != nil {
			at = append(at, time.Since(started))
		}
		return nil
	})
	if err != nil {
		return Pace{}, err
	}
	all := time.Since(started)
	pace := Pace{StepTokens: float64(out.Cost.Tokens()) / float64(max(1, out.Cost.Steps))}
	if len(at) > 1 {
		pace.Step = at[1] - at[0] // the first step has the warming up
		pace.Val = max(0, all-at[1]-pace.Step)
	} else {
		pace.Step = all / paceSteps
	}
	return pace, nil
}
