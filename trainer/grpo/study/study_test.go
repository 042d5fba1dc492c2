package main

import (
	"context"
	"errors"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"llmzero/trainer/grpo"
	"llmzero/trainer/grpo/task"
)

func lookup(t *testing.T, name string) *task.Task {
	t.Helper()
	k, err := task.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func open(t *testing.T, path string) *journal {
	t.Helper()
	j, err := openJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return j
}

// Every arm of every task is a configuration that the trainer accepts, and no two constants are the same.
func TestArmsAreValid(t *testing.T) {
	space := grpo.Space()
	for _, k := range task.All() {
		seen := map[string]bool{}
		for _, a := range grid(k) {
			if seen[a.String()] {
				t.Errorf("%s: %s is in the grid twice", k.Name, a)
			}
			seen[a.String()] = true
		}
		arms := append(grid(k), probes(k)...)
		if fine(k) {
			arms = append(arms, schedules(k)...)
		}
		for _, a := range arms {
			for _, s := range a.stages {
				c := space.Defaults()
				maps.Copy(c, s.set)
				if err := space.Check(c); err != nil {
					t.Errorf("%s, %s: %v", k.Name, a, err)
				}
			}
		}
	}
	if n := len(grid(lookup(t, "prefix"))); n != 5*(10+1)*3*2 {
		t.Errorf("the fine grid of prefix has %d constants", n)
	}
}

// A journal gives back what was added, also after a crash in the middle of a line; a broken line inside is an error.
func TestJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j.jsonl")
	j := open(t, path)
	want := result{Task: "sort", Base: 1, Tokens: 5, Arm: "a=1", Seed: 3, Val: 0.25, Test: 0.5}
	for _, r := range []result{want, {Task: "add", Seed: 1}} {
		if err := j.add(r); err != nil {
			t.Fatal(err)
		}
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(whole, `{"task":"ch`...), 0o600); err != nil {
		t.Fatal(err)
	}
	j = open(t, path)
	if got, ok := j.get(want.key()); !ok || got.Test != want.Test || len(j.done) != 2 {
		t.Errorf("reopened journal has %d results, wanted one is %+v", len(j.done), got)
	}
	if err := j.add(result{Task: "chain"}); err != nil {
		t.Fatal(err)
	}
	if j = open(t, path); len(j.done) != 3 {
		t.Errorf("%d results after going on", len(j.done))
	}
	if err := os.WriteFile(path, append([]byte("broken\n"), whole...), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openJournal(path); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("a broken line gave %v", err)
	}
}

// Halving keeps the arm whose mean over seeds is best, not the one that was lucky once, and never looks at test scores.
func TestScreen(t *testing.T) {
	k := lookup(t, "prefix")
	j := open(t, filepath.Join(t.TempDir(), "j.jsonl"))
	s := &study{journal: j, parallel: 2, offline: true}
	arms := grid(k)[:24]
	for i, a := range arms {
		for _, seed := range screeningSeeds {
			val := 0.1 + 0.01*float64(i%8)
			switch {
			case i == 3 && seed == 1:
				val = 0.9 // lucky once
			case i == 5:
				val = 0.5
			}
			if err := j.add(result{Task: k.Name, Base: 1, Tokens: 9, Arm: a.String(), Seed: seed, Val: val, Test: 1 - val}); err != nil {
				t.Fatal(err)
			}
		}
	}
	got, err := s.screen(context.Background(), k, 1, 9, arms)
	if err != nil {
		t.Fatal(err)
	}
	if got.top[0].String() != arms[5].String() || len(got.top) != finalists || math.Abs(got.mean[0]-0.5) > 1e-9 {
		t.Errorf("best of %d finalists is %s with %.3f", len(got.top), got.top[0], got.mean[0])
	}
	if _, err := s.screen(context.Background(), k, 1, 8, arms); !errors.Is(err, errMissing) {
		t.Errorf("an empty journal gave %v", err)
	}
}

// A schedule and a constant spend the same tokens, to a step, and the same run gives the same scores.
func TestTrainSpendsTheBudget(t *testing.T) {
	k := lookup(t, "prefix")
	const tokens = 12_000
	step := int64(2 * 64 * (k.PromptLen() + k.MaxAnswer + 2))
	shared := &study{} // remembers the stages that arms have in common
	for _, a := range []arm{probes(k)[0], schedules(k)[0]} {
		r, err := shared.train(context.Background(), k, 1, tokens, a, 5)
		if err != nil {
			t.Fatal(err)
		}
		if r.Spent < tokens || r.Spent >= tokens+step {
			t.Errorf("%s spent %d of %d tokens", a, r.Spent, tokens)
		}
		for _, s := range []*study{shared, {}} {
			again, err := s.train(context.Background(), k, 1, tokens, a, 5)
			again.Wall = r.Wall
			if err != nil || !reflect.DeepEqual(again, r) {
				t.Errorf("%s: %+v and %+v from the same seed (%v)", a, r, again, err)
			}
		}
	}
}

// The interval of 1..6: mean 3.5, sample deviation sqrt(3.5), t(5) = 2.5706 (Abramowitz and Stegun, table 26.10).
func TestInterval(t *testing.T) {
	mean, half := interval([]float64{1, 2, 3, 4, 5, 6})
	if mean != 3.5 || math.Abs(half-2.5706*math.Sqrt(3.5/6)) > 1e-4 {
		t.Errorf("interval = %.4f +- %.4f", mean, half)
	}
	if d := differences([]float64{3, 1}, []float64{1, 4}); d[0] != 2 || d[1] != -3 {
		t.Errorf("differences = %v", d)
	}
}
