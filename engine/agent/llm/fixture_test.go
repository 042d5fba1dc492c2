package llm

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"llmzero/engine/agent"
	"llmzero/engine/tree"
)

func testSpace() tree.Space {
	return tree.Space{Params: []tree.Param{
		{
			Name: "learning_rate", Short: "lr", Kind: tree.KindFloat, Min: 1e-5, Max: 1e-2, Scale: tree.ScaleLog,
			Default: tree.Number(3e-4), Role: tree.RoleRegularization, Help: "step size of AdamW",
		},
		{
			Name: "beta", Short: "KL", Kind: tree.KindFloat, Min: 1e-4, Max: 1, Scale: tree.ScaleLog, Zero: true,
			Default: tree.Number(0), Role: tree.RoleRegularization, Help: "weight of the KL penalty",
		},
		{
			Name: "num_generations", Short: "n", Kind: tree.KindInt, Min: 2, Max: 64, Scale: tree.ScaleLinear,
			Default: tree.Number(8), Role: tree.RoleCapacity, Help: "samples of a problem",
		},
		{
			Name: "max_completion_length", Short: "len", Kind: tree.KindInt, Min: 4, Max: 48, Scale: tree.ScaleLinear,
			Default: tree.Number(16), Role: tree.RoleCapacity, Unit: "tokens", Help: "most tokens of an answer",
		},
		{
			Name: "loss_type", Kind: tree.KindChoice, Choices: []string{"grpo", "dapo"}, Default: tree.Choice("dapo"),
			Role: tree.RoleOther, Help: "how token losses are averaged",
		},
	}}
}

func score(mean float64) tree.Score { return tree.Score{Mean: mean, SE: 0.012, N: 512} }

// curves are points without noise: reward rises, answers are cut more and more.
func curves(first, n int) []tree.Point {
	out := make([]tree.Point, n)
	for i := range out {
		x := float64(i) / float64(n-1)
		out[i] = tree.Point{Step: first + i, Values: map[string]float64{
			tree.MetricReward: 0.4 + 0.1*x, tree.MetricEntropy: 0.6 - 0.05*x, tree.MetricKL: 0.03 * x,
			tree.MetricTruncated: 0.1 + 0.25*x, tree.MetricZeroStd: 0.2, tree.MetricLength: 10 + 2*x,
			tree.MetricGradNorm: 0.8, tree.MetricTokens: 1000 * float64(i),
		}}
	}
	return out
}

// testTurn looks at node 3, a child of the practitioner root with a sibling, a vetoed child and hints.
func testTurn() agent.Turn {
	space := testSpace()
	config := space.Defaults()
	root := tree.Node{ID: 0, State: tree.StateEvaluated, Config: config, Outcome: &tree.Outcome{Chosen: -1, Val: score(0.40)}}
	one := tree.Node{
		ID: 1, State: tree.StateEvaluated, Config: config, Depth: 1,
		Transition: tree.Transition{From: tree.CheckpointRef{}, Steps: 20},
		Outcome: &tree.Outcome{
			Checkpoints: []tree.Checkpoint{{Step: 10, Val: score(0.43)}, {Step: 20, Val: score(0.47)}}, Chosen: 1, Val: score(0.47),
		},
	}
	changes := []tree.Change{{Param: "learning_rate", From: tree.Number(3e-4), To: tree.Number(6e-4)}}
	three := tree.Node{
		ID: 3, Parent: 1, State: tree.StateEvaluated, Config: config.With(changes), Depth: 2,
		Transition: tree.Transition{From: tree.CheckpointRef{Node: 1, Step: 20}, Changes: changes, Steps: 20},
		Outcome: &tree.Outcome{
			Checkpoints: []tree.Checkpoint{{Step: 30, Val: score(0.50)}, {Step: 40, Val: score(0.52)}}, Chosen: 1, Val: score(0.52),
		},
	}
	sibChanges := []tree.Change{{Param: "beta", From: tree.Number(0), To: tree.Number(0.01)}}
	sibling := tree.Node{
		ID: 2, Parent: 1, State: tree.StateEvaluated, Config: config.With(sibChanges),
		Transition: tree.Transition{From: tree.CheckpointRef{Node: 1, Step: 20}, Changes: sibChanges},
		Outcome:    &tree.Outcome{Chosen: 0, Val: score(0.46)},
	}
	noChanges := []tree.Change{{Param: "num_generations", From: tree.Number(8), To: tree.Number(64)}}
	vetoed := tree.Node{
		ID: 4, Parent: 3, State: tree.StateVetoed, Config: three.Config.With(noChanges),
		Transition: tree.Transition{From: tree.CheckpointRef{Node: 3, Step: 40}, Changes: noChanges},
		Verdict:    &tree.Verdict{Decision: tree.Vetoed, Who: "human", Why: "far too expensive"},
	}
	return agent.Turn{
		Spec: tree.Spec{
			ID: "s1", Task: "mixed", Metric: "exact match", Trainer: "grpo", Model: "grpo 27k", Space: space, Root: config, Segment: 20,
		},
		Node: three, Points: curves(21, 20),
		Path:     []agent.Stage{{Node: root}, {Node: one, Points: curves(1, 20)}, {Node: three, Points: curves(21, 20)}},
		Siblings: []tree.Node{sibling}, Children: []tree.Node{vetoed}, Vetoes: []tree.Node{vetoed},
		Best:   []agent.Strategy{{Path: []tree.Node{root, one, three}}},
		Bans:   []tree.Ban{{Param: "learning_rate", Min: 0.005, Max: 0.01, Why: "always diverges"}},
		Hints:  []tree.Hint{{Text: "think of length"}, {Text: "answers look cut off"}},
		Budget: tree.Budget{Segments: 32}, Spent: tree.Spent{Segments: 3}, Steps: 20, Count: 2, Seed: 7,
	}
}

const goodDiagnosis = `{"findings":[{"evidence":"A third of the answers are cut","metric":"completions/clipped_ratio","pathology":"truncation","severity":"severe"}]}`

const goodProposals = `{"proposals":[
 {"rationale":"Room first.","checkpoint":"n3@40","changes":[{"parameter":"max_completion_length","value":24,"reason":"room"},
  {"parameter":"learning_rate","value":0.0003,"reason":"gentler"}],"effect":"fewer cut","confidence":0.7},
 {"rationale":"Go back.","checkpoint":"n1@20","changes":[{"parameter":"num_generations","value":16,"reason":"calmer"}],"effect":"steadier","confidence":0.4}]}`

// answer is one behaviour of the fake server.
type answer struct {
	text   string
	reason string // done_reason or finish_reason, "stop" when empty
	status int    // an HTTP error instead
	header map[string]string
	die    bool          // break the connection after half the text
	undone bool          // end the stream without the mark that it is complete
	hang   chan struct{} // answer only when this is closed, or never
	raw    string        // these bytes instead of any protocol
	tokens int           // prompt tokens that the server claims, 0: a quarter of the prompt's bytes
	cached int           // of them from a cache
	think  string        // thoughts, told apart
	refuse string        // what the model says instead
	before func()        // runs first
}

// server fakes the chat endpoints of both protocols. Chat calls get the answers in order; the last one repeats.
type server struct {
	*httptest.Server
	mu      sync.Mutex
	answers []answer
	bodies  []map[string]any
	headers []http.Header
	counts  []int // prompt tokens claimed, of each call
	about   about
}

// about is what the server tells of itself.
type about struct {
	model   string // what /api/show and /v1/models say
	caps    []string
	context int
	params  string
	hidden  bool   // Ollama's own API is not there
	asked   func() // runs before the answer of /api/version
}

// tell changes what the server tells of itself. A handler whose client gave up may still run.
func (s *server) tell(change func(*about)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.about)
}

func (s *server) told() about {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.about
}

func newServer(t *testing.T, answers ...answer) *server {
	t.Helper()
	s := &server{answers: answers, about: about{model: "tiny", context: 16384}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/chat", func(w http.ResponseWriter, r *http.Request) { s.chat(w, r, s.ollama) })
	mux.HandleFunc("POST /v1/chat/completions", func(w http.ResponseWriter, r *http.Request) { s.chat(w, r, s.openai) })
	mux.HandleFunc("GET /api/version", func(w http.ResponseWriter, r *http.Request) {
		a := s.told()
		if a.asked != nil {
			a.asked()
		}
		if a.hidden {
			http.NotFound(w, r)
			return
		}
		write(w, `{"version":"0.17.7"}`)
	})
	mux.HandleFunc("GET /api/tags", func(w http.ResponseWriter, _ *http.Request) {
		write(w, `{"models":[{"name":"tiny","model":"tiny","size":1000},{"name":"bro\u001b[31mken","model":"broken","size":5}]}`)
	})
	mux.HandleFunc("POST /api/show", s.show)
	mux.HandleFunc("GET /v1/models", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		write(w, `{"object":"list","data":[{"id":"tiny","object":"model","max_model_len":16384},
			{"id":"eyes","object":"model","context_length":4096,"architecture":{"input_modalities":["text","image"]}},
			{"id":"odd","object":"model","max_model_len":"many"}]}`)
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func write(w http.ResponseWriter, s string) {
	if _, err := fmt.Fprint(w, s); err != nil {
		panic(http.ErrAbortHandler) // the client is gone
	}
}

func (s *server) show(w http.ResponseWriter, r *http.Request) {
	var q struct{ Model string }
	a := s.told()
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil || q.Model != a.model {
		w.WriteHeader(http.StatusNotFound)
		write(w, `{"error":"model '`+q.Model+`' not found"}`)
		return
	}
	caps, err := json.Marshal(append([]string{"completion"}, a.caps...))
	if err != nil {
		panic(err)
	}
	write(w, fmt.Sprintf(`{"details":{"parameter_size":"135M"},"parameters":%q,"capabilities":%s,"model_info":{"llama.context_length":%d}}`,
		a.params, caps, a.context))
}

func (s *server) chat(w http.ResponseWriter, r *http.Request, send func(http.ResponseWriter, answer)) {
	var body map[string]any
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.bodies, s.headers = append(s.bodies, body), append(s.headers, r.Header.Clone())
	a := s.answers[min(len(s.bodies)-1, len(s.answers)-1)]
	if a.tokens == 0 {
		a.tokens = texts(body["messages"]) / 4
	}
	s.counts = append(s.counts, a.tokens)
	s.mu.Unlock()
	if a.before != nil {
		a.before()
	}
	if a.hang != nil {
		select {
		case <-a.hang:
		case <-r.Context().Done():
			return
		}
	}
	for k, v := range a.header {
		w.Header().Set(k, v)
	}
	w.Header().Set("Content-Type", "application/json")
	switch {
	case a.status != 0:
		w.WriteHeader(a.status)
		write(w, a.text)
	case a.raw != "":
		write(w, a.raw)
	default:
		send(w, a)
	}
}

// texts adds up the strings in a request's messages.
func texts(v any) (n int) {
	switch v := v.(type) {
	case string:
		return len(v)
	case []any:
		for _, x := range v {
			n += texts(x)
		}
	case map[string]any:
		n = texts(v["content"]) + texts(v["text"])
	}
	return n
}

func (s *server) ollama(w http.ResponseWriter, a answer) {
	thought := false
	line := func(text string, done bool) {
		reason := a.reason
		if reason == "" {
			reason = "stop"
		}
		m := map[string]any{"model": "tiny", "message": map[string]any{"role": "assistant", "content": text}, "done": done}
		if a.think != "" && !thought {
			thought = true
			m["message"] = map[string]any{"role": "assistant", "thinking": a.think}
		}
		if done {
			m["done_reason"], m["prompt_eval_count"], m["eval_count"] = reason, a.tokens, 20
		}
		b, err := json.Marshal(m)
		if err != nil {
			panic(err)
		}
		write(w, string(b)+"\n")
		if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
	}
	if a.think != "" {
		line("", false)
	}
	half := len(a.text) / 2
	line(a.text[:half], false)
	if a.die {
		panic(http.ErrAbortHandler)
	}
	line(a.text[half:], false)
	if !a.undone {
		line("", true)
	}
}

func (s *server) openai(w http.ResponseWriter, a answer) {
	reason := any(a.reason)
	if a.reason == "" {
		reason = "stop"
	}
	if a.undone {
		reason = ""
	}
	message := map[string]any{"role": "assistant", "content": a.text}
	if a.think != "" {
		message["reasoning_content"] = a.think
	}
	if a.refuse != "" {
		message["refusal"] = a.refuse
	}
	b, err := json.Marshal(map[string]any{
		"id": "1", "object": "chat.completion", "model": "tiny",
		"choices": []any{map[string]any{"index": 0, "finish_reason": reason, "message": message}},
		"usage": map[string]any{
			"prompt_tokens": a.tokens, "completion_tokens": 20, "total_tokens": a.tokens + 20,
			"prompt_tokens_details": map[string]any{"cached_tokens": a.cached},
		},
	})
	if err != nil {
		panic(err)
	}
	if a.die {
		w.Header().Set("Content-Length", fmt.Sprint(len(b)))
		write(w, string(b[:len(b)/2]))
		panic(http.ErrAbortHandler)
	}
	write(w, string(b))
}

// calls is how many chat calls came.
func (s *server) calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.bodies)
}

// clock is a time that only moves when it is told to.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// transport repeats without waiting and remembers how long it was told to wait.
func transport(waits *[]time.Duration) *patience {
	p := newTransport()
	p.next = &http.Transport{DisableKeepAlives: true}
	p.wait = func(ctx context.Context, d time.Duration) error {
		if waits != nil {
			*waits = append(*waits, d)
		}
		return ctx.Err()
	}
	return p
}

const secret = "sk-very-secret-123456"

// agents makes an agent for each protocol on a server of its own with the same answers.
func agents(t *testing.T, run func(t *testing.T, a *Agent, s *server), answers ...answer) {
	t.Helper()
	for _, proto := range []string{"ollama", "openai"} {
		t.Run(proto, func(t *testing.T) {
			s := newServer(t, answers...)
			a := newAgent(t, proto, s, nil)
			run(t, a, s)
		})
	}
}

func newAgent(t *testing.T, proto string, s *server, waits *[]time.Duration) *Agent {
	t.Helper()
	cfg := Config{Name: proto + ":tiny", Model: "tiny", Timeout: 20 * time.Second}
	if proto == "ollama" {
		o, err := newOllama(s.URL, transport(waits))
		if err != nil {
			t.Fatal(err)
		}
		cfg.Client, cfg.Catalog = o, o
	} else {
		s.tell(func(a *about) { a.hidden = true })
		o, err := newOpenAI(s.URL+"/v1", key{secret, EnvOpenAIKey}, transport(waits))
		if err != nil {
			t.Fatal(err)
		}
		cfg.Client, cfg.Catalog = o, o
	}
	a, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// mustPropose proposes, and sees that what comes is legal, recorded, and free of the key.
func mustPropose(t *testing.T, a agent.Agent, turn agent.Turn) agent.Answer {
	t.Helper()
	got, err := a.Propose(context.Background(), turn)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Proposals) == 0 || len(got.Findings) == 0 && len(turn.Points) > 0 {
		t.Fatalf("no proposals or findings: %+v", got)
	}
	for _, p := range got.Proposals {
		if err := turn.Check(p); err != nil {
			t.Errorf("proposed what may not be proposed: %v", err)
		}
		if math.IsNaN(p.Confidence) || p.Rationale == "" {
			t.Errorf("half a proposal: %+v", p)
		}
	}
	b, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(a.Name(), "openai") && strings.Contains(string(b), secret) {
		t.Error("the key is in the record")
	}
	return got
}
