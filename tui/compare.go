package tui

import (
	"context"
	"math"

	tea "charm.land/bubbletea/v2"

	"llmzero/engine/analysis"
	"llmzero/engine/tree"
	"llmzero/tui/component/paint"
)

// compare is the page of two searches or two nodes side by side.
type compare struct {
	sides  [2]*side
	busy   bool
	first  int  // first metric in view
	at     int  // column of the readout from 1, 0: the ends of the curves
	width  int  // cells of the charts at the last painting
	raw    bool // curves as they were measured, not smoothed
	top    int
	marked tree.NodeID // node of the open search that is marked, 0 for none
}

// side is one of the two: a node with what led to it.
type side struct {
	title     string
	t         *tree.Tree
	n         *tree.Node
	points    []tree.Point      // along the path from the root
	retrained analysis.Interval // test score of the path retrained with fresh seeds
}

type comparedMsg struct {
	sides [2]*side
	err   error
}

// readSide reads the points along a node's path.
func readSide(ctx context.Context, title string, t *tree.Tree, n *tree.Node, rec Record) (*side, error) {
	sd := &side{title: title, t: t, n: n, retrained: retrained(n)}
	path := t.Path(n.ID)
	for i, m := range path {
		if m.ID == tree.Root {
			continue
		}
		ps, err := rec.Points(ctx, m.ID)
		if err != nil {
			return nil, err
		}
		end := math.MaxInt
		if i+1 < len(path) {
			end = path[i+1].Transition.From.Step // the next stage resumed from here
		}
		for _, p := range ps {
			if p.Step <= end {
				sd.points = append(sd.points, p)
			}
		}
	}
	return sd, nil
}

// retrained is the mean test score of a node's path retrained from the root, with its interval; N is 0 when it was not.
func retrained(n *tree.Node) analysis.Interval {
	var xs []float64
	for _, k := range n.Confirmed {
		if k.Test.Known() {
			xs = append(xs, k.Test.Mean)
		}
	}
	return analysis.Bootstrap(xs)
}

// shared are the stages that both paths have, and the step up to which they are one.
func shared(l, r *side) (path []*tree.Node, until int) {
	if l.t != r.t {
		return nil, 0
	}
	pl, pr := l.t.Path(l.n.ID), r.t.Path(r.n.ID)
	i := 0
	for i < len(pl) && i < len(pr) && pl[i] == pr[i] {
		i++
	}
	until = math.MaxInt
	for _, p := range [][]*tree.Node{pl, pr} {
		if i < len(p) {
			until = min(until, p[i].Transition.From.Step)
		}
	}
	return pl[:i], until
}

// compareMarked compares the best nodes of the two marked searches.
func (a *app) compareMarked() tea.Cmd {
	if len(a.home.marks) != 2 {
		return nil
	}
	ids := [2]string(a.home.marks)
	a.pages.compare = compare{busy: true}
	a.open(onCompare)
	return a.task(func(ctx context.Context) tea.Msg {
		var m comparedMsg
		for i, id := range ids {
			sess, err := a.opt.Library.Open(ctx, id)
			if err != nil {
				return comparedMsg{err: err}
			}
			t := sess.Tree()
			n, ok := t.Best()
			if !ok {
				continue
			}
			if m.sides[i], err = readSide(ctx, or(t.Spec.Name, id)+" "+name(n.ID), t, n, sess.Record()); err != nil {
				return comparedMsg{err: err}
			}
		}
		return m
	})
}

// compareNodes compares the marked node with the one under the cursor, or the cursor's with its parent's.
func (a *app) compareNodes(n *tree.Node) tea.Cmd {
	s := a.s
	other, ok := s.t.Node(a.pages.compare.marked)
	if !ok || other.ID == tree.Root || other.ID == n.ID {
		other = s.parent(n)
	}
	if other == nil {
		return nil
	}
	a.pages.compare = compare{busy: true, marked: a.pages.compare.marked}
	a.open(onCompare)
	t, rec := s.t, s.sess.Record()
	return a.task(func(ctx context.Context) tea.Msg {
		var m comparedMsg
		for i, x := range []*tree.Node{other, n} {
			if m.sides[i], m.err = readSide(ctx, name(x.ID), t, x, rec); m.err != nil {
				return comparedMsg{err: m.err}
			}
		}
		return m
	})
}

func (a *app) compared(m comparedMsg) {
	p := &a.pages.compare
	p.busy, p.sides = false, m.sides
	if m.err != nil {
		a.fail("compare", m.err)
	}
}

// drawCompare paints scores and cost, the difference of the configurations, and the curves overlaid.
func (a *app) drawCompare(c paint.Canvas) {
	p := &a.pages.compare
	l, r := p.sides[0], p.sides[1]
	a.bar(c, "Compare")
	defer a.footer(c, 0)
	body := c.Sub(1, 2, c.W()-2, c.H()-3)
	switch {
	case p.busy:
		body.Center(body.H()/2, sMuted, "reading"+a.look.glyphs.Mark.Ellipsis)
		return
	case l == nil || r == nil:
		body.Center(body.H()/2, sMuted, "one of them has no scored node yet")
		return
	}
	a.bar(c, "Compare", l.title+" with "+r.title)
	w, h := body.Size()
	if w >= 160 { // the numbers at the left, the curves beside them
		left := min(compareTable, w/2-1)
		y := a.drawSideScores(body.Sub(0, 0, left, h), l, r) + 1
		a.drawDifference(body.Sub(0, y, min(left, 64), h-y), l, r)
		a.drawOverlaid(body.Sub(left+3, 0, w-left-3, h), l, r)
		return
	}
	y := a.drawSideScores(body, l, r) + 1
	rest := body.Sub(0, y, w, h-y)
	if w >= 100 {
		a.drawDifference(rest.Sub(0, 0, 52, rest.H()), l, r)
		a.drawOverlaid(rest.Sub(54, 0, w-54, rest.H()), l, r)
		return
	}
	half := max(rest.H()/2, min(rest.H(), 6))
	a.drawOverlaid(rest.Sub(0, 0, w, half), l, r)
	a.drawDifference(rest.Sub(0, half, w, rest.H()-half), l, r)
}

// moveReadout moves the readout by a column; beyond the last one the ends of the curves are read.
func (p *compare) moveReadout(by int) {
	if p.at == 0 && by < 0 {
		p.at = p.width + 1
	}
	if p.at += by; p.at > p.width || p.at < 0 {
		p.at = 0
	}
}

func compareActions() []action {
	const g = "Compare"
	return []action{
		onNode(action{id: "compare.mark", keys: []string{"m"}, on: onSearch, group: "Pages", short: "mark to compare", help: "mark the node; c then compares it with another"}, notRoot, func(a *app, n *tree.Node) tea.Cmd {
			a.pages.compare.marked = n.ID
			a.good(name(n.ID) + " is marked: c on another node compares them")
			return nil
		}),
		onNode(action{id: "compare.nodes", keys: []string{"c"}, on: onSearch, group: "Pages", short: "compare", help: "compare the node with the marked one, or with its parent"}, notRoot, (*app).compareNodes),
		{id: "compare.metric", keys: []string{"m", "]"}, on: onCompare, group: g, short: "more curves", help: "the next metric", foot: 1, run: plain(func(a *app) { a.pages.compare.first++ })},
		{id: "compare.prev", keys: []string{"M", "["}, on: onCompare, group: g, help: "the metric before", run: plain(func(a *app) { a.pages.compare.first-- })},
		{id: "compare.left", keys: []string{"left", "h"}, shown: "←→", on: onCompare, group: g, short: "read values", help: "read the curves a little earlier", foot: 2, run: plain(func(a *app) { a.pages.compare.moveReadout(-1) })},
		{id: "compare.right", keys: []string{"right", "l"}, on: onCompare, group: g, help: "read the curves a little later; behind the end, their last values", run: plain(func(a *app) { a.pages.compare.moveReadout(1) })},
		{id: "compare.smooth", keys: []string{"i"}, on: onCompare, group: g, short: "raw or smooth", help: "curves as they were measured, or as a moving average", foot: 3, run: plain(func(a *app) { a.pages.compare.raw = !a.pages.compare.raw })},
		{id: "compare.swap", keys: []string{"x"}, on: onCompare, group: g, short: "swap", help: "left for right", foot: 4, run: plain(func(a *app) {
			p := &a.pages.compare
			p.sides[0], p.sides[1] = p.sides[1], p.sides[0]
		})},
		{id: "compare.down", keys: []string{"down", "j"}, shown: "↓ j", on: onCompare, group: g, help: "scroll the configuration and the paths", run: plain(func(a *app) { a.pages.compare.top++ })},
		{id: "compare.up", keys: []string{"up", "k"}, shown: "↑ k", on: onCompare, group: g, help: "scroll back", run: plain(func(a *app) { a.pages.compare.top = max(0, a.pages.compare.top-1) })},
	}
}
