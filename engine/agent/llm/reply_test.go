package llm

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestPaidForNothing has answers that cannot be used: their tokens, cost and text are in the record all the same.
func TestPaidForNothing(t *testing.T) {
	prices, err := ParsePrices([]byte("[[price]]\nmodel = \"*\"\nper_m_out = 1e6\n"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		answer answer
		want   string // in the answer
		why    string
	}{
		"cut":     {answer{text: "on and on", reason: "length"}, "on and on", "cut at its token limit"},
		"cut off": {answer{think: "hm", reason: "length"}, "", "before it said anything"},
		"empty":   {answer{text: " "}, " ", "empty"},
		"refused": {answer{refuse: "I would rather not"}, "", "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			agents(t, func(t *testing.T, a *Agent, s *server) {
				if c.answer.refuse != "" && a.Name() == "ollama:tiny" {
					t.Skip("Ollama's protocol has no refusals")
				}
				a.cfg.Prices = prices
				got := mustPropose(t, a, testTurn())
				x := got.Exchanges[0]
				if x.TokensOut != 40 || x.TokensIn != int64(s.counts[0]+s.counts[1]) || x.Cost != 40 {
					t.Errorf("%d tokens in, %d out, cost %g: want those of both calls", x.TokensIn, x.TokensOut, x.Cost)
				}
				if x.Answer != c.want || x.Thinking != c.answer.think || !strings.Contains(x.Fallback, c.why) {
					t.Errorf("answer %q, thinking %q, fallback %q", x.Answer, x.Thinking, x.Fallback)
				}
				if a.down.failures > 0 {
					t.Error("a server that answers badly counts as dead")
				}
				if len(got.Exchanges) != 2 {
					t.Errorf("%d exchanges: the next phase must be asked too", len(got.Exchanges))
				}
			}, c.answer)
		})
	}
}

// TestRoomToThink has models that think: their answers have more room, as has a repair after a cut answer.
func TestRoomToThink(t *testing.T) {
	limit := func(s *server, call int) any {
		if opts, ok := s.bodies[call]["options"].(map[string]any); ok {
			return opts["num_predict"]
		}
		return s.bodies[call]["max_tokens"]
	}
	s := newServer(t, answer{text: goodDiagnosis, think: strings.Repeat("let me see… ", 2000)}, answer{text: goodProposals})
	s.tell(func(a *about) { a.caps = []string{"thinking"} })
	got := mustPropose(t, newAgent(t, "ollama", s, nil), testTurn())
	if limit(s, 0) != float64(ThinkingAnswer) {
		t.Errorf("a thinking model may answer %v tokens", limit(s, 0))
	}
	if s.bodies[0]["think"] != nil {
		t.Error("thinking must be left to the server: switched off it loses the schema with some models")
	}
	x := got.Exchanges[0]
	if !strings.HasPrefix(x.Thinking, "let me see…") || len(x.Thinking) > maxThoughts || len(x.Thinking) < maxThoughts-20 || x.Answer != goodDiagnosis {
		t.Errorf("%d bytes of thoughts beside %q", len(x.Thinking), x.Answer)
	}
	agents(t, func(t *testing.T, a *Agent, s *server) { // the server did not say that it thinks
		mustPropose(t, a, testTurn())
		if limit(s, 0) != float64(DefaultAnswer) || limit(s, 1).(float64) < 2*DefaultAnswer {
			t.Errorf("%v tokens at first, %v after it thought", limit(s, 0), limit(s, 1))
		}
	}, answer{text: goodDiagnosis, think: "hm"}, answer{text: goodProposals})
	agents(t, func(t *testing.T, a *Agent, s *server) {
		got := mustPropose(t, a, testTurn())
		if limit(s, 0) != float64(DefaultAnswer) || limit(s, 1).(float64) < 2*DefaultAnswer || limit(s, 2) != float64(DefaultAnswer) {
			t.Errorf("limits %v, %v, %v", limit(s, 0), limit(s, 1), limit(s, 2))
		}
		if x := got.Exchanges[0]; !x.Repaired || x.Fallback != "" {
			t.Errorf("%+v", x)
		}
	}, answer{text: "well, ", reason: "length"}, answer{text: goodDiagnosis}, answer{text: goodProposals})
	agents(t, func(t *testing.T, a *Agent, s *server) {
		a.cfg.Answer = 700
		mustPropose(t, a, testTurn())
		if limit(s, 0) != 700.0 || limit(s, 1) != 700.0 {
			t.Errorf("limits %v, %v where the researcher set 700", limit(s, 0), limit(s, 1))
		}
	}, answer{text: "well, ", reason: "length"}, answer{text: goodDiagnosis}, answer{text: goodProposals})
}

// TestHugeAnswers has servers that send without end.
func TestHugeAnswers(t *testing.T) {
	agents(t, func(t *testing.T, a *Agent, _ *server) {
		got := mustPropose(t, a, testTurn())
		if x := got.Exchanges[0]; !strings.Contains(x.Fallback, "cut") || len(x.Answer) > maxAnswer {
			t.Errorf("%d bytes kept, fallback %q", len(x.Answer), x.Fallback)
		}
	}, answer{text: goodDiagnosis + strings.Repeat(" ", maxAnswer)})
	agents(t, func(t *testing.T, a *Agent, _ *server) {
		got := mustPropose(t, a, testTurn())
		if x := got.Exchanges[0]; len(x.Thinking) > maxThoughts {
			t.Errorf("%d bytes of thoughts kept", len(x.Thinking))
		}
	}, answer{text: goodDiagnosis, think: strings.Repeat("hm ", maxAnswer)})
	if testing.Short() {
		return
	}
	s := newServer(t, answer{raw: fmt.Sprintf(`{"choices":[{"finish_reason":"stop","message":{"content":%q}}]}`, strings.Repeat("x", maxBody))})
	got := mustPropose(t, newAgent(t, "openai", s, nil), testTurn())
	if x := got.Exchanges[0]; x.Fallback == "" || strings.Contains(x.Fallback, "cut at its token limit") {
		t.Errorf("a body of more than %d bytes was read whole: fallback %q", maxBody, x.Fallback)
	}
}

// TestSteps has proposals that ask for a length of their own.
func TestSteps(t *testing.T) {
	with := func(steps string) string {
		return strings.Replace(proposalJSON("n3@40", "beta", "0.1"), `"effect"`, `"steps":`+steps+`,"effect"`, 1)
	}
	for steps, want := range map[string]int{"10": 10, "40": 40, "30.0": 30, "9": 0, "41": 0, "0": 0, "12.5": 0, `"many"`: 0, "1e300": 0} {
		agents(t, func(t *testing.T, a *Agent, s *server) {
			got := mustPropose(t, a, testTurn())
			x := got.Exchanges[1]
			switch {
			case want > 0 && (got.Proposals[0].Steps != want || x.Repaired || len(x.Errors) > 0):
				t.Errorf("steps %s: %d, errors %q", steps, got.Proposals[0].Steps, x.Errors)
			case want == 0 && (!x.Repaired || !strings.Contains(x.Errors[0], "steps") || got.Proposals[0].Steps != 20):
				t.Errorf("steps %s: %d, repaired %v, errors %q", steps, got.Proposals[0].Steps, x.Repaired, x.Errors)
			}
			if !strings.Contains(x.Prompt, `Give "steps", 10 to 40`) {
				t.Error("the prompt does not tell the bounds")
			}
		}, answer{text: goodDiagnosis}, answer{text: with(steps)}, answer{text: goodProposals})
	}
}

// TestLatency moves the clock while the server answers.
func TestLatency(t *testing.T) {
	c := &clock{t: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	s := newServer(t, answer{text: goodDiagnosis, before: func() { c.advance(3 * time.Second) }}, answer{text: goodProposals})
	a := newAgent(t, "ollama", s, nil)
	a.cfg.Now = c.now
	got := mustPropose(t, a, testTurn())
	if got.Exchanges[0].Latency != 3*time.Second || got.Exchanges[1].Latency != 0 {
		t.Errorf("latencies %v and %v", got.Exchanges[0].Latency, got.Exchanges[1].Latency)
	}
}

// TestRests has a server that always fails: each rest is twice as long as the last.
func TestRests(t *testing.T) {
	s := newServer(t, answer{status: 500, text: "{}"})
	a := newAgent(t, "ollama", s, nil)
	c := &clock{t: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	a.cfg.Now = c.now
	for range patient {
		mustPropose(t, a, testTurn())
	}
	for _, rest := range []time.Duration{firstRest, 2 * firstRest, 4 * firstRest, 8 * firstRest, longRest, longRest} {
		n := s.calls()
		c.advance(rest - time.Second)
		if mustPropose(t, a, testTurn()); s.calls() != n {
			t.Errorf("asked before its rest of %v was over", rest)
		}
		c.advance(time.Second)
		if mustPropose(t, a, testTurn()); s.calls() != n+1 {
			t.Errorf("not asked after its rest of %v", rest)
		}
	}
}

// TestLeavesABusyServerAlone has a server that asks for more time than a call may wait.
func TestLeavesABusyServerAlone(t *testing.T) {
	for _, proto := range []string{"ollama", "openai"} {
		s := newServer(t, answer{status: 429, header: map[string]string{"Retry-After": "600"}}, answer{text: goodDiagnosis}, answer{text: goodProposals})
		a := newAgent(t, proto, s, nil)
		c := &clock{t: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
		a.cfg.Now = c.now
		for range 6 {
			got := mustPropose(t, a, testTurn())
			if why := got.Exchanges[0].Fallback; !strings.Contains(why, "limits the rate") {
				t.Errorf("%s: fallback %q", proto, why)
			}
			c.advance(99 * time.Second)
		}
		if s.calls() != 1 {
			t.Errorf("%s: %d calls within the 600 seconds", proto, s.calls())
		}
		c.advance(6 * time.Second)
		if got := mustPropose(t, a, testTurn()); got.Exchanges[0].Fallback != "" {
			t.Errorf("%s: still %q after them", proto, got.Exchanges[0].Fallback)
		}
	}
}
