package tui

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"llmzero/engine/event"
	"llmzero/engine/tree"
)

// reasons are sentences of an agent, so that a search of texts has something to read.
var reasons = []string{
	"More answers for each prompt give a steadier baseline.", "The gradient norm is high and the reward swings: a smaller step lets it settle.",
	"Entropy fell below half a nat; a bonus keeps the answers varied while the larger groups work.", "Go on as before.",
}

// forest is a search of n nodes of every state.
func forest(n int) *script {
	s := newScript("s-big")
	rng := rand.New(rand.NewPCG(5, 5))
	sp := testSpace()
	for len(s.t.Nodes) < n {
		id := tree.NodeID(len(s.t.Nodes))
		parent := tree.NodeID(max(0, int(id)-1-rng.IntN(min(int(id), 400))))
		for !s.t.Nodes[parent].State.Trained() {
			parent = s.t.Nodes[parent].Parent
		}
		p := s.t.Nodes[parent]
		lr := sp.Params[3].At(rng.Float64())
		tr := tree.Transition{
			From: tree.CheckpointRef{Node: parent, Step: 40 * p.Depth}, Steps: 40, By: "rules", Confidence: 0.6,
			Changes:   []tree.Change{{Param: "learning_rate", From: p.Config["learning_rate"], To: lr}},
			Rationale: reasons[rng.IntN(len(reasons))],
		}
		node := &tree.Node{
			ID: id, Parent: parent, Depth: p.Depth + 1, State: tree.StateEvaluated, Transition: tr, Config: p.Config,
			Verdict: &tree.Verdict{Decision: tree.Approved, Who: "autopilot"},
			Outcome: &tree.Outcome{Checkpoints: []tree.Checkpoint{{Step: 40 * (p.Depth + 1), Val: tree.Score{Mean: rng.Float64(), SE: 0.01, N: 512}}}, Spark: []float64{1, 2, 3, 4, 5, 6}},
		}
		node.Outcome.Val = node.Outcome.Checkpoints[0].Val
		if rng.IntN(20) == 0 {
			node.State, node.Outcome = tree.StateVetoed, nil
			node.Verdict = &tree.Verdict{Decision: tree.Vetoed, Who: "human", Why: "too long"}
		}
		s.t.Nodes = append(s.t.Nodes, node)
		p.Children = append(p.Children, id)
	}
	run := s.propose(0, tree.Transition{Changes: []tree.Change{ch("beta", 0, 0.1, "")}})
	s.approve(run)
	s.train(run, 0.4, 0.6, 0.5)
	return s
}

// BenchmarkKey100k answers a key (Update and View) on the search page at 200x60 with 100,000 nodes, while metric points of a
// running segment come ten times as often as the screen is told: it prints the median and the 99th percentile.
func BenchmarkKey100k(b *testing.B) {
	s := forest(100_000)
	run := tree.NodeID(len(s.t.Nodes) - 1)
	r := newRig(b, newFakeLibrary(s), nil)
	r.keys("enter")
	r.size(200, 60)
	r.a.View()
	var took []time.Duration
	keys := []string{"down", "down", "j", "pgdown", "up", "G", "b", "k", "left", "right"}
	b.ResetTimer()
	for i := range b.N {
		r.a.Update(feedMsg{s: r.a.s, batch: event.Batch{Points: map[tree.NodeID][]tree.Point{run: {{Step: 1000 + i, Tokens: int64(i) * 100, Values: map[string]float64{tree.MetricReward: 0.5}}}}}})
		r.a.View()
		start := time.Now()
		r.a.Update(keyMsg(keys[i%len(keys)]))
		r.a.View()
		took = append(took, time.Since(start))
	}
	b.StopTimer()
	quantiles(b, took)
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.HeapAlloc)/(1<<20), "MB/heap")
	runtime.KeepAlive(r)
}

// quantiles reports the median and the 99th percentile of what keys took.
func quantiles(b *testing.B, took []time.Duration) {
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms/median")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "ms/p99")
}

// BenchmarkKeys100k answers the keys that touch the whole tree (Update and View) at 200x60 with 100,000 nodes. What a key leaves
// to later messages is timed message by message: each holds up the next key as much as a key does.
func BenchmarkKeys100k(b *testing.B) {
	for _, c := range []struct {
		name, before string
		keys         []string
	}{
		{"filter-text", "/", []string{"e", "n", "t", "r", "o", "p", "y", "backspace", "backspace", "backspace", "backspace", "backspace", "backspace", "backspace"}},
		{"filter-number", "/ type:score>0.", []string{"9", "backspace", "5", "backspace", "1", "2", "backspace", "backspace"}},
		{"sort", "", []string{"s"}},
		{"fold-all", "", []string{"Z"}},
		{"fold", "home", []string{"left", "right"}},
		{"graph-overview", "v - - - -", []string{"up", "up", "right", "left", "down"}},
		{"graph-dots", "v - - - - +", []string{"up", "right", "right", "left", "down", "down"}},
		{"graph-names", "v - - - - + +", []string{"up", "right", "right", "left", "down", "down"}},
		{"graph-fold", "v - - - - +", []string{"z"}},
		{"graph-open", "", []string{"v"}},
	} {
		b.Run(c.name, func(b *testing.B) {
			r := newRig(b, newFakeLibrary(forest(100_000)), nil)
			r.keys("enter")
			r.size(200, 60)
			r.keys(c.before)
			var took []time.Duration
			b.ResetTimer()
			for i := range b.N {
				msgs := []tea.Msg{keyMsg(c.keys[i%len(c.keys)])}
				for len(msgs) > 0 {
					start := time.Now()
					_, cmd := r.a.Update(msgs[0])
					r.a.View()
					took = append(took, time.Since(start))
					msgs = append(msgs[1:], results(cmd)...)
				}
			}
			b.StopTimer()
			quantiles(b, took)
		})
	}
}

// results are the messages of a command and of those it is made of.
func results(cmd tea.Cmd) []tea.Msg {
	if cmd == nil {
		return nil
	}
	switch m := cmd().(type) {
	case nil:
	case tea.BatchMsg:
		var out []tea.Msg
		for _, c := range m {
			out = append(out, results(c)...)
		}
		return out
	default:
		return []tea.Msg{m}
	}
	return nil
}

// BenchmarkTrajectories100k answers a key (Update and View) on the trajectories page at 200x60 with 100,000 nodes, and opens it.
func BenchmarkTrajectories100k(b *testing.B) {
	s := forest(100_000)
	for _, leaf := range topLeaves(s.t, maxOthers+1) { // the paths in view have what their transitions say; for all nodes it would be much memory
		for _, n := range s.t.Path(leaf)[1:] {
			n.Config = s.t.Nodes[n.Parent].Config.With(n.Transition.Changes)
		}
	}
	r := newRig(b, newFakeLibrary(s), nil)
	r.keys("enter")
	r.size(200, 60)
	r.keys("T")
	r.a.View()
	keys := []string{"left", "left", "h", "right", "j", "k", "n", "o", "o", "b"}
	measure := func(b *testing.B, before func(), keys []string) {
		var took []time.Duration
		for i := range b.N {
			before()
			start := time.Now()
			r.a.Update(keyMsg(keys[i%len(keys)]))
			r.a.View()
			took = append(took, time.Since(start))
		}
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms/median")
		b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "ms/p99")
	}
	b.Run("keys", func(b *testing.B) { measure(b, func() {}, keys) })
	b.Run("open", func(b *testing.B) {
		measure(b, func() {
			r.a.goBack()
			r.a.View()
		}, []string{"T"})
	})
}

// BenchmarkState100k folds a state change into the tree of 100,000 nodes and paints it.
func BenchmarkState100k(b *testing.B) {
	s := forest(100_000)
	r := newRig(b, newFakeLibrary(s), nil)
	r.keys("enter")
	r.size(200, 60)
	on := true
	for b.Loop() {
		e := event.Event{Seq: r.a.s.t.Seq + 1, Time: testTime, Who: "human", Body: &event.Pinned{Node: 0, On: on}}
		on = !on
		r.a.Update(feedMsg{s: r.a.s, batch: event.Batch{Events: []event.Event{e}}})
		r.a.View()
	}
}

// BenchmarkFrame paints a whole search page at 200x60.
func BenchmarkFrame(b *testing.B) {
	r := newRig(b, newFakeLibrary(storybook()), nil)
	r.keys("enter")
	r.size(200, 60)
	for b.Loop() {
		r.a.Update(tea.FocusMsg{})
		r.a.View()
	}
}

// BenchmarkFold100k folds and unfolds the first child of the root among 100,000 nodes.
func BenchmarkFold100k(b *testing.B) {
	s := newSearch("s", newFakeSession(forest(100_000)), testTime)
	s.lay()
	on := false
	for b.Loop() {
		on = !on
		s.fold(1, on)
		s.lay()
	}
}
