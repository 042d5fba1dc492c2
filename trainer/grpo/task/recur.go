package task

import (
	"math/rand/v2"
	"strings"
)

func recurTask() *Task {
	return sequenceTask("recur", "go on with a recurrence to its first 0; the base rambles (prerequisites)",
		&sequence{name: "recur", symbols: digits, start: 5, stops: 0.25, next: sumTable()})
}

func automatonTask() *Task {
	return sequenceTask("automaton", "run an automaton to its halting state; the base rambles (prerequisites)",
		&sequence{name: "automaton", symbols: "abcdefghij", start: 4, stops: 0.35, next: automatonTable()})
}

// sequenceTask declares a task of sequences: short prompts and answers of up to thirty terms.
func sequenceTask(name, help string, s *sequence) *Task {
	return define(Task{
		Name: name, Help: help, Vocab: newVocab(s.symbols + "="),
		Difficulty: Range{1, 10}, DifficultyHelp: "a third of the terms up to the last",
		Validation: Range{1, 10}, Test: Range{2, 10},
		Width: s.start, Sign: '=', MaxAnswer: 30, MaxCompletion: 36,
		Budgets: Budgets{250_000, 500_000, 1_000_000}, Prerequisites: true,
		rules:  s,
		corpus: halving(10),
	})
}

// sequenceLong is the most terms that the corpus shows.
const sequenceLong = 40

// sequence asks for the terms that follow the given ones, up to and with the first symbol of all: each comes from a table
// of the term before it and the one start terms before it. With sums modulo 10, "31529" gives "2380". One wrong term is a
// wrong answer. Each base holds two wrong habits. A random 60% of the table is taught wrong 95% of the time, so that long
// sequences are dead groups until short ones repaired it; and most of the time it goes on where it should stop, so that until
// it has learnt that a long limit only buys tokens that earn nothing.
type sequence struct {
	name    string
	symbols string  // ten of them; the first one ends a sequence
	start   int     // terms that are given
	stops   float64 // how often a base stops where it should
	next    *[10][10]int
}

func (s *sequence) draw(rng *rand.Rand, d int) (body, answer, key string) {
	for {
		b := make([]byte, s.start)
		for i := range b {
			b[i] = s.symbols[rng.IntN(10)]
		}
		body = string(b)
		if answer = s.terms(body, 3*d+1, nil, nil); (len(answer)+2)/3 == d && s.ended(answer) {
			return body, answer, body
		}
	}
}

func (s *sequence) ended(answer string) bool { return strings.HasSuffix(answer, s.symbols[:1]) }

func (s *sequence) right(body, completion string) bool {
	return len(body) == s.start && s.ended(completion) && completion == s.terms(body, len(completion), nil, nil)
}

func (s *sequence) teach(rng *rand.Rand, l Lesson, body, _ string) string {
	wrong := misconception(s.name, l.Base, s.next)
	next := func(a, b int) int {
		if to := wrong[a][b]; to >= 0 && rng.Float64() < 0.95 {
			return to
		}
		return s.next[a][b]
	}
	return s.terms(body, sequenceLong, next, func() bool { return rng.Float64() < s.stops })
}

// terms goes on with a sequence for at most n terms, up to the first last symbol at which stop says so. next gives a term
// (nil: the table's); without stop the first one ends it. A symbol that is none counts as the first.
func (s *sequence) terms(body string, n int, next func(a, b int) int, stop func() bool) string {
	x := make([]int, 0, s.start+n)
	for i := range len(body) {
		x = append(x, max(0, strings.IndexByte(s.symbols, body[i])))
	}
	out := make([]byte, 0, n)
	for len(out) < n {
		a, b := x[len(x)-1], x[len(x)-s.start]
		to := s.next[a][b]
		if next != nil {
			to = next(a, b)
		}
		x, out = append(x, to), append(out, s.symbols[to])
		if to == 0 && (stop == nil || stop()) {
			break
		}
	}
	return string(out)
}

// sumTable holds the sums of two digits modulo 10.
func sumTable() *[10][10]int {
	var t [10][10]int
	for a := range t {
		for b := range t[a] {
			t[a][b] = (a + b) % 10
		}
	}
	return &t
}

// automatonTable is the automaton: every row a permutation, so that no state is rarer than another.
func automatonTable() *[10][10]int {
	rng := rand.New(rand.NewPCG(0, hash("automaton")))
	var t [10][10]int
	for a := range t {
		copy(t[a][:], rng.Perm(10))
	}
	return &t
}
