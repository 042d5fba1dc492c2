package strategy

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"llmzero/engine/tree"
)

// Format marks a strategy file, Version its layout.
const (
	Format  = "llmzero-strategy"
	Version = 1
)

// Strategy is a path of transitions that can be replayed.
type Strategy struct {
	Format  string  `json:"format"`
	Version int     `json:"version"`
	Task    string  `json:"task"`
	Base    int     `json:"base"` // which of the task's base models
	Trainer string  `json:"trainer"`
	Model   string  `json:"model,omitempty"`
	Stages  []Stage `json:"stages"`
	Origin  Origin  `json:"origin"`
}

// Stage is a stretch of training under one configuration.
type Stage struct {
	Steps   int           `json:"steps"` // optimizer steps
	Config  tree.Config   `json:"config"`
	Changes []tree.Change `json:"changes,omitempty"` // from the stage before; the first: from the search's root
	Why     string        `json:"why,omitempty"`     // the transition's rationale
	By      string        `json:"by,omitempty"`      // who proposed it
	Val     tree.Score    `json:"val"`               // validation where the stage ended, in the search
}

// Origin says where a strategy was found. Its scores are the search's own: for selection, not for a report.
type Origin struct {
	Search  string      `json:"search"`
	Name    string      `json:"name,omitempty"`
	Node    tree.NodeID `json:"node"`
	Agent   string      `json:"agent"`
	Policy  string      `json:"policy"`
	Seed    uint64      `json:"seed"`
	BaseVal tree.Score  `json:"base_val"`
}

// ErrFormat is returned for a file that is no strategy that this program can read.
var ErrFormat = errors.New("not a strategy file")

// maxFile is the most bytes of a strategy file that are read, maxSteps the most optimizer steps of a stage.
const (
	maxFile  = 4 << 20
	maxSteps = 100_000_000
)

// Best is the strategy that a search named as its winner, or before its end the best one by validation.
func Best(t *tree.Tree) (Strategy, error) {
	id := t.Winner
	if id == tree.Root {
		n, ok := t.Best()
		if !ok || n.ID == tree.Root {
			return Strategy{}, fmt.Errorf("search %s has no strategy yet: nothing that it trained beats the base model", t.Spec.ID)
		}
		id = n.ID
	}
	return Of(t, id)
}

// Of is the strategy that leads to a node.
func Of(t *tree.Tree, id tree.NodeID) (Strategy, error) {
	sp := t.Spec
	s := Strategy{
		Format: Format, Version: Version, Task: sp.Task, Base: sp.Base, Trainer: sp.Trainer, Model: sp.Model,
		Origin: Origin{Search: sp.ID, Name: sp.Name, Node: id, Agent: sp.Agent, Policy: sp.Policy, Seed: sp.Seed, BaseVal: t.Base()},
	}
	path := t.Path(id)
	if len(path) < 2 {
		return s, fmt.Errorf("node %d of search %s is the base model or not there: no training leads to it", id, sp.ID)
	}
	before := sp.Root
	for i, n := range path[1:] {
		if n.Outcome == nil {
			return s, fmt.Errorf("node %d of search %s was not trained", n.ID, sp.ID)
		}
		until, ok := n.Outcome.Checkpoint()
		if i+2 < len(path) {
			until, ok = n.CheckpointAt(path[i+2].Transition.From.Step)
		}
		if !ok {
			return s, fmt.Errorf("node %d of search %s left no checkpoint to go on from", n.ID, sp.ID)
		}
		s.Stages = append(s.Stages, Stage{
			Steps: until.Step - n.Transition.From.Step, Config: n.Config.Clone(), Changes: sp.Space.Diff(before, n.Config),
			Why: n.Transition.Rationale, By: n.Transition.By, Val: until.Val,
		})
		before = n.Config
	}
	return s, nil
}

// Steps are the optimizer steps of all stages.
func (s Strategy) Steps() int {
	sum := 0
	for _, st := range s.Stages {
		sum += st.Steps
	}
	return sum
}

// Write writes s as a file.
func (s Strategy) Write(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(s)
}

// WriteFile writes s to a new file; it never overwrites one.
func (s Strategy) WriteFile(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("write the strategy: %w; nothing is overwritten: choose another name", err)
	}
	if err != nil {
		return fmt.Errorf("write the strategy: %w", err)
	}
	if err = errors.Join(s.Write(f), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path)) // half a strategy is none
	}
	return nil
}

// ReadFile reads a file as Read does.
func ReadFile(path string) (Strategy, error) {
	f, err := os.Open(path)
	if err != nil {
		return Strategy{}, fmt.Errorf("read the strategy: %w", err)
	}
	s, err := Read(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return s, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// Read reads a file that Write wrote. Whether a trainer can follow it is for On to say. The error wraps ErrFormat.
func Read(r io.Reader) (Strategy, error) {
	var s Strategy
	b, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return s, err
	}
	if len(b) > maxFile {
		return s, fmt.Errorf("%w: longer than %d MiB", ErrFormat, maxFile>>20)
	}
	if err := json.Unmarshal(b, &s); err != nil {
		return s, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	switch {
	case s.Format != Format:
		return s, fmt.Errorf("%w: its format is %.40q, want %q", ErrFormat, s.Format, Format)
	case s.Version != Version:
		return s, fmt.Errorf("%w: it has version %d, this program reads %d", ErrFormat, s.Version, Version)
	case len(s.Stages) == 0:
		return s, fmt.Errorf("%w: it has no stages", ErrFormat)
	}
	for i, st := range s.Stages {
		if st.Steps <= 0 || st.Steps > maxSteps {
			return s, fmt.Errorf("%w: stage %d has %d steps", ErrFormat, i+1, st.Steps)
		}
	}
	return s, nil
}
