package grpo

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"llmzero/engine/tree"
	"llmzero/trainer/grpo/task"
)

// objectiveOf is the objective that a learner makes of a configuration.
func objectiveOf(t *testing.T, c tree.Config) objective {
	t.Helper()
	tk, err := task.Lookup("sort")
	if err != nil {
		t.Fatal(err)
	}
	set, err := parse(tk, c)
	if err != nil {
		t.Fatal(err)
	}
	return (&learner{set: set}).objective()
}

// The loss of one token and its derivative, worked out by hand: below the bounds, between and above, for good and bad tokens, and
// the k3 estimate of the KL divergence on either side.
func TestLossOfOneToken(t *testing.T) {
	plain := objectiveOf(t, tree.Config{pLow: num(0.2), pHigh: num(0.3), pBeta: num(0)})
	held := objectiveOf(t, tree.Config{pLow: num(0.2), pHigh: num(0.3), pBeta: num(0.5)})
	for _, c := range []struct {
		name        string
		o           objective
		moved       float32 // logp - old: the log of the ratio
		toRef       float32 // ref - logp
		adv         float32
		loss, g, kl float64
		low, high   float64
	}{
		{name: "at the sampling policy", o: plain, adv: 2, loss: -2, g: -2},
		{name: "good, a little up", o: plain, moved: 0.1, adv: 2, loss: -2.210342, g: -2.210342},
		{name: "good, above 1.3", o: plain, moved: 0.4, adv: 2, loss: -2.6, g: 0, high: 1},
		{name: "good, just below 1.3", o: plain, moved: 0.25, adv: 2, loss: -2.568051, g: -2.568051},
		{name: "good, below 0.8", o: plain, moved: -0.5, adv: 2, loss: -1.213061, g: -1.213061},
		{name: "bad, a little down", o: plain, moved: -0.1, adv: -1.5, loss: 1.357256, g: 1.357256},
		{name: "bad, below 0.8", o: plain, moved: -0.5, adv: -1.5, loss: 1.2, g: 0, low: 1},
		{name: "bad, just above 0.8", o: plain, moved: -0.21, adv: -1.5, loss: 1.215876, g: 1.215876},
		{name: "bad, above 1.3", o: plain, moved: 0.4, adv: -1.5, loss: 2.237737, g: 2.237737},
		{name: "no advantage", o: plain, moved: 0.4},
		{name: "reference likes it more", o: held, toRef: 0.5, kl: 0.148721, loss: 0.074361, g: -0.324361},
		{name: "reference likes it less", o: held, toRef: -0.5, kl: 0.106531, loss: 0.053265, g: 0.196735},
		{name: "at the reference", o: held, adv: 1, loss: -1, g: -1},
		{name: "clipped, held", o: held, moved: 0.4, toRef: 0.5, adv: 2, kl: 0.148721, loss: -2.525639, g: -0.324361, high: 1},
	} {
		const logp = -1.25
		in := tokens{old: []float32{9, logp - c.moved}, ref: []float32{9, logp + c.toRef}, advantage: []float32{9, c.adv}}
		var s sums
		loss, g := c.o.token(&s, logp, &in, 1)
		for what, v := range map[string][2]float64{
			"loss": {float64(loss), c.loss}, "derivative": {float64(g), c.g}, "KL": {s.kl, c.kl}, "clipped low": {s.clippedLow, c.low},
			"clipped high": {s.clippedHigh, c.high},
		} {
			if math.Abs(v[0]-v[1]) > 3e-6 {
				t.Errorf("%s: %s %g, want %g", c.name, what, v[0], v[1])
			}
		}
	}
}

// Two tokens with the probabilities 1/4 and 3/4 at temperature 1, and 0.366 and 0.634 at 2.
func TestEntropyOfOneToken(t *testing.T) {
	for _, c := range []struct{ temperature, entropy float64 }{{1, 0.562335}, {2, 0.656806}} {
		o := objectiveOf(t, tree.Config{pTemp: num(c.temperature), pEntropy: num(0.1), pBeta: num(0)})
		in := tokens{target: []uint8{1}, old: []float32{0}, advantage: []float32{0}, weight: []float32{0.5}}
		s := o.apply([]float32{0, float32(math.Log(3))}, 2, &in)
		if math.Abs(s.entropy-c.entropy) > 2e-6 || math.Abs(s.loss+0.05*c.entropy) > 2e-6 || s.tokens != 1 {
			t.Errorf("temperature %g: entropy %g, want %g; loss %g", c.temperature, s.entropy, c.entropy, s.loss)
		}
	}
}

// Each loss type's weights in a real batch add up to what its definition says.
func TestLossWeightsOfABatch(t *testing.T) {
	tk, _ := base(t, "chain")
	room := task.Context - tk.PromptLen()
	if room >= 40 {
		t.Fatal("the task's prompts leave room for every length: no limit is cut")
	}
	for _, c := range []struct {
		loss   string
		length float64
	}{{lossGRPO, 8}, {lossDrGRPO, 8}, {lossDrGRPO, 40}, {lossDAPO, 8}} {
		_, st := base(t, "chain")
		set, err := parse(tk, quick(map[string]tree.Value{pLoss: tree.Choice(c.loss), pLength: num(c.length), pPrompts: num(9), pTemp: num(1.5)}))
		if err != nil {
			t.Fatal(err)
		}
		l := newLearner(tk, st, set, 2, oneWorker(t))
		l.draw()
		l.build()
		var weights []float32
		for i := range l.used {
			weights = append(weights, l.inputs[i].weight...)
		}
		tokens, at := 0, 0
		lengths := map[int]bool{}
		for _, n := range l.samples.Len {
			tokens += n
			lengths[n] = true
		}
		if len(lengths) < 2 {
			t.Fatal("all completions have one length: the case shows nothing")
		}
		for row, n := range l.samples.Len {
			want := map[string]float64{
				lossGRPO: 1 / (36 * float64(n)), lossDrGRPO: 1 / (36 * min(c.length, float64(room))), lossDAPO: 1 / float64(tokens),
			}[c.loss]
			for _, w := range weights[at : at+n] {
				if math.Abs(float64(w)-want) > 1e-6*want {
					t.Fatalf("%s, limit %g: a token of completion %d weighs %g, want %g", c.loss, c.length, row, w, want)
				}
			}
			at += n
		}
		if at != len(weights) {
			t.Errorf("%s: %d weights of %d tokens", c.loss, len(weights), at)
		}
	}
}

// The reference's log-probabilities are those of the sampling distribution: where it is the policy itself, they are the ones that
// were sampled, at any temperature.
func TestReferenceIsReadAtTheTemperature(t *testing.T) {
	for _, temperature := range []float64{0.6, 1, 1.7} {
		tk, st := base(t, "sort")
		set, err := parse(tk, quick(map[string]tree.Value{pTemp: num(temperature), pBeta: num(0.1)}))
		if err != nil {
			t.Fatal(err)
		}
		l := newLearner(tk, st, set, 2, oneWorker(t))
		l.draw()
		l.build()
		l.team.Do(l.used, l.forward)
		for i := range l.used {
			in := &l.inputs[i]
			for j, old := range in.old {
				if math.Abs(float64(in.ref[j]-old)) > 1e-4 {
					t.Fatalf("temperature %g: token %d of part %d has %g under the reference, %g when sampled", temperature, j, i, in.ref[j], old)
				}
			}
		}
	}
}

// Losses and gradients of fixed logits as PyTorch computes them; testdata/torch_reference.py wrote the file.
func TestLossAgainstPyTorch(t *testing.T) {
	b, err := os.ReadFile("testdata/loss_golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases []struct {
			LossType                   string `json:"loss_type"`
			Temperature, Epsilon, Beta float64
			High                       float64 `json:"epsilon_high"`
			EntropyCoef                float64 `json:"entropy_coef"`
			Limit                      int
			Lengths                    []int
			Advantage                  []float32
			Logits, Grad               [][]float32
			Target                     []int
			Old, Ref                   []float32
			Loss, KL, Entropy, Clipped float64
		}
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	clipped := 0.0
	for i, c := range file.Cases {
		l := &learner{set: settings{temperature: c.Temperature, low: c.Epsilon, high: c.High, beta: c.Beta, entropy: c.EntropyCoef}}
		in := tokens{old: c.Old, ref: c.Ref}
		var logits []float32
		for row, n := range c.Lengths {
			for range n {
				at := len(in.target)
				in.target = append(in.target, uint8(c.Target[at]))
				in.advantage = append(in.advantage, c.Advantage[row])
				in.weight = append(in.weight, tokenWeight(c.LossType, n, c.Limit, len(c.Lengths), len(c.Target)))
				logits = append(logits, c.Logits[at]...)
			}
		}
		vocab := len(c.Logits[0])
		s := l.objective().apply(logits, vocab, &in)
		if c.Beta == 0 {
			c.KL = 0 // not computed then
		}
		for what, v := range map[string][2]float64{
			"loss": {s.loss, c.Loss}, "KL": {s.kl, c.KL}, "entropy": {s.entropy, c.Entropy}, "clipped": {s.clippedLow + s.clippedHigh, c.Clipped},
		} {
			if math.Abs(v[0]-v[1]) > 1e-5*(1+math.Abs(v[1])) {
				t.Errorf("case %d: %s %g, PyTorch has %g", i, what, v[0], v[1])
			}
		}
		for row, want := range c.Grad {
			for j, g := range want {
				if got := logits[row*vocab+j]; math.Abs(float64(got-g)) > 2e-6 {
					t.Errorf("case %d: gradient %d of token %d is %g, PyTorch has %g", i, j, row, got, g)
				}
			}
		}
		clipped += c.Clipped
	}
	if len(file.Cases) != 6 || clipped < 6 {
		t.Errorf("%d cases, %g clipped tokens", len(file.Cases), clipped)
	}
}
