package engine

import (
	"context"
	"fmt"
	"slices"

	"llmzero/engine/event"
	"llmzero/engine/tree"
)

// entry is a journal entry on its way: its number and time are given when it is committed.
type entry struct {
	who  string
	body event.Body
}

func engineEntry(b event.Body) entry { return entry{"engine", b} }

// recordError says that the record did not take an entry: the search cannot go on.
type recordError struct{ error }

func (r recordError) Unwrap() error { return r.error }

// commit writes entries to the record and shows them to everybody else only then. On an error the tree is as it was: an entry
// that the tree refuses is an error for the caller, a record that fails ends the loop. That ctx is done stops no commit.
func (e *Engine) commit(ctx context.Context, exchanges []tree.Exchange, entries ...entry) error {
	if len(entries) == 0 && len(exchanges) == 0 {
		return nil
	}
	now := e.opts.Clock()
	events := make([]event.Event, len(entries))
	for i, x := range entries {
		events[i] = event.Event{Seq: e.tree.Seq + uint64(i) + 1, Time: now, Who: x.who, Body: x.body}
	}
	if err := e.write(context.WithoutCancel(ctx), events, exchanges); err != nil {
		return err
	}
	var touched []tree.NodeID
	for _, ev := range events {
		touched = append(touched, ev.Touched()...)
	}
	for _, id := range touched {
		e.census.update(e.tree, id)
		e.policy.Update(e.tree, id)
	}
	e.podium.update(e.tree, touched...)
	e.opts.Bus.Publish(events...)
	return nil
}

// write applies the events and appends them; readers of the tree wait until the record has them.
func (e *Engine) write(ctx context.Context, events []event.Event, exchanges []tree.Exchange) error {
	e.shown.Lock()
	defer e.shown.Unlock()
	undo := e.before(events)
	for _, ev := range events {
		if err := event.Apply(e.tree, ev); err != nil {
			undo()
			return err
		}
	}
	if err := e.opts.Record.Append(ctx, e.tree, events, exchanges); err != nil {
		undo()
		return fatal{recordError{fmt.Errorf("search %s: the record takes no more entries: %w", e.tree.Spec.ID, err)}}
	}
	return nil
}

// before remembers what the events will touch.
func (e *Engine) before(events []event.Event) (undo func()) {
	head := *e.tree
	nodes := map[tree.NodeID]tree.Node{}
	for _, ev := range events {
		ids := ev.Touched()
		if p, ok := ev.Body.(*event.Proposed); ok {
			ids = append(ids, p.Parent)
		}
		for _, id := range ids {
			if n, ok := e.tree.Node(id); ok {
				nodes[id] = *n
			}
		}
	}
	return func() {
		*e.tree = head
		for id, n := range nodes {
			*e.tree.Nodes[id] = n
		}
	}
}

// census knows which nodes are in the states that the loop works on, without looking at the whole tree.
type census struct {
	state  []tree.State
	ids    map[tree.State][]tree.NodeID // in order of arrival
	pinned []tree.NodeID                // in order of arrival
	vetoed []tree.NodeID                // ascending
}

func (c *census) update(t *tree.Tree, id tree.NodeID) {
	for len(c.state) <= int(id) {
		c.state = append(c.state, "")
	}
	if i := slices.Index(c.pinned, id); t.Nodes[id].Pinned != (i >= 0) {
		if i < 0 {
			c.pinned = append(c.pinned, id)
		} else {
			c.pinned = slices.Delete(c.pinned, i, i+1)
		}
	}
	was, is := c.state[id], t.Nodes[id].State
	if was == is {
		return
	}
	c.state[id] = is
	if i, found := slices.BinarySearch(c.vetoed, id); is == tree.StateVetoed {
		c.vetoed = slices.Insert(c.vetoed, i, id)
	} else if found {
		c.vetoed = slices.Delete(c.vetoed, i, i+1)
	}
	if c.ids == nil {
		c.ids = map[tree.State][]tree.NodeID{}
	}
	if was.Open() {
		i := slices.Index(c.ids[was], id)
		c.ids[was] = slices.Delete(slices.Clone(c.ids[was]), i, i+1) // callers may range over the old list
	}
	if is.Open() {
		c.ids[is] = append(c.ids[is], id)
	}
}

// list are the nodes in an open state, in the order in which they came into it.
func (c *census) list(s tree.State) []tree.NodeID { return c.ids[s] }

func (c *census) count(states ...tree.State) int {
	n := 0
	for _, s := range states {
		n += len(c.ids[s])
	}
	return n
}
