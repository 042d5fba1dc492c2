package engine

import (
	"context"

	"llmzero/engine/tree"
)

// Continue opens a search for nobody to steer: the autopilot approves from then on, each limit of its budget is raised to
// that of more when that is larger, and it goes on. A search whose budget is spent stays done.
func (h *Host) Continue(ctx context.Context, id string, more tree.Budget) (*Session, error) {
	s, err := h.Open(ctx, id)
	if err != nil {
		return nil, err
	}
	approval := tree.DefaultApproval(tree.AskNever)
	if err := s.Do(ctx, tree.Command{Kind: tree.CmdApproval, Approval: &approval}); err != nil {
		return nil, err
	}
	b := s.Tree().Spec.Budget
	if raised := b.Raised(more); raised != b {
		if err := s.Do(ctx, tree.Command{Kind: tree.CmdBudget, Budget: &raised}); err != nil {
			return nil, err
		}
	}
	if s.Live() || s.Tree().Status == tree.SearchDone {
		return s, nil
	}
	return s, s.Do(ctx, tree.Command{Kind: tree.CmdResume})
}
