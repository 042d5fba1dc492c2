package tui

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"llmzero/engine/tree"
)

// glanceNodes is the largest search that is read for a glance: a larger one takes a while and much memory to open.
const glanceNodes = 1000

// glance is what the library shows of the search under the cursor beyond its summary.
type glance struct {
	id      string
	updated time.Time // of the summary that it belongs to
	t       *tree.Tree
	best    *side // the winner, else the best node; nil when nothing has a score
	won     bool  // best is the winner that the search named
	err     error
}

type glanceMsg struct{ *glance }

// readGlance reads the search under the cursor unless it is held as it stands. One is read at a time, so that running
// through the list reads no more searches than there is time for.
func (a *app) readGlance() tea.Cmd {
	h := a.home
	s := h.current()
	if a.page != onHome || s == nil || h.reading || s.Nodes > glanceNodes {
		return nil
	}
	if p := h.glance(); p != nil && p.updated.Equal(s.Updated) {
		return nil
	}
	h.reading = true
	id, updated := s.Search, s.Updated
	return a.task(func(ctx context.Context) tea.Msg {
		p := &glance{id: id, updated: updated}
		p.err = p.read(ctx, a.opt.Library)
		return glanceMsg{p}
	})
}

func (p *glance) read(ctx context.Context, lib Library) error {
	sess, err := lib.Open(ctx, p.id)
	if err != nil {
		return err
	}
	p.t = sess.Tree()
	n, ok := p.t.Node(p.t.Winner)
	if p.won = ok && n.ID != tree.Root; !p.won {
		n, ok = p.t.Best()
	}
	if !ok {
		return nil
	}
	p.best, err = readSide(ctx, name(n.ID), p.t, n, sess.Record())
	return err
}

// glance is what is held of the search under the cursor, perhaps from a moment ago; nil without.
func (h *home) glance() *glance {
	if s := h.current(); s != nil && h.seen != nil && h.seen.id == s.Search {
		return h.seen
	}
	return nil
}

// gotGlance keeps what was read, and goes on when the cursor has moved meanwhile.
func (a *app) gotGlance(m glanceMsg) tea.Cmd {
	a.home.reading, a.home.seen = false, m.glance
	return a.readGlance()
}
