package search

import (
	"math"

	"llmzero/engine/tree"
)

// level is what validation score a search reaches at a spending: the least-squares line of the scores of all trained
// nodes over the logarithm of the tokens spent along their paths. A node's advantage is its distance from that line,
// multiplied by the share of the nodes' spread that is not noise (the James-Stein estimate), so that differences inside
// the standard error hardly count.
type level struct {
	at, slope float64 // score at no spending, and its rise for each unit of log(1+tokens/unit)
	unit      float64 // tokens of a mean segment
	spread    float64 // variance of the scores around the line beyond their noise; +Inf: no shrinking
}

// fewest is how many trained nodes it takes to fit a line.
const fewest = 5

func flat() level { return level{unit: 1, spread: math.Inf(1)} }

// fit makes the level of the entries that are trained. With raw it is flat: advantages are the scores themselves.
func fit(entries []entry, raw bool) level {
	l := flat()
	if raw {
		return l
	}
	var n, tokens, y, noise float64
	for i := range entries {
		if e := &entries[i]; e.kind == trained {
			n, tokens, y, noise = n+1, tokens+e.own, y+e.score, noise+e.se*e.se
		}
	}
	if n == 0 {
		return l
	}
	l.unit, l.at = max(1, tokens/max(1, n-1)), y/n
	if n < fewest {
		return l
	}
	var sx, sxx, sxy float64
	for i := range entries {
		if e := &entries[i]; e.kind == trained {
			x := l.x(e.spent)
			sx, sxx, sxy = sx+x, sxx+x*x, sxy+x*e.score
		}
	}
	if d := sxx - sx*sx/n; d > 1e-12 {
		l.slope = max(0, (sxy-sx*y/n)/d)
		l.at = (y - l.slope*sx) / n
	}
	var rest float64
	for i := range entries {
		if e := &entries[i]; e.kind == trained {
			d := e.score - l.expected(e.spent)
			rest += d * d
		}
	}
	rest /= n - 2
	l.spread = max(rest-noise/n, rest/10)
	return l
}

func (l level) x(tokens float64) float64        { return math.Log1p(tokens / l.unit) }
func (l level) expected(tokens float64) float64 { return l.at + l.slope*l.x(tokens) }

// advantage is how much better than expected at its spending a score is, shrunk by its noise.
func (l level) advantage(e *entry) float64 {
	d := e.score - l.expected(e.spent)
	if e.se == 0 || math.IsInf(l.spread, 1) {
		return d
	}
	if l.spread <= 0 {
		return 0
	}
	return d * l.spread / (l.spread + e.se*e.se)
}

// estimate is what a score is worth: what is expected at its spending, and its advantage over that. Its error is what is left of the
// score's own once what the whole search knows is added.
func (l level) estimate(e *entry) tree.Score {
	s := tree.Score{Mean: l.expected(e.spent) + e.adv, SE: e.se, N: 1}
	if l.spread > 0 && !math.IsInf(l.spread, 1) {
		s.SE *= math.Sqrt(l.spread / (l.spread + e.se*e.se))
	}
	return s
}

// Estimates are what the trained nodes of a tree are worth, by id: their validation scores, shrunk by their noise towards what the
// search reaches at their spending. The scores of other nodes are unknown.
func Estimates(t *tree.Tree) []tree.Score {
	l := ledger{level: flat()}
	for id := range t.Nodes {
		l.enter(t, tree.NodeID(id))
	}
	l.refit()
	out := make([]tree.Score, len(l.entries))
	for i := range l.entries {
		if e := &l.entries[i]; e.kind == trained {
			out[i] = l.level.estimate(e)
			out[i].N = t.Nodes[i].Val().N
		}
	}
	return out
}

// spending is the tokens that lead to the node's start, and those of its own segment up to the chosen checkpoint.
func spending(t *tree.Tree, n *tree.Node, parent *entry) (start, own float64) {
	if n.ID == tree.Root {
		return 0, 0
	}
	start = parent.start
	if p := t.Nodes[n.Parent]; p.ID != tree.Root && p.Outcome != nil {
		start += upTo(p.Outcome, n.Transition.From.Step)
	}
	if n.Outcome != nil {
		if c, ok := n.Outcome.Checkpoint(); ok {
			own = upTo(n.Outcome, c.Step)
		}
	}
	return start, own
}

func upTo(o *tree.Outcome, step int) float64 {
	for _, c := range o.Checkpoints {
		if c.Step == step && c.Tokens > 0 {
			return float64(c.Tokens)
		}
	}
	return float64(o.Cost.Tokens())
}
