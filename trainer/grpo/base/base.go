// Package base holds the weights of the base policies: one safetensors file for each task and base number, made by the
// command in make and shipped in the binary. weights/index.json says of each how it was made and what it can do, as
// measured when its gate let it through.
//
//	go generate ./trainer/grpo/base     makes every base that is missing
package base

import (
	"embed"
	"encoding/json"
	"fmt"
	"sync"
)

//go:generate go run ./make

//go:embed weights
var files embed.FS

// Entry is what index.json says of one base.
type Entry struct {
	Task string `json:"task"`
	Base int    `json:"base"`
	// Parameters is the number of weights; Steps and Batch are those of the supervised training, Seed its seed.
	Parameters int    `json:"parameters"`
	Steps      int    `json:"steps"`
	Batch      int    `json:"batch"`
	Seed       uint64 `json:"seed"`
	Kernel     string `json:"kernel"` // the kernel path on which it was made
	Skill      Skill  `json:"skill"`
}

// Skill is what a base can do on the fixed validation problems of its task, all shares in [0, 1].
type Skill struct {
	// Sampled is the accuracy at temperature 1, Greedy that of the most likely answer; Pass is the share of problems with
	// at least one right answer among PassOf samples.
	Sampled float64 `json:"sampled"`
	Greedy  float64 `json:"greedy"`
	Pass    float64 `json:"pass"`
	PassOf  int     `json:"pass_of"`
	// ByDifficulty is the accuracy at temperature 1 of every difficulty of the task, from the easiest on, on problems of the
	// validation split, or of the training split where that has none.
	ByDifficulty []float64 `json:"by_difficulty"`
	// Worked is the share of samples that work the answer out and WorkedRight their accuracy, where the task knows of that.
	Worked      float64 `json:"worked,omitempty"`
	WorkedRight float64 `json:"worked_right,omitempty"`
}

// File is the name of a base's file under weights.
func File(task string, n int) string { return fmt.Sprintf("%s-%d.safetensors", task, n) }

// Weights returns the safetensors file of base n of a task.
func Weights(task string, n int) ([]byte, error) {
	b, err := files.ReadFile("weights/" + File(task, n))
	if err != nil {
		return nil, fmt.Errorf("no base %d of task %q is shipped in this build: %w", n, task, err)
	}
	return b, nil
}

// Index returns the entries of all shipped bases, ordered by task and number.
var Index = sync.OnceValues(func() ([]Entry, error) {
	b, err := files.ReadFile("weights/index.json")
	if err != nil {
		return nil, fmt.Errorf("read the index of base weights: %w", err)
	}
	var out []Entry
	if err := json.Unmarshal(b, &out); err != nil {
		return nil, fmt.Errorf("parse the index of base weights: %w", err)
	}
	return out, nil
})
