package grpo

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	"llmzero/engine/tree"
	"llmzero/trainer/grpo/optim"
	"llmzero/trainer/grpo/task"
)

// knob runs the quick job with values over it and returns what it reported.
func knob(t *testing.T, steps int, resume []byte, over map[string]tree.Value) *recorder {
	t.Helper()
	_, r := runJob(t, 2, tree.Job{
		Task: "sort", Seed: 5, Config: quick(over), Resume: resume, Steps: steps, Checkpoints: 1, ValSamples: 16,
	})
	return r
}

func num(x float64) tree.Value { return tree.Number(x) }

// mean is the average of a metric over all points, NaN when one lacks it.
func mean(r *recorder, metric string) float64 {
	var sum float64
	for _, p := range r.points {
		v, ok := p.Values[metric]
		if !ok {
			return math.NaN()
		}
		sum += v
	}
	return sum / float64(len(r.points))
}

func last(r *recorder) tree.Point { return r.points[len(r.points)-1] }

// Every parameter must change what is learnt, all else equal.
func TestEveryKnobActs(t *testing.T) {
	// Ratios reach the clip bounds, and gradients the norm, only when steps are large and batches used twice.
	common := map[string]tree.Value{pRate: num(3e-3), pEpochs: num(4), pOverlong: num(0.5), pLength: num(8)}
	start := knob(t, 2, nil, common).checks[0].Data
	run := func(name string, v tree.Value) []byte {
		over := map[string]tree.Value{name: v}
		for k, x := range common {
			if k != name {
				over[k] = x
			}
		}
		return tensorsOf(t, knob(t, 4, start, over).checks[0].Data)
	}
	other := map[string]tree.Value{
		pRate: num(1e-3), pBeta: num(0.5), pTemp: num(1.3), pTopP: num(0.7), pLow: num(0.05), pHigh: num(0.06), pEntropy: num(0.05),
		pDecay: num(0.5), pMaxNorm: num(0.1), pOverlong: num(1), pReset: tree.Choice(resetOn), pLength: num(14), pGroup: num(6),
		pPrompts: num(7), pRank: tree.Choice("4"), pEpochs: num(3), pScale: tree.Choice(scaleNone), pLoss: tree.Choice(lossDrGRPO),
		pDifficulty: num(3), pMix: tree.Choice(task.Easy.String()),
	}
	for _, p := range Space().Params {
		v, ok := other[p.Name]
		if !ok {
			t.Errorf("%s has no case here", p.Name)
			continue
		}
		def := p.Default
		if c, ok := common[p.Name]; ok {
			def = c
		}
		a, again, b := run(p.Name, def), run(p.Name, def), run(p.Name, v)
		if !bytes.Equal(a, again) {
			t.Errorf("%s: two equal runs differ", p.Name)
		}
		if bytes.Equal(a, b) {
			t.Errorf("%s: %s and %s train the same policy", p.Name, def, v)
		}
	}
}

// tensorsOf cuts the metadata off a checkpoint.
func tensorsOf(t *testing.T, b []byte) []byte {
	t.Helper()
	st, _, err := decode(b)
	if err != nil {
		t.Fatal(err)
	}
	return []byte(weightsID(st.model.W))
}

func TestTemperatureWidensTheSamplingDistribution(t *testing.T) {
	cold := knob(t, 3, nil, map[string]tree.Value{pTemp: num(0.5)})
	hot := knob(t, 3, nil, map[string]tree.Value{pTemp: num(1.5)})
	if c, h := mean(cold, tree.MetricEntropy), mean(hot, tree.MetricEntropy); c >= h {
		t.Errorf("entropy %.3f at T 0.5, %.3f at 1.5", c, h)
	}
}

func TestKLTermHoldsThePolicy(t *testing.T) {
	free := knob(t, 40, nil, map[string]tree.Value{pBeta: num(1e-3), pRate: num(1e-3)})
	held := knob(t, 40, nil, map[string]tree.Value{pBeta: num(1), pRate: num(1e-3)})
	if f, h := last(free).Values[tree.MetricKL], last(held).Values[tree.MetricKL]; h >= 0.8*f {
		t.Errorf("KL %.4f with beta 0.001, %.4f with beta 1", f, h)
	}
	off := knob(t, 1, nil, map[string]tree.Value{pBeta: num(0)})
	if _, ok := last(off).Values[tree.MetricKL]; ok {
		t.Error("a KL was reported without a reference pass")
	}
}

func TestEntropyBonusKeepsEntropy(t *testing.T) {
	without := knob(t, 60, nil, map[string]tree.Value{pRate: num(1e-3), pBeta: num(0)})
	with := knob(t, 60, nil, map[string]tree.Value{pRate: num(1e-3), pBeta: num(0), pEntropy: num(0.1)})
	if a, b := last(without).Values[tree.MetricEntropy], last(with).Values[tree.MetricEntropy]; a >= b {
		t.Errorf("entropy %.3f without the bonus, %.3f with it", a, b)
	}
}

func TestClipBounds(t *testing.T) {
	// One step of two passes: the first, where all ratios are 1, makes the same update whatever the bounds.
	common := func(low, high float64) *recorder {
		return knob(t, 1, nil, map[string]tree.Value{pEpochs: num(2), pRate: num(5e-3), pPrompts: num(16), pLow: num(low), pHigh: num(high)})
	}
	tight, wide := common(0.05, 0.05), common(0.5, 1)
	for _, m := range []string{metricClipLow, metricClipHigh} {
		if a, b := mean(tight, m), mean(wide, m); a <= b {
			t.Errorf("%s: %.4f with tight bounds, %.4f with wide ones", m, a, b)
		}
	}
	once := knob(t, 2, nil, map[string]tree.Value{pLow: num(0.05), pHigh: num(0.05)})
	if c := mean(once, tree.MetricClip); c != 0 {
		t.Errorf("clip share %g on the first pass over a batch, where all ratios are 1", c)
	}
}

func TestWeightDecayShrinksTheProjections(t *testing.T) {
	norm := func(decay float64) (sum float64) {
		st, _, err := decode(knob(t, 20, nil, map[string]tree.Value{pDecay: num(decay), pRate: num(1e-3)}).checks[0].Data)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range st.model.W {
			sum += float64(v) * float64(v)
		}
		return sum
	}
	if a, b := norm(0), norm(1); b >= a {
		t.Errorf("squared norm %.2f without decay, %.2f with", a, b)
	}
}

func TestBatchShape(t *testing.T) {
	tk, err := task.Lookup("sort")
	if err != nil {
		t.Fatal(err)
	}
	r := knob(t, 1, nil, map[string]tree.Value{
		pPrompts: num(6), pGroup: num(5), pLength: num(3), pEpochs: num(3), pDifficulty: num(3),
	})
	v := last(r).Values
	sampled := 30 * v[tree.MetricLength]
	prompts := float64(30 * tk.PromptLen())
	if got, want := v[tree.MetricTokens], 4*(sampled+prompts); math.Abs(got-want) > 1e-6 {
		t.Errorf("%g tokens of 6 prompts x 5 samples in 3 epochs, want %g", got, want)
	}
	if v[tree.MetricLength] > 3 || v[tree.MetricTruncated] == 0 {
		t.Errorf("mean length %g, truncated %g with a limit of 3", v[tree.MetricLength], v[tree.MetricTruncated])
	}
	for _, s := range r.samples {
		if s.Difficulty > 3 {
			t.Errorf("a problem of difficulty %d under a cap of 3", s.Difficulty)
		}
		if len(s.Completion) > 3 || (s.Truncated && s.Reward > 0) {
			t.Errorf("sample %+v", s)
		}
	}
}

func TestOverlongPenaltyLowersTheReward(t *testing.T) {
	free := knob(t, 1, nil, map[string]tree.Value{pLength: num(6)})
	fined := knob(t, 1, nil, map[string]tree.Value{pLength: num(6), pOverlong: num(1)})
	a, b := last(free).Values, last(fined).Values
	if a[metricAccuracy] != b[metricAccuracy] || b[tree.MetricReward] >= a[tree.MetricReward] {
		t.Errorf("reward %.3f without, %.3f with the penalty; accuracy %.3f and %.3f",
			a[tree.MetricReward], b[tree.MetricReward], a[metricAccuracy], b[metricAccuracy])
	}
}

func TestReferenceReset(t *testing.T) {
	rate := map[string]tree.Value{pRate: num(2e-3)}
	first := knob(t, 10, nil, rate).checks[0].Data
	kept := knob(t, 1, first, rate)
	anew := knob(t, 1, first, map[string]tree.Value{pRate: num(2e-3), pReset: tree.Choice(resetOn)})
	if k := last(kept).Values[tree.MetricKL]; k < 1e-3 {
		t.Errorf("KL to the base is %.5f after 10 large steps", k)
	}
	if k := last(anew).Values[tree.MetricKL]; k > 1e-6 {
		t.Errorf("KL to the reference is %.5f right after its reset", k)
	}
	a, err := Inspect(kept.checks[0].Data)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Inspect(anew.checks[0].Data)
	if err != nil {
		t.Fatal(err)
	}
	if a.Reference != a.BaseID || b.Reference == b.BaseID {
		t.Errorf("base %s, reference kept %s and reset %s", a.BaseID, a.Reference, b.Reference)
	}
}

// A segment that holds on from a checkpoint in its middle keeps its reference: the whole and its two halves are the same.
func TestReferenceResetAcrossAResume(t *testing.T) {
	anew := map[string]tree.Value{pRate: num(2e-3), pReset: tree.Choice(resetOn)}
	parent := knob(t, 4, nil, map[string]tree.Value{pRate: num(2e-3)}).checks[0].Data
	run := func(seed uint64, steps int, from []byte) ([]byte, Info) {
		_, r := runJob(t, 2, tree.Job{Task: "sort", Seed: seed, Config: quick(anew), Resume: from, Steps: steps, Checkpoints: 1, ValSamples: 16})
		info, err := Inspect(r.checks[0].Data)
		if err != nil {
			t.Fatal(err)
		}
		return r.checks[0].Data, info
	}
	half, before := run(6, 3, parent)
	rest, _ := run(6, 3, half)
	if whole, _ := run(6, 6, parent); !bytes.Equal(whole, rest) {
		t.Error("the whole segment and its two halves left other checkpoints")
	}
	if _, next := run(7, 1, half); next.Reference == before.Reference || !next.Reset {
		t.Error("the next segment, of another seed, kept the reference")
	}
}

// Of several passes over a batch, the largest gradient norm is the one that is shown.
func TestGradNormIsTheLargestOfAllPasses(t *testing.T) {
	norms := func(epochs float64) (float64, *learner) {
		tk, st := base(t, "sort")
		set, err := parse(tk, quick(map[string]tree.Value{pEpochs: num(epochs), pRate: num(1e-2), pPrompts: num(16), pHigh: num(1), pLow: num(0.5)}))
		if err != nil {
			t.Fatal(err)
		}
		l := newLearner(tk, st, set, 3, oneWorker(t))
		r, err := l.doStep()
		if err != nil {
			t.Fatal(err)
		}
		return r.norm, l
	}
	one, l := norms(1)
	l.shards.Run(l.gradient) // the second pass of the same batch
	two := optim.Norm(l.model.Gradient(l.shards.Grad), l.spans)
	if two <= one {
		t.Fatalf("norms of the passes %g and %g: the case shows nothing", one, two)
	}
	if got, _ := norms(2); got != two {
		t.Errorf("the norm is %g, the passes have %g and %g", got, one, two)
	}
}

// A segment that only raises the rank must start from the function that was learnt and keep the moments of the columns that
// there were; new columns start as a fresh optimizer's would.
func TestLoRAGrowsBetweenSegments(t *testing.T) {
	const rate = 2e-3
	lora := func(rank string) map[string]tree.Value {
		return map[string]tree.Value{pRank: tree.Choice(rank), pRate: num(rate)}
	}
	small := knob(t, 10, nil, lora("4")).checks[0]
	tk, _ := base(t, "sort")
	st, _, err := decode(small.Data)
	if err != nil {
		t.Fatal(err)
	}
	before := slices.Clone(st.model.W)
	set, err := parse(tk, quick(lora("16")))
	if err != nil {
		t.Fatal(err)
	}
	l := newLearner(tk, st, set, 1, oneWorker(t))
	if weightsID(l.model.W) != weightsID(before) || l.model.Rank != 16 || l.opt.Steps != 10 {
		t.Errorf("rank %d after %d optimizer steps; same function: %v", l.model.Rank, l.opt.Steps, weightsID(l.model.W) == weightsID(before))
	}
	was := slices.Clone(l.model.Factor)
	if _, err := l.doStep(); err != nil {
		t.Fatal(err)
	}
	move := func(from, to int) (mean, top float64) { // of b, in learning rates
		var n float64
		for _, ten := range l.model.TrainedTensors() {
			if !strings.HasSuffix(ten.Name, ".b") {
				continue
			}
			for i := ten.Offset + from*ten.Cols; i < ten.Offset+to*ten.Cols; i++ {
				d := math.Abs(float64(l.model.Factor[i]-was[i])) / rate
				mean, top, n = mean+d, max(top, d), n+1
			}
		}
		return mean / n, top
	}
	if mean, top := move(4, 16); mean < 0.5 || top > 1.001 {
		t.Errorf("the first update of new columns is %.3f learning rates on average and %.3f at most, want 1", mean, top)
	}
	if mean, _ := move(0, 4); mean > 0.7 || mean < 0.02 {
		t.Errorf("an old column moved by %.3f learning rates on average, as a fresh optimizer's or not at all", mean)
	}
	back := knob(t, 1, small.Data, lora(fullRank)).checks[0]
	info, err := Inspect(back.Data)
	if err != nil {
		t.Fatal(err)
	}
	if info.Rank != 0 || info.AdamSteps != 1 || info.AdamBorn != nil {
		t.Errorf("back to full training: rank %d, %d optimizer steps, columns %v", info.Rank, info.AdamSteps, info.AdamBorn)
	}
}

// An adapter that grew twice goes on from a checkpoint to the bit, each column at its own age.
func TestGrownLoRAResumes(t *testing.T) {
	rank := func(r string) map[string]tree.Value {
		return map[string]tree.Value{pRank: tree.Choice(r), pRate: num(2e-3), pDecay: num(0.1)}
	}
	four := knob(t, 2, knob(t, 3, nil, rank("2")).checks[0].Data, rank("4")).checks[0].Data
	whole := knob(t, 4, four, rank("8")).checks[0].Data
	half := knob(t, 2, four, rank("8")).checks[0].Data
	if !bytes.Equal(whole, knob(t, 2, half, rank("8")).checks[0].Data) {
		t.Error("the whole segment and its two halves left other checkpoints")
	}
	info, err := Inspect(half)
	if want := []int{0, 0, 3, 3, 5, 5, 5, 5}; err != nil || !slices.Equal(info.AdamBorn, want) {
		t.Errorf("columns born at %v, want %v; error %v", info.AdamBorn, want, err)
	}
	// Every weight lies in one span.
	st, _, err := decode(half)
	if err != nil {
		t.Fatal(err)
	}
	seen := make([]int, len(st.model.Factor))
	for _, s := range spans(st.model, st.born, 0) {
		for i := s.From; i < s.To; i++ {
			seen[i]++
		}
	}
	if slices.Max(seen) != 1 || slices.Min(seen) != 1 {
		t.Errorf("a weight is in %d to %d spans", slices.Min(seen), slices.Max(seen))
	}
}
