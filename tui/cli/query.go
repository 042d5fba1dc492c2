package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"llmzero/engine/report"
	"llmzero/engine/tree"
	"llmzero/store"
	"llmzero/tui"
	"llmzero/tui/component/paint"
)

// query is a command that reads and prints: one JSON value with --json, else text.
func query(use, short string, args cobra.PositionalArgs, fn func(ctx context.Context, args []string) (any, func(io.Writer) error, error)) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{Use: use, Short: short, Args: args, RunE: func(cmd *cobra.Command, given []string) error {
		v, text, err := fn(cmd.Context(), given)
		switch {
		case v == nil:
			return err
		case asJSON:
			return errors.Join(printJSON(cmd.OutOrStdout(), v), err)
		}
		return errors.Join(text(cmd.OutOrStdout()), err)
	}}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// say writes one message.
func say(format string, args ...any) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := fmt.Fprintf(w, format+"\n", args...)
		return err
	}
}

func newList(a *app) *cobra.Command {
	return query("list", "List the searches in the store, newest first", cobra.NoArgs,
		func(ctx context.Context, _ []string) (any, func(io.Writer) error, error) {
			var rows []tree.Summary
			err := a.inStore(ctx, func(s *store.Store) (err error) {
				rows, err = s.List(ctx)
				return err
			})
			if err != nil && !errors.Is(err, store.ErrNoStore) {
				return nil, nil, err
			}
			return report.Rows(rows), func(w io.Writer) error { return report.ListText(w, rows) }, nil
		})
}

func newShow(a *app) *cobra.Command {
	return query("show ID", "Show a search: its tree, scores and costs", cobra.ExactArgs(1),
		func(ctx context.Context, args []string) (any, func(io.Writer) error, error) {
			var t *tree.Tree
			var exchanges []tree.Exchange
			err := a.inStore(ctx, func(s *store.Store) error {
				h, err := s.Search(args[0])
				if err != nil {
					return err
				}
				if t, err = h.Tree(ctx); err == nil {
					exchanges, err = h.Exchanges(ctx, store.AllNodes)
				}
				return err
			})
			if err != nil {
				return nil, nil, err
			}
			return report.Show(t, exchanges), func(w io.Writer) error { return report.TreeText(w, t) }, nil
		})
}

func newCheck(a *app) *cobra.Command {
	return query("check", "Check the integrity of the store", cobra.NoArgs,
		func(ctx context.Context, _ []string) (any, func(io.Writer) error, error) {
			path, err := a.path()
			if err != nil {
				return nil, nil, err
			}
			lines := []string{}
			err = a.inStore(ctx, func(s *store.Store) error {
				problems, err := s.Check(ctx)
				for _, p := range problems {
					lines = append(lines, p.String())
				}
				return err
			})
			if err != nil {
				return nil, nil, err
			}
			verdict := path + " is sound"
			if len(lines) > 0 {
				verdict = path + " is damaged"
				err = fmt.Errorf("the store has %d problems; keep a copy of the file before anything else", len(lines))
			}
			return map[string]any{"store": path, "sound": len(lines) == 0, "problems": lines},
				say("%s", strings.Join(append(lines, verdict), "\n")), err
		})
}

func newVersion(a *app) *cobra.Command {
	return query("version", "Print the version", cobra.NoArgs,
		func(context.Context, []string) (any, func(io.Writer) error, error) {
			v := map[string]any{"version": a.Version, "schema": store.Schema()}
			return v, say("llmzero %s, store schema %d", a.Version, store.Schema()), nil
		})
}

func newDoctor(a *app) *cobra.Command {
	return query("doctor", "Say what is there and what is missing", cobra.NoArgs,
		func(ctx context.Context, _ []string) (any, func(io.Writer) error, error) {
			facts := a.facts(ctx)
			if ctx.Err() != nil {
				return nil, nil, ErrInterrupted
			}
			return facts, func(w io.Writer) error {
				for _, f := range facts {
					// Names of models and servers' words are not ours: nothing in them may steer the terminal.
					if _, err := fmt.Fprintln(w, paint.Clean(f.String())); err != nil {
						return err
					}
				}
				return nil
			}, nil
		})
}

// facts is what the doctor says, and where the store lies.
func (a *app) facts(ctx context.Context) []tui.Fact {
	place, err := a.path()
	st := tui.Fact{Name: "Store", Value: place, OK: err == nil}
	if err != nil {
		st.Value = err.Error()
	}
	return append(a.Doctor(ctx), st)
}
