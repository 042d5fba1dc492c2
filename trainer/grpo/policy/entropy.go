package policy

import (
	"math"

	"llmzero/trainer/grpo/kernel"
)

// CrossEntropy returns the sum over rows of -log softmax(logits)[target] and replaces logits by weight times its gradient.
// logits is len(targets) x vocab.
func CrossEntropy(logits []float32, targets []uint8, vocab int, weight float32) float64 {
	var loss float64
	for i, target := range targets {
		row := logits[i*vocab : i*vocab+vocab]
		chosen := row[target]
		loss += float64(kernel.Softmax(row, 1) - chosen)
		for j := range row {
			row[j] *= weight
		}
		row[target] -= weight
	}
	return loss
}

// Finite tells whether every element is a finite number.
func Finite(x []float32) bool {
	for _, v := range x {
		if math.Float32bits(v)&0x7f800000 == 0x7f800000 {
			return false
		}
	}
	return true
}
