package task

import "math/rand/v2"

func mixedTask() *Task {
	return define(Task{
		Name: "mixed", Help: "sorting and addition to keep, chain arithmetic to discover", Vocab: newVocab(digits + "+-#=sac"),
		Difficulty: Range{1, 8}, DifficultyHelp: "operations of a chain; digits to sort less one; half of that to add",
		Validation: Range{1, 8}, Test: Range{1, 8},
		Width: 18, Sign: '=', MaxAnswer: 10, MaxCompletion: 12,
		Budgets: Budgets{250_000, 600_000, 2_000_000},
		rules: mixture{
			{'s', sorting{symbols: digits, sloppy: 0.3}, func(d int) int { return d + 1 }},
			{'a', adding{width: 4, sloppy: 0.3}, func(d int) int { return (d + 1) / 2 }},
			{'c', chaining{worked: 0.04}, func(d int) int { return d }},
		},
		corpus: []float64{1, 1, 1, 1, 1, 1, 1, 1},
	})
}

// mixture draws from several rules with equal weight; the first symbol of the body says which.
type mixture []struct {
	tag        byte
	rules      rules
	difficulty func(int) int // of the part, given that of the mixture
}

func (m mixture) draw(rng *rand.Rand, difficulty int) (body, answer, key string) {
	part := m[rng.IntN(len(m))]
	body, answer, key = part.rules.draw(rng, part.difficulty(difficulty))
	tag := string(part.tag)
	return tag + body, answer, tag + key
}

func (m mixture) right(body, completion string) bool {
	r, rest := m.part(body)
	return r != nil && r.right(rest, completion)
}

func (m mixture) teach(rng *rand.Rand, l Lesson, body, answer string) string {
	r, rest := m.part(body)
	return r.teach(rng, l, rest, answer)
}

// part returns the rules that a body belongs to and the body without its tag, or nil.
func (m mixture) part(body string) (rules, string) {
	for _, p := range m {
		if body != "" && body[0] == p.tag {
			return p.rules, body[1:]
		}
	}
	return nil, ""
}
