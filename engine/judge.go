package engine

import (
	"context"
	"fmt"
	"math"
	"sort"

	"llmzero/engine/agent"
	"llmzero/engine/tree"
)

// window is over how many polls a reward curve is averaged before it is compared.
const window = 5

// mark is one point of a curve: the tokens spent along the path, and the value there.
type mark struct{ tokens, value float64 }

// curve is a value over the tokens spent along a path, ascending in tokens.
type curve []mark

// at is the curve's value at a spending, between its marks by a straight line; false outside it.
func (c curve) at(tokens float64) (float64, bool) {
	i := sort.Search(len(c), func(i int) bool { return c[i].tokens >= tokens })
	switch {
	case i == len(c) || (i == 0 && c[0].tokens > tokens):
		return 0, false
	case i == 0 || c[i].tokens == tokens:
		return c[i].value, true
	}
	a, b := c[i-1], c[i]
	return a.value + (b.value-a.value)*(tokens-a.tokens)/(b.tokens-a.tokens), true
}

// stage is one node of the best path: what the judge needs to rebuild its curve.
type stage struct {
	node  tree.NodeID
	start float64 // tokens spent along the path before its segment
	until int     // the step at which the path leaves it, inclusive
}

// reference is the path that running segments are compared with: that of the best node so far, empty when no segment has
// ended yet. It belongs to the loop; the curves are read by the segment's goroutine.
func (e *Engine) reference() []stage {
	best, ok := e.podium.best()
	if !ok || best == tree.Root || e.tree.Spec.Judge.Off {
		return nil
	}
	var out []stage
	start := 0.0
	path := e.tree.Path(best)[1:]
	for i, n := range path {
		c, _ := n.Outcome.Checkpoint()
		if i+1 < len(path) {
			c, _ = n.CheckpointAt(path[i+1].Transition.From.Step)
		}
		out = append(out, stage{n.ID, start, c.Step})
		start += segmentTokens(n, c)
	}
	return out
}

// segmentTokens is what a node's segment had spent at a checkpoint.
func segmentTokens(n *tree.Node, c tree.Checkpoint) float64 {
	if c.Tokens > 0 {
		return float64(c.Tokens)
	}
	return float64(n.Outcome.Cost.Tokens())
}

// spentBefore is what the path to a node's start has spent.
func (e *Engine) spentBefore(n *tree.Node) float64 {
	sum := 0.0
	path := e.tree.Path(n.ID)
	for i := 1; i+1 < len(path); i++ {
		c, _ := path[i].CheckpointAt(path[i+1].Transition.From.Step)
		sum += segmentTokens(path[i], c)
	}
	return sum
}

// judge compares a running segment with the best path at the same spending (the doomed-run rule of research.md, section 3).
type judge struct {
	rules   tree.Judge
	start   float64 // tokens spent before the segment
	steps   int     // that the segment is to take
	rewards curve   // of the best path
	vals    curve

	recent []float64
	polls  int
	streak int
	last   float64 // validation score of the segment's last checkpoint, NaN before the first
	doomed *doom   // the first time the rule held
}

// doom is when and why a segment was condemned.
type doom struct {
	step      int
	threshold float64
	why       string
	agent     bool // condemned by the agent: the threshold is of the validation score, not of the reward
}

// load reads the curves of the best path.
func (j *judge) load(ctx context.Context, path []stage, c *curves) error {
	for _, s := range path {
		points, err := c.load(ctx, s.node)
		if err != nil {
			return err
		}
		var recent []float64
		for _, p := range points {
			if p.Step > s.until {
				break
			}
			at := s.start + float64(p.Tokens)
			if v, ok := finite(p, tree.MetricReward); ok {
				recent = append(recent, v)
				recent = recent[max(0, len(recent)-window):]
				j.rewards = append(j.rewards, mark{at, mean(recent)})
			}
			if v, ok := finite(p, tree.MetricValidation); ok {
				j.vals = append(j.vals, mark{at, v})
			}
		}
	}
	return nil
}

func finite(p tree.Point, metric string) (float64, bool) {
	v, ok := p.Values[metric]
	return v, ok && !math.IsNaN(v) && !math.IsInf(v, 0)
}

func mean(all []float64) float64 {
	sum := 0.0
	for _, v := range all {
		sum += v
	}
	return sum / float64(len(all))
}

// poll takes a point and tells whether the segment is doomed as of now. The reward must be below the best path's by the
// configured share for the configured number of polls in a row, and the last validation, where both have one, must not be
// above that line: a harder curriculum lowers the reward without being worse.
func (j *judge) poll(p tree.Point) (doom, bool) {
	v, ok := finite(p, tree.MetricReward)
	if val, scored := finite(p, tree.MetricValidation); scored {
		j.last = val
	}
	if !ok || j.rules.Off {
		return doom{}, false
	}
	j.polls++
	j.recent = append(j.recent, v)
	j.recent = j.recent[max(0, len(j.recent)-window):]
	at := j.start + float64(p.Tokens)
	best, known := j.rewards.at(at)
	if !known || float64(j.polls) < j.rules.After*float64(j.steps) || j.polls < window {
		j.streak = 0
		return doom{}, false
	}
	line := below(best, j.rules.Below)
	now := mean(j.recent)
	if now >= line || j.validated(at) {
		j.streak = 0
		return doom{}, false
	}
	if j.streak++; j.streak < max(1, j.rules.Polls) {
		return doom{}, false
	}
	return doom{step: p.Step, threshold: line, why: fmt.Sprintf(
		"reward %.3g is more than %.0f%% below the best path's %.3g at the same tokens, %d polls in a row",
		now, 100*j.rules.Below, best, j.streak)}, true
}

// below is a value lowered by a share of its size.
func below(v, share float64) float64 { return v - share*math.Abs(v) }

// validated tells whether the last validation speaks for the segment.
func (j *judge) validated(at float64) bool {
	if math.IsNaN(j.last) {
		return false
	}
	best, ok := j.vals.at(at)
	return ok && j.last >= below(best, j.rules.Below)
}

// judge looks at a point; it returns the reason when the segment is to be stopped now. A share of the condemned segments runs on,
// to see how often stopping would have been wrong.
func (s *run) judged(p tree.Point) (why string, stop bool) {
	d, doomed := s.judge.poll(p)
	if !doomed || s.judge.doomed != nil || p.Step >= s.job.FromStep+s.job.Steps {
		return "", false
	}
	s.judge.doomed = &d
	if s.onTrial() {
		return "", false
	}
	return d.why, true
}

// onTrial draws whether a stop of this segment is overruled.
func (s *run) onTrial() bool {
	return tree.Chance(tree.Derive(s.job.Seed, "trial")) < s.judge.rules.TrialOne
}

// trial is the record of a condemned segment that was not stopped, nil for any other. One that failed was rightly condemned: without
// it the rate of false stops would be that of the survivors.
func (s *run) trial(out *tree.Outcome, stop *tree.StopNote) *tree.StopTrial {
	d := s.judge.doomed
	if d == nil || stop != nil {
		return nil
	}
	if out.Failure != nil {
		return &tree.StopTrial{AtStep: d.step}
	}
	if d.agent {
		return &tree.StopTrial{AtStep: d.step, FalseStop: out.Val.Mean > d.threshold}
	}
	end := math.NaN()
	if len(s.judge.recent) > 0 {
		end = mean(s.judge.recent)
	}
	line := d.threshold
	if n := len(s.points); n > 0 {
		if best, ok := s.judge.rewards.at(s.judge.start + float64(s.points[n-1].Tokens)); ok {
			line = below(best, s.judge.rules.Below)
		}
	}
	return &tree.StopTrial{AtStep: d.step, FalseStop: end >= line}
}

// ask lets the agent judge the running segment.
func (s *run) ask(ctx context.Context) (a agent.Judgement, err error) {
	var parent []tree.Point
	if s.node.Parent != tree.Root {
		if parent, err = s.engine.curves.load(ctx, s.node.Parent); err != nil {
			return a, err
		}
	}
	err = guard(s.engine.opts.Logger, "the agent", func() (err error) {
		a, err = s.engine.opts.Agent.Judge(ctx, agent.Watch{
			Spec: s.spec, Node: s.node, Points: s.points, Parent: parent, Start: s.start, Seed: tree.Derive(s.job.Seed, "judge", len(s.points)),
		})
		return err
	})
	return a, err
}
