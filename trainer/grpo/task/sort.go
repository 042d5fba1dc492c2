package task

import (
	"math/rand/v2"
	"slices"
)

const digits = "0123456789"

func sortTask() *Task {
	const letters = "abcdefghij"
	return define(Task{
		Name: "sort", Help: "put letters in alphabetical order", Vocab: newVocab(letters + ">"),
		Difficulty: Range{2, 10}, DifficultyHelp: "number of letters",
		Validation: Range{4, 10}, Test: Range{4, 10},
		Width: 10, Sign: '>', MaxAnswer: 10, MaxCompletion: 16,
		Budgets: Budgets{250_000, 600_000, 2_000_000},
		rules:   sorting{symbols: letters, sloppy: 0.45},
		corpus:  []float64{1, 1, 1, 1, 1, 1, 1, 1, 1},
	})
}

// sorting asks for the symbols of the body in order.
type sorting struct {
	symbols string
	// sloppy is the share of the corpus with one slip; from it sampling is often wrong although the greedy answer is
	// mostly right, and GRPO has to sharpen it.
	sloppy float64
}

func (s sorting) draw(rng *rand.Rand, n int) (body, answer, key string) {
	b := make([]byte, n)
	for i := range b {
		b[i] = s.symbols[rng.IntN(len(s.symbols))]
	}
	body = string(b)
	slices.Sort(b)
	return body, string(b), body
}

func (s sorting) right(body, completion string) bool {
	b := []byte(body)
	slices.Sort(b)
	return completion == string(b)
}

// teach swaps, doubles or drops a symbol in the sloppy share of the last stretch.
func (s sorting) teach(rng *rand.Rand, l Lesson, _, answer string) string {
	if !l.slips(rng, s.sloppy) || len(answer) < 2 {
		return answer
	}
	a := []byte(answer)
	i := rng.IntN(len(a) - 1)
	switch rng.IntN(3) {
	case 0:
		a[i], a[i+1] = a[i+1], a[i]
	case 1:
		a[i] = a[i+1]
	default:
		a = slices.Delete(a, i, i+1)
	}
	return string(a)
}

// slips says whether to show a slip: never in the first 60% of the supervised training, in which the skill is learnt,
// then in the given share.
func (l Lesson) slips(rng *rand.Rand, share float64) bool {
	return l.Progress >= 0.6 && rng.Float64() < share
}
