package tui

import (
	tea "charm.land/bubbletea/v2"

	"llmzero/engine/tree"
	"llmzero/tui/component/paint"
)

type compare struct{}

type agentPage struct{}

type settingsPage struct{}

func (a *app) drawCompare(c paint.Canvas)   { a.bar(c, "Compare"); a.footer(c, 0) }
func (a *app) drawAgent(c paint.Canvas)     { a.bar(c, "Agent"); a.footer(c, 0) }
func (a *app) drawSettings(c paint.Canvas)  { a.bar(c, "Settings"); a.footer(c, 0) }
func (a *app) drawGraph(c paint.Canvas)     {}
func (a *app) openSettings()                { a.open(onSettings) }
func (a *app) neededByPages() []tree.NodeID { return nil }
func (a *app) scrollPage(int)               {}
func (a *app) clickPage(paint.Zone) tea.Cmd { return nil }
func (a *app) compareMarked() tea.Cmd       { return nil }
func pageActions() []action                 { return append(trajActions(), playActions()...) }
