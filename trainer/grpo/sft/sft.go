// Package sft makes base policies by supervised training: next-token cross-entropy on the masked tokens of generated
// sequences. It is deterministic: the same options and generator give the same bits on one kernel path, for any number of
// workers.
package sft

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"llmzero/trainer/grpo/optim"
	"llmzero/trainer/grpo/policy"
	"llmzero/trainer/grpo/team"
)

// ErrDiverged is returned when the loss stops being a finite number.
var ErrDiverged = errors.New("supervised training diverged: lower the learning rate")

// Options of a run. Zero fields take the defaults named.
type Options struct {
	Config  policy.Config
	Steps   int
	Batch   int     // sequences a step; 64
	Rate    float64 // peak learning rate; 3e-3
	WarmUp  int     // steps of linear warm-up; 50
	Decay   float64 // weight decay of the projections; 0.01
	MaxNorm float64 // gradient clip; 1
	Seed    uint64
	Workers int // 1
}

// Next draws one sequence and its loss mask: mask[i] says whether ids[i] is a target. progress is the share of steps done,
// in [0, 1). Sequences are at most Config.Context tokens; the first token is never a target.
type Next func(rng *rand.Rand, progress float64) (ids []uint8, mask []bool)

// shards is the fixed number of parts of a batch.
const shards = 8

// Train trains fresh weights and returns them, flat as policy.Config.Layout says. watch, when not nil, sees the mean loss
// of every step. Cancelling ctx ends it with the context's error.
func Train(ctx context.Context, o Options, next Next, watch func(step int, loss float64)) ([]float32, error) {
	if err := o.Config.Check(); err != nil {
		return nil, err
	}
	if o.Steps < 1 {
		return nil, fmt.Errorf("sft: %d steps, want at least 1", o.Steps)
	}
	o = o.withDefaults()
	tm := team.New(o.Workers)
	defer tm.Close()
	rng := rand.New(rand.NewPCG(o.Seed, 0x5f7))
	w := o.Config.Init(rng)
	net := policy.NewNet(o.Config)
	r := &run{o: o, net: net, sh: policy.NewShards(net, tm, shards)}
	opt, spans := optim.New(len(w)), Spans(o.Config, o.Decay)
	for step := range o.Steps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		net.Load(w)
		if err := r.fill(rng, next, float64(step)/float64(o.Steps)); err != nil {
			return nil, err
		}
		loss := r.gradient()
		norm := optim.Norm(r.sh.Grad, spans)
		if math.IsNaN(loss) || math.IsInf(loss, 0) || math.IsNaN(norm) || math.IsInf(norm, 0) {
			return nil, fmt.Errorf("%w (step %d)", ErrDiverged, step)
		}
		opt.Step(w, r.sh.Grad, o.rate(step), optim.ClipScale(norm, o.MaxNorm), spans)
		if watch != nil {
			watch(step, loss)
		}
	}
	return w, nil
}

func (o Options) withDefaults() Options {
	if o.Batch == 0 {
		o.Batch = 64
	}
	if o.Rate == 0 {
		o.Rate = 3e-3
	}
	if o.WarmUp == 0 {
		o.WarmUp = 50
	}
	if o.Decay == 0 {
		o.Decay = 0.01
	}
	if o.MaxNorm == 0 {
		o.MaxNorm = 1
	}
	return o
}

// rate is linear warm-up, then half a cosine down to a tenth.
func (o Options) rate(step int) float64 {
	if step < o.WarmUp {
		return o.Rate * float64(step+1) / float64(o.WarmUp)
	}
	p := float64(step-o.WarmUp) / float64(max(1, o.Steps-o.WarmUp))
	return o.Rate * (0.1 + 0.9*0.5*(1+math.Cos(math.Pi*p)))
}

// Spans are all weights of c with decay on the projections only.
func Spans(c policy.Config, decay float64) []optim.Span {
	var out []optim.Span
	for _, t := range c.Layout() {
		s := optim.Span{From: t.Offset, To: t.Offset + t.Size()}
		if t.Kind == policy.Projection {
			s.Decay = decay
		}
		out = append(out, s)
	}
	return out
}

// run is the state of one training run between steps.
type run struct {
	o       Options
	net     *policy.Net
	sh      *policy.Shards
	targets [shards][]uint8
	loss    [shards]float64
	count   int
}

// fill draws a batch and deals it to the shards in turn.
func (r *run) fill(rng *rand.Rand, next Next, progress float64) error {
	r.count = 0
	for i := range r.sh.Parts {
		r.sh.Parts[i].Batch.Reset()
		r.targets[i] = r.targets[i][:0]
	}
	for i := range r.o.Batch {
		ids, mask := next(rng, progress)
		if len(ids) < 2 || len(ids) > r.o.Config.Context || len(mask) != len(ids) {
			return fmt.Errorf("sft: a sequence of %d tokens with a mask of %d, want 2 to %d of both", len(ids), len(mask), r.o.Config.Context)
		}
		k := i % shards
		b := &r.sh.Parts[k].Batch
		s := b.Add(ids[:len(ids)-1], policy.Seq{})
		for j, id := range ids {
			if int(id) >= r.o.Config.Vocab {
				return fmt.Errorf("sft: token %d at position %d, the vocabulary has %d", id, j, r.o.Config.Vocab)
			}
			if j > 0 && mask[j] {
				b.Want(s.Start+j-1, s.Start+j)
				r.targets[k] = append(r.targets[k], id)
				r.count++
			}
		}
	}
	if r.count == 0 {
		return errors.New("sft: a whole batch without a single target")
	}
	return nil
}

// gradient leaves the mean loss's gradient in the shards and returns the loss in nats per target.
func (r *run) gradient() float64 {
	r.sh.Run(func(i int, p *policy.Part) {
		r.net.Forward(&p.Tape, &p.Batch)
		r.loss[i] = policy.CrossEntropy(p.Tape.Logits, r.targets[i], r.o.Config.Vocab, 1/float32(r.count))
		r.net.Backward(&p.Tape, p.Tape.Logits, p.Grad)
	})
	var sum float64
	for _, l := range r.loss {
		sum += l
	}
	return sum / float64(r.count)
}
