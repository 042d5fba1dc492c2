package grpo

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"llmzero/trainer/grpo/kernel"
	"llmzero/trainer/grpo/policy"
)

// lossCase is a whole GRPO loss of fixed completions as a function of the weights.
type lossCase struct {
	net   *policy.Net
	tape  policy.Tape
	batch policy.Batch
	in    tokens
	o     objective
}

var lossConfig = policy.Config{Vocab: 11, Dim: 32, Layers: 2, FF: 32, Context: 20}

// newLossCase draws two groups of three completions whose old log-probabilities differ from the policy's by enough for some
// ratios to be clipped on either side.
func newLossCase(rng *rand.Rand, w []float32, lossType string) *lossCase {
	c := &lossCase{net: policy.NewNet(lossConfig), o: objective{invT: 1 / 0.8, low: 0.2, high: 0.28, beta: 0.3, entropy: 0.05}}
	draw := func(n int) []uint8 {
		ids := make([]uint8, n)
		for i := range ids {
			ids[i] = uint8(rng.IntN(lossConfig.Vocab))
		}
		return ids
	}
	lens := []int{4, 1, 6, 3, 5, 2}
	for g := range 2 {
		prompt := draw(4)
		pre := c.batch.Add(prompt[:3], policy.Seq{})
		for _, n := range lens[3*g : 3*g+3] {
			comp := draw(n)
			s := c.batch.Continue(prompt[3], comp[:n-1], pre)
			c.batch.Want(s.Start, s.Start+n)
			c.in.target = append(c.in.target, comp...)
			adv := float32(rng.NormFloat64())
			for range n {
				c.in.advantage = append(c.in.advantage, adv)
				c.in.weight = append(c.in.weight, tokenWeight(lossType, n, 6, len(lens), 21))
			}
		}
	}
	c.net.Load(w)
	c.net.Forward(&c.tape, &c.batch)
	c.in.old = make([]float32, len(c.in.target))
	c.o.logProbs(c.in.old, c.tape.Logits, lossConfig.Vocab, c.in.target)
	c.in.ref = append([]float32(nil), c.in.old...)
	for i := range c.in.old {
		c.in.old[i] += float32(rng.NormFloat64() * 0.4)
		c.in.ref[i] += float32(rng.NormFloat64() * 0.4)
	}
	return c
}

func (c *lossCase) loss(w []float32) sums {
	c.net.Load(w)
	c.net.Forward(&c.tape, &c.batch)
	return c.o.apply(c.tape.Logits, lossConfig.Vocab, &c.in)
}

// The gradient of the whole loss (clipped ratio, k3 KL, entropy, temperature) against finite differences: every loss type,
// full training and LoRA, on every kernel path. Elements are compared per tensor, against the gradient's norm.
func TestGradientOfTheWholeLoss(t *testing.T) {
	was := kernel.Path()
	defer func() {
		if err := kernel.Use(was); err != nil {
			t.Error(err)
		}
	}()
	for _, path := range kernel.Paths() {
		if err := kernel.Use(path); err != nil {
			t.Fatal(err)
		}
		types := []string{lossGRPO, lossDrGRPO, lossDAPO}
		if path != was {
			types = types[2:] // the loss types are the same code on every path
		}
		for _, lossType := range types {
			for _, rank := range []int{0, 4} {
				t.Run(fmt.Sprintf("%s/%s/rank %d", path, lossType, rank), func(t *testing.T) { checkLoss(t, lossType, rank) })
			}
		}
	}
}

// checkLoss compares eight elements of every trained tensor.
func checkLoss(t *testing.T, lossType string, rank int) {
	rng := rand.New(rand.NewPCG(3, uint64(rank)))
	w := lossConfig.Init(rng)
	for i := range w {
		w[i] += float32(rng.NormFloat64() * 0.1)
	}
	m := policy.NewModel(lossConfig, w)
	m.SetRank(rank, rng)
	for i := range m.Factor { // b starts at zero, which would leave a without gradient
		m.Factor[i] += float32(rng.NormFloat64() * 0.1)
	}
	m.Update()
	c := newLossCase(rng, m.W, lossType)
	s := c.loss(m.W)
	if s.clippedLow == 0 || s.clippedHigh == 0 {
		t.Fatalf("the case clips %g low and %g high, want some of both", s.clippedLow, s.clippedHigh)
	}
	full := make([]float32, lossConfig.Size())
	c.net.Backward(&c.tape, c.tape.Logits, full)
	grad := append([]float32(nil), m.Gradient(full)...)
	x := m.Trained()
	for _, ten := range m.TrainedTensors() {
		var diff, norm float64
		for _, i := range rng.Perm(ten.Size())[:min(ten.Size(), 8)] {
			at := ten.Offset + i
			f := func(h float32) float64 {
				old := x[at]
				x[at] = old + h
				m.Update()
				v := c.loss(m.W).loss
				x[at] = old
				return v
			}
			// Rounding spoils small steps and curvature large ones, so the nearer of two counts.
			miss := math.Inf(1)
			for _, h := range []float32{5e-3, 1e-2} {
				numeric := (8*(f(h)-f(-h)) - (f(2*h) - f(-2*h))) / (12 * float64(h))
				miss = min(miss, math.Abs(numeric-float64(grad[at])))
			}
			diff += miss * miss
			norm += float64(grad[at]) * float64(grad[at])
		}
		if rel := math.Sqrt(diff) / (math.Sqrt(norm) + 1e-9); rel > 1e-3 || norm == 0 {
			t.Errorf("%s: relative error %.2g of a gradient of norm %.2g", ten.Name, rel, math.Sqrt(norm))
		}
	}
}

// At the policy that sampled, all ratios are 1: the loss is minus the weighted advantages, nothing is clipped and the KL to
// itself is 0.
func TestLossAtTheSamplingPolicy(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	w := lossConfig.Init(rng)
	c := newLossCase(rng, w, lossDAPO)
	c.o.entropy = 0
	c.net.Load(w)
	c.net.Forward(&c.tape, &c.batch)
	c.o.logProbs(c.in.old, c.tape.Logits, lossConfig.Vocab, c.in.target)
	copy(c.in.ref, c.in.old)
	s := c.loss(w)
	want := 0.0
	for i, a := range c.in.advantage {
		want -= float64(a * c.in.weight[i])
	}
	if math.Abs(s.loss-want) > 1e-6 || s.kl > 1e-9 || s.clippedHigh+s.clippedLow > 0 {
		t.Errorf("loss %g, want %g; KL %g; %g clipped", s.loss, want, s.kl, s.clippedHigh+s.clippedLow)
	}
	if h := s.entropy / s.tokens; h <= 0 || h > math.Log(float64(lossConfig.Vocab))+1e-6 {
		t.Errorf("entropy %g of %d tokens", h, lossConfig.Vocab)
	}
}

func TestAdvantages(t *testing.T) {
	rewards := []float32{1, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0}
	right := make([]bool, len(rewards))
	for i, r := range rewards {
		right[i] = r > 0
	}
	out := make([]float32, len(rewards))
	near := func(name string, want ...float64) {
		t.Helper()
		for i, w := range want {
			if math.Abs(float64(out[i])-w) > 1e-3 {
				t.Errorf("%s: advantage %d is %g, want %g", name, i, out[i], w)
			}
		}
	}
	s := advantages(out, rewards, right, 4, scaleGroup)
	near(scaleGroup, 1.5, -0.5, -0.5, -0.5, 0, 0, 0, 0, 0)
	if s.zero != 2./3 || s.right != 1./3 || s.wrong != 1./3 || math.Abs(s.std-0.5/3) > 1e-9 || math.Abs(s.mean-5./12) > 1e-9 {
		t.Errorf("statistics %+v", s)
	}
	advantages(out, rewards, right, 4, scaleNone)
	near(scaleNone, 0.75, -0.25)
	advantages(out, rewards, right, 4, scaleBatch)
	near(scaleBatch, 0.75/0.51493, -0.25/0.51493)
}

func TestTokenWeights(t *testing.T) {
	for _, c := range []struct {
		loss string
		want float32
	}{{lossGRPO, 1. / (8 * 5)}, {lossDrGRPO, 1. / (8 * 12)}, {lossDAPO, 1. / 40}} {
		if got := tokenWeight(c.loss, 5, 12, 8, 40); math.Abs(float64(got-c.want)) > 1e-9 {
			t.Errorf("%s: %g, want %g", c.loss, got, c.want)
		}
	}
}

func TestOverlongShare(t *testing.T) {
	for _, c := range []struct {
		length int
		cut    bool
		want   float32
	}{{3, false, 0}, {12, false, 0}, {14, false, 0.5}, {16, false, 1}, {16, true, 1}} {
		if got := overlongShare(c.length, 16, c.cut); got != c.want {
			t.Errorf("length %d of 16: %g, want %g", c.length, got, c.want)
		}
	}
}
