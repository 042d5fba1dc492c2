package llm

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

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
	var text, thoughts strings.Builder
	var last api.ChatResponse
	ctx, told := withRetryAfter(ctx)
	err := o.api.Chat(ctx, req, func(c api.ChatResponse) error {
		if text.Len()+thoughts.Len()+len(c.Message.Content)+len(c.Message.Thinking) > maxAnswer {
			return ErrCut
		}
		text.WriteString(c.Message.Content)
		thoughts.WriteString(c.Message.Thinking)
		last = c
		return nil
	})
	reply := Reply{
		Text: text.String(), Thinking: thoughts.String(), Model: last.Model,
		TokensIn: int64(last.PromptEvalCount), TokensOut: int64(last.EvalCount),
	}
	if err != nil {
		return reply, o.explain(ctx, err, r.Model, *told)
	}
	// The library returns nil when the connection ends early, whatever ended it.
	if err := finish(ctx, reply.Text, last.Done, last.DoneReason == "length"); err != nil {
		return reply, fmt.Errorf("ollama %s: %w", r.Model, err)
	}
	reply.Server = o.server(ctx)
	return reply, nil
}

// Models lists what the server has pulled.
func (o *Ollama) Models(ctx context.Context) ([]Model, error) {
	list, err := o.api.List(ctx)
	if err != nil {
		return nil, o.explain(ctx, err, "", 0)
	}
	var out []Model
	for _, m := range list.Models {
		d, err := o.Describe(ctx, m.Name)
		if ctx.Err() != nil {
			return nil, o.explain(ctx, context.Cause(ctx), "", 0)
		}
		if err != nil { // one broken model must not hide the others
			d = Model{Name: clean(m.Name, maxName)}
		}
		d.Size = m.Size
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b Model) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// maxName is the most characters of a model's name that are shown.
const maxName = 200

// Describe asks for a model's context length, whether it sees images and whether it thinks. The name in what it returns is
// for people, without what could steer a terminal.
func (o *Ollama) Describe(ctx context.Context, name string) (Model, error) {
	m, _, err := o.show(ctx, name)
	return m, err
}

// defaultWindow is the least context that a server runs a model with when neither the model nor a request asks for one. On
// a large GPU it may be more, which the server does not tell.
const defaultWindow = 4096

// show describes a model and tells the context window that a request gets which cannot ask for one.
func (o *Ollama) show(ctx context.Context, name string) (m Model, window int, err error) {
	show, err := o.api.Show(ctx, &api.ShowRequest{Model: name})
	if err != nil {
		return Model{}, 0, o.explain(ctx, err, name, 0)
	}
	m = Model{
		Name: clean(name, maxName), Params: clean(show.Details.ParameterSize, 20), Server: o.server(ctx),
		Vision:   slices.Contains(show.Capabilities, model.CapabilityVision),
		Thinking: slices.Contains(show.Capabilities, model.CapabilityThinking),
	}
	for key, v := range show.ModelInfo {
		if n, ok := v.(float64); ok && strings.HasSuffix(key, ".context_length") && n > 0 && n < 1<<31 {
			m.Context = int(n)
		}
	}
	window = defaultWindow
	for line := range strings.Lines(show.Parameters) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == "num_ctx" {
			if n, err := strconv.Atoi(f[1]); err == nil && n > 0 {
				window = n
			}
		}
	}
	return m, window, nil
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

// known is the server and its version if it was asked for.
func (o *Ollama) known() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.version
}

// explain turns the library's errors into ours, with what to do.
func (o *Ollama) explain(ctx context.Context, err error, name string, after time.Duration) error {
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
		return serverError("ollama at "+o.base.Host, status.StatusCode, message, after)
	}
	var auth api.AuthorizationError
	if errors.As(err, &auth) {
		return serverError("ollama at "+o.base.Host, auth.StatusCode, "it wants a login", 0)
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
