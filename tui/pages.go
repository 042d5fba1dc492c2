package tui

import (
	tea "charm.land/bubbletea/v2"

	"llmzero/tui/component/paint"
)

// pages are the states of the pages beside home and search.
type pages struct {
	traj    trajectories
	compare compare
	agent   agentPage
}

func pageActions() []action {
	var all []action
	for _, part := range [][]action{trajActions(), playActions(), agentActions(), compareActions()} {
		all = append(all, part...)
	}
	return all
}

// scrollPage is what the wheel does on a page without a list.
func (a *app) scrollPage(by int) {
	switch a.page {
	case onTrajectories:
		a.pages.traj.top = max(0, a.pages.traj.top+by)
	case onAgent:
		a.pages.agent.top = max(0, a.pages.agent.top+by)
	case onCompare:
		a.pages.compare.top = max(0, a.pages.compare.top+sign(by))
	default:
	}
}

// clickPage is what a click does on the pages beside home and search.
func (a *app) clickPage(z paint.Zone, x int) tea.Cmd {
	switch z.Kind {
	case "stage":
		a.pages.traj.cursor = z.Index
	case "compare":
		a.pages.compare.at = x - z.X + 1
	case "scrub":
		if p := a.s.play; p != nil {
			p.paused = true
			a.seek(1 + (x-z.X)*len(p.events)/max(1, z.Index))
			return a.follow()
		}
	}
	return nil
}
