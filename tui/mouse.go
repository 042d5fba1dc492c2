package tui

import (
	tea "charm.land/bubbletea/v2"

	"llmzero/engine/tree"
)

// mouse hands clicks and the wheel to what is under them. What a click does, keys do too.
func (a *app) mouse(m tea.MouseMsg) tea.Cmd {
	p := m.Mouse()
	if a.tooSmall() {
		return nil
	}
	switch m.(type) {
	case tea.MouseWheelMsg:
		return a.wheel(p)
	case tea.MouseClickMsg:
		if p.Button == tea.MouseLeft {
			return a.click(p.X, p.Y)
		}
	case tea.MouseMotionMsg:
		if p.Button == tea.MouseLeft {
			a.drag(p.X, p.Y)
			return nil
		}
		a.hover(p.X, p.Y)
	case tea.MouseReleaseMsg:
		if a.dragging {
			a.dragging = false
			return a.saveSettings()
		}
	}
	return nil
}

func (a *app) wheel(p tea.Mouse) tea.Cmd {
	by := 3
	if p.Button == tea.MouseWheelUp {
		by = -3
	}
	switch d := a.top().(type) {
	case *reader:
		d.top = max(0, d.top+by)
		return nil
	case *chooser:
		d.move(sign(by))
		return nil
	case *form:
		d.move(sign(by))
		return nil
	case *gate:
		d.scroll = max(0, d.scroll+by)
		return nil
	case nil:
	default:
		return nil
	}
	z, _ := a.grid.Hit(p.X, p.Y)
	switch {
	case a.page == onHome:
		a.home.cursor += sign(by)
		a.home.clamp(a)
		return a.readGlance()
	case a.page == onSearch && (z.Kind == "node" || z.Kind == "tree") && a.s.pane.graph.on:
		a.s.pane.graph.pan(0, by)
	case a.page == onSearch && (z.Kind == "node" || z.Kind == "tree"):
		a.s.step(by)
		return a.follow()
	case a.page == onSearch:
		a.s.pane.roll(sign(by))
	default:
		a.scrollPage(by)
	}
	return nil
}

func (a *app) click(x, y int) tea.Cmd {
	z, ok := a.grid.Hit(x, y)
	if d := a.top(); d != nil {
		return a.clickDialog(d, z.Kind, z.Index, ok)
	}
	if a.grab(x) {
		return nil
	}
	if a.page == onSearch {
		a.holdGraph(x, y)
	}
	switch z.Kind {
	case "menu":
		a.home.cursor = z.Index
		return a.homeEnter()
	case "library":
		if a.home.cursor == z.Index {
			return a.homeEnter()
		}
		a.home.cursor = z.Index
		return a.readGlance()
	case "action":
		return a.perform(&a.acts.all[z.Index])
	case "node":
		a.s.pane.focused = false
		a.s.goTo(tree.NodeID(z.Index))
		return a.follow()
	case "tab":
		a.s.pane.tab, a.s.pane.focused = tab(z.Index), true
		return a.follow()
	case "tree":
		a.s.pane.focused = false
	case "inspector":
		a.s.pane.focused = true
	case "waiting":
		if a.page != onSearch {
			return a.reviewFromAfar()
		}
		return a.openGate()
	case "chart":
		a.s.pane.focused = true
		if a.s.pane.tab == tabCurves {
			a.s.pane.chart.cursor = x - z.X
		}
	default:
		return a.clickPage(z, x)
	}
	return nil
}

func (a *app) clickDialog(d dialog, kind string, i int, ok bool) tea.Cmd {
	switch t := d.(type) {
	case *chooser:
		if kind == "choice" && i < len(t.shown) {
			t.cursor = i
			return t.enter(a)
		}
	case *form:
		if kind == "field" && i < len(t.fields) {
			t.focusOn(i)
			return nil
		}
	}
	switch {
	case kind == "action":
		x := &a.acts.all[i]
		if x.on&d.place() == 0 {
			return nil
		}
		if g, isGate := d.(*gate); isGate && a.now().Sub(g.shown) < gateGuard {
			return nil
		}
		return a.perform(x)
	case !ok || kind != "dialog":
		if _, isForm := d.(*form); !isForm { // a stray click must not throw typed values away
			a.pop()
		}
	}
	return nil
}

// hover moves the cursor of the curves with the pointer, and takes it away when the pointer leaves them.
func (a *app) hover(x, y int) {
	if a.page != onSearch || a.top() != nil || a.s.pane.tab != tabCurves {
		return
	}
	v := &a.s.pane.chart
	switch z, ok := a.grid.Hit(x, y); {
	case ok && z.Kind == "chart":
		v.cursor, v.hovered = x-z.X, true
	case v.hovered:
		v.cursor, v.hovered = -1, false
	}
}

// grab begins to drag the border between tree and inspector, when that is what is under the pointer.
func (a *app) grab(x int) bool {
	border := arrange(a.w, a.h, a.settings.Split, a.deviceRows(), false).inspect.X
	a.dragging = a.page == onSearch && a.top() == nil && a.w >= 76 && (x == border || x == border-1)
	return a.dragging
}

// drag moves what was grabbed, or the cursor of the curves.
func (a *app) drag(x, y int) {
	if a.page != onSearch || a.top() != nil {
		return
	}
	if g := &a.s.pane.graph; g.grab.on {
		g.drag(x, y)
		return
	}
	if a.dragging {
		a.settings.Split = max(20, min(80, x*100/a.w))
		return
	}
	if z, ok := a.grid.Hit(x, y); ok && z.Kind == "chart" && a.s.pane.tab == tabCurves {
		a.s.pane.chart.cursor = x - z.X
	}
}
