package grpo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"llmzero/engine/tree"
	"llmzero/trainer/grpo/optim"
	"llmzero/trainer/grpo/policy"
	"llmzero/trainer/grpo/task"
	"llmzero/trainer/grpo/team"
)

// BenchmarkLearn trains the defaults on mixed for 160 steps of 256 samples and reports held-out accuracy at temperature 1 on
// the test split before and after. Run it with -benchtime 1x.
func BenchmarkLearn(b *testing.B) {
	tr := &Trainer{}
	ctx := context.Background()
	for b.Loop() {
		exam := tree.Exam{Task: "mixed", Split: tree.SplitTest, Samples: 4 * task.EvalSize}
		before, _, err := tr.Evaluate(ctx, exam)
		if err != nil {
			b.Fatal(err)
		}
		cfg := Space().Defaults()
		cfg[pPrompts] = tree.Number(32)
		job := tree.Job{Task: "mixed", Seed: 1, Config: cfg, Steps: 160, Checkpoints: 1}
		out, err := tr.Run(ctx, job, func(tree.Report) error { return nil })
		if err != nil {
			b.Fatal(err)
		}
		exam.Data = out.Checkpoints[0].Data
		after, _, err := tr.Evaluate(ctx, exam)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(before.Mean, "base-acc")
		b.ReportMetric(after.Mean, "acc")
		b.ReportMetric(after.Mean-before.Mean, "gain")
		b.ReportMetric(float64(out.Cost.Steps)/out.Cost.WallSeconds, "steps/s")
	}
}

// stepLearner makes a learner of 16 prompts x 8 samples of exactly 24 tokens on random weights: the end token's embedding
// is such that it never comes.
func stepLearner(b *testing.B, c policy.Config, tm *team.Team, over map[string]tree.Value) *learner {
	b.Helper()
	tk, err := task.Lookup("mixed")
	if err != nil {
		b.Fatal(err)
	}
	cfg := Space().Defaults()
	cfg[pLength] = tree.Number(24)
	for k, v := range over {
		cfg[k] = v
	}
	set, err := parse(cfg)
	if err != nil {
		b.Fatal(err)
	}
	w := c.Init(rand.New(rand.NewPCG(1, 2)))
	st := state{model: policy.NewModel(c, w), opt: optim.New(len(w)), reference: append([]float32(nil), w...)}
	return newLearner(tk, st, set, 1, tm)
}

// BenchmarkStep times a whole GRPO step of 16 prompts x 8 samples x at most 24 tokens on two workers, without a KL term as in
// TRL's defaults, and with one.
func BenchmarkStep(b *testing.B) {
	for _, size := range []struct {
		name string
		c    policy.Config
	}{{"27k", policy.Small(task.VocabSize, task.Context)}, {"104k", policy.Large(task.VocabSize, task.Context)}} {
		for _, beta := range []float64{0, 0.01} {
			b.Run(fmt.Sprintf("%s/beta=%g", size.name, beta), func(b *testing.B) {
				tm := team.New(2)
				defer tm.Close()
				l := stepLearner(b, size.c, tm, map[string]tree.Value{pBeta: tree.Number(beta)})
				l.set.rate = 0 // stay at the random policy, whose completions are long
				var tokens int64
				b.ReportAllocs()
				for b.Loop() {
					before := l.cost.SampledTokens
					if _, err := l.doStep(); err != nil {
						b.Fatal(err)
					}
					tokens += l.cost.SampledTokens - before
				}
				b.ReportMetric(float64(tokens)/float64(b.N), "sampled-tokens/op")
			})
		}
	}
}
