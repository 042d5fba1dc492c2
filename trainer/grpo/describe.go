package grpo

import (
	"context"
	"fmt"

	"llmzero/engine/tree"
	"llmzero/trainer/grpo/policy"
	"llmzero/trainer/grpo/task"
	"llmzero/trainer/grpo/team"
)

// Metrics of this trainer beside those of package tree; TRL's names.
const (
	metricClipLow  = "clip_ratio/low_mean"
	metricClipHigh = "clip_ratio/high_mean"
	metricAccuracy = "rewards/exact_match/mean" // the verifier's reward, without penalties
)

// Describe tells the space, the tasks with their declared budgets and facts, and the metrics.
func (t *Trainer) Describe(context.Context) (tree.Description, error) {
	c := policy.Small(task.VocabSize, task.Context)
	d := tree.Description{
		Name:  "grpo",
		Model: fmt.Sprintf("grpo %dk", (c.Size()+500)/1000),
		Space: Space(),
		Metrics: []string{
			tree.MetricReward, tree.MetricRewardStd, tree.MetricZeroStd, tree.MetricAllRight, tree.MetricAllWrong, tree.MetricKL,
			tree.MetricEntropy, tree.MetricClip, metricClipLow, metricClipHigh, tree.MetricLength, tree.MetricTruncated,
			tree.MetricGradNorm, tree.MetricLoss, tree.MetricTokens, tree.MetricLearningRate, metricAccuracy, tree.MetricValidation,
		},
	}
	for _, k := range task.All() {
		d.Tasks = append(d.Tasks, tree.TaskInfo{
			Name: k.Name, Help: k.Help, Metric: "exact match of one completion at temperature 1", Bases: task.Bases, Facts: k.Facts(), Fits: fits(k),
			Budgets: map[string]int64{"tight": int64(k.Budgets.Tight), "middle": int64(k.Budgets.Middle), "ample": int64(k.Budgets.Ample)},
		})
	}
	return d, nil
}

// Evaluate scores a checkpoint or base policy on a split: completions at temperature 1 and top-p 1, as long as the context
// allows, whatever the configuration says of sampling, so that scores compare across configurations.
func (t *Trainer) Evaluate(ctx context.Context, exam tree.Exam) (val tree.Score, cost tree.Cost, err error) {
	team.Quietly(func() { val, cost, err = t.evaluate(ctx, exam) })
	return val, cost, err
}

func (t *Trainer) evaluate(ctx context.Context, exam tree.Exam) (tree.Score, tree.Cost, error) {
	tk, err := task.Lookup(exam.Task)
	if err != nil {
		return tree.Score{}, tree.Cost{}, err
	}
	st, err := load(tk, exam.Base, exam.Ref, exam.Data)
	if err != nil {
		return tree.Score{}, tree.Cost{}, err
	}
	n := exam.Samples
	if n <= 0 {
		n = defaultVal
	}
	problems, err := problemsOf(tk, exam.Split, n)
	if err != nil {
		return tree.Score{}, tree.Cost{}, err
	}
	tm := t.team(0)
	defer tm.Close()
	net := policy.NewNet(st.model.Config)
	net.Load(st.model.W)
	return score(ctx, policy.NewSampler(net, tm), st.model.Config, tk, problems, n, exam.Seed)
}
