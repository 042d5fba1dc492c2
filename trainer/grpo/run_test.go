package grpo

import (
	"bytes"
	"context"
	"errors"
	"math"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"llmzero/engine/tree"
	"llmzero/trainer"
	"llmzero/trainer/grpo/kernel"
	"llmzero/trainer/grpo/task"
	"llmzero/trainer/grpo/team"
)

var _ trainer.Trainer = (*Trainer)(nil)

// quick is a configuration with small steps.
func quick(over map[string]tree.Value) tree.Config {
	c := Space().Defaults()
	c[pPrompts], c[pGroup] = tree.Number(4), tree.Number(4)
	for k, v := range over {
		c[k] = v
	}
	return c
}

type recorder struct {
	points  []tree.Point
	checks  []tree.Checkpoint
	samples []tree.Sample
	logs    []string
	stopAt  int
	stop    func()
}

func (r *recorder) report(rep tree.Report) error {
	switch {
	case rep.Point != nil:
		r.points = append(r.points, *rep.Point)
		if r.stopAt > 0 && len(r.points) == r.stopAt {
			r.stop()
		}
	case rep.Log != "":
		r.logs = append(r.logs, rep.Log)
	case rep.Checkpoint != nil:
		r.checks = append(r.checks, *rep.Checkpoint)
	}
	r.samples = append(r.samples, rep.Samples...)
	return nil
}

func runJob(t interface{ Fatal(...any) }, workers int, job tree.Job) (tree.Outcome, *recorder) {
	r := &recorder{}
	out, err := (&Trainer{Workers: workers}).Run(context.Background(), job, r.report)
	if err != nil {
		t.Fatal(err)
	}
	return out, r
}

func TestRunReports(t *testing.T) {
	job := tree.Job{Task: "sort", Base: 1, Seed: 3, Config: quick(nil), Steps: 10, Checkpoints: 4, ValSamples: 64}
	out, r := runJob(t, 2, job)
	if len(r.points) != 10 || r.points[9].Step != 10 {
		t.Fatalf("%d points, the last of step %d", len(r.points), r.points[len(r.points)-1].Step)
	}
	var steps []int
	for _, c := range r.checks {
		steps = append(steps, c.Step)
		if c.Val.N != 64 || c.Size != int64(len(c.Data)) {
			t.Errorf("checkpoint of step %d: %d validation samples, %d of %d bytes", c.Step, c.Val.N, c.Size, len(c.Data))
		}
	}
	if want := []int{3, 5, 8, 10}; !reflect.DeepEqual(steps, want) {
		t.Errorf("checkpoints at %v, want %v", steps, want)
	}
	if len(r.samples) != 4*samplesPerCheckpoint {
		t.Errorf("%d samples", len(r.samples))
	}
	cost := out.Cost
	if cost.Steps != 10 || cost.Tokens() != r.points[9].Tokens || cost.FLOP <= 0 || cost.WallSeconds <= 0 || cost.PeakMemory <= 0 || cost.EvalTokens <= 0 {
		t.Errorf("cost %+v", cost)
	}
	if cost.TrainedTokens != cost.PromptTokens+cost.SampledTokens {
		t.Errorf("one pass trained %d tokens, of %d prompt and %d sampled ones", cost.TrainedTokens, cost.PromptTokens, cost.SampledTokens)
	}
	for _, c := range out.Checkpoints {
		if c.Val.Mean > out.Val.Mean {
			t.Errorf("chosen is %.3f, the checkpoint of step %d has %.3f", out.Val.Mean, c.Step, c.Val.Mean)
		}
	}
	for _, name := range mustDescribe(t).Metrics {
		if _, ok := r.points[9].Values[name]; !ok {
			t.Errorf("the last point has no %s", name)
		}
	}
	if out.Chosen < 0 || out.Val != out.Checkpoints[out.Chosen].Val || len(out.Spark) != 10 {
		t.Errorf("chosen %d, val %+v, %d spark values", out.Chosen, out.Val, len(out.Spark))
	}
}

func mustDescribe(t *testing.T) tree.Description {
	t.Helper()
	d, err := (&Trainer{}).Describe(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDescriptionIsValid(t *testing.T) {
	d := mustDescribe(t)
	if err := d.Space.Validate(); err != nil {
		t.Error(err)
	}
	if len(d.Tasks) < 6 {
		t.Errorf("%d tasks", len(d.Tasks))
	}
	for _, k := range d.Tasks {
		s := d.SpaceOf(k.Name)
		if err := s.Validate(); err != nil {
			t.Errorf("%s: %v", k.Name, err)
		}
		if err := d.Space.Check(s.Defaults()); err != nil {
			t.Errorf("%s: a default outside the trainer's range: %v", k.Name, err)
		}
	}
	// A parameter that the configuration leaves out takes the task's default, not the trainer's.
	for _, name := range []string{"chain", "sort"} {
		tk, err := task.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		set, err := parse(tk, nil)
		if err != nil || set.length != tk.MaxCompletion || set.length == Space().Defaults().Int(pLength) || set.curriculum.Cap != tk.Difficulty.Hi {
			t.Errorf("%s: length %d, cap %d, error %v", name, set.length, set.curriculum.Cap, err)
		}
	}
}

// same compares two runs by everything but time.
func same(t *rapid.T, what string, a, b *recorder) {
	if !reflect.DeepEqual(a.points, b.points) {
		t.Fatalf("%s: points differ", what)
	}
	if len(a.checks) != len(b.checks) {
		t.Fatalf("%s: %d and %d checkpoints", what, len(a.checks), len(b.checks))
	}
	for i := range a.checks {
		if !bytes.Equal(a.checks[i].Data, b.checks[i].Data) || a.checks[i].Val != b.checks[i].Val {
			t.Fatalf("%s: checkpoint of step %d differs", what, a.checks[i].Step)
		}
	}
}

// configs draws configurations that use every kind of state.
func configs(t *rapid.T) tree.Config {
	return quick(map[string]tree.Value{
		pRank:    tree.Choice(rapid.SampledFrom([]string{"2", "4", fullRank}).Draw(t, "rank")),
		pBeta:    tree.Number(rapid.SampledFrom([]float64{0, 0.05}).Draw(t, "beta")),
		pEpochs:  tree.Number(float64(rapid.IntRange(1, 2).Draw(t, "epochs"))),
		pPrompts: tree.Number(rapid.SampledFrom([]float64{2, 3, 9}).Draw(t, "prompts")), // fewer and more than the shards
		pGroup:   tree.Number(2),
		pTopP:    tree.Number(rapid.SampledFrom([]float64{0.9, 1}).Draw(t, "top_p")),
		pEntropy: tree.Number(rapid.SampledFrom([]float64{0, 0.01}).Draw(t, "entropy")),
		pLoss:    tree.Choice(rapid.SampledFrom([]string{lossGRPO, lossDrGRPO, lossDAPO}).Draw(t, "loss")),
		pRate:    tree.Number(1e-3),
	})
}

func TestSameBitsForAnyNumberOfWorkers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		job := tree.Job{Task: "sort", Seed: rapid.Uint64().Draw(t, "seed"), Config: configs(t), Steps: 2, Checkpoints: 1, ValSamples: 8}
		_, one := runJob(t, 1, job)
		for _, workers := range []int{2, 3} {
			_, many := runJob(t, workers, job)
			same(t, "workers", one, many)
		}
	})
}

// runOn runs a job on one kernel path.
func runOn(t *testing.T, path string, job tree.Job) *recorder {
	t.Helper()
	was := kernel.Path()
	if err := kernel.Use(path); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := kernel.Use(was); err != nil {
			t.Error(err)
		}
	}()
	out, r := runJob(t, 2, job)
	if out.Kernel != path {
		t.Errorf("the outcome says %s ran, it was %s", out.Kernel, path)
	}
	return r
}

// The two paths of amd64 promise equal bits over a whole segment; the Go path rounds otherwise, so that its samples part
// from theirs at some time, but its first step is the same up to rounding.
func TestKernelPathsTrainAlike(t *testing.T) {
	cfg := quick(map[string]tree.Value{pRank: tree.Choice("4"), pEntropy: tree.Number(0.01), pEpochs: tree.Number(2)})
	job := tree.Job{Task: "sort", Seed: 11, Config: cfg, Steps: 5, Checkpoints: 1, ValSamples: 64}
	plain := runOn(t, "go", job)
	var amd64 *recorder
	for _, path := range kernel.Paths()[1:] {
		r := runOn(t, path, job)
		for name, v := range plain.points[0].Values {
			if got := r.points[0].Values[name]; math.Abs(got-v) > 1e-3*(1+math.Abs(v)) {
				t.Errorf("first step: %s is %g on %s and %g on go", name, got, path, v)
			}
		}
		if path != "avx2" && path != "avx512" {
			continue
		}
		if amd64 == nil {
			amd64 = r
		}
		if !reflect.DeepEqual(amd64.points, r.points) || amd64.checks[0].Val != r.checks[0].Val {
			t.Errorf("%s trained another policy than avx2", path)
		}
	}
}

func TestOtherKernelPathIsSaid(t *testing.T) {
	if len(kernel.Paths()) < 2 {
		t.Skip("this CPU has one path")
	}
	job := tree.Job{Task: "sort", Config: quick(nil), Steps: 1, Checkpoints: 1, ValSamples: 16}
	_, here := runJob(t, 1, job)
	there := runOn(t, "go", job)
	for what, c := range map[string]struct {
		from []byte
		said int
	}{"same": {here.checks[0].Data, 0}, "other": {there.checks[0].Data, 1}} {
		job.Resume = c.from
		if _, r := runJob(t, 1, job); len(r.logs) != c.said {
			t.Errorf("%s path: %d lines, want %d: %q", what, len(r.logs), c.said, r.logs)
		}
	}
}

func TestSameBitsAcrossAResume(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const steps = 4
		at := rapid.IntRange(1, steps-1).Draw(t, "resume at")
		job := tree.Job{Task: "sort", Seed: rapid.Uint64().Draw(t, "seed"), Config: configs(t), Steps: steps, Checkpoints: steps, ValSamples: 8}
		_, whole := runJob(t, 2, job)
		tail := job
		tail.Resume, tail.Steps, tail.Checkpoints = whole.checks[at-1].Data, steps-at, steps-at
		_, rest := runJob(t, 1, tail)
		for i := range rest.points {
			a, b := rest.points[i], whole.points[at+i]
			if a.Step != b.Step || !reflect.DeepEqual(a.Values, b.Values) {
				t.Fatalf("resumed at %d: step %d differs:\n%v\n%v", at, b.Step, a.Values, b.Values)
			}
		}
		for i := range rest.checks {
			if !bytes.Equal(rest.checks[i].Data, whole.checks[at+i].Data) {
				t.Fatalf("resumed at %d: checkpoint of step %d differs", at, whole.checks[at+i].Step)
			}
		}
	})
}

func TestStopKeepsWhatThereIs(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	r := &recorder{stopAt: 5, stop: func() { cancel(tree.ErrStop) }}
	job := tree.Job{Task: "sort", Config: quick(nil), Steps: 1000, Checkpoints: 2, ValSamples: 16}
	out, err := (&Trainer{}).Run(ctx, job, r.report)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.points) != 5 || len(r.checks) != 1 || r.checks[0].Step != 5 || out.Chosen != 0 {
		t.Errorf("%d points, checkpoints %v, chosen %d", len(r.points), r.checks, out.Chosen)
	}
}

func TestCancelReturnsTheCause(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	r := &recorder{stopAt: 2, stop: cancel}
	job := tree.Job{Task: "sort", Config: quick(nil), Steps: 1000, Checkpoints: 1, ValSamples: 16}
	if _, err := (&Trainer{}).Run(ctx, job, r.report); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if len(r.points) != 2 {
		t.Errorf("%d points after a cancel at 2", len(r.points))
	}
}

func TestReportErrorEndsTheSegment(t *testing.T) {
	full := errors.New("disk full")
	job := tree.Job{Task: "sort", Config: quick(nil), Steps: 5, Checkpoints: 1, ValSamples: 16}
	if _, err := (&Trainer{}).Run(context.Background(), job, func(tree.Report) error { return full }); !errors.Is(err, full) {
		t.Errorf("error %v", err)
	}
}

func TestTokenBudget(t *testing.T) {
	job := tree.Job{Task: "sort", Config: quick(nil), Tokens: 6000, Checkpoints: 3, ValSamples: 16}
	out, r := runJob(t, 2, job)
	last, before := r.points[len(r.points)-1].Tokens, r.points[len(r.points)-2].Tokens
	if last < 6000 || before >= 6000 || out.Cost.Tokens() != last {
		t.Errorf("stopped at %d tokens, the step before had %d", last, before)
	}
	if len(r.checks) != 3 {
		t.Errorf("%d checkpoints", len(r.checks))
	}
}

func TestFailures(t *testing.T) {
	good := tree.Job{Task: "sort", Config: quick(nil), Steps: 2, Checkpoints: 1, ValSamples: 16}
	_, r := runJob(t, 1, good)
	for _, c := range []struct {
		name  string
		class tree.FailureClass
		edit  func(j *tree.Job)
	}{
		{"no end", tree.FailConfig, func(j *tree.Job) { j.Steps = 0 }},
		{"no task", tree.FailConfig, func(j *tree.Job) { j.Task = "chess" }},
		{"no base", tree.FailData, func(j *tree.Job) { j.Base = 99 }},
		{"unknown parameter", tree.FailConfig, func(j *tree.Job) { j.Config["momentum"] = tree.Number(1) }},
		{"out of range", tree.FailConfig, func(j *tree.Job) { j.Config[pRate] = tree.Number(7) }},
		{"garbage", tree.FailData, func(j *tree.Job) { j.Resume = []byte("garbage") }},
		{"cut", tree.FailData, func(j *tree.Job) { j.Resume = r.checks[0].Data[:5000] }},
		{"lost content", tree.FailData, func(j *tree.Job) { j.FromRef = "sha256:00" }},
		{"other task", tree.FailData, func(j *tree.Job) { j.Task, j.Resume = "add", r.checks[0].Data }},
	} {
		job := good
		job.Config = good.Config.Clone()
		c.edit(&job)
		out, err := (&Trainer{}).Run(context.Background(), job, func(tree.Report) error { return nil })
		var f *tree.Failure
		if !errors.As(err, &f) || f.Class != c.class || out.Failure == nil || out.Chosen != -1 {
			t.Errorf("%s: error %v, outcome %+v", c.name, err, out)
		}
	}
}

func TestNotANumberIsAFailure(t *testing.T) {
	tk, st := base(t, "sort")
	st.model.W[0] = 1e38 // overflows in the first product
	st.model.W[1] = -1e38
	set, err := parse(tk, quick(nil))
	if err != nil {
		t.Fatal(err)
	}
	tm := team.New(1)
	defer tm.Close()
	for i := range st.model.W {
		st.model.W[i] *= 1e30
	}
	if _, err := newLearner(tk, st, set, 1, tm).doStep(); !errors.Is(err, errNaN) {
		t.Errorf("error %v", err)
	}
}

func TestNoCheckpointOfAnOverflow(t *testing.T) {
	tk, st := base(t, "sort")
	set, err := parse(tk, quick(nil))
	if err != nil {
		t.Fatal(err)
	}
	st.opt.V[3] = float32(math.Inf(1))
	s := &segment{learner: newLearner(tk, st, set, 1, oneWorker(t)), report: func(tree.Report) error { return nil }}
	var f *tree.Failure
	if err := s.checkpoint(context.Background(), nil); !errors.As(err, &f) || f.Class != tree.FailNaN || len(s.out.Checkpoints) != 0 {
		t.Errorf("error %v, %d checkpoints", err, len(s.out.Checkpoints))
	}
}

func TestEvaluate(t *testing.T) {
	tr := &Trainer{}
	_, r := runJob(t, 1, tree.Job{Task: "sort", Config: quick(nil), Steps: 1, Checkpoints: 1, ValSamples: 100})
	seen := map[tree.Split]tree.Score{}
	for _, split := range []tree.Split{tree.SplitTrain, tree.SplitValidation, tree.SplitTest} {
		s, cost, err := tr.Evaluate(context.Background(), tree.Exam{Task: "sort", Data: r.checks[0].Data, Split: split, Samples: 100})
		if err != nil || s.N != 100 || s.Mean < 0 || s.Mean > 1 || s.SE <= 0 || cost.EvalTokens == 0 || cost.Tokens() != 0 {
			t.Errorf("%s: %+v, cost %+v, error %v", split, s, cost, err)
		}
		seen[split] = s
	}
	if seen[tree.SplitValidation] != r.checks[0].Val {
		t.Errorf("Evaluate gives %+v, the run measured %+v", seen[tree.SplitValidation], r.checks[0].Val)
	}
	if _, _, err := tr.Evaluate(context.Background(), tree.Exam{Task: "sort", Split: "dev"}); err == nil {
		t.Error("an unknown split was accepted")
	}
}

// base loads the first base of a task as a fresh state.
func base(t interface{ Fatal(...any) }, name string) (*task.Task, state) {
	tk, err := task.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	st, err := load(tk, 1, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	return tk, st
}
