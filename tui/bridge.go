package tui

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"llmzero/engine/event"
	"llmzero/engine/tree"
)

// The messages that commands answer with.
type (
	listMsg struct {
		all  []tree.Summary
		open string // the search that was open when the list was asked for
		err  error
	}
	openedMsg struct {
		s   *search
		err error
		new bool
	}
	feedMsg struct {
		s     *search
		batch event.Batch
		live  bool
		err   error
	}
	liveMsg struct {
		s    *search
		live bool
	}
	snapshotMsg struct {
		s *search
		t *tree.Tree
	}
	pointsMsg struct {
		s      *search
		node   tree.NodeID
		points []tree.Point
		err    error
	}
	recordMsg struct {
		s    *search
		node tree.NodeID
		rec  record
	}
	didMsg struct {
		s    *search
		what string
		form dialog // asked for it
		undo *undoStep
		live bool
		err  error
	}
	offerMsg struct {
		offer Offer
		err   error
	}
	factsMsg []Fact
	savedMsg struct {
		what string
		err  error
	}
	tickMsg time.Time
)

// receive takes what commands answered.
func (a *app) receive(msg tea.Msg) tea.Cmd {
	switch m := msg.(type) {
	case listMsg:
		return a.gotList(m)
	case glanceMsg:
		return a.gotGlance(m)
	case factsMsg:
		a.home.facts = m
	case offerMsg:
		a.offer = m.offer
		if m.err != nil {
			a.fail("what there is to choose", m.err)
		}
	case libraryDidMsg:
		return a.libraryDid(m)
	case savedMsg:
		a.saved(m)
	case settingsMsg:
		a.gotSettings(m)
	case storeMsg:
		return a.gotStore(m)
	case leavingMsg:
		return a.leaving(m)
	case openedMsg:
		return a.opened(m)
	case comparedMsg:
		a.compared(m)
	case planMsg:
		a.gotPlan(m)
	case paceMsg:
		a.gotPace(m)
	default:
		return a.receiveSearch(msg)
	}
	return nil
}

// receiveSearch takes what commands of a search answered. What belongs to a search that was left meanwhile does no harm.
func (a *app) receiveSearch(msg tea.Msg) tea.Cmd {
	switch m := msg.(type) {
	case feedMsg:
		return a.fed(m)
	case didMsg:
		return a.did(m)
	case liveMsg:
		m.s.live = m.live
	case snapshotMsg:
		return a.mended(m)
	case siftMsg:
		m.s.out.sieve.asked = false
		m.s.sift(sliceTime)
		return a.follow()
	case pointsMsg:
		a.gotPoints(m)
	case recordMsg:
		rec := m.rec
		m.s.records[m.node] = &rec
	case playMsg:
		return a.gotJournal(m)
	case screenMsg:
		a.gotScreen(m)
		return a.follow()
	}
	return nil
}

// mended takes a snapshot after a gap in the events, and listens again.
func (a *app) mended(m snapshotMsg) tea.Cmd {
	s := m.s
	if s != a.s {
		return nil
	}
	if s.play != nil {
		s.play.real = m.t
	} else {
		s.t = m.t
		s.reindex()
	}
	a.syncDialogs()
	return tea.Batch(a.feed(s), a.follow())
}

// waitFeed waits for the next batch of a search: the one waiting command of its subscription. It gathers for a frame's time
// so that a burst is one message.
func (a *app) waitFeed(s *search) tea.Cmd {
	return a.task(func(ctx context.Context) tea.Msg {
		if err := s.sub.Wait(ctx); err != nil {
			return feedMsg{s: s, err: err}
		}
		select {
		case <-time.After(frameTime):
		case <-ctx.Done():
			return feedMsg{s: s, err: ctx.Err()}
		}
		return feedMsg{s: s, batch: s.sub.Read(), live: s.sess.Live()}
	})
}

// fed folds a batch and waits for the next one.
func (a *app) fed(m feedMsg) tea.Cmd {
	s := m.s
	if s != a.s {
		s.sub.Close()
		return nil
	}
	if m.err != nil {
		s.live = false
		if !errors.Is(m.err, io.EOF) && !errors.Is(m.err, context.Canceled) {
			a.fail("the search's events", m.err)
		}
		return nil
	}
	waiting, status := len(s.ix.waiting), s.t.Status
	a.measure(s, m.batch)
	gap := s.apply(m.batch)
	s.live = m.live
	if gap {
		return a.task(func(context.Context) tea.Msg { return snapshotMsg{s: s, t: s.sess.Tree()} })
	}
	a.syncDialogs()
	return tea.Batch(a.feed(s), a.follow(), a.announce(s, waiting, status))
}

// measure counts the tokens of a batch's points.
func (a *app) measure(s *search, b event.Batch) {
	var sum int64
	for id, ps := range b.Points {
		held := s.curve(id).points
		if len(held) == 0 {
			continue // it is not known yet how many of the tokens are new
		}
		if end, last := ps[len(ps)-1].Tokens, held[len(held)-1].Tokens; end > last {
			sum += end - last
		}
	}
	s.rate.count(sum, a.now())
}

// gotPoints takes points read from the store, before those that came live meanwhile.
func (a *app) gotPoints(m pointsMsg) {
	c := m.s.curves[m.node]
	if c == nil {
		c = &curve{}
		m.s.curves[m.node] = c
	}
	live := c.points
	c.points, c.loading, c.loaded, c.err = m.points, false, m.err == nil, m.err
	for _, p := range live {
		if n := len(c.points); n == 0 || p.Step > c.points[n-1].Step {
			c.points = append(c.points, p)
		}
	}
	c.version++
}

// follow reads what the page in view needs and does not have: curves of the node under the cursor, of its parent and
// siblings where they are overlaid, and the records of the open tab.
func (a *app) follow() tea.Cmd {
	s := a.s
	if s == nil {
		return nil
	}
	if s.said != "" {
		a.note(s.said)
		s.said = ""
	}
	cmds := []tea.Cmd{a.sift()}
	ids := a.needed()
	s.forget(ids)
	for _, id := range ids {
		if !s.wantsCurve(id) {
			continue
		}
		s.curves[id] = &curve{loading: true}
		cmds = append(cmds, a.task(func(ctx context.Context) tea.Msg { return s.points(ctx, id) }))
	}
	if id, ok := a.neededRecord(); ok && s.records[id] == nil {
		s.records[id] = &record{loading: true}
		cmds = append(cmds, a.task(func(ctx context.Context) tea.Msg { return readRecord(ctx, s, id) }))
	}
	return tea.Batch(cmds...)
}

func readRecord(ctx context.Context, s *search, id tree.NodeID) recordMsg {
	r := s.sess.Record()
	out := record{loaded: true}
	var errs [3]error
	out.samples, errs[0] = r.Samples(ctx, id)
	out.exchanges, errs[1] = r.Exchanges(ctx, id)
	of := id
	if id == tree.Root {
		of = -1 // the root's log is that of the whole search
	}
	out.events, errs[2] = r.Events(ctx, of)
	out.err = errors.Join(errs[:]...)
	return recordMsg{s: s, node: id, rec: out}
}

// do carries out a steering act; what names it for the toast.
func (a *app) do(what string, c tree.Command) tea.Cmd {
	done, _, _ := strings.Cut(what, ";") // the rest says what to do next
	undo := &undoStep{what: done}
	if back, ok := inverse(a.s.t, c); ok {
		undo.cmd = back
	}
	return a.run(what, c, undo)
}

// run carries out a command; undo is kept when it succeeds.
func (a *app) run(what string, c tree.Command, undo *undoStep) tea.Cmd {
	s, form := a.s, a.submitted
	return a.task(func(ctx context.Context) tea.Msg {
		err := s.sess.Do(ctx, c)
		return didMsg{s: s, what: what, form: form, undo: undo, err: err, live: s.sess.Live()}
	})
}

// did says what came of a steering act. A search that was not live may be live now.
func (a *app) did(m didMsg) tea.Cmd {
	for _, d := range a.dialogs {
		if g, ok := d.(*gate); ok {
			g.busy = false
		}
	}
	if m.err != nil {
		a.fail("not done", m.err)
		if m.s == a.s {
			a.reopen(m.form)
		}
		return nil
	}
	if m.what != "" {
		what := m.what
		if !m.live && m.s.t.Status != tree.SearchDone {
			what += "; the search is stopped: space lets it go on"
		}
		a.good(what)
	}
	if m.undo != nil {
		m.s.undo = append(m.s.undo, *m.undo)
	}
	m.s.live = m.live
	return nil
}

// openSearch opens a search of the library.
func (a *app) openSearch(id string) tea.Cmd {
	a.home.busy = "opening " + id
	return a.task(func(ctx context.Context) tea.Msg {
		sess, err := a.opt.Library.Open(ctx, id)
		if err != nil {
			return openedMsg{err: err}
		}
		return openedMsg{s: newSearch(id, sess, a.now())}
	})
}

// startSearch starts a new search and opens it.
func (a *app) startSearch(n NewSearch) tea.Cmd {
	a.home.busy = "starting " + n.Task
	return a.task(func(ctx context.Context) tea.Msg {
		sess, err := a.opt.Library.Start(ctx, n)
		if err != nil {
			return openedMsg{err: err, new: true}
		}
		s := newSearch("", sess, a.now())
		s.id = s.t.Spec.ID
		return openedMsg{s: s, new: true}
	})
}

// opened shows a search that was opened or started.
func (a *app) opened(m openedMsg) tea.Cmd {
	a.home.busy = ""
	if m.err != nil {
		what := "open the search"
		if m.new {
			what = "start the search"
		}
		a.fail(what, m.err)
		return nil
	}
	a.closeSearch()
	a.exit.known[m.s.id] = m.s.sess
	delete(a.home.told, m.s.id)
	a.s = m.s
	a.dialogs = nil
	a.back = nil
	a.page = onHome
	a.open(onSearch)
	cmds := []tea.Cmd{a.feed(m.s), a.loadScreen(m.s.id), a.follow(), a.tick()}
	if a.opt.Play {
		a.opt.Play = false
		cmds = append(cmds, a.startPlay())
	}
	if more := a.opt.Resume; more != nil {
		a.opt.Resume = nil
		cmds = append(cmds, a.goOn(*more))
	}
	return tea.Batch(cmds...)
}

// goOn lets the open search go on, each limit of its budget raised to that of more.
func (a *app) goOn(more tree.Budget) tea.Cmd {
	resume := a.do("search goes on", tree.Command{Kind: tree.CmdResume})
	if was := a.s.t.Spec.Budget; was.Raised(more) != was {
		raised := was.Raised(more)
		return tea.Sequence(a.do("budget raised", tree.Command{Kind: tree.CmdBudget, Budget: &raised}), resume)
	}
	return resume
}

// closeSearch stops listening to the open search. Its waiting command ends with the closed subscription.
func (a *app) closeSearch() {
	s := a.s
	if s == nil {
		return
	}
	a.s = nil
	if s.play != nil {
		s.t, s.play = s.play.real, nil
	}
	s.sub.Close()
}

// loadList, loadOffer and loadFacts read what the home page shows.
func (a *app) loadList() tea.Cmd {
	a.home.listing, a.home.listed = true, a.now()
	open := a.openID()
	return a.task(func(ctx context.Context) tea.Msg {
		all, err := a.opt.Library.List(ctx)
		return listMsg{all, open, err}
	})
}

func (a *app) loadOffer() tea.Cmd {
	if a.opt.Catalog == nil {
		return nil
	}
	return a.task(func(ctx context.Context) tea.Msg {
		o, err := a.opt.Catalog.Offer(ctx)
		return offerMsg{o, err}
	})
}

func (a *app) loadFacts() tea.Cmd {
	if a.opt.Doctor == nil {
		return nil
	}
	return a.task(func(ctx context.Context) tea.Msg { return factsMsg(a.opt.Doctor.Facts(ctx)) })
}

// tick asks for the next tick of the clock, unless one is on its way: four a second while something runs or plays, else
// one, which the device strip and the ages of things need.
func (a *app) tick() tea.Cmd {
	if a.ticking {
		return nil
	}
	a.ticking = true
	d := time.Second
	if a.moving() {
		d = time.Second / 4
	}
	return a.wake(d)
}

// moving tells whether something on the screen moves by itself.
func (a *app) moving() bool {
	return a.s != nil && ((a.page == onSearch && len(a.s.ix.running) > 0 && a.s.live) || a.s.play != nil)
}

// ticked renews what depends on time alone.
func (a *app) ticked() tea.Cmd {
	a.ticking = false
	if a.opt.Devices != nil {
		a.devices = a.opt.Devices.Snapshot()
	}
	a.toast.expire(a.now())
	a.stepPlay()
	s := a.s
	if a.exit.idle {
		return tea.Batch(a.tick(), a.underWay(false, a.exit.Store))
	}
	if s == nil {
		return tea.Batch(a.tick(), a.relist(), a.measurePace())
	}
	s.rate.count(0, a.now())
	// Whether the search is live is asked in a command: the session may be busy starting its trainer.
	return tea.Batch(a.tick(), a.relist(), a.follow(), a.measurePace(), a.task(func(context.Context) tea.Msg { return liveMsg{s, s.sess.Live()} }))
}
