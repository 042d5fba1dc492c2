package tui

import (
	"context"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"llmzero/engine/event"
	"llmzero/engine/tree"
	"llmzero/themes"
	"llmzero/tui/component/paint"
)

// player replays the growth of a tree: the journal is folded again, an event at a time, into a tree of its own. The real
// tree goes on behind it.
type player struct {
	events []event.Event
	at     int // events shown
	real   *tree.Tree
	paused bool
	speed  int // events a second are 2 * speed
	debt   time.Duration
	last   time.Time

	final *figure // of the best path at the end: its axes are those of the whole replay
	was   looked
}

// looked is how the tree was looked at before a replay, which moves the cursor, unfolds and filters nothing.
type looked struct {
	cursor  tree.NodeID
	top     int
	filter  filter
	folded  []bool
	focused bool
	traj    trajectories
}

// playMsg brings the journal to replay.
type playMsg struct {
	s      *search
	events []event.Event
	err    error
}

// startPlay reads the journal of the open search.
func (a *app) startPlay() tea.Cmd {
	s := a.s
	if s == nil {
		return nil
	}
	return a.task(func(ctx context.Context) tea.Msg {
		evs, err := s.sess.Record().Events(ctx, -1)
		return playMsg{s, evs, err}
	})
}

// gotJournal begins the replay.
func (a *app) gotJournal(m playMsg) tea.Cmd {
	switch {
	case m.s != a.s || a.s == nil || a.s.play != nil:
		return nil
	case m.err != nil:
		a.fail("replay", m.err)
		return nil
	case len(m.events) < 3:
		a.note("there is nothing to replay yet")
		return nil
	}
	s := a.s
	p := &player{events: m.events, real: s.t, speed: 2, last: a.now()}
	p.final = a.newFigure(s.t, figureOf{id: s.id, seq: s.t.Seq, node: s.ix.best, others: true}, nil)
	p.was = looked{s.out.cursor, s.out.top, s.out.filter, slices.Clone(s.out.folded), s.pane.focused, a.pages.traj}
	s.play, a.pages.traj.fig = p, nil
	s.pane.focused = false
	s.setFilter(filter{})
	a.seek(2)
	return tea.Batch(a.follow(), a.tick())
}

// endPlay shows the real tree again, as it was looked at before.
func (a *app) endPlay() tea.Cmd {
	s := a.s
	if s == nil || s.play == nil {
		return nil
	}
	was := s.play.was
	s.t = s.play.real
	s.play = nil
	s.reindex()
	more := len(s.t.Nodes) - len(was.folded) // the real tree may have grown meanwhile
	s.out.folded = append(was.folded, make([]bool, max(0, more))...)
	s.setFilter(was.filter)
	s.out.cursor, s.out.top, s.out.stale = was.cursor, was.top, true
	s.pane.focused, s.pane.graph.stale = was.focused, true
	if a.pages.traj = was.traj; was.traj.fig == nil { // the page was not open before the replay
		a.pages.traj = trajectories{node: s.ix.best, cursor: -1, others: true}
	}
	a.pages.traj.fig = nil
	s.lay()
	return a.follow()
}

// seek shows the tree after the first n events. Going back folds from the beginning.
func (a *app) seek(n int) {
	s := a.s
	p := s.play
	n = max(1, min(len(p.events), n))
	from := p.at
	if n < p.at || p.at == 0 {
		s.t, from = &tree.Tree{}, 0
	}
	for _, e := range p.events[from:n] {
		if err := event.Apply(s.t, e); err != nil {
			a.fail("replay", err)
			break
		}
	}
	p.at = n
	s.reindex()
	s.lay()
	if touched := p.events[n-1].Touched(); len(touched) == 1 {
		if _, ok := s.t.Node(touched[0]); ok {
			s.goTo(touched[0])
		}
	}
}

// stepPlay goes on as the clock says.
func (a *app) stepPlay() {
	if a.s == nil || a.s.play == nil {
		return
	}
	p := a.s.play
	now := a.now()
	d := now.Sub(p.last)
	p.last = now
	if p.paused || p.at >= len(p.events) {
		return
	}
	p.debt += min(d, time.Second) * time.Duration(2*p.speed)
	n := int(p.debt / time.Second)
	p.debt -= time.Duration(n) * time.Second
	if n == 0 {
		return
	}
	at := p.at
	for ; n > 0 && at < len(p.events); n-- {
		for at++; at < len(p.events) && dull(p.events[at-1]); at++ {
		}
	}
	a.seek(at)
}

// known is what of a node's points was known at the moment of the replay: while it trains, those up to its last checkpoint.
func (p *player) known(t *tree.Tree, id tree.NodeID, c *curve) *curve {
	n, ok := t.Node(id)
	if !ok || n.State != tree.StateRunning || p.at >= len(p.events) {
		return c
	}
	step := -1
	if n.Outcome != nil {
		for _, k := range n.Outcome.Checkpoints {
			step = max(step, k.Step)
		}
	}
	cut := *c
	i := slices.IndexFunc(c.points, func(x tree.Point) bool { return x.Step > step })
	if i >= 0 {
		cut.points = c.points[:i]
	}
	return &cut
}

// dull tells whether an event changes nothing that is seen in a replay.
func dull(e event.Event) bool {
	switch e.Body.(type) {
	case *event.AgentCalled, *event.Queued, *event.Tested, *event.Chosen:
		return true
	}
	return false
}

// playRows is how many rows the player takes above the footer.
func (a *app) playRows() int {
	if a.s != nil && a.s.play != nil {
		return 1
	}
	return 0
}

// drawPlayer paints the scrub bar.
func (a *app) drawPlayer(c paint.Canvas) {
	if a.playRows() == 0 {
		return
	}
	p, gl := a.s.play, a.look.glyphs
	row := c.Sub(0, c.H()-2, c.W(), 1)
	row.Fill(paint.Style{}.On(ink(themes.Surface)))
	on := func(s paint.Style) paint.Style { return s.On(ink(themes.Surface)) }
	sign := gl.Mark.Play
	if p.paused {
		sign = gl.Mark.Pause
	}
	x := row.Text(1, 0, on(sAccent.With(paint.Bold)), sign+" replay")
	x = row.Text(x+1, 0, on(sMuted), gl.Mark.Times+num(p.speed))
	at := p.events[p.at-1]
	when := span(at.Time.Sub(p.events[0].Time))
	what := num(p.at) + "/" + num(len(p.events)) + "  " + when
	end := row.TextRight(row.W()-1, 0, on(sMuted), what)
	if w := end - x - 3; w > 4 {
		a.gauge(row, x+2, 0, w, float64(p.at)/float64(len(p.events)), on(sAccent))
		row.Zone(x+2, 0, w, 1, "scrub", w)
	}
}

// playActions are those of the replay; they hold on the search and the trajectories page while it is on.
func playActions() []action {
	const g = "Replay"
	seek := func(by int) func(*app) tea.Cmd {
		return then(func(a *app) {
			a.s.play.paused = true
			a.seek(a.s.play.at + by)
		})
	}
	speed := func(up bool) func(*app) tea.Cmd {
		return plain(func(a *app) {
			p := a.s.play
			if up {
				p.speed = min(64, p.speed*2)
			} else {
				p.speed = max(1, p.speed/2)
			}
		})
	}
	return []action{
		{id: "play.start", keys: []string{"P"}, on: onSearch | onTrajectories, group: "Pages", short: "replay", help: "replay how the tree grew", run: func(a *app) tea.Cmd { return a.startPlay() }},
		{id: "play.pause", keys: []string{"space"}, on: onPlay, group: g, short: "pause", help: "pause or go on", foot: 1, run: then(func(a *app) {
			p := a.s.play
			if p.at >= len(p.events) {
				a.seek(1)
				p.paused = false
				return
			}
			p.paused = !p.paused
		})},
		{id: "play.back", keys: []string{"left", "h"}, shown: "←→", on: onPlay, group: g, short: "step", help: "one event back", foot: 2, run: seek(-1)},
		{id: "play.on", keys: []string{"right", "l"}, on: onPlay, group: g, help: "one event on", run: seek(1)},
		{id: "play.back10", keys: []string{"pgup", "H"}, on: onPlay, group: g, help: "ten events back", run: seek(-10)},
		{id: "play.on10", keys: []string{"pgdown", "L"}, on: onPlay, group: g, help: "ten events on", run: seek(10)},
		{id: "play.home", keys: []string{"home", "g"}, on: onPlay, group: g, help: "to the beginning", run: seek(-1 << 30)},
		{id: "play.end", keys: []string{"end", "G"}, on: onPlay, group: g, help: "to the end", run: seek(1 << 30)},
		{id: "play.faster", keys: []string{"+", "=", "up", "k"}, shown: "+ -", on: onPlay, group: g, short: "speed", help: "faster", foot: 3, run: speed(true)},
		{id: "play.slower", keys: []string{"-", "down", "j"}, on: onPlay, group: g, help: "slower", run: speed(false)},
		{id: "play.traj", keys: []string{"T"}, on: onPlay, group: g, short: "tree or trajectories", help: "change between the tree and the trajectories", foot: 4, run: func(a *app) tea.Cmd {
			if a.page == onSearch {
				return a.openTrajectories()
			}
			return a.goBack()
		}},
		{id: "play.stop", keys: []string{"esc", "P", "q"}, on: onPlay, group: g, short: "end", help: "end the replay", foot: 5, run: (*app).endPlay},
		{id: "play.help", keys: []string{"?"}, on: onPlay, group: g, short: "help", help: "what can be done here", foot: footHelp, run: plain((*app).openHelp)},
	}
}
