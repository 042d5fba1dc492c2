// Command llmzero is a terminal workbench that searches over the training trajectories of RL post-training: an agent
// diagnoses each checkpoint and proposes the next change of several hyper-parameters, a researcher approves, edits or
// vetoes it, and a tree of training segments grows. See README.md.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"

	"charm.land/fang/v2"
	"github.com/adrg/xdg"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"llmzero/engine"
	"llmzero/engine/agent"
	"llmzero/engine/agent/llm"
	"llmzero/engine/agent/roster"
	"llmzero/engine/event"
	"llmzero/engine/report"
	"llmzero/engine/search"
	"llmzero/engine/tree"
	"llmzero/gpu"
	"llmzero/store"
	"llmzero/themes"
	"llmzero/trainer"
	"llmzero/trainer/grpo"
	"llmzero/tui"
)

// Exit codes of the command contract.
const exitFailed, exitUsage, exitInterrupted = 1, 2, 130

var errUsage, errInterrupted = errors.New("usage"), errors.New("interrupted; everything is saved")

func usage(format string, args ...any) error {
	return fmt.Errorf("%w: %w", errUsage, fmt.Errorf(format, args...))
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := fang.Execute(ctx, newRoot(&app{}), fang.WithVersion(version()), fang.WithErrorHandler(complain))
	stop()
	switch {
	case err == nil:
	case errors.Is(err, errInterrupted):
		os.Exit(exitInterrupted)
	case errors.Is(err, errUsage):
		os.Exit(exitUsage)
	default:
		os.Exit(exitFailed)
	}
}

// complain writes one line: what happened and what to do.
func complain(w io.Writer, _ fang.Styles, err error) {
	msg := strings.TrimPrefix(err.Error(), errUsage.Error()+": ")
	if errors.Is(err, errUsage) {
		msg += " (llmzero --help shows the commands)"
	}
	_, _ = fmt.Fprintln(w, "llmzero: "+strings.ReplaceAll(msg, "\n", "; ")) // there is nowhere else to say it
}

// app is what the flags of every command say.
type app struct {
	db, theme, log string
}

func newRoot(a *app) *cobra.Command {
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
	f.StringVar(&a.db, "db", os.Getenv("LLMZERO_DB"), "store file (default in the XDG data folder; LLMZERO_DB)")
	f.StringVar(&a.theme, "theme", "", "colour theme (default by the terminal's background)")
	f.StringVar(&a.log, "log", "", "write a log to this file")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage("%w", err) })
	root.AddCommand(
		newRun(a), newResume(a), newList(a), newShow(a), newRemove(a), newTrain(), newTasks(), newParams(),
		newCheck(a), newCompact(a), newDoctor(a), newVersion(),
	)
	for _, c := range append(root.Commands(), root) {
		if args := c.Args; args != nil {
			c.Args = func(cmd *cobra.Command, given []string) error {
				if err := args(cmd, given); err != nil {
					return usage("%s: %w", cmd.Name(), err)
				}
				return nil
			}
		}
	}
	return root
}

func version() string {
	b, ok := debug.ReadBuildInfo()
	if !ok || b.Main.Version == "" || b.Main.Version == "(devel)" {
		return "devel"
	}
	return b.Main.Version
}

// path is where the store lies.
func (a *app) path() (string, error) {
	if a.db != "" {
		return a.db, nil
	}
	p, err := xdg.DataFile("llmzero/llmzero.db")
	if err != nil {
		return "", fmt.Errorf("find a place for the store: %w; name one with --db", err)
	}
	return p, nil
}

// open opens the store to write.
func (a *app) open(command string) (*store.Store, error) {
	path, err := a.path()
	if err != nil {
		return nil, err
	}
	return store.Open(path, store.Options{Command: "llmzero " + command, Program: version()})
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
	if a.log == "" {
		return slog.New(slog.DiscardHandler), func() error { return nil }, nil
	}
	f, err := os.OpenFile(a.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("open the log: %w", err)
	}
	return slog.New(slog.NewTextHandler(f, &slog.HandlerOptions{Level: slog.LevelDebug})), f.Close, nil
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

var trainers = trainer.Registry{
	"grpo": func(string) (trainer.Trainer, error) { return &grpo.Trainer{}, nil },
}

func newTrain() *cobra.Command {
	var plan trainer.Plan
	var name, from, save string
	var set []string
	var asJSON bool
	c := &cobra.Command{
		Use:   "train",
		Short: "Train with constant parameters and score the result",
		Long: "Train one run with constant parameters: what a search is compared with, and an objective for any outside\n" +
			"optimiser. One JSON object with --json; progress goes to standard error.",
		Example: "  llmzero train --task mixed --steps 160 --set learning_rate=1e-3 --json\n" +
			"  llmzero train --task mixed --steps 40 --save a.safetensors\n  llmzero train --task mixed --steps 40 --from a.safetensors",
		Args: cobra.NoArgs,
	}
	f := c.Flags()
	f.StringVar(&plan.Task, "task", "mixed", "task (llmzero tasks lists them)")
	f.IntVar(&plan.Base, "base", 1, "which of the task's base models")
	f.StringVar(&name, "trainer", "grpo", "trainer")
	f.StringArrayVar(&set, "set", nil, "parameter, NAME=VALUE; may be repeated")
	f.IntVar(&plan.Steps, "steps", 0, "optimizer steps")
	f.Int64Var(&plan.Tokens, "tokens", 0, "stop after this many tokens, prompt + sampled + trained")
	f.Uint64Var(&plan.Seed, "seed", 1, "random seed")
	f.IntVar(&plan.ValSamples, "val-samples", 0, "samples of the validation score (default the trainer's)")
	f.StringVar(&from, "from", "", "checkpoint file to go on from")
	f.StringVar(&save, "save", "", "write the last checkpoint to this file")
	f.BoolVar(&asJSON, "json", false, "print one JSON object")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		if plan.Steps < 0 || plan.Tokens < 0 || (plan.Steps == 0 && plan.Tokens == 0) {
			return usage("train: say how long with --steps or --tokens")
		}
		t, config, err := configure(cmd.Context(), name, plan.Task, set)
		if err != nil {
			return err
		}
		plan.Config = config
		if from != "" {
			if plan.Checkpoint, err = os.ReadFile(from); err != nil {
				return fmt.Errorf("read the checkpoint: %w", err)
			}
		}
		r, err := trainer.Solo(cmd.Context(), t, plan, cmd.ErrOrStderr())
		if err != nil {
			return err
		}
		if save != "" {
			if err := os.WriteFile(save, r.Checkpoint, 0o600); err != nil {
				return fmt.Errorf("write the checkpoint: %w", err)
			}
		}
		if asJSON {
			err = printJSON(cmd.OutOrStdout(), r)
		} else {
			err = say("%s", r)(cmd.OutOrStdout())
		}
		if err == nil && r.Stopped {
			return errInterrupted
		}
		return err
	}
	return c
}

func describe(ctx context.Context, name string) (trainer.Trainer, tree.Description, error) {
	t, err := trainers.Open(name)
	if err != nil {
		return nil, tree.Description{}, usage("%w", err)
	}
	d, err := t.Describe(ctx)
	return t, d, err
}

// configure opens a trainer and completes --set values with the defaults of one of its tasks.
func configure(ctx context.Context, name, task string, set []string) (trainer.Trainer, tree.Config, error) {
	t, d, err := describe(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	if _, err := d.Task(task); err != nil {
		return nil, nil, usage("--task: %w", err)
	}
	c, err := d.SpaceOf(task).Parse(set)
	if err != nil {
		return nil, nil, usage("--set %w; llmzero params lists the parameters", err)
	}
	return t, c, nil
}

// request is what the flags of run say.
type request struct {
	tui.NewSearch
	approve          string
	set              []string
	confirm          float64
	headless, asJSON bool
}

func newRun(a *app) *cobra.Command {
	var r request
	c := &cobra.Command{
		Use:   "run",
		Short: "Start a search",
		Long: "Start a search and open it in the workbench; with --headless, or without a terminal, run it to its end and print\n" +
			"the result. A headless search approves every proposal.",
		Example: "  llmzero run --task mixed\n  llmzero run --headless --task mixed --budget 6 --seed 1 --json\n" +
			"  llmzero run --task chain --approve risky --set learning_rate=1e-3",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r.headless = r.headless || r.asJSON || !onTerminal()
			if err := r.complete(cmd.Context(), cmd.Flags().Changed("approve")); err != nil {
				return err
			}
			if !r.headless {
				return a.workbench(cmd.Context(), tui.Options{Start: &r.NewSearch})
			}
			return a.headless(cmd, "run", r.asJSON, func(ctx context.Context, h *engine.Host) (*engine.Session, error) {
				return h.Start(ctx, spec(r.NewSearch))
			})
		},
	}
	f := c.Flags()
	f.StringVar(&r.Task, "task", "mixed", "task (llmzero tasks lists them)")
	f.StringVar(&r.Name, "name", "", "a name for people")
	f.IntVar(&r.Base, "base", 1, "which of the task's base models")
	f.StringVar(&r.Trainer, "trainer", "grpo", "trainer: "+strings.Join(trainers.Names(), ", "))
	f.StringVar(&r.Agent, "agent", "rules", "agent: "+roster.Help)
	f.StringVar(&r.Policy, "policy", "uct", "search policy: "+strings.Join(policyNames(), ", "))
	f.IntVar(&r.Budget.Segments, "budget", 0, "segments to train at most (default 32 when there is no other limit)")
	f.Int64Var(&r.Budget.Tokens, "tokens", 0, "tokens to spend at most: prompt + sampled + trained")
	f.DurationVar(&r.Budget.Wall, "wall", 0, "training time to spend at most, such as 30m")
	f.Float64Var(&r.Budget.GPUHours, "gpu-hours", 0, "GPU-hours to spend at most")
	f.Float64Var(&r.confirm, "confirm", 0.2, "share of the budget kept for retraining the best paths with fresh seeds")
	f.IntVar(&r.Segment, "segment", 40, "optimizer steps of a segment")
	f.IntVar(&r.Parallel, "parallel", 1, "segments at once")
	f.Uint64Var(&r.Seed, "seed", 1, "random seed")
	f.StringVar(&r.approve, "approve", "ask", "which proposals wait for you: ask (all), risky, all (none waits)")
	f.StringArrayVar(&r.set, "set", nil, "root parameter, NAME=VALUE; may be repeated")
	f.BoolVar(&r.headless, "headless", false, "run without a screen")
	f.BoolVar(&r.asJSON, "json", false, "print one JSON object at the end (implies --headless)")
	return c
}

// complete checks what the flags say together.
func (r *request) complete(ctx context.Context, approveGiven bool) error {
	mode := tree.Mode(r.approve)
	switch mode {
	case tree.AskAlways, tree.AskRisky, tree.AskNever:
	default:
		return usage("--approve %s: want ask, risky or all", r.approve)
	}
	if r.headless {
		if approveGiven && mode != tree.AskNever {
			return usage("--approve %s needs a screen; a headless search approves all", r.approve)
		}
		mode = tree.AskNever
	}
	r.Approval = tree.DefaultApproval(mode)
	b := &r.Budget
	if b.Segments == 0 && b.Tokens == 0 && b.Wall == 0 && b.GPUHours == 0 {
		b.Segments = 32
	}
	b.Confirm = r.confirm
	if err := b.Check(); err != nil {
		return usage("%w", err)
	}
	var err error
	if _, r.Root, err = configure(ctx, r.Trainer, r.Task, r.set); err != nil {
		return err
	}
	if _, err := search.New(r.Policy, search.Options{}); err != nil {
		return usage("--policy: %w", err)
	}
	if strings.HasPrefix(r.Agent, llm.PrefixReplay) {
		return nil // whether a recording is there turns out when the store is open
	}
	a, err := agents(nil).Open(ctx, r.Agent)
	if err != nil {
		return usage("--agent: %w", err)
	}
	return roster.Check(ctx, a)
}

func policyNames() []string {
	var names []string
	for _, p := range search.All() {
		names = append(names, p.Name)
	}
	return names
}

func spec(n tui.NewSearch) tree.Spec {
	s := n.Spec()
	s.Judge, s.FreshRate = tree.DefaultJudge(), engine.DefaultFreshRate
	return s
}

func onTerminal() bool {
	return term.IsTerminal(int(os.Stdin.Fd())) && term.IsTerminal(int(os.Stdout.Fd())) //nolint:gosec // descriptors are small
}

func newResume(a *app) *cobra.Command {
	var headless, asJSON bool
	var more tree.Budget
	c := &cobra.Command{
		Use: "resume ID", Short: "Go on with a stopped or crashed search", Args: cobra.ExactArgs(1),
		Example: "  llmzero resume mixed-1\n  llmzero resume mixed-1 --headless --budget 48 --json",
		RunE: func(cmd *cobra.Command, args []string) error {
			if !headless && !asJSON && onTerminal() {
				return a.workbench(cmd.Context(), tui.Options{Open: args[0]})
			}
			return a.headless(cmd, "resume", asJSON, func(ctx context.Context, h *engine.Host) (*engine.Session, error) {
				return h.Continue(ctx, args[0], more)
			})
		},
	}
	f := c.Flags()
	f.BoolVar(&headless, "headless", false, "run without a screen; every proposal is approved")
	f.BoolVar(&asJSON, "json", false, "print one JSON object at the end (implies --headless)")
	f.IntVar(&more.Segments, "budget", 0, "raise the budget to this many segments")
	f.Int64Var(&more.Tokens, "tokens", 0, "raise the budget to this many tokens")
	f.DurationVar(&more.Wall, "wall", 0, "raise the training time to this")
	f.Float64Var(&more.GPUHours, "gpu-hours", 0, "raise the GPU-hours to this")
	return c
}

// headless runs one search to its end and prints what came of it.
func (a *app) headless(cmd *cobra.Command, name string, asJSON bool, start func(context.Context, *engine.Host) (*engine.Session, error)) (err error) {
	log, closeLog, err := a.logger()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeLog()) }()
	st, err := a.open(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	h := newHost(st, log, true)
	defer func() { err = errors.Join(err, h.Close()) }()
	ctx := cmd.Context()
	s, err := start(ctx, h)
	if err != nil {
		return err
	}
	sub := s.Subscribe()
	defer sub.Close()
	var telling sync.WaitGroup
	telling.Go(func() { report.Follow(ctx, cmd.ErrOrStderr(), s.Tree(), sub) })
	err = s.Wait(ctx)
	sub.Close()
	telling.Wait()
	interrupted := ctx.Err() != nil
	if interrupted {
		err = h.Close() // saves everything; what ran is in line again
	}
	if err != nil {
		return err
	}
	t := s.Tree()
	if asJSON {
		err = printJSON(cmd.OutOrStdout(), report.Make(t))
	} else {
		err = report.TreeText(cmd.OutOrStdout(), t)
	}
	switch {
	case err != nil:
		return err
	case interrupted:
		return fmt.Errorf("%w; llmzero resume %s goes on", errInterrupted, t.Spec.ID)
	case t.Status == tree.SearchFailed:
		return fmt.Errorf("search %s failed: %s; llmzero show %s tells more", t.Spec.ID, t.Reason, t.Spec.ID)
	}
	return nil
}

// agents finds agents by name, with prices from the configuration and recordings from a store.
func agents(st *store.Store) roster.Source {
	return roster.Source{
		PriceFile: filepath.Join(xdg.ConfigHome, "llmzero", "prices.toml"),
		Recording: func(ctx context.Context, id string) (llm.Recording, error) {
			h, err := st.Search(id)
			if err != nil {
				return llm.Recording{}, err
			}
			t, err := h.Tree(ctx)
			if err != nil {
				return llm.Recording{}, err
			}
			exchanges, err := h.Exchanges(ctx, store.AllNodes)
			return roster.Record(t, exchanges), err
		},
	}
}

// cores is how many processors there are to train on, before workbench asks for more turns.
var cores = runtime.GOMAXPROCS(0)

func newHost(s *store.Store, log *slog.Logger, unattended bool) *engine.Host {
	return engine.NewHost(engine.HostOptions{
		Archive: archive{s}, Logger: log, Unattended: unattended, Version: version(),
		Slots:   func(sp tree.Spec) []tree.Slot { return engine.Shares(sp.Parallel, cores) },
		Trainer: func(_ context.Context, sp tree.Spec) (engine.Trainer, error) { return trainers.Open(sp.Trainer) },
		Agent:   func(ctx context.Context, sp tree.Spec) (agent.Agent, error) { return agents(s).Open(ctx, sp.Agent) },
	})
}

// archive is the store as the engine wants it.
type archive struct{ *store.Store }

// Create makes room for a search.
func (a archive) Create(ctx context.Context, s tree.Spec) (engine.Shelf, error) {
	return a.Store.Create(ctx, s)
}

// Open finds a search.
func (a archive) Open(_ context.Context, id string) (engine.Shelf, error) { return a.Search(id) }

// workbench opens the screen.
func (a *app) workbench(ctx context.Context, o tui.Options) (err error) {
	if !onTerminal() {
		return usage("the workbench needs a terminal; llmzero run --headless works without one")
	}
	log, closeLog, err := a.logger()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeLog()) }()
	st, err := a.open("workbench")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	h := newHost(st, log, false)
	defer func() { err = errors.Join(err, h.Close()) }()
	// The trainer computes on every processor; two more let the system run the screen at once, without waiting for a turn.
	runtime.GOMAXPROCS(cores + 2)

	sampler := gpu.New(gpu.Options{})
	watch, cancel := context.WithCancel(ctx)
	var watching sync.WaitGroup
	watching.Go(func() {
		if err := sampler.Run(watch); err != nil && watch.Err() == nil {
			log.Warn("devices are no longer read", "err", err)
		}
	})
	defer func() { cancel(); watching.Wait() }()

	if o.Themes, err = themes.Available(themeDir()); err != nil {
		return err
	}
	if _, err := themes.Lookup(o.Themes, a.theme, true); a.theme != "" && err != nil {
		return usage("--theme: %w", err)
	}
	o.Library, o.Catalog, o.Memory, o.Devices, o.Doctor = library{h, st}, catalog{}, st, tui.Sampled(sampler), doctor{a}
	o.Version, o.Theme, o.Glyphs = version(), a.theme, themes.GlyphsFor(os.Getenv)
	o.Paths = tui.Paths{Store: st.Path(), Themes: themeDir(), Log: a.log}
	if err := tui.Run(ctx, o); err != nil && ctx.Err() == nil {
		return err
	}
	if ctx.Err() != nil {
		return errInterrupted
	}
	return nil
}

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
			path, lines := "", []string{}
			err := a.inStore(ctx, func(s *store.Store) error {
				path = s.Path()
				problems, err := s.Check(ctx)
				for _, p := range problems {
					lines = append(lines, p.String())
				}
				return err
			})
			if err != nil {
				return nil, nil, err
			}
			if len(lines) > 0 {
				err = fmt.Errorf("the store has %d problems; keep a copy of the file before anything else", len(lines))
			}
			return map[string]any{"store": path, "sound": len(lines) == 0, "problems": lines},
				say("%s", strings.Join(append(lines, path+" is checked"), "\n")), err
		})
}

// newEdit is a command that changes the store itself.
func newEdit(a *app, use, short string, args cobra.PositionalArgs, fn func(context.Context, *store.Store, []string) error) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Args: args, RunE: func(cmd *cobra.Command, given []string) (err error) {
		s, err := a.open(cmd.Name())
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.Close()) }()
		return fn(cmd.Context(), s, given)
	}}
}

func newRemove(a *app) *cobra.Command {
	return newEdit(a, "rm ID", "Remove a search and the checkpoints that only it has", cobra.ExactArgs(1),
		func(ctx context.Context, s *store.Store, args []string) error { return s.Remove(ctx, args[0]) })
}

func newCompact(a *app) *cobra.Command {
	return newEdit(a, "compact", "Give the store's unused space back to the disk", cobra.NoArgs,
		func(ctx context.Context, s *store.Store, _ []string) error { return s.Compact(ctx) })
}

func newTasks() *cobra.Command {
	var name string
	c := query("tasks [NAME]", "List the tasks that a trainer offers, or show one with its facts", cobra.MaximumNArgs(1),
		func(ctx context.Context, args []string) (any, func(io.Writer) error, error) {
			_, d, err := describe(ctx, name)
			if err != nil {
				return nil, nil, err
			}
			if len(args) == 1 {
				one, err := d.Task(args[0])
				if err != nil {
					return nil, nil, usage("%w", err)
				}
				d.Tasks = []tree.TaskInfo{one}
			}
			return d.Tasks, func(w io.Writer) error { return report.TasksText(w, d.Tasks) }, nil
		})
	c.Flags().StringVar(&name, "trainer", "grpo", "trainer")
	return c
}

func newParams() *cobra.Command {
	var name, task string
	c := query("params", "List the parameters of a trainer with role, range and default", cobra.NoArgs,
		func(ctx context.Context, _ []string) (any, func(io.Writer) error, error) {
			_, d, err := describe(ctx, name)
			if err != nil {
				return nil, nil, err
			}
			if _, err := d.Task(task); task != "" && err != nil {
				return nil, nil, usage("--task: %w", err)
			}
			s := d.SpaceOf(task)
			return s.Params, func(w io.Writer) error { return report.ParamsText(w, s) }, nil
		})
	c.Flags().StringVar(&name, "trainer", "grpo", "trainer")
	c.Flags().StringVar(&task, "task", "", "with the ranges and defaults of this task")
	return c
}

func newVersion() *cobra.Command {
	return query("version", "Print the version", cobra.NoArgs,
		func(context.Context, []string) (any, func(io.Writer) error, error) {
			v := map[string]any{"version": version(), "schema": store.Schema()}
			return v, say("llmzero %s, store schema %d", version(), store.Schema()), nil
		})
}

func newDoctor(a *app) *cobra.Command {
	return query("doctor", "Say what is there and what is missing", cobra.NoArgs,
		func(ctx context.Context, _ []string) (any, func(io.Writer) error, error) {
			facts := doctor{a}.Facts(ctx)
			return facts, func(w io.Writer) error {
				for _, f := range facts {
					if _, err := fmt.Fprintln(w, f); err != nil {
						return err
					}
				}
				return nil
			}, nil
		})
}

// doctor looks at this machine.
type doctor struct{ *app }

// Facts is what is there and what is missing.
func (d doctor) Facts(ctx context.Context) []tui.Fact {
	r := gpu.Probe(ctx, gpu.Options{})
	g := tui.Fact{Name: "GPU", Value: r.Status.Sentence, Hint: r.Status.Remedy, OK: len(r.Devices) > 0}
	facts := []tui.Fact{g}
	for _, s := range llm.Survey(ctx) {
		facts = append(facts, tui.Fact{Name: roster.Title(s), Value: roster.Say(s), OK: len(s.Models) > 0})
	}
	for _, n := range trainer.Needs() {
		facts = append(facts, tui.Fact(n))
	}
	place, err := d.path()
	st := tui.Fact{Name: "Store", Value: place, OK: err == nil}
	if err != nil {
		st.Value = err.Error()
	}
	return append(facts, st)
}

// library is the host and its store as the screen wants them.
type library struct {
	*engine.Host
	store *store.Store
}

func (l library) Open(ctx context.Context, id string) (tui.Session, error) {
	s, err := l.Host.Open(ctx, id)
	return session{s}, err
}

func (l library) Start(ctx context.Context, n tui.NewSearch) (tui.Session, error) {
	s, err := l.Host.Start(ctx, spec(n))
	return session{s}, err
}

// Export writes a search to a file.
func (l library) Export(ctx context.Context, id, _, path string) (string, error) {
	return l.store.ExportFile(ctx, id, path)
}

// session is an opened search.
type session struct{ *engine.Session }

// Plan lists what the policy would expand next.
func (s session) Plan(ctx context.Context, n int) ([]tui.Pick, error) {
	next, err := s.Next(ctx, n)
	picks := make([]tui.Pick, len(next))
	for i, c := range next {
		picks[i] = tui.Pick(c)
	}
	return picks, err
}

func (s session) Record() tui.Record { return record{s.Shelf().(*store.Search)} } // archive made the shelf

// record reads events by node.
type record struct{ *store.Search }

// Events are those of a node, or all of them.
func (r record) Events(ctx context.Context, node tree.NodeID) ([]event.Event, error) {
	return r.EventsOf(ctx, node)
}

// catalog is what a new search can be made of.
type catalog struct{}

func (catalog) Offer(ctx context.Context) (tui.Offer, error) {
	var o tui.Offer
	for _, name := range trainers.Names() {
		_, d, err := describe(ctx, name)
		if err != nil {
			return o, err
		}
		o.Trainers = append(o.Trainers, d)
	}
	for _, c := range roster.Choices(ctx) {
		o.Agents = append(o.Agents, tui.Choice{Name: c.Name, Help: c.Help})
	}
	for _, p := range search.All() {
		o.Policies = append(o.Policies, tui.Choice{Name: p.Name, Help: p.Help})
	}
	o.Formats = []tui.Choice{{Name: "llmzero", Help: "everything, for llmzero on another machine"}}
	o.Quick = tui.NewSearch{
		Name: "quick tour", Task: "mixed", Base: 1, Trainer: "grpo", Agent: roster.Rules, Policy: "best-first", Segment: 40, Parallel: 1,
		Seed: 1, Budget: tree.Budget{Segments: 12, Confirm: 0.2}, Approval: tree.DefaultApproval(tree.AskAlways),
	}
	return o, nil
}

func themeDir() string { return filepath.Join(xdg.ConfigHome, "llmzero", "themes") }
