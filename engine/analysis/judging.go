package analysis

import "llmzero/engine/tree"

// Judging says what stopping doomed segments saved, and how often it was wrong.
type Judging struct {
	Stopped     int   `json:"stopped"` // by the judge or the agent
	SavedSteps  int   `json:"saved_steps"`
	SavedTokens int64 `json:"saved_tokens"` // estimated
	Trials      int   `json:"trials"`       // condemned segments that were run to their end all the same
	FalseStops  int   `json:"false_stops"`  // of the trials, those that ended above what condemned them
}

// Judged sums up what the judge did in a search, nil when it stopped and tried nothing.
func Judged(t *tree.Tree) *Judging {
	var j Judging
	for _, n := range t.Nodes {
		if n.Outcome == nil {
			continue
		}
		if s := n.Outcome.Stop; s != nil && s.By != "human" {
			j.Stopped++
			j.SavedSteps += s.SavedSteps
			j.SavedTokens += s.SavedTokens
		}
		if x := n.Outcome.Trial; x != nil {
			j.Trials++
			if x.FalseStop {
				j.FalseStops++
			}
		}
	}
	if j == (Judging{}) {
		return nil
	}
	return &j
}
