package llm

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// modelEntry is what servers say of a model in /models, each in its own way: vLLM max_model_len, llama.cpp meta and
// capabilities, OpenRouter context_length, architecture and supported_parameters.
type modelEntry struct {
	MaxModelLen   int      `json:"max_model_len"`
	ContextLength int      `json:"context_length"`
	MaxContext    int      `json:"max_context_length"`
	Capabilities  []string `json:"capabilities"`
	Supported     []string `json:"supported_parameters"`
	Meta          struct {
		NCtx      int `json:"n_ctx"`
		NCtxTrain int `json:"n_ctx_train"`
	} `json:"meta"`
	Architecture struct {
		Input []string `json:"input_modalities"`
	} `json:"architecture"`
}

// Models lists the server's models with what it says of their context and eyes.
func (o *OpenAI) Models(ctx context.Context) ([]Model, error) {
	page, err := o.client.Models.List(ctx)
	if err != nil {
		return nil, o.explain(ctx, err, "", 0)
	}
	ollama := o.native.ask(ctx, o.base)
	var out []Model
	for _, m := range page.Data {
		if ollama != nil {
			if d, err := o.viaOllama(ctx, ollama, m.ID); err == nil {
				out = append(out, d)
				continue
			}
		}
		var e modelEntry
		// A field of another shape than expected leaves the rest unknown, which is what an empty entry says.
		if err := json.Unmarshal([]byte(m.RawJSON()), &e); err != nil {
			e = modelEntry{}
		}
		d := Model{Name: clean(m.ID, 200), Server: o.server()}
		for _, n := range []int{e.MaxModelLen, e.Meta.NCtx, e.ContextLength, e.MaxContext, e.Meta.NCtxTrain} {
			if n > 0 && d.Context == 0 {
				d.Context = n
			}
		}
		d.Vision = slices.Contains(e.Architecture.Input, "image") || slices.Contains(e.Capabilities, "multimodal") ||
			slices.Contains(e.Capabilities, "vision")
		d.Thinking = o.hosted || slices.Contains(e.Capabilities, "thinking") || slices.Contains(e.Capabilities, "reasoning") ||
			slices.Contains(e.Supported, "reasoning")
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b Model) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// Describe looks a model up in the list. A server that lists no models, or not this one, may still serve it: then only
// the name is known. Ollama behind /v1 is asked in its own way, since its list tells nothing.
func (o *OpenAI) Describe(ctx context.Context, name string) (Model, error) {
	if ollama := o.native.ask(ctx, o.base); ollama != nil {
		return o.viaOllama(ctx, ollama, name)
	}
	models, err := o.Models(ctx)
	if err != nil {
		if errors.Is(err, ErrNoModel) { // it has no /models
			return Model{Name: clean(name, maxName), Server: o.server(), Thinking: o.hosted}, nil
		}
		return Model{}, err
	}
	for _, m := range models {
		if m.Name == clean(name, maxName) {
			return m, nil
		}
	}
	return Model{Name: clean(name, maxName), Server: o.server(), Thinking: o.hosted}, nil
}

// viaOllama describes a model through Ollama's own API. A request to /v1 cannot ask for a context window.
func (o *OpenAI) viaOllama(ctx context.Context, ollama *Ollama, name string) (Model, error) {
	m, window, err := ollama.show(ctx, name)
	if err != nil {
		return Model{}, err
	}
	m.Window, m.Server = window, o.server()
	return m, nil
}

// native finds out whether an Ollama server stands behind /v1: it cuts prompts without a word, to a window that only its
// own API tells.
type native struct {
	transport *patience
	mu        sync.Mutex
	asked     bool
	ollama    *Ollama
}

// ask returns the Ollama server at the root of base, nil when it is none.
func (n *native) ask(ctx context.Context, base *url.URL) *Ollama {
	n.mu.Lock()
	defer n.mu.Unlock()
	path, ok := strings.CutSuffix(strings.TrimRight(base.Path, "/"), "/v1")
	if n.asked || !ok || base.Hostname() == hostedOpenAI {
		return n.ollama
	}
	root := url.URL{Scheme: base.Scheme, Host: base.Host, Path: path}
	o, err := newOllama(root.String(), n.transport)
	if err != nil {
		return nil
	}
	version, err := o.api.Version(ctx)
	switch {
	case ctx.Err() != nil:
		return nil
	case err == nil && version != "":
		o.version = "ollama " + clean(version, 40)
		n.ollama = o
	}
	n.asked = true
	return n.ollama
}

// found is the Ollama server that was found, if any.
func (n *native) found() *Ollama {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.ollama
}
