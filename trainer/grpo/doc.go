// Package grpo is the embedded trainer: group relative policy optimisation of a small transformer on verifiable tasks, in
// Go, with no cgo.
//
// # Parts
//
//	kernel       float32 matrix product and vector functions; AVX-512, AVX2 and Go
//	team         workers for numbered pieces of a step
//	optim        AdamW, gradient clipping
//	safetensors  the file format of weights and checkpoints
//	policy       the transformer: forward, backward, sampling, LoRA, shards
//	sft          supervised training, which makes base policies
//	task, base   vocabularies, problems, verifiers, splits, corpora; the shipped base weights and facts
//
// # Making a base
//
// A base policy is made by supervised training and kept as a safetensors file:
//
//	cfg := policy.Small(task.VocabSize, task.Context) // 27k weights; policy.Large has 104k
//	w, err := sft.Train(ctx, sft.Options{Config: cfg, Steps: 3000, Batch: 64, Seed: 1, Workers: 2},
//		func(rng *rand.Rand, progress float64) ([]uint8, []bool) {
//			e := t.Example(rng, task.Lesson{Base: 1, Progress: progress})
//			return e.IDs, e.Loss
//		}, nil)
//	b, err := policy.Encode(cfg, w, map[string]string{"task": t.Name, "base": "1"})
//
// To gate a base, sample from it: see [policy.Sampler].
//
// # A step
//
// Problems of the training split are drawn under the curriculum; each prompt is run once and sampled num_generations times; a
// completion earns 1 when its end token came and the verifier accepts it, less the overlong penalty. Advantages are relative to the
// group. The completions are packed behind their shared prompts into at most 8 shards, whose gradients are added in a fixed
// order; AdamW moves the weights, or the LoRA factors. The loss follows TRL's GRPOTrainer term by term.
//
// # Tokens
//
// The budget's currency counts each completion's prompt and response once when sampled and once per gradient pass, as
// if prompts were not shared; so the count does not depend on how clever this trainer is.
//
// # Exactness
//
// Random numbers are functions of (seed, step, row, position), products sum in a fixed order, shards do not depend on the number of
// workers. Hence the same job gives the same bits on one kernel path, for any number of workers, and when it is resumed
// from a checkpoint at any step. A job that goes on from a checkpoint of its own seed is the same segment, resumed: with
// ref_reset=on it keeps the reference that the segment began with; a job of another seed is a new segment and anchors anew.
//
// # Rank
//
// Changing lora_rank between segments keeps the function. A rank that grows keeps the old columns with their Adam moments; the new
// ones have none, and their bias correction counts from their own first update, so that this is about the learning rate as with
// a fresh optimizer. Any other change merges the adapter into the weights and starts a fresh optimizer.
//
// # Checkpoints
//
// A checkpoint is a safetensors file: "policy." weights (the frozen ones when there is an adapter), "reference." weights,
// "adapter." factors, "adam.m." and "adam.v." moments of what is trained; the metadata holds step, token counters, position of
// the random streams, adapter rank and the ages of its columns, identities of base and reference, the kernel path, and a SHA-256 of
// all that. A file is refused when a bit of it changed, when it holds what no training could have left, and when it does not
// descend from the base in this build. Files of the first version have no digest and are still read.
//
// # Figures
//
// testdata/bench.sh prints what this trainer does on a machine: the kernel against the core's peak and OpenBLAS, steps and
// tokens a second, learning, and, where PyTorch is at hand, losses and gradients against testdata/torch_reference.py and its
// steps a second.
package grpo
