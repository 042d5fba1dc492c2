package tui

import (
	"slices"

	tea "charm.land/bubbletea/v2"

	"llmzero/engine/tree"
	"llmzero/themes"
	"llmzero/tui/component/paint"
)

// trajectories is the page of parameters over the stages of a path.
type trajectories struct {
	node   tree.NodeID // end of the path
	top    int
	cursor int // chosen stage, -1 for none
	others bool

	fig    *figure
	leaves bestLeaves
	null   nullFor
}

func (a *app) openTrajectories() tea.Cmd {
	p := &a.pages.traj
	p.node = a.s.ix.best
	if n := a.s.node(); n != nil && n.State.Trained() && n.ID != tree.Root {
		p.node = n.ID
	}
	if a.s.ix.bestPath[p.node] {
		p.node = a.s.ix.best
	}
	p.top, p.cursor, p.others, p.fig, p.leaves = 0, -1, true, nil, bestLeaves{}
	a.open(onTrajectories)
	return a.follow()
}

// drawTrajectories paints the parameters in groups over the stages of the path, and the score below on the same axis.
func (a *app) drawTrajectories(c paint.Canvas) {
	s := a.s
	if s == nil {
		return
	}
	f := a.figure()
	what := "path to " + name(f.of.node)
	switch {
	case f.best:
		what = "best path"
	case f.of.node == s.t.Winner && f.of.node != tree.Root:
		what = "winner " + name(f.of.node)
	}
	a.bar(c, or(s.t.Spec.Name, s.t.Spec.Task), "Trajectories", what)
	if best, ok := s.t.Node(s.ix.best); ok && best.Val().Known() {
		c.TextRight(c.W()-1-a.badgeWidth(), 0, sBest.With(paint.Bold).On(ink(themes.Surface)), "best "+score(best.Val().Mean))
	}
	body := c.Sub(1, 1, c.W()-2, c.H()-2-a.playRows())
	if len(f.stages) == 0 && (s.play == nil || len(s.play.final.stages) == 0) {
		text := "no segment has been trained yet: there is no path to show"
		if s.ix.best != tree.Root {
			text = "the base model has no path: b shows the best one"
		}
		body.Center(body.H()/2, sMuted, text)
	} else {
		a.drawPath(body.Sub(0, 0, body.W(), 1), f)
		shown, all := a.drawFigure(body.Sub(0, 1, body.W(), body.H()-1), f)
		a.scrollbar(c.Sub(c.W()-1, 2, 1, shown), a.pages.traj.top, shown, all)
	}
	a.drawPlayer(c)
	a.footer(c, 0)
}

// chosen is the stage that the person looks at, -1 for none.
func (a *app) chosen(f *figure) int {
	if k := a.pages.traj.cursor; k < len(f.stages) {
		return max(-1, k)
	}
	return len(f.stages) - 1
}

// drawPath paints the nodes of the path around the chosen one, or its end, and at the right the stage or the whole.
func (a *app) drawPath(c paint.Canvas, f *figure) {
	gl := a.look.glyphs
	at := a.chosen(f)
	st, text := sMuted, a.pathWords(f)
	if at >= 0 {
		st, text = sAccent, a.stageWords(f, at)
	} else {
		at = len(f.stages) - 1
	}
	right := c.TextRight(c.W(), 0, st, text)
	node := func(i int) string { // -1 is the root
		if i < 0 {
			return name(tree.Root)
		}
		return name(f.stages[i].Node)
	}
	arrow := " " + gl.Mark.Arrow + " "
	lo, hi := at, at
	room := right - 2 - 2 - len(node(at)) - 2*4 // behind the star, before the figures, with both ellipses
	for grown := true; grown; {
		grown = false
		if w := len(node(lo-1)) + 3; lo >= 0 && w <= room {
			lo, room, grown = lo-1, room-w, true
		}
		if hi+1 < len(f.stages) {
			if w := len(node(hi+1)) + 3; w <= room {
				hi, room, grown = hi+1, room-w, true
			}
		}
	}
	mark, own := gl.Mark.Best, sBest
	if !f.best {
		mark, own = gl.Mark.Bullet, f.ink()
	}
	x := c.Text(0, 0, own, mark+" ")
	if lo >= 0 {
		x = c.Text(x, 0, sFaint, gl.Mark.Ellipsis+arrow)
	}
	for i := lo; i <= hi; i++ {
		s := own
		if i == a.pages.traj.cursor && i >= 0 {
			s = sAccent.With(paint.Bold)
		}
		x = c.Text(x, 0, s, node(i))
		if i < hi {
			x = c.Text(x, 0, sFaint, arrow)
		}
	}
	if hi+1 < len(f.stages) {
		c.Text(x, 0, sFaint, arrow+gl.Mark.Ellipsis)
	}
}

// pathWords sums the path up.
func (a *app) pathWords(f *figure) string {
	n := len(f.stages)
	if n == 0 {
		return "base model"
	}
	text := plural(n, "stage") + ", " + num(f.stages[n-1].To) + " steps"
	if v := f.stages[n-1].Val; v.Known() && a.w >= 80 {
		text += "   " + a.look.glyphs.Delta(v.Mean-f.base) + " " + delta(v.Mean-f.base) + " over the base"
	}
	return text
}

// stageWords says which stage is chosen and what it came to.
func (a *app) stageWords(f *figure, k int) string {
	st := f.stages[k]
	text := "stage " + num(k+1) + " of " + num(len(f.stages)) + "  " + name(st.Node) + "  steps " + num(st.From) + "–" + num(st.To)
	if st.Val.Known() && a.w >= 80 {
		text += "  " + score(st.Val.Mean) + " " + a.look.glyphs.Mark.PlusMinus + delta(1.96*st.Val.SE)
	}
	return text
}

// trajActions are those of the page.
func trajActions() []action {
	const g = "Trajectories"
	stage := func(to func(k, n int) int) func(*app) tea.Cmd {
		return plain(func(a *app) {
			p := &a.pages.traj
			if n := len(a.figure().stages); n > 0 {
				p.cursor = max(0, min(n-1, to(p.cursor, n)))
			}
		})
	}
	scroll := func(by int) func(*app) tea.Cmd { return plain(func(a *app) { a.pages.traj.top += by }) }
	return []action{
		{id: "traj.open", keys: []string{"T"}, on: onSearch, group: "Pages", short: "trajectories", help: "every parameter over the stages of the best path", foot: 6, run: (*app).openTrajectories},
		{id: "traj.left", keys: []string{"left", "h"}, shown: "←→", on: onTrajectories, group: g, short: "stage", help: "the stage before", foot: 1, run: stage(func(k, n int) int {
			if k < 0 {
				return n - 1
			}
			return k - 1
		})},
		{id: "traj.right", keys: []string{"right", "l"}, on: onTrajectories, group: g, help: "the next stage", run: stage(func(k, _ int) int { return k + 1 })},
		{id: "traj.first", keys: []string{"home", "g"}, on: onTrajectories, group: g, help: "the first stage", run: stage(func(int, int) int { return 0 })},
		{id: "traj.last", keys: []string{"end", "G"}, on: onTrajectories, group: g, help: "the last stage", run: stage(func(_, n int) int { return n })},
		{id: "traj.down", keys: []string{"down", "j"}, on: onTrajectories, group: g, help: "scroll down", run: scroll(1)},
		{id: "traj.up", keys: []string{"up", "k"}, on: onTrajectories, group: g, help: "scroll up", run: scroll(-1)},
		{id: "traj.path", keys: []string{"n"}, on: onTrajectories, group: g, short: "next path", help: "the path to the next best leaf", foot: 2, run: plain((*app).nextPath)},
		{id: "traj.best", keys: []string{"b"}, on: onTrajectories, group: g, short: "best path", help: "back to the best path, no stage chosen", foot: 3, run: plain(func(a *app) { a.pages.traj.node, a.pages.traj.cursor = a.s.ix.best, -1 })},
		{id: "traj.others", keys: []string{"o"}, on: onTrajectories, group: g, short: "others", help: "show or hide the other paths", foot: 4, run: plain(func(a *app) { a.pages.traj.others = !a.pages.traj.others })},
		{id: "traj.node", keys: []string{"enter"}, on: onTrajectories, group: g, short: "go to node", help: "the stage's node in the tree", foot: 5, run: func(a *app) tea.Cmd {
			f := a.figure()
			if n := len(f.stages); n > 0 {
				k := a.chosen(f)
				if k < 0 {
					k = n - 1
				}
				a.s.goTo(f.stages[k].Node)
			}
			return tea.Batch(a.goBack(), a.follow())
		}},
	}
}

// nextPath shows the path to the winner, and then those to the next best leaves.
func (a *app) nextPath() {
	p := &a.pages.traj
	ends := []tree.NodeID{a.s.ix.best}
	if w := a.s.t.Winner; w != tree.Root && w != a.s.ix.best {
		ends = append(ends, w) // what an exported strategy follows
	}
	for _, id := range a.leaves(a.s.t, a.figure().of) {
		if !slices.Contains(ends, id) && len(ends) <= maxOthers {
			ends = append(ends, id)
		}
	}
	p.node, p.cursor = ends[(slices.Index(ends, p.node)+1)%len(ends)], -1
}
