package llm

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync/atomic"

	openai "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/shared"
)

// The environment that names an OpenAI-compatible server and its key. The key is read when a client is made and never
// leaves it but in the Authorization header.
const (
	EnvOpenAIBase      = "LLMZERO_OPENAI_BASE_URL"
	EnvOpenAIBaseOther = "OPENAI_BASE_URL"
	EnvOpenAIKey       = "OPENAI_API_KEY"
)

const defaultOpenAIBase = "https://api.openai.com/v1"

// OpenAI asks a server with OpenAI's chat API: vLLM, llama.cpp, LM Studio, Ollama's /v1, hosted ones.
type OpenAI struct {
	base   *url.URL
	key    string
	client openai.Client
	hosted bool        // OpenAI's own service, whose newer models refuse some parameters
	plain  atomic.Bool // the server refused a response format: ask without, the prompt has the schema too
}

var (
	_ Client  = (*OpenAI)(nil)
	_ Catalog = (*OpenAI)(nil)
)

// NewOpenAI makes a client of the server at base, or when base is empty at the base URL of the environment, with the key of
// the environment. Without any base URL it is OpenAI's own service, and then a key must be there.
func NewOpenAI(base string) (*OpenAI, error) {
	if base == "" {
		base = os.Getenv(EnvOpenAIBase)
	}
	if base == "" {
		base = os.Getenv(EnvOpenAIBaseOther)
	}
	return newOpenAI(base, os.Getenv(EnvOpenAIKey), newTransport())
}

func newOpenAI(base, key string, t *patience) (*OpenAI, error) {
	t.shape = func(message string) any { return map[string]any{"error": map[string]string{"message": message}} }
	if base == "" {
		if key == "" {
			return nil, fmt.Errorf("no OpenAI-compatible server: set %s to its address (http://127.0.0.1:8000/v1), or %s for OpenAI's own", EnvOpenAIBase, EnvOpenAIKey)
		}
		base = defaultOpenAIBase
	}
	u, err := url.Parse(base)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("%s is %q: want something like http://127.0.0.1:8000/v1", EnvOpenAIBase, redactURL(base))
	}
	o := &OpenAI{base: u, key: key, hosted: u.Hostname() == "api.openai.com"}
	opts := []option.RequestOption{
		option.WithBaseURL(base), option.WithMaxRetries(0), option.WithHTTPClient(&http.Client{Transport: t}),
	}
	if key == "" {
		key = "none" // local servers ask for none, and the library insists on one
	}
	o.client = openai.NewClient(append(opts, option.WithAPIKey(key))...)
	return o, nil
}

// Chat asks for an answer that follows the schema; a server that does not know response formats is asked without.
func (o *OpenAI) Chat(ctx context.Context, r Request) (Reply, error) {
	plain := o.plain.Load()
	res, err := o.client.Chat.Completions.New(ctx, o.params(r, plain))
	var bad *openai.Error
	if !plain && errors.As(err, &bad) && (bad.StatusCode == 400 || bad.StatusCode == 422) && !overflows(bad.Message) {
		if res, err = o.client.Chat.Completions.New(ctx, o.params(r, true)); err == nil {
			o.plain.Store(true)
		}
	}
	if err != nil {
		return Reply{}, o.explain(ctx, err, r.Model)
	}
	if len(res.Choices) == 0 {
		return Reply{}, fmt.Errorf("openai %s: %w", r.Model, ErrEmpty)
	}
	c := res.Choices[0]
	if c.Message.Refusal != "" {
		return Reply{}, fmt.Errorf("openai %s: the model refused: %s", r.Model, clean(c.Message.Refusal, 200))
	}
	if len(c.Message.Content) > maxAnswer {
		return Reply{}, fmt.Errorf("openai %s: %w", r.Model, ErrCut)
	}
	if err := finish(ctx, c.Message.Content, c.FinishReason != "", c.FinishReason == "length"); err != nil {
		return Reply{}, fmt.Errorf("openai %s: %w", r.Model, err)
	}
	return Reply{
		Text: c.Message.Content, Model: clean(res.Model, 100), Server: o.server(),
		TokensIn: res.Usage.PromptTokens, TokensOut: res.Usage.CompletionTokens,
	}, nil
}

func (o *OpenAI) params(r Request, plain bool) openai.ChatCompletionNewParams {
	p := openai.ChatCompletionNewParams{Model: r.Model}
	for _, m := range r.Messages {
		p.Messages = append(p.Messages, openAIMessage(m))
	}
	if o.hosted {
		p.MaxCompletionTokens = openai.Int(int64(r.Answer))
	} else {
		p.MaxTokens = openai.Int(int64(r.Answer))
	}
	if plain {
		return p
	}
	if !o.hosted {
		p.Temperature = openai.Float(0.2)
		p.Seed = openai.Int(int64(r.Seed))
	}
	if len(r.Schema) > 0 {
		p.ResponseFormat.OfJSONSchema = &shared.ResponseFormatJSONSchemaParam{
			JSONSchema: shared.ResponseFormatJSONSchemaJSONSchemaParam{Name: "answer", Schema: r.Schema},
		}
	}
	return p
}

func openAIMessage(m Message) openai.ChatCompletionMessageParamUnion {
	switch m.Role {
	case RoleSystem:
		return openai.SystemMessage(m.Text)
	case RoleAssistant:
		return openai.AssistantMessage(m.Text)
	default:
	}
	if len(m.Images) == 0 {
		return openai.UserMessage(m.Text)
	}
	parts := []openai.ChatCompletionContentPartUnionParam{openai.TextContentPart(m.Text)}
	for _, png := range m.Images {
		parts = append(parts, openai.ImageContentPart(openai.ChatCompletionContentPartImageImageURLParam{
			URL: "data:image/png;base64," + base64.StdEncoding.EncodeToString(png),
		}))
	}
	return openai.UserMessage(parts)
}

// modelEntry is what servers say of a model in /models, each in its own way: vLLM max_model_len, llama.cpp meta and
// capabilities, OpenRouter context_length and architecture.
type modelEntry struct {
	MaxModelLen   int      `json:"max_model_len"`
	ContextLength int      `json:"context_length"`
	MaxContext    int      `json:"max_context_length"`
	Capabilities  []string `json:"capabilities"`
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
		return nil, o.explain(ctx, err, "")
	}
	var out []Model
	for _, m := range page.Data {
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
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b Model) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// Describe looks a model up in the list. A server that lists no models, or not this one, may still serve it: then only
// the name is known.
func (o *OpenAI) Describe(ctx context.Context, name string) (Model, error) {
	models, err := o.Models(ctx)
	if err != nil {
		if errors.Is(err, ErrNoModel) { // it has no /models
			return Model{Name: name, Server: o.server()}, nil
		}
		return Model{}, err
	}
	for _, m := range models {
		if m.Name == name {
			return m, nil
		}
	}
	return Model{Name: name, Server: o.server()}, nil
}

func (o *OpenAI) server() string { return "openai-compatible at " + o.base.Host }

// explain says what failed without the key, whatever the server or the library put into their errors.
func (o *OpenAI) explain(ctx context.Context, err error, name string) error {
	if ctx.Err() != nil {
		return fmt.Errorf("openai %s: %w", name, context.Cause(ctx))
	}
	var status *openai.Error
	if errors.As(err, &status) {
		message := status.Message
		switch {
		case status.StatusCode == http.StatusUnauthorized:
			message = "the key in " + EnvOpenAIKey + " is missing or not accepted"
		case message == "":
			message = http.StatusText(status.StatusCode)
		}
		return serverError(o.server(), status.StatusCode, o.redact(message))
	}
	var u *url.Error
	if errors.As(err, &u) {
		return fmt.Errorf("%w at %s (%s): is it running, and is %s right?", ErrNoServer, o.base.Host, o.redact(u.Err.Error()), EnvOpenAIBase)
	}
	return fmt.Errorf("%s: %s: %w", o.server(), clean(o.redact(err.Error()), 300), ErrBroken)
}

// redact takes the key out of a text.
func (o *OpenAI) redact(s string) string {
	if o.key != "" {
		s = strings.ReplaceAll(s, o.key, "***")
	}
	return s
}

// redactURL takes user, password and query out of an address that goes into an error.
func redactURL(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return "***"
	}
	u.User, u.RawQuery = nil, ""
	return u.String()
}
