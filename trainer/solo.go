package trainer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"llmzero/engine/tree"
)

// Plan is one training run with a constant configuration: what `llmzero train` does, and what an outside optimiser calls
// as its objective.
type Plan struct {
	Task        string
	Base        int
	Seed        uint64
	Config      tree.Config // full
	Steps       int         // 0: Tokens decides
	Tokens      int64       // prompt + sampled + trained tokens, 0: Steps decides
	Checkpoint  []byte      // to go on from, nil: the base model
	ValSamples  int         // 0: the trainer's default
	TestSamples int         // 0: the trainer's default
}

// Result is how a plan came out.
type Result struct {
	Task    string             `json:"task"`
	Base    int                `json:"base"`
	Seed    uint64             `json:"seed"`
	Steps   int                `json:"steps"`
	Tokens  int64              `json:"tokens"`
	WallS   float64            `json:"wall_s"`
	Val     tree.Score         `json:"val"`
	Test    tree.Score         `json:"test"`
	Params  tree.Config        `json:"params"`
	Metrics map[string]float64 `json:"metrics"` // of the last step
	Cost    tree.Cost          `json:"cost"`
	Kernel  string             `json:"kernel"`
	Stopped bool               `json:"stopped,omitempty"`

	Checkpoint []byte `json:"-"` // what was scored: the last one, or the plan's when there is no new one
	New        bool   `json:"-"` // Checkpoint was made by this run
}

// String is the result in one line.
func (r Result) String() string {
	return fmt.Sprintf("%s: validation %.3f ± %.3f, test %.3f ± %.3f after %d steps and %d tokens in %.1f s",
		r.Task, r.Val.Mean, r.Val.SE, r.Test.Mean, r.Test.SE, r.Steps, r.Tokens, r.WallS)
}

// Solo runs a plan and scores its last checkpoint on the test split; without a new one it scores what it started from on both
// splits. About every second a line goes to progress. When ctx is canceled, the run ends early with what it has, and its result
// says so.
func Solo(ctx context.Context, t Trainer, p Plan, progress io.Writer) (Result, error) {
	r := Result{Task: p.Task, Base: p.Base, Seed: p.Seed, Params: p.Config, Metrics: map[string]float64{}, Checkpoint: p.Checkpoint}
	if p.Steps <= 0 && p.Tokens <= 0 {
		return r, errors.New("nothing to do: give a number of steps or of tokens")
	}
	saved := context.WithoutCancel(ctx)
	run, cancel := context.WithCancelCause(saved)
	defer cancel(nil)
	defer context.AfterFunc(ctx, func() { cancel(tree.ErrStop) })()
	if ctx.Err() != nil { // AfterFunc may come too late for what is so already
		cancel(tree.ErrStop)
	}

	job := tree.Job{
		Search: "train", Task: p.Task, Base: p.Base, Seed: p.Seed, Config: p.Config, Resume: p.Checkpoint,
		Steps: p.Steps, Tokens: p.Tokens, Checkpoints: 1, ValSamples: p.ValSamples,
	}
	tell := ticker(progress)
	out, err := t.Run(run, job, func(rep tree.Report) error {
		if rep.Point != nil {
			r.Metrics = rep.Point.Values
			tell(*rep.Point)
		}
		if rep.Checkpoint != nil {
			r.Checkpoint, r.New = rep.Checkpoint.Data, true
		}
		return nil
	})
	r.Steps, r.Tokens, r.WallS = out.Cost.Steps, out.Cost.Tokens(), out.Cost.WallSeconds
	r.Cost, r.Kernel, r.Stopped = out.Cost, out.Kernel, ctx.Err() != nil
	if err != nil {
		return r, fmt.Errorf("train %s: %w", p.Task, err)
	}
	exam := tree.Exam{Task: p.Task, Base: p.Base, Config: p.Config, Data: r.Checkpoint, Split: tree.SplitTest, Samples: p.TestSamples, Seed: p.Seed}
	if r.Test, _, err = t.Evaluate(saved, exam); err != nil {
		return r, fmt.Errorf("train %s: score on the test split: %w", p.Task, err)
	}
	if n := len(out.Checkpoints); n > 0 {
		r.Val = out.Checkpoints[n-1].Val
		return r, nil
	}
	exam.Split, exam.Samples, exam.Seed = tree.SplitValidation, p.ValSamples, 0
	if r.Val, _, err = t.Evaluate(saved, exam); err != nil {
		return r, fmt.Errorf("train %s: score on the validation split: %w", p.Task, err)
	}
	return r, nil
}

// ticker prints a line at most once a second.
func ticker(w io.Writer) func(tree.Point) {
	var last time.Time
	return func(p tree.Point) {
		if now := time.Now(); now.Sub(last) > time.Second {
			last = now
			_, _ = fmt.Fprintf(w, "step %d: reward %.3f, entropy %.2f, %d tokens\n", // progress is a courtesy
				p.Step, p.Values[tree.MetricReward], p.Values[tree.MetricEntropy], p.Tokens)
		}
	}
}
