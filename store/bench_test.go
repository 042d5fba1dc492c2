//go:build unix

package store

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"llmzero/engine/event"
	"llmzero/engine/tree"
)

// grow appends searches' nodes, each with its whole life, until the tree has n nodes.
func grow(b testing.TB, sm *sim, rec *Search, n int) {
	b.Helper()
	ctx := context.Background()
	var batch []event.Event
	do := func(body event.Body) {
		e := event.Event{Seq: sm.t.Seq + 1, Time: t0.Add(time.Duration(sm.t.Seq) * time.Millisecond), Who: "engine", Body: body}
		must0(b, event.Apply(sm.t, e))
		batch = append(batch, e)
	}
	flush := func() {
		must0(b, rec.Append(ctx, sm.t, batch, nil))
		batch = nil
	}
	if sm.t.Seq == 0 {
		do(&event.Created{Spec: sm.spec})
		do(&event.BaseScored{Val: sm.score()})
	}
	for len(sm.t.Nodes) < n {
		p := sm.proposed()
		do(p)
		do(&event.Judged{Node: p.Node, Verdict: tree.Verdict{Decision: tree.Approved, Who: "autopilot", When: t0, Why: "approval rules: all"}})
		do(&event.Queued{Node: p.Node})
		do(&event.Started{Node: p.Node, Attempt: 1})
		o := sm.outcome()
		for _, c := range o.Checkpoints {
			do(&event.Saved{Node: p.Node, Checkpoint: c})
		}
		do(&event.Ended{Node: p.Node, State: tree.StateEvaluated, Outcome: o})
		if len(batch) > 5000 {
			flush()
		}
	}
	flush()
}

// BenchmarkStartup opens a store with one search of n evaluated nodes and reads its tree.
func BenchmarkStartup(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("nodes=%d", n), func(b *testing.B) {
			path := b.TempDir() + "/store.db"
			st := must1(Open(path, Options{noSync: true}))(b)
			sm := newSim("mixed-1", 1)
			sm.blob = func() string { return refPrefix + fmt.Sprintf("%064x", sm.rng.Uint64()) }
			grow(b, sm, must1(st.Create(b.Context(), sm.spec))(b), n)
			must0(b, st.Close())
			info := must1(os.Stat(path))(b)
			sm = nil
			b.ReportMetric(float64(info.Size())/float64(n), "file-B/node")
			var opening, reading, cpu time.Duration
			for b.Loop() {
				used, at := cpuTime(b), time.Now()
				st := must1(Open(path, Options{}))(b)
				opening += time.Since(at)
				at = time.Now()
				t := must1(must1(st.Search("mixed-1"))(b).Tree(b.Context()))(b)
				reading += time.Since(at)
				cpu += cpuTime(b) - used
				if len(t.Nodes) != n {
					b.Fatal(len(t.Nodes))
				}
				must0(b, st.Close())
			}
			b.ReportMetric(cpu.Seconds()*1e3/float64(b.N), "cpu-ms")
			b.ReportMetric(opening.Seconds()*1e3/float64(b.N), "open-ms")
			b.ReportMetric(reading.Seconds()*1e3/float64(b.N), "tree-ms")
			b.ReportMetric(memory(b, path, n), "heap-B/node")
		})
	}
}

// cpuTime is what this process has used, of all cores together; unlike the time on the wall it says something on a machine that
// others use too.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	must0(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// memory is the heap that a loaded tree takes, per node.
func memory(b *testing.B, path string, n int) float64 {
	b.Helper()
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	st := must1(Open(path, Options{ReadOnly: true}))(b)
	t := must1(must1(st.Search("mixed-1"))(b).Tree(b.Context()))(b)
	must0(b, st.Close())
	after := heap()
	runtime.KeepAlive(t)
	return float64(after-before) / float64(n)
}

// BenchmarkAppend commits the entries of one node's life, one transaction each, to disk, beside n nodes.
func BenchmarkAppend(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		for _, sync := range []bool{true, false} {
			b.Run(fmt.Sprintf("nodes=%d/fsync=%v", n, sync), func(b *testing.B) {
				st := must1(Open(b.TempDir()+"/store.db", Options{noSync: true}))(b)
				sm := newSim("mixed-1", 1)
				rec := must1(st.Create(b.Context(), sm.spec))(b)
				grow(b, sm, rec, n)
				st.db.NoSync = !sync
				for b.Loop() {
					e := event.Event{Seq: sm.t.Seq + 1, Time: t0, Who: "human", Body: &event.Tested{
						Node: tree.NodeID(sm.rng.IntN(n)), Test: sm.score(),
					}}
					must0(b, event.Apply(sm.t, e))
					must0(b, rec.Append(b.Context(), sm.t, []event.Event{e}, nil))
				}
				must0(b, st.Close())
			})
		}
	}
}

// BenchmarkPoints keeps the metric points of a running segment one at a time, as a trainer reports them.
func BenchmarkPoints(b *testing.B) {
	st := must1(Open(b.TempDir()+"/store.db", Options{}))(b)
	sm := newSim("mixed-1", 1)
	rec := must1(st.Create(b.Context(), sm.spec))(b)
	grow(b, sm, rec, 10)
	values := map[string]float64{}
	for _, name := range []string{
		tree.MetricReward, tree.MetricRewardStd, tree.MetricZeroStd, tree.MetricKL, tree.MetricEntropy, tree.MetricClip,
		tree.MetricLength, tree.MetricTruncated, tree.MetricGradNorm, tree.MetricLoss, tree.MetricTokens,
	} {
		values[name] = sm.rng.Float64()
	}
	step := 0
	for b.Loop() {
		step++
		must0(b, rec.AppendPoints(b.Context(), 1, []tree.Point{{Step: step, Tokens: 1000, Values: values}}))
	}
	must0(b, st.Close())
}
