package llm

import (
	"strings"
	"testing"
)

// TestKeys says which key goes where.
func TestKeys(t *testing.T) {
	const ours, theirs = "sk-ours", "sk-openai"
	for name, c := range map[string]struct {
		base, other   string // the two base URLs
		key, otherKey string // the two keys
		want, wantAt  string // the key that is sent, and where
		wrong         string // the error
	}{
		"nothing":                        {wrong: "no OpenAI-compatible server"},
		"hosted":                         {otherKey: theirs, want: theirs, wantAt: defaultOpenAIBase},
		"hosted with ours":               {key: ours, otherKey: theirs, want: ours, wantAt: defaultOpenAIBase},
		"OpenAI's own variables":         {other: "https://gate.example/v1", otherKey: theirs, want: theirs, wantAt: "https://gate.example/v1"},
		"OpenAI's key stays":             {base: "https://else.example/v1", otherKey: theirs, wantAt: "https://else.example/v1"},
		"even with both addresses":       {base: "https://else.example/v1", other: "https://gate.example/v1", otherKey: theirs, wantAt: "https://else.example/v1"},
		"ours goes there":                {base: "https://else.example/v1", key: ours, otherKey: theirs, want: ours, wantAt: "https://else.example/v1"},
		"to OpenAI by our variable":      {base: "https://api.openai.com/v1", otherKey: theirs, want: theirs, wantAt: "https://api.openai.com/v1"},
		"this machine":                   {base: "http://127.0.0.1:8000/v1", otherKey: theirs, want: theirs, wantAt: "http://127.0.0.1:8000/v1"},
		"this machine by name":           {base: "http://localhost:8000/v1", key: ours, want: ours, wantAt: "http://localhost:8000/v1"},
		"this machine, IPv6":             {base: "http://[::1]:8000/v1", key: ours, want: ours, wantAt: "http://[::1]:8000/v1"},
		"plain http":                     {base: "http://10.0.0.5:8000/v1", key: ours, wrong: "LLMZERO_OPENAI_API_KEY would go to 10.0.0.5:8000 over plain http"},
		"plain http, OpenAI's":           {other: "http://10.0.0.5:8000/v1", otherKey: theirs, wrong: "OPENAI_API_KEY would go to 10.0.0.5:8000 over plain http"},
		"plain http without a key":       {base: "http://10.0.0.5:8000/v1", wantAt: "http://10.0.0.5:8000/v1"},
		"plain http, OpenAI's key stays": {base: "http://10.0.0.5:8000/v1", otherKey: theirs, wantAt: "http://10.0.0.5:8000/v1"},
		"looks like this machine":        {base: "http://localhost.example/v1", key: ours, wrong: "over plain http"},
		"no address":                     {base: "ftp://x/v1", wrong: "want something like"},
	} {
		t.Setenv(EnvOpenAIBase, c.base)
		t.Setenv(EnvOpenAIBaseOther, c.other)
		t.Setenv(EnvOpenAIKey, c.key)
		t.Setenv(EnvOpenAIKeyOther, c.otherKey)
		o, err := NewOpenAI("")
		if c.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), c.wrong) || strings.Contains(err.Error(), "sk-") {
				t.Errorf("%s: %v, want %q", name, err, c.wrong)
			}
			continue
		}
		if err != nil || o.key.value != c.want || o.base.String() != c.wantAt {
			t.Errorf("%s: %+v, %v", name, o, err)
		}
	}
}

// TestSendsNothingOfOpenAIs asks another server with a whole environment for OpenAI's own.
func TestSendsNothingOfOpenAIs(t *testing.T) {
	s := newServer(t, answer{text: goodDiagnosis}, answer{text: goodProposals})
	for env, v := range map[string]string{
		EnvOpenAIBase: s.URL + "/v1", EnvOpenAIBaseOther: "", EnvOpenAIKey: secret, EnvOpenAIKeyOther: "sk-openai", "OPENAI_ORG_ID": "sk-org",
		"OPENAI_PROJECT_ID": "sk-project", "OPENAI_ADMIN_KEY": "sk-admin", "OPENAI_CUSTOM_HEADERS": "X-Other: sk-header",
	} {
		t.Setenv(env, v)
	}
	a, err := Open("openai:tiny", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	mustPropose(t, a, testTurn())
	for _, h := range s.headers {
		if h.Get("Authorization") != "Bearer "+secret {
			t.Errorf("authorization %q", h.Get("Authorization"))
		}
		for name, v := range h {
			if strings.HasPrefix(v[0], "sk-") {
				t.Errorf("%s: %s was sent", name, v[0])
			}
		}
	}
}

func TestUnauthorizedNamesTheVariable(t *testing.T) {
	if got := (key{secret, EnvOpenAIKeyOther}).refused(); !strings.Contains(got, EnvOpenAIKeyOther) || strings.Contains(got, secret) {
		t.Error(got)
	}
	if got := (key{}).refused(); !strings.Contains(got, EnvOpenAIKey) {
		t.Error(got)
	}
}
