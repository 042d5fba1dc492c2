package llm

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/ollama/ollama/api"
	"github.com/ollama/ollama/envconfig"
	"github.com/ollama/ollama/types/model"
)

// Ollama asks an Ollama server.
type Ollama struct {
	base *url.URL
	api  *api.Client

	mu      sync.Mutex
	version string
}

var (
	_ Client  = (*Ollama)(nil)
	_ Catalog = (*Ollama)(nil)
)

// NewOllama makes a client of the server at base, or when base is empty at OLLAMA_HOST, which defaults to this machine.
func NewOllama(base string) (*Ollama, error) {
	return newOllama(base, newTransport())
}

func newOllama(base string, t *patience) (*Ollama, error) {
	t.shape = func(message string) any { return map[string]string{"error": message} }
	u := envconfig.Host()
	if base != "" {
		var err error
		if u, err = url.Parse(base); err != nil || u.Host == "" {
			return nil, fmt.Errorf("ollama address %q: want something like http://127.0.0.1:11434", redactURL(base))
		}
	}
	return &Ollama{base: u, api: api.NewClient(u, &http.Client{Transport: t})}, nil
}

// Chat streams an answer and joins it. The server neither truncates the prompt nor shifts the context: a prompt that does
// not fit is ErrTooLong.
func (o *Ollama) Chat(ctx context.Context, r Request) (Reply, error) {
	no, yes := false, true
	req := &api.ChatRequest{
		Model: r.Model, Stream: &yes, Format: r.Schema, Truncate: &no, Shift: &no,
		Options: map[string]any{"num_ctx": r.Context, "num_predict": r.Answer, "seed": r.Seed, "temperature": 0.2},
	}
	for _, m := range r.Messages {
		msg := api.Message{Role: string(m.Role), Content: m.Text}
		for _, img := range m.Images {
			msg.Images = append(msg.Images, img)
		}
		req.Messages = append(req.Messages, msg)
	}
	var text strings.Builder
	var last api.ChatResponse
	err := o.api.Chat(ctx, req, func(c api.ChatResponse) error {
		if text.Len()+len(c.Message.Content) > maxAnswer {
			return ErrCut
		}
		text.WriteString(c.Message.Content)
		last = c
		return nil
	})
	if err != nil {
		return Reply{}, o.explain(ctx, err, r.Model)
	}
	// The library returns nil when the connection ends early, whatever ended it.
	if err := finish(ctx, text.String(), last.Done, last.DoneReason == "length"); err != nil {
		return Reply{}, fmt.Errorf("ollama %s: %w", r.Model, err)
	}
	return Reply{
		Text: text.String(), Model: last.Model, Server: o.server(ctx),
		TokensIn: int64(last.PromptEvalCount), TokensOut: int64(last.EvalCount),
	}, nil
}

// Models lists what the server has pulled.
func (o *Ollama) Models(ctx context.Context) ([]Model, error) {
	list, err := o.api.List(ctx)
	if err != nil {
		return nil, o.explain(ctx, err, "")
	}
	var out []Model
	for _, m := range list.Models {
		d, err := o.Describe(ctx, m.Name)
		if ctx.Err() != nil {
			return nil, err
		}
		if err != nil { // one broken model must not hide the others
			d = Model{Name: m.Name}
		}
		d.Size = m.Size
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b Model) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// Describe asks for a model's context length and whether it sees images.
func (o *Ollama) Describe(ctx context.Context, name string) (Model, error) {
	show, err := o.api.Show(ctx, &api.ShowRequest{Model: name})
	if err != nil {
		return Model{}, o.explain(ctx, err, name)
	}
	m := Model{
		Name: name, Params: clean(show.Details.ParameterSize, 20), Server: o.server(ctx),
		Vision: slices.Contains(show.Capabilities, model.CapabilityVision),
	}
	for key, v := range show.ModelInfo {
		if n, ok := v.(float64); ok && strings.HasSuffix(key, ".context_length") && n > 0 && n < 1<<31 {
			m.Context = int(n)
		}
	}
	return m, nil
}

// server names the server and its version, asked for once.
func (o *Ollama) server(ctx context.Context) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.version == "" {
		v, err := o.api.Version(ctx)
		if err != nil {
			return "ollama"
		}
		o.version = "ollama " + clean(v, 40)
	}
	return o.version
}

// explain turns the library's errors into ours, with what to do.
func (o *Ollama) explain(ctx context.Context, err error, name string) error {
	if ctx.Err() != nil {
		return fmt.Errorf("ollama %s: %w", name, context.Cause(ctx))
	}
	if errors.Is(err, ErrCut) {
		return fmt.Errorf("ollama %s: %w", name, err)
	}
	var status api.StatusError
	if errors.As(err, &status) {
		message := status.ErrorMessage
		if status.StatusCode == http.StatusNotFound && name != "" {
			message += "; `ollama pull " + name + "` fetches it, `ollama list` shows what is there"
		}
		return serverError("ollama at "+o.base.Host, status.StatusCode, message)
	}
	var auth api.AuthorizationError
	if errors.As(err, &auth) {
		return serverError("ollama at "+o.base.Host, auth.StatusCode, "it wants a login")
	}
	var u *url.Error
	if errors.As(err, &u) {
		return fmt.Errorf("%w at %s (%w): start Ollama with `ollama serve`, or point OLLAMA_HOST at it", ErrNoServer, o.base.Host, u.Err)
	}
	if overflows(err.Error()) {
		return fmt.Errorf("ollama %s: %w: %s", name, ErrTooLong, clean(err.Error(), 300))
	}
	return fmt.Errorf("ollama at %s: %s: %w", o.base.Host, clean(err.Error(), 300), ErrBroken)
}
