package grpo

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"llmzero/trainer/grpo/kernel"
	"llmzero/trainer/grpo/optim"
	"llmzero/trainer/grpo/policy"
	"llmzero/trainer/grpo/safetensors"
)

// ErrCheckpoint is returned for a file that is no checkpoint of this trainer, or of another task or version.
var ErrCheckpoint = errors.New("not a usable checkpoint of the grpo trainer")

// checkpointVersion changes with the tensors or their meaning.
const checkpointVersion = "llmzero-checkpoint-1"

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
	AdamSteps     int
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

// weightsID identifies weights by content.
func weightsID(w []float32) string {
	b := make([]byte, 0, 4*len(w))
	for _, v := range w {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
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
	meta["kernel"], meta["random_stream"] = kernel.Path(), fmt.Sprintf("%d:%d", l.seed, l.step)
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
	return safetensors.Encode(f)
}

// Inspect reads the metadata of a checkpoint.
func Inspect(b []byte) (Info, error) {
	f, err := safetensors.Decode(b)
	if err != nil {
		return Info{}, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	return infoFrom(f.Metadata)
}

func infoFrom(meta map[string]string) (Info, error) {
	if v := meta["checkpoint"]; v != checkpointVersion {
		return Info{}, fmt.Errorf("%w: its version is %q, this program reads %q", ErrCheckpoint, v, checkpointVersion)
	}
	i := Info{Task: meta["task"], BaseID: meta["base_id"], Reference: meta["reference"], Kernel: meta["kernel"]}
	for key, v := range i.fields() {
		n, err := strconv.ParseInt(meta[key], 10, 64)
		if err != nil || n < 0 || n > 1<<53 {
			return Info{}, fmt.Errorf("%w: its %s is %q", ErrCheckpoint, key, meta[key])
		}
		switch p := v.(type) {
		case *int:
			*p = int(n)
		case *int64:
			*p = n
		}
	}
	seed, _, _ := strings.Cut(meta["random_stream"], ":")
	var err error
	if i.Seed, err = strconv.ParseUint(seed, 10, 64); err != nil {
		return Info{}, fmt.Errorf("%w: its random_stream is %q", ErrCheckpoint, meta["random_stream"])
	}
	if i.Rank > 1024 {
		return Info{}, fmt.Errorf("%w: its adapter has rank %d", ErrCheckpoint, i.Rank)
	}
	return i, nil
}

// decode reads a checkpoint back.
func decode(b []byte) (state, Info, error) {
	bad := func(err error) (state, Info, error) { return state{}, Info{}, fmt.Errorf("%w: %w", ErrCheckpoint, err) }
	f, err := safetensors.Decode(b)
	if err != nil {
		return bad(err)
	}
	info, err := infoFrom(f.Metadata)
	if err != nil {
		return state{}, Info{}, err
	}
	c, err := policy.ConfigFrom(f.Metadata)
	if err != nil {
		return bad(err)
	}
	w, err := c.FromTensors(f, nsPolicy)
	if err != nil {
		return bad(err)
	}
	ref, err := c.FromTensors(f, nsReference)
	if err != nil {
		return bad(err)
	}
	m := policy.NewModel(c, w)
	if info.Rank > 0 {
		factor, err := collect(f, nsAdapter, c.Factors(info.Rank))
		if err != nil {
			return bad(err)
		}
		m = policy.Adapt(c, w, info.Rank, factor)
	}
	opt := optim.New(0)
	opt.Steps = info.AdamSteps
	if opt.M, err = collect(f, nsFirst, m.TrainedTensors()); err != nil {
		return bad(err)
	}
	if opt.V, err = collect(f, nsSecond, m.TrainedTensors()); err != nil {
		return bad(err)
	}
	st := state{
		baseNumber: info.Base, baseID: info.BaseID, model: m, opt: opt, reference: ref, refID: weightsID(ref), step: info.Step, kernel: info.Kernel,
	}
	if !st.finite() {
		return bad(errors.New("it holds a number that is not finite"))
	}
	st.spent.PromptTokens, st.spent.SampledTokens, st.spent.TrainedTokens = info.PromptTokens, info.SampledTokens, info.TrainedTokens
	return st, info, nil
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
		if len(got.Data) != t.Size() {
			return nil, fmt.Errorf("tensor %s has shape %v, want %d x %d", got.Name, got.Shape, t.Rows, t.Cols)
		}
		copy(t.Of(flat), got.Data)
	}
	return flat, nil
}
