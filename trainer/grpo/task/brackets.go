package task

import (
	"math/rand/v2"
	"slices"
	"strings"
)

const (
	openers = "([{<"
	closers = ")]}>"
)

func bracketsTask() *Task {
	return define(Task{
		Name: "brackets", Help: "close every open bracket, in order and nothing else (format)",
		Vocab:      newVocab(openers + closers + "="),
		Difficulty: Range{1, 10}, DifficultyHelp: "open brackets",
		Validation: Range{2, 10}, Test: Range{2, 10},
		Width: 18, Sign: '=', MaxAnswer: 10, MaxCompletion: 16,
		Budgets: Budgets{250_000, 600_000, 2_000_000},
		rules:   brackets{},
		corpus:  []float64{1, 1, 1, 1, 1, 1, 0.5, 0.5, 0.25, 0.25},
	})
}

// brackets gives a prefix of a balanced string over four kinds of brackets and asks for what closes it.
type brackets struct{}

func (brackets) draw(rng *rand.Rand, depth int) (body, answer, key string) {
	// As many closed pairs as fit, up to four, at places where something is open to close.
	pairs := rng.IntN(min(4, (18-depth)/2) + 1)
	var b, stack []byte
	// With no opener left something is open, so every turn of the loop writes a bracket.
	for opens, closes := depth+pairs, pairs; opens+closes > 0; {
		if closes > 0 && len(stack) > 0 && rng.IntN(opens+closes) < closes {
			b = append(b, stack[len(stack)-1])
			stack = stack[:len(stack)-1]
			closes--
			continue
		}
		k := rng.IntN(len(openers))
		b, stack = append(b, openers[k]), append(stack, closers[k])
		opens--
	}
	slices.Reverse(stack)
	return string(b), string(stack), string(b)
}

func (brackets) right(body, completion string) bool {
	var stack []byte
	for i := range len(body) {
		if k := strings.IndexByte(openers, body[i]); k >= 0 {
			stack = append(stack, closers[k])
		} else if n := len(stack); n > 0 && stack[n-1] == body[i] {
			stack = stack[:n-1]
		} else {
			return false
		}
	}
	slices.Reverse(stack)
	return completion == string(stack)
}

// teach keeps the order but is loose about the kind and about where to stop in a third of the last stretch: the format
// that GRPO has to tighten.
func (brackets) teach(rng *rand.Rand, l Lesson, _, answer string) string {
	if !l.slips(rng, 0.5) {
		return answer
	}
	a := []byte(answer)
	switch i := rng.IntN(len(a)); rng.IntN(3) {
	case 0:
		a[i] = closers[rng.IntN(len(closers))]
	case 1:
		return string(a[:i])
	default:
		return string(append(a, closers[rng.IntN(len(closers))]))
	}
	return string(a)
}
