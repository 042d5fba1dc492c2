// Package task holds the verifiable tasks of the embedded GRPO trainer.
//
// A [Task] is a declared problem distribution over a vocabulary of its own (at most [VocabSize] symbols), an exact
// verifier and a supervised corpus from which base weights are made. Everything that a comparison needs is declared here
// before any search: difficulty range, validation and test distribution, three token budgets and the default maximum
// length of a response.
//
// # Sequences
//
// A sequence is prompt, completion, [EOS]. A prompt starts with [BOS], is padded with [PAD] to the length of the task
// (so that a response always starts at the same learned position) and ends with the task's "answer now" symbol. The
// completion that [Task.Reward] sees carries neither the prompt nor the EOS. Prompt, completion and EOS fit in [Context]
// tokens.
//
// # Splits
//
// Which split a problem belongs to is a hash of its canonical text (the key), so train, validation and test cannot
// overlap whatever is drawn: 6/8 train, 1/8 validation, 1/8 test. Symmetric problems (a+b and b+a) share a key. The
// supervised corpus uses the train split only. Validation and test sets are fixed lists, the same in every run, stratified
// over the declared difficulties.
//
// # Curriculum
//
// A training problem's difficulty is drawn from a [Curriculum]: a cap, the trainer's `difficulty` knob, and a [Mix] that
// says how the difficulties up to the cap are weighted.
//
// # Bases
//
// Every task has [Bases] base policies, numbered from 1. They differ in the seed of initialisation and corpus and, for the
// tasks with prerequisites, in which facts are taught wrong. Package base ships their weights.
package task
