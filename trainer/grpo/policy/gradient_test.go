package policy

import (
	"math"
	"math/rand/v2"
	"testing"
)

// tiny is small enough for finite differences of every weight, and has two heads and two layers.
var tiny = Config{Vocab: 11, Dim: 32, Layers: 2, FF: 32, Context: 20}

// shared is a batch with two prompts, completions that continue them, and one sequence without a prefix.
func shared(rng *rand.Rand, c Config) (*Batch, []uint8) {
	b := &Batch{}
	draw := func(n int) []uint8 {
		ids := make([]uint8, n)
		for i := range ids {
			ids[i] = uint8(rng.IntN(c.Vocab))
		}
		return ids
	}
	early := b.Add(draw(6), Seq{}) // these two lie before all outputs
	b.Add(draw(2), Seq{})
	for _, plen := range []int{5, 3, 0} {
		prompt := early
		if plen > 0 {
			prompt = b.Add(draw(plen), Seq{})
		}
		for _, n := range []int{4, 1, 7} {
			s := b.Add(draw(n), prompt)
			b.Want(s.Start, s.Start+s.Len)
		}
	}
	s := b.Add(draw(9), Seq{})
	b.Want(s.Start+4, s.Start+9)
	return b, draw(len(b.Out))
}

func meanLoss(net *Net, t *Tape, b *Batch, w []float32, targets []uint8) float64 {
	net.Load(w)
	net.Forward(t, b)
	return CrossEntropy(t.Logits, targets, net.Vocab, 1/float32(len(targets))) / float64(len(targets))
}

// relative is |a-b| against the norm of the tensor's gradient, so that rounding of tiny elements does not count.
func checkTensor(t *testing.T, name string, numeric, exact []float64) {
	t.Helper()
	var diff, norm float64
	for i := range numeric {
		diff += (numeric[i] - exact[i]) * (numeric[i] - exact[i])
		norm += exact[i] * exact[i]
	}
	if rel := math.Sqrt(diff) / (math.Sqrt(norm) + 1e-8); rel > 1e-3 || norm == 0 {
		t.Errorf("%s: relative error %.2g of a gradient of norm %.3g", name, rel, math.Sqrt(norm))
	}
}

func TestGradientsOfEveryTensor(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	w := tiny.Init(rng)
	for i := range w { // gains away from 1, embeddings large enough to matter
		w[i] += float32(rng.NormFloat64() * 0.1)
	}
	b, targets := shared(rng, tiny)
	net, tape := NewNet(tiny), &Tape{}
	meanLoss(net, tape, b, w, targets)
	grad := make([]float32, tiny.Size())
	net.Backward(tape, tape.Logits, grad)

	for _, ten := range tiny.Layout() {
		var numeric, exact []float64
		for _, i := range rng.Perm(ten.Size())[:min(ten.Size(), 48)] {
			at := ten.Offset + i
			numeric = append(numeric, central(w, at, func() float64 { return meanLoss(net, tape, b, w, targets) }))
			exact = append(exact, float64(grad[at]))
		}
		checkTensor(t, ten.Name, numeric, exact)
	}
}

// central is the fourth-order central difference of f in w[i].
func central(w []float32, i int, f func() float64) float64 {
	const h = 2e-2
	was := w[i]
	at := func(k float32) float64 {
		w[i] = was + k*h
		return f()
	}
	d := (8*(at(1)-at(-1)) - (at(2) - at(-2))) / (12 * h)
	w[i] = was
	return d
}

// Completions that share their prompt's rows must get the logits, and give the gradients, of whole sequences.
func TestSharedPrefixIsExact(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	w := tiny.Init(rng)
	net := NewNet(tiny)
	net.Load(w)
	prompt, comp := []uint8{1, 4, 2, 9}, [][]uint8{{3, 5, 5}, {8}}
	var a, b Batch
	pre := a.Add(prompt, Seq{})
	var targets []uint8
	for _, c := range comp {
		s := a.Add(c, pre)
		a.Want(s.Start, s.Start+s.Len)
		whole := b.Add(append(append([]uint8(nil), prompt...), c...), Seq{})
		b.Want(whole.Start+len(prompt), whole.Start+whole.Len)
		for range c {
			targets = append(targets, uint8(rng.IntN(tiny.Vocab)))
		}
	}
	var ta, tb Tape
	net.Forward(&ta, &a)
	net.Forward(&tb, &b)
	for i := range ta.Logits {
		if ta.Logits[i] != tb.Logits[i] {
			t.Fatalf("logit %d: shared %g, whole %g", i, ta.Logits[i], tb.Logits[i])
		}
	}
	ga, gb := make([]float32, tiny.Size()), make([]float32, tiny.Size())
	CrossEntropy(ta.Logits, targets, tiny.Vocab, 1)
	CrossEntropy(tb.Logits, targets, tiny.Vocab, 1)
	net.Backward(&ta, ta.Logits, ga)
	net.Backward(&tb, tb.Logits, gb)
	for i := range ga {
		if math.Abs(float64(ga[i]-gb[i])) > 1e-4*(1+math.Abs(float64(gb[i]))) {
			t.Fatalf("gradient %d: shared %g, whole %g", i, ga[i], gb[i])
		}
	}
}
