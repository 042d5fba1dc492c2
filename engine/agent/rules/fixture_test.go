package rules

import (
	"math"
	"math/rand/v2"

	"llmzero/engine/agent"
	"llmzero/engine/tree"
)

// testSpace is like the embedded trainer's, with a choice and an unknown parameter beside the known ones.
func testSpace() tree.Space {
	f := func(name string, lo, hi, def float64, scale tree.Scale, role tree.Role, zero bool) tree.Param {
		return tree.Param{
			Name: name, Kind: tree.KindFloat, Min: lo, Max: hi, Scale: scale, Zero: zero, Default: tree.Number(def), Role: role,
		}
	}
	i := func(name string, lo, hi, def float64, role tree.Role) tree.Param {
		return tree.Param{
			Name: name, Kind: tree.KindInt, Min: lo, Max: hi, Scale: tree.ScaleLinear, Default: tree.Number(def), Role: role,
		}
	}
	reg, capa, other := tree.RoleRegularization, tree.RoleCapacity, tree.RoleOther
	rank := i(pRank, 2, 32, 8, capa)
	rank.Structural = true
	return tree.Space{Params: []tree.Param{
		f(pLR, 1e-5, 1e-2, 3e-4, tree.ScaleLog, reg, false),
		f(pBeta, 1e-4, 1, 0.001, tree.ScaleLog, reg, true),
		f(pClipHigh, 0.05, 1, 0.2, tree.ScaleLinear, reg, false),
		f(pT, 0.2, 2, 1, tree.ScaleLinear, reg, false),
		f(pEntropy, 1e-4, 0.1, 0, tree.ScaleLog, reg, true),
		f(pDecay, 1e-4, 1, 0.01, tree.ScaleLog, reg, true),
		f(pGradNorm, 0.01, 10, 1, tree.ScaleLog, reg, false),
		i(pEpochs, 1, 4, 2, other),
		i(pGroup, 2, 64, 8, capa),
		i(pLength, 4, 48, 16, capa),
		i(pPrompts, 2, 64, 16, capa),
		rank,
		i(pDifficulty, 1, 10, 4, other),
		f(pOverlong, 0.01, 2, 0, tree.ScaleLog, reg, true),
		{
			Name: pReference, Kind: tree.KindChoice, Choices: []string{"keep", "reset"}, Ordered: true,
			Default: tree.Choice("keep"), Role: other,
		},
		{
			Name: "loss_type", Kind: tree.KindChoice, Choices: []string{"grpo", "dapo", "dr_grpo"},
			Default: tree.Choice("dapo"), Role: other,
		},
	}}
}

// shape is a metric as a function of the share 0..1 of the segment.
type shape func(x float64) float64

func ramp(a, b float64) shape { return func(x float64) float64 { return a + (b-a)*x } }
func hold(a float64) shape    { return ramp(a, a) }

// cliff goes from a to b between the shares x0 and x1.
func cliff(a, b, x0, x1 float64) shape {
	return func(x float64) float64 {
		return a + (b-a)*math.Max(0, math.Min(1, (x-x0)/(x1-x0)))
	}
}

// hill rises from a to peak at the middle and falls to b.
func hill(a, peak, b float64) shape {
	return func(x float64) float64 {
		if x < 0.5 {
			return a + (peak-a)*2*x
		}
		return peak + (b-peak)*(2*x-1)
	}
}

// healthyShapes is a segment with nothing wrong.
func healthyShapes() map[string]shape {
	return map[string]shape{
		tree.MetricReward:    ramp(0.4, 0.6),
		tree.MetricRewardStd: hold(0.35),
		tree.MetricZeroStd:   hold(0.2),
		tree.MetricAllRight:  hold(0.1),
		tree.MetricAllWrong:  hold(0.1),
		tree.MetricEntropy:   ramp(0.6, 0.55),
		tree.MetricKL:        ramp(0, 0.04),
		tree.MetricClip:      hold(0.05),
		tree.MetricLength:    hold(9),
		tree.MetricTruncated: hold(0.02),
		tree.MetricGradNorm:  hold(0.8),
		tree.MetricLoss:      hold(0.1),
	}
}

// points draws n steps of the shapes from step first on, with relative noise.
func points(shapes map[string]shape, n, first int, noise float64, seed uint64) []tree.Point {
	rng := rand.New(rand.NewPCG(seed, 7))
	out := make([]tree.Point, n)
	for i := range out {
		p := tree.Point{Step: first + i, Values: map[string]float64{}}
		for _, m := range []string{
			tree.MetricReward, tree.MetricRewardStd, tree.MetricZeroStd, tree.MetricAllRight, tree.MetricAllWrong,
			tree.MetricEntropy, tree.MetricKL, tree.MetricClip, tree.MetricLength, tree.MetricTruncated,
			tree.MetricGradNorm, tree.MetricLoss,
		} {
			if f, ok := shapes[m]; ok {
				p.Values[m] = f(float64(i)/float64(max(1, n-1))) * (1 + noise*rng.NormFloat64())
			}
		}
		out[i] = p
	}
	return out
}

func score(mean float64) tree.Score { return tree.Score{Mean: mean, SE: 0.012, N: 512} }

// turnAt is a turn at node 1, the practitioner root, trained for n steps with checkpoints scored as given.
func turnAt(pts []tree.Point, vals ...float64) agent.Turn {
	space := testSpace()
	root := tree.Node{ID: tree.Root, State: tree.StateEvaluated, Config: space.Defaults(), Outcome: &tree.Outcome{Chosen: -1, Val: score(0.4)}}
	n := tree.Node{
		ID: 1, State: tree.StateEvaluated, Config: space.Defaults(), Depth: 1,
		Transition: tree.Transition{From: tree.CheckpointRef{}, Steps: len(pts)}, Outcome: &tree.Outcome{},
	}
	last := 0
	if len(pts) > 0 {
		last = pts[len(pts)-1].Step
	}
	for i, v := range vals {
		n.Outcome.Checkpoints = append(n.Outcome.Checkpoints, tree.Checkpoint{Step: last * (i + 1) / len(vals), Val: score(v)})
	}
	if len(vals) > 0 {
		n.Outcome.Chosen = len(vals) - 1
		n.Outcome.Val = score(vals[len(vals)-1])
	}
	return agent.Turn{
		Spec: tree.Spec{
			Task: "mixed", Space: space, Root: space.Defaults(), Segment: 40,
			Budget: tree.Budget{Segments: 32},
		},
		Node: n, Points: pts, Path: []agent.Stage{{Node: root}, {Node: n, Points: pts}},
		Budget: tree.Budget{Segments: 32}, Steps: 40, Count: 3, Seed: 1,
	}
}
