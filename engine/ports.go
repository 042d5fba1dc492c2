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
