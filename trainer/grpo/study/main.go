// Command study measures what the pages of facts say: the best constant of a grid against hand-made stage schedules at
// equal tokens, and which pathologies a task shows. Results go to a journal of JSON lines, one a run; a study that was
// stopped goes on where it was. -facts writes the pages
// of facts from what is there.
//
//	go run ./trainer/grpo/study -journal F [-task NAME] [-base N] [-part compare,probe,moves] [-parallel N]
//	go run ./trainer/grpo/study -journal F -facts trainer/grpo/task/facts
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"

	"llmzero/trainer/grpo/task"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "study:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	path := flag.String("journal", "", "file of results (JSON lines); required")
	names := flag.String("task", strings.Join(task.Names(), ","), "tasks to study")
	base := flag.Int("base", 1, "base policy (1..3)")
	parallel := flag.Int("parallel", 1, "runs at a time, one core each")
	what := flag.String("part", "compare,probe", "parts: compare (grid and schedules), probe (pathologies), moves (best values from three states)")
	budget := flag.String("budget", "tight,middle", "budgets of the comparison for tasks with the fine grid; the others use middle")

	pages := flag.String("facts", "", "run nothing, write the pages of facts into this folder")
	flag.Parse()
	if *path == "" {
		return errors.New("name a journal with -journal FILE")
	}
	j, err := openJournal(*path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	s := &study{journal: j, parallel: *parallel, offline: *pages != ""}
	for name := range strings.SplitSeq(*names, ",") {
		t, err := task.Lookup(name)
		if err != nil {
			return err
		}
		if *pages != "" {
			if err := s.page(ctx, t, *pages); err != nil {
				return err
			}
			continue
		}
		if strings.Contains(*what, "probe") {
			if _, err := s.results(ctx, t, *base, int64(t.Budgets.Middle), probes(t), freshSeeds[:probeSeeds]); err != nil {
				return err
			}
		}
		if strings.Contains(*what, "moves") {
			if _, _, err := s.moves(ctx, t, *base); err != nil {
				return err
			}
		}
		if !strings.Contains(*what, "compare") {
			continue
		}
		for _, b := range budgets(t) {
			if !strings.Contains(*budget, b.name) {
				continue
			}
			if _, err := s.compare(ctx, t, *base, b.tokens); err != nil {
				return err
			}
		}
	}
	return nil
}
