package tui

import (
	"fmt"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"llmzero/engine/tree"
)

// whole checks a whole number between low and high.
func whole(low, high int) func(string) error {
	return func(s string) error {
		n, err := strconv.Atoi(s)
		switch {
		case err != nil:
			return fmt.Errorf("%q is not a whole number", s)
		case n < low || n > high:
			return fmt.Errorf("%d is outside %d … %d", n, low, high)
		}
		return nil
	}
}

// decimal checks a number between low and high.
func decimal(low, high float64) func(string) error {
	return func(s string) error {
		x, err := strconv.ParseFloat(s, 64)
		switch {
		case err != nil:
			return fmt.Errorf("%q is not a number", s)
		case !(x >= low && x <= high):
			return fmt.Errorf("%s is outside %s … %s", number(x), number(low), number(high))
		}
		return nil
	}
}

// editProposal opens the proposal in a form: every parameter, the checkpoint and the length.
func (a *app) editProposal(n *tree.Node) {
	f := a.transitionForm("Edit "+name(n.ID), n.Transition, n.Config)
	f.intro = "What you change replaces the proposal; the original is kept beside it."
	f.verb = "approve with these changes"
	f.submit = func(a *app, f *form) tea.Cmd {
		t, err := a.formTransition(f, n.Transition)
		if err != nil {
			a.fail("edit", err)
			return nil
		}
		a.removeDialog(f)
		if g := a.gate(); g != nil {
			g.busy = true
		}
		return a.do(name(n.ID)+" approved with your changes", tree.Command{
			Kind: tree.CmdEdit, Node: n.ID, Transition: &t, Text: f.get("why"),
		})
	}
	a.push(f)
}

// branchFrom opens a form for a transition of one's own from a trained node.
func (a *app) branchFrom(n *tree.Node) {
	from := tree.CheckpointRef{Node: n.ID}
	if k, ok := n.Outcome.Checkpoint(); ok && n.ID != tree.Root {
		from.Step = k.Step
	}
	t := tree.Transition{From: from, Steps: max(1, a.s.t.Spec.Segment), By: "human", Confidence: 1}
	f := a.transitionForm("Branch from "+name(n.ID), t, n.Config)
	f.intro = "A transition of your own: change what you like. It is queued at once."
	f.verb = "branch"
	f.submit = func(a *app, f *form) tea.Cmd {
		t, err := a.formTransition(f, t)
		if err != nil {
			a.fail("branch", err)
			return nil
		}
		t.Rationale = f.get("why")
		a.removeDialog(f)
		return a.do("branched from "+name(n.ID), tree.Command{Kind: tree.CmdBranch, Node: n.ID, Transition: &t, Text: t.Rationale})
	}
	a.push(f)
}

// transitionForm has a field for every parameter, the checkpoint, the length and a reason.
func (a *app) transitionForm(head string, t tree.Transition, config tree.Config) *form {
	s := a.s
	f := &form{head: head, width: 104}
	var cks []Choice
	current := ""
	if from, ok := s.t.Node(t.From.Node); ok && from.Outcome != nil {
		for i, k := range from.Outcome.Checkpoints {
			c := Choice{Name: "step " + num(k.Step), Help: "validation " + score(k.Val.Mean)}
			if i == from.Outcome.Chosen {
				c.Help += ", the node's chosen checkpoint"
			}
			if k.Step == t.From.Step {
				current = c.Name
			}
			cks = append(cks, c)
		}
	}
	changed := map[string]bool{}
	for _, c := range t.Changes {
		changed[c.Param] = true
	}
	parent := config
	if from, ok := s.t.Node(t.From.Node); ok {
		parent = from.Config
	}
	add := func(section string, keep func(tree.Param) bool) {
		for _, p := range s.t.Spec.Space.Params {
			if keep(p) {
				x := paramField(p, config[p.Name])
				x.section = section
				if v, ok := parent[p.Name]; ok && changed[p.Name] {
					x.from = &v
				}
				f.fields = append(f.fields, x)
			}
		}
	}
	add("proposed changes", func(p tree.Param) bool { return changed[p.Name] })
	if len(cks) > 0 {
		x := choiceField("checkpoint", "go on from", current, "which checkpoint of "+name(t.From.Node)+" to resume from", cks)
		x.section = "segment"
		f.fields = append(f.fields, x)
	}
	steps := textField("steps", "optimizer steps", num(t.Steps), "how long the segment trains", whole(1, 1_000_000))
	why := textField("why", "your reason", "", "kept with the verdict; the agent sees it", nil)
	steps.section, why.section = "segment", "segment"
	f.fields = append(f.fields, steps, why)
	for _, role := range []tree.Role{tree.RoleCapacity, tree.RoleRegularization, tree.RoleOther} {
		add(string(role), func(p tree.Param) bool { return !changed[p.Name] && p.Role == role })
	}
	f.aside = func(a *app, f *form) string {
		tr, err := a.formTransition(f, t)
		if err != nil {
			return ""
		}
		words := changeWords(s.t.Spec.Space, tree.Transition{From: t.From, Changes: s.t.Spec.Space.Diff(parent, config.With(tr.Changes))})
		return "becomes: " + words
	}
	return f
}

// formTransition reads a transition form. Changes are told from the configuration of the node that is gone on from.
func (a *app) formTransition(f *form, t tree.Transition) (tree.Transition, error) {
	sp := a.s.t.Spec.Space
	from, ok := a.s.t.Node(t.From.Node)
	if !ok {
		return t, fmt.Errorf("node %d is gone", t.From.Node)
	}
	reasons := map[string]string{}
	for _, c := range t.Changes {
		reasons[c.Param] = c.Reason
	}
	next := from.Config.Clone()
	for _, p := range sp.Params {
		x := f.field(p.Name)
		if x == nil {
			continue
		}
		v, err := p.Parse(x.value())
		if err != nil {
			return t, err
		}
		next[p.Name] = v
	}
	t.Changes = sp.Diff(from.Config, next)
	for i, c := range t.Changes {
		t.Changes[i].Reason = reasons[c.Param]
	}
	if step, ok := strings.CutPrefix(f.get("checkpoint"), "step "); ok {
		n, err := strconv.Atoi(step)
		if err != nil {
			return t, fmt.Errorf("checkpoint %q: %w", step, err)
		}
		t.From.Step = n
	}
	steps, err := strconv.Atoi(f.get("steps"))
	if err != nil {
		return t, fmt.Errorf("optimizer steps: %w", err)
	}
	t.Steps = steps
	return t, nil
}

// approvalFields are the fields of approval rules, for the rules dialog and for settings.
func approvalFields(r tree.Approval) []*formField {
	yes := []Choice{{Name: "yes"}, {Name: "no"}}
	is := "no"
	if r.Structural {
		is = "yes"
	}
	risky := func(f *form) bool { return f.get("mode") != string(tree.AskRisky) }
	fields := []*formField{
		choiceField("mode", "proposals", string(r.Mode), "when a proposal waits for you", []Choice{
			{Name: string(tree.AskAlways), Help: "every proposal waits for you"},
			{Name: string(tree.AskRisky), Help: "only risky proposals wait; the autopilot approves the others"},
			{Name: string(tree.AskNever), Help: "the autopilot approves all"},
		}),
		textField("factor", "risky factor", number(r.Factor), "a log-scaled value that moves by more than this factor is risky; 0: never", decimal(0, 1e6)),
		choiceField("structural", "structural is risky", is, "changes that alter the network or the optimizer's state, such as a LoRA rank", yes),
		textField("confidence", "risky confidence", number(r.Confidence), "a proposal that the agent is less sure of is risky", decimal(0, 1)),
	}
	for _, x := range fields[1:] {
		x.off = risky
	}
	return fields
}

// approvalOf reads the fields of approval rules.
func approvalOf(f *form) tree.Approval {
	factor, _ := strconv.ParseFloat(f.get("factor"), 64)
	conf, _ := strconv.ParseFloat(f.get("confidence"), 64)
	return tree.Approval{
		Mode: tree.Mode(f.get("mode")), Factor: factor, Structural: f.get("structural") == "yes", Confidence: conf,
	}
}

// editRules opens the approval rules of the search.
func (a *app) editRules() {
	f := &form{
		head: "Approval rules", verb: "set", fields: approvalFields(a.s.t.Spec.Approval),
		intro: "Which proposals wait for you. What does not wait is approved by the autopilot and can still be stopped.",
	}
	f.submit = func(a *app, f *form) tea.Cmd {
		r := approvalOf(f)
		a.removeDialog(f)
		return a.do("approval rules: "+rules(r), tree.Command{Kind: tree.CmdApproval, Approval: &r})
	}
	a.push(f)
}

// editBudget changes what the search may spend.
func (a *app) editBudget() {
	b := a.s.t.Spec.Budget
	f := &form{head: "Budget", verb: "set", intro: "What the search may spend in all; 0 is no limit. Spent so far: " +
		num(a.s.t.Spent.Segments) + " segments, " + count(float64(a.s.t.Spent.Cost.Tokens())) + " tokens."}
	f.fields = []*formField{
		textField("segments", "segments", num(b.Segments), "training segments", whole(0, 1_000_000)),
		textField("tokens", "tokens", strconv.FormatInt(b.Tokens, 10), "sampled and trained tokens, 2e6 is fine too", decimal(0, 1e15)),
	}
	read := func(f *form) tree.Budget {
		n := b
		n.Segments, _ = strconv.Atoi(f.get("segments"))
		tokens, _ := strconv.ParseFloat(f.get("tokens"), 64)
		n.Tokens = int64(tokens)
		return n
	}
	f.check = func(_ *app, f *form) error { return read(f).Check() }
	f.submit = func(a *app, f *form) tea.Cmd {
		n := read(f)
		a.removeDialog(f)
		return a.do("budget changed", tree.Command{Kind: tree.CmdBudget, Budget: &n})
	}
	a.push(f)
}
