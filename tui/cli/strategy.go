package cli

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"llmzero/engine/report"
	"llmzero/engine/strategy"
	"llmzero/engine/tree"
	"llmzero/store"
)

func newStrategy(a *app) *cobra.Command {
	c := &cobra.Command{
		Use: "strategy", Short: "Take a search's best path out as a file, and train by such a file", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return Usage("strategy: say export or replay") },
	}
	c.AddCommand(newStrategyExport(a), newStrategyReplay(a))
	return c
}

func newStrategyExport(a *app) *cobra.Command {
	var path string
	var node int
	c := &cobra.Command{
		Use: "export ID", Short: "Write a search's best path as a strategy file", Args: cobra.ExactArgs(1),
		Example: "  llmzero strategy export mixed-1 -o best.json\n  llmzero strategy export mixed-1 --node 7",
	}
	c.Flags().StringVarP(&path, "output", "o", "", "file to write (default standard output)")
	c.Flags().IntVar(&node, "node", 0, "the node that the path leads to (default the search's best)")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		return a.inStore(cmd.Context(), func(st *store.Store) error {
			t, err := treeOf(cmd.Context(), st, args[0])
			if err != nil {
				return err
			}
			s, err := strategy.Best(t)
			if node != 0 {
				s, err = strategy.Of(t, tree.NodeID(node))
			}
			switch {
			case err != nil:
				return err
			case path == "":
				return s.Write(cmd.OutOrStdout())
			}
			return s.WriteFile(path)
		})
	}
	return c
}

func newStrategyReplay(a *app) *cobra.Command {
	var task string
	var base, seeds int
	var first uint64
	c := query("replay FILE", "Train by a strategy file from the base model with fresh seeds and report the test score", cobra.ExactArgs(1),
		func(ctx context.Context, args []string) (any, func(io.Writer) error, error) {
			if seeds < 1 || seeds > maxSeeds {
				return nil, nil, Usage("--seeds %d: want 1 to %d", seeds, maxSeeds)
			}
			s, err := strategy.ReadFile(args[0])
			if err != nil {
				return nil, nil, err
			}
			t, d, err := a.describe(ctx, s.Trainer)
			if err != nil {
				return nil, nil, err
			}
			s, notes, err := s.On(d, task, base)
			if err != nil {
				return nil, nil, Usage("%w", err)
			}
			r, err := report.RunReplay(ctx, os.Stderr, t, s, notes, first, seeds)
			if ctx.Err() != nil { // the runs that ended are printed
				err = interruption(fmt.Sprintf("interrupted after %d of %d runs", len(r.Runs), seeds))
			}
			if len(r.Runs) == 0 {
				return nil, nil, err
			}
			return r, func(w io.Writer) error { return report.ReplayText(w, r) }, err
		})
	f := c.Flags()
	f.StringVar(&task, "task", "", "task to train on (default the strategy's)")
	f.IntVar(&base, "base", 0, "which of the task's base models (default the strategy's)")
	f.IntVar(&seeds, "seeds", 3, "how many runs, each with a seed of its own")
	f.Uint64Var(&first, "seed", 1, "the first seed; the others follow it")
	return c
}
