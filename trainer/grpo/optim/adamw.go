// Package optim is the optimizer of the embedded trainer: AdamW in float32 and clipping by the global norm.
package optim

import (
	"math"

	"llmzero/trainer/grpo/kernel"
)

// AdamW is the optimizer of Loshchilov and Hutter, "Decoupled Weight Decay Regularization" (arXiv 1711.05101),
// algorithm 2, with bias correction and a constant schedule multiplier. M and V are the first and second moments of each
// weight, Steps the number of updates so far.
type AdamW struct {
	Beta1, Beta2, Eps float64
	M, V              []float32
	Steps             int
}

// New makes an optimizer for n weights with PyTorch's defaults: betas 0.9 and 0.999, eps 1e-8.
func New(n int) *AdamW {
	return &AdamW{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, M: make([]float32, n), V: make([]float32, n)}
}

// Span is a part [From, To) of the weights with its own decay. Born is the optimizer's Steps when these weights were new: the
// correction of their moments' bias counts from there, so that their first updates are of the size of anybody's first.
type Span struct {
	From, To int
	Decay    float64
	Born     int
}

// Step makes one update of w with gradient g, scaled by gscale, over the spans given. Weights outside them stay.
func (o *AdamW) Step(w, g []float32, lr, gscale float64, spans []Span) {
	o.Steps++
	c := kernel.Adam{
		GradScale: float32(gscale), Beta1: float32(o.Beta1), C1: float32(1 - o.Beta1), Beta2: float32(o.Beta2), C2: float32(1 - o.Beta2),
		Eps: float32(o.Eps),
	}
	age := 0
	for _, s := range spans {
		if n := o.Steps - s.Born; n != age {
			age = n
			c.Rate = float32(lr / (1 - math.Pow(o.Beta1, float64(n))))
			c.Root = float32(1 / math.Sqrt(1-math.Pow(o.Beta2, float64(n))))
		}
		c.Keep = float32(1 - lr*s.Decay)
		c.Update(w[s.From:s.To], g[s.From:s.To], o.M[s.From:s.To], o.V[s.From:s.To])
	}
}

// Norm is the Euclidean norm of g over the spans, summed in float64 in order.
func Norm(g []float32, spans []Span) float64 {
	var sum float64
	for _, s := range spans {
		for _, x := range g[s.From:s.To] {
			sum += float64(x) * float64(x)
		}
	}
	return math.Sqrt(sum)
}

// ClipScale is the factor that brings a gradient of the given norm down to at most limit, as PyTorch's clip_grad_norm_
// computes it; 1 when limit is 0.
func ClipScale(norm, limit float64) float64 {
	if limit <= 0 {
		return 1
	}
	return min(1, limit/(norm+1e-6))
}
