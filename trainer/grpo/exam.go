package grpo

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"llmzero/engine/tree"
	"llmzero/trainer/grpo/policy"
	"llmzero/trainer/grpo/task"
)

// examChunk is the number of completions drawn between two looks at the context.
const examChunk = 512

// problemsOf are the problems of an evaluation: the task's fixed lists, or fresh training problems of every difficulty.
func problemsOf(t *task.Task, split tree.Split, n int) ([]task.Problem, error) {
	switch split {
	case tree.SplitValidation:
		return t.ValidationSet(), nil
	case tree.SplitTest:
		return t.TestSet(), nil
	case tree.SplitTrain:
		rng := rand.New(rand.NewPCG(uint64(policy.NewStream(streamExam)), 0))
		out := make([]task.Problem, min(n, task.EvalSize))
		for i := range out {
			out[i] = t.Train(rng, task.Curriculum{Cap: t.Difficulty.Hi})
		}
		return out, nil
	}
	return nil, fmt.Errorf("no split %q: choose train, validation or test", split)
}

// right tells whether a completion ended by itself and the verifier accepts it: one that was cut off is wrong, whatever
// stands in it.
func right(t *task.Task, p task.Problem, c *policy.Completions, row int) bool {
	return c.Ended[row] && t.Reward(p, c.Text(row)) > 0
}

// score is the evaluation that every checkpoint gets: n completions at temperature 1, top-p 1, as long as the context
// allows, over the split's problems in turn. The standard error is over problems. Equal seeds draw equal random numbers, so
// that checkpoints are compared on the same luck. The cost holds EvalTokens and FLOP.
func score(ctx context.Context, s *policy.Sampler, c policy.Config, t *task.Task, problems []task.Problem, n int, seed uint64) (tree.Score, tree.Cost, error) {
	var cost tree.Cost
	stream := policy.NewStream(seed, streamExam)
	k := min(n, len(problems))
	hits := make([]float64, k)
	tries := make([]float64, k)
	var out policy.Completions
	prompts := make([][]uint8, 0, examChunk)
	for from := 0; from < n; from += examChunk {
		if err := ctx.Err(); err != nil {
			return tree.Score{}, cost, context.Cause(ctx)
		}
		to := min(n, from+examChunk)
		prompts = prompts[:0]
		for i := from; i < to; i++ {
			prompts = append(prompts, problems[i%k].Prompt)
		}
		s.Sample(&out, prompts, 1, policy.Sampling{
			Temperature: 1, MaxNew: task.Context, End: task.EOS, Stream: stream.With(uint64(from)),
		})
		for i := from; i < to; i++ {
			row := i - from
			tries[i%k]++
			if right(t, problems[i%k], &out, row) {
				hits[i%k]++
			}
			cost.EvalTokens += int64(len(prompts[row]) + out.Len[row])
		}
	}
	cost.FLOP = float64(cost.EvalTokens) * c.FLOP(t.PromptLen())
	return meanOf(hits, tries, n), cost, nil
}

func meanOf(hits, tries []float64, n int) tree.Score {
	k := float64(len(hits))
	var mean, ss float64
	for i := range hits {
		mean += hits[i] / tries[i] / k
	}
	for i := range hits {
		d := hits[i]/tries[i] - mean
		ss += d * d
	}
	sc := tree.Score{Mean: mean, N: n}
	if k > 1 {
		sc.SE = math.Sqrt(ss / (k - 1) / k)
	}
	return sc
}
