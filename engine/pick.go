package engine

import (
	"slices"

	"llmzero/engine/search"
	"llmzero/engine/tree"
)

// pick is a node to expand and why.
type pick struct {
	node  tree.NodeID // which the policy was told of
	terms []tree.Term
	fresh bool // a forced fresh start
	pin   bool
}

// pinned is the first pinned node that no turn looks at yet.
func (e *Engine) pinned() (pick, bool) {
	for _, id := range e.census.pinned {
		if e.holds[id] == 0 && e.rescoring[id] == 0 && e.room() > 0 && len(e.tree.Nodes) > 1 {
			return pick{node: id, pin: true, terms: []tree.Term{{Name: "pinned", Value: 1}}}, true
		}
	}
	return pick{}, false
}

// pick chooses the node to expand: the practitioner's root first, then the parents of failed nodes for a remedy, a share of
// forced fresh starts, else the policy's choice. The draw depends on the search's seed and the number of expansions only.
func (e *Engine) pick() (pick, bool) {
	count := len(e.tree.Nodes) + e.inTurn()
	if len(e.tree.Nodes) == 1 {
		return pick{node: tree.Root}, true
	}
	for len(e.failed) > 0 {
		n := e.tree.Nodes[e.failed[0]]
		e.failed = e.failed[1:]
		if p := e.tree.Nodes[n.Parent]; p.State.Trained() && e.holds[p.ID] == 0 {
			if f, ok := e.unremedied(p); ok && f == n {
				return pick{node: p.ID, terms: []tree.Term{{Name: "remedy for node", Value: float64(n.ID)}}}, true
			}
		}
	}
	fresh := pick{node: tree.Root, fresh: true, terms: []tree.Term{{Name: "forced fresh start", Value: e.tree.Spec.FreshRate}}}
	if tree.Chance(tree.Derive(e.tree.Spec.Seed, "fresh", count)) < e.tree.Spec.FreshRate || e.barren >= patience {
		return fresh, true
	}
	if c, ok := e.policy.Next(e.tree); ok {
		return pick{node: c.Node, terms: c.Terms}, true
	}
	if (e.crew == nil || e.crew.size == 0) && e.census.count(tree.StateProposed, tree.StateApproved, tree.StateQueued) == 0 {
		return fresh, true // nothing can be expanded and nothing is under way
	}
	return pick{}, false
}

// next lists the next n picks and leaves everything as it was.
func (e *Engine) next(n int) (out []search.Choice) {
	failed := slices.Clone(e.failed)
	defer func() {
		e.failed = failed
		for _, c := range out {
			e.hold(c.Node, -1)
		}
	}()
	for len(out) < n && len(e.tree.Nodes) > 0 {
		p, ok := e.pinned()
		if !ok {
			p, ok = e.pick()
		}
		if !ok {
			break
		}
		if p.terms == nil {
			p.terms = []tree.Term{{Name: "the practitioner's root", Value: 1}}
		}
		out = append(out, search.Choice{Node: p.node, Terms: p.terms})
		e.hold(p.node, 1)
		if len(e.tree.Nodes) == 1 {
			break // what follows the practitioner's root is chosen when it is there
		}
	}
	return out
}
