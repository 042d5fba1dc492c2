package engine

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"llmzero/engine/agent"
	"llmzero/engine/event"
	"llmzero/engine/tree"
)

// space is a small trainer's: one parameter of each role.
var space = tree.Space{Params: []tree.Param{
	{
		Name: "learning_rate", Short: "lr", Kind: tree.KindFloat, Min: 1e-5, Max: 1e-1, Scale: tree.ScaleLog,
		Default: tree.Number(1e-3), Role: tree.RoleRegularization, Help: "step size",
	},
	{
		Name: "max_completion_length", Short: "len", Kind: tree.KindInt, Min: 4, Max: 64, Scale: tree.ScaleLinear,
		Default: tree.Number(16), Role: tree.RoleCapacity, Help: "longest answer",
	},
	{
		Name: "loss_type", Short: "loss", Kind: tree.KindChoice, Choices: []string{"grpo", "dapo"},
		Default: tree.Choice("grpo"), Role: tree.RoleOther, Help: "loss",
	},
}}

// fakeTrainer trains a number: skill grows the more, the nearer the learning rate is to an optimum that moves down as skill
// grows. A checkpoint is the skill and the step. gate, when set, is called at every step and may block or fail.
type fakeTrainer struct {
	gate func(ctx context.Context, job tree.Job, step int) error
	exam func(x tree.Exam) error
	// spoil, when set, tells which jobs have no reward and learn nothing.
	spoil func(tree.Job) bool
	// silent, when set, tells which jobs save no checkpoint.
	silent func(tree.Job) bool

	mu   sync.Mutex
	jobs []tree.Job
}

func (f *fakeTrainer) Describe(context.Context) (tree.Description, error) {
	return tree.Description{
		Name: "fake", Model: "fake 1", Space: space, Metrics: []string{tree.MetricReward},
		Tasks: []tree.TaskInfo{{Name: "climb", Metric: "accuracy", Bases: 1}},
	}, nil
}

func pack(skill float64, step int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, math.Float64bits(skill))
	return binary.LittleEndian.AppendUint64(b, uint64(step))
}

func unpack(b []byte) (float64, int) {
	if len(b) != 16 {
		return 0.1, 0
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(b)), int(binary.LittleEndian.Uint64(b[8:]))
}

func gain(skill float64, c tree.Config) float64 {
	best := 1e-2 * math.Pow(0.05, skill)
	miss := math.Log10(c.Float("learning_rate") / best)
	return 0.02 * (1 - skill) * (1 - miss*miss)
}

func (f *fakeTrainer) Run(ctx context.Context, job tree.Job, report func(tree.Report) error) (tree.Outcome, error) {
	f.mu.Lock()
	f.jobs = append(f.jobs, job)
	f.mu.Unlock()
	skill, at := unpack(job.Resume)
	if at != job.FromStep {
		return tree.Outcome{}, fmt.Errorf("resumed at step %d, want %d", at, job.FromStep)
	}
	var out tree.Outcome
	tokens := int64(0)
	save := func(step int) error {
		return report(tree.Report{Checkpoint: &tree.Checkpoint{
			Step: step, Tokens: tokens, Data: pack(skill, step), Val: tree.Score{Mean: skill, SE: 0.001, N: 100},
		}})
	}
	for i := 1; i <= job.Steps; i++ {
		step := job.FromStep + i
		if f.gate != nil {
			if err := f.gate(ctx, job, i); err != nil {
				return out, err
			}
		}
		skill = max(0, min(1, skill+gain(skill, job.Config)+0.002*(tree.Chance(tree.Derive(job.Seed, "noise", i))-0.5)))
		reward := skill
		if f.spoil != nil && f.spoil(job) {
			skill, reward = 0, 0
		}
		tokens += int64(10 * job.Config.Int("max_completion_length"))
		out.Cost = tree.Cost{Steps: i, SampledTokens: tokens, WallSeconds: float64(i)}
		err := report(tree.Report{Point: &tree.Point{Step: step, Tokens: tokens, Values: map[string]float64{tree.MetricReward: reward}}})
		if err != nil {
			return out, err
		}
		stopped := errors.Is(context.Cause(ctx), tree.ErrStop)
		if ctx.Err() != nil && !stopped {
			return out, context.Cause(ctx)
		}
		n := max(1, job.Steps/max(1, job.Checkpoints))
		if (i%n == 0 || i == job.Steps || stopped) && (f.silent == nil || !f.silent(job)) {
			if err := save(step); err != nil {
				return out, err
			}
		}
		if stopped || (job.Tokens > 0 && tokens >= job.Tokens) {
			return out, nil
		}
	}
	return out, report(tree.Report{Samples: []tree.Sample{{Step: at, Prompt: "1+1=", Completion: "2"}}})
}

func (f *fakeTrainer) Evaluate(_ context.Context, x tree.Exam) (tree.Score, tree.Cost, error) {
	if f.exam != nil {
		if err := f.exam(x); err != nil {
			return tree.Score{}, tree.Cost{}, err
		}
	}
	skill, _ := unpack(x.Data)
	n := x.Samples
	if n == 0 {
		n = 100
	}
	if x.Split == tree.SplitTest {
		skill -= 0.01
	}
	return tree.Score{Mean: skill, SE: 0.01 / math.Sqrt(float64(n)), N: n}, tree.Cost{EvalTokens: int64(n), WallSeconds: 0.25}, nil
}

// fakeAgent moves the learning rate by a factor that the turn's seed draws. gate, when set, may block or fail a turn.
type fakeAgent struct {
	gate   func(ctx context.Context, t agent.Turn) error
	judge  func(agent.Watch) agent.Judgement
	choose func(agent.Ended) agent.Choice
}

func (f *fakeAgent) Name() string { return "fake" }

func (f *fakeAgent) Propose(ctx context.Context, t agent.Turn) (agent.Answer, error) {
	if f.gate != nil {
		if err := f.gate(ctx, t); err != nil {
			return agent.Answer{}, err
		}
	}
	from := tree.CheckpointRef{Node: t.Node.ID}
	src := t.Node
	switch {
	case t.Fresh:
		src, from = t.Path[0].Node, tree.CheckpointRef{}
	case t.Failure != nil:
		src = t.Path[len(t.Path)-2].Node
		from = t.Node.Transition.From
	default:
		if c, ok := t.Node.Outcome.Checkpoint(); ok {
			from.Step = c.Step
		}
	}
	p, _ := t.Spec.Space.Find("learning_rate")
	var a agent.Answer
	for i := range 20 {
		was := src.Config["learning_rate"]
		to := p.Clamp(tree.Number(was.Num * math.Pow(10, 2*tree.Chance(tree.Derive(t.Seed, "fake", i))-1)))
		x := tree.Transition{
			From: from, Steps: t.Steps, By: "fake", Confidence: 0.6, Rationale: "why not",
			Changes: []tree.Change{{Param: "learning_rate", From: was, To: to}},
		}
		if to != was && t.Check(x) == nil {
			a.Proposals = append(a.Proposals, x)
		}
		if len(a.Proposals) == t.Count {
			break
		}
	}
	a.Exchanges = []tree.Exchange{{ID: fmt.Sprintf("x%d", t.Seed), Node: t.Node.ID, Phase: "propose", Agent: "fake", TokensIn: 10}}
	return a, nil
}

func (f *fakeAgent) Judge(_ context.Context, w agent.Watch) (agent.Judgement, error) {
	if f.judge != nil {
		return f.judge(w), nil
	}
	return agent.Judgement{}, nil
}

func (f *fakeAgent) Choose(_ context.Context, x agent.Ended) (agent.Choice, error) {
	if f.choose != nil {
		return f.choose(x), nil
	}
	return agent.Choice{Index: len(x.Node.Outcome.Checkpoints) - 1, Why: "the last"}, nil
}

// memory is a record in memory, and a history. fail, when set, refuses an append.
type memory struct {
	fail func(events []event.Event) error

	mu     sync.Mutex
	events []event.Event
	points map[tree.NodeID][]tree.Point
	blobs  map[string][]byte
	seen   []tree.Exchange
}

func newMemory() *memory {
	return &memory{points: map[tree.NodeID][]tree.Point{}, blobs: map[string][]byte{}}
}

func (m *memory) Append(_ context.Context, t *tree.Tree, events []event.Event, exchanges []tree.Exchange) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		if err := m.fail(events); err != nil {
			return err
		}
	}
	for _, e := range events {
		if b, ok := e.Body.(*event.Started); ok {
			delete(m.points, b.Node)
		}
	}
	if len(events) > 0 && t.Seq != events[len(events)-1].Seq {
		return fmt.Errorf("the tree is at %d after entry %d", t.Seq, events[len(events)-1].Seq)
	}
	m.events = append(m.events, events...)
	m.seen = append(m.seen, exchanges...)
	return nil
}

func (m *memory) AppendPoints(_ context.Context, n tree.NodeID, p []tree.Point) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.points[n] = append(m.points[n], p...)
	return nil
}

func (m *memory) AppendSamples(context.Context, tree.NodeID, []tree.Sample) error { return nil }

func (m *memory) SaveBlob(_ context.Context, data []byte) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	ref := fmt.Sprintf("sha256:%x", data)
	m.blobs[ref] = data
	return ref, nil
}

func (m *memory) LoadBlob(_ context.Context, ref string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b, ok := m.blobs[ref]
	if !ok {
		return nil, fmt.Errorf("no blob %s", ref)
	}
	return b, nil
}

func (m *memory) Points(_ context.Context, n tree.NodeID) ([]tree.Point, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.points[n], nil
}

// journal is a copy of the entries so far.
func (m *memory) journal() []event.Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]event.Event(nil), m.events...)
}

// ticker is a clock that moves a second at every look.
func ticker() func() time.Time {
	var mu sync.Mutex
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(time.Second)
		return now
	}
}

func spec(mode tree.Mode, segments int) tree.Spec {
	return tree.Spec{
		ID: "climb-1", Task: "climb", Metric: "accuracy", Trainer: "fake", Agent: "fake", Policy: "uct", Seed: 1,
		Segment: 12, Parallel: 1, Space: space, Budget: tree.Budget{Segments: segments}, FreshRate: 0.2,
		Approval: tree.DefaultApproval(mode), Judge: tree.Judge{Off: true},
	}
}
