package tui

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"llmzero/engine/event"
	"llmzero/engine/tree"
)

var testTime = time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)

// testSpace is a space like the embedded trainer's.
func testSpace() tree.Space {
	f := func(name, short string, lo, hi float64, sc tree.Scale, def float64, role tree.Role, zero bool, help string) tree.Param {
		return tree.Param{Name: name, Short: short, Kind: tree.KindFloat, Min: lo, Max: hi, Scale: sc, Default: tree.Number(def), Role: role, Zero: zero, Help: help}
	}
	i := func(name, short string, lo, hi, def float64, role tree.Role, help string) tree.Param {
		p := f(name, short, lo, hi, tree.ScaleLog, def, role, false, help)
		p.Kind = tree.KindInt
		return p
	}
	return tree.Space{Params: []tree.Param{
		i("max_completion_length", "len", 8, 48, 16, tree.RoleCapacity, "longest answer in tokens"),
		i("num_generations", "n", 2, 64, 8, tree.RoleCapacity, "answers sampled for each prompt"),
		{Name: "lora_rank", Short: "rank", Kind: tree.KindInt, Min: 1, Max: 32, Scale: tree.ScaleLog, Default: tree.Number(8), Role: tree.RoleCapacity, Structural: true, Help: "rank of the adapters"},
		f("learning_rate", "lr", 1e-5, 1e-2, tree.ScaleLog, 3e-4, tree.RoleRegularization, false, "AdamW step size"),
		f("beta", "KL", 1e-3, 1, tree.ScaleLog, 0, tree.RoleRegularization, true, "weight of the KL term to the reference"),
		f("temperature", "T", 0.2, 2, tree.ScaleLinear, 1, tree.RoleRegularization, false, "of sampling while training"),
		f("entropy_coef", "ent", 1e-4, 0.1, tree.ScaleLog, 0, tree.RoleRegularization, true, "weight of the entropy bonus"),
		f("epsilon_high", "εhi", 0.1, 0.6, tree.ScaleLinear, 0.2, tree.RoleRegularization, false, "upper clip bound of the ratio"),
		f("weight_decay", "wd", 1e-4, 0.3, tree.ScaleLog, 0, tree.RoleRegularization, true, "AdamW weight decay"),
		{Name: "scale_rewards", Kind: tree.KindChoice, Choices: []string{"group", "batch", "none"}, Default: tree.Choice("group"), Role: tree.RoleOther, Help: "how rewards are scaled"},
		i("num_iterations", "μ", 1, 8, 1, tree.RoleOther, "passes over each batch"),
	}}
}

// script writes the journal of a search.
type script struct {
	t      *tree.Tree
	events []event.Event
	points map[tree.NodeID][]tree.Point
	now    time.Time
	rng    *rand.Rand
}

func newScript(id string) *script {
	s := &script{t: &tree.Tree{}, points: map[tree.NodeID][]tree.Point{}, now: testTime.Add(-20 * time.Minute), rng: rand.New(rand.NewPCG(7, 1))}
	sp := testSpace()
	s.say("human", &event.Created{Spec: tree.Spec{
		ID: id, Task: "mixed", Metric: "accuracy", Trainer: "grpo", Model: "grpo 27k", Agent: "rules", Policy: "uct", Seed: 1, Segment: 40,
		Parallel: 2, Space: sp, Root: sp.Defaults(), Budget: tree.Budget{Segments: 32}, Approval: tree.DefaultApproval(tree.AskAlways),
		Judge: tree.DefaultJudge(), FreshRate: 0.2, Created: s.now,
	}})
	s.say("engine", &event.BaseScored{Val: tree.Score{Mean: 0.473, SE: 0.012, N: 512}})
	return s
}

func (s *script) say(who string, b event.Body) event.Event {
	s.now = s.now.Add(7 * time.Second)
	e := event.Event{Seq: s.t.Seq + 1, Time: s.now, Who: who, Body: b}
	if err := event.Apply(s.t, e); err != nil {
		panic(err)
	}
	s.events = append(s.events, e)
	return e
}

func ch(param string, from, to float64, reason string) tree.Change {
	return tree.Change{Param: param, From: tree.Number(from), To: tree.Number(to), Reason: reason}
}

// propose adds a node that waits.
func (s *script) propose(parent tree.NodeID, tr tree.Transition) tree.NodeID {
	p := s.t.Nodes[parent]
	if k, ok := p.Outcome.Checkpoint(); ok {
		tr.From = tree.CheckpointRef{Node: parent, Step: k.Step}
	}
	tr.From.Node = parent
	if tr.Steps == 0 {
		tr.Steps = 40
	}
	if tr.By == "" {
		tr.By = "rules"
	}
	if tr.Confidence == 0 {
		tr.Confidence = 0.7
	}
	id := tree.NodeID(len(s.t.Nodes))
	s.say("rules", &event.Proposed{
		Node: id, Parent: parent, Transition: tr, Config: p.Config.With(tr.Changes),
		Why: []tree.Term{{Name: "value", Value: 0.71}, {Name: "explore", Value: 0.18}},
	})
	return id
}

func (s *script) approve(id tree.NodeID) {
	s.say("human", &event.Judged{Node: id, Verdict: tree.Verdict{Decision: tree.Approved, Who: "human", When: s.now}})
	s.say("engine", &event.Queued{Node: id})
}

// train runs a segment to a share of its length with a reward from lo to hi.
func (s *script) train(id tree.NodeID, lo, hi, share float64) []tree.Point {
	n := s.t.Nodes[id]
	s.say("engine", &event.Started{Node: id, Attempt: 1, Slot: 0})
	steps := int(float64(n.Transition.Steps) * share)
	var ps []tree.Point
	for i := 1; i <= steps; i++ {
		f := float64(i) / 40
		noise := func(a float64) float64 { return (s.rng.Float64() - 0.5) * a }
		ps = append(ps, tree.Point{Step: n.Transition.From.Step + i, Tokens: int64(i) * 1024, Values: map[string]float64{
			tree.MetricReward: lo + (hi-lo)*(1-math.Exp(-3*f)) + noise(0.03), tree.MetricEntropy: 0.5 + 0.8*math.Exp(-2*f) + noise(0.04),
			tree.MetricKL: 0.001 + 0.03*f*f + noise(0.001), tree.MetricLength: 11 + 4*f + noise(0.5), tree.MetricTruncated: 0.05 + 0.25*f + noise(0.02),
			tree.MetricGradNorm: 0.4 + 0.2*s.rng.Float64(), tree.MetricLoss: noise(0.02), tree.MetricRewardStd: 0.3 - 0.1*f, tree.MetricZeroStd: 0.2 + 0.3*f,
			tree.MetricClip: 0.02 + 0.02*f,
		}})
	}
	s.points[id] = append(s.points[id], ps...)
	return ps
}

func (s *script) end(id tree.NodeID, val float64) {
	n := s.t.Nodes[id]
	from := n.Transition.From.Step
	var cks []tree.Checkpoint
	for i := 1; i <= 3; i++ {
		cks = append(cks, tree.Checkpoint{
			Step: from + n.Transition.Steps*i/3, Tokens: int64(i) * 13_600, Ref: "sha256:x", Size: 110_000,
			Val: tree.Score{Mean: val - 0.02*float64(3-i), SE: 0.007, N: 512},
		})
	}
	var spark []float64
	for _, p := range s.points[id] {
		spark = append(spark, p.Values[tree.MetricReward])
	}
	s.say("engine", &event.Ended{Node: id, State: tree.StateEvaluated, Outcome: tree.Outcome{
		Checkpoints: cks, Chosen: 2, ChosenWhy: "best validation", Val: cks[2].Val, Spark: thin(spark, 16),
		Cost: tree.Cost{Steps: n.Transition.Steps, SampledTokens: 21_000, TrainedTokens: 20_000, WallSeconds: 0.9},
	}})
}

func (s *script) run(parent tree.NodeID, val float64, tr tree.Transition) tree.NodeID {
	id := s.propose(parent, tr)
	s.approve(id)
	s.train(id, s.t.Nodes[parent].Val().Mean+0.03, val+0.05, 1)
	s.end(id, val)
	return id
}

// storybook is the tree of the drawing: twelve nodes in every state.
func storybook() *script {
	s := newScript("s-7f3a")
	truncated := tree.Finding{Pathology: tree.Truncation, Severity: tree.Severe, Evidence: []tree.Evidence{{
		Metric: tree.MetricTruncated, FromStep: 90, ToStep: 120, From: 0.12, To: 0.31,
		Text: "31% of answers hit 16 tokens; their reward is 0 (was 12%)",
	}}}
	falls := tree.Finding{Pathology: tree.EntropyCollapse, Severity: tree.Moderate, Evidence: []tree.Evidence{{
		Metric: tree.MetricEntropy, FromStep: 45, ToStep: 70, From: 1.3, To: 0.5, Text: "entropy fell from 1.3 to 0.5 in 25 steps",
	}}}
	n1 := s.run(0, 0.521, tree.Transition{Rationale: "The practitioner's settings, with twice the step size.", Changes: []tree.Change{ch("learning_rate", 3e-4, 6e-4, "the reward hardly moved")}})
	n2 := s.run(n1, 0.508, tree.Transition{Changes: []tree.Change{ch("beta", 0, 0.05, "hold on to the reference")}})
	n3 := s.run(n1, 0.634, tree.Transition{
		Diagnosis: []tree.Finding{falls}, Rationale: "More answers for each prompt give a steadier baseline.",
		Changes: []tree.Change{ch("num_generations", 8, 16, "groups are too small: half of them have one reward")},
	})
	n4 := s.propose(0, tree.Transition{Changes: []tree.Change{ch("learning_rate", 3e-4, 2.4e-3, "faster")}})
	s.say("human", &event.Judged{Node: n4, Verdict: tree.Verdict{Decision: tree.Vetoed, Who: "human", When: s.now, Why: "seen this before"}})
	n5 := s.propose(n1, tree.Transition{Changes: []tree.Change{ch("learning_rate", 6e-4, 2.4e-3, "")}})
	s.approve(n5)
	s.train(n5, 0.4, 0.3, 0.31)
	s.say("judge", &event.Ended{Node: n5, State: tree.StateStopped, Outcome: tree.Outcome{
		Checkpoints: []tree.Checkpoint{{Step: 52, Tokens: 12000, Ref: "sha256:y", Size: 110_000, Val: tree.Score{Mean: 0.411, SE: 0.01, N: 512}}},
		Val:         tree.Score{Mean: 0.411, SE: 0.01, N: 512}, Spark: []float64{.5, .45, .42, .4, .39},
		Stop: &tree.StopNote{By: "judge", Why: "34% below the best curve for 6 polls", AtStep: 52, SavedSteps: 28}, Cost: tree.Cost{Steps: 12, SampledTokens: 6000, TrainedTokens: 6000, WallSeconds: 0.3},
	}})
	n6 := s.propose(0, tree.Transition{Changes: []tree.Change{ch("num_generations", 8, 32, "")}})
	s.approve(n6)
	s.train(n6, 0.5, 0.5, 0.1)
	s.say("engine", &event.Ended{Node: n6, State: tree.StateFailed, Outcome: tree.Outcome{
		Chosen:  -1,
		Failure: &tree.Failure{Class: tree.FailOOM, Message: "needed 1.2 GB, 0.9 GB are free\x1b[31m\x07"},
	}})
	n7 := s.run(n3, 0.742, tree.Transition{
		Diagnosis: []tree.Finding{falls}, Rationale: "Half the step and a warmer sampler keep the answers varied while the larger groups work.",
		Effect:  tree.Effect{Text: "entropy above 0.6", Low: 0.04, High: 0.1},
		Changes: []tree.Change{ch("learning_rate", 6e-4, 3e-4, "the gradient norm is high"), ch("temperature", 1, 1.2, "keep exploring")},
	})
	_ = n2
	n8 := s.run(n3, 0.655, tree.Transition{Changes: []tree.Change{ch("entropy_coef", 0, 0.003, "")}})
	_ = n8
	n9 := s.propose(n7, tree.Transition{Changes: []tree.Change{ch("beta", 0, 0.01, "")}})
	n10 := s.propose(n3, tree.Transition{Changes: []tree.Change{ch("temperature", 1, 0.8, "")}})
	s.approve(n9)
	s.approve(n10)
	s.train(n9, 0.74, 0.8, 0.62)
	s.train(n10, 0.62, 0.66, 0.18)
	n11 := s.propose(0, tree.Transition{Changes: []tree.Change{ch("weight_decay", 0, 0.01, "")}})
	s.say("human", &event.Pruned{Nodes: []tree.NodeID{n11}})
	s.propose(n7, tree.Transition{
		FromWhy: "best validation", Diagnosis: []tree.Finding{truncated, {Pathology: tree.Healthy, Severity: tree.Mild, Evidence: []tree.Evidence{{
			Metric: tree.MetricEntropy, FromStep: 100, ToStep: 120, Text: "entropy healthy: 0.52 nats, flat over the last 20 steps",
		}}}},
		Rationale: "Truncated answers are mostly right up to the cut; room first, and a gentler step while the longer answers settle.",
		Effect:    tree.Effect{Text: "truncated share below 10%", Low: 0.03, High: 0.06},
		Changes:   []tree.Change{ch("max_completion_length", 16, 24, "31% are cut"), ch("learning_rate", 3e-4, 1.5e-4, "settle")},
	})
	return s
}

// fakeSession plays a script and acts on commands the way the engine would, at once.
type fakeSession struct {
	mu   sync.Mutex
	s    *script
	bus  *event.Bus
	live bool
	done []tree.Command

	refuse error // what every command is refused with
}

func newFakeSession(s *script) *fakeSession {
	return &fakeSession{s: s, bus: event.NewBus(), live: true}
}

func (f *fakeSession) Tree() *tree.Tree {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.s.t.Clone()
}
func (f *fakeSession) Subscribe() *event.Subscription { return f.bus.Subscribe() }
func (f *fakeSession) Live() bool                     { return f.live }
func (f *fakeSession) Record() Record                 { return f }

func (f *fakeSession) Plan(_ context.Context, n int) ([]Pick, error) {
	return []Pick{
		{7, []tree.Term{{Name: "exploitation", Value: .71}, {Name: "exploration", Value: .18}, {Name: "uct", Value: .89}}},
		{3, []tree.Term{{Name: "exploitation", Value: .4}, {Name: "failures", Value: -.1}, {Name: "uct", Value: .3}}},
	}[:min(n, 2)], nil
}

func (f *fakeSession) Do(_ context.Context, c tree.Command) (err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	defer func() {
		if e := recover(); e != nil { // the script panics at an illegal move, which an engine refuses
			err = fmt.Errorf("%v", e)
		}
	}()
	if f.refuse != nil {
		return f.refuse
	}
	f.done = append(f.done, c)
	before := len(f.s.events)
	n, _ := f.s.t.Node(c.Node)
	v := tree.Verdict{Decision: tree.Approved, Who: "human", When: f.s.now, Why: c.Text}
	switch c.Kind {
	case tree.CmdApprove:
		f.s.say("human", &event.Judged{Node: c.Node, Verdict: v})
		f.s.say("engine", &event.Queued{Node: c.Node})
	case tree.CmdEdit:
		original := n.Transition
		v.Decision, v.Original = tree.Edited, &original
		f.s.say("human", &event.Judged{Node: c.Node, Verdict: v, Transition: c.Transition, Config: f.s.t.Nodes[n.Parent].Config.With(c.Transition.Changes)})
	case tree.CmdVeto:
		v.Decision = tree.Vetoed
		f.s.say("human", &event.Judged{Node: c.Node, Verdict: v})
	case tree.CmdPin, tree.CmdUnpin:
		f.s.say("human", &event.Pinned{Node: c.Node, On: c.Kind == tree.CmdPin})
	case tree.CmdPause:
		f.s.say("human", &event.StatusSet{Status: tree.SearchPaused})
	case tree.CmdResume:
		f.s.say("human", &event.StatusSet{Status: tree.SearchRunning})
	case tree.CmdApproval:
		f.s.say("human", &event.ApprovalSet{Approval: *c.Approval})
	case tree.CmdPrune:
		f.s.say("human", &event.Pruned{Nodes: []tree.NodeID{c.Node}})
	case tree.CmdUnprune:
		f.s.say("human", &event.Unpruned{Nodes: []tree.NodeID{c.Node}})
	case tree.CmdBranch:
		id := tree.NodeID(len(f.s.t.Nodes))
		f.s.say("human", &event.Proposed{Node: id, Parent: c.Node, Transition: *c.Transition, Config: n.Config.With(c.Transition.Changes)})
		f.s.say("human", &event.Judged{Node: id, Verdict: v})
		f.s.say("engine", &event.Queued{Node: id})
	default:
	}
	f.bus.Publish(f.s.events[before:]...)
	return nil
}

func (f *fakeSession) Points(_ context.Context, id tree.NodeID) ([]tree.Point, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]tree.Point(nil), f.s.points[id]...), nil
}

func (f *fakeSession) Samples(_ context.Context, id tree.NodeID) ([]tree.Sample, error) {
	var out []tree.Sample
	for i := range 12 {
		s := tree.Sample{Step: 10 * i, Prompt: fmt.Sprintf("sort: %d 3 7 1", i), Completion: fmt.Sprintf("1 3 %d 7", i), Reward: float64(i % 2), Answer: "1 3 7", Truncated: i%5 == 0}
		out = append(out, s)
	}
	return out, nil
}

func (f *fakeSession) Exchanges(_ context.Context, id tree.NodeID) ([]tree.Exchange, error) {
	return []tree.Exchange{
		{ID: "x1", Node: id, Phase: "diagnose", Agent: "ollama:qwen3:8b", Model: "qwen3:8b", Prompt: "You look at one training segment.\n\nstep  reward  entropy\n 80    0.61    0.9\n100    0.70    0.6\n120    0.74    0.52", Answer: `{"findings": [{"pathology": "truncation", "severity": "severe"}]}`, TokensIn: 1830, TokensOut: 64, Latency: 2300 * time.Millisecond, When: testTime},
		{ID: "x2", Node: id, Phase: "propose", Agent: "ollama:qwen3:8b", Model: "qwen3:8b", Prompt: "Propose a transition.", Answer: `{"changes": [{"param": "max_completion_length", "to": 24}]}`, Errors: []string{"learning_rate: 0.5 is outside 1e-05 … 0.01"}, Repaired: true, TokensIn: 2100, TokensOut: 120, Latency: 4100 * time.Millisecond, When: testTime},
	}, nil
}

func (f *fakeSession) Events(_ context.Context, id tree.NodeID) ([]event.Event, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if id < 0 {
		return append([]event.Event(nil), f.s.events...), nil
	}
	var out []event.Event
	for _, e := range f.s.events {
		for _, n := range e.Touched() {
			if n == id {
				out = append(out, e)
				break
			}
		}
	}
	return out, nil
}

// fakeLibrary holds sessions by id.
type fakeLibrary struct {
	mu       sync.Mutex
	sessions map[string]*fakeSession
	order    []string
	listErr  error
	started  []NewSearch
}

func newFakeLibrary(scripts ...*script) *fakeLibrary {
	l := &fakeLibrary{sessions: map[string]*fakeSession{}}
	for _, s := range scripts {
		l.sessions[s.t.Spec.ID] = newFakeSession(s)
		l.order = append(l.order, s.t.Spec.ID)
	}
	return l
}

func (l *fakeLibrary) List(context.Context) ([]tree.Summary, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.listErr != nil {
		return nil, l.listErr
	}
	var out []tree.Summary
	for _, id := range l.order {
		if s := l.sessions[id]; s != nil {
			out = append(out, s.Tree().Summary())
		}
	}
	return out, nil
}

func (l *fakeLibrary) Open(_ context.Context, id string) (Session, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.sessions[id]; s != nil {
		return s, nil
	}
	return nil, errors.New("no search is called " + id)
}

func (l *fakeLibrary) Start(_ context.Context, n NewSearch) (Session, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.started = append(l.started, n)
	s := newScript(fmt.Sprintf("s-new%d", len(l.started)))
	s.propose(0, tree.Transition{Rationale: "Begin with the practitioner's settings.", Confidence: 0.9})
	l.sessions[s.t.Spec.ID] = newFakeSession(s)
	l.order = append(l.order, s.t.Spec.ID)
	return l.sessions[s.t.Spec.ID], nil
}

func (l *fakeLibrary) Remove(_ context.Context, id string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.sessions, id)
	return nil
}

func (l *fakeLibrary) Export(_ context.Context, id, format, path string) (string, error) {
	return or(path, id+"."+format), nil
}

func (l *fakeLibrary) Import(_ context.Context, path string) (string, error) {
	if path != "old.llmzero" {
		return "", errors.New("import: not an export of llmzero")
	}
	return "s-0001", nil
}

func (l *fakeLibrary) Probe(_ context.Context, path string) error {
	if !strings.HasSuffix(path, ".db") {
		return errors.New("not an llmzero store")
	}
	return nil
}

type fakeCatalog struct{}

func (fakeCatalog) Offer(context.Context) (Offer, error) {
	return Offer{
		Trainers: []tree.Description{
			{Name: "grpo", Model: "grpo 27k", Space: testSpace(), Tasks: []tree.TaskInfo{
				{Name: "mixed", Help: "sort, add and chain in one", Bases: 2}, {Name: "sort", Help: "sort digits", Fits: []tree.Fit{{Param: "max_completion_length", Min: 8, Max: 20, Default: 12}}}, {Name: "add", Help: "add numbers"},
			}},
			{Name: "trl", Model: "Qwen3-0.6B", Tasks: []tree.TaskInfo{{Name: "gsm8k", Help: "school mathematics"}}},
		},
		Agents:   []Choice{{Name: "rules", Help: "the pathology table as rules, no LLM"}, {Name: "ollama:qwen3:8b", Why: "Ollama is not running"}},
		Policies: []Choice{{Name: "uct", Help: "tree search with an exploration bonus"}, {Name: "greedy", Help: "always from the best"}},
		Formats:  []Choice{{Name: "json", Help: "everything"}, {Name: "strategy", Help: "the best path, to be replayed"}},
		Quick:    NewSearch{Task: "mixed", Trainer: "grpo", Agent: "rules", Policy: "uct", Budget: tree.Budget{Segments: 12}, Segment: 40, Parallel: 1, Seed: 1, Approval: tree.DefaultApproval(tree.AskAlways)},
	}, nil
}

// Measure knows the pace of one configuration.
func (fakeCatalog) Measure(_ context.Context, n NewSearch) (Pace, bool, error) {
	if n.Trainer != "grpo" {
		return Pace{}, false, nil
	}
	return Pace{Step: 10 * time.Millisecond, Tokens: 2000, Val: 50 * time.Millisecond}, true, nil
}

type fakeDoctor struct{}

func (fakeDoctor) Facts(context.Context) []Fact {
	return []Fact{{"GPU", "none (no NVIDIA driver)", false, "the embedded trainer needs none"}, {"Ollama", "not running", false, "ollama serve"}, {"TRL", "not installed", false, "llmzero doctor tells how"}, {"Terminal", "truecolor, 120×40", true, ""}}
}

type fakeDevices struct{ n int }

func (f fakeDevices) Snapshot() DeviceReport {
	if f.n == 0 {
		return DeviceReport{Devices: []Device{{Name: "CPU 2 cores", Util: 0.73, MemUsed: 3.1 * (1 << 30), MemAll: 8 * (1 << 30), Watts: math.NaN(), Celsius: math.NaN(), Past: struct{ Util, Mem, Watts, Celsius []float64 }{Util: []float64{.1, .2, .5, .9, .7, .8, .73, .73}, Mem: []float64{.3, .33, .36, .38, .38, .39, .39, .39}}}}, Note: "no NVIDIA driver"}
	}
	var d []Device
	for i := range f.n {
		d = append(d, Device{Name: fmt.Sprintf("GPU%d H200", i), Util: 0.91 - 0.03*float64(i), MemUsed: 61 * (1 << 30), MemAll: 141 * (1 << 30), Watts: 412, Celsius: 58, Limit: 700, Past: struct{ Util, Mem, Watts, Celsius []float64 }{
			Util: []float64{.3, .6, .9, .9, .92, .9, .88, .91}, Mem: []float64{.1, .3, .4, .43, .43, .43, .43, .43}, Watts: []float64{120, 300, 410, 420, 415, 412, 409, 412}, Celsius: []float64{41, 46, 52, 55, 57, 58, 58, 58},
		}})
	}
	return DeviceReport{Devices: d}
}

type fakeMemory struct {
	mu sync.Mutex
	m  map[string][]byte
}

func (f *fakeMemory) LoadState(_ context.Context, key string) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.m[key], nil
}

func (f *fakeMemory) SaveState(_ context.Context, key string, data []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.m == nil {
		f.m = map[string][]byte{}
	}
	f.m[key] = data
	return nil
}
