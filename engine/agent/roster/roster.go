// Package roster finds an agent by the name that a person types, and lists the agents that are there.
//
//	rules                 the pathology table; needs nothing
//	ollama:MODEL          a model of an Ollama server
//	openai:MODEL          a model of a server with OpenAI's chat API
//	skill:…               either with a tuning guide and no tree, for comparisons
//	replay:SEARCH         what was said in a recorded search
package roster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"llmzero/engine/agent"
	"llmzero/engine/agent/llm"
	"llmzero/engine/agent/rules"
	"llmzero/engine/tree"
)

// Rules is the name of the default agent.
const Rules = "rules"

// Help names the agents for a flag's help.
const Help = "rules, ollama:MODEL, openai:MODEL, skill:… before either, replay:SEARCH"

// probeTime is how long a server may take to say what it has.
const probeTime = 10 * time.Second

// ErrUnknown is returned for a name that no agent has.
var ErrUnknown = errors.New("no such agent")

// Source is where recordings and prices come from.
type Source struct {
	// Recording reads a search to be replayed.
	Recording func(ctx context.Context, search string) (llm.Recording, error)
	// PriceFile is a TOML table of what models cost; a file that does not exist is an empty table.
	PriceFile string
}

// Open makes the agent of a name. It asks no server: a search whose server is gone goes on by the rules.
func (s Source) Open(ctx context.Context, name string) (agent.Agent, error) {
	switch {
	case name == Rules || name == "":
		return rules.New(), nil
	case strings.HasPrefix(name, llm.PrefixReplay):
		rec, err := s.Recording(ctx, strings.TrimPrefix(name, llm.PrefixReplay))
		if err != nil {
			return nil, fmt.Errorf("agent %s: %w", name, err)
		}
		return llm.NewReplay(rec)
	case isModel(name):
		prices, err := s.prices()
		if err != nil {
			return nil, err
		}
		return llm.Open(name, "", prices)
	}
	return nil, fmt.Errorf("%w: %q; there are %s", ErrUnknown, name, Help)
}

func isModel(name string) bool {
	name = strings.TrimPrefix(name, llm.PrefixSkill)
	return strings.HasPrefix(name, llm.PrefixOllama) || strings.HasPrefix(name, llm.PrefixOpenAI)
}

func (s Source) prices() (llm.Prices, error) {
	b, err := os.ReadFile(s.PriceFile)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("prices: %w", err)
	}
	p, err := llm.ParsePrices(b)
	if err != nil {
		return nil, fmt.Errorf("prices in %s: %w", s.PriceFile, err)
	}
	return p, nil
}

// Check asks an agent's server whether it is there and has the model, so that a search does not start without it.
func Check(ctx context.Context, a agent.Agent) error {
	m, ok := a.(*llm.Agent)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	if _, err := m.Check(ctx); err != nil {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return fmt.Errorf("agent %s: its server did not answer within %s; is it busy or still loading a model? Try again", a.Name(), probeTime)
		}
		return fmt.Errorf("agent %s: %w", a.Name(), err)
	}
	return nil
}

// Record makes a recording of a tree and the exchanges of its agent.
func Record(t *tree.Tree, exchanges []tree.Exchange) llm.Recording {
	rec := llm.Recording{Search: t.Spec.ID, Exchanges: exchanges}
	for _, n := range t.Nodes {
		rec.Nodes = append(rec.Nodes, *n)
	}
	return rec
}

// Choice is an agent that can be chosen now.
type Choice struct{ Name, Help string }

// Choices lists the agents that can be chosen now: the rules, and the models of servers that answer.
func Choices(ctx context.Context) []Choice {
	out := []Choice{{Rules, "the pathology table as rules; needs nothing"}}
	for _, s := range llm.Survey(ctx) {
		for _, m := range s.Models {
			out = append(out, Choice{s.Prefix + m.Name, Describe(m)})
		}
	}
	return out
}

// Title is the name of a kind of server for people.
func Title(s llm.Server) string {
	if s.Prefix == llm.PrefixOllama {
		return "Ollama"
	}
	return "OpenAI API"
}

// Say is a server in a few words: its models, or why there are none.
func Say(s llm.Server) string {
	switch {
	case errors.Is(s.Err, llm.ErrNoServer):
		return "not running"
	case s.Err != nil:
		return s.Err.Error()
	case len(s.Models) == 0:
		return "running, without any model"
	}
	names := make([]string, 0, len(s.Models))
	for _, m := range s.Models {
		names = append(names, Describe(m))
	}
	return strings.Join(names, ", ")
}

// Describe is a model in a few words: name, context length, whether it sees images.
func Describe(m llm.Model) string {
	var notes []string
	if n := m.Fits(); n > 0 {
		notes = append(notes, fmt.Sprintf("%dk context", (n+512)/1024))
	}
	if m.Vision {
		notes = append(notes, "sees images")
	}
	if m.Thinking {
		notes = append(notes, "thinks")
	}
	if len(notes) == 0 {
		return m.Name
	}
	return m.Name + " (" + strings.Join(notes, ", ") + ")"
}
