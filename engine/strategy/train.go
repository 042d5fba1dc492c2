package strategy

import (
	"context"
	"fmt"
	"strings"

	"llmzero/engine/tree"
)

// Trainer is what a strategy is trained with.
type Trainer interface {
	Run(ctx context.Context, job tree.Job, report func(tree.Report) error) (tree.Outcome, error)
	Evaluate(ctx context.Context, exam tree.Exam) (tree.Score, tree.Cost, error)
}

// Jobs are the segments of one training of s from the base model; all their random choices come from seed.
func (s Strategy) Jobs(seed uint64) []tree.Job {
	jobs := make([]tree.Job, len(s.Stages))
	step := 0
	for i, st := range s.Stages {
		jobs[i] = tree.Job{
			Search: s.Origin.Search, Node: s.Origin.Node, Task: s.Task, Base: s.Base, Seed: tree.Derive(seed, "segment", i),
			Config: st.Config.Clone(), FromStep: step, Steps: st.Steps, Checkpoints: 1,
		}
		if i > 0 {
			jobs[i].Previous = s.Stages[i-1].Config.Clone()
		}
		step += st.Steps
	}
	return jobs
}

// Train runs jobs one after the other, each from the end of the one before; checkpoints between them stay in memory, or where
// an external trainer put them. stage, which may be nil, is told the number of each job before it runs.
func Train(ctx context.Context, tr Trainer, jobs []tree.Job, stage func(int)) (tree.Checkpoint, tree.Cost, error) {
	var last tree.Checkpoint
	var cost tree.Cost
	for i, job := range jobs {
		if stage != nil {
			stage(i)
		}
		job.Resume, job.FromRef = last.Data, last.Ref
		last = tree.Checkpoint{}
		out, err := tr.Run(ctx, job, func(r tree.Report) error {
			if r.Checkpoint != nil {
				last = *r.Checkpoint
			}
			return nil
		})
		cost = cost.Plus(out.Cost)
		switch {
		case err != nil:
			return last, cost, fmt.Errorf("stage %d of %d: %w", i+1, len(jobs), err)
		case last.Ref == "" && len(last.Data) == 0:
			return last, cost, fmt.Errorf("stage %d of %d left no checkpoint", i+1, len(jobs))
		}
	}
	return last, cost, nil
}

// Examine scores the checkpoint that the last of jobs left on the test split.
func Examine(ctx context.Context, tr Trainer, jobs []tree.Job, last tree.Checkpoint, seed uint64) (tree.Score, tree.Cost, error) {
	end := jobs[len(jobs)-1]
	x := tree.Exam{Task: end.Task, Base: end.Base, Config: end.Config, Data: last.Data, Split: tree.SplitTest, Seed: seed}
	if !strings.HasPrefix(last.Ref, "sha256:") {
		x.Ref = last.Ref
	}
	return tr.Evaluate(ctx, x)
}
