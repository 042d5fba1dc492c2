package task

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

func addTask() *Task {
	return define(Task{
		Name: "add", Help: "add two numbers, the highest digit first", Vocab: newVocab(digits + "+="),
		Difficulty: Range{1, 4}, DifficultyHelp: "digits of each number",
		Validation: Range{1, 4}, Test: Range{1, 4},
		Width: 9, Sign: '=', MaxAnswer: 5, MaxCompletion: 12,
		Budgets: Budgets{250_000, 600_000, 2_000_000},
		rules:   adding{width: 4, sloppy: 0.3},
		corpus:  []float64{0.5, 1.5, 2, 1},
	})
}

// adding asks for the sum of two numbers of the same number of digits, each padded to width.
type adding struct {
	width  int
	sloppy float64
}

func (a adding) draw(rng *rand.Rand, n int) (body, answer, key string) {
	lo, hi := 0, 10
	for range n - 1 {
		lo, hi = hi, hi*10
	}
	x, y := lo+rng.IntN(hi-lo), lo+rng.IntN(hi-lo)
	body = strings.ReplaceAll(fmt.Sprintf("%*d+%*d", a.width, x, a.width, y), " ", "_")
	return body, strconv.Itoa(x + y), fmt.Sprintf("%d+%d", min(x, y), max(x, y))
}

func (a adding) right(body, completion string) bool {
	left, right, ok := strings.Cut(strings.ReplaceAll(body, "_", ""), "+")
	x, err := strconv.Atoi(left)
	y, err2 := strconv.Atoi(right)
	return ok && err == nil && err2 == nil && completion == strconv.Itoa(x+y)
}

// teach moves one digit of the sloppy share by one, as a carry lost or invented would.
func (a adding) teach(rng *rand.Rand, l Lesson, _, answer string) string {
	if !l.slips(rng, a.sloppy) {
		return answer
	}
	b := []byte(answer)
	i := rng.IntN(len(b))
	b[i] = digits[(int(b[i]-'0')+1+8*rng.IntN(2))%10]
	return string(b)
}
