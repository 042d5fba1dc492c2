package task

import "math/rand/v2"

func prefixTask() *Task {
	return define(Task{
		Name: "prefix", Help: "all running sums modulo 10; the base knows most digit pairs wrong (prerequisites)",
		Vocab:      newVocab(digits + "="),
		Difficulty: Range{1, 10}, DifficultyHelp: "number of digits",
		Validation: Range{3, 10}, Test: Range{5, 10},
		Width: 10, Sign: '=', MaxAnswer: 10, MaxCompletion: 12,
		Budgets: Budgets{250_000, 500_000, 1_000_000}, Prerequisites: true,
		rules:  prefix{},
		corpus: halving(10),
	})
}

// prefix asks for all running sums modulo 10 of the digits of the body: "3845" gives "3150". One wrong sum is a wrong
// answer. Each base holds a misconception: a random 60% of the pairs (running sum, digit) are taught wrong 95% of the
// time, and long problems are rare in its corpus, so that long problems are dead groups until short ones repaired it.
type prefix struct{}

func (prefix) draw(rng *rand.Rand, n int) (body, answer, key string) {
	b := make([]byte, n)
	for i := range b {
		b[i] = digits[rng.IntN(10)]
	}
	body = string(b)
	return body, sums(body, nil), body
}

func (prefix) right(body, completion string) bool { return completion == sums(body, nil) }

func (prefix) teach(rng *rand.Rand, l Lesson, body, _ string) string {
	wrong := misconception("prefix", l.Base, sumTable())
	return sums(body, func(sum, digit int) int {
		if to := wrong[sum][digit]; to >= 0 && rng.Float64() < 0.95 {
			return to
		}
		return (sum + digit) % 10
	})
}

// sums returns the running sums modulo 10, each step taken by add (nil: the true sum).
func sums(body string, add func(sum, digit int) int) string {
	out := make([]byte, 0, len(body))
	sum := 0
	for i := range len(body) {
		d := int(body[i]-'0') % 10
		switch {
		case i == 0:
			sum = d
		case add == nil:
			sum = (sum + d) % 10
		default:
			sum = add(sum, d)
		}
		out = append(out, digits[sum])
	}
	return string(out)
}

// misconception returns the wrong entries of a table that a task's base teaches, -1 where it teaches the right one: 60 of the
// 100 are wrong, a different 60 in each base.
func misconception(task string, base int, right *[10][10]int) *[10][10]int {
	rng := rand.New(rand.NewPCG(uint64(base), hash(task+" misconception")))
	var wrong [10][10]int
	for i, entry := range rng.Perm(100) {
		a, b := entry/10, entry%10
		wrong[a][b] = -1
		if i < 60 {
			wrong[a][b] = (right[a][b] + 1 + rng.IntN(9)) % 10
		}
	}
	return &wrong
}

// halving are the weights 1, 1/2, 1/4 ... of n difficulties.
func halving(n int) []float64 {
	w := make([]float64, n)
	for i := range w {
		w[i] = 1 / float64(int(1)<<i)
	}
	return w
}
