package engine

import (
	"context"
	"slices"

	"llmzero/engine/agent"
	"llmzero/engine/tree"
)

// What a turn shows of a large tree.
const (
	shownNodes  = 256 // siblings, children, and as many vetoes
	shownStages = 24  // nodes of the path whose curves are loaded, from its end
	shownBest   = 5   // strategies
)

// brief is a turn on its way: what the tree says of it, without metric points, which a worker loads.
type brief struct {
	turn agent.Turn
}

// brief collects what the agent is to see. A node whose last child failed is looked at through that child, so that the agent
// sees the failure and proposes a remedy.
func (e *Engine) brief(p pick) brief {
	n := e.tree.Nodes[p.node]
	if f, ok := e.unremedied(n); ok && !p.fresh {
		n = f
	}
	return e.sight(p, n)
}

// sight is what the agent sees when it looks at n.
func (e *Engine) sight(p pick, n *tree.Node) brief {
	t := e.tree
	turn := agent.Turn{
		Spec: t.Spec, Node: *n, Bans: slices.Clone(t.Bans), Hints: slices.Clone(t.Hints), Budget: t.Spec.Budget, Spent: t.Spent,
		Steps: t.Spec.Segment, Count: 3, Fresh: p.fresh || n.ID == tree.Root,
		Seed: tree.Derive(t.Spec.Seed, "turn", int(n.ID), len(t.Nodes)+max(0, e.inTurn()-1), e.fruitless),
	}
	if n.State == tree.StateFailed && n.Outcome != nil {
		turn.Failure = n.Outcome.Failure
	}
	for _, x := range t.Path(n.ID) {
		turn.Path = append(turn.Path, agent.Stage{Node: *x})
	}
	if n.ID != tree.Root {
		turn.Siblings = e.last(t.Nodes[n.Parent].Children, n.ID)
	}
	turn.Children = e.last(n.Children, n.ID)
	turn.Vetoes = e.vetoes()
	turn.Best = e.best()
	return brief{turn}
}

// unremedied is the last child of n that is not vetoed or pruned, when it failed for a reason that another configuration may
// mend and not too many have failed already.
func (e *Engine) unremedied(n *tree.Node) (*tree.Node, bool) {
	var last *tree.Node
	failures := 0
	for i := len(n.Children) - 1; i >= 0 && i >= len(n.Children)-shownNodes; i-- {
		c := e.tree.Nodes[n.Children[i]]
		if c.State == tree.StateVetoed || c.State == tree.StatePruned {
			continue
		}
		if last == nil {
			last = c
		}
		if c.State == tree.StateFailed {
			failures++
		}
	}
	if last == nil || last.State != tree.StateFailed || failures > patience {
		return nil, false
	}
	return last, last.Outcome != nil && last.Outcome.Failure != nil
}

func (e *Engine) last(ids []tree.NodeID, but tree.NodeID) []tree.Node {
	var out []tree.Node
	for _, id := range ids[max(0, len(ids)-shownNodes):] {
		if id != but {
			out = append(out, *e.tree.Nodes[id])
		}
	}
	return out
}

// vetoes are the latest vetoed nodes, newest first.
func (e *Engine) vetoes() []tree.Node {
	ids := e.census.vetoed
	var out []tree.Node
	for i := len(ids) - 1; i >= 0 && len(out) < shownNodes; i-- {
		out = append(out, *e.tree.Nodes[ids[i]])
	}
	return out
}

// best are the best strategies of the whole search, best first.
func (e *Engine) best() []agent.Strategy {
	var out []agent.Strategy
	for _, id := range e.podium.top {
		if id == tree.Root {
			continue
		}
		var s agent.Strategy
		for _, x := range e.tree.Path(id) {
			s.Path = append(s.Path, *x)
		}
		if out = append(out, s); len(out) == shownBest {
			break
		}
	}
	return out
}

// fill loads the metric points of the path. It runs outside the loop.
func (b brief) fill(ctx context.Context, c *curves) (agent.Turn, error) {
	t := b.turn
	for i := max(0, len(t.Path)-shownStages); i < len(t.Path); i++ {
		if t.Path[i].Node.ID == tree.Root {
			continue
		}
		points, err := c.load(ctx, t.Path[i].Node.ID)
		if err != nil {
			return t, err
		}
		t.Path[i].Points = points
	}
	t.Points = t.Path[len(t.Path)-1].Points
	return t, nil
}
