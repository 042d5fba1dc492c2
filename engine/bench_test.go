package engine

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"llmzero/engine/event"
	"llmzero/engine/search"
	"llmzero/engine/tree"
)

// journal is what a search of n trained nodes writes: chosen by the policy, a fifth of fresh starts, checkpoints and verdicts.
func journal(b *testing.B, n int) []event.Event {
	b.Helper()
	s, err := Complete(spec(tree.AskNever, n))
	if err != nil {
		b.Fatal(err)
	}
	t, rng := &tree.Tree{}, rand.New(rand.NewPCG(1, 1))
	p, err := search.New(s.Policy, search.Options{})
	if err != nil {
		b.Fatal(err)
	}
	var out []event.Event
	add := func(bodies ...event.Body) {
		for _, body := range bodies {
			e := event.Event{Seq: t.Seq + 1, Time: time.Unix(int64(t.Seq), 0), Who: "engine", Body: body}
			if err := event.Apply(t, e); err != nil {
				b.Fatal(err)
			}
			for _, id := range e.Touched() {
				p.Update(t, id)
			}
			out = append(out, e)
		}
	}
	add(&event.Created{Spec: s}, &event.BaseScored{Val: tree.Score{Mean: 0.1, SE: 0.01, N: 100}})
	for id := tree.NodeID(1); int(id) < n; id++ {
		c, ok := p.Next(t)
		if !ok || rng.Float64() < 0.2 {
			c.Node = tree.Root
		}
		parent := t.Nodes[c.Node]
		from := tree.CheckpointRef{Node: parent.ID}
		if cp, ok := parent.Outcome.Checkpoint(); ok {
			from.Step = cp.Step
		}
		lr := tree.Change{Param: "learning_rate", From: parent.Config["learning_rate"], To: tree.Number(1e-4 + 1e-2*rng.Float64()), Reason: "entropy fell"}
		out := tree.Outcome{Chosen: 3, ChosenWhy: "the last", Cost: tree.Cost{Steps: 40, SampledTokens: 20_000}, Spark: make([]float64, 16)}
		for i := range 4 {
			out.Val = tree.Score{Mean: parent.Val().Mean + 0.1*rng.NormFloat64(), SE: 0.01, N: 100}
			out.Checkpoints = append(out.Checkpoints, tree.Checkpoint{Step: from.Step + 10*(i+1), Tokens: int64(5000 * (i + 1)), Ref: fmt.Sprintf("sha256:%064x", id), Val: out.Val})
		}
		add(&event.Proposed{Node: id, Parent: parent.ID, Transition: tree.Transition{
			From: from, Changes: []tree.Change{lr}, Steps: 40, By: "rules", Confidence: 0.6, Rationale: "Entropy fell, so the step is made smaller.",
		}, Config: parent.Config.With([]tree.Change{lr}), Why: c.Terms},
			&event.Judged{Node: id, Verdict: tree.Verdict{Decision: tree.Approved, Who: "autopilot"}}, &event.Queued{Node: id},
			&event.Started{Node: id, Attempt: 1}, &event.Ended{Node: id, State: tree.StateEvaluated, Outcome: out})
	}
	return out
}

// BenchmarkOpen is what it takes to replay a journal of n nodes and to make an engine that knows where to go on.
func BenchmarkOpen(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			events := journal(b, n)
			var e *Engine
			for b.Loop() {
				t, err := event.Replay(events)
				if err != nil {
					b.Fatal(err)
				}
				if e, err = New(Options{Tree: t, Record: newMemory()}); err != nil {
					b.Fatal(err)
				}
			}
			clear(events) // what is left belongs to the tree and the engine
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(n), "B/node")
			runtime.KeepAlive(e)
		})
	}
}

// BenchmarkSnapshot is a copy of the tree for a screen.
func BenchmarkSnapshot(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			t, err := event.Replay(journal(b, n))
			if err != nil {
				b.Fatal(err)
			}
			e, err := New(Options{Tree: t, Record: newMemory()})
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				e.Tree()
			}
		})
	}
}

// opened is an engine with n trained nodes.
func opened(b *testing.B, n int) *Engine {
	b.Helper()
	t, err := event.Replay(journal(b, n))
	if err != nil {
		b.Fatal(err)
	}
	t.Spec.Judge = tree.DefaultJudge()
	e, err := New(Options{Tree: t, Record: newMemory()})
	if err != nil {
		b.Fatal(err)
	}
	return e
}

// BenchmarkSight is what the loop does to show a node to the agent, twice a turn.
func BenchmarkSight(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			e := opened(b, n)
			p, _ := e.pick()
			for b.Loop() {
				e.sight(p, e.tree.Nodes[p.node])
			}
		})
	}
}

// BenchmarkReference is what the loop does to let the judge know the best path, once a segment.
func BenchmarkReference(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			e := opened(b, n)
			for b.Loop() {
				e.reference()
			}
		})
	}
}
