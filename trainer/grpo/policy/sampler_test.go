package policy

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"llmzero/trainer/grpo/kernel"
	"llmzero/trainer/grpo/team"
)

const end = 2

func randomNet(seed uint64, c Config) *Net {
	rng := rand.New(rand.NewPCG(seed, 1))
	w := c.Init(rng)
	for i := range w {
		w[i] += float32(rng.NormFloat64() * 0.2)
	}
	net := NewNet(c)
	net.Load(w)
	return net
}

func prompts(seed uint64, c Config, n, longest int) [][]uint8 {
	rng := rand.New(rand.NewPCG(seed, 2))
	out := make([][]uint8, n)
	for i := range out {
		out[i] = make([]uint8, 1+rng.IntN(longest))
		for j := range out[i] {
			out[i][j] = uint8(rng.IntN(c.Vocab))
		}
	}
	return out
}

// The sampler's cached, compacted decoding must agree to the bit with a plain forward pass over each whole row.
func TestSampledLogProbsAreThoseOfTheForwardPass(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		o := Sampling{
			Temperature: rapid.SampledFrom([]float64{0.5, 1, 1.7}).Draw(t, "temperature"),
			TopP:        rapid.SampledFrom([]float64{1, 0.8}).Draw(t, "top_p"),
			MaxNew:      rapid.IntRange(1, 30).Draw(t, "max"), End: end, Stream: NewStream(seed),
		}
		net, tm := randomNet(seed, tiny), team.New(2)
		defer tm.Close()
		ps := prompts(seed, tiny, rapid.IntRange(1, 5).Draw(t, "prompts"), 12)
		n := rapid.IntRange(1, 4).Draw(t, "n")
		var c Completions
		NewSampler(net, tm).Sample(&c, ps, n, o)
		for r := range c.Len {
			row, prompt := c.Row(r), ps[r/n]
			if total := len(row) + len(prompt); total > tiny.Context {
				t.Fatalf("row %d has %d tokens, the context %d", r, total, tiny.Context)
			}
			if room := min(o.MaxNew, tiny.Context-longest(ps)); !c.Ended[r] && len(row) != room {
				t.Fatalf("row %d was cut at %d tokens, with room for %d", r, len(row), room)
			}
			if i := slices.Index(row, end); (i >= 0) != c.Ended[r] || (i >= 0 && i != len(row)-1) {
				t.Fatalf("row %d: end token at %d of %d, ended %v", r, i, len(row), c.Ended[r])
			}
			var b Batch
			var tape Tape
			b.Add(append(slices.Clone(prompt), row[:len(row)-1]...), Seq{})
			b.Want(len(prompt)-1, len(prompt)-1+len(row))
			net.Forward(&tape, &b)
			for i, tok := range row {
				logits := tape.Logits[i*tiny.Vocab : (i+1)*tiny.Vocab]
				inv := float32(1 / o.Temperature)
				want := inv * logits[tok]
				want -= kernel.Softmax(logits, inv)
				if got := c.LogP[r*c.MaxNew+i]; got != want {
					t.Fatalf("row %d token %d: sampler's log-probability %g, forward's %g", r, i, got, want)
				}
			}
		}
	})
}

func longest(ps [][]uint8) int {
	n := 0
	for _, p := range ps {
		n = max(n, len(p))
	}
	return n
}

func TestSamplesDoNotDependOnWorkers(t *testing.T) {
	ps := prompts(3, tiny, 37, 10)
	var want Completions
	for _, workers := range []int{1, 2, 3} {
		tm := team.New(workers)
		var c Completions
		NewSampler(randomNet(9, tiny), tm).Sample(&c, ps, 5, Sampling{Temperature: 1, MaxNew: 9, End: end, Stream: NewStream(4)})
		tm.Close()
		if workers == 1 {
			want = c
			continue
		}
		for r := range c.Len {
			if !slices.Equal(c.Row(r), want.Row(r)) {
				t.Fatalf("%d workers: row %d is %v, with one worker %v", workers, r, c.Row(r), want.Row(r))
			}
		}
	}
}

// The first token's frequencies must follow the softmax, and those outside the nucleus must never come.
func TestFrequencies(t *testing.T) {
	net, tm := randomNet(11, tiny), team.New(2)
	defer tm.Close()
	prompt := [][]uint8{{1, 5, 3}}
	var b Batch
	var tape Tape
	b.Add(prompt[0], Seq{})
	b.Want(2, 3)
	const draws = 20000
	for _, o := range []Sampling{{Temperature: 1}, {Temperature: 2.5}, {Temperature: 1, TopP: 0.7}} {
		o.MaxNew, o.End, o.Stream = 1, end, NewStream(8)
		var c Completions
		NewSampler(net, tm).Sample(&c, prompt, draws, o)
		count := make([]float64, tiny.Vocab)
		for _, tok := range c.Tokens {
			count[tok]++
		}
		net.Forward(&tape, &b)
		p := slices.Clone(tape.Logits)
		kernel.Softmax(p, float32(1/o.Temperature))
		if o.TopP > 0 {
			truncate(p, float32(o.TopP))
		}
		for tok, want := range p {
			sd := math.Sqrt(float64(want)*(1-float64(want))/draws) + 1e-9
			if got := count[tok] / draws; math.Abs(got-float64(want)) > 5*sd || (want == 0) != (got == 0 && want < 1e-4) && want == 0 {
				t.Errorf("T %g top-p %g: token %d came %.4f of the time, want %.4f", o.Temperature, o.TopP, tok, got, want)
			}
		}
	}
}

// truncate keeps the nucleus of p and renormalises it.
func truncate(p []float32, topP float32) {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		if p[a] > p[b] {
			return -1
		}
		return 1
	})
	var mass float32
	for _, i := range order {
		if mass >= topP {
			p[i] = 0
		}
		mass += p[i]
	}
	var sum float32
	for _, v := range p {
		sum += v
	}
	for i := range p {
		p[i] /= sum
	}
}

func TestGreedyTakesTheLikeliest(t *testing.T) {
	net, tm := randomNet(12, tiny), team.New(1)
	defer tm.Close()
	var c Completions
	NewSampler(net, tm).Sample(&c, [][]uint8{{1, 2, 3}}, 3, Sampling{MaxNew: 6, End: end, Stream: NewStream(1)})
	if !slices.Equal(c.Row(0), c.Row(1)) || !slices.Equal(c.Row(1), c.Row(2)) {
		t.Errorf("greedy rows differ: %v %v %v", c.Row(0), c.Row(1), c.Row(2))
	}
}

func BenchmarkSample(b *testing.B) {
	for name, c := range map[string]Config{"27k": Small(32, 48), "104k": Large(32, 48)} {
		b.Run(name, func(b *testing.B) {
			net, tm := randomNet(1, c), team.New(2)
			defer tm.Close()
			s, ps := NewSampler(net, tm), prompts(1, c, 16, 12)
			var out Completions
			o := Sampling{Temperature: 1, MaxNew: 24, End: 255, Stream: NewStream(1)}
			s.Sample(&out, ps, 8, o)
			tokens := 0
			b.ReportAllocs()
			for b.Loop() {
				s.Sample(&out, ps, 8, o)
				for _, n := range out.Len {
					tokens += n
				}
			}
			b.ReportMetric(float64(tokens)/b.Elapsed().Seconds(), "tokens/s")
		})
	}
}
