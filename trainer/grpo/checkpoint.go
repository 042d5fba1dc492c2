package grpo

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"llmzero/trainer/grpo/kernel"
	"llmzero/trainer/grpo/optim"
	"llmzero/trainer/grpo/policy"
	"llmzero/trainer/grpo/safetensors"
)

// ErrCheckpoint is returned for a file that is no checkpoint of this trainer, or of another task or version.
var ErrCheckpoint = errors.New("not a usable checkpoint of the grpo trainer")

// Versions change with the tensors or their meaning. Files of the first one, which people's stores hold, have no digest, ref_reset
// or adam_born.
const (
	checkpointVersion = "llmzero-checkpoint-2"
	checkpointFirst   = "llmzero-checkpoint-1"
)

// Prefixes of tensor names in a checkpoint. policy is what a full training changes, or what an adapter leaves frozen.
const (
	nsPolicy    = "policy."
	nsReference = "reference."
	nsAdapter   = "adapter."
	nsFirst     = "adam.m."
	nsSecond    = "adam.v."
)

// Info is the metadata of a checkpoint.
type Info struct {
	Task          string
	Base          int    // number of the base policy
	BaseID        string // identity of its weights
	Step          int    // optimizer steps since the base
	Seed          uint64 // of the last segment: random streams continue at (Seed, Step)
	Reference     string // identity of the reference weights
	Rank          int    // of the adapter, 0 for none
	Kernel        string // arithmetic path that trained it
	Reset         bool   // the last segment anchored the reference anew
	AdamSteps     int
	AdamBorn      []int // AdamSteps when each column of the adapter was new; nil without an adapter
	PromptTokens  int64
	SampledTokens int64
	TrainedTokens int64
}

// fields pairs the metadata's keys with the values; integers only.
func (i *Info) fields() map[string]any {
	return map[string]any{
		"base": &i.Base, "step": &i.Step, "adapter_rank": &i.Rank, "adam_steps": &i.AdamSteps, "prompt_tokens": &i.PromptTokens,
		"sampled_tokens": &i.SampledTokens, "trained_tokens": &i.TrainedTokens,
	}
}

// encode writes the learner's state as a checkpoint.
func (l *learner) encode() ([]byte, error) {
	m, spent := l.model, l.spent.Plus(l.cost)
	info := Info{
		Step: l.step, Base: l.baseNumber, Rank: m.Rank, AdamSteps: l.opt.Steps,
		PromptTokens: spent.PromptTokens, SampledTokens: spent.SampledTokens, TrainedTokens: spent.TrainedTokens,
	}
	meta := m.Metadata()
	meta["checkpoint"], meta["task"], meta["base_id"], meta["reference"] = checkpointVersion, l.task.Name, l.baseID, l.refID
	meta["kernel"], meta["random_stream"] = kernel.Record(), fmt.Sprintf("%d:%d", l.seed, l.step)
	meta["ref_reset"] = "off"
	if l.set.reset {
		meta["ref_reset"] = resetOn
	}
	if m.Rank > 0 {
		meta["adam_born"] = bornText(l.born)
	}
	for key, v := range info.fields() {
		switch p := v.(type) {
		case *int:
			meta[key] = strconv.Itoa(*p)
		case *int64:
			meta[key] = strconv.FormatInt(*p, 10)
		}
	}
	f := &safetensors.File{Metadata: meta}
	weights := m.W
	if m.Rank > 0 {
		weights = m.Frozen
	}
	f.Tensors = append(f.Tensors, m.Tensors(nsPolicy, weights)...)
	f.Tensors = append(f.Tensors, m.Tensors(nsReference, l.reference)...)
	named := func(prefix string, flat []float32) {
		for _, t := range m.TrainedTensors() {
			f.Tensors = append(f.Tensors, safetensors.Tensor{Name: prefix + t.Name, Shape: []int{t.Rows, t.Cols}, Data: t.Of(flat)})
		}
	}
	if m.Rank > 0 {
		named(nsAdapter, m.Factor)
	}
	named(nsFirst, l.opt.M)
	named(nsSecond, l.opt.V)
	f.Metadata[metaDigest] = digest(f)
	return safetensors.Encode(f)
}

// Inspect reads the metadata of a checkpoint.
func Inspect(b []byte) (Info, error) {
	_, info, err := open(b)
	return info, err
}

// open reads a file and its metadata, and compares its digest.
func open(b []byte) (*safetensors.File, Info, error) {
	f, err := safetensors.Decode(b)
	if err != nil {
		return nil, Info{}, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	info, err := infoFrom(f.Metadata)
	if err != nil {
		return nil, Info{}, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	want, given := f.Metadata[metaDigest]
	if (given || f.Metadata["checkpoint"] != checkpointFirst) && digest(f) != want {
		return nil, Info{}, fmt.Errorf("%w: its content does not match its %s: it was damaged or changed", ErrCheckpoint, metaDigest)
	}
	return f, info, nil
}

func infoFrom(meta map[string]string) (Info, error) {
	if v := meta["checkpoint"]; v != checkpointVersion && v != checkpointFirst {
		return Info{}, fmt.Errorf("its version is %q, this program reads %q and %q", v, checkpointVersion, checkpointFirst)
	}
	i := Info{
		Task: meta["task"], BaseID: meta["base_id"], Reference: meta["reference"], Kernel: meta["kernel"], Reset: meta["ref_reset"] == resetOn,
	}
	for key, v := range i.fields() {
		n, err := strconv.ParseInt(meta[key], 10, 64)
		if err != nil || n < 0 || n > 1<<53 {
			return Info{}, fmt.Errorf("its %s is %q", key, meta[key])
		}
		switch p := v.(type) {
		case *int:
			*p = int(n)
		case *int64:
			*p = n
		}
	}
	if i.Rank > 1024 {
		return Info{}, fmt.Errorf("its adapter has rank %d", i.Rank)
	}
	seed, step, _ := strings.Cut(meta["random_stream"], ":")
	var err error
	if i.Seed, err = strconv.ParseUint(seed, 10, 64); err != nil || step != strconv.Itoa(i.Step) {
		return Info{}, fmt.Errorf("its random_stream is %q at step %d", meta["random_stream"], i.Step)
	}
	i.AdamBorn, err = bornFrom(meta["adam_born"], i.Rank, i.AdamSteps)
	return i, err
}

// bornText is the optimizer's count at each column's birth, as the metadata has it.
func bornText(born []int) string {
	text := make([]string, len(born))
	for i, n := range born {
		text[i] = strconv.Itoa(n)
	}
	return strings.Join(text, ",")
}

// bornFrom reads bornText back. Without text all columns are as old as the adapter, as in the first version's files.
func bornFrom(text string, rank, steps int) ([]int, error) {
	if rank == 0 {
		return nil, nil
	}
	born := make([]int, rank)
	if text == "" {
		return born, nil
	}
	all := strings.Split(text, ",")
	if len(all) != rank {
		return nil, fmt.Errorf("its adam_born has %d columns of %d", len(all), rank)
	}
	for i, t := range all {
		n, err := strconv.Atoi(t)
		if err != nil || n < 0 || n > steps || (i > 0 && n < born[i-1]) {
			return nil, fmt.Errorf("its adam_born is %q after %d steps of the optimizer", text, steps)
		}
		born[i] = n
	}
	return born, nil
}

// decode reads a checkpoint back.
func decode(b []byte) (state, Info, error) {
	f, info, err := open(b)
	if err != nil {
		return state{}, Info{}, err
	}
	st, err := stateFrom(f, info)
	if err == nil {
		err = st.check(info)
	}
	if err != nil {
		return state{}, Info{}, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	return st, info, nil
}

func stateFrom(f *safetensors.File, info Info) (state, error) {
	st := state{
		baseNumber: info.Base, baseID: info.BaseID, step: info.Step, kernel: info.Kernel, lastSeed: info.Seed, lastReset: info.Reset,
		born: info.AdamBorn,
	}
	st.spent.PromptTokens, st.spent.SampledTokens, st.spent.TrainedTokens = info.PromptTokens, info.SampledTokens, info.TrainedTokens
	c, err := policy.ConfigFrom(f.Metadata)
	if err != nil {
		return st, err
	}
	w, err := c.FromTensors(f, nsPolicy)
	if err != nil {
		return st, err
	}
	if st.reference, err = c.FromTensors(f, nsReference); err != nil {
		return st, err
	}
	st.refID = weightsID(st.reference)
	st.model = policy.NewModel(c, w)
	if info.Rank > 0 {
		factor, err := collect(f, nsAdapter, c.Factors(info.Rank))
		if err != nil {
			return st, err
		}
		st.model = policy.Adapt(c, w, info.Rank, factor)
	}
	st.opt = optim.New(0)
	st.opt.Steps = info.AdamSteps
	if st.opt.M, err = collect(f, nsFirst, st.model.TrainedTensors()); err != nil {
		return st, err
	}
	st.opt.V, err = collect(f, nsSecond, st.model.TrainedTensors())
	return st, err
}

// check looks for what no training could have left.
func (s *state) check(info Info) error {
	switch {
	case !s.finite():
		return errors.New("it holds a number that is not finite")
	case s.refID != info.Reference:
		return fmt.Errorf("its reference is %s, the metadata says %s", s.refID, info.Reference)
	case slices.ContainsFunc(s.opt.V, func(v float32) bool { return v < 0 }):
		return errors.New("a second moment is negative")
	}
	return nil
}

// collect reads tensors into one flat vector.
func collect(f *safetensors.File, prefix string, layout []policy.Tensor) ([]float32, error) {
	size := 0
	for _, t := range layout {
		size += t.Size()
	}
	flat := make([]float32, size)
	for _, t := range layout {
		got := f.Find(prefix + t.Name)
		if got == nil {
			return nil, fmt.Errorf("it has no tensor %s", prefix+t.Name)
		}
		if !slices.Equal(got.Shape, []int{t.Rows, t.Cols}) {
			return nil, fmt.Errorf("tensor %s has shape %v, want %d x %d", got.Name, got.Shape, t.Rows, t.Cols)
		}
		copy(t.Of(flat), got.Data)
	}
	return flat, nil
}
