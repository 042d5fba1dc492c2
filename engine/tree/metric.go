package tree

import "math"

// Names of the metrics that rules and screens know, TRL's where it has one. A trainer may report others beside them.
const (
	MetricReward       = "reward"                    // mean reward of the step's samples
	MetricRewardStd    = "reward_std"                // mean over groups of the standard deviation within a group
	MetricZeroStd      = "frac_reward_zero_std"      // share of groups whose rewards are all the same
	MetricAllRight     = "frac_all_right"            // share of groups whose samples are all right
	MetricAllWrong     = "frac_all_wrong"            // share of groups whose samples are all wrong
	MetricKL           = "kl"                        // mean k3 estimate per token to the reference, in nats
	MetricEntropy      = "entropy"                   // mean entropy per sampled token, in nats
	MetricClip         = "clip_ratio/region_mean"    // share of tokens whose ratio was clipped
	MetricLength       = "completions/mean_length"   // mean tokens of a completion
	MetricTruncated    = "completions/clipped_ratio" // share of completions cut at the maximum length
	MetricGradNorm     = "grad_norm"                 // before clipping
	MetricLoss         = "loss"                      //
	MetricTokens       = "num_tokens"                // tokens so far: prompt, sampled and trained
	MetricLearningRate = "learning_rate"             //
	MetricValidation   = "eval_reward"               // validation accuracy where it was measured
)

// Point is what a trainer reports of one optimizer step.
type Point struct {
	Step   int                `json:"step"`   // optimizer steps since the base model, along the path
	Tokens int64              `json:"tokens"` // of this segment so far, counted as Cost.Tokens counts
	Values map[string]float64 `json:"values"` // by metric name; a metric that was not measured is absent
}

// Score is a mean over N samples with its standard error, in the task's own unit (0..1 for exact match).
type Score struct {
	Mean float64 `json:"mean"`
	SE   float64 `json:"se"`
	N    int     `json:"n"`
}

// Known tells whether the score was measured.
func (s Score) Known() bool { return s.N > 0 }

// Beats tells whether s is better than other by more than the standard error of their difference.
func (s Score) Beats(other Score) bool { return s.Mean > other.Mean+math.Hypot(s.SE, other.SE) }

// Cost is what something spent. Tokens are counted the same way for every trainer and arm.
type Cost struct {
	Steps         int     `json:"steps"`
	PromptTokens  int64   `json:"prompt_tokens"`
	SampledTokens int64   `json:"sampled_tokens"`
	TrainedTokens int64   `json:"trained_tokens"` // tokens of every gradient pass, prompts included
	EvalTokens    int64   `json:"eval_tokens"`    // prompt and sampled tokens of evaluations; not part of Tokens
	WallSeconds   float64 `json:"wall_s"`
	GPUSeconds    float64 `json:"gpu_s,omitempty"`
	FLOP          float64 `json:"flop,omitempty"`        // estimated
	PeakMemory    int64   `json:"peak_memory,omitempty"` // bytes, the largest of the parts
}

// Tokens is the budget's currency: prompt + sampled + trained tokens.
func (c Cost) Tokens() int64 { return c.PromptTokens + c.SampledTokens + c.TrainedTokens }

// Plus adds two costs.
func (c Cost) Plus(d Cost) Cost {
	c.Steps += d.Steps
	c.PromptTokens += d.PromptTokens
	c.SampledTokens += d.SampledTokens
	c.TrainedTokens += d.TrainedTokens
	c.EvalTokens += d.EvalTokens
	c.WallSeconds += d.WallSeconds
	c.GPUSeconds += d.GPUSeconds
	c.FLOP += d.FLOP
	c.PeakMemory = max(c.PeakMemory, d.PeakMemory)
	return c
}
