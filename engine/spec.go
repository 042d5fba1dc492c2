package engine

import (
	"errors"
	"fmt"

	"llmzero/engine/search"
	"llmzero/engine/tree"
)

// Complete fills what a specification leaves open with defaults and says what is wrong with it.
func Complete(s tree.Spec) (tree.Spec, error) {
	if s.ID == "" {
		return s, fmt.Errorf("search: it has no id")
	}
	if s.Task == "" {
		return s, fmt.Errorf("search %s: it has no task; choose one with --task", s.ID)
	}
	if s.Policy == "" {
		s.Policy = search.All()[0].Name
	}
	if s.Segment == 0 {
		s.Segment = 40
	}
	s.Parallel = max(1, s.Parallel)
	if s.Approval.Mode == "" {
		s.Approval = tree.DefaultApproval(tree.AskAlways)
	}
	if s.Judge == (tree.Judge{}) {
		s.Judge = tree.DefaultJudge()
	}
	if s.Root == nil {
		s.Root = s.Space.Defaults()
	}
	switch {
	case s.Segment < 1:
		return s, fmt.Errorf("search %s: a segment of %d steps; it takes at least 1", s.ID, s.Segment)
	case s.Rescore < 0:
		return s, fmt.Errorf("search %s: %d times the samples for a second score; give 2 or more, or 0 for none", s.ID, s.Rescore)
	case !(s.FreshRate >= 0 && s.FreshRate <= 1):
		return s, fmt.Errorf("search %s: the share of fresh starts is %g; it must be between 0 and 1", s.ID, s.FreshRate)
	}
	if _, err := search.New(s.Policy, search.Options{}); err != nil {
		return s, err
	}
	if err := s.Space.Validate(); err != nil {
		return s, err
	}
	if err := s.Space.Check(s.Root); err != nil {
		return s, fmt.Errorf("root configuration: %w", err)
	}
	return s, errors.Join(s.Judge.Check(), s.Budget.Check())
}

// DefaultFreshRate is the share of forced fresh starts.
const DefaultFreshRate = 0.2
