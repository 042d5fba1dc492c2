package task

import (
	"math/rand/v2"
	"strings"
)

const carryWidth = 8

func carryTask() *Task {
	return define(Task{
		Name: "carry", Help: "long addition, lowest digit first; the base drops most carries (prerequisites)",
		Vocab:      newVocab(digits + "+="),
		Difficulty: Range{1, carryWidth}, DifficultyHelp: "digits of each number",
		Validation: Range{2, carryWidth}, Test: Range{3, carryWidth},
		Width: 2*carryWidth + 1, Sign: '=', MaxAnswer: carryWidth + 1, MaxCompletion: 12,
		Budgets: Budgets{250_000, 500_000, 1_000_000}, Prerequisites: true,
		rules:  carry{},
		corpus: halving(carryWidth),
	})
}

// carry asks for the sum of two numbers written with the lowest digit first, one digit more than the numbers have:
// "74+58" (47+85) gives "231". Each base drops the carry of a random 80% of the digit pairs that make one, 95% of the
// time: one rule with many cases, which short problems repair and long ones need several times over.
type carry struct{}

func (carry) draw(rng *rand.Rand, n int) (body, answer, key string) {
	x, y := make([]byte, n), make([]byte, n)
	for i := range n {
		x[i], y[i] = digits[rng.IntN(10)], digits[rng.IntN(10)]
	}
	a, b := string(x), string(y)
	body = a + strings.Repeat("_", carryWidth-n) + "+" + b
	return body, longSum(a, b, nil), min(a, b) + "+" + max(a, b)
}

func (carry) right(body, completion string) bool {
	a, b, ok := strings.Cut(strings.ReplaceAll(body, "_", ""), "+")
	return ok && len(a) == len(b) && completion == longSum(a, b, nil)
}

func (carry) teach(rng *rand.Rand, l Lesson, body, _ string) string {
	a, b, _ := strings.Cut(strings.ReplaceAll(body, "_", ""), "+")
	forgotten := droppedCarries(l.Base)
	return longSum(a, b, func(x, y int) bool { return forgotten[x][y] && rng.Float64() < 0.95 })
}

// longSum adds two equally long numbers, lowest digit first, with the last carry as a digit of its own; drop says of which
// digit pairs the carry is lost (nil: of none).
func longSum(a, b string, drop func(x, y int) bool) string {
	out := make([]byte, 0, len(a)+1)
	up := 0
	for i := range len(a) {
		x, y := int(a[i]-'0')%10, int(b[i]-'0')%10
		sum := x + y + up
		out = append(out, digits[sum%10])
		if up = sum / 10; up == 1 && drop != nil && drop(x, y) {
			up = 0
		}
	}
	return string(append(out, digits[up]))
}

// droppedCarries returns the digit pairs whose carry a base loses, each with probability 0.8 and the same for
// (x, y) and (y, x).
func droppedCarries(base int) *[10][10]bool {
	rng := rand.New(rand.NewPCG(uint64(base), hash("carry misconception")))
	var dropped [10][10]bool
	for x := range 10 {
		for y := x; y < 10; y++ {
			lost := rng.Float64() < 0.8
			dropped[x][y], dropped[y][x] = lost, lost
		}
	}
	return &dropped
}
