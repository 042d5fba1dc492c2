package grpo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/metrics"
	"time"

	"llmzero/engine/tree"
	"llmzero/trainer/grpo/kernel"
	"llmzero/trainer/grpo/task"
	"llmzero/trainer/grpo/team"
)

// Samples kept for the inspector: a few of the first groups at each checkpoint.
const (
	samplesPerCheckpoint = 8
	samplesPerGroup      = 2
)

// validationSeed is the same for all checkpoints, so that they are compared on the same random numbers.
const validationSeed = 0

// defaultVal is the number of completions of a validation when the job does not say.
const defaultVal = task.EvalSize

// Trainer is the embedded trainer. The zero value is ready to use.
type Trainer struct {
	// Workers is the number of goroutines of a segment, 0 for what its slot has. Results do not depend on it.
	Workers int
}

// team is as large as the trainer says, else as the slot, else one worker a processor.
func (t *Trainer) team(cores int) *team.Team {
	return team.New(cmp.Or(max(0, t.Workers), max(0, cores), runtime.GOMAXPROCS(0)))
}

// segment is one call of Run.
type segment struct {
	*learner
	job      tree.Job
	report   func(tree.Report) error
	problems []task.Problem
	out      tree.Outcome
	rewards  []float64 // of every step, for the spark line
	started  time.Time
}

// Run trains one segment; see trainer.Trainer. It computes at a lower priority than the rest of the program.
func (t *Trainer) Run(ctx context.Context, job tree.Job, report func(tree.Report) error) (out tree.Outcome, err error) {
	team.Quietly(func() { out, err = t.run(ctx, job, report) })
	return out, err
}

func (t *Trainer) run(ctx context.Context, job tree.Job, report func(tree.Report) error) (tree.Outcome, error) {
	started := time.Now()
	out := tree.Outcome{Chosen: -1, Kernel: kernel.Path()}
	fail := func(class tree.FailureClass, err error) (tree.Outcome, error) {
		out.Failure = &tree.Failure{Class: class, Message: err.Error()}
		return out, out.Failure
	}
	if job.Steps <= 0 && job.Tokens <= 0 {
		return fail(tree.FailConfig, errors.New("a segment needs a number of steps or tokens"))
	}
	tk, err := task.Lookup(job.Task)
	if err != nil {
		return fail(tree.FailConfig, err)
	}
	set, err := parse(tk, job.Config)
	if err != nil {
		return fail(tree.FailConfig, err)
	}
	st, err := load(tk, job.Base, job.FromRef, job.Resume)
	if err != nil {
		return fail(tree.FailData, err)
	}
	tm := t.team(job.Slot.Cores)
	defer tm.Close()
	s := &segment{
		learner: newLearner(tk, st, set, job.Seed, tm), job: job, report: report, problems: tk.ValidationSet(),
		out: out, started: started,
	}
	if err = s.noteKernel(); err == nil {
		err = s.loop(ctx)
	}
	s.finish()
	var f *tree.Failure
	if errors.As(err, &f) {
		s.out.Failure = f
	}
	return s.out, err
}

// noteKernel says so when the checkpoint was trained on a path whose last bits differ, for then the segment cannot be
// repeated exactly.
func (s *segment) noteKernel() error {
	was, is := s.kernel, kernel.Record()
	if was == "" || kernel.SameBits(was, is) {
		return nil
	}
	return s.report(tree.Report{Log: fmt.Sprintf(
		"the checkpoint was trained on the %s kernel path and goes on with %s: results differ from a run on one path in the last bits", was, is)})
}

// loop takes steps until the job is done or stopped. Checkpoints are due at even shares of the way.
func (s *segment) loop(ctx context.Context) error {
	due := 1
	wanted := max(1, s.job.Checkpoints)
	for {
		if ctx.Err() != nil {
			cause := context.Cause(ctx)
			if !errors.Is(cause, tree.ErrStop) {
				return cause
			}
			if n := len(s.out.Checkpoints); s.cost.Steps > 0 && (n == 0 || s.out.Checkpoints[n-1].Step != s.step) {
				return s.checkpoint(context.WithoutCancel(ctx), nil)
			}
			return nil
		}
		r, err := s.doStep()
		if err != nil {
			return &tree.Failure{Class: tree.FailNaN, Message: err.Error()}
		}
		s.rewards = append(s.rewards, r.mean)
		point := s.point(r)
		progress := s.progress()
		if progress*float64(wanted) >= float64(due)-1e-9 {
			if err := s.checkpoint(context.WithoutCancel(ctx), point); err != nil {
				return err
			}
			for progress*float64(wanted) >= float64(due)-1e-9 {
				due++
			}
		} else if err := s.report(tree.Report{Point: point}); err != nil {
			return err
		}
		if progress >= 1 {
			return nil
		}
	}
}

// progress is the done share of the segment, by whichever limit is nearer.
func (s *segment) progress() float64 {
	var p float64
	if s.job.Steps > 0 {
		p = float64(s.cost.Steps) / float64(s.job.Steps)
	}
	if s.job.Tokens > 0 {
		p = max(p, float64(s.cost.Tokens())/float64(s.job.Tokens))
	}
	return p
}

// checkpoint scores and reports the state, and the step's point with its validation, when there is one.
func (s *segment) checkpoint(ctx context.Context, point *tree.Point) error {
	if !s.finite() { // the last update overflowed; the loss would show it one step later
		return &tree.Failure{Class: tree.FailNaN, Message: fmt.Sprintf("step %d: a weight or moment is not a finite number", s.step)}
	}
	n := s.job.ValSamples
	if n <= 0 {
		n = defaultVal
	}
	val, cost, err := score(ctx, s.sampler, s.model.Config, s.task, s.problems, n, validationSeed)
	if err != nil {
		return err
	}
	s.cost = s.cost.Plus(cost)
	data, err := s.encode()
	if err != nil {
		return fmt.Errorf("checkpoint of step %d: %w", s.step, err)
	}
	s.cost.PeakMemory = max(s.cost.PeakMemory, memory())
	if point != nil {
		point.Values[tree.MetricValidation] = val.Mean
		if err := s.report(tree.Report{Point: point}); err != nil {
			return err
		}
	}
	if err := s.report(tree.Report{Samples: s.pickSamples()}); err != nil {
		return err
	}
	c := tree.Checkpoint{Step: s.step, Tokens: s.cost.Tokens(), Size: int64(len(data)), Val: val, Data: data}
	if err := s.report(tree.Report{Checkpoint: &c}); err != nil {
		return err
	}
	s.out.Checkpoints = append(s.out.Checkpoints, c)
	if b := s.out.Chosen; b < 0 || val.Mean >= s.out.Checkpoints[b].Val.Mean {
		s.out.Chosen, s.out.Val = len(s.out.Checkpoints)-1, val
		s.out.ChosenWhy = "highest validation score"
	}
	return nil
}

// point names a step's measurements.
func (s *segment) point(r stepResult) *tree.Point {
	tokens := max(1, r.tokens)
	v := map[string]float64{
		tree.MetricReward:       r.mean,
		tree.MetricRewardStd:    r.std,
		tree.MetricZeroStd:      r.zero,
		tree.MetricAllRight:     r.right,
		tree.MetricAllWrong:     r.wrong,
		tree.MetricEntropy:      r.entropy / tokens,
		tree.MetricClip:         (r.clippedLow + r.clippedHigh) / tokens,
		metricClipLow:           r.clippedLow / tokens,
		metricClipHigh:          r.clippedHigh / tokens,
		tree.MetricLength:       r.length,
		tree.MetricTruncated:    r.truncated,
		tree.MetricGradNorm:     r.norm,
		tree.MetricLoss:         r.loss / float64(s.set.epochs),
		tree.MetricTokens:       float64(s.spent.Plus(s.cost).Tokens()),
		tree.MetricLearningRate: s.set.rate,
		metricAccuracy:          r.accuracy,
	}
	if s.set.beta != 0 {
		v[tree.MetricKL] = r.kl / tokens
	}
	return &tree.Point{Step: s.step, Tokens: s.cost.Tokens(), Values: v}
}

// pickSamples takes a few completions of the step's first groups.
func (s *segment) pickSamples() []tree.Sample {
	var out []tree.Sample
	for g := range s.learner.problems {
		for k := range min(samplesPerGroup, s.set.group) {
			if len(out) == samplesPerCheckpoint {
				return out
			}
			row := g*s.set.group + k
			p := s.learner.problems[g]
			out = append(out, tree.Sample{
				Step: s.step, Prompt: s.task.Vocab.Decode(p.Prompt), Completion: s.task.Vocab.Decode(s.samples.Text(row)),
				Answer: s.task.Vocab.Decode(p.Answer), Reward: float64(s.learner.rewards[row]),
				Truncated: !s.samples.Ended[row], Difficulty: p.Difficulty,
			})
		}
	}
	return out
}

// finish fills what is known only at the end.
func (s *segment) finish() {
	s.cost.WallSeconds = time.Since(s.started).Seconds()
	s.cost.PeakMemory = max(s.cost.PeakMemory, memory())
	s.out.Cost = s.cost
	s.out.Spark = spark(s.rewards, 16)
}

// spark is the curve in at most n means of equal spans.
func spark(x []float64, n int) []float64 {
	n = min(n, len(x))
	out := make([]float64, n)
	for i := range out {
		lo, hi := i*len(x)/n, (i+1)*len(x)/n
		for _, v := range x[lo:hi] {
			out[i] += v / float64(hi-lo)
		}
	}
	return out
}

// memory is the memory that the Go runtime holds for the whole process, in bytes.
func memory() int64 {
	s := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(s)
	return int64(s[0].Value.Uint64() - s[1].Value.Uint64())
}
