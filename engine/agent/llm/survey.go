package llm

import (
	"context"
	"os"
	"slices"
	"sync"
	"time"
)

// Server is what a survey found at one address.
type Server struct {
	Prefix  string // PrefixOllama or PrefixOpenAI: with a model's name behind it, the name of an agent
	Address string
	Models  []Model
	Err     error // why there are none, with what to do
}

// surveyTimeout limits the look at one server.
const surveyTimeout = 5 * time.Second

// Survey looks at the Ollama server and, when the environment names one, at the OpenAI-compatible server, at the same time.
func Survey(ctx context.Context) []Server {
	ctx, cancel := context.WithTimeoutCause(ctx, surveyTimeout, ErrTimeout)
	defer cancel()
	var out []Server
	var wg sync.WaitGroup
	look := func(s *Server, c Catalog) {
		wg.Go(func() { s.Models, s.Err = c.Models(ctx) })
	}
	o, err := NewOllama("")
	if err != nil {
		out = append(out, Server{Prefix: PrefixOllama, Err: err})
	} else {
		out = append(out, Server{Prefix: PrefixOllama, Address: o.base.Host})
	}
	var p *OpenAI
	named := func(env string) bool { return os.Getenv(env) != "" }
	if slices.ContainsFunc([]string{EnvOpenAIBase, EnvOpenAIBaseOther, EnvOpenAIKey, EnvOpenAIKeyOther}, named) {
		if p, err = NewOpenAI(""); err != nil {
			out = append(out, Server{Prefix: PrefixOpenAI, Err: err})
		} else {
			out = append(out, Server{Prefix: PrefixOpenAI, Address: p.base.Host})
		}
	}
	if o != nil {
		look(&out[0], o)
	}
	if p != nil {
		look(&out[1], p)
	}
	wg.Wait()
	return out
}
