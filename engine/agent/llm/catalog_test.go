package llm

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestCatalogs(t *testing.T) {
	s := newServer(t, answer{})
	s.tell(func(a *about) { a.caps = []string{"vision"} })
	o, err := newOllama(s.URL, transport(nil))
	if err != nil {
		t.Fatal(err)
	}
	models, err := o.Models(context.Background())
	if err != nil || len(models) != 2 || models[0].Name != "bro[31mken" || !models[1].Vision || models[1].Context != 16384 || models[1].Size != 1000 {
		t.Errorf("%+v, %v", models, err)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	quit := errors.New("quit")
	s.tell(func(a *about) { a.asked = func() { cancel(quit) } }) // right after the first model's description
	if o, err = newOllama(s.URL, transport(nil)); err != nil {
		t.Fatal(err)
	}
	if models, err := o.Models(ctx); !errors.Is(err, quit) || models != nil {
		t.Errorf("%+v, %v where the context ended", models, err)
	}
	c, err := newOpenAI(s.URL+"/v1", key{}, transport(nil))
	if err != nil {
		t.Fatal(err)
	}
	s.tell(func(a *about) { a.asked, a.hidden = nil, true })
	models, err = c.Models(context.Background())
	if err != nil || len(models) != 3 || !models[0].Vision || models[0].Context != 4096 || models[2].Context != 16384 || models[1].Context != 0 {
		t.Errorf("%+v, %v", models, err)
	}
	if m, err := c.Describe(context.Background(), "unlisted"); err != nil || m.Name != "unlisted" {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestSurvey(t *testing.T) {
	s := newServer(t, answer{})
	t.Setenv("OLLAMA_HOST", s.URL)
	t.Setenv(EnvOpenAIBase, s.URL+"/v1")
	t.Setenv(EnvOpenAIKey, "")
	got := Survey(context.Background())
	if len(got) != 2 || len(got[0].Models) != 2 || len(got[1].Models) != 3 || got[0].Err != nil || got[1].Err != nil {
		t.Errorf("%+v", got)
	}
	t.Setenv(EnvOpenAIBase, "")
	t.Setenv(EnvOpenAIBaseOther, "")
	t.Setenv(EnvOpenAIKeyOther, "")
	s.Close()
	if got := Survey(context.Background()); len(got) != 1 || got[0].Err == nil || !strings.Contains(got[0].Err.Error(), "ollama serve") {
		t.Errorf("%+v", got)
	}
}

func TestOpen(t *testing.T) {
	t.Setenv(EnvOpenAIBase, "")
	t.Setenv(EnvOpenAIBaseOther, "")
	t.Setenv(EnvOpenAIKey, "")
	t.Setenv(EnvOpenAIKeyOther, "")
	for name, want := range map[string]string{
		"openai:gpt": "set LLMZERO_OPENAI_BASE_URL", "gemini:x": "want rules, ollama:MODEL", "ollama:": "no model is named", "rules": "want rules",
	} {
		if _, err := Open(name, "", nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	t.Setenv(EnvOpenAIBase, "http://user:"+secret+"@")
	if _, err := Open("openai:x", "", nil); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("error %v", err)
	}
	for env, bad := range map[string]string{EnvTimeout: "soon", EnvContext: "12", EnvAnswer: "12"} {
		t.Setenv(env, bad)
		if _, err := Open("ollama:m", "", nil); err == nil || !strings.Contains(err.Error(), env) {
			t.Errorf("%s=%s: %v", env, bad, err)
		}
		t.Setenv(env, "")
	}
	t.Setenv(EnvTimeout, "10m")
	t.Setenv(EnvContext, "4096")
	t.Setenv(EnvAnswer, "3000")
	if a, err := Open("ollama:m", "", nil); err != nil || a.cfg.Timeout != 10*time.Minute || a.cfg.Context != 4096 || a.cfg.Answer != 3000 {
		t.Errorf("%+v, %v", a, err)
	}
	if a, err := Open("skill:ollama:m", "http://127.0.0.1:1", nil); err != nil || a.Name() != "skill:ollama:m" || !a.cfg.Skill || a.cfg.Model != "m" {
		t.Errorf("%+v, %v", a, err)
	}
}
