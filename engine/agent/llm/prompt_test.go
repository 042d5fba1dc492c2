package llm

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"llmzero/engine/agent"
	"llmzero/engine/tree"
)

var update = flag.Bool("update", false, "write the golden prompts")

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", "golden", name+".txt")
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; `go test ./engine/agent/llm -update` writes it", err)
	}
	if got != string(want) {
		t.Errorf("the prompt is not %s; look at the difference and, if it is meant, run with -update. Got:\n%s", file, got)
	}
}

func TestGoldenPrompts(t *testing.T) {
	fresh := testTurn()
	fresh.Node, fresh.Path, fresh.Points, fresh.Fresh = fresh.Path[0].Node, fresh.Path[:1], nil, true
	failed := testTurn()
	failed.Failure = &tree.Failure{Class: tree.FailOOM, Message: "needs 3 GiB\x1b[2J"}
	for name, c := range map[string]struct {
		turn   agent.Turn
		window int
		skill  bool
	}{
		"full": {testTurn(), 16384, false}, "small-window": {testTurn(), 2600, false}, "skill": {testTurn(), 16384, true},
		"fresh": {fresh, 16384, false}, "failed": {failed, 16384, false},
	} {
		s := newServer(t, answer{text: goodDiagnosis}, answer{text: goodProposals})
		s.tell(func(a *about) { a.context = c.window })
		a := newAgent(t, "ollama", s, nil)
		a.cfg.Skill = c.skill
		got := mustPropose(t, a, c.turn)
		last := got.Exchanges[len(got.Exchanges)-1]
		golden(t, name, last.Prompt+"\n")
		if c.window < 3000 && !strings.Contains(last.Prompt, "left out for length") {
			t.Errorf("%s: a prompt was shortened without a word", name)
		}
		if c.skill && (strings.Contains(last.Prompt, "TRIED") || strings.Contains(last.Prompt, "BEST") || !strings.Contains(last.Prompt, "Tuning guide")) {
			t.Error("the skill arm sees the tree or has no guide")
		}
		if strings.ContainsRune(last.Prompt, '\x1b') {
			t.Errorf("%s: control characters in the prompt", name)
		}
	}
}

func TestAssemble(t *testing.T) {
	size := func(s string) int { return len(s) }
	sections := func() []section {
		return []section{
			{name: "must", forms: []string{"MMMM"}, rank: rankAlways, keep: true},
			{name: "curves", forms: []string{strings.Repeat("c", 400), strings.Repeat("c", 100)}, rank: rankCurves},
			{name: "best", forms: []string{strings.Repeat("b", 400)}, rank: rankBest},
			{name: "space", forms: []string{strings.Repeat("s", 400), "ss"}, rank: rankSpace, keep: true},
		}
	}
	for limit, want := range map[int]string{
		1300: "",
		1000: "best",
		700:  "best curves",
		200:  "best curves space",
		0:    "best curves space",
	} {
		text, dropped := assemble(sections(), limit, size)
		if got := strings.Join(dropped, " "); got != want {
			t.Errorf("limit %d: dropped %q, want %q", limit, got, want)
		}
		if len(text) > limit && limit >= 100 {
			t.Errorf("limit %d: %d long", limit, len(text))
		}
		if !strings.Contains(text, "MMMM") || !strings.Contains(text, "ss") {
			t.Errorf("limit %d: what must stay is gone: %q", limit, text)
		}
	}
}

// TestAlwaysFits asks with windows of any size: unless even the bare necessities do not fit, prompt and answer do.
func TestAlwaysFits(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		turn := testTurn()
		for range rapid.IntRange(0, 60).Draw(rt, "children") {
			turn.Children = append(turn.Children, turn.Siblings[0])
		}
		for range rapid.IntRange(0, 30).Draw(rt, "stages") {
			turn.Path = append(turn.Path[:1:1], append([]agent.Stage{turn.Path[1]}, turn.Path[1:]...)...)
		}
		sections, err := describe(turn, placesOf(turn, false), nil, false)
		if err != nil {
			rt.Fatal(err)
		}
		a := &Agent{cfg: Config{Model: "m", Answer: DefaultAnswer}, scale: rapid.Float64Range(0.5, 2).Draw(rt, "scale")}
		m := Model{Context: rapid.IntRange(4500, 32768).Draw(rt, "window")}
		s, err := proposalsSchema(turn, placesOf(turn, false), 2)
		if err != nil {
			rt.Fatal(err)
		}
		r, err := a.request(a.conversation(3, 1, sections), prompt{turn: []Message{{Role: RoleUser, Text: "now"}}, schema: s}, m)
		if err != nil {
			rt.Fatal(err)
		}
		total := 0
		for _, msg := range r.Messages {
			total += int(float64(estimate(msg.Text)) * a.scale)
		}
		if total+r.Answer > m.Context || r.Context > m.Context {
			rt.Fatalf("%d tokens of prompt and %d of answer in a window of %d", total, r.Answer, m.Context)
		}
	})
}

func TestPlots(t *testing.T) {
	pngs, err := plots(testTurn())
	if err != nil || len(pngs) != 1 {
		t.Fatalf("%d plots, %v", len(pngs), err)
	}
	img, err := png.Decode(bytes.NewReader(pngs[0]))
	if err != nil {
		t.Fatal(err)
	}
	colors := map[string]int{}
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			r, g, b, _ := img.At(x, y).RGBA()
			colors[fmt.Sprintf("%02x%02x%02x", r>>8, g>>8, b>>8)]++
		}
	}
	if colors["0060c0"] < 100 || colors["b0b0b0"] < 50 {
		t.Errorf("the curves of node (blue) and path (grey) are not in the picture: %d, %d dots", colors["0060c0"], colors["b0b0b0"])
	}
	turn := testTurn()
	turn.Points = nil
	if pngs, err := plots(turn); err != nil || pngs != nil {
		t.Errorf("a plot of nothing: %d, %v", len(pngs), err)
	}
	turn.Points = []tree.Point{{Step: 1, Values: map[string]float64{"reward": 1}}, {Step: 2, Values: map[string]float64{"reward": 1}}}
	if pngs, err := plots(turn); err != nil || len(pngs) != 1 {
		t.Errorf("a flat curve: %d, %v", len(pngs), err)
	}
}

// FuzzAnswers feeds any text as an answer: never a panic, and what is used is legal.
func FuzzAnswers(f *testing.F) {
	for _, s := range []string{
		goodProposals, goodDiagnosis, "", "{", "<think>{}</think>", `{"proposals":[{}]}`, "\xff{\"a\":1}", "{{{{{{", `{"proposals":[null]}`,
		strings.Repeat(`{"a":`, 500), strings.Repeat(`{"a":`, 50) + "x", strings.Replace(goodProposals, `"effect"`, `"steps":1e99,"effect"`, 1),
		proposalJSON("n3@40", "beta", "1e999"), proposalJSON("n3@40", "beta", `"NaN"`), proposalJSON("n3@40", "beta", `{"x":[1]}`),
	} {
		f.Add(s)
	}
	turn := testTurn()
	places := placesOf(turn, false)
	sp, err := proposalsSchema(turn, places, 2)
	if err != nil {
		f.Fatal(err)
	}
	sd, err := diagnosisSchema(turn.Points)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if ps, err := decode[proposals](text, sp); err == nil {
			got, _ := ps.read(turn, places)
			for _, p := range got {
				if err := turn.Check(p); err != nil {
					t.Errorf("%q: %v", text, err)
				}
			}
		}
		if d, err := decode[diagnosis](text, sd); err == nil {
			fs, _ := d.read(turn.Points)
			if _, err := json.Marshal(fs); err != nil {
				t.Errorf("%q: %v", text, err)
			}
		}
		if c := clean(text, 50); strings.ContainsAny(c, "\x1b\x00\n\u202e") || len([]rune(c)) > 51 {
			t.Errorf("%q cleans to %q", text, c)
		}
	})
}
