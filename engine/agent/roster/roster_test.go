package roster

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"llmzero/engine/agent/llm"
)

func TestOpen(t *testing.T) {
	t.Setenv("OLLAMA_HOST", "127.0.0.1:9")
	t.Setenv(llm.EnvOpenAIBase, "http://127.0.0.1:9/v1")
	bad := filepath.Join(t.TempDir(), "prices.toml")
	if err := os.WriteFile(bad, []byte("[[price]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	missing := errors.New("there is no such search")
	source := Source{Recording: func(context.Context, string) (llm.Recording, error) { return llm.Recording{}, missing }}
	for _, c := range []struct {
		name   string
		prices string
		want   string // of the agent; empty: an error
		err    error
	}{
		{name: "rules", want: "rules"},
		{name: "", want: "rules"},
		{name: "ollama:tiny", want: "ollama:tiny"},
		{name: "openai:tiny", want: "openai:tiny"},
		{name: "skill:ollama:tiny", want: "skill:ollama:tiny"},
		{name: "ollama:"},
		{name: "skill:rules", err: ErrUnknown},
		{name: "gpt", err: ErrUnknown},
		{name: "replay:mixed-9", err: missing},
		{name: "ollama:tiny", prices: bad},
	} {
		source.PriceFile = c.prices
		a, err := source.Open(t.Context(), c.name)
		if (err == nil) != (c.want != "") || (c.err != nil && !errors.Is(err, c.err)) {
			t.Errorf("Open(%q) with prices %q: %v", c.name, c.prices, err)
			continue
		}
		if err == nil && a.Name() != c.want {
			t.Errorf("Open(%q) is %s", c.name, a.Name())
		}
	}
}

func TestNoServer(t *testing.T) {
	t.Setenv("OLLAMA_HOST", "127.0.0.1:9")
	for _, v := range []string{llm.EnvOpenAIBase, llm.EnvOpenAIBaseOther, llm.EnvOpenAIKey, llm.EnvOpenAIKeyOther} {
		t.Setenv(v, "")
	}
	all := llm.Survey(t.Context())
	if len(all) != 1 || Say(all[0]) != "not running" || Title(all[0]) != "Ollama" {
		t.Errorf("servers: %v", all)
	}
	if c := Choices(t.Context()); len(c) != 1 || c[0].Name != Rules {
		t.Errorf("choices: %v", c)
	}
	a, err := Source{}.Open(t.Context(), "ollama:tiny")
	if err != nil {
		t.Fatal(err)
	}
	if err := Check(t.Context(), a); !errors.Is(err, llm.ErrNoServer) {
		t.Errorf("Check: %v", err)
	}
}

func TestDescribe(t *testing.T) {
	if got := Describe(llm.Model{Name: "m", Context: 8192, Vision: true}); got != "m (8k context, sees images)" {
		t.Error(got)
	}
	if got := Describe(llm.Model{Name: "m"}); got != "m" {
		t.Error(got)
	}
}
