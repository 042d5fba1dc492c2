package grpo

import (
	"fmt"
	"strconv"

	"llmzero/engine/tree"
	"llmzero/trainer/grpo/task"
)

// Names of the parameters: TRL's where its GRPOConfig has one.
const (
	pRate       = "learning_rate"
	pBeta       = "beta"
	pLow        = "epsilon"
	pHigh       = "epsilon_high"
	pTemp       = "temperature"
	pTopP       = "top_p"
	pEntropy    = "entropy_coef"
	pDecay      = "weight_decay"
	pMaxNorm    = "max_grad_norm"
	pEpochs     = "num_iterations"
	pScale      = "scale_rewards"
	pLoss       = "loss_type"
	pReset      = "ref_reset"
	pOverlong   = "overlong_penalty"
	pDifficulty = "difficulty"
	pMix        = "difficulty_mix"
	pLength     = "max_completion_length"
	pGroup      = "num_generations"
	pPrompts    = "prompts_per_step"
	pRank       = "lora_rank"
)

// fullRank is the value of lora_rank that trains all weights.
const fullRank = "full"

// minLength is the shortest completion limit: one token and the end.
const minLength = 2

// resetOn is the value of ref_reset that anchors the KL term anew at the start of a segment.
const resetOn = "on"

// Space is what can be set. Roles are those of the paper for learning rate, KL coefficient and response length; the others
// are this project's reading, declared before any search.
func Space() tree.Space {
	float := func(name, short string, lo, hi, def float64, scale tree.Scale, role tree.Role, help string) tree.Param {
		return tree.Param{
			Name: name, Short: short, Kind: tree.KindFloat, Min: lo, Max: hi, Default: tree.Number(def),
			Scale: scale, Role: role, Help: help,
		}
	}
	whole := func(name, short string, lo, hi, def float64, scale tree.Scale, role tree.Role, unit, help string) tree.Param {
		p := float(name, short, lo, hi, def, scale, role, help)
		p.Kind, p.Unit = tree.KindInt, unit
		return p
	}
	choice := func(name, short, def string, ordered bool, role tree.Role, help string, choices ...string) tree.Param {
		return tree.Param{
			Name: name, Short: short, Kind: tree.KindChoice, Scale: tree.ScaleLinear, Choices: choices, Ordered: ordered,
			Default: tree.Choice(def), Role: role, Help: help,
		}
	}
	orZero := func(p tree.Param) tree.Param {
		p.Zero = true
		return p
	}
	rank := choice(pRank, "rank", fullRank, true, tree.RoleCapacity,
		"LoRA rank of the projections, or full to train every weight; a growing rank keeps what was learnt, its new columns start with fresh moments", "2", "4", "8", "16", "32", fullRank)
	rank.Structural = true
	const lin, log = tree.ScaleLinear, tree.ScaleLog
	const capacity, reg, other = tree.RoleCapacity, tree.RoleRegularization, tree.RoleOther
	mixes := make([]string, len(task.Mixes))
	for i, m := range task.Mixes {
		mixes[i] = m.String()
	}
	return tree.Space{Params: []tree.Param{
		float(pRate, "lr", 1e-5, 1e-2, 3e-4, log, reg, "step size of AdamW, constant within a segment"),
		orZero(float(pBeta, "KL", 1e-3, 1, 0.01, log, reg, "weight of the KL divergence to the reference; 0 drops the term and the reference pass")),
		float(pTemp, "T", 0.3, 2, 1, lin, reg, "divides the logits when sampling for training; evaluation always samples at 1"),
		float(pTopP, "top-p", 0.5, 1, 1, lin, reg, "sample from the fewest tokens that reach this probability; 1 for all"),
		float(pLow, "clip", 0.05, 0.5, 0.2, lin, reg, "lower clip bound: a bad token's ratio counts down to 1 - epsilon"),
		float(pHigh, "clip+", 0.05, 1, 0.28, lin, reg, "upper clip bound: a good token's ratio counts up to 1 + epsilon_high"),
		orZero(float(pEntropy, "ent", 1e-4, 0.1, 0, log, reg, "weight of the entropy bonus per token, in nats")),
		orZero(float(pDecay, "wd", 1e-4, 1, 0.01, log, reg, "AdamW's decoupled decay of the projections")),
		orZero(float(pMaxNorm, "clip-g", 0.01, 10, 1, log, reg, "gradients are scaled down to this norm; 0 for never")),
		orZero(float(pOverlong, "long", 0.05, 1, 0, log, reg, "taken off the reward of a completion, in proportion as it uses the last quarter of the length limit")),
		choice(pReset, "ref", "off", true, reg, "on: the segment's first policy becomes the reference of the KL term; going on with an equal seed is the same segment", "off", resetOn),
		whole(pLength, "len", minLength, 40, 12, log, capacity, "tokens", "longest completion, end token included; cut to what the task's prompt leaves of the context"),
		whole(pGroup, "n", 2, 32, 8, log, capacity, "samples", "completions of each prompt: the group whose mean is the baseline"),
		whole(pPrompts, "prompts", 2, 64, 16, log, capacity, "prompts", "prompts of each optimizer step"),
		rank,
		whole(pEpochs, "epochs", 1, 4, 1, lin, other, "passes", "optimizer updates on each batch of completions"),
		choice(pScale, "scale", scaleGroup, false, other, "what divides the advantages: the group's standard deviation, the batch's, or nothing", scaleGroup, scaleBatch, scaleNone),
		choice(pLoss, "loss", lossDAPO, false, other, "how tokens are weighed: mean per sequence (grpo), by the length limit (dr_grpo), mean over tokens (dapo)", lossGRPO, lossDrGRPO, lossDAPO),
		whole(pDifficulty, "diff", 1, 10, 10, lin, other, "", "hardest training problems, on the task's own axis and within its range"),
		choice(pMix, "mix", task.Uniform.String(), false, other, "weights of the difficulties up to the cap: all alike, the upper half, or falling", mixes...),
	}}
}

// fits are what a task narrows: its own difficulties, and the completions that its prompts leave room for.
func fits(t *task.Task) []tree.Fit {
	return []tree.Fit{
		{Param: pDifficulty, Min: float64(t.Difficulty.Lo), Max: float64(t.Difficulty.Hi), Default: float64(t.Difficulty.Hi)},
		{Param: pLength, Min: minLength, Max: float64(task.Context - t.PromptLen()), Default: float64(t.MaxCompletion)},
	}
}

// SpaceOf is the space as a task sees it.
func SpaceOf(t *task.Task) tree.Space { return Space().Fitted(fits(t)) }

// settings is a configuration in the trainer's own types.
type settings struct {
	rate, beta, low, high, temperature, topP, entropy, decay, maxNorm, overlong float64
	reset                                                                       bool
	length, group, prompts, rank, epochs                                        int
	scale, loss                                                                 string
	curriculum                                                                  task.Curriculum
}

// parse reads a configuration. Parameters that it does not name take the task's defaults; unknown names and values outside
// the trainer's ranges are errors. The task's narrower ranges are no matter here: training clamps to them.
func parse(t *task.Task, c tree.Config) (settings, error) {
	space := Space()
	full := SpaceOf(t).Defaults()
	for name, v := range c {
		full[name] = v
	}
	if err := space.Check(full); err != nil {
		return settings{}, err
	}
	mix, err := task.ParseMix(full[pMix].Text)
	if err != nil {
		return settings{}, fmt.Errorf("%s: %w", pMix, err)
	}
	rank := 0
	if r := full[pRank].Text; r != fullRank {
		if rank, err = strconv.Atoi(r); err != nil {
			return settings{}, fmt.Errorf("%s: %w", pRank, err)
		}
	}
	return settings{
		rate: full.Float(pRate), beta: full.Float(pBeta), low: full.Float(pLow), high: full.Float(pHigh),
		temperature: full.Float(pTemp), topP: full.Float(pTopP), entropy: full.Float(pEntropy), decay: full.Float(pDecay),
		maxNorm: full.Float(pMaxNorm), overlong: full.Float(pOverlong), reset: full[pReset].Text == resetOn,
		length: full.Int(pLength), group: full.Int(pGroup), prompts: full.Int(pPrompts), rank: rank, epochs: full.Int(pEpochs),
		scale: full[pScale].Text, loss: full[pLoss].Text,
		curriculum: task.Curriculum{Cap: full.Int(pDifficulty), Mix: mix},
	}, nil
}
