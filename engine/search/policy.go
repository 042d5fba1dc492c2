package search

import (
	"fmt"
	"strings"

	"llmzero/engine/tree"
)

// Choice is a node to expand next and why: the terms of the policy's score, the sum last.
type Choice struct {
	Node  tree.NodeID
	Terms []tree.Term
}

// Policy chooses which node to expand next. A policy is used by one goroutine.
type Policy interface {
	// Update tells that a node was added or changed. Nodes are added in the order of their ids.
	Update(t *tree.Tree, id tree.NodeID)
	// Hold adds by expansions of a node that are under way but not in the tree yet; a negative by takes them back.
	Hold(t *tree.Tree, id tree.NodeID, by int)
	// Next is the node to expand next; false when there is none at present.
	Next(t *tree.Tree) (Choice, bool)
}

// Info names a policy for lists and help.
type Info struct {
	Name string
	Help string
}

var policies = []struct {
	Info
	make func(Options) Policy
}{
	{Info{"uct", "tree search: upper confidence bounds with values backed up from descendants"}, func(o Options) Policy { return newUCT(o) }},
	{Info{"best-first", "always the best node that may have more children"}, func(o Options) Policy { return newBestFirst(o) }},
	{Info{"greedy", "always the best node, however often it was tried"}, func(o Options) Policy { return newGreedy(o) }},
	{Info{"greedy-branch", "greedy until nothing improves, then a branch from elsewhere"}, func(o Options) Policy { return newGreedyBranch(o) }},
	{Info{"chain", "one trajectory without a tree (the ablation)"}, func(o Options) Policy { return newChain(o) }},
	{Info{"beam", "the best few nodes of each depth, compared at equal depth"}, func(o Options) Policy { return newBeam(o) }},
}

// All lists the policies, the default first.
func All() []Info {
	out := make([]Info, len(policies))
	for i, p := range policies {
		out[i] = p.Info
	}
	return out
}

// New makes a policy by name; empty is uct. Options may follow a colon and win over o: "uct:exploration=0.35,children=3".
func New(name string, o Options) (Policy, error) {
	name, rest, _ := strings.Cut(name, ":")
	if name == "" {
		name = policies[0].Name
	}
	o, err := o.read(rest)
	if err != nil {
		return nil, fmt.Errorf("search policy %s: %w", name, err)
	}
	var names []string
	for _, p := range policies {
		if p.Name == name {
			return p.make(o.withDefaults()), nil
		}
		names = append(names, p.Name)
	}
	return nil, fmt.Errorf("no search policy %q: choose one of %s", name, strings.Join(names, ", "))
}

// Build makes a policy and feeds it the tree as it stands.
func Build(t *tree.Tree, o Options) (Policy, error) {
	p, err := New(t.Spec.Policy, o)
	if err != nil {
		return nil, err
	}
	for id := range t.Nodes {
		p.Update(t, tree.NodeID(id))
	}
	return p, nil
}

// Explain lists the next n picks, as if each were made and still under way when the following one is.
func Explain(p Policy, t *tree.Tree, n int) []Choice {
	var out []Choice
	for len(out) < n {
		c, ok := p.Next(t)
		if !ok {
			break
		}
		out = append(out, c)
		p.Hold(t, c.Node, 1)
	}
	for _, c := range out {
		p.Hold(t, c.Node, -1)
	}
	return out
}
