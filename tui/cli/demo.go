package cli

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"llmzero/store"
	"llmzero/tui"
)

func newDemo(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "demo", Short: "Watch a recorded search play back: how its tree grew, and how its parameters moved", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !onTerminal() {
				return Usage("the demo needs a terminal")
			}
			log, closeLog, err := a.logger()
			if err != nil {
				return err
			}
			err = errors.Join(a.playDemo(cmd.Context(), log), closeLog())
			if cmd.Context().Err() != nil {
				return ErrInterrupted
			}
			return err
		},
	}
}

// playDemo opens the screen on the recorded search, in a store of its own that is gone afterwards.
func (a *app) playDemo(ctx context.Context, log *slog.Logger) (err error) {
	dir, err := os.MkdirTemp("", "llmzero-demo-")
	if err != nil {
		return fmt.Errorf("make room for the demo: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b := *a
	b.DB, b.Recording = filepath.Join(dir, "demo.db"), true
	id, err := b.importDemo(ctx)
	if err != nil {
		return fmt.Errorf("open the recording: %w", err)
	}
	_, err = b.sit(ctx, log, tui.Options{Open: id, Play: true})
	return err
}

// importDemo takes the recorded search into the store of the flags.
func (a *app) importDemo(ctx context.Context) (id string, err error) {
	r, err := gzip.NewReader(bytes.NewReader(a.Demo))
	if err != nil {
		return "", err
	}
	var s *store.Store
	if s, err = a.open("demo"); err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return s.Import(ctx, r)
}
