package llm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"llmzero/engine/tree"
)

// Client asks a model. Implementations are safe for concurrent use.
type Client interface {
	// Chat sends a conversation and waits for the whole answer. It returns an error unless the model finished of its
	// own accord; beside the error of a cut, empty, refused or unfinished answer stands what there is of it, since it
	// was paid for.
	Chat(ctx context.Context, r Request) (Reply, error)
}

// Catalog tells which models a server has.
type Catalog interface {
	// Models lists them by name.
	Models(ctx context.Context) ([]Model, error)
	// Describe tells about one. The error wraps ErrNoModel when the server does not have it.
	Describe(ctx context.Context, name string) (Model, error)
}

// Model is what a server says of a model.
type Model struct {
	Name    string `json:"name"`
	Context int    `json:"context"` // tokens that fit, 0 when the server does not say
	Vision  bool   `json:"vision"`  // whether it sees images
	// Window is the context that the server runs the model with when a request cannot ask for one; 0: Context.
	Window   int    `json:"window,omitempty"`
	Thinking bool   `json:"thinking,omitempty"` // whether it thinks before it answers
	Size     int64  `json:"size,omitempty"`     // bytes, 0 when the server does not say
	Params   string `json:"params,omitempty"`   // "8.0B"
	Server   string `json:"server,omitempty"`   // "ollama 0.17.7"
}

// Fits is how many tokens fit when a request asks for no window of its own; 0 when the server does not say.
func (m Model) Fits() int {
	if m.Window > 0 && (m.Context <= 0 || m.Window < m.Context) {
		return m.Window
	}
	return m.Context
}

// Role says who speaks.
type Role string

// The roles of a conversation.
const (
	RoleSystem    Role = "system"
	RoleUser      Role = "user"
	RoleAssistant Role = "assistant"
)

// Message is one turn of a conversation.
type Message struct {
	Role   Role
	Text   string
	Images [][]byte // PNG
}

// Request is one call of a model.
type Request struct {
	Model    string
	Messages []Message
	Schema   json.RawMessage // JSON schema that the answer must follow
	Context  int             // tokens of the context window, prompt and answer together
	Answer   int             // most tokens of the answer
	Seed     int
	Node     tree.NodeID // what the call is about, for recordings
	Phase    string
	Attempt  int // 0 at first, 1 when a wrong answer was sent back
}

// Reply is a model's whole answer.
type Reply struct {
	Text      string
	Thinking  string // what it thought before it answered, when the server tells it apart
	Model     string // as the server names it
	Server    string // "ollama 0.17.7"
	TokensIn  int64
	Cached    int64 // tokens of the prompt that the server had from before; some servers leave them out of TokensIn
	TokensOut int64
}

// Errors of a call.
var (
	// ErrNoServer is returned when nothing answers at the server's address.
	ErrNoServer = errors.New("no server")
	// ErrNoModel is returned when the server does not have the model.
	ErrNoModel = errors.New("no such model")
	// ErrCut is returned when an answer reached its token limit before its end.
	ErrCut = errors.New("the answer was cut at its token limit")
	// ErrEmpty is returned when the model finished without saying anything.
	ErrEmpty = errors.New("the answer is empty")
	// ErrBroken is returned when an answer ended without the server's mark that it is complete: the server died, or
	// the connection did.
	ErrBroken = errors.New("the answer broke off")
	// ErrTooLong is returned when the prompt does not fit the context window.
	ErrTooLong = errors.New("the prompt does not fit the context window")
	// ErrBusy is returned when the server still refuses for overload or a rate limit after waiting as it asked.
	ErrBusy = errors.New("the server is overloaded or limits the rate")
	// ErrRefused is returned when the model declined to answer.
	ErrRefused = errors.New("the model refused")
	// ErrTimeout is returned when a call took longer than the agent's limit.
	ErrTimeout = errors.New("no answer in time")
)

// maxAnswer is the most bytes of an answer, thoughts included, that are read.
const maxAnswer = 256 << 10

// busyError is ErrBusy with the time that the server wants to be left alone for.
type busyError struct {
	text  string
	after time.Duration
}

func (e *busyError) Error() string        { return e.text }
func (e *busyError) Is(target error) bool { return target == ErrBusy }

// finish says why a call that returned no error is none the less no answer.
func finish(ctx context.Context, text string, done, cut bool) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case cut && isBlank(text):
		return fmt.Errorf("%w, before it said anything", ErrCut)
	case cut:
		return ErrCut
	case !done:
		return ErrBroken
	case isBlank(text):
		return ErrEmpty
	}
	return nil
}

func isBlank(s string) bool {
	for _, r := range s {
		if r != ' ' && r != '\n' && r != '\t' && r != '\r' {
			return false
		}
	}
	return true
}

// serverError says what a server refused, with the sentinel that its status stands for; after is how long it asked to be
// left alone.
func serverError(server string, status int, message string, after time.Duration) error {
	text := fmt.Sprintf("%s answered %d: %s", server, status, clean(message, 300))
	switch {
	case status == http.StatusNotFound:
		return fmt.Errorf("%w: %s", ErrNoModel, text)
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
		return &busyError{ErrBusy.Error() + ": " + text, after}
	case status == http.StatusBadRequest && overflows(message):
		return fmt.Errorf("%w: %s", ErrTooLong, text)
	}
	return errors.New(text)
}
