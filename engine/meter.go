package engine

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"time"

	"llmzero/engine/event"
	"llmzero/engine/tree"
)

// meter is a trainer whose work is always accounted for: what it fails to say of its cost, because it crashed, panicked or does not
// count, comes from its points and the engine's clock. A panic is an error.
type meter struct {
	Trainer
	clock func() time.Time
	log   *slog.Logger
}

func (e *Engine) meter() meter { return meter{e.opts.Trainer, e.opts.Clock, e.opts.Logger} }

// Run implements Trainer. The outcome has a cost also beside an error.
func (m meter) Run(ctx context.Context, job tree.Job, report func(tree.Report) error) (out tree.Outcome, err error) {
	began, seen := m.clock(), tree.Cost{}
	err = guard(m.log, "the trainer", func() (err error) {
		out, err = m.Trainer.Run(ctx, job, func(r tree.Report) error {
			if r.Point != nil {
				seen.Steps, seen.SampledTokens = seen.Steps+1, r.Point.Tokens
			}
			return report(r)
		})
		return err
	})
	if !credible(out.Cost) {
		if err == nil {
			err = &tree.Failure{Class: tree.FailData, Message: fmt.Sprintf("the trainer says that the segment cost %+v", out.Cost)}
		}
		out.Cost = tree.Cost{}
	}
	if out.Cost.Tokens() == 0 {
		out.Cost.Steps, out.Cost.SampledTokens = seen.Steps, max(0, seen.SampledTokens)
	}
	m.time(&out.Cost, began, len(job.Slot.GPUs))
	return out, err
}

// Evaluate implements Trainer. There is a cost also beside an error.
func (m meter) Evaluate(ctx context.Context, x tree.Exam) (score tree.Score, cost tree.Cost, err error) {
	began := m.clock()
	err = guard(m.log, "the trainer", func() (err error) {
		score, cost, err = m.Trainer.Evaluate(ctx, x)
		return err
	})
	if !credible(cost) {
		cost = tree.Cost{}
	}
	m.time(&cost, began, 0)
	if err == nil && !number(score) {
		err = fmt.Errorf("the trainer's score on %s is not a number", x.Split)
	}
	return score, cost, err
}

// time fills in what a trainer that does not say how long it took has taken: by the clock, on each of the slot's GPUs.
func (m meter) time(c *tree.Cost, began time.Time, gpus int) {
	if c.WallSeconds > 0 {
		return
	}
	c.WallSeconds = max(0, m.clock().Sub(began).Seconds())
	if c.GPUSeconds == 0 {
		c.GPUSeconds = c.WallSeconds * float64(gpus)
	}
}

// credible tells whether a trainer's account can be counted and written.
func credible(c tree.Cost) bool {
	sum := c.WallSeconds + c.GPUSeconds + c.FLOP // NaN and infinities come through
	return min(c.PromptTokens, c.SampledTokens, c.TrainedTokens, c.EvalTokens, int64(c.Steps), c.PeakMemory) >= 0 &&
		min(c.WallSeconds, c.GPUSeconds, c.FLOP) >= 0 && !math.IsNaN(sum) && !math.IsInf(sum, 0)
}

// lost is what is known of the cost of an attempt that ended with the program: its tokens by the points that the record has,
// its time by the pace of the search so far.
func (e *Engine) lost(ctx context.Context, id tree.NodeID) tree.Cost {
	points, err := e.curves.load(ctx, id)
	if err != nil {
		e.opts.Logger.Warn("the cost of an interrupted segment is not known", "node", id, "err", err)
	}
	if len(points) == 0 {
		return tree.Cost{}
	}
	c := tree.Cost{Steps: len(points), SampledTokens: max(0, points[len(points)-1].Tokens)}
	if all := e.tree.Spent.Cost; all.Tokens() > 0 {
		share := float64(c.SampledTokens) / float64(all.Tokens())
		c.WallSeconds, c.GPUSeconds = share*all.WallSeconds, share*all.GPUSeconds
	}
	return c
}

// wasted are the entries for compute that was paid for without a result.
func wasted(w event.Wasted) []entry {
	if w.Cost == (tree.Cost{}) && w.Segments == 0 {
		return nil
	}
	return []entry{engineEntry(&w)}
}
