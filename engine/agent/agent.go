package agent

import (
	"context"

	"llmzero/engine/tree"
)

// Agent proposes transitions, judges running segments and chooses checkpoints. Implementations are safe for concurrent
// use. They return an error only when ctx ended or nothing at all can be answered; an agent that asks a server answers
// with its fall-back when the server fails, and says so in Answer.Exchanges and Transition.Note.
type Agent interface {
	// Name is how the agent is chosen and signs its proposals: "rules", "ollama:MODEL".
	Name() string
	// Propose diagnoses the node of the turn and proposes at most Turn.Count transitions, best first, each of which
	// passes Turn.Check and no two of which are alike. No proposals and no error: the agent sees nothing left to try.
	Propose(ctx context.Context, t Turn) (Answer, error)
	// Judge says whether a running segment should go on. That a segment falls behind the best curve is the engine's
	// own rule; an agent stops what is broken.
	Judge(ctx context.Context, w Watch) (Judgement, error)
	// Choose picks the checkpoint of an ended segment to go on from.
	Choose(ctx context.Context, e Ended) (Choice, error)
}

// Turn is what an agent sees when it is to propose what follows a node.
type Turn struct {
	Spec tree.Spec
	// Node is looked at. It is trained, or failed (then Failure is set), or the root, which never trained.
	Node   tree.Node
	Points []tree.Point // of Node's segment, in step order; empty for the root
	// Path leads from the root to Node, both included, each with its configuration, outcome and points.
	Path []Stage
	// Siblings are the other children of Node's parent; Children are those of Node. Both hold every state: proposed,
	// running, vetoed and failed ones have been tried as well.
	Siblings []tree.Node
	Children []tree.Node
	Vetoes   []tree.Node // vetoed proposals of the whole search with Verdict.Why, newest first
	Best     []Strategy  // of the whole search, best first
	Bans     []tree.Ban
	Hints    []tree.Hint // oldest first; the last one weighs most
	Budget   tree.Budget
	Spent    tree.Spent
	Steps    int    // optimizer steps that a proposed segment takes unless the agent has a reason; see StepBounds
	Count    int    // how many proposals are wanted, at least 1
	Seed     uint64 // every random choice of the turn comes from it
	// Fresh asks for a fresh start: proposals resume from the root and vary the practitioner's configuration.
	Fresh   bool
	Failure *tree.Failure // why Node failed, nil when it did not
}

// Stage is one node of a path with the metric series of its segment.
type Stage struct {
	Node   tree.Node
	Points []tree.Point
}

// Strategy is a path from the root to a trained node, both included.
type Strategy struct {
	Path []tree.Node
}

// Val is the validation score at the strategy's end.
func (s Strategy) Val() tree.Score {
	if len(s.Path) == 0 {
		return tree.Score{}
	}
	return s.Path[len(s.Path)-1].Val()
}

// Answer is what an agent says in a turn. The findings are also in every proposal's Diagnosis.
type Answer struct {
	Findings []tree.Finding // most severe first; a single Healthy one when nothing is wrong
	// Proposals are ranked, best first. Changes are relative to the configuration of the node that From names; that
	// node becomes the parent.
	Proposals []tree.Transition
	Exchanges []tree.Exchange // with the model, in order; none for the rules
}

// Watch is what an agent sees of a segment that still trains.
type Watch struct {
	Spec   tree.Spec
	Node   tree.Node    // running
	Points []tree.Point // of its segment so far, in step order
	Parent []tree.Point // of the segment it goes on from, when there is one
	Start  tree.Score   // validation score of the checkpoint it started from
	Seed   uint64
}

// Judgement says whether a running segment should go on.
type Judgement struct {
	Stop      bool
	Why       string         // one sentence, when Stop
	Findings  []tree.Finding // what shows it
	Exchanges []tree.Exchange
}

// Ended is what an agent sees of a segment that has ended with at least one checkpoint.
type Ended struct {
	Spec   tree.Spec
	Node   tree.Node    // its Outcome.Checkpoints are in step order
	Points []tree.Point // of its segment
	Start  tree.Score   // validation score of the checkpoint it started from
	Seed   uint64
}

// Choice picks a checkpoint.
type Choice struct {
	Index     int    // into Outcome.Checkpoints, -1 when there is none
	By        string // who decided: an agent that asks a model may leave it to the rules; empty: the agent
	Why       string // "best validation", "before the entropy collapse at step 80"
	Exchanges []tree.Exchange
}
