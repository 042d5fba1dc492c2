//go:build unix

package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"llmzero/engine/event"
	"llmzero/engine/tree"
)

// Environment of the kill test: the number of rounds, and the store on which this process is the child.
const (
	envKillRounds = "LLMZERO_KILL_ROUNDS"
	envKillStore  = "LLMZERO_KILL_STORE"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(envKillStore); path != "" {
		if err := killChild(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// killChild goes on with the search of the store until it is killed, and says "event SEQ" after each Append.
func killChild(path string) error {
	ctx := context.Background()
	st, err := Open(path, Options{Timeout: time.Minute})
	if err != nil {
		return err
	}
	sm := newSim("mixed-1", uint64(time.Now().UnixNano()))
	rec, err := st.Search("mixed-1")
	if errors.Is(err, ErrNotFound) {
		rec, err = st.Create(ctx, sm.spec)
	} else if err == nil {
		sm.t, err = rec.Tree(ctx)
	}
	if err != nil {
		return err
	}
	var blobErr error
	sm.blob = func() string {
		content := make([]byte, 1+sm.rng.IntN(50_000))
		content[0] = byte(sm.rng.IntN(8))
		ref, err := rec.SaveBlob(ctx, content)
		blobErr = errors.Join(blobErr, err)
		return ref
	}
	for step := 0; ; step++ {
		batch := sm.history(1 + sm.rng.IntN(4))
		if err := errors.Join(blobErr, rec.Append(ctx, sm.t, batch, nil)); err != nil {
			return err
		}
		fmt.Printf("event %d\n", batch[len(batch)-1].Seq)
		if len(sm.t.Nodes) > 0 {
			p := tree.Point{Step: step, Values: map[string]float64{"reward": 0.5}}
			if err := rec.AppendPoints(ctx, tree.NodeID(sm.rng.IntN(len(sm.t.Nodes))), []tree.Point{p}); err != nil {
				return err
			}
		}
		if step%50 == 49 { // rewriting the file is a moment to be killed in like any other
			if err := st.Compact(ctx); err != nil {
				return err
			}
		}
	}
}

// TestKill kills a writing process at random moments and opens the store again: every acknowledged entry must be there,
// and the store must be sound.
func TestKill(t *testing.T) {
	rounds := 5
	if s := os.Getenv(envKillRounds); s != "" {
		rounds = must1(strconv.Atoi(s))(t)
	}
	path := t.TempDir() + "/store.db"
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	acked := uint64(0)
	for round := range rounds {
		// Every other child may die before it has said anything: while it makes the store, or opens it.
		last := killRound(t, path, time.Duration(rng.Int64N(int64(120*time.Millisecond))), round%2 == 1)
		acked = max(acked, last)
		ctx := context.Background()
		st, err := Open(path, Options{Timeout: 10 * time.Second})
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		problems, err := st.Check(ctx)
		if err != nil || len(problems) > 0 {
			t.Fatalf("round %d: %v %v", round, problems, err)
		}
		if acked > 0 {
			events := must1(must1(st.Search("mixed-1"))(t).Events(ctx, 0))(t)
			if got := uint64(len(events)); got < acked {
				t.Fatalf("round %d: entry %d was acknowledged and the journal has %d", round, acked, got)
			}
			must1(event.Replay(events))(t)
		}
		must0(t, st.Close())
	}
	t.Logf("%d rounds, %d entries", rounds, acked)
	if acked == 0 {
		t.Error("no child lived long enough to acknowledge anything")
	}
}

// killRound starts a child, kills it a while after its start or its first acknowledgement, and returns the last
// acknowledged entry.
func killRound(t *testing.T, path string, after time.Duration, early bool) uint64 {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), envKillStore+"="+path)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out := must1(cmd.StdoutPipe())(t)
	must0(t, cmd.Start())
	var last uint64
	kill := func() {
		if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
			t.Error(err)
		}
	}
	var timer *time.Timer
	if early {
		timer = time.AfterFunc(after, kill)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if n, err := fmt.Sscanf(lines.Text(), "event %d", &last); n != 1 || err != nil {
			continue // the last line may be cut
		}
		if timer == nil {
			timer = time.AfterFunc(after, kill)
		}
	}
	err := cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the child ended by itself: %v\n%s", err, stderr.String())
	}
	return last
}
