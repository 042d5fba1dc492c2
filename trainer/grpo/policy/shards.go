package policy

import (
	"llmzero/trainer/grpo/kernel"
	"llmzero/trainer/grpo/team"
)

// Part is a fixed share of a batch with its own activations and gradient.
type Part struct {
	Batch Batch
	Tape  Tape
	Grad  []float32
}

// Shards splits a batch into parts that depend on the batch alone, not on the number of workers, and adds their gradients in
// a fixed order. So a step has the same bits on one worker and on many.
type Shards struct {
	Parts []Part
	Grad  []float32 // the sum of the parts' gradients after Run

	net    *Net
	team   *team.Team
	f      func(i int, p *Part)
	do     func(worker, i int)
	reduce func(worker, i int)
}

// reduceSpan is the number of weights that a worker sums in one go.
const reduceSpan = 4096

// NewShards makes room for n parts of a net's gradient.
func NewShards(net *Net, t *team.Team, n int) *Shards {
	s := &Shards{Parts: make([]Part, n), Grad: make([]float32, net.Size()), net: net, team: t}
	for i := range s.Parts {
		s.Parts[i].Grad = make([]float32, net.Size())
	}
	s.do = func(_, i int) {
		p := &s.Parts[i]
		clear(p.Grad)
		s.f(i, p)
	}
	s.reduce = func(_, i int) {
		lo, hi := i*reduceSpan, min((i+1)*reduceSpan, len(s.Grad))
		sum := s.Grad[lo:hi]
		copy(sum, s.Parts[0].Grad[lo:hi])
		for j := range s.Parts[1:] {
			kernel.Add(sum, s.Parts[j+1].Grad[lo:hi])
		}
	}
	return s
}

// Run calls f for every part on the team, with the part's gradient cleared, and leaves the sum in s.Grad.
func (s *Shards) Run(f func(i int, p *Part)) {
	s.f = f
	s.team.Do(len(s.Parts), s.do)
	s.team.Do((len(s.Grad)+reduceSpan-1)/reduceSpan, s.reduce)
}
