package llm

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"llmzero/engine/tree"
)

// TestDroppedPrompt has a server that answers well and says by its usage that it read next to nothing of the prompt.
func TestDroppedPrompt(t *testing.T) {
	agents(t, func(t *testing.T, a *Agent, s *server) {
		got := mustPropose(t, a, testTurn())
		x := got.Exchanges[0]
		if x.Fallback != "" || len(x.Errors) != 1 || !strings.Contains(x.Errors[0], "the server read 30 tokens") || s.calls() != 3 {
			t.Errorf("%d calls, fallback %q, errors %q", s.calls(), x.Fallback, x.Errors)
		}
		if x.TokensIn != int64(30+s.counts[1]) {
			t.Errorf("%d prompt tokens: both calls count", x.TokensIn)
		}
	}, answer{text: goodDiagnosis, tokens: 30}, answer{text: goodDiagnosis}, answer{text: goodProposals})
	agents(t, func(t *testing.T, a *Agent, s *server) {
		got := mustPropose(t, a, testTurn())
		x := got.Exchanges[len(got.Exchanges)-1]
		if !strings.Contains(x.Fallback, "does not fit") || got.Proposals[0].By != "rules" {
			t.Errorf("fallback %q", x.Fallback)
		}
		if len(s.counts) != 4 || texts(s.bodies[1]["messages"]) >= texts(s.bodies[0]["messages"]) {
			t.Errorf("%d calls, the second no shorter than the first", len(s.counts))
		}
	}, answer{text: goodDiagnosis, tokens: 30})
}

// TestDroppedHalf has servers that read half of what they read before in relation, or as much as the window holds.
func TestDroppedHalf(t *testing.T) {
	for why, claims := range map[string][2]int{"without a word": {6000, 3500}, "it fills all 16384": {3000, 16384}} {
		s := newServer(t, answer{text: goodDiagnosis, tokens: claims[0]}, answer{text: goodProposals, tokens: claims[1]}, answer{text: goodProposals, tokens: claims[0]})
		got := mustPropose(t, newAgent(t, "openai", s, nil), testTurn())
		if x := got.Exchanges[1]; len(x.Errors) != 1 || !strings.Contains(x.Errors[0], why) || x.Fallback != "" {
			t.Errorf("errors %q, want %q; fallback %q", x.Errors, why, x.Fallback)
		}
	}
}

// TestCachedPrompt has a server that leaves what it had in its cache out of its count, and says so.
func TestCachedPrompt(t *testing.T) {
	s := newServer(t, answer{text: goodDiagnosis, tokens: 30, cached: 2500}, answer{text: goodProposals, tokens: 30, cached: 3500})
	got := mustPropose(t, newAgent(t, "openai", s, nil), testTurn())
	if s.calls() != 2 || len(got.Exchanges[0].Errors)+len(got.Exchanges[1].Errors) > 0 {
		t.Errorf("%d calls: %q, %q", s.calls(), got.Exchanges[0].Errors, got.Exchanges[1].Errors)
	}
}

// TestOllamaBehindV1 asks an Ollama server in OpenAI's way: it runs 4096 tokens, or what the model's own parameters say,
// whatever the model could do.
func TestOllamaBehindV1(t *testing.T) {
	for name, c := range map[string]struct {
		params string
		ours   int // Config.Context
		model  int
		window int
	}{
		"the server's default": {"", 0, 16384, defaultWindow},
		"a small model":        {"", 0, 2048, 2048},
		"the model's own":      {"temperature 0.7\nnum_ctx                        8192\n", 0, 16384, 8192},
		"the environment's":    {"", 12000, 16384, 12000},
	} {
		s := newServer(t, answer{text: goodDiagnosis}, answer{text: goodProposals})
		a := newAgent(t, "openai", s, nil)
		a.cfg.Context = c.ours
		s.tell(func(a *about) {
			*a = about{model: a.model, context: c.model, params: c.params, caps: []string{"vision", "thinking"}}
		})
		m, err := a.Check(t.Context())
		if err != nil || m.Context != c.model || !m.Vision || !m.Thinking || !strings.Contains(m.Server, "ollama 0.17.7") {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
		if window, answer := a.window(m, false); window != c.window || answer != min(ThinkingAnswer, c.window/2) {
			t.Errorf("%s: a window of %d with %d for the answer, want %d", name, window, answer, c.window)
		}
		got := mustPropose(t, a, testTurn())
		if x := got.Exchanges[1]; !strings.Contains(x.Versions, "ollama 0.17.7") {
			t.Errorf("%s: version %q", name, x.Versions)
		}
	}
	s := newServer(t, answer{})
	a := newAgent(t, "openai", s, nil)
	s.tell(func(a *about) { a.hidden, a.model = false, "other" })
	if _, err := a.Check(t.Context()); !errors.Is(err, ErrNoModel) {
		t.Errorf("a missing model: %v", err)
	}
}

// tokenizer splits worse than the estimate: every byte but spaces is a token, as in a small byte-level vocabulary.
func tokenizer(s string) int { return len(s) - strings.Count(s, " ") }

// strict is a server with a window that counts by its own tokenizer.
type strict struct {
	t       *testing.T
	window  int
	refused int
}

func (s *strict) Chat(_ context.Context, r Request) (Reply, error) {
	n := 0
	for _, m := range r.Messages {
		n += tokenizer(m.Text)
	}
	if r.Context > s.window {
		s.t.Errorf("asked for a window of %d tokens where the model has %d", r.Context, s.window)
	}
	if n+r.Answer > s.window {
		s.refused++
		return Reply{}, fmt.Errorf("%w: %d tokens", ErrTooLong, n)
	}
	text := goodDiagnosis
	if r.Phase == "propose" {
		text = goodProposals
	}
	return Reply{Text: text, TokensIn: int64(n), TokensOut: 20}, nil
}

// TestLearnsAWorseTokenizer asks a server whose tokenizer takes more than twice the estimate: what was refused once is
// learnt, and from then on prompt and answer fit.
func TestLearnsAWorseTokenizer(t *testing.T) {
	for _, window := range []int{9000, 12000, 16384} {
		s := &strict{t: t, window: window}
		a, err := New(Config{Name: "x:y", Model: "y", Client: s, Context: window})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 4 {
			before := s.refused
			got := mustPropose(t, a, testTurn())
			if x := got.Exchanges[len(got.Exchanges)-1]; i > 0 && (s.refused > before || x.Fallback != "") {
				t.Errorf("window %d, turn %d: %d prompts did not fit; fallback %q", window, i, s.refused-before, x.Fallback)
			}
		}
	}
}

func TestScaleDecays(t *testing.T) {
	a, err := New(Config{Name: "x:y", Model: "y", Client: &strict{}})
	if err != nil {
		t.Fatal(err)
	}
	said := []Message{{Role: RoleUser, Text: strings.Repeat("word ", 500)}}
	est := int64(estimate(said[0].Text))
	a.learn(said, 2*est)
	if a.scale != 2 {
		t.Errorf("scale %g after a count of twice the estimate", a.scale)
	}
	a.shrink(said)
	a.shrink(said)
	if most := a.most; most < int(est) || a.scale < 3 {
		t.Errorf("at most %d tokens, scale %g after two prompts that did not fit", most, a.scale)
	}
	for range 20 {
		a.learn(said, est*3/2)
	}
	if a.scale < 1.5 || a.scale > 1.55 {
		t.Errorf("scale %g after many counts of one and a half", a.scale)
	}
	for range 20 {
		a.learn(said, 10)
	}
	if a.scale < 1 || a.scale > 1.05 {
		t.Errorf("scale %g after tiny counts: the estimate itself is the least", a.scale)
	}
}

func TestOverflows(t *testing.T) {
	for message, want := range map[string]bool{
		"this request took too long":                                                  false,
		"the input length exceeds the context length":                                 true,
		"This model's maximum context length is 8192 tokens":                          true,
		"the request exceeds the available context size":                              true,
		"prompt is too long: 210000 tokens > 200000 maximum":                          true,
		"Input is too long for requested model.":                                      true,
		"response_format is not supported":                                            false,
		"the schema's description is too long":                                        false,
		"exceed_context_size_error: request (9000 tokens) exceeds the context window": true,
	} {
		if overflows(message) != want {
			t.Errorf("%q: %v", message, !want)
		}
	}
	s := newServer(t, answer{status: 400, text: `{"error":"this request took too long"}`})
	got := mustPropose(t, newAgent(t, "ollama", s, nil), testTurn())
	if s.calls() != 1 || strings.Contains(got.Exchanges[0].Fallback, "context window") {
		t.Errorf("%d calls, fallback %q", s.calls(), got.Exchanges[0].Fallback)
	}
}

func TestBudgetText(t *testing.T) {
	turn := testTurn()
	turn.Budget = tree.Budget{Wall: 3600e9, GPUHours: 2}
	turn.Spent = tree.Spent{Cost: tree.Cost{WallSeconds: 600, GPUSeconds: 1800}}
	if got := budgetText(turn); !strings.Contains(got, "50m0s of training left") || !strings.Contains(got, "1.5 GPU-hours left") {
		t.Error(got)
	}
}
