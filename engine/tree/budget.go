package tree

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Budget is what a search may spend; a zero field is no limit. Whichever runs out first ends the search.
type Budget struct {
	Segments int           `json:"segments,omitempty"`
	Tokens   int64         `json:"tokens,omitempty"`
	Wall     time.Duration `json:"wall,omitempty"`
	GPUHours float64       `json:"gpu_hours,omitempty"`
	// Confirm is the share of Segments and Tokens kept for retraining the best paths with fresh seeds before the
	// winner is named, 0..1.
	Confirm float64 `json:"confirm,omitempty"`
}

// Spent is what a search has spent so far.
type Spent struct {
	Segments int  `json:"segments"`
	Cost     Cost `json:"cost"`
}

// Used is the largest share of any limit that is spent, 0..1 or above when overspent; 0 without limits. The wall time is
// that of the trainer's segments added up, so that a pause costs nothing.
func (b Budget) Used(s Spent) float64 {
	var u float64
	if b.Segments > 0 {
		u = max(u, float64(s.Segments)/float64(b.Segments))
	}
	if b.Tokens > 0 {
		u = max(u, float64(s.Cost.Tokens())/float64(b.Tokens))
	}
	if b.Wall > 0 {
		u = max(u, s.Cost.WallSeconds/b.Wall.Seconds())
	}
	if b.GPUHours > 0 {
		u = max(u, s.Cost.GPUSeconds/3600/b.GPUHours)
	}
	return u
}

// Check says what is wrong with a budget, or nil.
func (b Budget) Check() error {
	switch {
	case b.Segments < 0 || b.Tokens < 0 || b.Wall < 0 || b.GPUHours < 0:
		return fmt.Errorf("budget: a limit is below 0; use 0 for no limit")
	case math.IsNaN(b.GPUHours) || math.IsInf(b.GPUHours, 0):
		return fmt.Errorf("budget: %g GPU-hours; want a number", b.GPUHours)
	case !(b.Confirm >= 0 && b.Confirm <= 0.9): // nor NaN
		return fmt.Errorf("budget: the share for confirmation is %g; it must be between 0 and 0.9", b.Confirm)
	case b.Segments == 0 && b.Tokens == 0 && b.Wall == 0 && b.GPUHours == 0:
		return fmt.Errorf("budget: no limit at all; give segments, tokens, wall time or GPU-hours")
	}
	return nil
}

// Mode is when the gate asks the researcher.
type Mode string

// The modes of the gate.
const (
	AskAlways Mode = "ask"   // every proposal waits
	AskRisky  Mode = "risky" // only risky proposals wait
	AskNever  Mode = "all"   // the autopilot approves all
)

// Approval are the rules of the gate.
type Approval struct {
	Mode Mode `json:"mode"`
	// Factor makes a change risky when a log-scaled number moves by more than this factor either way (0: never).
	Factor float64 `json:"factor"`
	// Structural makes changes of structural parameters risky.
	Structural bool `json:"structural"`
	// Confidence makes a proposal risky when the agent is less sure than this.
	Confidence float64 `json:"confidence"`
}

// DefaultApproval asks in the given mode, and calls risky what moves a value by more than 4x, is structural or is
// proposed with a confidence below 0.4.
func DefaultApproval(m Mode) Approval {
	return Approval{Mode: m, Factor: 4, Structural: true, Confidence: 0.4}
}

// Risky tells why a transition is risky under the rules; it is empty when it is not.
func (a Approval) Risky(s Space, t Transition) string {
	var why []string
	for _, c := range t.Changes {
		p, ok := s.Find(c.Param)
		if !ok {
			continue
		}
		if a.Structural && p.Structural {
			why = append(why, p.Name+" changes the network")
		}
		if a.Factor > 0 && p.Scale == ScaleLog && p.Kind != KindChoice && c.From.Num > 0 && c.To.Num > 0 {
			if f := c.To.Num / c.From.Num; f > a.Factor || f < 1/a.Factor {
				why = append(why, fmt.Sprintf("%s moves by x%.3g", p.Name, f))
			}
		}
	}
	if t.Confidence < a.Confidence {
		why = append(why, fmt.Sprintf("confidence %.2f is below %.2f", t.Confidence, a.Confidence))
	}
	return strings.Join(why, "; ")
}

// Waits tells whether a proposal waits for the researcher, and if it does not, why the autopilot may approve it.
func (a Approval) Waits(s Space, t Transition) (bool, string) {
	switch a.Mode {
	case AskNever:
		return false, "approval rules: all"
	case AskRisky:
		if why := a.Risky(s, t); why != "" {
			return true, why
		}
		return false, "approval rules: not risky"
	default:
		return true, ""
	}
}

// Raised is the budget with each limit raised to that of more where that is larger. No limit (0) stays none.
func (b Budget) Raised(more Budget) Budget {
	b.Segments, b.Tokens = raise(b.Segments, more.Segments), raise(b.Tokens, more.Tokens)
	b.Wall, b.GPUHours = raise(b.Wall, more.Wall), raise(b.GPUHours, more.GPUHours)
	return b
}

func raise[T int | ~int64 | float64](old, more T) T {
	if old == 0 {
		return 0
	}
	return max(old, more)
}
