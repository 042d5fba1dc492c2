package tui

import (
	"context"
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"
)

// paces are what training was measured to take, for the form of a new search.
type paces struct {
	of    map[string]Pace // by paceKey; a zero pace was not to be had
	under bool            // a measurement is under way
}

// paceMsg brings a measurement.
type paceMsg struct {
	key  string
	pace Pace
	err  error
}

// paceKey is what of a new search decides its pace.
func paceKey(n NewSearch) string {
	return fmt.Sprint(n.Trainer, " ", n.Task, " ", n.Base, " ", n.Root.Key())
}

// measurePace measures what the open form of a new search asks for, unless that is known or another measurement runs. It is asked
// once a second, so that nothing is measured while one types.
func (a *app) measurePace() tea.Cmd {
	f, ok := a.top().(*form)
	if !ok || f.field("segments") == nil || f.field("trainer") == nil || a.pace.under || a.opt.Catalog == nil {
		return nil
	}
	n := f.newSearch()
	key := paceKey(n)
	if _, known := a.pace.of[key]; known {
		return nil
	}
	if _, err := f.problem(a); err != nil {
		return nil
	}
	a.pace.under = true
	return a.task(func(ctx context.Context) tea.Msg {
		p, ok, err := a.opt.Catalog.Measure(ctx, n)
		if !ok {
			p = Pace{}
		}
		return paceMsg{key, p, err}
	})
}

func (a *app) gotPace(m paceMsg) {
	a.pace.under = false
	if a.pace.of == nil {
		a.pace.of = map[string]Pace{}
	}
	a.pace.of[m.key] = m.pace // after an error too: what failed once is not tried every second
}

// scoredPerSegment is how many checkpoints of a segment are scored.
const scoredPerSegment = 4

// paceWords are the tokens and the time of a search at a pace.
func paceWords(n NewSearch, p Pace) []string {
	tokens, wall := p.Tokens*float64(n.Segment), time.Duration(n.Segment)*p.Step+scoredPerSegment*p.Val // of one segment
	segments := float64(n.Budget.Segments)
	if limit := float64(n.Budget.Tokens); limit > 0 && (segments == 0 || tokens*segments > limit) {
		segments = limit / tokens
	}
	if limit := n.Budget.Wall; limit > 0 && (segments == 0 || wall.Seconds()*segments > limit.Seconds()) {
		segments = limit.Seconds() / wall.Seconds()
	}
	if segments == 0 {
		return []string{"about " + count(tokens) + " tokens and " + span(wall) + " a segment"}
	}
	all := time.Duration(segments * float64(wall))
	return []string{"about " + count(tokens*segments) + " tokens", "about " + span(all) + " of training, as just measured"}
}
