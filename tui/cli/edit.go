package cli

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"llmzero/engine/strategy"
	"llmzero/engine/tree"
	"llmzero/store"
)

// newEdit is a command that changes the store itself. Only one that brings something in may make the store.
func newEdit(a *app, use, short string, args cobra.PositionalArgs, fn func(*cobra.Command, *store.Store, []string) error) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Args: args, RunE: func(cmd *cobra.Command, given []string) (err error) {
		s, err := a.open(cmd.Name())
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.Close()) }()
		return fn(cmd, s, given)
	}}
}

// there is fn on a store that was there before.
func there(a *app, use, short string, args cobra.PositionalArgs, fn func(*cobra.Command, *store.Store, []string) error) *cobra.Command {
	c := newEdit(a, use, short, args, fn)
	run := c.RunE
	c.RunE = func(cmd *cobra.Command, given []string) error {
		if err := a.exists(); err != nil {
			return err
		}
		return run(cmd, given)
	}
	return c
}

func newRemove(a *app) *cobra.Command {
	return there(a, "rm ID", "Remove a search and the checkpoints that only it has", cobra.ExactArgs(1),
		func(cmd *cobra.Command, s *store.Store, args []string) error { return s.Remove(cmd.Context(), args[0]) })
}

func newCompact(a *app) *cobra.Command {
	return there(a, "compact", "Give the store's unused space back to the disk", cobra.NoArgs,
		func(cmd *cobra.Command, s *store.Store, _ []string) error { return s.Compact(cmd.Context()) })
}

// Formats of an export.
const (
	FormatWhole    = "llmzero"  // everything
	FormatStrategy = "strategy" // the best path
)

// treeOf reads a search.
func treeOf(ctx context.Context, s *store.Store, id string) (*tree.Tree, error) {
	h, err := s.Search(id)
	if err != nil {
		return nil, err
	}
	return h.Tree(ctx)
}

func newExport(a *app) *cobra.Command {
	var path string
	c := &cobra.Command{
		Use: "export ID", Short: "Write a search with everything to a file that llmzero import reads", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.inStore(cmd.Context(), func(s *store.Store) error {
				name, err := Export(cmd.Context(), s, args[0], FormatWhole, path)
				if err != nil {
					return err
				}
				return say("%s", name)(cmd.OutOrStdout())
			})
		},
	}
	c.Flags().StringVarP(&path, "output", "o", "", "file to write (default ID.llmzero, or the next name that is free)")
	return c
}

func newImport(a *app) *cobra.Command {
	return newEdit(a, "import FILE", "Take a search that llmzero export wrote into the store", cobra.ExactArgs(1),
		func(cmd *cobra.Command, s *store.Store, args []string) error {
			id, err := s.ImportFile(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return say("%s", id)(cmd.OutOrStdout())
		})
}

// Export writes a search, or its best strategy, to a new file and returns its name; an empty path is a name that is free in
// the working folder.
func Export(ctx context.Context, st *store.Store, id, format, path string) (string, error) {
	ext := ".llmzero"
	if format == FormatStrategy {
		ext = ".strategy.json"
	}
	if path == "" {
		path = free(id, ext)
	}
	if format != FormatStrategy {
		return st.ExportFile(ctx, id, path)
	}
	t, err := treeOf(ctx, st, id)
	if err != nil {
		return "", err
	}
	s, err := strategy.Best(t)
	if err != nil {
		return "", err
	}
	return path, s.WriteFile(path)
}

// free is a name that no file has yet: name.ext, name-2.ext and so on.
func free(name, ext string) string {
	path := name + ext
	for i := 2; i < 1000; i++ {
		if _, err := os.Lstat(path); err != nil {
			break
		}
		path = fmt.Sprintf("%s-%d%s", name, i, ext)
	}
	return path
}
