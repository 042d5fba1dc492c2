package grpo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"llmzero/engine/tree"
	"llmzero/trainer/grpo/kernel"
	"llmzero/trainer/grpo/optim"
	"llmzero/trainer/grpo/policy"
	"llmzero/trainer/grpo/safetensors"
	"llmzero/trainer/grpo/task"
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
		Task: "sort", Base: 1, BaseID: info.BaseID, Step: 2, Seed: 7, Reference: info.BaseID, Rank: 8, Kernel: kernel.Record(), AdamSteps: 2,
		AdamBorn:     make([]int, 8),
		PromptTokens: int64(2 * 16 * tk.PromptLen()), SampledTokens: info.SampledTokens, TrainedTokens: info.PromptTokens + info.SampledTokens,
	}
	if !reflect.DeepEqual(info, want) || len(info.BaseID) != 16 || info.SampledTokens == 0 {
		t.Errorf("got  %+v\nwant %+v", info, want)
	}
}

// edit decodes a checkpoint's file, changes it and encodes it again with the digest of what it then holds, so that the digest is
// not what refuses it.
func edit(t *testing.T, b []byte, change func(f *safetensors.File)) []byte {
	t.Helper()
	f, err := safetensors.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	change(f)
	if f.Metadata[metaDigest] != "" {
		f.Metadata[metaDigest] = digest(f)
	}
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
		"no digest":         edit(t, good, func(f *safetensors.File) { delete(f.Metadata, metaDigest) }),
		"step of stream":    edit(t, good, meta("random_stream", "7:1")),
		"no step of stream": edit(t, good, meta("random_stream", "7")),
		"reference":         edit(t, good, meta("reference", "0123456789abcdef")),
		"born late":         edit(t, good, meta("adam_born", "0,0,0,3")),
		"born in disorder":  edit(t, good, meta("adam_born", "0,2,0,2")),
		"born too few":      edit(t, good, meta("adam_born", "0,0")),
		"transposed weights": edit(t, good, func(f *safetensors.File) {
			slices.Reverse(f.Find(nsPolicy + "layers.0.attn.qkv").Shape)
		}),
		"transposed factor": edit(t, good, func(f *safetensors.File) {
			slices.Reverse(f.Find(nsAdapter + "layers.0.mlp.up.a").Shape)
		}),
		"transposed moment": edit(t, good, func(f *safetensors.File) {
			slices.Reverse(f.Find(nsSecond + "layers.0.mlp.up.b").Shape)
		}),
		"negative variance": edit(t, good, func(f *safetensors.File) { f.Find(nsSecond + "layers.0.mlp.up.b").Data[5] = -1e-9 }),
		"not finite":        edit(t, good, func(f *safetensors.File) { f.Tensors[3].Data[0] /= 0 }),
	} {
		if _, _, err := decode(b); !errors.Is(err, ErrCheckpoint) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if _, _, err := decode(good); err != nil {
		t.Errorf("the good one: %v", err)
	}
}

// first makes a file of the first version of a checkpoint.
func first(t *testing.T, b []byte) []byte {
	t.Helper()
	return edit(t, b, func(f *safetensors.File) {
		f.Metadata["checkpoint"] = checkpointFirst
		for _, key := range []string{metaDigest, "ref_reset", "adam_born"} {
			delete(f.Metadata, key)
		}
	})
}

// People's stores hold files of the first version: they are read as before, without a digest.
func TestFirstVersionIsRead(t *testing.T) {
	for _, rank := range []string{fullRank, "4"} {
		b := checkpointOf(t, rank)
		now, _, err := decode(b)
		if err != nil {
			t.Fatal(err)
		}
		old, _, err := decode(first(t, b))
		if err != nil || !reflect.DeepEqual(now, old) {
			t.Errorf("rank %s: the states differ, error %v", rank, err)
		}
	}
}

// One wrong bit, in any tensor or in the header, and the file is refused.
func TestAFlippedBitIsRefused(t *testing.T) {
	good := checkpointOf(t, "2")
	f, err := safetensors.Decode(good)
	if err != nil {
		t.Fatal(err)
	}
	flipped := slices.Clone(good)
	refused := func(at int, what string) {
		bit := byte(1) << (at % 8)
		flipped[at] ^= bit
		if _, _, err := decode(flipped); !errors.Is(err, ErrCheckpoint) {
			t.Errorf("%s: bit %d of byte %d flipped: error %v", what, at%8, at, err)
		}
		flipped[at] ^= bit
	}
	at := 8 + int(binary.LittleEndian.Uint64(good))
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range at {
		if i < 8 || i%5 == 0 {
			refused(i, "header")
		}
	}
	for _, ten := range f.Tensors {
		refused(at+rng.IntN(4*len(ten.Data)), ten.Name)
		at += 4 * len(ten.Data)
	}
	if at != len(good) || !bytes.Equal(flipped, good) {
		t.Errorf("looked at %d bytes of %d", at, len(good))
	}
}

// foreign is a well-formed checkpoint of another shape.
func foreign(t *testing.T, tk *task.Task, c policy.Config, change func(*learner)) []byte {
	t.Helper()
	w := c.Init(rand.New(rand.NewPCG(1, 1)))
	root, err := shipped(tk, 1)
	if err != nil {
		t.Fatal(err)
	}
	if c == root.model.Config {
		w = root.model.W
	}
	l := &learner{task: tk, state: state{
		baseNumber: 1, baseID: root.baseID, model: policy.NewModel(c, w), opt: optim.New(len(w)), reference: w, refID: weightsID(w),
	}}
	if change != nil {
		change(l)
	}
	b, err := l.encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A checkpoint must descend from the base that is asked for: another shape would crash or train something else in silence.
func TestLoadRefusesWhatDoesNotDescendFromTheBase(t *testing.T) {
	tk, root := base(t, "sort")
	c := root.model.Config
	shape := func(change func(*policy.Config)) []byte {
		other := c
		change(&other)
		return foreign(t, tk, other, nil)
	}
	for _, k := range []struct {
		name string
		b    []byte
		base int
		want string
	}{
		{"good", foreign(t, tk, c, nil), 1, ""},
		{"no base asked for", foreign(t, tk, c, nil), 0, ""},
		{"5 tokens", shape(func(c *policy.Config) { c.Vocab = 5 }), 1, "shape"},
		{"context of 10", shape(func(c *policy.Config) { c.Context = 10 }), 1, "shape"},
		{"200 tokens, context of 20", shape(func(c *policy.Config) { c.Vocab, c.Context = 200, 20 }), 1, "shape"},
		{"another width", shape(func(c *policy.Config) { c.Dim = 64 }), 1, "shape"},
		{"base 3 asked for", foreign(t, tk, c, nil), 3, "descends from base 1, wanted is base 3"},
		{"base 77", foreign(t, tk, c, func(l *learner) { l.baseNumber = 77 }), 0, "no base 77"},
		{"base 2 in name", foreign(t, tk, c, func(l *learner) { l.baseNumber = 2 }), 2, "descends from the weights"},
		{"other base weights", foreign(t, tk, c, func(l *learner) { l.baseID = "0123456789abcdef" }), 1, "descends from the weights"},
	} {
		_, err := load(tk, k.base, "", k.b)
		if k.want == "" && err != nil || k.want != "" && (!errors.Is(err, ErrCheckpoint) || !strings.Contains(err.Error(), k.want)) {
			t.Errorf("%s: error %v, want %q", k.name, err, k.want)
		}
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
