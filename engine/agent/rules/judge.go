package rules

import (
	"context"
	"fmt"

	"llmzero/engine/agent"
	"llmzero/engine/agent/curve"
	"llmzero/engine/tree"
)

// judgeAfter is how many points a running segment has before it may be stopped for a trend.
const judgeAfter = 12

// broken are trends that a running segment does not come back from: going on only spends budget. The first row that
// holds stops it. That a segment is merely behind is the engine's rule and not here.
var broken = []rule{
	{
		pathology: tree.EntropyExplosion,
		needs:     []sign{rises(tree.MetricEntropy, 1, 0.5), rewardDrops(0.6)},
	},
	{
		pathology: tree.KLRunaway,
		needs:     []sign{above(tree.MetricKL, 3), rewardDrops(0.6)},
	},
	{
		pathology: tree.EntropyCollapse,
		needs: []sign{
			falls(tree.MetricEntropy, 0.9), above(tree.MetricZeroStd, 0.95), rewardDrops(0.5),
		},
	},
}

// Judge stops a segment whose metrics are no longer numbers, or whose reward is gone with entropy or KL exploding.
func (Agent) Judge(ctx context.Context, w agent.Watch) (agent.Judgement, error) {
	if err := ctx.Err(); err != nil {
		return agent.Judgement{}, err
	}
	v := &view{points: w.Points, start: w.Start, config: w.Node.Config}
	if ev, _, ok := notFinite(v); ok {
		f := tree.Finding{Pathology: tree.Instability, Severity: tree.Severe, Evidence: []tree.Evidence{ev}}
		return agent.Judgement{Stop: true, Why: ev.Text, Findings: []tree.Finding{f}}, nil
	}
	if curve.Of(w.Points, tree.MetricReward).Len() < judgeAfter {
		return agent.Judgement{}, nil
	}
	for _, r := range broken {
		if m, ok := r.match(v); ok {
			m.finding.Severity = tree.Severe
			last := m.finding.Evidence[len(m.finding.Evidence)-1].Text
			why := fmt.Sprintf("%s: %s, and %s", r.pathology, m.finding.Evidence[0].Text, last)
			return agent.Judgement{Stop: true, Why: why, Findings: []tree.Finding{m.finding}}, nil
		}
	}
	return agent.Judgement{}, nil
}
