package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"llmzero/engine/event"
	"llmzero/engine/tree"
)

// The acts of steer that change a subtree or the rules of the whole search.

func (e *Engine) prune(ctx context.Context, c tree.Command) error {
	n, ok := e.tree.Node(c.Node)
	switch {
	case !ok:
		return fmt.Errorf("there is no node %d to prune", c.Node)
	case n.ID == tree.Root:
		return errors.New("the root cannot be pruned; cancel the search instead")
	case n.State == tree.StateRunning:
		return fmt.Errorf("node %d is running; stop it first", n.ID)
	case n.State == tree.StatePruned:
		return fmt.Errorf("node %d is pruned already", n.ID)
	}
	var ids []tree.NodeID
	e.below(n.ID, func(x *tree.Node) {
		if x.State != tree.StateRunning && x.State != tree.StatePruned {
			ids = append(ids, x.ID)
		}
	})
	return e.commit(ctx, nil, entry{human, &event.Pruned{Nodes: ids, Why: c.Text}})
}

func (e *Engine) unprune(ctx context.Context, c tree.Command) error {
	n, err := e.in(c.Node, "bring it back", tree.StatePruned)
	if err != nil {
		return err
	}
	if p := e.tree.Nodes[n.Parent]; p.State == tree.StatePruned {
		return fmt.Errorf("node %d hangs below node %d, which is pruned; bring that back instead", n.ID, p.ID)
	}
	var ids []tree.NodeID
	e.below(n.ID, func(x *tree.Node) {
		if x.State == tree.StatePruned && x.Updated.Equal(n.Updated) { // what was pruned with it
			ids = append(ids, x.ID)
		}
	})
	return e.commit(ctx, nil, entry{human, &event.Unpruned{Nodes: ids}})
}

// below visits a node and its descendants, parents first.
func (e *Engine) below(id tree.NodeID, visit func(*tree.Node)) {
	todo := []tree.NodeID{id}
	for len(todo) > 0 {
		n := e.tree.Nodes[todo[0]]
		todo = append(todo[1:], n.Children...)
		visit(n)
	}
}

func (e *Engine) ban(ctx context.Context, c tree.Command) error {
	if c.Ban == nil {
		return errors.New("the ban says no parameter")
	}
	b := *c.Ban
	b.Who = human
	p, ok := e.tree.Spec.Space.Find(b.Param)
	switch {
	case !ok:
		return fmt.Errorf("%s: the trainer has no such parameter", b.Param)
	case p.Kind == tree.KindChoice && !slices.Contains(p.Choices, b.Choice):
		return fmt.Errorf("%s: %q is not one of its choices: %s", p.Name, b.Choice, p.Range())
	case p.Kind != tree.KindChoice && (b.Choice != "" || !(b.Min <= b.Max)):
		return fmt.Errorf("%s: a ban needs a range from low to high, inside %s", p.Name, p.Range())
	case slices.Contains(e.tree.Bans, b):
		return errors.New("the same ban is in force already")
	case p.Kind != tree.KindChoice && b.Min <= p.Min && b.Max >= p.Max && (!p.Zero || b.Min <= 0):
		return fmt.Errorf("%s: the ban leaves no value; its range is %s", p.Name, p.Range())
	}
	return e.commit(ctx, nil, entry{human, &event.Banned{Ban: b}})
}

func (e *Engine) unban(ctx context.Context, c tree.Command) error {
	if c.Ban == nil {
		return errors.New("no ban is named")
	}
	for _, b := range e.tree.Bans {
		if b == *c.Ban || (b.Param == c.Ban.Param && b.Min == c.Ban.Min && b.Max == c.Ban.Max && b.Choice == c.Ban.Choice) {
			e.reconsider()
			return e.commit(ctx, nil, entry{human, &event.Unbanned{Ban: b}})
		}
	}
	return fmt.Errorf("no such ban on %s is in force", c.Ban.Param)
}

// approval changes the rules of the gate; the loop then lets through what no longer has to wait.
func (e *Engine) approval(ctx context.Context, c tree.Command) error {
	if c.Approval == nil {
		return errors.New("no approval rules are given")
	}
	switch c.Approval.Mode {
	case tree.AskAlways, tree.AskRisky, tree.AskNever:
	default:
		return fmt.Errorf("unknown approval mode %q: choose ask, risky or all", c.Approval.Mode)
	}
	return e.commit(ctx, nil, entry{human, &event.ApprovalSet{Approval: *c.Approval}})
}

func (e *Engine) budget(ctx context.Context, c tree.Command) error {
	if c.Budget == nil {
		return errors.New("no budget is given")
	}
	if err := c.Budget.Check(); err != nil {
		return err
	}
	entries := []entry{{human, &event.BudgetSet{Budget: *c.Budget}}}
	if e.tree.Status == tree.SearchDone && searchBudget(*c.Budget).Used(searched(e.tree)) < 1 {
		entries = append(entries, engineEntry(&event.StatusSet{Status: tree.SearchRunning, Reason: "the budget was raised"}))
	}
	return e.commit(ctx, nil, entries...)
}

func (e *Engine) pause(ctx context.Context, c tree.Command) error {
	if e.tree.Status != tree.SearchRunning {
		return fmt.Errorf("the search is %s; only a running one can be paused", e.tree.Status)
	}
	return e.commit(ctx, nil, entry{human, &event.StatusSet{Status: tree.SearchPaused, Reason: c.Text}})
}

func (e *Engine) resume(ctx context.Context, _ tree.Command) error {
	switch {
	case e.tree.Status == tree.SearchRunning:
		return nil
	case e.tree.Status == tree.SearchDone && e.spent():
		return errors.New("the search is done and its budget is spent; raise the budget to go on")
	}
	if ctx.Err() != nil {
		return errors.New("the search is just ending; let it go on when it has ended")
	}
	e.errs, e.failures = 0, 0
	e.reconsider()
	return e.commit(ctx, nil, entry{human, &event.StatusSet{Status: tree.SearchRunning}})
}

func (e *Engine) cancelSearch(ctx context.Context, c tree.Command) error {
	if e.tree.Status != tree.SearchRunning && e.tree.Status != tree.SearchPaused {
		return fmt.Errorf("the search is %s already", e.tree.Status)
	}
	return e.commit(ctx, nil, entry{human, &event.StatusSet{Status: tree.SearchCanceled, Reason: c.Text}})
}

func (e *Engine) rename(ctx context.Context, c tree.Command) error {
	if utf8.RuneCountInString(c.Text) > 80 {
		return errors.New("the name is longer than 80 characters")
	}
	return e.commit(ctx, nil, entry{human, &event.Renamed{Name: c.Text}})
}
