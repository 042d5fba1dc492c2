package llm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"llmzero/engine/agent"
	"llmzero/engine/agent/rules"
	"llmzero/engine/tree"
)

// Config says which model an agent asks and how.
type Config struct {
	Name    string // the agent's name: "ollama:qwen3:8b"
	Model   string // as the server names it
	Client  Client
	Catalog Catalog // nil: nothing is known of the model
	// Context is the context window to use, in tokens; 0 takes the model's, at most DefaultContext. A window that the
	// model cannot have is cut to the model's.
	Context int
	// Answer is the most tokens of an answer, its thoughts included, and never more than half the window. 0 takes
	// DefaultAnswer and at most a third of the window; for a model that thinks, and after an answer that was cut,
	// ThinkingAnswer.
	Answer  int
	Timeout time.Duration // of one call; 0: DefaultTimeout
	Vision  *bool         // overrules what the catalog says, nil: believe it
	Skill   bool          // the skill arm: a tuning guide and no tree
	Prices  Prices
	Now     func() time.Time // nil: time.Now
}

// Defaults of Config.
const (
	DefaultContext = 16384
	DefaultAnswer  = 1500
	ThinkingAnswer = 6144
	DefaultTimeout = 3 * time.Minute
)

// unknownContext is assumed when a server does not tell a model's context length.
const unknownContext = 8192

// Agent asks a model and falls back to the rules agent.
type Agent struct {
	cfg   Config
	rules rules.Agent

	mu    sync.Mutex
	model *Model  // as described; nil until the server answered
	scale float64 // real tokens of a prompt over estimated ones, learnt from the server's counts
	ratio float64 // as scale, of the last prompt that was read whole; 0: not known
	most  int     // estimated tokens of a prompt that the server may take, learnt from one that it did not; 0: no limit
	down  down
	asked map[judged]bool // which running segments were already asked about
}

var _ agent.Agent = (*Agent)(nil)

// New makes an agent. Nothing is asked before the first turn; Check asks at once.
func New(cfg Config) (*Agent, error) {
	if cfg.Client == nil || cfg.Model == "" {
		return nil, fmt.Errorf("agent %q: no model is named; write ollama:MODEL or openai:MODEL", cfg.Name)
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = DefaultTimeout
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Agent{cfg: cfg, scale: 1, asked: map[judged]bool{}}, nil
}

// Prefixes of agent names on the command line.
const (
	PrefixOllama = "ollama:"
	PrefixOpenAI = "openai:"
	PrefixSkill  = "skill:"
)

// The environment that tunes an agent for a slow machine or a small model.
const (
	EnvTimeout = "LLMZERO_AGENT_TIMEOUT" // of one call: 10m
	EnvContext = "LLMZERO_AGENT_CONTEXT" // tokens of the context window
	EnvAnswer  = "LLMZERO_AGENT_ANSWER"  // tokens of an answer, with what the model thinks before it
)

// environment reads what tunes an agent.
func (c *Config) environment() error {
	if s := os.Getenv(EnvTimeout); s != "" {
		d, err := time.ParseDuration(s)
		if err != nil || d <= 0 {
			return fmt.Errorf("%s is %q: want a duration like 90s or 10m", EnvTimeout, s)
		}
		c.Timeout = d
	}
	if s := os.Getenv(EnvContext); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < minContext || n > 1<<24 {
			return fmt.Errorf("%s is %q: want a number of tokens from %d on", EnvContext, s, minContext)
		}
		c.Context = n
	}
	if s := os.Getenv(EnvAnswer); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < minAnswer || n > 1<<24 {
			return fmt.Errorf("%s is %q: want a number of tokens from %d on", EnvAnswer, s, minAnswer)
		}
		c.Answer = n
	}
	return nil
}

// The least window that holds a question and its answer, and the least answer that holds a proposal.
const (
	minContext = 2048
	minAnswer  = 256
)

// Open makes the agent that a name says: ollama:MODEL, openai:MODEL, or skill: before either. Base overrides the server's
// address of the environment; it may be empty.
func Open(name, base string, prices Prices) (*Agent, error) {
	cfg := Config{Name: name, Prices: prices}
	if err := cfg.environment(); err != nil {
		return nil, err
	}
	rest := name
	if cfg.Skill = strings.HasPrefix(rest, PrefixSkill); cfg.Skill {
		rest = rest[len(PrefixSkill):]
	}
	switch {
	case strings.HasPrefix(rest, PrefixOllama):
		o, err := NewOllama(base)
		if err != nil {
			return nil, err
		}
		cfg.Model, cfg.Client, cfg.Catalog = rest[len(PrefixOllama):], o, o
	case strings.HasPrefix(rest, PrefixOpenAI):
		o, err := NewOpenAI(base)
		if err != nil {
			return nil, err
		}
		cfg.Model, cfg.Client, cfg.Catalog = rest[len(PrefixOpenAI):], o, o
	default:
		return nil, fmt.Errorf("agent %q: want rules, ollama:MODEL, openai:MODEL, skill:ollama:MODEL, skill:openai:MODEL or replay:SEARCH", name)
	}
	return New(cfg)
}

// Name is the agent's name as it was asked for.
func (a *Agent) Name() string { return a.cfg.Name }

// Check asks the server for the model, so that a search need not start to find out that it is not there.
func (a *Agent) Check(ctx context.Context) (Model, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, describeTimeout, ErrTimeout)
	defer cancel()
	return a.describe(ctx)
}

// describeTimeout limits the question for a model's properties, which a healthy server answers at once.
const describeTimeout = 10 * time.Second

// describe asks the catalog once and remembers its answer.
func (a *Agent) describe(ctx context.Context) (Model, error) {
	a.mu.Lock()
	known := a.model
	a.mu.Unlock()
	if known != nil {
		return *known, nil
	}
	m := Model{Name: a.cfg.Model}
	if a.cfg.Catalog != nil {
		var err error
		if m, err = a.cfg.Catalog.Describe(ctx, a.cfg.Model); err != nil {
			return Model{}, err
		}
	}
	if a.cfg.Vision != nil {
		m.Vision = *a.cfg.Vision
	}
	a.mu.Lock()
	a.model = &m
	a.mu.Unlock()
	return m, nil
}

// window is the context length to ask for and how much of it the answer may take; room asks for a long one.
func (a *Agent) window(m Model, room bool) (window, answer int) {
	window = a.cfg.Context
	if window <= 0 {
		window = DefaultContext
		switch n := m.Fits(); {
		case n <= 0:
			window = unknownContext
		case n < window:
			window = n
		}
	}
	if m.Context > 0 {
		window = min(window, m.Context)
	}
	switch {
	case a.cfg.Answer > 0:
		return window, min(a.cfg.Answer, window/2)
	case room || m.Thinking:
		return window, min(ThinkingAnswer, window/2)
	}
	return window, min(DefaultAnswer, window/3)
}

// Propose asks for a diagnosis and then for proposals. When either fails, the rules agent proposes, and the proposals'
// notes and the exchange say why.
func (a *Agent) Propose(ctx context.Context, t agent.Turn) (agent.Answer, error) {
	fallback, err := a.rules.Propose(ctx, t)
	if err != nil {
		return agent.Answer{}, err
	}
	places := placesOf(t, a.cfg.Skill)
	sections, err := describe(t, places, fallback.Findings, a.cfg.Skill)
	if err != nil {
		return agent.Answer{}, err
	}
	c := a.conversation(t.Node.ID, t.Seed, sections)
	if len(t.Points) > 0 {
		c.plots = func() ([][]byte, error) { return plots(t) }
	}
	answer := agent.Answer{Findings: fallback.Findings}
	if len(t.Points) > 0 && t.Failure == nil {
		found, ok, err := a.diagnose(ctx, c, t)
		answer.Exchanges = append(answer.Exchanges, c.exchanges...)
		c.exchanges = nil
		if err != nil {
			return agent.Answer{}, err
		}
		switch {
		case ok:
			answer.Findings = found
		case c.dead: // what kept it from a diagnosis keeps it from proposals
			answer.Proposals = a.signed(fallback.Proposals, answer.Exchanges[len(answer.Exchanges)-1])
			return answer, nil
		}
	}
	found, ok, err := a.propose(ctx, c, t, places)
	answer.Exchanges = append(answer.Exchanges, c.exchanges...)
	if err != nil {
		return agent.Answer{}, err
	}
	last := answer.Exchanges[len(answer.Exchanges)-1]
	if !ok {
		answer.Proposals = a.signed(fallback.Proposals, last)
		return answer, nil
	}
	for i := range found {
		found[i].Diagnosis, found[i].By, found[i].Exchange = answer.Findings, a.cfg.Name, last.ID
		if last.Repaired {
			found[i].Note = "the answer was wrong at first and repaired once"
		}
	}
	answer.Proposals = found
	return answer, nil
}

func (a *Agent) diagnose(ctx context.Context, c *conversation, t agent.Turn) ([]tree.Finding, bool, error) {
	s, err := diagnosisSchema(t.Points)
	if err != nil {
		return nil, false, err
	}
	return ask(ctx, a, c, question[[]tree.Finding]{
		phase: "diagnose", schema: s, template: "diagnose", data: list(tree.Pathologies),
		read: func(text string) ([]tree.Finding, []string) {
			d, err := decode[diagnosis](text, s)
			if err != nil {
				return nil, []string{err.Error()}
			}
			return d.read(t.Points)
		},
		usable: func(f []tree.Finding) bool { return len(f) > 0 },
	})
}

func (a *Agent) propose(ctx context.Context, c *conversation, t agent.Turn, places []place) ([]tree.Transition, bool, error) {
	count := min(maxProposals, max(1, t.Count))
	least, most := t.StepBounds()
	s, err := proposalsSchema(t, places, count)
	if err != nil {
		return nil, false, err
	}
	var names []string
	for _, p := range places {
		names = append(names, p.name)
	}
	first := false // whether the answer's best proposal may be made
	return ask(ctx, a, c, question[[]tree.Transition]{
		phase: "propose", schema: s, template: "propose",
		data: map[string]any{
			"Count": count, "Steps": max(1, t.Steps), "Least": least, "Most": most, "Places": list(names), "Changes": maxChanges,
		},
		read: func(text string) ([]tree.Transition, []string) {
			p, err := decode[proposals](text, s)
			if err != nil {
				return nil, []string{err.Error()}
			}
			best, _ := proposals{p.Proposals[:min(1, len(p.Proposals))]}.read(t, places)
			first = len(best) > 0
			return p.read(t, places)
		},
		usable: func(p []tree.Transition) bool { return len(p) > 0 },
		// A wrong spare is no reason to ask again.
		enough: func([]tree.Transition) bool { return first },
	})
}

// signed marks the rules agent's proposals as the stand-in that they are.
func (a *Agent) signed(ps []tree.Transition, last tree.Exchange) []tree.Transition {
	out := slices.Clone(ps)
	for i := range out {
		out[i].Exchange = last.ID
		out[i].Note = fmt.Sprintf("%s gave no usable answer, so the rules agent stepped in: %s", a.cfg.Name, last.Fallback)
	}
	return out
}

// ended tells whether the caller's own context ended, which is no failure of the server.
func ended(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	if cause := context.Cause(ctx); !errors.Is(cause, ErrTimeout) {
		return cause
	}
	return ctx.Err()
}
