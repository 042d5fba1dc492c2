package task

import (
	"math/rand/v2"
	"strings"
)

func chainTask() *Task {
	return define(Task{
		Name: "chain", Help: "arithmetic modulo 10 from left to right; working it out step by step is allowed and helps",
		Vocab:      newVocab(digits + "+-#="),
		Difficulty: Range{1, 8}, DifficultyHelp: "number of operations",
		Validation: Range{2, 8}, Test: Range{2, 8},
		Width: 17, Sign: '=', MaxAnswer: 10, MaxCompletion: 8,
		Budgets: Budgets{250_000, 600_000, 2_000_000},
		rules:   chaining{worked: 0.02},
		corpus:  []float64{1, 1, 1, 1, 1, 1, 1, 1},
	})
}

// chaining asks for the value modulo 10 of digits joined by + and -, taken from left to right. The completion is any number
// of digits, then "#", then the value: "#8" answers at once, "298#8" shows the running values first. Only the digit after
// "#" is verified, so working it out pays by being right more often, and costs tokens.
type chaining struct {
	// worked is the share of worked answers that the finished base gives: the skill is there, but hidden.
	worked float64
}

func (c chaining) draw(rng *rand.Rand, n int) (body, answer, key string) {
	b := []byte{digits[rng.IntN(10)]}
	for range n {
		b = append(b, "+-"[rng.IntN(2)], digits[rng.IntN(10)])
	}
	body = string(b)
	values := running(body)
	return body, "#" + values[len(values)-1:], body
}

func (c chaining) right(body, completion string) bool {
	work, value, ok := strings.Cut(completion, "#")
	values := running(body)
	return ok && values != "" && value == values[len(values)-1:] && strings.Trim(work, digits) == ""
}

// teach shows half of the answers worked while the skill is learnt, then hides it.
func (c chaining) teach(rng *rand.Rand, l Lesson, body, answer string) string {
	share := c.worked
	if l.Progress < 0.7 {
		share = 0.6
	}
	if rng.Float64() < share {
		return running(body) + answer
	}
	return answer
}

// running returns the value after each operation of a chain, one digit each: "7+5-3" gives "29". The value of a lone
// digit is itself; a malformed chain has none.
func running(body string) string {
	if len(body)%2 == 0 || !isDigit(body[0]) {
		return ""
	}
	if len(body) == 1 {
		return body
	}
	value := int(body[0] - '0')
	out := make([]byte, 0, len(body)/2)
	for i := 1; i < len(body); i += 2 {
		if !isDigit(body[i+1]) {
			return ""
		}
		d := int(body[i+1] - '0')
		switch body[i] {
		case '+':
			value += d
		case '-':
			value += 10 - d
		default:
			return ""
		}
		value %= 10
		out = append(out, digits[value])
	}
	return string(out)
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }
