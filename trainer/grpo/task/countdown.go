package task

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

func countdownTask() *Task {
	return define(Task{
		Name: "countdown", Help: "reach the target with every number once, calculating from left to right (sparse reward)",
		Vocab:      newVocab(digits + "+-*:="),
		Difficulty: Range{2, 5}, DifficultyHelp: "how many numbers",
		Validation: Range{2, 5}, Test: Range{2, 5},
		Width: 8, Sign: '=', MaxAnswer: 9, MaxCompletion: 12,
		Budgets: Budgets{250_000, 600_000, 2_000_000},
		rules:   countdown{},
		corpus:  []float64{1, 2, 2, 1},
	})
}

// countdown gives one-digit numbers and a target, "3725:19", and asks for an expression that reaches the target with
// every number once: "3*7-2+0" and the like. It is calculated from left to right, without precedence.
type countdown struct{}

func (countdown) draw(rng *rand.Rand, n int) (body, answer, key string) {
	for {
		var b, numbers []byte
		for i := range n {
			d := byte('1' + rng.IntN(9))
			if i > 0 {
				b = append(b, "+-*"[rng.IntN(3)])
			}
			b, numbers = append(b, d), append(numbers, d)
		}
		if target, ok := calculate(string(b)); ok && target >= 1 && target <= 99 {
			slices.Sort(numbers) // or the order would give the witness away
			body = string(numbers) + ":" + strconv.Itoa(target)
			return body, string(b), body
		}
	}
}

func (countdown) right(body, completion string) bool {
	numbers, target, ok := strings.Cut(body, ":")
	if !ok || len(completion) != max(0, 2*len(numbers)-1) {
		return false
	}
	used := make([]byte, 0, len(numbers))
	for i := 0; i < len(completion); i += 2 {
		used = append(used, completion[i])
	}
	slices.Sort(used)
	have := []byte(numbers)
	slices.Sort(have)
	value, ok := calculate(completion)
	return ok && slices.Equal(used, have) && strconv.Itoa(value) == target
}

// teach shows the expression from which the target was made, whatever others reach it too.
func (countdown) teach(_ *rand.Rand, _ Lesson, _, answer string) string { return answer }

// calculate evaluates digit (op digit)* from left to right; it is false for anything else.
func calculate(expr string) (int, bool) {
	if len(expr)%2 == 0 || len(expr) > Context || !isDigit(expr[0]) {
		return 0, false
	}
	value := int(expr[0] - '0')
	for i := 1; i < len(expr); i += 2 {
		if !isDigit(expr[i+1]) {
			return 0, false
		}
		d := int(expr[i+1] - '0')
		switch expr[i] {
		case '+':
			value += d
		case '-':
			value -= d
		case '*':
			value *= d
		default:
			return 0, false
		}
	}
	return value, true
}
