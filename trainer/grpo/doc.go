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
//	task         vocabularies, problems, verifiers, splits, corpora, base weights and facts
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
// This package reads the shipped bases through t.Base(n) ([]byte, error), n from 1 to task.Bases, and the page of facts through
// t.Facts() string (Markdown, may be empty).
//
// To gate a base, sample from it: see [policy.Sampler], or [Accuracy], which scores weights on a list of problems.
package grpo
