package agent

import (
	"errors"
	"fmt"
	"math"

	"llmzero/engine/tree"
)

// Reasons for which Turn.Check refuses a proposal, besides values that the space does not allow.
var (
	// ErrCheckpoint is returned when a proposal resumes from a checkpoint that is not on the turn's path.
	ErrCheckpoint = errors.New("no such checkpoint")
	// ErrBanned is returned when a value was banned by the researcher.
	ErrBanned = errors.New("banned")
	// ErrTried is returned when a child of the same checkpoint already has the resulting configuration.
	ErrTried = errors.New("already tried")
	// ErrVetoed is returned when the researcher vetoed the resulting configuration from the same checkpoint.
	ErrVetoed = errors.New("vetoed before")
)

// Source is the node of the path that ref names. It is an error when the path has no such node or when that node has no
// such checkpoint; the root's only checkpoint is at step 0.
func (t Turn) Source(ref tree.CheckpointRef) (tree.Node, error) {
	for i := range t.Path {
		n := t.Path[i].Node
		if n.ID != ref.Node {
			continue
		}
		if n.ID == tree.Root && ref.Step == 0 {
			return n, nil
		}
		if n.Outcome != nil {
			for _, c := range n.Outcome.Checkpoints {
				if c.Step == ref.Step {
					return n, nil
				}
			}
		}
		return tree.Node{}, fmt.Errorf("node %d at step %d: %w", ref.Node, ref.Step, ErrCheckpoint)
	}
	return tree.Node{}, fmt.Errorf("node %d is not on the path to node %d: %w", ref.Node, t.Node.ID, ErrCheckpoint)
}

// Result is the configuration that a proposal leads to: that of the node it resumes from, with its changes.
func (t Turn) Result(p tree.Transition) (tree.Config, error) {
	n, err := t.Source(p.From)
	if err != nil {
		return nil, err
	}
	return n.Config.With(p.Changes), nil
}

// StepBounds are the fewest and the most steps that a proposed segment may take: half and double of the turn's. A turn
// that names no steps sets no bounds but 1.
func (t Turn) StepBounds() (least, most int) {
	if t.Steps < 1 {
		return 1, math.MaxInt32
	}
	return max(1, t.Steps/2), 2 * t.Steps
}

// Check says why a proposal may not be made, or nil: its checkpoint exists, its steps are within StepBounds, each change starts from the value in force,
// the resulting configuration is inside the space and outside the bans (also where the value was in force before the
// ban), and neither a child of the same checkpoint nor a veto has it already.
func (t Turn) Check(p tree.Transition) error {
	src, err := t.Source(p.From)
	if err != nil {
		return err
	}
	if t.Fresh && p.From.Node != tree.Root {
		return fmt.Errorf("a fresh start is wanted, and it resumes from node %d: %w", p.From.Node, ErrCheckpoint)
	}
	switch least, most := t.StepBounds(); {
	case p.Steps < 1:
		return fmt.Errorf("a segment of %d steps: it takes at least 1", p.Steps)
	case p.Steps < least || p.Steps > most:
		return fmt.Errorf("a segment of %d steps: %d to %d are allowed", p.Steps, least, most)
	}
	seen := map[string]bool{}
	for _, c := range p.Changes {
		param, ok := t.Spec.Space.Find(c.Param)
		switch {
		case !ok:
			return fmt.Errorf("%s: the trainer has no such parameter", c.Param)
		case seen[c.Param]:
			return fmt.Errorf("%s is changed twice", c.Param)
		case c.From != src.Config[c.Param]:
			return fmt.Errorf("%s: the value in force is %s, not %s", c.Param, src.Config[c.Param], c.From)
		}
		seen[c.Param] = true
		if err := param.Check(c.To); err != nil {
			return err
		}
	}
	result := src.Config.With(p.Changes)
	for _, b := range t.Bans {
		if v, ok := result[b.Param]; ok && b.Hits(b.Param, v) {
			return fmt.Errorf("%s = %s: %w%s", b.Param, v, ErrBanned, because(b.Why))
		}
	}
	return t.checkTried(p.From, result.Key())
}

// checkTried compares with what was proposed before from the same checkpoint, whatever became of it.
func (t Turn) checkTried(from tree.CheckpointRef, key string) error {
	for _, n := range t.Vetoes {
		if n.Transition.From == from && n.Config.Key() == key {
			why := ""
			if n.Verdict != nil {
				why = n.Verdict.Why
			}
			return fmt.Errorf("node %d: %w%s", n.ID, ErrVetoed, because(why))
		}
	}
	for _, nodes := range [][]tree.Node{t.Children, t.Siblings, {t.Node}} {
		for _, n := range nodes {
			if n.ID != tree.Root && n.Transition.From == from && n.Config.Key() == key {
				if n.State == tree.StateVetoed {
					return fmt.Errorf("node %d: %w", n.ID, ErrVetoed)
				}
				return fmt.Errorf("node %d: %w", n.ID, ErrTried)
			}
		}
	}
	return nil
}

func because(why string) string {
	if why == "" {
		return ""
	}
	return " (" + why + ")"
}
