// Command llmzero is a terminal workbench that searches over the training trajectories of RL post-training: an agent
// diagnoses each checkpoint and proposes the next change of several hyper-parameters, a researcher approves, edits or
// vetoes it, and a tree of training segments grows. See README.md.
package main

import (
	"context"
	_ "embed"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync"
	"syscall"

	"charm.land/fang/v2"
	"github.com/adrg/xdg"

	"llmzero/engine"
	"llmzero/engine/agent"
	"llmzero/engine/agent/llm"
	"llmzero/engine/agent/roster"
	"llmzero/engine/event"
	"llmzero/engine/search"
	"llmzero/engine/tree"
	"llmzero/gpu"
	"llmzero/store"
	"llmzero/themes"
	"llmzero/trainer"
	"llmzero/trainer/grpo"
	"llmzero/tui"
	"llmzero/tui/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	root := cli.New(cli.Parts{
		Version: version(), Demo: demoSearch, Trainers: trainers, Agents: agents, Host: newHost, Workbench: workbench, Doctor: machine,
	})
	err := fang.Execute(ctx, root, fang.WithVersion(version()), fang.WithErrorHandler(cli.Complain))
	stop()
	if code := cli.ExitCode(err); code != 0 {
		os.Exit(code)
	}
}

func version() string {
	b, ok := debug.ReadBuildInfo()
	if !ok || b.Main.Version == "" || b.Main.Version == "(devel)" {
		return "devel"
	}
	return b.Main.Version
}

// demoSearch is a search on prefix sums without its checkpoints; testdata/demo.py says how it was made.
//
//go:embed testdata/demo.llmzero.gz
var demoSearch []byte

var trainers = trainer.Registry{
	"grpo": func(string) (trainer.Trainer, error) { return &grpo.Trainer{}, nil },
}

// agents finds agents by name, with prices from the configuration and recordings from a store.
func agents(st *store.Store) roster.Source {
	return roster.Source{
		PriceFile: priceFile(),
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

// workbench opens the screen on a store.
func workbench(ctx context.Context, g cli.Globals, st *store.Store, log *slog.Logger, o tui.Options) (left tui.Left, err error) {
	h := newHost(st, log, false)
	defer func() {
		end := h.Close
		if left.Leave == tui.LeaveDetach {
			end = h.Detach
		}
		err = errors.Join(err, end())
	}()
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
		return left, err
	}
	if _, err := themes.Lookup(o.Themes, g.Theme, true); g.Theme != "" && err != nil {
		return left, cli.Usage("--theme: %w", err)
	}
	o.Library, o.Catalog, o.Memory, o.Devices, o.Doctor = library{h, st, g.Rules, g.Recording}, catalog{}, st, tui.Sampled(sampler), doctor{st.Path()}
	o.Version, o.Theme, o.Glyphs = version(), g.Theme, themes.GlyphsFor(os.Getenv)
	o.Paths = tui.Paths{Store: st.Path(), Themes: themeDir(), Prices: priceFile(), Log: g.Log}
	return tui.Run(ctx, o)
}

// doctor looks at this machine for the screen.
type doctor struct{ store string }

// Facts is what is there and what is missing.
func (d doctor) Facts(ctx context.Context) []tui.Fact {
	return append(machine(ctx), tui.Fact{Name: "Store", Value: d.store, OK: true})
}

// machine tells what is there and what is missing on this machine.
func machine(ctx context.Context) []tui.Fact {
	r := gpu.Probe(ctx, gpu.Options{})
	g := tui.Fact{Name: "GPU", Value: r.Status.Sentence, Hint: r.Status.Remedy, OK: len(r.Devices) > 0}
	facts := []tui.Fact{g}
	for _, s := range llm.Survey(ctx) {
		facts = append(facts, tui.Fact{Name: roster.Title(s), Value: roster.Say(s), OK: len(s.Models) > 0})
	}
	for _, n := range trainer.Needs() {
		facts = append(facts, tui.Fact(n))
	}
	return facts
}

// library is the host and its store as the screen wants them.
type library struct {
	*engine.Host
	store     *store.Store
	rules     cli.Rules
	recording bool // nothing can be changed
}

var errRecording = errors.New("this is a recording: nothing can be changed in it")

func (l library) Open(ctx context.Context, id string) (tui.Session, error) {
	s, err := l.Host.Open(ctx, id)
	return session{s, l.recording}, err
}

func (l library) Start(ctx context.Context, n tui.NewSearch) (tui.Session, error) {
	if l.recording {
		return nil, errRecording
	}
	s, err := l.Host.Start(ctx, l.rules.Spec(n))
	return session{s, false}, err
}

// Export writes a search or its best strategy to a file.
func (l library) Export(ctx context.Context, id, format, path string) (string, error) {
	return cli.Export(ctx, l.store, id, format, path)
}

// Import takes an exported search into the store.
func (l library) Import(ctx context.Context, path string) (string, error) {
	return l.store.ImportFile(ctx, path)
}

// Probe opens another store to read.
func (library) Probe(ctx context.Context, path string) error {
	s, err := store.OpenShared(ctx, path)
	if err != nil {
		return err
	}
	return s.Close()
}

// session is an opened search.
type session struct {
	*engine.Session
	recording bool
}

// Do carries out a steering act.
func (s session) Do(ctx context.Context, c tree.Command) error {
	if s.recording {
		return errRecording
	}
	return s.Session.Do(ctx, c)
}

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
		t, err := trainers.Open(name)
		if err != nil {
			return o, err
		}
		d, err := t.Describe(ctx)
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
	o.Formats = []tui.Choice{
		{Name: cli.FormatWhole, Help: "everything, for llmzero on another machine"},
		{Name: cli.FormatStrategy, Help: "the winner's path, or the best where none is confirmed, as a file that llmzero strategy replay trains again, on this task or another"},
	}
	o.Quick = tui.NewSearch{
		Name: "quick tour", Task: "mixed", Base: 1, Trainer: "grpo", Agent: roster.Rules, Policy: "best-first", Segment: 40, Parallel: 1,
		Seed: 1, Budget: tree.Budget{Segments: 12, Confirm: 0.2}, Approval: tree.DefaultApproval(tree.AskAlways),
	}
	return o, nil
}

func priceFile() string { return filepath.Join(xdg.ConfigHome, "llmzero", "prices.toml") }

// Measure trains a few steps where that takes no longer than a form may take.
func (catalog) Measure(ctx context.Context, n tui.NewSearch) (tui.Pace, bool, error) {
	if n.Trainer != "grpo" {
		return tui.Pace{}, false, nil
	}
	p, err := trainer.Measure(ctx, &grpo.Trainer{Workers: cores}, trainer.Plan{Task: n.Task, Base: n.Base, Seed: 1, Config: n.Root})
	return tui.Pace{Step: p.Step, Tokens: p.StepTokens, Val: p.Val}, err == nil, err
}

func themeDir() string { return filepath.Join(xdg.ConfigHome, "llmzero", "themes") }
