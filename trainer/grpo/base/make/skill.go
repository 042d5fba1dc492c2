package main

import (
	"math"
	"math/rand/v2"
	"strings"

	"llmzero/trainer/grpo/base"
	"llmzero/trainer/grpo/policy"
	"llmzero/trainer/grpo/task"
)

const (
	passOf    = 16
	perLevel  = 64 // problems for each difficulty of Skill.ByDifficulty
	chunkSize = 64 // sequences of one forward pass
)

// measure says what weights w can do on task t. It runs whole forward passes instead of a cache: plain, and quick enough.
func measure(t *task.Task, c policy.Config, w []float32) base.Skill {
	net := policy.NewNet(c)
	net.Load(w)
	rng := rand.New(rand.NewPCG(1, 0xe7a1))
	set := t.ValidationSet()
	s := base.Skill{PassOf: passOf}
	s.Greedy = share(rewards(t, set, complete(net, t, set, 0, rng)))
	solved := make([]float64, len(set))
	var worked, workedRight float64
	for range passOf {
		answers := complete(net, t, set, 1, rng)
		got := rewards(t, set, answers)
		s.Sampled += share(got) / passOf
		for i, r := range got {
			solved[i] = max(solved[i], r)
			if isWorked(t, answers[i]) {
				worked++
				workedRight += r
			}
		}
	}
	s.Pass = share(solved)
	if worked > 0 {
		s.Worked, s.WorkedRight = worked/float64(passOf*len(set)), workedRight/worked
	}
	for d := t.Difficulty.Lo; d <= t.Difficulty.Hi; d++ {
		split := task.Validation
		if d < t.Validation.Lo {
			split = task.Train // too few problems for a split of their own
		}
		level := make([]task.Problem, perLevel)
		for i := range level {
			level[i] = t.Problem(rng, split, d)
		}
		acc := 0.0
		for range 4 {
			acc += share(rewards(t, level, complete(net, t, level, 1, rng))) / 4
		}
		s.ByDifficulty = append(s.ByDifficulty, math.Round(acc*1000)/1000)
	}
	return s
}

// isWorked says whether a completion shows digits of work before the "#" of its answer.
func isWorked(t *task.Task, completion []uint8) bool {
	work, _, ok := strings.Cut(t.Vocab.Decode(completion), "#")
	return ok && work != "" && strings.Trim(work, "0123456789") == ""
}

// rewards scores completions; a truncated one is nil and earns 0.
func rewards(t *task.Task, set []task.Problem, completions [][]uint8) []float64 {
	out := make([]float64, len(set))
	for i, p := range set {
		if completions[i] != nil {
			out[i] = float64(t.Reward(p, completions[i]))
		}
	}
	return out
}

func share(x []float64) float64 {
	var sum float64
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// complete samples one completion without EOS for every problem (greedy at temperature 0), nil where none ended in the
// context.
func complete(net *policy.Net, t *task.Task, set []task.Problem, temperature float64, rng *rand.Rand) [][]uint8 {
	out := make([][]uint8, len(set))
	var tape policy.Tape
	var batch policy.Batch
	for from := 0; from < len(set); from += chunkSize {
		to := min(from+chunkSize, len(set))
		live := make([]int, 0, chunkSize)
		ids := make([][]uint8, to-from)
		for i := from; i < to; i++ {
			live = append(live, i)
			ids[i-from] = append(make([]uint8, 0, task.Context), set[i].Prompt...)
		}
		for length := t.PromptLen(); length < task.Context && len(live) > 0; length++ {
			batch.Reset()
			for _, i := range live {
				s := batch.Add(ids[i-from], policy.Seq{})
				batch.Want(s.Start+s.Len-1, s.Start+s.Len)
			}
			net.Forward(&tape, &batch)
			still := live[:0]
			for k, i := range live {
				next := draw(tape.Logits[k*net.Vocab:(k+1)*net.Vocab], temperature, rng)
				if next == task.EOS {
					out[i] = ids[i-from][t.PromptLen():]
					continue
				}
				ids[i-from] = append(ids[i-from], next)
				still = append(still, i)
			}
			live = still
		}
	}
	return out
}

// draw takes one token from logits.
func draw(logits []float32, temperature float64, rng *rand.Rand) uint8 {
	best := 0
	for j, l := range logits {
		if l > logits[best] {
			best = j
		}
	}
	if temperature == 0 {
		return uint8(best)
	}
	weights := make([]float64, len(logits))
	var sum float64
	for j, l := range logits {
		weights[j] = math.Exp(float64(l-logits[best]) / temperature)
		sum += weights[j]
	}
	x := rng.Float64() * sum
	for j, v := range weights {
		if x -= v; x < 0 {
			return uint8(j)
		}
	}
	return uint8(best)
}
