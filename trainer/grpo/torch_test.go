package grpo

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"llmzero/engine/tree"
	"llmzero/trainer/grpo/policy"
	"llmzero/trainer/grpo/safetensors"
	"llmzero/trainer/grpo/task"
	"llmzero/trainer/grpo/team"
)

var torchCases = flag.String("torch-cases", "", "write the inputs, losses and gradients for testdata/torch_reference.py to this folder")

// TestWriteTorchCases writes one file for each loss type, with and without an adapter: the policy, a sampled batch, and what
// this trainer makes of it. testdata/torch_reference.py computes the same in PyTorch and compares.
func TestWriteTorchCases(t *testing.T) {
	if *torchCases == "" {
		t.Skip("no -torch-cases folder; testdata/bench.sh gives one")
	}
	for _, lossType := range []string{lossGRPO, lossDrGRPO, lossDAPO} {
		for _, rank := range []string{fullRank, "4"} {
			b, err := torchCase(lossType, rank, oneWorker(t))
			if err != nil {
				t.Fatal(err)
			}
			name := filepath.Join(*torchCases, fmt.Sprintf("%s-%s.safetensors", lossType, rank))
			if err := os.WriteFile(name, b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func torchCase(lossType, rank string, tm *team.Team) ([]byte, error) {
	tk, err := task.Lookup("mixed")
	if err != nil {
		return nil, err
	}
	st, err := load(tk, 1, "", nil)
	if err != nil {
		return nil, err
	}
	set, err := parse(tk, tree.Config{
		pLoss: tree.Choice(lossType), pRank: tree.Choice(rank), pPrompts: tree.Number(6), pGroup: tree.Number(4), pTemp: tree.Number(0.9),
		pBeta: tree.Number(0.2), pEntropy: tree.Number(0.05), pScale: tree.Choice(scaleNone), pLength: tree.Number(8),
	})
	if err != nil {
		return nil, err
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range st.reference {
		st.reference[i] += float32(rng.NormFloat64() * 0.02)
	}
	l := newLearner(tk, st, set, 9, tm)
	for i := range l.model.Factor {
		l.model.Factor[i] += float32(rng.NormFloat64() * 0.05)
	}
	l.model.Update()
	l.net.Load(l.model.W)
	l.draw()
	var r stepResult
	l.score(&r)
	for i := range l.samples.LogP {
		l.samples.LogP[i] += float32(rng.NormFloat64() * 0.3) // so that some ratios are clipped
	}
	for i := range l.rewards {
		l.rewards[i] += float32(rng.NormFloat64())
	}
	advantages(l.adv, l.rewards, l.right, set.group, set.scale)
	l.build()
	tm.Do(l.used, l.forward)
	l.shards.Run(l.gradient)
	var total sums
	for _, s := range l.totals[:l.used] {
		total.add(s)
	}
	return torchFile(l, total, l.model.Gradient(l.shards.Grad))
}

// torchFile lays a batch out as padded arrays: ids are floats, -1 is padding.
func torchFile(l *learner, total sums, grad []float32) ([]byte, error) {
	m, rows, width := l.model, len(l.rewards), task.Context
	f := &safetensors.File{Metadata: m.Metadata()}
	maps.Copy(f.Metadata, map[string]string{
		"loss_type": l.set.loss, "rank": strconv.Itoa(m.Rank), "limit": strconv.Itoa(l.limit()), "prompt": strconv.Itoa(l.task.PromptLen()),
		"temperature": fmt.Sprint(l.set.temperature), "beta": fmt.Sprint(l.set.beta), "epsilon": fmt.Sprint(l.set.low),
		"epsilon_high": fmt.Sprint(l.set.high), "entropy_coef": fmt.Sprint(l.set.entropy), "adapter_scale": fmt.Sprint(policy.AdapterScale),
	})
	weights := m.W
	if m.Rank > 0 {
		weights = m.Frozen
		for _, t := range m.TrainedTensors() {
			f.Tensors = append(f.Tensors, safetensors.Tensor{Name: nsAdapter + t.Name, Shape: []int{t.Rows, t.Cols}, Data: t.Of(m.Factor)})
		}
	}
	f.Tensors = append(f.Tensors, m.Tensors(nsPolicy, weights)...)
	f.Tensors = append(f.Tensors, m.Tensors(nsReference, l.reference)...)
	for _, t := range m.TrainedTensors() {
		f.Tensors = append(f.Tensors, safetensors.Tensor{Name: "grad." + t.Name, Shape: []int{t.Rows, t.Cols}, Data: t.Of(grad)})
	}
	ids, old := make([]float32, rows*width), make([]float32, rows*width)
	for row := range rows {
		at := ids[row*width : (row+1)*width]
		for i := range at {
			at[i] = -1
		}
		n := 0
		for _, id := range l.prompts[row/l.set.group] {
			at[n] = float32(id)
			n++
		}
		for i, id := range l.samples.Row(row) {
			at[n] = float32(id)
			old[row*width+n] = l.samples.LogP[row*l.samples.MaxNew+i]
			n++
		}
	}
	f.Tensors = append(f.Tensors,
		safetensors.Tensor{Name: "ids", Shape: []int{rows, width}, Data: ids},
		safetensors.Tensor{Name: "old", Shape: []int{rows, width}, Data: old},
		safetensors.Tensor{Name: "advantage", Shape: []int{rows}, Data: l.adv},
		safetensors.Tensor{Name: "totals", Shape: []int{4}, Data: []float32{
			float32(total.loss), float32(total.kl), float32(total.entropy), float32(total.clippedLow + total.clippedHigh),
		}})
	return safetensors.Encode(f)
}
