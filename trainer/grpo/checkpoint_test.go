package grpo

import (
	"errors"
	"reflect"
	"slices"
	"testing"

	"llmzero/engine/tree"
	"llmzero/trainer/grpo/kernel"
	"llmzero/trainer/grpo/safetensors"
	"llmzero/trainer/grpo/team"
)

func oneWorker(t testing.TB) *team.Team {
	t.Helper()
	tm := team.New(1)
	t.Cleanup(tm.Close)
	return tm
}

func checkpointOf(t testing.TB, rank string) []byte {
	t.Helper()
	tk, st := base(t, "sort")
	set, err := parse(tk, quick(map[string]tree.Value{pRank: tree.Choice(rank)}))
	if err != nil {
		t.Fatal(err)
	}
	l := newLearner(tk, st, set, 7, oneWorker(t))
	for range 2 {
		if _, err := l.doStep(); err != nil {
			t.Fatal(err)
		}
	}
	b, err := l.encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCheckpointMetadata(t *testing.T) {
	tk, _ := base(t, "sort")
	info, err := Inspect(checkpointOf(t, "8"))
	if err != nil {
		t.Fatal(err)
	}
	want := Info{
		Task: "sort", Base: 1, BaseID: info.BaseID, Step: 2, Seed: 7, Reference: info.BaseID, Rank: 8, Kernel: kernel.Path(), AdamSteps: 2,
		PromptTokens: int64(2 * 16 * tk.PromptLen()), SampledTokens: info.SampledTokens, TrainedTokens: info.PromptTokens + info.SampledTokens,
	}
	if !reflect.DeepEqual(info, want) || len(info.BaseID) != 16 || info.SampledTokens == 0 {
		t.Errorf("got  %+v\nwant %+v", info, want)
	}
}

// edit decodes a checkpoint's file, changes it and encodes it again.
func edit(t *testing.T, b []byte, change func(f *safetensors.File)) []byte {
	t.Helper()
	f, err := safetensors.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	change(f)
	out, err := safetensors.Encode(f)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestDecodeRefusesForeignCheckpoints(t *testing.T) {
	good := checkpointOf(t, "4")
	tk, _ := base(t, "sort")
	weights, err := tk.Base(1)
	if err != nil {
		t.Fatal(err)
	}
	meta := func(key, value string) func(f *safetensors.File) {
		return func(f *safetensors.File) { f.Metadata[key] = value }
	}
	for name, b := range map[string][]byte{
		"base weights": weights,
		"version":      edit(t, good, meta("checkpoint", "llmzero-checkpoint-9")),
		"shape":        edit(t, good, meta("dim", "48")),
		"huge":         edit(t, good, meta("dim", "999999999")),
		"rank":         edit(t, good, meta("adapter_rank", "8")),
		"huge rank":    edit(t, good, meta("adapter_rank", "99999999")),
		"step":         edit(t, good, meta("step", "-4")),
		"stream":       edit(t, good, meta("random_stream", "x")),
		"no moments": edit(t, good, func(f *safetensors.File) {
			f.Tensors = slices.DeleteFunc(f.Tensors, func(t safetensors.Tensor) bool { return t.Name == nsFirst+"layers.0.mlp.up.a" })
		}),
		"not finite": edit(t, good, func(f *safetensors.File) { f.Tensors[3].Data[0] /= 0 }),
	} {
		if _, _, err := decode(b); !errors.Is(err, ErrCheckpoint) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if _, _, err := decode(good); err != nil {
		t.Errorf("the good one: %v", err)
	}
}

// No bytes may make decode panic, and what it accepts must encode back to a checkpoint that it accepts.
func FuzzCheckpoint(f *testing.F) {
	good := checkpointOf(f, "2")
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add([]byte("\x02\x00\x00\x00\x00\x00\x00\x00{}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		st, info, err := decode(b)
		if err != nil {
			if !errors.Is(err, ErrCheckpoint) {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		if st.step != info.Step || len(st.opt.M) != len(st.model.Trained()) || len(st.model.W) != len(st.reference) {
			t.Fatalf("accepted an inconsistent state")
		}
	})
}
