// Package cli is the program without its screen: the commands of the command line, their flags, and what they print.
//
// Commands read flags, call the parts that [Parts] hands over, and print what engine/report makes of it. With --json exactly one
// JSON value goes to standard output; progress goes to standard error. An error ends in one line that says what happened and
// what to do, and in an exit code (see [ExitCode]). What is put together of which parts is main's to say.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strings"

	"charm.land/fang/v2"
	"github.com/adrg/xdg"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"llmzero/engine"
	"llmzero/engine/agent/roster"
	"llmzero/store"
	"llmzero/trainer"
	"llmzero/tui"
)

// Errors with exit codes of their own.
var (
	// ErrUsage is wrapped by errors in how a command was called.
	ErrUsage = errors.New("usage")
	// ErrInterrupted is returned when a signal ended a command after everything was saved.
	ErrInterrupted = errors.New("interrupted; everything is saved")
)

// interruption is ErrInterrupted in other words.
type interruption string

func (i interruption) Error() string      { return string(i) }
func (interruption) Is(target error) bool { return target == ErrInterrupted }

// Usage makes an error in how a command was called.
func Usage(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrUsage, fmt.Errorf(format, args...))
}

// ExitCode is the process's exit code for a command's error: 0 done, 1 failed, 2 usage, 130 interrupted.
func ExitCode(err error) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, ErrInterrupted):
		return 130
	case errors.Is(err, ErrUsage):
		return 2
	}
	return 1
}

// Parts are what the commands are made of.
type Parts struct {
	Version  string
	Trainers trainer.Registry
	// Agents finds agents; those that replay need a store, which may be nil.
	Agents func(*store.Store) roster.Source
	// Host makes the host of a store's searches; unattended, it approves what a person would be asked.
	Host func(st *store.Store, log *slog.Logger, unattended bool) *engine.Host
	// Workbench opens the screen on a store.
	Workbench func(ctx context.Context, g Globals, st *store.Store, log *slog.Logger, o tui.Options) (tui.Left, error)
	// Doctor looks at this machine.
	Doctor func(ctx context.Context) []tui.Fact
	// Demo is a recorded search as an export wrote it, packed by gzip.
	Demo []byte
}

// Globals are the flags that every command has.
type Globals struct {
	DB    string // the store's file; empty: in the XDG data folder
	Theme string // empty: by the terminal's background
	Log   string // file; empty: none
	Rules Rules  // of the searches that are started: run has flags for them
	// Recording says that the store is a recording, in which nothing can be changed. No flag sets it.
	Recording bool
}

// app is a call of the program.
type app struct {
	Parts
	Globals
}

// New makes the root command.
func New(p Parts) *cobra.Command {
	a := &app{Parts: p}
	root := &cobra.Command{
		Use:   "llmzero",
		Short: "Search over the training trajectories of RL post-training, steered at the terminal",
		Long: "llmzero grows a tree of training segments. An agent diagnoses each checkpoint and proposes the next coordinated\n" +
			"change of hyper-parameters; you approve, edit or veto it. Without a command it opens the workbench.",
		Example: "  llmzero\n  llmzero run --task mixed --agent rules --approve risky\n" +
			"  llmzero run --headless --task mixed --budget 6 --seed 1 --json\n  llmzero list",
		Args:          cobra.NoArgs,
		SilenceErrors: true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return a.workbench(cmd.Context(), tui.Options{}) },
	}
	f := root.PersistentFlags()
	f.StringVar(&a.DB, "db", os.Getenv("LLMZERO_DB"), "store file (default in the XDG data folder; LLMZERO_DB)")
	f.StringVar(&a.Theme, "theme", "", "colour theme (default by the terminal's background)")
	f.StringVar(&a.Log, "log", "", "write a log to this file")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return Usage("%w", err) })
	root.AddCommand(
		newRun(a), newResume(a), newList(a), newShow(a), newRemove(a), newExport(a), newImport(a), newStrategy(a), newTrain(a),
		newTasks(a), newParams(a), newCheck(a), newCompact(a), newDoctor(a), newDemo(a), newVersion(a),
	)
	checkArgs(root)
	tellInterrupts(root)
	return root
}

// checkArgs makes a wrong number of arguments a usage error, for a command and those below it.
func checkArgs(c *cobra.Command) {
	if args := c.Args; args != nil {
		c.Args = func(cmd *cobra.Command, given []string) error {
			if err := args(cmd, given); err != nil {
				return Usage("%s: %w", cmd.Name(), err)
			}
			return nil
		}
	}
	for _, below := range c.Commands() {
		checkArgs(below)
	}
}

// tellInterrupts makes an error that a signal brought about ErrInterrupted, for a command and those below it.
func tellInterrupts(c *cobra.Command) {
	if run := c.RunE; run != nil {
		c.RunE = func(cmd *cobra.Command, args []string) error {
			err := run(cmd, args)
			switch {
			case err == nil || cmd.Context().Err() == nil || errors.Is(err, ErrInterrupted):
				return err
			case errors.Is(err, context.Canceled):
				return ErrInterrupted
			}
			return fmt.Errorf("%w (%w)", ErrInterrupted, err)
		}
	}
	for _, below := range c.Commands() {
		tellInterrupts(below)
	}
}

// Complain writes one line: what happened and what to do.
func Complain(w io.Writer, _ fang.Styles, err error) {
	msg := strings.TrimPrefix(err.Error(), ErrUsage.Error()+": ")
	if errors.Is(err, ErrUsage) {
		msg += " (llmzero --help shows the commands)"
	}
	_, _ = fmt.Fprintln(w, "llmzero: "+strings.ReplaceAll(msg, "\n", "; ")) // there is nowhere else to say it
}

// path is where the store lies.
func (a *app) path() (string, error) {
	if a.DB != "" {
		return a.DB, nil
	}
	p, err := xdg.DataFile("llmzero/llmzero.db")
	if err != nil {
		return "", fmt.Errorf("find a place for the store: %w; name one with --db", err)
	}
	return p, nil
}

// exists is an error when there is no store yet: what changes a store must not make an empty one.
func (a *app) exists() error {
	path, err := a.path()
	if err != nil {
		return err
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("open store %s: %w: start a search first, or name another file with --db", path, store.ErrNoStore)
	}
	return nil // anything else is for the opening to tell
}

// open opens the store to write.
func (a *app) open(command string) (*store.Store, error) {
	path, err := a.path()
	if err != nil {
		return nil, err
	}
	return store.Open(path, store.Options{Command: "llmzero " + command, Program: a.Version})
}

// inStore runs fn on the store opened to read.
func (a *app) inStore(ctx context.Context, fn func(*store.Store) error) (err error) {
	path, err := a.path()
	if err != nil {
		return err
	}
	s, err := store.OpenShared(ctx, path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return fn(s)
}

// logger writes to the file of --log, or nowhere: the screen owns the terminal.
func (a *app) logger() (*slog.Logger, func() error, error) {
	if a.Log == "" {
		return slog.New(slog.DiscardHandler), func() error { return nil }, nil
	}
	f, err := os.OpenFile(a.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("open the log: %w", err)
	}
	return slog.New(slog.NewTextHandler(f, &slog.HandlerOptions{Level: slog.LevelDebug})), f.Close, nil
}

func onTerminal() bool {
	return term.IsTerminal(int(os.Stdin.Fd())) && term.IsTerminal(int(os.Stdout.Fd())) //nolint:gosec // descriptors are small
}

// workbench opens the screen.
func (a *app) workbench(ctx context.Context, o tui.Options) (err error) {
	if !onTerminal() {
		return Usage("the workbench needs a terminal; llmzero run --headless works without one")
	}
	log, closeLog, err := a.logger()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeLog()) }()
	o.Demo = len(a.Demo) > 0
	for {
		left, err := a.sit(ctx, log, o)
		if left.Store == tui.DemoStore && err == nil && ctx.Err() == nil {
			o = tui.Options{Demo: true}
			if o.Trouble = a.playDemo(ctx, log); ctx.Err() == nil {
				continue // back to where one came from
			}
		}
		switch {
		case ctx.Err() != nil:
			return ErrInterrupted
		case err != nil || left.Store == "":
			return err
		}
		// To another store. When that cannot be opened after all, back to this one.
		before := a.DB
		a.DB, o = left.Store, tui.Options{Demo: o.Demo}
		if st, err := a.open("workbench"); err != nil {
			a.DB, o.Trouble = before, err
		} else if err := st.Close(); err != nil {
			return err
		}
	}
}

// sit opens the screen on the store of the flags until the person leaves it.
func (a *app) sit(ctx context.Context, log *slog.Logger, o tui.Options) (left tui.Left, err error) {
	st, err := a.open("workbench")
	if err != nil {
		return left, err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	return a.Workbench(ctx, a.Globals, st, log, o)
}
