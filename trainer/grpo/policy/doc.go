// Package policy is the network that the embedded trainer trains: a small decoder-only transformer with a manual backward pass.
//
// # Architecture
//
// Token and learned position embeddings; [Config.Layers] blocks of pre-RMSNorm multi-head attention (head size 16) and a pre-RMSNorm
// ReLU^2 MLP, both residual; a final RMSNorm; logits through the transposed token embedding. No biases, no dropout. All
// weights lie in one flat vector ([Layout] names the tensors), so that gradients, optimizer moments, checkpoints and
// reductions are loops over one slice.
//
// # Batches
//
// A [Batch] is packed: rows are tokens, a [Seq] is a run of rows, and there is no padding. A sequence may continue another
// one (its prefix): completions of one prompt attend to the prompt's keys and values, which are computed once, and the
// backward pass adds their gradients there. Rows before the first output are spared the last layer beyond their keys and
// values, so prompts are best added first.
//
// # Training forms
//
// [Adapter] holds LoRA factors of the projections. They are multiplied out into the weights once per optimizer step, so the
// forward and backward pass know nothing of them; the factors' gradients follow from the weights' gradient by the chain rule. That
// costs less than two extra products a projection at this size, and is exact.
package policy
