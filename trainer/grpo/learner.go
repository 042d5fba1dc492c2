package grpo

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"llmzero/engine/tree"
	"llmzero/trainer/grpo/optim"
	"llmzero/trainer/grpo/policy"
	"llmzero/trainer/grpo/task"
	"llmzero/trainer/grpo/team"
)

// errNaN is returned when a loss or gradient is no finite number any more.
var errNaN = errors.New("the loss or its gradient is not a finite number")

// parts is the fixed number of shards of a step. Fewer prompts make fewer shards; the number of workers never matters.
const parts = 8

// Purposes of random streams, so that no two share numbers.
const (
	streamSample = iota + 1
	streamProblem
	streamRank
	streamExam
)

// learner is a training run in memory: the policy, its optimizer and reference, and everything that a step reuses.
type learner struct {
	task *task.Task
	seed uint64
	set  settings
	cost tree.Cost // of this segment
	state

	team    *team.Team
	net     *policy.Net // of the effective weights
	refNet  *policy.Net
	sampler *policy.Sampler
	shards  *policy.Shards
	spans   []optim.Span

	problems []task.Problem
	prompts  [][]uint8
	samples  policy.Completions
	rewards  []float32
	right    []bool
	adv      []float32
	inputs   [parts]tokens
	totals   [parts]sums
	groups   [parts + 1]int // part i holds groups [groups[i], groups[i+1])
	used     int            // parts in use
	shared   []policy.Seq   // the prompts of the part being built
	forward  func(worker, i int)
	gradient func(i int, p *policy.Part)
}

// state is what a checkpoint keeps.
type state struct {
	baseNumber int
	baseID     string // identity of the base policy's weights
	model      *policy.Model
	opt        *optim.AdamW
	reference  []float32
	refID      string
	step       int       // optimizer steps since the base
	spent      tree.Cost // the tokens of earlier segments
	kernel     string    // the path that trained it, empty for a base
	lastSeed   uint64    // the segment that left it, and whether that one anchored the reference anew
	lastReset  bool
	born       []int // the optimizer's count when each column of the adapter was new
}

// finite tells whether every number of the state is one that a later segment can go on from.
func (s *state) finite() bool {
	return policy.Finite(s.model.W) && policy.Finite(s.model.Trained()) && policy.Finite(s.reference) &&
		policy.Finite(s.opt.M) && policy.Finite(s.opt.V)
}

// newLearner goes on from a state, which it takes over, under a configuration: it changes the adapter's rank and anchors
// the reference anew as the configuration says. The team stays the caller's.
func newLearner(t *task.Task, st state, set settings, seed uint64, tm *team.Team) *learner {
	l := &learner{task: t, seed: seed, set: set, state: st, team: tm}
	resumed := st.lastReset && st.lastSeed == seed // the same segment, which has its reference
	if set.reset && !resumed {
		l.reference = append([]float32(nil), l.model.W...)
		l.refID = weightsID(l.reference)
	}
	if set.rank != l.model.Rank {
		l.setRank(set.rank)
	}
	l.net, l.refNet = policy.NewNet(l.model.Config), policy.NewNet(l.model.Config)
	l.net.Load(l.model.W)
	l.refNet.Load(l.reference)
	l.sampler = policy.NewSampler(l.net, tm)
	l.spans = spans(l.model, l.born, set.decay)
	l.used = min(parts, set.prompts)
	l.shards = policy.NewShards(l.net, tm, l.used)
	for i := range l.used + 1 {
		l.groups[i] = set.prompts * i / l.used
	}
	l.forward, l.gradient = l.referencePart, l.gradientPart
	rows := set.prompts * set.group
	l.rewards, l.adv, l.right = make([]float32, rows), make([]float32, rows), make([]bool, rows)
	return l
}

// limit is the longest completion that the task's prompts leave room for.
func (l *learner) limit() int { return min(l.set.length, task.Context-l.task.PromptLen()) }

// stepResult is one optimizer step's measurements.
type stepResult struct {
	groupStats
	sums
	accuracy, length, truncated, norm float64
}

// doStep samples, scores and updates once. After an error the state is of no use.
func (l *learner) doStep() (stepResult, error) {
	var r stepResult
	l.draw()
	l.score(&r)
	return r, l.learn(&r)
}

// learn updates once on what was sampled and its rewards.
func (l *learner) learn(r *stepResult) error {
	r.groupStats = advantages(l.adv, l.rewards, l.right, l.set.group, l.set.scale)
	l.build()
	if l.set.beta != 0 {
		l.team.Do(l.used, l.forward)
		l.cost.FLOP += l.flop(1)
	}
	for range l.set.epochs {
		l.shards.Run(l.gradient)
		var total sums
		for _, s := range l.totals[:l.used] {
			total.add(s)
		}
		grad := l.model.Gradient(l.shards.Grad)
		norm := optim.Norm(grad, l.spans)
		if math.IsNaN(norm+total.loss) || math.IsInf(norm+total.loss, 0) {
			return fmt.Errorf("step %d: %w: lower %s or %s, or resume from an earlier checkpoint", l.step+1, errNaN, pRate, pMaxNorm)
		}
		l.opt.Step(l.model.Trained(), grad, l.set.rate, optim.ClipScale(norm, l.set.maxNorm), l.spans)
		l.model.Update()
		l.net.Load(l.model.W)
		r.norm = max(r.norm, norm) // a batch's later passes are where gradients blow up
		r.add(total)
		l.cost.FLOP += l.flop(3)
	}
	l.step++
	l.cost.Steps++
	return nil
}

// draw fills the step's problems and samples their completions.
func (l *learner) draw() {
	rng := rand.New(rand.NewPCG(uint64(policy.NewStream(l.seed, uint64(l.step), streamProblem)), 0))
	l.problems, l.prompts = l.problems[:0], l.prompts[:0]
	for range l.set.prompts {
		p := l.task.Train(rng, l.set.curriculum)
		l.problems, l.prompts = append(l.problems, p), append(l.prompts, p.Prompt)
	}
	l.sampler.Sample(&l.samples, l.prompts, l.set.group, policy.Sampling{
		Temperature: l.set.temperature, TopP: l.set.topP, MaxNew: l.limit(), End: task.EOS,
		Stream: policy.NewStream(l.seed, uint64(l.step), streamSample),
	})
}

// score verifies every completion and counts tokens.
func (l *learner) score(r *stepResult) {
	rows := len(l.rewards)
	var prompt, sampled int64
	for row := range rows {
		p := l.problems[row/l.set.group]
		n, cut := l.samples.Len[row], !l.samples.Ended[row]
		l.right[row] = right(l.task, p, &l.samples, row)
		l.rewards[row] = 0
		if l.right[row] {
			l.rewards[row] = 1
			r.accuracy++
		}
		if l.set.overlong > 0 {
			l.rewards[row] -= float32(l.set.overlong) * overlongShare(n, l.limit(), cut)
		}
		if cut {
			r.truncated++
		}
		prompt += int64(len(p.Prompt))
		sampled += int64(n)
	}
	r.length = float64(sampled) / float64(rows)
	r.accuracy /= float64(rows)
	r.truncated /= float64(rows)
	l.cost.PromptTokens += prompt
	l.cost.SampledTokens += sampled
	l.cost.TrainedTokens += (prompt + sampled) * int64(l.set.epochs)
	l.cost.FLOP += l.flop(1)
}

// flop estimates passes forward passes over the batch: every prompt once and every completion.
func (l *learner) flop(passes float64) float64 {
	var n int
	for _, k := range l.samples.Len {
		n += k
	}
	for _, p := range l.prompts {
		n += len(p)
	}
	return passes * float64(n) * l.model.FLOP(l.task.PromptLen())
}

// build packs the completions behind their shared prompts and fills the loss's inputs.
func (l *learner) build() {
	n, total := l.set.group, 0
	for _, k := range l.samples.Len {
		total += k
	}
	for i := range l.used {
		b, in := &l.shards.Parts[i].Batch, &l.inputs[i]
		b.Reset()
		in.reset()
		l.shared = l.shared[:0]
		for _, prompt := range l.prompts[l.groups[i]:l.groups[i+1]] { // before all outputs, see Batch
			l.shared = append(l.shared, b.Add(prompt[:len(prompt)-1], policy.Seq{}))
		}
		for g := l.groups[i]; g < l.groups[i+1]; g++ {
			prompt, pre := l.prompts[g], l.shared[g-l.groups[i]]
			for row := g * n; row < (g+1)*n; row++ {
				tok := l.samples.Row(row)
				s := b.Continue(prompt[len(prompt)-1], tok[:len(tok)-1], pre)
				b.Want(s.Start, s.Start+s.Len)
				w := tokenWeight(l.set.loss, len(tok), l.limit(), len(l.rewards), total)
				in.target = append(in.target, tok...)
				in.old = append(in.old, l.samples.LogP[row*l.samples.MaxNew:][:len(tok)]...)
				for range tok {
					in.advantage, in.weight = append(in.advantage, l.adv[row]), append(in.weight, w)
				}
			}
		}
		if l.set.beta != 0 {
			in.ref = append(in.ref, in.old...) // the reference pass overwrites it
		}
	}
}

func (l *learner) objective() objective {
	return objective{
		invT: float32(1 / l.set.temperature), low: float32(l.set.low), high: float32(l.set.high),
		beta: float32(l.set.beta), entropy: float32(l.set.entropy),
	}
}

func (l *learner) referencePart(_, i int) {
	p, in := &l.shards.Parts[i], &l.inputs[i]
	l.refNet.Forward(&p.Tape, &p.Batch)
	l.objective().logProbs(in.ref, p.Tape.Logits, l.model.Vocab, in.target)
}

func (l *learner) gradientPart(i int, p *policy.Part) {
	l.net.Forward(&p.Tape, &p.Batch)
	l.totals[i] = l.objective().apply(p.Tape.Logits, l.model.Vocab, &l.inputs[i])
	l.net.Backward(&p.Tape, p.Tape.Logits, p.Grad)
}
