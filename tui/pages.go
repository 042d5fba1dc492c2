package tui

import (
	"strconv"

	tea "charm.land/bubbletea/v2"

	"llmzero/engine/tree"
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
	case "scrub":
		if p := a.s.play; p != nil {
			p.paused = true
			a.seek(1 + (x-z.X)*len(p.events)/max(1, z.Index))
		}
	}
	return nil
}

// openSettings opens the settings; the theme changes as one chooses.
func (a *app) openSettings() {
	was := a.settings
	yes := []Choice{{Name: "yes"}, {Name: "no"}}
	on := func(b bool) string { return map[bool]string{true: "yes", false: "no"}[b] }
	list := []Choice{{Name: "auto", Help: "our dark or light theme, by the terminal's background"}}
	for _, th := range a.opt.Themes {
		list = append(list, Choice{Name: th.Name, Help: th.Title})
	}
	f := &form{head: "Settings", verb: "keep", width: 84}
	f.fields = []*formField{
		choiceField("theme", "theme", or(a.look.name, "auto"), "←→ tries a theme at once", list),
		textField("split", "tree's width", num(a.settings.Split), "percent of the screen; < and > change it on the search page too", whole(20, 80)),
		choiceField("mouse", "mouse", on(a.settings.Mouse), "off: the terminal selects text as usual", yes),
		choiceField("notify", "notify", a.settings.Notify, "when a proposal waits or a search ends", []Choice{
			{Name: notifyAway, Help: "a desktop notification (OSC 9) while another window has the focus"},
			{Name: notifyAlways, Help: "also the bell, whatever has the focus"},
			{Name: notifyNever},
		}),
		choiceField("approve", "new searches", string(a.settings.Approve), "which proposals wait for you in new searches", []Choice{
			{Name: string(tree.AskAlways), Help: "every proposal waits"},
			{Name: string(tree.AskRisky), Help: "risky ones wait"},
			{Name: string(tree.AskNever), Help: "none waits: the autopilot approves all"},
		}),
	}
	for _, x := range f.fields {
		x.section = "screen"
	}
	f.fields[4].section = "approval"
	f.aside = func(a *app, _ *form) string {
		t := ""
		if p := a.opt.Paths; p.Store != "" {
			t = "store " + p.Store
			if p.Themes != "" {
				t += "   themes " + p.Themes
			}
			if p.Log != "" {
				t += "   log " + p.Log
			}
		}
		return t
	}
	f.changes = func(a *app, f *form) { a.setTheme(f.get("theme")) }
	f.cancel = func(a *app) { a.setTheme(or(a.opt.Theme, was.Theme)) }
	f.submit = func(a *app, f *form) tea.Cmd {
		a.settings.Theme = f.get("theme")
		a.opt.Theme = a.settings.Theme // what was chosen here counts more than the command line
		a.settings.Split, _ = strconv.Atoi(f.get("split"))
		a.settings.Mouse, a.settings.Notify = f.get("mouse") == "yes", f.get("notify")
		a.settings.Approve = tree.Mode(f.get("approve"))
		a.removeDialog(f)
		return a.saveSettings()
	}
	a.push(f)
}
