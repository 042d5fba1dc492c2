package engine

import (
	"context"
	"errors"
	"strings"
	"testing"

	"llmzero/engine/event"
	"llmzero/engine/tree"
)

// grove is a finished search of made-up nodes, one segment of 1000 tokens each.
type grove struct{ *rig }

func newGrove(t *testing.T, b tree.Budget) grove {
	t.Helper()
	s := spec(tree.AskNever, 0)
	s.Budget = b
	r := newRig(t, s, nil)
	g := grove{r}
	if err := r.create(t.Context()); err != nil {
		t.Fatal(err)
	}
	g.add(t, &event.BaseScored{Val: tree.Score{Mean: 0.1, SE: 0.001, N: 100}})
	return g
}

func (g grove) add(t *testing.T, bodies ...event.Body) {
	t.Helper()
	for _, b := range bodies {
		if err := g.commit(t.Context(), nil, engineEntry(b)); err != nil {
			t.Fatal(err)
		}
	}
}

// grow adds a trained child.
func (g grove) grow(t *testing.T, parent tree.NodeID, mean, se float64) tree.NodeID {
	t.Helper()
	id, p := tree.NodeID(len(g.tree.Nodes)), g.tree.Nodes[parent]
	step := 10 * p.Depth
	val := tree.Score{Mean: mean, SE: se, N: 100}
	g.add(t,
		&event.Proposed{Node: id, Parent: parent, Config: p.Config, Transition: tree.Transition{From: tree.CheckpointRef{Node: parent, Step: step}, Steps: 10}},
		&event.Judged{Node: id, Verdict: tree.Verdict{Decision: tree.Approved}}, &event.Queued{Node: id}, &event.Started{Node: id, Attempt: 1},
		&event.Ended{Node: id, State: tree.StateEvaluated, Outcome: tree.Outcome{
			Checkpoints: []tree.Checkpoint{{Step: step + 10, Tokens: 1000, Val: val}}, Val: val, Cost: tree.Cost{Steps: 10, SampledTokens: 1000},
		}})
	return id
}

func (g grove) confirmed(t *testing.T, id tree.NodeID, means ...float64) {
	t.Helper()
	for _, m := range means {
		g.add(t, &event.Confirmed{Node: id, Confirmation: tree.Confirmation{Val: tree.Score{Mean: m, SE: 0.01, N: 100}}, Segments: 1})
	}
}

func TestWinner(t *testing.T) {
	for _, x := range []struct {
		name string
		make func(t *testing.T, g grove) tree.NodeID
		why  string
	}{
		{"the best mean of equally many runs", func(t *testing.T, g grove) tree.NodeID {
			a, b := g.grow(t, 0, 0.60, 0.01), g.grow(t, 0, 0.58, 0.01)
			g.confirmed(t, a, 0.50, 0.52, 0.51)
			g.confirmed(t, b, 0.53, 0.55, 0.54)
			return b
		}, "best mean validation 0.54 over 3"},
		{"three runs before one that was lucky within the noise", func(t *testing.T, g grove) tree.NodeID {
			a, b := g.grow(t, 0, 0.60, 0.01), g.grow(t, 0, 0.58, 0.01)
			g.confirmed(t, a, 0.50, 0.56, 0.53)
			g.confirmed(t, b, 0.55)
			return a
		}, "over 3"},
		{"one run that is better beyond the noise", func(t *testing.T, g grove) tree.NodeID {
			a, b := g.grow(t, 0, 0.60, 0.01), g.grow(t, 0, 0.58, 0.01)
			g.confirmed(t, a, 0.50, 0.52, 0.51)
			g.confirmed(t, b, 0.70)
			return b
		}, "over 1"},
		{"a confirmed one before one that only looks as good", func(t *testing.T, g grove) tree.NodeID {
			a := g.grow(t, 0, 0.60, 0.02)
			g.grow(t, 0, 0.61, 0.02)
			g.confirmed(t, a, 0.55)
			return a
		}, "over 1"},
		{"a deep one that could not be confirmed and is far better", func(t *testing.T, g grove) tree.NodeID {
			a := g.grow(t, 0, 0.30, 0.01)
			g.confirmed(t, a, 0.30, 0.31)
			at := a
			for _, s := range []float64{0.4, 0.5, 0.6, 0.7} {
				at = g.grow(t, at, s, 0.01)
			}
			return at
		}, "its path has 5 segments and 2 are kept"},
		{"a score that is high by chance is not the best", func(t *testing.T, g grove) tree.NodeID {
			for _, s := range []float64{0.48, 0.49, 0.47, 0.50} {
				g.grow(t, 0, s, 0.005)
			}
			best := g.grow(t, 0, 0.52, 0.005)
			g.grow(t, 0, 0.53, 0.2)
			return best
		}, "not confirmed"},
	} {
		g := newGrove(t, tree.Budget{Segments: 10, Confirm: 0.2})
		want := x.make(t, g)
		if got, why := g.winner(); got != want || !strings.Contains(why, x.why) {
			t.Errorf("%s: %d, %q; want %d, %q", x.name, got, why, want, x.why)
		}
	}
}

// TestCandidates checks that what is retrained is what is worth most beyond the noise, and that a path that is too long for what is
// kept leaves its turn to one that fits.
func TestCandidates(t *testing.T) {
	g := newGrove(t, tree.Budget{Segments: 10, Confirm: 0.2})
	at := tree.Root
	var line []tree.NodeID
	for _, s := range []float64{0.3, 0.4, 0.5, 0.6, 0.7, 0.8} {
		at = g.grow(t, at, s, 0.01)
		line = append(line, at)
	}
	lucky := g.grow(t, 0, 0.41, 0.3)
	var got []tree.NodeID
	for _, n := range g.candidates() {
		got = append(got, n.ID)
	}
	if len(got) != 3 || got[0] != line[1] || got[2] != lucky && got[1] != lucky {
		t.Errorf("the candidates are %v; want %d first and then %d and %d", got, line[1], line[0], lucky)
	}
	if g := newGrove(t, tree.Budget{Segments: 10}); len(g.candidates()) != 0 {
		t.Error("there are candidates although nothing is kept for them")
	}
}

// TestDeepWinner runs the search of a chain whose best path is longer than what is kept: shorter ones are retrained, nothing that
// was kept is left, and the reason of the winner says that it was not confirmed.
func TestDeepWinner(t *testing.T) {
	s := spec(tree.AskNever, 12)
	s.Policy, s.FreshRate, s.Budget.Confirm = "chain", 0, 0.2
	r := newRig(t, s, nil)
	r.opts.Agent = sameFirst{r.agent} // every segment is better than the one before
	if err := r.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	now := r.check(t)
	if best, _ := now.Best(); now.Winner != best.ID || best.Depth <= 2 {
		t.Errorf("the winner is %d, the best %d of depth %d", now.Winner, best.ID, best.Depth)
	}
	if now.Confirm.Segments == 0 || now.Spent.Segments != 12 {
		t.Errorf("%d segments, %d of them for confirmations: want all 12", now.Spent.Segments, now.Confirm.Segments)
	}
	why := ""
	for _, e := range r.record.journal() {
		if b, ok := e.Body.(*event.Won); ok {
			why = b.Why
		}
	}
	if !strings.Contains(why, "segments and 2 are kept for that") {
		t.Errorf("the winner won by %q", why)
	}
}

// TestRetrainingsFail checks that the reason of the winner says so.
func TestRetrainingsFail(t *testing.T) {
	s := spec(tree.AskNever, 12)
	s.Budget.Confirm = 0.4
	r := newRig(t, s, nil)
	r.trainer.gate = func(_ context.Context, job tree.Job, _ int) error {
		if job.Attempt >= attemptsOfConfirm {
			return errors.New("no space left")
		}
		return nil
	}
	if err := r.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	now := r.check(t)
	if _, why := r.winner(); now.Status != tree.SearchDone || !strings.Contains(why, "failed") || now.Confirm.Segments == 0 {
		t.Errorf("the search is %s after %d segments of confirmations; the winner won by %q", now.Status, now.Confirm.Segments, why)
	}
}
