package tui

import (
	"cmp"
	"slices"

	"llmzero/engine/tree"
	"llmzero/tui/component/paint"
)

// graph is the tree drawn top-down: every leaf has a column, every parent stands above the middle of its children.
type graph struct {
	on    bool
	zoom  zoom
	stale bool
	graphLayout

	left, top int         // first cell in view
	at        tree.NodeID // the node that the view went to last
	free      bool        // the view was moved away from the cursor, until the cursor moves
	grab      grab
}

// grab is a place of the graph that the mouse holds.
type grab struct {
	on   bool
	x, y int
}

// zoom is how much the graph shows of each node.
type zoom int

// The levels of the graph: the whole tree in one picture, a sign for each node, its name and score, and what it changed too.
const (
	zoomAll zoom = iota
	zoomDots
	zoomNames
	zoomCards
	numZooms
)

func (z zoom) String() string { return [...]string{"overview", "states", "names", "changes"}[z] }

// rows is how many rows a level of the tree takes, the one of its edges included.
func (z zoom) rows() int { return [...]int{1, 2, 3, 4}[z] }

// cells is how many cells a leaf takes in a tree of n nodes.
func (z zoom) cells(n int) int {
	switch z {
	case zoomAll:
		return 1
	case zoomDots:
		return 2
	case zoomNames:
		return max(7, len(num(n-1))+3)
	case zoomCards, numZooms:
	}
	return max(17, len(num(n-1))+9)
}

// toggleGraph changes between outline and graph. The graph begins with as much of each node as there is room for, within reason:
// a tree a few times wider than the pane is better walked through than seen as dots.
func (a *app) toggleGraph() {
	s := a.s
	g := &s.pane.graph
	if g.on = !g.on; !g.on {
		return
	}
	s.layGraph()
	g.free = false
	pane := arrange(a.w, a.h, a.settings.Split, a.deviceRows(), false).tree
	w, h, n := pane.W-2, pane.H-2, len(s.t.Nodes)
	wide := func(z zoom) int { return int(g.wide) * z.cells(n) }
	switch {
	case wide(zoomCards) <= w && g.levels()*zoomCards.rows() <= h:
		g.zoom = zoomCards
	case wide(zoomNames) <= 4*w:
		g.zoom = zoomNames
	case wide(zoomDots) <= 4*w:
		g.zoom = zoomDots
	default:
		g.zoom = zoomAll
	}
}

// closer shows more of each node, or less.
func (g *graph) closer(by int) {
	g.zoom = max(0, min(numZooms-1, g.zoom+zoom(by)))
	g.free = false
}

// pan moves the view and leaves the cursor where it is.
func (g *graph) pan(dx, dy int) {
	g.left, g.top, g.free = g.left+dx, g.top+dy, true
}

// drag moves the graph with the mouse.
func (g *graph) drag(x, y int) {
	g.pan(g.grab.x-x, g.grab.y-y)
	g.grab.x, g.grab.y = x, y
}

// look moves the view to the cursor when it has moved, and keeps it within the graph. A graph that fits stands in the middle.
func (s *search) look(c paint.Canvas) {
	g, cur := &s.pane.graph, s.out.cursor
	cells, rows := g.zoom.cells(len(s.t.Nodes)), g.zoom.rows()
	if g.at != cur {
		g.at, g.free = cur, false
	}
	if !g.free {
		x, y := int(g.x[cur]*float32(cells))+cells/2, rows*int(s.ix.depth[cur])
		margin, above := min(c.W()/4, 24), max(rows, c.H()/4)
		g.left = max(min(g.left, x-margin), x+margin-c.W())
		g.top = max(min(g.top, y-above), y+rows+above-c.H())
	}
	within := func(at, all, shown int) int { return max(0, min(at, all-shown)) }
	g.left = within(g.left, int(g.wide)*cells, c.W())
	g.top = within(g.top, g.levels()*rows, c.H())
	if wide := int(g.wide) * cells; wide < c.W() {
		g.left = (wide - c.W()) / 2
	}
}

// walkGraph moves the cursor: up to the parent, down to the first child, sideways to the neighbour on the same level. In the
// overview a step sideways is one that can be seen.
func (s *search) walkGraph(dx, dy int) {
	s.layGraph()
	n := s.node()
	if n == nil {
		return
	}
	g := &s.pane.graph
	switch {
	case dy < 0:
		s.out.cursor = n.Parent
	case dy > 0 && len(n.Children) > 0:
		s.fold(n.ID, false)
		s.out.cursor = n.Children[0]
	case dx != 0 && g.x[n.ID] >= 0:
		if row, at := g.beside(int32(n.ID), n.Depth, dx); at >= 0 && at < len(row) {
			s.out.cursor = tree.NodeID(row[at])
		}
	}
}

// beside is the neighbour of a node on its level; in the overview the nearest that lies at least a cell away, else the last.
func (g *graph) beside(id int32, level, dx int) (row []int32, at int) {
	row, at = g.row(level), int(g.place[id]-g.from[level])+dx
	if g.zoom != zoomAll {
		return row, at
	}
	far := g.x[id] + float32(dx)*g.wide/float32(max(1, g.seen))
	i, exact := slices.BinarySearchFunc(row, far, func(id int32, x float32) int { return cmp.Compare(g.x[id], x) })
	if dx > 0 {
		return row, min(max(i, at), len(row)-1)
	}
	if !exact {
		i--
	}
	return row, max(min(i, at), 0)
}

// graphActions move the graph's view.
func graphActions() []action {
	const g = "Looking"
	pan := func(key, help string, dx, dy int) action {
		return action{id: "pan." + key, keys: []string{"shift+" + key}, on: onSearch, group: g, short: "graph " + help, help: "graph: move the view " + help, why: func(a *app) string {
			switch {
			case !a.s.pane.graph.on:
				return "open the graph first (v)"
			case a.s.pane.graph.zoom == zoomAll:
				return "all of the graph is in view: + goes closer"
			}
			return ""
		}, run: plain(func(a *app) { a.s.pane.graph.pan(dx, dy) })}
	}
	return []action{pan("left", "left", -8, 0), pan("right", "right", 8, 0), pan("up", "up", 0, -3), pan("down", "down", 0, 3)}
}

// holdGraph lets the mouse take hold of the graph, away from the border between the panes, which can be dragged too.
func (a *app) holdGraph(x, y int) {
	g := &a.s.pane.graph
	pane := arrange(a.w, a.h, a.settings.Split, a.deviceRows(), a.s.pane.focused).tree
	g.grab = grab{g.on && g.zoom != zoomAll && pane.Contains(x, y) && x < pane.X+pane.W-3, x, y}
}
