package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"llmzero/engine/event"
	"llmzero/engine/tree"
)

// human signs what a person does.
const human = "human"

// Do carries out a steering act. Its error is for people: what is wrong and what to do. It may be called from any goroutine,
// whether Run works or not; acts that need a running search say so.
func (e *Engine) Do(ctx context.Context, c tree.Command) error {
	return e.do(ctx, func(saved context.Context) error { return e.steer(saved, c) })
}

// steer runs in the loop.
func (e *Engine) steer(ctx context.Context, c tree.Command) error {
	c.Text = strings.TrimSpace(c.Text)
	if strings.ContainsFunc(c.Text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }) {
		return errors.New("the text has control characters: leave them out")
	}
	act, ok := map[tree.CommandKind]func(context.Context, tree.Command) error{
		tree.CmdApprove: e.approve, tree.CmdEdit: e.edit, tree.CmdVeto: e.veto, tree.CmdUnveto: e.unveto,
		tree.CmdAnother: e.another, tree.CmdBranch: e.branch, tree.CmdHint: e.hint, tree.CmdPin: e.pin, tree.CmdUnpin: e.unpin,
		tree.CmdPrune: e.prune, tree.CmdUnprune: e.unprune, tree.CmdStopNode: e.stopNode, tree.CmdRetry: e.retry,
		tree.CmdBan: e.ban, tree.CmdUnban: e.unban, tree.CmdApproval: e.approval, tree.CmdBudget: e.budget,
		tree.CmdPause: e.pause, tree.CmdResume: e.resume, tree.CmdCancel: e.cancelSearch, tree.CmdRename: e.rename,
		tree.CmdReevaluate: e.reevaluate,
	}[c.Kind]
	if !ok {
		return fmt.Errorf("unknown command %q", c.Kind)
	}
	if err := e.create(ctx); err != nil {
		return err
	}
	return act(ctx, c)
}

// in is the node of a command when it is in one of the states.
func (e *Engine) in(id tree.NodeID, doing string, states ...tree.State) (*tree.Node, error) {
	n, ok := e.tree.Node(id)
	if !ok {
		return nil, fmt.Errorf("there is no node %d to %s", id, doing)
	}
	if !slices.Contains(states, n.State) {
		want := make([]string, len(states))
		for i, s := range states {
			want[i] = string(s)
		}
		return nil, fmt.Errorf("node %d is %s; to %s it must be %s", id, n.State, doing, strings.Join(want, " or "))
	}
	return n, nil
}

func (e *Engine) parentTrained(n *tree.Node) error {
	if p := e.tree.Nodes[n.Parent]; !p.State.Trained() {
		return fmt.Errorf("node %d goes on from node %d, which is %s; bring that back first", n.ID, p.ID, p.State)
	}
	return nil
}

func (e *Engine) affordable() error {
	if e.spent() {
		return errors.New("the budget is spent; raise it first")
	}
	return nil
}

func (e *Engine) verdict(d tree.Decision, why string) tree.Verdict {
	return tree.Verdict{Decision: d, Who: human, When: e.opts.Clock(), Why: why}
}

func (e *Engine) approve(ctx context.Context, c tree.Command) error {
	n, err := e.in(c.Node, "approve", tree.StateProposed)
	if err == nil {
		err = errors.Join(e.parentTrained(n), e.affordable(), e.banned(n.Config))
	}
	if err != nil {
		return err
	}
	return e.commit(ctx, nil,
		entry{human, &event.Judged{Node: n.ID, Verdict: e.verdict(tree.Approved, c.Text)}}, engineEntry(&event.Queued{Node: n.ID}))
}

func (e *Engine) edit(ctx context.Context, c tree.Command) error {
	n, err := e.in(c.Node, "edit", tree.StateProposed)
	if err == nil {
		err = errors.Join(e.parentTrained(n), e.affordable())
	}
	if err != nil {
		return err
	}
	if c.Transition == nil {
		return fmt.Errorf("the edit of node %d has no transition", n.ID)
	}
	if c.Transition.From.Node != n.Parent {
		return fmt.Errorf("node %d goes on from node %d; to go on from node %d, branch there", n.ID, n.Parent, c.Transition.From.Node)
	}
	t, cfg, err := e.checked(*c.Transition)
	if err != nil {
		return err
	}
	v := e.verdict(tree.Edited, c.Text)
	original := n.Transition
	v.Original = &original
	return e.commit(ctx, nil,
		entry{human, &event.Judged{Node: n.ID, Verdict: v, Transition: &t, Config: cfg}}, engineEntry(&event.Queued{Node: n.ID}))
}

// checked completes a person's transition and says what is wrong with it.
func (e *Engine) checked(t tree.Transition) (tree.Transition, tree.Config, error) {
	from, err := e.in(t.From.Node, "go on from it", tree.StateEvaluated, tree.StateStopped)
	if err != nil {
		return t, nil, err
	}
	if _, ok := from.CheckpointAt(t.From.Step); !ok {
		return t, nil, fmt.Errorf("node %d has no checkpoint at step %d", from.ID, t.From.Step)
	}
	if t.Steps == 0 {
		t.Steps = e.tree.Spec.Segment
	}
	if t.Steps < 1 {
		return t, nil, fmt.Errorf("a segment of %d steps; it takes at least 1", t.Steps)
	}
	changes := make([]tree.Change, 0, len(t.Changes))
	for _, ch := range t.Changes {
		p, ok := e.tree.Spec.Space.Find(ch.Param)
		if !ok {
			return t, nil, fmt.Errorf("%s: the trainer has no such parameter", ch.Param)
		}
		if err := p.Check(ch.To); err != nil {
			return t, nil, err
		}
		if slices.ContainsFunc(changes, func(x tree.Change) bool { return x.Param == ch.Param }) {
			return t, nil, fmt.Errorf("%s is changed twice", ch.Param)
		}
		if ch.From = from.Config[ch.Param]; ch.From != ch.To {
			changes = append(changes, ch)
		}
	}
	t.Changes = changes
	cfg := from.Config.With(changes)
	return t, cfg, e.banned(cfg)
}

// banned says which value of a configuration was forbidden, or nil.
func (e *Engine) banned(cfg tree.Config) error {
	for _, b := range e.tree.Bans {
		if v, ok := cfg[b.Param]; ok && b.Hits(b.Param, v) {
			return fmt.Errorf("%s = %s is banned; lift the ban first or choose another value", b.Param, v)
		}
	}
	return nil
}

func (e *Engine) veto(ctx context.Context, c tree.Command) error {
	n, err := e.in(c.Node, "veto", tree.StateProposed)
	if err != nil {
		return err
	}
	return e.commit(ctx, nil, entry{human, &event.Judged{Node: n.ID, Verdict: e.verdict(tree.Vetoed, c.Text)}})
}

func (e *Engine) unveto(ctx context.Context, c tree.Command) error {
	n, err := e.in(c.Node, "take the veto back", tree.StateVetoed)
	if err == nil {
		err = e.parentTrained(n)
	}
	if err != nil {
		return err
	}
	return e.commit(ctx, nil, entry{human, &event.Unvetoed{Node: n.ID}})
}

// another pins the node, so that the next turn looks at it, and gives the hint.
func (e *Engine) another(ctx context.Context, c tree.Command) error {
	n, ok := e.tree.Node(c.Node)
	if !ok {
		return fmt.Errorf("there is no node %d to ask a proposal for", c.Node)
	}
	if !n.State.Trained() {
		n = e.tree.Nodes[n.Parent]
	}
	if !n.State.Trained() {
		return fmt.Errorf("node %d is %s; ask for a proposal at a trained node or at a proposal", n.ID, n.State)
	}
	if err := e.affordable(); err != nil {
		return err
	}
	var entries []entry
	if c.Text != "" {
		entries = append(entries, entry{human, &event.Hinted{Text: c.Text, Node: n.ID}})
	}
	if !n.Pinned {
		entries = append(entries, entry{human, &event.Pinned{Node: n.ID, On: true}})
	}
	return e.commit(ctx, nil, entries...)
}

func (e *Engine) branch(ctx context.Context, c tree.Command) error {
	if c.Transition == nil {
		return fmt.Errorf("the branch from node %d has no transition", c.Node)
	}
	from, err := e.in(c.Node, "branch from it", tree.StateEvaluated, tree.StateStopped)
	if err == nil {
		err = e.affordable()
	}
	if err != nil {
		return err
	}
	t := *c.Transition
	if t.From.Node != from.ID {
		t.From = tree.CheckpointRef{Node: from.ID}
		if cp, ok := from.Outcome.Checkpoint(); ok {
			t.From.Step = cp.Step
		}
	}
	t.By, t.Confidence = human, 1
	t, cfg, err := e.checked(t)
	if err != nil {
		return err
	}
	id := tree.NodeID(len(e.tree.Nodes))
	why := []tree.Term{{Name: "branched by hand", Value: 1}}
	return e.commit(ctx, nil,
		entry{human, &event.Proposed{Node: id, Parent: from.ID, Transition: t, Config: cfg, Why: why}},
		entry{human, &event.Judged{Node: id, Verdict: e.verdict(tree.Approved, c.Text)}},
		engineEntry(&event.Queued{Node: id}))
}

func (e *Engine) hint(ctx context.Context, c tree.Command) error {
	if c.Text == "" {
		return errors.New("the hint is empty: write a sentence for the agent")
	}
	if _, ok := e.tree.Node(c.Node); !ok {
		return fmt.Errorf("there is no node %d to give a hint at", c.Node)
	}
	e.reconsider()
	return e.commit(ctx, nil, entry{human, &event.Hinted{Text: c.Text, Node: c.Node}})
}

func (e *Engine) pin(ctx context.Context, c tree.Command) error { return e.setPin(ctx, c.Node, true) }

func (e *Engine) unpin(ctx context.Context, c tree.Command) error {
	return e.setPin(ctx, c.Node, false)
}

func (e *Engine) setPin(ctx context.Context, id tree.NodeID, on bool) error {
	n, err := e.in(id, "pin it", tree.StateEvaluated, tree.StateStopped)
	if err != nil || n.Pinned == on {
		return err
	}
	return e.commit(ctx, nil, entry{human, &event.Pinned{Node: id, On: on}})
}

func (e *Engine) stopNode(ctx context.Context, c tree.Command) error {
	if _, err := e.in(c.Node, "stop it", tree.StateRunning); err != nil {
		return err
	}
	seg := e.running[c.Node]
	if seg == nil {
		return fmt.Errorf("node %d does not run in this program; resume the search first", c.Node)
	}
	if seg.stop == nil {
		why := c.Text
		if why == "" {
			why = "stopped by hand"
		}
		if err := e.commit(ctx, nil, entry{human, &event.StopAsked{Node: c.Node, Why: why}}); err != nil {
			return err
		}
		seg.stop = &tree.StopNote{By: human, Why: why}
		seg.cancel(tree.ErrStop)
	}
	return nil
}

func (e *Engine) retry(ctx context.Context, c tree.Command) error {
	n, err := e.in(c.Node, "retry it", tree.StateFailed)
	if err == nil {
		err = errors.Join(e.parentTrained(n), e.affordable())
	}
	if err != nil {
		return err
	}
	return e.commit(ctx, nil, entry{human, &event.Queued{Node: n.ID, Why: "again, by hand"}})
}
