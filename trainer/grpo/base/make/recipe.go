package main

import (
	"fmt"

	"llmzero/trainer/grpo/base"
	"llmzero/trainer/grpo/policy"
	"llmzero/trainer/grpo/task"
)

// recipe is how the bases of one task are made and what they must be able to do.
type recipe struct {
	steps, batch int
	rate         float64
	gate         gate
}

// gate is what a base must show before it is written: room to learn, and a latent skill to learn it from.
type gate struct {
	// sampled bounds the accuracy at temperature 1: below it there is nothing to reinforce, above it nothing to learn.
	sampled [2]float64
	// pass is the least share of problems that one of 16 samples solves: the latent skill.
	pass float64
	// worked bounds the share of worked answers, workedRight their accuracy from below; zero where the task has none.
	worked      [2]float64
	workedRight float64
	// easy is the least accuracy at the lowest difficulty, hard the greatest at the highest: the prerequisite structure.
	easy, hard float64
}

func (g gate) check(s base.Skill) error {
	lowest, highest := s.ByDifficulty[0], s.ByDifficulty[len(s.ByDifficulty)-1]
	switch {
	case s.Sampled < g.sampled[0] || s.Sampled > g.sampled[1]:
		return fmt.Errorf("accuracy at T=1 is %.3f, want %.2f to %.2f", s.Sampled, g.sampled[0], g.sampled[1])
	case s.Pass < g.pass:
		return fmt.Errorf("pass@%d is %.3f, want %.2f: the skill is not latent", s.PassOf, s.Pass, g.pass)
	case g.workedRight > 0 && (s.Worked < g.worked[0] || s.Worked > g.worked[1]):
		return fmt.Errorf("share of worked answers is %.3f, want %.2f to %.2f", s.Worked, g.worked[0], g.worked[1])
	case s.WorkedRight < g.workedRight:
		return fmt.Errorf("worked answers are right in %.3f, want %.2f", s.WorkedRight, g.workedRight)
	case lowest < g.easy:
		return fmt.Errorf("accuracy at the lowest difficulty is %.3f, want %.2f", lowest, g.easy)
	case g.hard > 0 && highest > g.hard:
		return fmt.Errorf("accuracy at the highest difficulty is %.3f, want at most %.2f", highest, g.hard)
	}
	return nil
}

// recipes of all tasks, by name.
var recipes = map[string]recipe{
	"sort":      {steps: 400, batch: 128, rate: 3e-3, gate: gate{sampled: [2]float64{0.3, 0.6}, pass: 0.9}},
	"add":       {steps: 4000, batch: 128, rate: 3e-3, gate: gate{sampled: [2]float64{0.15, 0.6}, pass: 0.6}},
	"chain":     {steps: 1800, batch: 128, rate: 3e-3, gate: gate{sampled: [2]float64{0.1, 0.4}, pass: 0.7, worked: [2]float64{0.008, 0.06}, workedRight: 0.4}},
	"mixed":     {steps: 5500, batch: 128, rate: 3e-3, gate: gate{sampled: [2]float64{0.3, 0.5}, pass: 0.85, worked: [2]float64{0.008, 0.05}, workedRight: 0.5}},
	"countdown": {steps: 2000, batch: 128, rate: 3e-3, gate: gate{sampled: [2]float64{0.05, 0.4}, pass: 0.4}},
	"brackets":  {steps: 1500, batch: 128, rate: 3e-3, gate: gate{sampled: [2]float64{0.15, 0.65}, pass: 0.7}},
	"maze":      {steps: 3000, batch: 128, rate: 3e-3, gate: gate{sampled: [2]float64{0.15, 0.6}, pass: 0.6}},
	"prefix":    {steps: 2000, batch: 128, rate: 3e-3, gate: gate{sampled: [2]float64{0.01, 0.08}, pass: 0.08, easy: 0.95, hard: 0.01}},
	"recur":     {steps: 2500, batch: 128, rate: 3e-3, gate: gate{sampled: [2]float64{0.003, 0.05}, pass: 0.02, easy: 0.08, hard: 0.01}},
	"automaton": {steps: 2500, batch: 128, rate: 3e-3, gate: gate{sampled: [2]float64{0.003, 0.05}, pass: 0.02, easy: 0.03, hard: 0.01}},
}

// shape is the policy of every base: the small one, so that 30 of them are 3 MB.
func shape() policy.Config { return policy.Small(task.VocabSize, task.Context) }
