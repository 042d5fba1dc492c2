package engine

import (
	"context"

	"llmzero/engine/event"
	"llmzero/engine/tree"
)

// Trainer runs segments. Implementations are safe for concurrent use and keep nothing between calls.
type Trainer interface {
	// Describe tells the trainer's parameters, tasks and metrics.
	Describe(ctx context.Context) (tree.Description, error)
	// Run trains one segment and reports every step, checkpoint and some samples as they come, in order, from one
	// goroutine. An error from report ends the segment with that error. When ctx is canceled with the cause
	// tree.ErrStop, Run saves and scores a last checkpoint and returns its outcome; with any other cause it returns
	// that error at the next step. A *tree.Failure says that the segment itself failed.
	Run(ctx context.Context, job tree.Job, report func(tree.Report) error) (tree.Outcome, error)
	// Evaluate scores a checkpoint or the base model on a split.
	Evaluate(ctx context.Context, exam tree.Exam) (tree.Score, tree.Cost, error)
}

// Finder is a Trainer whose segments can outlive the program.
type Finder interface {
	// Find tells whether the segment is there to be followed: it runs, or it has ended and nobody has read its end. Run with
	// the same job then follows it from its first report instead of starting it.
	Find(ctx context.Context, job tree.Job) bool
}

// Record keeps one search. Append has committed to disk when it returns nil; what it returned nil for is never lost.
type Record interface {
	// Append commits journal entries, the nodes they touch and the agent's exchanges in one transaction. t is the
	// tree after the entries.
	Append(ctx context.Context, t *tree.Tree, events []event.Event, exchanges []tree.Exchange) error
	// AppendPoints keeps metric points of a node's segment. A Started event clears those of an earlier attempt.
	AppendPoints(ctx context.Context, node tree.NodeID, points []tree.Point) error
	// AppendSamples keeps completions of a node's segment.
	AppendSamples(ctx context.Context, node tree.NodeID, samples []tree.Sample) error
	// SaveBlob keeps a checkpoint's content and returns its reference, "sha256:" and the hex digest.
	SaveBlob(ctx context.Context, data []byte) (ref string, err error)
	// LoadBlob reads what SaveBlob kept.
	LoadBlob(ctx context.Context, ref string) ([]byte, error)
}

// History reads back what Record.AppendPoints kept, in step order.
type History interface {
	Points(ctx context.Context, node tree.NodeID) ([]tree.Point, error)
}

// Shelf is one search in an archive.
type Shelf interface {
	Record
	History
	// ID is the search's name in the archive.
	ID() string
	// Tree reads the search as it stands after its last entry.
	Tree(ctx context.Context) (*tree.Tree, error)
}

// Archive keeps searches.
type Archive interface {
	// Create makes room for a new search, under a name of its own when the specification has no ID. Nothing is kept until
	// the first Append.
	Create(ctx context.Context, spec tree.Spec) (Shelf, error)
	// Open returns a search that is kept.
	Open(ctx context.Context, id string) (Shelf, error)
	// List sums all searches up, newest first.
	List(ctx context.Context) ([]tree.Summary, error)
	// Remove deletes a search.
	Remove(ctx context.Context, id string) error
}
