package grpo

import (
	"math/rand/v2"
	"slices"

	"llmzero/trainer/grpo/optim"
	"llmzero/trainer/grpo/policy"
)

// setRank changes what is trained. An adapter that grows keeps its columns' moments; its new columns count as new.
func (l *learner) setRank(rank int) {
	grown := l.model.Rank > 0 && rank > l.model.Rank
	s := policy.NewStream(l.seed, uint64(l.step), streamRank)
	carry := l.model.SetRank(rank, rand.New(rand.NewPCG(uint64(s), 0)))
	opt := optim.New(len(l.model.Trained()))
	opt.M, opt.V = carry(l.opt.M), carry(l.opt.V)
	if grown {
		opt.Steps = l.opt.Steps
	} else {
		l.born = nil
	}
	l.born = slices.Clone(l.born) // the state's may be shared
	for len(l.born) < rank {
		l.born = append(l.born, opt.Steps)
	}
	l.opt = opt
}

// spans are what the optimizer updates: whole tensors, or, where an adapter grew, the parts of its factors of one age.
func spans(m *policy.Model, born []int, decay float64) []optim.Span {
	var out []optim.Span
	if len(born) == 0 || born[0] == born[len(born)-1] {
		for _, t := range m.TrainedTensors() {
			s := optim.Span{From: t.Offset, To: t.Offset + t.Size()}
			if t.Kind == policy.Projection {
				s.Decay = decay
			}
			if len(born) > 0 {
				s.Born = born[0]
			}
			out = append(out, s)
		}
		return out
	}
	for from := 0; from < len(born); {
		to := from
		for to < len(born) && born[to] == born[from] {
			to++
		}
		for _, p := range m.Columns(from, to) {
			out = append(out, optim.Span{From: p[0], To: p[1], Decay: decay, Born: born[from]})
		}
		from = to
	}
	return out
}
