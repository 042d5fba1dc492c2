package grpo

import (
	"llmzero/trainer/grpo/kernel"
)

// objective is the loss of one token, as TRL's GRPOTrainer computes it: the clipped ratio of PPO with separate bounds
// (Schulman et al., arXiv 1707.06347; the higher upper bound is DAPO's, arXiv 2503.14476), plus beta times the k3 estimate
// of the KL divergence to a reference (Schulman, "Approximating KL Divergence"), minus an entropy bonus.
type objective struct {
	invT      float32 // 1 / temperature: log-probabilities are those of the sampling distribution
	low, high float32 // the ratio is clipped to [1-low, 1+high]
	beta      float32
	entropy   float32
}

// tokens are the loss's inputs beside the logits, one element a row of logits.
type tokens struct {
	target    []uint8
	old       []float32 // log-probability when sampled
	ref       []float32 // log-probability under the reference; empty when beta is 0
	advantage []float32
	weight    []float32 // of the token in the loss, as the loss type says
}

func (t *tokens) reset() {
	t.target, t.old, t.ref = t.target[:0], t.old[:0], t.ref[:0]
	t.advantage, t.weight = t.advantage[:0], t.weight[:0]
}

// sums are totals over tokens; counts are kept as floats so that they add the same way.
type sums struct {
	tokens, loss, kl, entropy, clippedLow, clippedHigh float64
}

func (s *sums) add(o sums) {
	s.tokens += o.tokens
	s.loss += o.loss
	s.kl += o.kl
	s.entropy += o.entropy
	s.clippedLow += o.clippedLow
	s.clippedHigh += o.clippedHigh
}

// apply replaces the logits, len(t.target) x vocab, by the gradient of the weighted loss and returns the totals.
func (o objective) apply(logits []float32, vocab int, t *tokens) sums {
	var s sums
	var scaled [256]float32 // z/T of the row
	for i, target := range t.target {
		row := logits[i*vocab : i*vocab+vocab]
		u := scaled[:vocab]
		for j, z := range row {
			u[j] = o.invT * z
		}
		logZ := kernel.Softmax(row, o.invT)
		logp := u[target] - logZ
		h := logZ // entropy: -sum p log p = logZ - sum p u
		for j, p := range row {
			h -= p * u[j]
		}
		w := t.weight[i]
		loss, g := o.token(&s, logp, t, i)
		loss -= o.entropy * h
		s.loss += float64(w * loss)
		s.entropy += float64(h)
		s.tokens++

		// dlogp/dz = (1[target] - p)/T, dH/dz = -p (log p + H)/T
		wt := w * o.invT
		for j, p := range row {
			row[j] = wt * p * (o.entropy*(u[j]-logZ+h) - g)
		}
		row[target] += wt * g
	}
	return s
}

// token is the policy and KL part of a token's loss and its derivative with respect to the log-probability.
func (o objective) token(s *sums, logp float32, t *tokens, i int) (loss, g float32) {
	adv := t.advantage[i]
	ratio := kernel.Exp(logp - t.old[i])
	loss, g = -ratio*adv, -ratio*adv
	switch {
	case adv > 0 && ratio > 1+o.high:
		loss, g = -(1+o.high)*adv, 0
		s.clippedHigh++
	case adv < 0 && ratio < 1-o.low:
		loss, g = -(1-o.low)*adv, 0
		s.clippedLow++
	}
	if o.beta != 0 {
		d := t.ref[i] - logp
		e := kernel.Exp(d)
		kl := e - d - 1
		loss += o.beta * kl
		g += o.beta * (1 - e)
		s.kl += float64(kl)
	}
	return loss, g
}

// logProbs writes the log-probability of each target to out, which has its length. The logits are overwritten.
func (o objective) logProbs(out, logits []float32, vocab int, target []uint8) {
	for i, a := range target {
		row := logits[i*vocab : i*vocab+vocab]
		chosen := o.invT * row[a]
		out[i] = chosen - kernel.Softmax(row, o.invT)
	}
}
