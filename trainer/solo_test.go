package trainer

import (
	"context"
	"errors"
	"io"
	"testing"

	"llmzero/engine/tree"
)

// toy takes steps until it is stopped, and makes a checkpoint when it took any.
type toy struct {
	exams []tree.Exam
}

func (*toy) Describe(context.Context) (tree.Description, error) { return tree.Description{}, nil }

func (*toy) Run(ctx context.Context, job tree.Job, report func(tree.Report) error) (out tree.Outcome, err error) {
	for out.Cost.Steps < job.Steps && ctx.Err() == nil {
		out.Cost.Steps++
	}
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, tree.ErrStop) {
		return out, cause
	}
	if out.Cost.Steps == 0 {
		return out, nil
	}
	c := tree.Checkpoint{Step: out.Cost.Steps, Val: tree.Score{Mean: 0.9, N: 1}, Data: []byte("new")}
	out.Checkpoints = append(out.Checkpoints, c)
	return out, report(tree.Report{Checkpoint: &c})
}

func (t *toy) Evaluate(_ context.Context, exam tree.Exam) (tree.Score, tree.Cost, error) {
	t.exams = append(t.exams, exam)
	return tree.Score{Mean: float64(len(exam.Data)) / 10, N: 1}, tree.Cost{}, nil
}

func TestSolo(t *testing.T) {
	for _, c := range []struct {
		name     string
		gone     bool // interrupted before it began
		from     string
		want     string
		made     bool
		val, tst float64
		exams    int
	}{
		{"trained", false, "given", "new", true, 0.9, 0.3, 1},
		{"trained from the base", false, "", "new", true, 0.9, 0.3, 1},
		{"stopped before the first step", true, "given", "given", false, 0.5, 0.5, 2},
		{"stopped at the base", true, "", "", false, 0, 0, 2},
	} {
		tr := &toy{}
		p := Plan{Task: "toy", Steps: 3}
		if c.from != "" {
			p.Checkpoint = []byte(c.from)
		}
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		if c.gone {
			cancel()
		}
		r, err := Solo(ctx, tr, p, io.Discard)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if string(r.Checkpoint) != c.want || r.New != c.made || r.Val.Mean != c.val || r.Test.Mean != c.tst || r.Val.N == 0 {
			t.Errorf("%s: checkpoint %q, new %v, validation %v, test %v", c.name, r.Checkpoint, r.New, r.Val, r.Test)
		}
		if len(tr.exams) != c.exams || tr.exams[0].Split != tree.SplitTest || r.Stopped == c.made {
			t.Errorf("%s: exams %+v, stopped %v", c.name, tr.exams, r.Stopped)
		}
	}
	if _, err := Solo(context.Background(), &toy{}, Plan{}, io.Discard); err == nil {
		t.Error("a plan without an end was run")
	}
}
