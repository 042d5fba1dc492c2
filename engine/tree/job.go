package tree

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrStop is the cause with which a segment's context is canceled when the segment is to end early and keep what it has:
// the trainer saves and evaluates a last checkpoint and returns an outcome instead of an error.
var ErrStop = errors.New("segment stopped early")

// ErrDetach is the cause with which a segment's context is canceled when the program ends and an external job may go on without it,
// to be found again by a Run with the same search, node and attempt.
var ErrDetach = errors.New("left running without the program")

// Job is one training segment as a trainer sees it.
type Job struct {
	Search      string `json:"search"`
	Node        NodeID `json:"node"`
	Attempt     int    `json:"attempt"`
	Task        string `json:"task"`
	Base        int    `json:"base"`
	Seed        uint64 `json:"seed"` // of this segment: siblings from one checkpoint have different ones
	Config      Config `json:"config"`
	Previous    Config `json:"previous,omitempty"` // the configuration that the resumed checkpoint was trained with
	FromRef     string `json:"from_ref,omitempty"` // of the checkpoint to resume from; empty: the base model
	FromStep    int    `json:"from_step"`
	Resume      []byte `json:"-"`                // its content, nil for the base model or when FromRef is a file
	Steps       int    `json:"steps"`            // optimizer steps to take, 0 when Tokens decides
	Tokens      int64  `json:"tokens,omitempty"` // stop after this many tokens, 0: no limit
	Checkpoints int    `json:"checkpoints"`      // how many, evenly spaced, the last at the end
	ValSamples  int    `json:"val_samples"`      // samples of each validation, 0: the trainer's default
	Slot        Slot   `json:"slot"`             // what it may use of the machine
}

// Slot is a share of a machine on which one segment at a time runs. It never decides what comes out.
type Slot struct {
	Index  int   `json:"index"`
	Cores  int   `json:"cores,omitempty"`  // processor cores, 0: the trainer's choice
	GPUs   []int `json:"gpus,omitempty"`   // by the driver's index
	Memory int64 `json:"memory,omitempty"` // bytes, of the GPUs when there are any; 0: unknown
}

// Report is what a trainer says while it runs; exactly one field is set.
type Report struct {
	Point      *Point
	Checkpoint *Checkpoint // Data is set for the store to keep, unless Ref is already a file
	Samples    []Sample
	Log        string
}

// Sample is one completion of the network with its reward.
type Sample struct {
	Step       int     `json:"step"`
	Prompt     string  `json:"prompt"`
	Completion string  `json:"completion"`
	Answer     string  `json:"answer,omitempty"` // a right answer, where the task has one
	Reward     float64 `json:"reward"`
	Truncated  bool    `json:"truncated,omitempty"`
	Difficulty int     `json:"difficulty,omitempty"`
}

// Split names a part of a task's problems.
type Split string

// The splits; they never overlap. Selection sees validation only.
const (
	SplitTrain      Split = "train"
	SplitValidation Split = "validation"
	SplitTest       Split = "test"
)

// Exam asks a trainer to score a checkpoint.
type Exam struct {
	Task    string
	Base    int
	Config  Config // for what decides sampling at evaluation
	Ref     string // empty: the base model
	Data    []byte // the checkpoint's content, nil for the base model or a file
	Split   Split
	Samples int // 0: the trainer's default
	Seed    uint64
}

// TaskInfo describes a task of a trainer.
type TaskInfo struct {
	Name    string           `json:"name"`
	Help    string           `json:"help"`
	Metric  string           `json:"metric"`
	Bases   int              `json:"bases"`
	Budgets map[string]int64 `json:"budgets,omitempty"` // declared token budgets: tight, middle, ample
	Facts   string           `json:"facts,omitempty"`   // Markdown
	Fits    []Fit            `json:"fits,omitempty"`    // what it changes of the trainer's space
}

// Fit is what a task changes of one numeric parameter: a range within the trainer's own, and its own default.
type Fit struct {
	Param   string  `json:"param"`
	Min     float64 `json:"min"`
	Max     float64 `json:"max"`
	Default float64 `json:"default"`
}

// Description is what a trainer can do.
type Description struct {
	Name    string     `json:"name"`
	Model   string     `json:"model"`
	Space   Space      `json:"space"`
	Tasks   []TaskInfo `json:"tasks"`
	Metrics []string   `json:"metrics"`
}

// Task finds a task by name; the error lists those that there are.
func (d Description) Task(name string) (TaskInfo, error) {
	names := make([]string, len(d.Tasks))
	for i, t := range d.Tasks {
		if names[i] = t.Name; t.Name == name {
			return t, nil
		}
	}
	return TaskInfo{}, fmt.Errorf("trainer %s has no task %q; it has %s", d.Name, name, strings.Join(names, ", "))
}

// SpaceOf is the space as a task sees it: the trainer's, with the task's own ranges and defaults. A task that is not there
// sees the trainer's.
func (d Description) SpaceOf(task string) Space {
	t, err := d.Task(task)
	if err != nil {
		return d.Space
	}
	return d.Space.Fitted(t.Fits)
}

// Exchange is one call of an agent: what it was asked and what it said.
type Exchange struct {
	ID        string        `json:"id"`
	Node      NodeID        `json:"node"`  // the node that was looked at
	Phase     string        `json:"phase"` // diagnose, propose, judge, choose
	Agent     string        `json:"agent"`
	Model     string        `json:"model,omitempty"`
	Versions  string        `json:"versions,omitempty"`
	Prompt    string        `json:"prompt"`
	Images    int           `json:"images,omitempty"`
	Answer    string        `json:"answer"`
	Thinking  string        `json:"thinking,omitempty"` // what the model thought before it answered, shortened
	Errors    []string      `json:"errors,omitempty"`   // what was wrong with an answer, in order
	Repaired  bool          `json:"repaired,omitempty"`
	Fallback  string        `json:"fallback,omitempty"` // why the rules agent stepped in
	TokensIn  int64         `json:"tokens_in,omitempty"`
	TokensOut int64         `json:"tokens_out,omitempty"`
	Latency   time.Duration `json:"latency,omitempty"`
	Cost      float64       `json:"cost,omitempty"`
	Priced    bool          `json:"priced,omitempty"` // whether the price table has the model; without, Cost 0 means unknown
	When      time.Time     `json:"when"`
}
