package tui

import (
	tea "charm.land/bubbletea/v2"

	"llmzero/engine/tree"
)

// undoStep is the command that takes a steering act back; without a command it stands for an act that cannot be taken back. The
// journal keeps both; nothing is ever erased.
type undoStep struct {
	what string
	cmd  tree.Command
}

// inverse is the command that takes c back, as the tree stands before c; false for what cannot be taken back.
func inverse(t *tree.Tree, c tree.Command) (tree.Command, bool) {
	back := map[tree.CommandKind]tree.CommandKind{
		tree.CmdVeto: tree.CmdUnveto, tree.CmdPrune: tree.CmdUnprune, tree.CmdUnprune: tree.CmdPrune, tree.CmdPin: tree.CmdUnpin,
		tree.CmdUnpin: tree.CmdPin, tree.CmdBan: tree.CmdUnban, tree.CmdUnban: tree.CmdBan, tree.CmdPause: tree.CmdResume,
	}
	switch c.Kind {
	case tree.CmdApproval:
		was := t.Spec.Approval
		return tree.Command{Kind: c.Kind, Approval: &was}, true
	case tree.CmdBudget:
		was := t.Spec.Budget
		return tree.Command{Kind: c.Kind, Budget: &was}, true
	case tree.CmdRename:
		return tree.Command{Kind: c.Kind, Text: t.Spec.Name}, true
	default:
		kind, ok := back[c.Kind]
		return tree.Command{Kind: kind, Node: c.Node, Ban: c.Ban}, ok
	}
}

// undoLast takes the last steering act of this sitting back. An act that cannot be is said to stand, once; after that the act
// before it is next.
func (a *app) undoLast() tea.Cmd {
	s := a.s
	u := s.undo[len(s.undo)-1]
	s.undo = s.undo[:len(s.undo)-1]
	if u.cmd.Kind != "" {
		return a.run("taken back: "+u.what, u.cmd, nil)
	}
	text := "this stands: " + u.what
	for n := len(s.undo); n > 0 && s.undo[n-1].cmd.Kind == ""; n-- {
		s.undo = s.undo[:n-1] // so does what was done just before
	}
	if n := len(s.undo); n > 0 {
		text += "; once more takes back: " + s.undo[n-1].what
	}
	a.note(text)
	return nil
}

func undoAction() action {
	return action{id: "undo", keys: []string{"ctrl+z"}, shown: "^z", on: onSearch | onTrajectories | onAgent | inGate, group: "Steering", short: "undo", help: "take the last veto, pruning, pin, ban, pause or change of rules back", why: func(a *app) string {
		if a.s == nil || len(a.s.undo) == 0 {
			return "nothing to take back; an approval stands (S stops the segment)"
		}
		return ""
	}, run: (*app).undoLast}
}
