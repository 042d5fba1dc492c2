package task

import (
	"math/rand/v2"
	"slices"
)

const (
	sortLetters = "abcdefghij"
	sortLongest = 10
)

// sorting asks for the letters of the prompt in alphabetical order.
type sorting struct{ v *Vocab }

func sortTask() *Task {
	v := newVocab(sortLetters + ">")
	return define(Task{
		Name: "sort", Help: "put letters in alphabetical order", Vocab: v,
		Difficulty: Range{2, sortLongest}, DifficultyHelp: "number of letters", DefaultCap: sortLongest,
		Validation: Range{4, sortLongest}, Test: Range{4, sortLongest},
		PromptLen: sortLongest + 2, MaxAnswer: sortLongest, MaxCompletion: 16,
		Budgets: Budgets{400_000, 1_200_000, 4_000_000},
		rules:   sorting{v},
		corpus:  []float64{1, 1, 1, 1, 1, 1, 1, 1, 1},
	})
}

func (s sorting) draw(rng *rand.Rand, n int) Problem {
	letters := make([]byte, n)
	for i := range letters {
		letters[i] = sortLetters[rng.IntN(len(sortLetters))]
	}
	text := string(letters)
	return Problem{
		Prompt: s.v.prompt(sortLongest+2, text+">"), Answer: s.v.must(sorted(text)), Difficulty: n, Key: text,
	}
}

func (s sorting) reward(prompt, completion []uint8) float32 {
	return exact(s.v, completion, sorted(s.v.body(prompt)))
}

// teach is sloppy on purpose: 60% of the sequences swap, double or drop a letter, so that sampling from the base is often
// wrong although its greedy answer is mostly right. GRPO has to sharpen it.
func (s sorting) teach(rng *rand.Rand, _ int, p Problem) []uint8 {
	a := slices.Clone(p.Answer)
	if rng.Float64() >= 0.6 {
		return a
	}
	i := rng.IntN(len(a) - 1)
	switch rng.IntN(3) {
	case 0:
		a[i], a[i+1] = a[i+1], a[i]
	case 1:
		a[i] = a[i+1]
	default:
		a = slices.Delete(a, i, i+1)
	}
	return a
}

func sorted(s string) string {
	b := []byte(s)
	slices.Sort(b)
	return string(b)
}

// exact is 1 when completion spells want.
func exact(v *Vocab, completion []uint8, want string) float32 {
	if v.Decode(completion) == want {
		return 1
	}
	return 0
}
