package task

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
)

const (
	// VocabSize is the number of token ids of the policy; every vocabulary fits in it.
	VocabSize = 32
	// Context bounds prompt + completion + EOS, in tokens.
	Context = 48
	// Bases is the number of base policies of each task, numbered 1..Bases.
	Bases = 3
	// EvalSize is the number of problems in each of the validation and test lists.
	EvalSize = 512
)

// Range is a closed range of difficulties.
type Range struct{ Lo, Hi int }

// Budgets are the three token budgets of a task, in the trainer's tokens: prompt and response tokens of every sample,
// counted once when sampled and once per inner epoch when trained on.
type Budgets struct{ Tight, Middle, Ample int }

// Problem is one question. It is plain data: Reward needs only the Prompt.
type Problem struct {
	// Prompt is the token ids, BOS first, always PromptLen() long.
	Prompt []uint8
	// Answer is one right completion without EOS: the only one for some tasks, an example for others.
	Answer []uint8
	// Difficulty is the value on the task's axis it was drawn for.
	Difficulty int
	// Key is the canonical text whose hash decides the split.
	Key string
}

// Example is one supervised sequence: prompt, completion, EOS.
type Example struct {
	IDs []uint8
	// Loss[i] says whether IDs[i] is a target of the supervised loss; it is true on the completion and on EOS.
	Loss []bool
}

// rules is what makes one task differ from another. It works on text: the body of a prompt, without BOS, closing sign and
// the padding at its end, and a completion without EOS.
type rules interface {
	// draw makes a problem of the given difficulty, of any split: its body, one right answer and its key.
	draw(rng *rand.Rand, difficulty int) (body, answer, key string)
	// right verifies a completion; both texts may be anything.
	right(body, completion string) bool
	// teach returns the completion that the supervised corpus shows: right, wrong on purpose, or worked.
	teach(rng *rand.Rand, l Lesson, body, answer string) string
}

// Lesson says where in the making of a base a supervised sequence is drawn.
type Lesson struct {
	// Base is 1..Bases.
	Base int
	// Progress is the done part of the supervised training, in [0, 1): some corpora change on the way.
	Progress float64
}

// Task is one verifiable task. The exported fields are its declaration and must not be changed.
type Task struct {
	// Name is the name on the command line; Help is one line for `llmzero tasks`.
	Name, Help string
	Vocab      *Vocab
	// Difficulty is the range of the training problems and so of a curriculum's cap; DifficultyHelp says what it counts.
	Difficulty     Range
	DifficultyHelp string
	// Validation and Test are the declared distributions: uniform over these difficulties. Selection sees validation
	// only; where the two differ, validation has the easier problems too, because they tell good from bad paths early.
	Validation, Test Range
	// Width is the length to which every problem's body is padded; the prompt is BOS, body, padding, Sign.
	Width int
	Sign  rune
	// MaxAnswer is the length of the longest useful completion in tokens, without EOS.
	MaxAnswer int
	// MaxCompletion is the default max_completion_length in tokens, EOS included.
	MaxCompletion int
	Budgets       Budgets
	// Prerequisites says that hard problems give no signal until a rule is learnt, or unlearnt, on easy ones.
	Prerequisites bool

	rules rules
	// corpus weighs the difficulties of the supervised corpus, from Difficulty.Lo on.
	corpus []float64

	validation, test func() []Problem
}

// define completes a declaration.
func define(t Task) *Task {
	t.validation = sync.OnceValue(func() []Problem { return t.list(Validation, t.Validation) })
	t.test = sync.OnceValue(func() []Problem { return t.list(Test, t.Test) })
	return &t
}

// All returns the tasks in the order in which they are shown.
func All() []*Task { return slices.Clone(all()) }

// Names returns the names of all tasks in the same order.
func Names() []string {
	var names []string
	for _, t := range all() {
		names = append(names, t.Name)
	}
	return names
}

// Lookup finds a task by name; the error lists the names there are.
func Lookup(name string) (*Task, error) {
	for _, t := range all() {
		if t.Name == name {
			return t, nil
		}
	}
	return nil, fmt.Errorf("no task %q: choose one of %s", name, strings.Join(Names(), ", "))
}

// PromptLen is the length of every prompt in tokens.
func (t *Task) PromptLen() int { return t.Width + 2 }

// Problem draws a problem of one difficulty and split. Difficulties outside the range are clamped to it.
func (t *Task) Problem(rng *rand.Rand, split Split, difficulty int) Problem {
	difficulty = min(max(difficulty, t.Difficulty.Lo), t.Difficulty.Hi)
	for {
		body, answer, key := t.rules.draw(rng, difficulty)
		if SplitOf(t.Name, key) == split {
			return Problem{
				Prompt: t.prompt(body), Answer: t.Vocab.must(answer), Difficulty: difficulty, Key: key,
			}
		}
	}
}

// prompt returns BOS, the body, padding up to Width and the closing sign.
func (t *Task) prompt(body string) []uint8 {
	ids := append(make([]uint8, 0, t.Width+2), BOS)
	ids = append(ids, t.Vocab.must(body)...)
	for len(ids) < t.Width+1 {
		ids = append(ids, PAD)
	}
	return append(ids, t.Vocab.ids[t.Sign])
}

// body is the inverse of prompt.
func (t *Task) body(prompt []uint8) string {
	text := strings.TrimPrefix(t.Vocab.Decode(prompt), "^")
	return strings.TrimRight(strings.TrimSuffix(text, string(t.Sign)), "_")
}

// Train draws a training problem from a curriculum.
func (t *Task) Train(rng *rand.Rand, c Curriculum) Problem {
	return t.Problem(rng, Train, c.draw(rng, t.Difficulty))
}

// ValidationSet returns the EvalSize fixed validation problems; the slice is shared and must not be changed.
func (t *Task) ValidationSet() []Problem { return t.validation() }

// TestSet returns the EvalSize fixed test problems; the slice is shared and must not be changed.
func (t *Task) TestSet() []Problem { return t.test() }

// Reward scores a completion (token ids without EOS): 1 when it is right, else 0. Any bytes are accepted. A completion
// that was cut off before its EOS is the trainer's to refuse: it earns 0 whatever stands in it.
func (t *Task) Reward(p Problem, completion []uint8) float32 {
	if t.rules.right(t.body(p.Prompt), t.Vocab.Decode(completion)) {
		return 1
	}
	return 0
}

// Example draws one sequence of the supervised corpus of a base policy, from the train split.
func (t *Task) Example(rng *rand.Rand, l Lesson) Example {
	body, answer := "", ""
	for difficulty := t.Difficulty.Lo + pick(rng, t.corpus); ; {
		var key string
		if body, answer, key = t.rules.draw(rng, difficulty); SplitOf(t.Name, key) == Train {
			break
		}
	}
	ids := t.prompt(body)
	e := Example{Loss: make([]bool, len(ids), Context)}
	ids = append(append(ids, t.Vocab.must(t.rules.teach(rng, l, body, answer))...), EOS)
	for len(e.Loss) < len(ids) {
		e.Loss = append(e.Loss, true)
	}
	e.IDs = ids
	return e
}

// list draws the fixed evaluation list of a split: the difficulties in turn, no problem twice where the space allows.
func (t *Task) list(split Split, r Range) []Problem {
	rng := rand.New(rand.NewPCG(hash(t.Name), uint64(split)))
	seen := make(map[string]bool, EvalSize)
	ps := make([]Problem, 0, EvalSize)
	for i := range EvalSize {
		var p Problem
		for range 64 {
			if p = t.Problem(rng, split, r.Lo+i%(r.Hi-r.Lo+1)); !seen[p.Key] {
				break
			}
		}
		seen[p.Key] = true
		ps = append(ps, p)
	}
	return ps
}
