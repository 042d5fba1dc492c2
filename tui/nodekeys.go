package tui

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"llmzero/engine/tree"
)

// onNode makes an action on the node under the cursor, available when why says nothing.
func onNode(x action, why func(*search, *tree.Node) string, run func(*app, *tree.Node) tea.Cmd) action {
	x.why = func(a *app) string {
		if a.s == nil || a.s.node() == nil {
			return "no node is selected"
		}
		if why == nil {
			return ""
		}
		return why(a.s, a.s.node())
	}
	x.run = func(a *app) tea.Cmd { return run(a, a.s.node()) }
	return x
}

func mustBeTrained(_ *search, n *tree.Node) string {
	if !n.State.Trained() {
		return name(n.ID) + " is " + string(n.State) + ": only a trained node has a checkpoint"
	}
	return ""
}

// mustBeAffordable is for what trains more.
func mustBeAffordable(s *search, n *tree.Node) string {
	if s.t.Status == tree.SearchDone {
		return budgetSpent
	}
	return mustBeTrained(s, n)
}

const budgetSpent = "the search is done, its budget spent: $ raises it, and the search goes on"

func notRoot(_ *search, n *tree.Node) string {
	if n.ID == tree.Root {
		return "not for the base model"
	}
	return ""
}

// nodeActions steer the search.
func nodeActions() []action {
	const g = "Steering"
	return []action{
		onNode(action{id: "branch", keys: []string{"B"}, on: onSearch, group: g, short: "branch", help: "train a transition of your own from this node", foot: 5}, mustBeAffordable, func(a *app, n *tree.Node) tea.Cmd {
			a.branchFrom(n)
			return nil
		}),
		onNode(action{id: "hint", keys: []string{"H"}, on: onSearch, group: g, short: "hint", help: "tell the agent something that it sees from now on"}, nil, func(a *app, n *tree.Node) tea.Cmd {
			a.ask("Hint for the agent", "One or two sentences. The agent sees them in every turn from now on.", "", "write the hint first", func(a *app, text string) tea.Cmd {
				return a.do("the agent will see it", tree.Command{Kind: tree.CmdHint, Node: n.ID, Text: text})
			})
			return nil
		}),
		onNode(action{id: "propose", keys: []string{"r"}, on: onSearch, group: g, short: "ask for a proposal", help: "ask the agent for a proposal at this node, with a hint"}, mustBeAffordable, func(a *app, n *tree.Node) tea.Cmd {
			a.ask("Ask for a proposal at "+name(n.ID), "A hint for the agent; it may be empty.", "", "", func(a *app, text string) tea.Cmd {
				return a.do("the agent looks at "+name(n.ID)+" next", tree.Command{Kind: tree.CmdAnother, Node: n.ID, Text: text})
			})
			return nil
		}),
		onNode(action{id: "pin", keys: []string{"p"}, on: onSearch, group: g, short: "pin", help: "expand this node next, or take the pin off"}, mustBeTrained, func(a *app, n *tree.Node) tea.Cmd {
			if n.Pinned {
				return a.do("pin taken off "+name(n.ID), tree.Command{Kind: tree.CmdUnpin, Node: n.ID})
			}
			return a.do(name(n.ID)+" is expanded next", tree.Command{Kind: tree.CmdPin, Node: n.ID})
		}),
		onNode(action{id: "prune", keys: []string{"X", "delete"}, on: onSearch, group: g, short: "prune", help: "take the node and what hangs below it out of the search, or bring it back"}, func(s *search, n *tree.Node) string {
			if n.State == tree.StateRunning {
				return name(n.ID) + " is running: stop it first (S)"
			}
			return notRoot(s, n)
		}, (*app).prune),
		onNode(action{id: "stop", keys: []string{"S"}, on: onSearch, group: g, short: "stop segment", help: "end the running segment now; its checkpoint is kept and scored"}, func(_ *search, n *tree.Node) string {
			if n.State != tree.StateRunning {
				return name(n.ID) + " is " + string(n.State) + ", not running"
			}
			return ""
		}, func(a *app, n *tree.Node) tea.Cmd {
			return a.confirm("Stop "+name(n.ID)+"?", "It is at "+num(int(100*a.s.progress(n)))+"%. Its last checkpoint is kept and scored.", "Stop the segment",
				func(a *app) tea.Cmd {
					return a.do("stopping "+name(n.ID), tree.Command{Kind: tree.CmdStopNode, Node: n.ID})
				})
		}),
		onNode(action{id: "retry", keys: []string{"R"}, on: onSearch, group: g, short: "retry", help: "run a failed segment again"}, func(_ *search, n *tree.Node) string {
			if n.State != tree.StateFailed {
				return name(n.ID) + " is " + string(n.State) + ", not failed"
			}
			return ""
		}, func(a *app, n *tree.Node) tea.Cmd {
			return a.do(name(n.ID)+" runs again", tree.Command{Kind: tree.CmdRetry, Node: n.ID})
		}),
		onNode(action{id: "unveto", keys: []string{"V"}, on: onSearch, group: g, short: "take a veto back", help: "let a vetoed proposal wait again, or retract a veto"}, func(_ *search, n *tree.Node) string {
			if n.State != tree.StateVetoed {
				return name(n.ID) + " is " + string(n.State) + ", not vetoed"
			}
			return ""
		}, func(a *app, n *tree.Node) tea.Cmd {
			return a.do("the veto of "+name(n.ID)+" is taken back", tree.Command{Kind: tree.CmdUnveto, Node: n.ID})
		}),
		onNode(action{id: "reevaluate", keys: []string{"E"}, on: onSearch, group: g, short: "score again", help: "score the node's checkpoint on more samples"}, func(s *search, n *tree.Node) string {
			if !s.live {
				return or(mustBeAffordable(s, n), "the search does not run: space lets it go on first")
			}
			return mustBeTrained(s, n)
		}, func(a *app, n *tree.Node) tea.Cmd {
			return a.do("scoring "+name(n.ID)+" again", tree.Command{Kind: tree.CmdReevaluate, Node: n.ID})
		}),
		onNode(action{id: "ban", keys: []string{"x"}, on: onSearch, group: g, short: "ban a range", help: "forbid values of a parameter from now on, or lift a ban"}, nil, func(a *app, n *tree.Node) tea.Cmd {
			a.askBan(n)
			return nil
		}),
		undoAction(),
		{id: "pause", keys: []string{"space"}, on: onSearch, group: g, short: "pause", help: "pause the search after what runs, or let it go on", foot: 7, label: func(a *app) string {
			if a.s != nil && (!a.s.live || a.s.t.Status != tree.SearchRunning) {
				return "go on"
			}
			return "pause"
		}, why: func(a *app) string {
			if s := a.s; s != nil && s.t.Status == tree.SearchDone {
				return budgetSpent
			}
			return ""
		}, run: (*app).pause},
		{id: "cancel", keys: []string{"ctrl+x"}, on: onSearch, group: g, short: "end the search", help: "end the search; it can go on later", why: func(a *app) string {
			if a.s == nil || !a.s.live {
				return "the search does not run"
			}
			return ""
		}, run: func(a *app) tea.Cmd {
			return a.confirm("End the search?", "What runs is queued again. The search can go on later.", "End it", func(a *app) tea.Cmd {
				return a.do("the search is ended", tree.Command{Kind: tree.CmdCancel})
			})
		}},
		{id: "rules", keys: []string{"A"}, on: onSearch, group: g, short: "approval rules", help: "which proposals wait for you", run: plain((*app).editRules)},
		{id: "budget", keys: []string{"$"}, on: onSearch, group: g, short: "budget", help: "change what the search may spend", run: plain((*app).editBudget)},
		{id: "export", keys: []string{"e"}, on: onSearch, group: g, short: "export", help: "write the search to a file", run: func(a *app) tea.Cmd { return a.exportSearch(a.s.id) }},
		{id: "rename", keys: []string{"ctrl+r"}, on: onSearch, group: g, short: "rename", help: "give the search a name", run: func(a *app) tea.Cmd {
			a.ask("Name of the search", "", a.s.t.Spec.Name, "", func(a *app, text string) tea.Cmd {
				return a.do("renamed", tree.Command{Kind: tree.CmdRename, Text: text})
			})
			return nil
		}},
		onNode(action{id: "copy", keys: []string{"y"}, on: onSearch | onTrajectories, group: g, short: "copy configuration", help: "copy the node's configuration as JSON (OSC 52)"}, nil, func(a *app, n *tree.Node) tea.Cmd {
			n = a.inView(n)
			a.good("the configuration of " + name(n.ID) + " is on the clipboard")
			return tea.SetClipboard(configJSON(a.s.t.Spec.Space, n.Config))
		}),
		onNode(action{id: "copycmd", keys: []string{"Y"}, on: onSearch | onTrajectories, group: g, short: "copy command", help: "copy a command that trains the node's whole path again, with a fresh seed"}, notRoot, func(a *app, n *tree.Node) tea.Cmd {
			n = a.inView(n)
			a.good("a command that trains " + name(n.ID) + " again is on the clipboard")
			return tea.SetClipboard(replayCommand(a.s.t, n, a.opt.Paths.Store))
		}),
	}
}

// configJSON writes a configuration in the space's order.
func configJSON(sp tree.Space, c tree.Config) string {
	var b strings.Builder
	b.WriteString("{")
	for _, p := range sp.Params {
		v, ok := c[p.Name]
		if !ok {
			continue
		}
		if b.Len() > 1 {
			b.WriteString(", ")
		}
		text := v.String()
		if v.IsText() {
			text = fmt.Sprintf("%q", text)
		}
		fmt.Fprintf(&b, "%q: %s", p.Name, text)
	}
	return b.String() + "}"
}

// inView is the node that a key on the page is about: on the trajectories page that of the chosen stage, or the last.
func (a *app) inView(n *tree.Node) *tree.Node {
	if a.page != onTrajectories {
		return n
	}
	f := a.figure()
	k := a.chosen(f)
	if k < 0 {
		k = len(f.stages) - 1
	}
	if k >= 0 {
		if m, ok := a.s.t.Node(f.stages[k].Node); ok {
			return m
		}
	}
	return n
}

// replayCommand is a command line that takes the path to a node out of the store and trains it again from the base model.
func replayCommand(t *tree.Tree, n *tree.Node, store string) string {
	db := ""
	if store != "" {
		db = " --db " + quote(store)
	}
	file := quote(t.Spec.ID + "-" + name(n.ID) + ".json")
	return fmt.Sprintf("llmzero strategy export %s --node %d -o %s%s && llmzero strategy replay %s --seeds 1", quote(t.Spec.ID), n.ID, file, db, file)
}

// quote makes a word safe for a POSIX shell.
func quote(s string) string {
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-=.,/:+@%", r)
	}) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// confirm asks before something that cannot be taken back.
func (a *app) confirm(head, intro, yes string, do func(*app) tea.Cmd) tea.Cmd {
	a.choose(head, intro, []choiceItem{
		{label: "No", help: "leave it as it is", key: "n"},
		{label: yes, key: "y", danger: true},
	}, func(a *app, i int) tea.Cmd {
		if i == 0 {
			return nil
		}
		return do(a)
	})
	return nil
}

func (a *app) prune(n *tree.Node) tea.Cmd {
	if n.State == tree.StatePruned {
		return a.do(name(n.ID)+" is back", tree.Command{Kind: tree.CmdUnprune, Node: n.ID})
	}
	below := int(a.s.ix.below[n.ID])
	what := "It is taken out of the search; X brings it back."
	if below > 0 {
		what = "It and " + plural(below, "node") + " below it are taken out of the search; X brings them back."
	}
	return a.confirm("Prune "+name(n.ID)+"?", what, "Prune", func(a *app) tea.Cmd {
		return a.do(name(n.ID)+" is pruned; X brings it back", tree.Command{Kind: tree.CmdPrune, Node: n.ID})
	})
}

// pause pauses a running search and lets any other go on.
func (a *app) pause() tea.Cmd {
	if a.s.live && a.s.t.Status == tree.SearchRunning {
		return a.do("paused; space goes on", tree.Command{Kind: tree.CmdPause})
	}
	return a.do("the search goes on", tree.Command{Kind: tree.CmdResume})
}

// askBan asks for a parameter and the values to forbid, and offers to lift the bans in force.
func (a *app) askBan(n *tree.Node) {
	sp := a.s.t.Spec.Space
	var items []choiceItem
	for _, b := range a.s.t.Bans {
		what := number(b.Min) + " … " + number(b.Max)
		if b.Choice != "" {
			what = b.Choice
		}
		items = append(items, choiceItem{label: "Lift: " + b.Param, help: what + "  " + b.Why})
	}
	for _, p := range sp.Params {
		items = append(items, choiceItem{label: p.Name, help: "now " + value(n.Config[p.Name]) + "   " + p.Range()})
	}
	bans := slices.Clone(a.s.t.Bans)
	ch := a.choose("Ban values of a parameter", "", items, func(a *app, i int) tea.Cmd {
		if i < len(bans) {
			return a.do("the ban is lifted", tree.Command{Kind: tree.CmdUnban, Ban: &bans[i]})
		}
		p := sp.Params[i-len(bans)]
		a.askBanRange(p, n.Config[p.Name])
		return nil
	})
	ch.typing = newField("")
}

// askBanRange asks for the values to forbid; it begins with the one that the node has, for a ban of the whole range is none.
func (a *app) askBanRange(p tree.Param, has tree.Value) {
	f := &form{head: "Ban values of " + p.Name, verb: "ban", intro: "Proposals that would use such a value are refused."}
	if p.Kind == tree.KindChoice {
		x := paramField(p, has)
		x.id = "choice"
		f.fields = append(f.fields, x)
	} else {
		f.fields = append(f.fields,
			textField("min", "from", has.String(), p.Range(), decimal(min(p.Min, 0), p.Max)),
			textField("max", "to", number(p.Max), p.Range(), decimal(min(p.Min, 0), p.Max)))
	}
	f.fields = append(f.fields, textField("why", "reason", "", "the agent sees it", nil))
	f.submit = func(a *app, f *form) tea.Cmd {
		b := tree.Ban{Param: p.Name, Choice: f.get("choice"), Why: f.get("why"), Who: "human"}
		if p.Kind != tree.KindChoice {
			lo, err := p.Parse(f.get("min"))
			if err != nil {
				lo.Num = p.Min
			}
			hi, err := p.Parse(f.get("max"))
			if err != nil {
				hi.Num = p.Max
			}
			b.Min, b.Max = min(lo.Num, hi.Num), max(lo.Num, hi.Num)
		}
		a.removeDialog(f)
		return a.do("banned values of "+p.Name, tree.Command{Kind: tree.CmdBan, Ban: &b})
	}
	a.push(f)
}
