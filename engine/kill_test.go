package engine

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"llmzero/engine/agent"
	"llmzero/engine/event"
	"llmzero/engine/tree"
	"llmzero/store"
)

// The kill test runs this test binary again as a child that works on a search in a real store and says on standard output what
// it writes and what was acknowledged. The parent kills it with SIGKILL at a random line, which falls into commits as often as
// between them, opens the store and lets the next child go on.

// killStore names, in the child's environment, the store to work on.
const killStore = "LLMZERO_TEST_KILL_STORE"

// killRounds, in the environment, is how often the kill test kills; 10 without it, so that it can be repeated under the race
// detector, 5 with -short.
const killRounds = "LLMZERO_TEST_KILL_ROUNDS"

func TestMain(m *testing.M) {
	if path := os.Getenv(killStore); path != "" {
		if err := killChild(path, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// shelves adapts a store to an archive.
type shelves struct{ *store.Store }

func (a shelves) Create(ctx context.Context, s tree.Spec) (Shelf, error) {
	return a.Store.Create(ctx, s)
}
func (a shelves) Open(_ context.Context, id string) (Shelf, error) { return a.Search(id) }

// telling is an archive whose shelves say what they write.
type telling struct {
	shelves
	out io.Writer
}

func (a telling) Create(ctx context.Context, s tree.Spec) (Shelf, error) {
	x, err := a.shelves.Create(ctx, s)
	return tellingShelf{x, a.out}, err
}

func (a telling) Open(ctx context.Context, id string) (Shelf, error) {
	x, err := a.shelves.Open(ctx, id)
	return tellingShelf{x, a.out}, err
}

type tellingShelf struct {
	Shelf
	out io.Writer
}

func (s tellingShelf) Append(ctx context.Context, t *tree.Tree, events []event.Event, exchanges []tree.Exchange) error {
	if len(events) > 0 {
		if _, err := fmt.Fprintf(s.out, "begin %d\n", events[len(events)-1].Seq); err != nil {
			return err
		}
	}
	if err := s.Shelf.Append(ctx, t, events, exchanges); err != nil || len(events) == 0 {
		return err
	}
	for _, e := range events {
		if b, ok := e.Body.(*event.Ended); ok {
			if _, err := fmt.Fprintf(s.out, "ended %d %s\n", b.Node, b.State); err != nil {
				return err
			}
		}
	}
	_, err := fmt.Fprintf(s.out, "ack %d\n", events[len(events)-1].Seq)
	return err
}

func killSpec() tree.Spec {
	s := spec(tree.AskNever, 100_000)
	s.Parallel, s.Segment = 3, 6
	return s
}

func killChild(path string, out io.Writer) error {
	st, err := store.Open(path, store.Options{Timeout: 10 * time.Second})
	if err != nil {
		return err
	}
	ctx := context.Background()
	h := NewHost(HostOptions{
		Archive: telling{shelves{st}, out},
		Trainer: func(context.Context, tree.Spec) (Trainer, error) {
			return &fakeTrainer{gate: func(_ context.Context, job tree.Job, step int) error {
				if step == 3 && tree.Chance(tree.Derive(job.Seed, "crash")) < 0.1 {
					return &tree.Failure{Class: tree.FailCrash, Message: "now and then"}
				}
				return nil
			}}, nil
		},
		Agent: func(context.Context, tree.Spec) (agent.Agent, error) { return &fakeAgent{}, nil },
	})
	s, err := h.Resume(ctx, killSpec().ID)
	if err != nil {
		if s, err = h.Start(ctx, killSpec()); err != nil {
			return err
		}
	}
	return s.Wait(ctx)
}

func TestKill(t *testing.T) {
	rounds := 10
	if testing.Short() {
		rounds = 5
	}
	if s := os.Getenv(killRounds); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatalf("%s=%s: want a number", killRounds, s)
		}
		rounds = n
	}
	path := filepath.Join(t.TempDir(), "kill.db")
	rng := rand.New(rand.NewPCG(1, uint64(rounds)))
	k := &killer{path: path, ended: map[tree.NodeID]string{}}
	for round := range rounds {
		k.round(t, 1+rng.IntN(120))
		if t.Failed() {
			t.Fatalf("after %d kills", round+1)
		}
	}
	t.Logf("%d kills, %d of them inside a commit; %d entries, %d nodes, %d interrupted attempts were paid for", rounds, k.inside, k.acked, k.nodes, k.paid)
	if k.inside == 0 || k.nodes < rounds {
		t.Errorf("%d of %d kills fell into a commit and the tree has %d nodes: too little to tell", k.inside, rounds, k.nodes)
	}
}

// killer remembers what was acknowledged over all rounds.
type killer struct {
	path   string
	acked  uint64
	ended  map[tree.NodeID]string
	inside int // kills between the begin and the end of a commit
	paid   int // attempts that a kill ended and that were counted
	nodes  int
}

// round lets a child write a number of lines, kills it and checks the store.
func (k *killer) round(t *testing.T, lines int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0]) //nolint:gosec // this test binary
	cmd.Env = append(os.Environ(), killStore+"="+k.path)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	sc := bufio.NewScanner(out)
	last := ""
	for i := 0; sc.Scan(); i++ {
		last = sc.Text()
		k.read(t, last)
		if i == lines {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || stderr.Len() > 0 {
		t.Fatalf("the child ended by itself (%v): %s", err, stderr.String())
	}
	if strings.HasPrefix(last, "begin") {
		k.inside++
	}
	k.verify(t)
}

func (k *killer) read(t *testing.T, line string) {
	t.Helper()
	f := strings.Fields(line)
	n, err := strconv.ParseUint(f[1], 10, 64)
	if err != nil {
		t.Fatalf("the child says %q", line)
	}
	switch f[0] {
	case "ack":
		k.acked = n
	case "ended":
		k.ended[tree.NodeID(n)] = f[2]
	}
}

// verify opens the store as the next program would, and checks that it is whole, that nothing acknowledged is lost and that no
// segment that ended was trained again.
func (k *killer) verify(t *testing.T) {
	t.Helper()
	st, err := store.Open(k.path, store.Options{Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}()
	problems, err := st.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Error(p)
	}
	if k.acked == 0 {
		return // killed before anything was written
	}
	s, err := st.Search(killSpec().ID)
	if err != nil {
		t.Fatal(err)
	}
	now, err := s.Tree(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	journal, err := s.Events(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if now.Seq < k.acked || uint64(len(journal)) != now.Seq {
		t.Errorf("entry %d was acknowledged; the store has %d and the tree is at %d", k.acked, len(journal), now.Seq)
	}
	if err := now.Check(); err != nil {
		t.Error(err)
	}
	k.nodes = len(now.Nodes)
	k.audit(t, now, journal)
}

// audit goes through the journal: budget, segments trained twice, states.
func (k *killer) audit(t *testing.T, now *tree.Tree, journal []event.Event) {
	t.Helper()
	var spent tree.Spent
	k.paid = 0
	done := map[tree.NodeID]tree.State{}
	for _, e := range journal {
		switch b := e.Body.(type) {
		case *event.BaseScored:
			spent.Cost = spent.Cost.Plus(b.Cost)
		case *event.Queued:
			spent.Cost = spent.Cost.Plus(b.Cost)
			if b.Why == interrupted && b.Cost.Tokens() > 0 {
				k.paid++
			}
		case *event.Started:
			if s := done[b.Node]; s.Trained() {
				t.Errorf("entry %d trains node %d again, which was %s", e.Seq, b.Node, s)
			}
		case *event.Ended:
			spent.Segments++
			spent.Cost = spent.Cost.Plus(b.Outcome.Cost)
			done[b.Node] = b.State
		}
	}
	if spent != now.Spent {
		t.Errorf("the tree has spent %+v, its journal %+v", now.Spent, spent)
	}
	for id, state := range k.ended {
		if done[id] == "" {
			t.Errorf("the end of node %d (%s) was acknowledged and is lost", id, state)
		}
	}
	if open := now.Spec.Parallel; len(k.ended) > 0 && len(now.Nodes) > 0 {
		running := 0
		for _, n := range now.Nodes {
			if n.State == tree.StateRunning {
				running++
			}
		}
		if running > open {
			t.Errorf("%d segments run on %d slots", running, open)
		}
	}
}
