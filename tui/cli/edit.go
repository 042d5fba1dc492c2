package cli

import (
	"cmp"
	"context"
	"errors"

	"github.com/spf13/cobra"

	"llmzero/engine/strategy"
	"llmzero/engine/tree"
	"llmzero/store"
)

// newEdit is a command that changes the store itself.
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

func newRemove(a *app) *cobra.Command {
	return newEdit(a, "rm ID", "Remove a search and the checkpoints that only it has", cobra.ExactArgs(1),
		func(cmd *cobra.Command, s *store.Store, args []string) error { return s.Remove(cmd.Context(), args[0]) })
}

func newCompact(a *app) *cobra.Command {
	return newEdit(a, "compact", "Give the store's unused space back to the disk", cobra.NoArgs,
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
				name, err := s.ExportFile(cmd.Context(), args[0], path)
				return errors.Join(err, say("%s", name)(cmd.OutOrStdout()))
			})
		},
	}
	c.Flags().StringVarP(&path, "output", "o", "", "file to write (default ID.llmzero)")
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

// Export writes a search, or its best strategy, to a new file and returns its name; an empty path is a name in the working folder.
func Export(ctx context.Context, st *store.Store, id, format, path string) (string, error) {
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
	path = cmp.Or(path, id+".strategy.json")
	return path, s.WriteFile(path)
}
