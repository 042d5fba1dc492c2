package tui

import (
	"context"
	"encoding/json"

	tea "charm.land/bubbletea/v2"

	"llmzero/engine/tree"
)

// settings are what the screen remembers for all searches.
type settings struct {
	Theme    string              `json:"theme,omitempty"`
	Glyphs   string              `json:"glyphs,omitempty"` // glyphsAuto or empty, unicode, ascii
	Split    int                 `json:"split"`            // the tree's share of the width in percent
	Mouse    bool                `json:"mouse"`
	Notify   string              `json:"notify"`         // when a proposal waits or a search ends: notifyAway, notifyAlways, notifyNever
	Approval tree.Approval       `json:"approval"`       // of new searches
	Keys     map[string][]string `json:"keys,omitempty"` // by action, where they differ from the program's own
}

// When to notify.
const (
	notifyAway   = "when away" // as the terminal tells; some never do
	notifyAlways = "always"
	notifyNever  = "never"
)

func defaultSettings() settings {
	return settings{Split: 44, Mouse: true, Notify: notifyAway, Approval: tree.DefaultApproval(tree.AskAlways)}
}

type settingsMsg struct {
	s   settings
	err error
}

// screenState is what is remembered of how one search was looked at.
type screenState struct {
	Page    string        `json:"page,omitempty"`
	Cursor  tree.NodeID   `json:"cursor"`
	Folded  []tree.NodeID `json:"folded,omitempty"`
	Order   int           `json:"order,omitempty"`
	Filter  string        `json:"filter,omitempty"`
	Tab     int           `json:"tab,omitempty"`
	Graph   bool          `json:"graph,omitempty"`
	Overlay int           `json:"overlay,omitempty"`
	Log     bool          `json:"log,omitempty"`
	Smooth  bool          `json:"smooth,omitempty"`
	Zoom    int           `json:"zoom,omitempty"`
	Against int           `json:"against,omitempty"` // what Config compares with
	Samples int           `json:"samples,omitempty"` // which samples are shown
}

// keptPages are the pages that a search is opened again on, by the name that is kept.
var keptPages = map[string]place{"trajectories": onTrajectories, "agent": onAgent}

type screenMsg struct {
	id    string
	state *screenState
}

func (a *app) loadSettings() tea.Cmd {
	if a.opt.Memory == nil {
		return nil
	}
	return a.task(func(ctx context.Context) tea.Msg {
		s := defaultSettings()
		b, err := a.opt.Memory.LoadState(ctx, "settings")
		if err == nil && b != nil {
			err = json.Unmarshal(b, &s)
		}
		return settingsMsg{s, err}
	})
}

func (a *app) gotSettings(m settingsMsg) {
	if m.err != nil {
		a.fail("read the settings", m.err)
		return
	}
	m.s.Split = max(20, min(80, m.s.Split))
	a.settings = m.s
	if err := a.setKeys(m.s.Keys); err != nil {
		a.fail("your keys", err)
	}
	a.setGlyphs(m.s.Glyphs)
	if a.opt.Theme == "" {
		a.setTheme(m.s.Theme)
	}
}

func (a *app) saveSettings() tea.Cmd {
	if a.opt.Memory == nil {
		return nil
	}
	s := a.settings
	return a.task(func(ctx context.Context) tea.Msg {
		b, err := json.Marshal(s)
		if err == nil {
			err = a.opt.Memory.SaveState(ctx, "settings", b)
		}
		return savedMsg{"keep the settings", err}
	})
}

func (a *app) saved(m savedMsg) {
	if m.err != nil {
		a.fail(m.what, m.err)
	}
}

func (a *app) loadScreen(id string) tea.Cmd {
	if a.opt.Memory == nil {
		return nil
	}
	return a.task(func(ctx context.Context) tea.Msg {
		b, err := a.opt.Memory.LoadState(ctx, "search/"+id)
		var st screenState
		if err != nil || b == nil || json.Unmarshal(b, &st) != nil {
			return screenMsg{id: id} // a view that cannot be read is not worth a word
		}
		return screenMsg{id, &st}
	})
}

// gotScreen restores how a search was looked at, unless the person has begun to move about.
func (a *app) gotScreen(m screenMsg) {
	s := a.s
	if s == nil || s.id != m.id || m.state == nil {
		return
	}
	s.restore(*m.state)
	if a.page != onSearch || len(a.dialogs) > 0 || s.play != nil {
		return
	}
	if p := keptPages[m.state.Page]; p == onTrajectories {
		a.openTrajectories()
	} else if p == onAgent {
		a.openAgent()
	}
}

// restore takes what was kept as far as it still makes sense.
func (s *search) restore(st screenState) {
	for _, id := range st.Folded {
		if _, ok := s.t.Node(id); ok {
			s.out.folded[id] = true
		}
	}
	if st.Order >= 0 && st.Order < int(numOrders) {
		s.out.order = order(st.Order)
	}
	if f, err := parseFilter(st.Filter, s.t.Spec.Space); err == nil {
		s.setFilter(f)
	}
	s.pane.restore(st)
	s.out.stale, s.pane.graph.stale = true, true
	if _, ok := s.t.Node(st.Cursor); ok {
		s.out.cursor = st.Cursor
	}
}

func (p *inspector) restore(st screenState) {
	if st.Tab >= 0 && st.Tab < int(numTabs) {
		p.tab = tab(st.Tab)
	}
	if st.Overlay >= 0 && st.Overlay < int(numOverlays) {
		p.chart.overlay = overlayMode(st.Overlay)
	}
	if st.Against >= 0 && st.Against < 3 {
		p.against = st.Against
	}
	if st.Samples >= 0 && st.Samples < len(sampleKinds) {
		p.samples = st.Samples
	}
	p.graph.on, p.chart.log, p.chart.smooth = st.Graph, st.Log, st.Smooth
	p.chart.zoom = max(0, min(6, st.Zoom))
}

// saveScreen keeps how the open search is looked at.
func (a *app) saveScreen() tea.Cmd {
	s := a.s
	if s == nil || a.opt.Memory == nil {
		return nil
	}
	st := screenState{
		Cursor: s.out.cursor, Order: int(s.out.order), Filter: s.out.filter.text, Tab: int(s.pane.tab),
		Graph: s.pane.graph.on, Overlay: int(s.pane.chart.overlay), Log: s.pane.chart.log, Smooth: s.pane.chart.smooth,
		Zoom: s.pane.chart.zoom, Against: s.pane.against, Samples: s.pane.samples,
	}
	for name, p := range keptPages {
		if a.page == p {
			st.Page = name
		}
	}
	for id, on := range s.out.folded {
		if on {
			st.Folded = append(st.Folded, tree.NodeID(id))
		}
	}
	id := s.id
	return a.task(func(ctx context.Context) tea.Msg {
		b, err := json.Marshal(st)
		if err == nil {
			err = a.opt.Memory.SaveState(ctx, "search/"+id, b)
		}
		return savedMsg{"keep the view", err}
	})
}
