package rules

import (
	"context"
	"math"
	"strings"
	"testing"

	"llmzero/engine/agent"
	"llmzero/engine/tree"
)

func TestChoose(t *testing.T) {
	healthy := points(healthyShapes(), 40, 1, 0.02, 1)
	collapse := points(shapesOf(tree.EntropyCollapse), 40, 1, 0, 1)
	for name, c := range map[string]struct {
		points []tree.Point
		vals   []float64
		want   int
		why    string
	}{
		"last is best":            {healthy, []float64{0.4, 0.45, 0.5, 0.55}, 3, "with the best validation 0.55"},
		"last within noise":       {healthy, []float64{0.4, 0.56, 0.5, 0.55}, 3, "within noise of the best, 0.56 at step 20"},
		"best is earlier":         {healthy, []float64{0.4, 0.6, 0.5, 0.5}, 1, "best validation 0.6; the last one has 0.5"},
		"latest within noise":     {healthy, []float64{0.6, 0.595, 0.4, 0.4}, 1, "the latest within noise"},
		"before the collapse":     {collapse, []float64{0.5, 0.5, 0.5, 0.5}, 0, "before the entropy collapse at step"},
		"collapse, yet much best": {collapse, []float64{0.3, 0.4, 0.5, 0.6}, 3, "with the best validation"},
		"one":                     {healthy, []float64{0.4}, 0, "the last one"},
	} {
		turn := turnAt(c.points, c.vals...)
		got, err := New().Choose(context.Background(), agent.Ended{Spec: turn.Spec, Node: turn.Node, Points: c.points, Start: score(0.4)})
		if err != nil || got.Index != c.want || !strings.Contains(got.Why, c.why) {
			t.Errorf("%s: %+v, %v; want %d %q", name, got, err, c.want, c.why)
		}
	}
}

func TestChooseWithoutScores(t *testing.T) {
	turn := turnAt(nil, 0.1, 0.2, math.NaN())
	turn.Node.Outcome.Checkpoints[0].Val, turn.Node.Outcome.Checkpoints[1].Val = tree.Score{}, tree.Score{}
	got, err := New().Choose(context.Background(), agent.Ended{Node: turn.Node})
	if err != nil || got.Index != 2 || got.Why == "" {
		t.Errorf("%+v, %v", got, err)
	}
	turn.Node.Outcome.Checkpoints = nil
	if got, _ := New().Choose(context.Background(), agent.Ended{Node: turn.Node}); got.Index != -1 {
		t.Errorf("%+v without checkpoints", got)
	}
}

func TestJudge(t *testing.T) {
	with := func(p tree.Pathology, m string, s shape) []tree.Point {
		shapes := healthyShapes()
		if p != "" {
			shapes = shapesOf(p)
		}
		if m != "" {
			shapes[m] = s
		}
		return points(shapes, 40, 1, 0.02, 1)
	}
	nan := with("", "", nil)
	nan[5].Values[tree.MetricGradNorm] = math.Inf(1)
	blown := with(tree.EntropyExplosion, tree.MetricReward, hill(0.4, 0.5, 0.02))
	for name, c := range map[string]struct {
		points []tree.Point
		why    string // empty: go on
	}{
		"healthy":        {with("", "", nil), ""},
		"not a number":   {nan, "gradient norm is not a number at step 6"},
		"explosion":      {blown, "entropy explosion: entropy rose"},
		"too early":      {blown[:8], ""},
		"mild explosion": {with(tree.EntropyExplosion, "", nil), ""},
		"KL gone":        {with(tree.KLRunaway, tree.MetricReward, hill(0.4, 0.6, 0.02)), ""},
		"KL far gone": {points(func() map[string]shape {
			s := healthyShapes()
			s[tree.MetricKL], s[tree.MetricReward] = ramp(0.1, 8), hill(0.4, 0.6, 0.02)
			return s
		}(), 40, 1, 0.02, 1), "KL runaway: KL was"},
		"none": {nil, ""},
	} {
		got, err := New().Judge(context.Background(), agent.Watch{Points: c.points})
		if err != nil || got.Stop != (c.why != "") || !strings.HasPrefix(got.Why, c.why) || got.Stop && len(got.Findings) == 0 {
			t.Errorf("%s: %+v, %v; want %q", name, got, err, c.why)
		}
	}
}
