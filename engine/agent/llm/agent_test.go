package llm

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"llmzero/engine/agent"
	"llmzero/engine/tree"
)

func TestProposes(t *testing.T) {
	agents(t, func(t *testing.T, a *Agent, s *server) {
		turn := testTurn()
		got := mustPropose(t, a, turn)
		if len(got.Proposals) != 2 || len(got.Exchanges) != 2 || s.calls() != 2 {
			t.Fatalf("%d proposals, %d exchanges, %d calls", len(got.Proposals), len(got.Exchanges), s.calls())
		}
		p := got.Proposals[0]
		want := []tree.Change{
			{Param: "max_completion_length", From: tree.Number(16), To: tree.Number(24), Reason: "room"},
			{Param: "learning_rate", From: tree.Number(6e-4), To: tree.Number(3e-4), Reason: "gentler"},
		}
		if len(p.Changes) != 2 || p.Changes[0] != want[0] || p.Changes[1] != want[1] || p.From.Step != 40 || p.By != a.Name() || p.Note != "" {
			t.Errorf("first proposal %+v", p)
		}
		// The second goes on from the parent: its changes are relative to the parent's configuration.
		if q := got.Proposals[1]; q.From != (tree.CheckpointRef{Node: 1, Step: 20}) || len(q.Changes) != 1 {
			t.Errorf("second proposal %+v", q)
		}
		f := got.Findings[0]
		if f.Pathology != tree.Truncation || f.Evidence[0].To < 0.3 || f.Evidence[0].ToStep < 35 {
			t.Errorf("finding %+v: the numbers must be those of the series", f)
		}
		x := got.Exchanges[1]
		if x.Phase != "propose" || x.ID != p.Exchange || x.Prompt == "" || x.Answer != goodProposals || x.TokensIn != int64(s.counts[1]) ||
			x.TokensOut != 20 || x.Fallback != "" || x.Repaired || x.Priced || x.Versions == "" || x.Node != 3 {
			t.Errorf("exchange %+v", x)
		}
		if got.Exchanges[0].Phase != "diagnose" || got.Exchanges[0].ID == x.ID {
			t.Errorf("first exchange %+v", got.Exchanges[0])
		}
	}, answer{text: goodDiagnosis}, answer{text: goodProposals})
}

func TestRequestKeepsItsPromises(t *testing.T) {
	s := newServer(t, answer{text: goodDiagnosis}, answer{text: goodProposals})
	s.tell(func(a *about) { a.context = 6000 })
	mustPropose(t, newAgent(t, "ollama", s, nil), testTurn())
	b := s.bodies[1]
	opts, ok := b["options"].(map[string]any)
	if !ok || opts["num_ctx"] != 6000.0 || b["truncate"] != false || b["shift"] != false || b["think"] != nil {
		t.Errorf("request %v", b)
	}
	if b["format"] == nil || opts["num_predict"] != 1500.0 {
		t.Errorf("no schema or limit: %v", b)
	}
	msgs, ok := b["messages"].([]any)
	if !ok || len(msgs) != 4 {
		t.Fatalf("%d messages, want system, user, assistant, user: %v", len(msgs), msgs)
	}
}

// TestRepairs gives a first answer that is wrong and a second that is right.
func TestRepairs(t *testing.T) {
	for name, bad := range map[string]struct{ text, complaint string }{
		"prose":           {"I would raise the length.", "no JSON object"},
		"half":            {`{"proposals":[{"rationale":"x"`, "no complete JSON object"},
		"not the schema":  {`{"proposals":[{"rationale":"x"}]}`, "schema"},
		"empty list":      {`{"proposals":[]}`, "no proposal"},
		"out of range":    {proposalJSON("n3@40", "max_completion_length", `4000`), "outside 4 … 48"},
		"not whole":       {proposalJSON("n3@40", "num_generations", `8.5`), "not a whole number"},
		"unknown param":   {proposalJSON("n3@40", "warmth", `1`), "no such parameter"},
		"unknown place":   {proposalJSON("n9@40", "beta", `0.1`), "want one of n1@20, n3@30, n3@40"},
		"unknown choice":  {proposalJSON("n3@40", "loss_type", `"magic"`), "is not one of grpo, dapo"},
		"banned":          {proposalJSON("n3@40", "learning_rate", `0.008`), "banned (always diverges)"},
		"vetoed":          {proposalJSON("n3@40", "num_generations", `64`), "vetoed before (far too expensive)"},
		"sibling's":       {proposalJSON("n1@20", "beta", `0.01`), "already tried"},
		"at odds":         {strings.Replace(proposalJSON("n3@40", "beta", "0.1"), `"changes":[`, `"changes":[{"parameter":"beta","value":0.2,"reason":"x"},`, 1), "changed twice"},
		"null value":      {proposalJSON("n3@40", "beta", `null`), "a value is a number"},
		"sure beyond all": {strings.Replace(proposalJSON("n3@40", "beta", `0.1`), `"confidence":0.5`, `"confidence":7`, 1), "confidence 7"},
	} {
		t.Run(name, func(t *testing.T) {
			agents(t, func(t *testing.T, a *Agent, s *server) {
				got := mustPropose(t, a, testTurn())
				x := got.Exchanges[1]
				if !x.Repaired || x.Fallback != "" || got.Proposals[0].By != a.Name() || !strings.Contains(got.Proposals[0].Note, "repaired") {
					t.Errorf("exchange %+v, proposal %+v", x, got.Proposals[0])
				}
				if len(x.Errors) == 0 || !strings.Contains(strings.Join(x.Errors, "\n"), bad.complaint) {
					t.Errorf("errors %q, want %q among them", x.Errors, bad.complaint)
				}
				if s.calls() != 3 || !strings.Contains(x.Prompt, "cannot be used") || !strings.Contains(x.Prompt, x.Errors[0]) {
					t.Errorf("%d calls; the model was not told what was wrong:\n%s", s.calls(), x.Prompt)
				}
				if one, two := seedOf(s.bodies[1]), seedOf(s.bodies[2]); one == two {
					t.Errorf("the repair asks with the same seed %v, which would give the same answer", one)
				}
				if x.TokensIn != int64(s.counts[1]+s.counts[2]) || x.TokensOut != 40 {
					t.Errorf("%d prompt tokens: both calls count", x.TokensIn)
				}
			}, answer{text: goodDiagnosis}, answer{text: bad.text}, answer{text: goodProposals})
		})
	}
}

func seedOf(body map[string]any) any {
	if opts, ok := body["options"].(map[string]any); ok {
		return opts["seed"]
	}
	return body["seed"]
}

// TestLearnsTheTokenizer has a server that counts far more tokens than estimated: the next prompt must be shorter.
func TestLearnsTheTokenizer(t *testing.T) {
	s := newServer(t, answer{text: goodDiagnosis, tokens: 7000}, answer{text: goodProposals})
	s.tell(func(a *about) { a.context = 8192 })
	got := mustPropose(t, newAgent(t, "ollama", s, nil), testTurn())
	if strings.Contains(got.Exchanges[0].Prompt, "left out for length") || !strings.Contains(got.Exchanges[1].Prompt, "left out for length") {
		t.Error("the second prompt was not shortened after the first took more tokens than estimated")
	}
}

func proposalJSON(place, param, value string) string {
	return `{"proposals":[{"rationale":"because","checkpoint":"` + place + `","changes":[{"parameter":"` + param + `","value":` + value +
		`,"reason":"r"}],"effect":"e","confidence":0.5}]}`
}

// TestLenient gives answers that are right though not pretty.
func TestLenient(t *testing.T) {
	good := proposalJSON("n3@40", "beta", "0.1")
	for name, text := range map[string]string{
		"thinking":     "<think>maybe {\"proposals\":[]} or so</think>\n" + good,
		"fence":        "Here you are:\n```json\n" + good + "\n```\nGood luck!",
		"label":        proposalJSON("n3@40", "lr", "0.001"),
		"text number":  proposalJSON("n3@40", "beta", `"0.1"`),
		"extra field":  strings.Replace(good, `"effect"`, `"mood":"fine","effect"`, 1),
		"said again":   strings.Replace(good, `"changes":[`, `"changes":[{"parameter":"beta","value":0.1,"reason":"x"},`, 1),
		"as it is":     proposalJSON("n3@40", "num_generations", "8"),
		"spaces":       proposalJSON(" n3@40 ", " beta ", "0.1"),
		"escape codes": strings.NewReplacer("because", `be\u001b[31mcause\u202e`, `"r"`, `"r\u001b[31m\u202e"`, `"e"`, `"e\u001b[31m\u202e"`).Replace(good),
	} {
		t.Run(name, func(t *testing.T) {
			agents(t, func(t *testing.T, a *Agent, _ *server) {
				got := mustPropose(t, a, testTurn())
				if x := got.Exchanges[1]; x.Repaired || x.Fallback != "" || len(x.Errors) > 0 {
					t.Errorf("exchange %+v", x)
				}
				p := got.Proposals[0]
				said := []string{p.Rationale, p.Effect.Text, got.Findings[0].Evidence[0].Text}
				for _, c := range p.Changes {
					said = append(said, c.Reason)
				}
				for _, s := range said {
					if strings.ContainsAny(s, "\x1b\u202e") {
						t.Errorf("control characters in %q", s)
					}
				}
			}, answer{text: strings.Replace(goodDiagnosis, "A third", `A\u001b[31m th\u202eird`, 1)}, answer{text: text})
		})
	}
}

func TestPartlyRight(t *testing.T) {
	mixed := strings.Replace(goodProposals, `"value":24`, `"value":99`, 1)
	agents(t, func(t *testing.T, a *Agent, _ *server) {
		got := mustPropose(t, a, testTurn())
		if len(got.Proposals) != 1 || got.Proposals[0].From.Node != 1 || got.Exchanges[1].Fallback != "" {
			t.Errorf("the good half was not used: %+v", got)
		}
	}, answer{text: goodDiagnosis}, answer{text: mixed}, answer{text: "no idea"})
}

func TestWrongSpare(t *testing.T) {
	mixed := strings.Replace(goodProposals, `"value":16`, `"value":99`, 1)
	agents(t, func(t *testing.T, a *Agent, s *server) {
		got := mustPropose(t, a, testTurn())
		if x := got.Exchanges[1]; len(got.Proposals) != 1 || got.Proposals[0].From.Step != 40 || x.Repaired || len(x.Errors) != 1 || s.calls() != 2 {
			t.Errorf("%d calls: %+v", s.calls(), got.Exchanges[1])
		}
	}, answer{text: goodDiagnosis}, answer{text: mixed}, answer{text: "not asked"})
}

// TestFallsBack gives servers that never answer well: the rules agent must answer, and say so.
func TestFallsBack(t *testing.T) {
	for name, c := range map[string]struct {
		answers []answer
		why     string
		calls   int // chat calls at most
	}{
		"garbage":         {[]answer{{text: "lorem ipsum"}}, "no JSON object", 4},
		"empty":           {[]answer{{text: "  \n"}}, "empty", 4},
		"cut":             {[]answer{{text: goodDiagnosis, reason: "length"}}, "cut at its token limit", 4},
		"not done":        {[]answer{{text: goodDiagnosis, undone: true}}, "broke off", 1},
		"dies":            {[]answer{{text: goodDiagnosis, die: true}}, "", 1},
		"dies later":      {[]answer{{text: goodDiagnosis}, {text: goodProposals, die: true}}, "", 2},
		"500":             {[]answer{{status: 500, text: `{"error":"out of memory"}`}}, "500", 1},
		"401":             {[]answer{{status: 401, text: `{"error":{"message":"bad key ` + secret + `"}}`}}, "401", 1},
		"404":             {[]answer{{status: 404, text: `{"error":"model not found"}`}}, "no such model", 1},
		"429 for ever":    {[]answer{{status: 429, header: map[string]string{"Retry-After": "2"}}}, "limits the rate", 4},
		"503 for ever":    {[]answer{{status: 503}}, "overloaded", 4},
		"html":            {[]answer{{raw: "<html>It works!</html>"}}, "", 1},
		"key in an error": {[]answer{{status: 500, text: `{"error":{"message":"your key ` + secret + ` is odd"}}`}}, "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			agents(t, func(t *testing.T, a *Agent, s *server) {
				got := mustPropose(t, a, testTurn())
				last := got.Exchanges[len(got.Exchanges)-1]
				if last.Fallback == "" || !strings.Contains(last.Fallback, c.why) {
					t.Errorf("fallback %q, want %q", last.Fallback, c.why)
				}
				for _, p := range got.Proposals {
					if p.By != "rules" || !strings.Contains(p.Note, "the rules agent stepped in") || p.Exchange != last.ID {
						t.Errorf("the node does not say that the rules agent stepped in: %+v", p)
					}
				}
				if n := s.calls(); n > c.calls {
					t.Errorf("%d calls, want at most %d", n, c.calls)
				}
			}, c.answers...)
		})
	}
}

func TestWaitsAsTold(t *testing.T) {
	for _, proto := range []string{"ollama", "openai"} {
		s := newServer(t, answer{status: 429, header: map[string]string{"Retry-After": "7"}}, answer{status: 503}, answer{text: goodDiagnosis}, answer{text: goodProposals})
		var waits []time.Duration
		got := mustPropose(t, newAgent(t, proto, s, &waits), testTurn())
		if got.Exchanges[1].Fallback != "" || len(got.Exchanges[0].Errors) != 0 {
			t.Errorf("%s: %+v", proto, got.Exchanges)
		}
		if len(waits) != 2 || waits[0] != 7*time.Second || waits[1] != 2*time.Second {
			t.Errorf("%s: waited %v, want 7s as told and then 2s", proto, waits)
		}
		// The repeated request has the whole body.
		if len(s.bodies) != 4 || s.bodies[2]["messages"] == nil {
			t.Errorf("%s: %d calls", proto, len(s.bodies))
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for s, want := range map[string]time.Duration{
		"0": 0, "12": 12 * time.Second, "Fri, 02 Jan 2026 03:04:35 GMT": 30 * time.Second, "Fri, 02 Jan 2026 03:00:00 GMT": 0,
		"": -1, "-3": -1, "soon": -1, "99999999999": -1,
	} {
		d, ok := retryAfter(s, now)
		if !ok {
			d = -1
		}
		if d != want {
			t.Errorf("%q: %v, want %v", s, d, want)
		}
	}
}

func TestTimeout(t *testing.T) {
	for _, proto := range []string{"ollama", "openai"} {
		s := newServer(t, answer{hang: make(chan struct{})})
		a := newAgent(t, proto, s, nil)
		a.cfg.Timeout = 50 * time.Millisecond
		got := mustPropose(t, a, testTurn())
		if why := got.Exchanges[len(got.Exchanges)-1].Fallback; !strings.Contains(why, "no answer in time") {
			t.Errorf("%s: fallback %q", proto, why)
		}
	}
}

func TestCancel(t *testing.T) {
	agents(t, func(t *testing.T, a *Agent, s *server) {
		ctx, cancel := context.WithCancelCause(context.Background())
		stop := errors.New("quit")
		done := make(chan error, 1)
		go func() {
			_, err := a.Propose(ctx, testTurn())
			done <- err
		}()
		for s.calls() == 0 { // until the call hangs in the server
			select {
			case err := <-done:
				t.Fatal("ended too early:", err)
			default:
			}
		}
		cancel(stop)
		if err := <-done; !errors.Is(err, stop) {
			t.Errorf("error %v, want the cause", err)
		}
		if a.down.failures != 0 {
			t.Error("a cancel counts as a failure of the server")
		}
	}, answer{hang: make(chan struct{})})
}

func TestNoServer(t *testing.T) {
	s := newServer(t, answer{})
	s.Close()
	for _, proto := range []string{"ollama", "openai"} {
		a := newAgent(t, proto, s, nil)
		_, err := a.Check(context.Background())
		if !errors.Is(err, ErrNoServer) {
			t.Errorf("%s: %v", proto, err)
		}
		got := mustPropose(t, a, testTurn())
		if why := got.Exchanges[0].Fallback; !strings.Contains(why, "no server") {
			t.Errorf("%s: fallback %q", proto, why)
		}
	}
}

func TestMissingModel(t *testing.T) {
	s := newServer(t, answer{text: goodDiagnosis})
	s.tell(func(a *about) { a.model = "other" })
	a := newAgent(t, "ollama", s, nil)
	if _, err := a.Check(context.Background()); !errors.Is(err, ErrNoModel) || !strings.Contains(err.Error(), "ollama pull tiny") {
		t.Errorf("%v", err)
	}
}

func TestLeavesADeadServerAlone(t *testing.T) {
	s := newServer(t, answer{status: 500, text: "{}"})
	a := newAgent(t, "ollama", s, nil)
	c := &clock{t: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	a.cfg.Now = c.now
	for range 6 {
		mustPropose(t, a, testTurn())
	}
	if n := s.calls(); n != patient {
		t.Errorf("%d calls of a server that always fails, want %d", n, patient)
	}
	c.advance(firstRest)
	s.mu.Lock()
	s.answers, s.bodies = []answer{{text: goodDiagnosis}, {text: goodProposals}}, nil
	s.mu.Unlock()
	if got := mustPropose(t, a, testTurn()); got.Exchanges[1].Fallback != "" {
		t.Errorf("it is back, yet %q", got.Exchanges[1].Fallback)
	}
}

func TestPromptTooLong(t *testing.T) {
	s := newServer(t, answer{status: 400, text: `{"error":"the input length exceeds the context length"}`}, answer{text: goodDiagnosis}, answer{text: goodProposals})
	got := mustPropose(t, newAgent(t, "ollama", s, nil), testTurn())
	if got.Exchanges[0].Fallback != "" || s.calls() != 3 {
		t.Errorf("%d calls, fallback %q", s.calls(), got.Exchanges[0].Fallback)
	}
}

func TestVision(t *testing.T) {
	for _, vision := range []bool{false, true} {
		s := newServer(t, answer{text: goodDiagnosis}, answer{text: goodProposals})
		if vision {
			s.tell(func(a *about) { a.caps = []string{"vision"} })
		}
		got := mustPropose(t, newAgent(t, "ollama", s, nil), testTurn())
		msgs, ok := s.bodies[0]["messages"].([]any)
		if !ok {
			t.Fatal("no messages")
		}
		b, err := json.Marshal(msgs[1])
		if err != nil {
			t.Fatal(err)
		}
		if has := strings.Contains(string(b), `"images":["iVBORw0KGgo`); has != vision || (got.Exchanges[0].Images == 1) != vision {
			t.Errorf("vision %v: images %v, recorded %d", vision, has, got.Exchanges[0].Images)
		}
	}
}

func TestServerWithoutFormats(t *testing.T) {
	s := newServer(t, answer{status: 400, text: `{"error":{"message":"response_format is not supported"}}`}, answer{text: goodDiagnosis}, answer{text: goodProposals})
	got := mustPropose(t, newAgent(t, "openai", s, nil), testTurn())
	if got.Exchanges[1].Fallback != "" || s.calls() != 3 {
		t.Fatalf("%d calls: %+v", s.calls(), got.Exchanges)
	}
	if s.bodies[0]["response_format"] == nil || s.bodies[1]["response_format"] != nil || s.bodies[2]["response_format"] != nil {
		t.Error("it must ask without a format after the first refusal")
	}
	if s.headers[0].Get("Authorization") != "Bearer "+secret {
		t.Error("the key did not reach the server")
	}
}

func TestFreshAndFailedTurnsSkipTheDiagnosis(t *testing.T) {
	fresh := testTurn()
	fresh.Node, fresh.Path, fresh.Points, fresh.Fresh = fresh.Path[0].Node, fresh.Path[:1], nil, true
	fresh.Children, fresh.Siblings = nil, nil
	failed := testTurn()
	failed.Node.State, failed.Failure = tree.StateFailed, &tree.Failure{Class: tree.FailOOM, Message: "no memory"}
	failed.Node.Outcome = &tree.Outcome{Chosen: -1}
	failed.Path[2].Node = failed.Node
	for name, c := range map[string]struct {
		turn  agent.Turn
		place string
	}{"fresh": {fresh, "n0@0"}, "failed": {failed, "n1@20"}} {
		s := newServer(t, answer{text: proposalJSON(c.place, "max_completion_length", "8")})
		got := mustPropose(t, newAgent(t, "ollama", s, nil), c.turn)
		if s.calls() != 1 || got.Exchanges[0].Phase != "propose" || got.Exchanges[0].Fallback != "" {
			t.Errorf("%s: %d calls, %+v", name, s.calls(), got.Exchanges)
		}
	}
}

func TestCosts(t *testing.T) {
	prices, err := ParsePrices([]byte("[[price]]\nmodel = \"ti*\"\nper_m_in = 2.0\nper_m_out = 10.0\n"))
	if err != nil {
		t.Fatal(err)
	}
	s := newServer(t, answer{text: goodDiagnosis}, answer{text: goodProposals})
	a := newAgent(t, "ollama", s, nil)
	a.cfg.Prices = prices
	got := mustPropose(t, a, testTurn())
	if want := float64(2*s.counts[0]+10*20) / 1e6; got.Exchanges[0].Cost != want || !got.Exchanges[0].Priced {
		t.Errorf("cost %g, want %g", got.Exchanges[0].Cost, want)
	}
	for model, known := range map[string]bool{"tiny": true, "vendor/tiny": false, "big": false} {
		if _, ok := prices.Cost(model, 1, 1); ok != known {
			t.Errorf("%s: known %v", model, ok)
		}
	}
	vendor, err := ParsePrices([]byte("[[price]]\nmodel = \"*-mini\"\nper_m_in = 2.0\n"))
	if err != nil {
		t.Fatal(err)
	}
	if c, ok := vendor.Cost("openai/gpt/x-mini", 1e6, 0); !ok || c != 2 {
		t.Errorf("a star does not stand for a slash: %g, %v", c, ok)
	}
	for _, bad := range []string{"", "# nothing", "[[prices]]\nmodel=\"x\"\nper_m_in=1", "[[price]]\nmodel=\"x\"\nper_m_input=2", "[[price]]\nmodel=\"[\"", "[[price]]\nmodel=\"x\"\nper_m_in=-1", "[[price]]\nper_m_in=1", "price=", "[[price]]\nmodel=\"x\"\nper_m_in=nan"} {
		if _, err := ParsePrices([]byte(bad)); err == nil {
			t.Errorf("accepted %q", bad)
		}
	}
}
