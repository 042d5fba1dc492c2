// Command make trains the base policies that package base ships: supervised training on each task's corpus, then a gate.
// A base that fails its gate is not written, and the command fails.
//
//	go run ./trainer/grpo/base/make [-task NAME] [-base N] [-workers N] [-again] [-dry]
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"llmzero/trainer/grpo/base"
	"llmzero/trainer/grpo/kernel"
	"llmzero/trainer/grpo/policy"
	"llmzero/trainer/grpo/sft"
	"llmzero/trainer/grpo/task"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "make base:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	only := flag.String("task", "", "make the bases of this task only")
	number := flag.Int("base", 0, "make this base only (1..3)")
	workers := flag.Int("workers", 2, "training workers; the weights do not depend on it")
	again := flag.Bool("again", false, "make bases that are there already too")
	dry := flag.Bool("dry", false, "train and measure, write nothing")
	dir := flag.String("dir", "weights", "folder of the weight files and index.json")
	flag.Parse()
	if *only != "" {
		if _, err := task.Lookup(*only); err != nil {
			return err
		}
	}
	var failed []error
	for _, t := range task.All() {
		for n := 1; n <= task.Bases; n++ {
			if *only != "" && *only != t.Name || *number != 0 && *number != n {
				continue
			}
			path := filepath.Join(*dir, base.File(t.Name, n))
			if _, err := os.Stat(path); err == nil && !*again && !*dry {
				continue
			}
			entry, file, err := pass(ctx, t, n, *workers)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				failed = append(failed, fmt.Errorf("%s %d: %w", t.Name, n, err))
				continue
			}
			if *dry {
				continue
			}
			if err := write(*dir, path, file, entry); err != nil {
				return err
			}
		}
	}
	return errors.Join(failed...)
}

// attempts is the number of seeds tried for one base: skills appear by phase transition, with some seeds too late.
const attempts = 5

// errGate is wrapped by the error of a base that its gate refused.
var errGate = errors.New("refused by its gate")

// pass trains a base with one seed after another until one gets through the gate.
func pass(ctx context.Context, t *task.Task, n, workers int) (base.Entry, []byte, error) {
	for i := 0; ; i++ {
		e, file, err := train(ctx, t, n, uint64(1000+n+100*i), workers)
		if !errors.Is(err, errGate) || i == attempts-1 {
			return e, file, err
		}
		fmt.Printf("%s base %d: seed %d %v\n", t.Name, n, e.Seed, err)
	}
}

// train makes one base from a seed and lets it through its gate.
func train(ctx context.Context, t *task.Task, n int, seed uint64, workers int) (base.Entry, []byte, error) {
	r, c := recipes[t.Name], shape()
	e := base.Entry{
		Task: t.Name, Base: n, Parameters: c.Size(), Steps: r.steps, Batch: r.batch,
		Seed: seed, Kernel: kernel.Path(),
	}
	start := time.Now()
	o := sft.Options{Config: c, Steps: r.steps, Batch: r.batch, Rate: r.rate, Seed: e.Seed, Workers: workers}
	next := func(rng *rand.Rand, progress float64) ([]uint8, []bool) {
		x := t.Example(rng, task.Lesson{Base: n, Progress: progress})
		return x.IDs, x.Loss
	}
	var mean float64
	w, err := sft.Train(ctx, o, next, func(step int, loss float64) {
		if mean += loss; (step+1)%(r.steps/8) == 0 {
			fmt.Fprintf(os.Stderr, "%s %d: step %d loss %.3f, %.0f s\n", t.Name, n, step+1, mean/float64(r.steps/8), time.Since(start).Seconds())
			mean = 0
		}
	})
	if err != nil {
		return e, nil, err
	}
	e.Skill = measure(t, c, w)
	s := e.Skill
	fmt.Printf("%s base %d: T=1 %.3f greedy %.3f pass@%d %.3f worked %.3f (right %.3f) by difficulty %v\n",
		t.Name, n, s.Sampled, s.Greedy, s.PassOf, s.Pass, s.Worked, s.WorkedRight, s.ByDifficulty)
	if err := r.gate.check(s); err != nil {
		return e, nil, fmt.Errorf("%w: %w", errGate, err)
	}
	file, err := policy.Encode(c, w, map[string]string{"task": t.Name, "base": strconv.Itoa(n), "kernel": e.Kernel})
	return e, file, err
}

// write puts the weights and the index in place, each by rename.
func write(dir, path string, file []byte, e base.Entry) error {
	index := filepath.Join(dir, "index.json")
	b, err := os.ReadFile(index)
	if err != nil {
		return fmt.Errorf("read the index (run from trainer/grpo/base, or name -dir): %w", err)
	}
	var entries []base.Entry
	if err := json.Unmarshal(b, &entries); err != nil {
		return fmt.Errorf("parse %s: %w", index, err)
	}
	entries = slices.DeleteFunc(entries, func(x base.Entry) bool { return x.Task == e.Task && x.Base == e.Base })
	entries = append(entries, e)
	slices.SortFunc(entries, func(x, y base.Entry) int {
		return cmp.Or(cmp.Compare(x.Task, y.Task), cmp.Compare(x.Base, y.Base))
	})
	if b, err = json.MarshalIndent(entries, "", "  "); err != nil {
		return err
	}
	if err := replace(path, file); err != nil {
		return err
	}
	return replace(index, append(b, '\n'))
}

func replace(path string, b []byte) error {
	if err := os.WriteFile(path+".new", b, 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
