package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"llmzero/engine"
	"llmzero/engine/agent/llm"
	"llmzero/engine/agent/roster"
	"llmzero/engine/report"
	"llmzero/engine/search"
	"llmzero/engine/tree"
	"llmzero/tui"
)

// Limits of flags, far above what makes sense, so that a slip of the finger is an error and not a wait.
const (
	maxSteps    = 1_000_000
	maxParallel = 256
	maxSamples  = 1_000_000
	maxSeeds    = 1_000
)

// request is what the flags of run say.
type request struct {
	tui.NewSearch
	approve          string
	set              []string
	confirm          float64
	judge            string
	trials           float64
	rescore          int
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
			if err := r.complete(cmd.Context(), a, cmd.Flags().Changed("approve")); err != nil {
				return err
			}
			var err error
			if a.Rules, err = r.rules(cmd.Flags().Changed("trials")); err != nil {
				return err
			}
			if !r.headless {
				return a.workbench(cmd.Context(), tui.Options{Start: &r.NewSearch})
			}
			return a.headless(cmd, "run", r.asJSON, func(ctx context.Context, h *engine.Host) (*engine.Session, error) {
				return h.Start(ctx, a.Rules.Spec(r.NewSearch))
			})
		},
	}
	f := c.Flags()
	f.StringVar(&r.Task, "task", "mixed", "task (llmzero tasks lists them)")
	f.StringVar(&r.Name, "name", "", "a name for people")
	f.IntVar(&r.Base, "base", 1, "which of the task's base models")
	f.StringVar(&r.Trainer, "trainer", "grpo", "trainer: "+strings.Join(a.Trainers.Names(), ", "))
	f.StringVar(&r.Agent, "agent", "rules", "agent: "+roster.Help)
	f.StringVar(&r.Policy, "policy", "uct", "search policy: "+strings.Join(policyNames(), ", "))
	f.IntVar(&r.Budget.Segments, "budget", 0, "segments to train at most (default 32 when there is no other limit)")
	f.Int64Var(&r.Budget.Tokens, "tokens", 0, "tokens to spend at most: prompt + sampled + trained")
	f.DurationVar(&r.Budget.Wall, "wall", 0, "training time to spend at most, such as 30m")
	f.Float64Var(&r.Budget.GPUHours, "gpu-hours", 0, "GPU-hours to spend at most")
	f.Float64Var(&r.confirm, "confirm", 0.2, "share of the budget kept for retraining the best paths with fresh seeds")
	f.StringVar(&r.judge, "judge", "on", "stop segments that fall behind the best: on (0.3,6: a reward 30% below it, 6 steps in a row), off, or SHARE,STEPS")
	f.Float64Var(&r.trials, "trials", tree.DefaultJudge().TrialOne, "share of those segments that trains on all the same, to measure false stops")
	f.IntVar(&r.rescore, "rescore", 0, "score a node on this many times the samples before it is gone on from; 0: never")
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
func (r *request) complete(ctx context.Context, a *app, approveGiven bool) error {
	mode := tree.Mode(r.approve)
	switch mode {
	case tree.AskAlways, tree.AskRisky, tree.AskNever:
	default:
		return Usage("--approve %s: want ask, risky or all", r.approve)
	}
	if r.headless {
		if approveGiven && mode != tree.AskNever {
			return Usage("--approve %s needs a screen; a headless search approves all", r.approve)
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
		return Usage("%w", err)
	}
	switch {
	case r.Segment < 1 || r.Segment > maxSteps:
		return Usage("--segment %d: want 1 to %d optimizer steps", r.Segment, maxSteps)
	case r.Parallel < 1 || r.Parallel > maxParallel:
		return Usage("--parallel %d: want 1 to %d segments at once", r.Parallel, maxParallel)
	}
	var err error
	if _, r.Root, err = a.configure(ctx, r.Trainer, r.Task, r.Base, r.set); err != nil {
		return err
	}
	if _, err := search.New(r.Policy, search.Options{}); err != nil {
		return Usage("--policy: %w", err)
	}
	if strings.HasPrefix(r.Agent, llm.PrefixReplay) {
		return nil // whether a recording is there turns out when the store is open
	}
	ag, err := a.Agents(nil).Open(ctx, r.Agent)
	if err != nil {
		return Usage("--agent: %w", err)
	}
	return roster.Check(ctx, ag)
}

func policyNames() []string {
	var names []string
	for _, p := range search.All() {
		names = append(names, p.Name)
	}
	return names
}

// Rules are what the flags of run say of a search beside what the screen asks. The zero value is the default.
type Rules struct {
	Judge   tree.Judge
	Rescore int
}

// Spec is the specification of a search that was asked for.
func (r Rules) Spec(n tui.NewSearch) tree.Spec {
	s := n.Spec()
	if s.Judge, s.Rescore, s.FreshRate = r.Judge, r.Rescore, engine.DefaultFreshRate; s.Judge == (tree.Judge{}) {
		s.Judge = tree.DefaultJudge()
	}
	return s
}

// rules reads --judge, --trials and --rescore.
func (r *request) rules(trialsGiven bool) (Rules, error) {
	out := Rules{Judge: tree.DefaultJudge(), Rescore: r.rescore}
	if r.rescore < 0 || r.rescore == 1 {
		return out, Usage("--rescore %d: want 2 or more times the samples, or 0 for never", r.rescore)
	}
	out.Judge.TrialOne = r.trials
	switch share, steps, _ := strings.Cut(r.judge, ","); r.judge {
	case "on":
	case "off":
		if trialsGiven {
			return out, Usage("--trials %g needs a judge, and --judge is off", r.trials)
		}
		out.Judge.Off = true
	default:
		var err error
		if out.Judge.Below, err = strconv.ParseFloat(share, 64); err == nil {
			out.Judge.Polls, err = strconv.Atoi(steps)
		}
		if err != nil || !(out.Judge.Below > 0) || out.Judge.Polls < 1 {
			return out, Usage("--judge %s: want on, off or SHARE,STEPS such as 0.3,6", r.judge)
		}
	}
	if err := out.Judge.Check(); err != nil {
		return out, Usage("%w", err)
	}
	return out, nil
}

func newResume(a *app) *cobra.Command {
	var headless, asJSON bool
	var more tree.Budget
	c := &cobra.Command{
		Use: "resume ID", Short: "Go on with a stopped or crashed search", Args: cobra.ExactArgs(1),
		Example: "  llmzero resume mixed-1\n  llmzero resume mixed-1 --headless --budget 48 --json",
		RunE: func(cmd *cobra.Command, args []string) error {
			if more.Segments < 0 || more.Tokens < 0 || more.Wall < 0 || !(more.GPUHours >= 0) {
				return Usage("resume: a limit is below 0; the budget can only be raised")
			}
			if err := a.exists(); err != nil {
				return err
			}
			if !headless && !asJSON && onTerminal() {
				return a.workbench(cmd.Context(), tui.Options{Open: args[0], Resume: &more})
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
	h := a.Host(st, log, true)
	defer func() { err = errors.Join(err, h.Close()) }()
	ctx := cmd.Context()
	s, err := start(ctx, h)
	if err != nil {
		return err
	}
	err = report.Attend(ctx, cmd.ErrOrStderr(), s)
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
		return fmt.Errorf("%w; llmzero resume %s goes on", ErrInterrupted, t.Spec.ID)
	case t.Status != tree.SearchDone:
		return fmt.Errorf("search %s is %s: %s; llmzero show %s tells more, llmzero resume %s goes on",
			t.Spec.ID, t.Status, cmp.Or(t.Reason, "no reason is recorded"), t.Spec.ID, t.Spec.ID)
	}
	return nil
}
