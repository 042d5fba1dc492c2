package grpo

import (
	"fmt"

	"llmzero/trainer/grpo/optim"
	"llmzero/trainer/grpo/policy"
	"llmzero/trainer/grpo/task"
)

// load makes the state that a segment starts from: a checkpoint, or the task's base policy when ref is empty and there is
// no content. base 0 is whatever base the checkpoint has, and the first one without a checkpoint.
func load(t *task.Task, base int, ref string, checkpoint []byte) (state, error) {
	if checkpoint == nil && ref != "" {
		return state{}, fmt.Errorf("checkpoint %s came without its content; training from the base instead would be wrong", ref)
	}
	if checkpoint == nil {
		return shipped(t, max(base, 1))
	}
	st, info, err := decode(checkpoint)
	if err != nil {
		return state{}, err
	}
	if err := st.fits(t, info, base); err != nil {
		return state{}, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	return st, nil
}

// fits tells why a checkpoint cannot go on on a task and base, or nil: what it holds must descend from the weights in this build.
func (s *state) fits(t *task.Task, info Info, base int) error {
	if info.Task != t.Name {
		return fmt.Errorf("it is of task %s, wanted is %s", info.Task, t.Name)
	}
	if base > 0 && info.Base != base {
		return fmt.Errorf("it descends from base %d, wanted is base %d", info.Base, base)
	}
	root, err := shipped(t, info.Base)
	if err != nil {
		return err
	}
	if s.model.Config != root.model.Config {
		return fmt.Errorf("its policy has the shape %+v, those of task %s have %+v", s.model.Config, t.Name, root.model.Config)
	}
	if info.BaseID != root.baseID {
		return fmt.Errorf("it descends from the weights %s, base %d of task %s has %s in this build", info.BaseID, info.Base, t.Name, root.baseID)
	}
	return nil
}

// shipped is a task's base policy.
func shipped(t *task.Task, base int) (state, error) {
	b, err := t.Base(base)
	if err != nil {
		return state{}, err
	}
	c, w, _, err := policy.Decode(b)
	if err != nil {
		return state{}, fmt.Errorf("base %d of task %s: %w", base, t.Name, err)
	}
	if c.Vocab != task.VocabSize || c.Context != task.Context {
		return state{}, fmt.Errorf("base %d of task %s has %d tokens and a context of %d, want %d and %d", base, t.Name, c.Vocab, c.Context, task.VocabSize, task.Context)
	}
	id := weightsID(w)
	return state{
		baseNumber: base, baseID: id, model: policy.NewModel(c, w), opt: optim.New(len(w)),
		reference: append([]float32(nil), w...), refID: id,
	}, nil
}
