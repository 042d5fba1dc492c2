package llm

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	openai "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/shared"
)

// OpenAI asks a server with OpenAI's chat API: vLLM, llama.cpp, LM Studio, Ollama's /v1, hosted ones.
type OpenAI struct {
	base   *url.URL
	key    key
	client openai.Client
	hosted bool        // OpenAI's own service, whose newer models refuse some parameters
	plain  atomic.Bool // the server refused a response format: ask without, the prompt has the schema too
	native native
}

var (
	_ Client  = (*OpenAI)(nil)
	_ Catalog = (*OpenAI)(nil)
)

// NewOpenAI makes a client of the server at base, or when base is empty at the base URL of the environment, with the key of
// the environment that may go there. Without any base URL it is OpenAI's own service, and then a key must be there.
func NewOpenAI(base string) (*OpenAI, error) {
	base, k, err := openAIServer(base)
	if err != nil {
		return nil, err
	}
	return newOpenAI(base, k, newTransport())
}

func newOpenAI(base string, k key, t *patience) (*OpenAI, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, fmt.Errorf("%s is %q: %w", EnvOpenAIBase, redactURL(base), errAddress)
	}
	ollama := *t
	o := &OpenAI{base: u, key: k, hosted: u.Hostname() == hostedOpenAI, native: native{transport: &ollama}}
	t.shape = func(message string) any { return map[string]any{"error": map[string]string{"message": message}} }
	value := k.value
	if value == "" {
		value = "none" // local servers ask for none, and the library insists on one
	}
	opts := []option.RequestOption{
		option.WithBaseURL(base), option.WithMaxRetries(0), option.WithHTTPClient(&http.Client{Transport: t}), option.WithAPIKey(value),
	}
	if o.hosted {
		o.client = openai.NewClient(opts...)
	} else { // NewClient would send an organisation, an admin key and headers of the environment, which are for OpenAI
		o.client = openai.Client{Chat: openai.NewChatService(opts...), Models: openai.NewModelService(opts...)}
	}
	return o, nil
}

// Chat asks for an answer that follows the schema; a server that does not know response formats is asked without.
func (o *OpenAI) Chat(ctx context.Context, r Request) (Reply, error) {
	plain := o.plain.Load()
	ctx, told := withRetryAfter(ctx)
	res, err := o.client.Chat.Completions.New(ctx, o.params(r, plain))
	var bad *openai.Error
	if !plain && errors.As(err, &bad) && (bad.StatusCode == 400 || bad.StatusCode == 422) && !overflows(bad.Message) {
		if res, err = o.client.Chat.Completions.New(ctx, o.params(r, true)); err == nil {
			o.plain.Store(true)
		}
	}
	if err != nil {
		return Reply{}, o.explain(ctx, err, r.Model, *told)
	}
	reply := Reply{
		Model: clean(res.Model, 100), Server: o.server(), TokensIn: res.Usage.PromptTokens, TokensOut: res.Usage.CompletionTokens,
		Cached: res.Usage.PromptTokensDetails.CachedTokens,
	}
	if len(res.Choices) == 0 {
		return reply, fmt.Errorf("openai %s: %w", r.Model, ErrEmpty)
	}
	c := res.Choices[0]
	reply.Text, reply.Thinking = head(c.Message.Content, maxAnswer), head(thoughts(c.Message), maxAnswer)
	switch {
	case c.Message.Refusal != "":
		err = fmt.Errorf("%w: %s", ErrRefused, clean(c.Message.Refusal, 200))
	case len(c.Message.Content) > maxAnswer:
		err = ErrCut
	default:
		err = finish(ctx, reply.Text, c.FinishReason != "", c.FinishReason == "length")
	}
	if err != nil {
		return reply, fmt.Errorf("openai %s: %w", r.Model, err)
	}
	return reply, nil
}

// thoughts are told apart by servers under two names that OpenAI's own API does not have.
func thoughts(m openai.ChatCompletionMessage) string {
	for _, name := range []string{"reasoning_content", "reasoning"} {
		var text string
		if f, ok := m.JSON.ExtraFields[name]; ok && json.Unmarshal([]byte(f.Raw()), &text) == nil && text != "" {
			return text
		}
	}
	return ""
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

func (o *OpenAI) server() string {
	if n := o.native.found(); n != nil {
		return "openai-compatible at " + o.base.Host + ", " + n.known()
	}
	return "openai-compatible at " + o.base.Host
}

// explain says what failed without the key, whatever the server or the library put into their errors.
func (o *OpenAI) explain(ctx context.Context, err error, name string, after time.Duration) error {
	if ctx.Err() != nil {
		return fmt.Errorf("openai %s: %w", name, context.Cause(ctx))
	}
	var status *openai.Error
	if errors.As(err, &status) {
		message := status.Message
		switch {
		case status.StatusCode == http.StatusUnauthorized:
			message = o.key.refused()
		case message == "":
			message = http.StatusText(status.StatusCode)
		}
		return serverError(o.server(), status.StatusCode, o.redact(message), after)
	}
	var u *url.Error
	if errors.As(err, &u) {
		return fmt.Errorf("%w at %s (%s): is it running, and is %s right?", ErrNoServer, o.base.Host, o.redact(u.Err.Error()), EnvOpenAIBase)
	}
	return fmt.Errorf("%s: %s: %w", o.server(), clean(o.redact(err.Error()), 300), ErrBroken)
}

// redact takes the key out of a text.
func (o *OpenAI) redact(s string) string {
	if o.key.value != "" {
		s = strings.ReplaceAll(s, o.key.value, "***")
	}
	return s
}
