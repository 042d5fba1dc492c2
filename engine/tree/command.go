package tree

// CommandKind names what a researcher can do to a search.
type CommandKind string

// The commands. What each reads of Command stands behind it.
const (
	CmdApprove    CommandKind = "approve"     // Node, Text
	CmdEdit       CommandKind = "edit"        // Node, Transition, Text: approve with changes
	CmdVeto       CommandKind = "veto"        // Node, Text
	CmdUnveto     CommandKind = "unveto"      // Node
	CmdAnother    CommandKind = "another"     // Node, Text: veto-free request for another proposal, with a hint
	CmdBranch     CommandKind = "branch"      // Node, Transition: a transition of one's own
	CmdHint       CommandKind = "hint"        // Node, Text
	CmdPin        CommandKind = "pin"         // Node
	CmdUnpin      CommandKind = "unpin"       // Node
	CmdPrune      CommandKind = "prune"       // Node and everything below it, Text
	CmdUnprune    CommandKind = "unprune"     // Node and what was pruned with it
	CmdStopNode   CommandKind = "stop-node"   // Node: end its segment now, keep and score its checkpoint
	CmdRetry      CommandKind = "retry"       // Node: run a failed segment again
	CmdBan        CommandKind = "ban"         // Ban
	CmdUnban      CommandKind = "unban"       // Ban (equal to one that is in force)
	CmdApproval   CommandKind = "approval"    // Approval
	CmdBudget     CommandKind = "budget"      // Budget
	CmdPause      CommandKind = "pause"       //
	CmdResume     CommandKind = "resume"      //
	CmdCancel     CommandKind = "cancel"      // ends the search; running segments are queued again
	CmdRename     CommandKind = "rename"      // Text
	CmdReevaluate CommandKind = "re-evaluate" // Node: score its checkpoint on more samples
)

// Command is one steering act of a researcher.
type Command struct {
	Kind       CommandKind
	Node       NodeID
	Text       string // a reason, a hint, a name
	Transition *Transition
	Ban        *Ban
	Approval   *Approval
	Budget     *Budget
}
