package llm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"llmzero/engine/agent"
	"llmzero/engine/agent/rules"
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
		s.context = c.window
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

func TestJudge(t *testing.T) {
	exploding := func(n int) []tree.Point {
		pts := make([]tree.Point, n)
		for i := range pts {
			x := float64(i) / 39
			pts[i] = tree.Point{Step: 41 + i, Values: map[string]float64{
				tree.MetricEntropy: 0.6 + 2*x, tree.MetricReward: 0.5 - 0.3*x, tree.MetricLength: 9 + 20*x, tree.MetricTruncated: x,
			}}
		}
		return pts
	}
	watch := func(n int) agent.Watch {
		return agent.Watch{Spec: testTurn().Spec, Points: exploding(n), Node: tree.Node{
			ID: 5, State: tree.StateRunning, Transition: tree.Transition{From: tree.CheckpointRef{Node: 3, Step: 40}, Steps: 40},
		}}
	}
	for _, stop := range []bool{true, false} {
		s := newServer(t, answer{text: fmt.Sprintf(`{"why":"it is\u0007 gone","stop":%v}`, stop)})
		a := newAgent(t, "ollama", s, nil)
		var got agent.Judgement
		for n := 1; n <= 39; n++ {
			j, err := a.Judge(context.Background(), watch(n))
			if err != nil {
				t.Fatal(err)
			}
			if len(j.Exchanges) > 0 {
				got = j
			}
			if stop && j.Stop {
				break
			}
		}
		if got.Stop != stop || len(got.Exchanges) != 1 || stop && got.Why != "it is gone" {
			t.Errorf("stop %v: %+v", stop, got)
		}
		if n := s.calls(); n < 1 || n > 3 {
			t.Errorf("%d calls for one segment, want 1 to 3", n)
		}
	}
	s := newServer(t, answer{text: `{"why":"fine","stop":false}`})
	a := newAgent(t, "ollama", s, nil)
	for id := range tree.NodeID(3) { // each segment is asked about, and once in a quarter
		for n := 30; n <= 32; n++ {
			w := watch(n)
			w.Node.ID = 5 + id
			if _, err := a.Judge(context.Background(), w); err != nil {
				t.Fatal(err)
			}
		}
	}
	if s.calls() != 3 {
		t.Errorf("%d calls for three segments in one quarter of each", s.calls())
	}
	s = newServer(t, answer{status: 500})
	j, err := newAgent(t, "ollama", s, nil).Judge(context.Background(), watch(30))
	if err != nil || j.Stop || len(j.Exchanges) != 1 || j.Exchanges[0].Fallback == "" {
		t.Errorf("a dead server: %+v, %v", j, err)
	}
}

func TestChoose(t *testing.T) {
	ended := func() agent.Ended {
		turn := testTurn()
		return agent.Ended{Spec: turn.Spec, Node: turn.Node, Points: turn.Points, Start: score(0.47)}
	}
	agents(t, func(t *testing.T, a *Agent, s *server) {
		got, err := a.Choose(context.Background(), ended())
		if err != nil || got.Index != 0 || got.Why != "before the cut" || got.By != a.Name() || len(got.Exchanges) != 1 || got.Exchanges[0].Phase != "choose" {
			t.Errorf("%+v, %v", got, err)
		}
		one := ended()
		one.Node.Outcome = &tree.Outcome{Checkpoints: one.Node.Outcome.Checkpoints[:1]}
		if got, err := a.Choose(context.Background(), one); err != nil || got.Index != 0 || s.calls() != 1 {
			t.Errorf("one checkpoint is no question: %+v, %v, %d calls", got, err, s.calls())
		}
	}, answer{text: `{"why":"before the cut","checkpoint":"n3@30"}`})
	agents(t, func(t *testing.T, a *Agent, _ *server) {
		worse := ended()
		o := *worse.Node.Outcome
		o.Checkpoints = []tree.Checkpoint{{Step: 30, Val: score(0.3)}, {Step: 40, Val: score(0.52)}}
		worse.Node.Outcome = &o
		worse.Points = nil
		got, err := a.Choose(context.Background(), worse)
		if err != nil || got.Index != 1 || !strings.Contains(got.Exchanges[0].Fallback, "far beyond the noise") {
			t.Errorf("gave 0.22 away: %+v, %v", got, err)
		}
	}, answer{text: `{"why":"the first","checkpoint":"n3@30"}`})
	agents(t, func(t *testing.T, a *Agent, _ *server) {
		got, err := a.Choose(context.Background(), ended())
		if err != nil || got.Index != 1 || got.By != "rules" || len(got.Exchanges) != 1 || got.Exchanges[0].Fallback == "" {
			t.Errorf("%+v, %v", got, err)
		}
	}, answer{text: `{"why":"","checkpoint":"n1@20"}`})
	agents(t, func(t *testing.T, a *Agent, s *server) {
		got, err := a.Choose(context.Background(), ended())
		x := got.Exchanges[0]
		if err != nil || got.By != "rules" || s.calls() != 2 || len(x.Errors) != 2 || !strings.Contains(x.Fallback, "it gives no reason") {
			t.Errorf("a choice without a reason: %+v, %v", got, err)
		}
	}, answer{text: `{"why":"","checkpoint":"n3@30"}`})
}

// TestChooseFleesOnlyACollapse has a checkpoint far below the best: a severe truncation is no reason to take it, a severe
// collapse is.
func TestChooseFleesOnlyACollapse(t *testing.T) {
	metric := func(values map[string][2]float64) []tree.Point {
		pts := make([]tree.Point, 40)
		for i := range pts {
			x := float64(i) / 39
			pts[i] = tree.Point{Step: 21 + i, Values: map[string]float64{}}
			for name, v := range values {
				pts[i].Values[name] = v[0] + (v[1]-v[0])*x
			}
		}
		return pts
	}
	for name, c := range map[string]struct {
		points []tree.Point
		by     string
	}{
		"truncation": {metric(map[string][2]float64{
			tree.MetricTruncated: {0.2, 0.95}, tree.MetricReward: {0.4, 0.4}, tree.MetricEntropy: {0.6, 0.6},
		}), "rules"},
		"explosion": {metric(map[string][2]float64{
			tree.MetricEntropy: {0.6, 2.6}, tree.MetricReward: {0.5, 0.1}, tree.MetricLength: {9, 30}, tree.MetricTruncated: {0, 1},
		}), "ollama:tiny"},
	} {
		signs := rules.Findings(c.points)
		if !severe(signs) || severe(rules.Collapses(signs)) != (c.by != "rules") {
			t.Fatalf("%s: the curves show %+v", name, signs)
		}
		turn := testTurn()
		e := agent.Ended{Spec: turn.Spec, Node: turn.Node, Points: c.points}
		e.Node.Outcome = &tree.Outcome{Checkpoints: []tree.Checkpoint{{Step: 30, Val: score(0.3)}, {Step: 40, Val: score(0.52)}}}
		s := newServer(t, answer{text: `{"why":"the first","checkpoint":"n3@30"}`})
		if got, err := newAgent(t, "ollama", s, nil).Choose(t.Context(), e); err != nil || got.By != c.by {
			t.Errorf("%s: %s chose %d, %v", name, got.By, got.Index, err)
		}
	}
}

// TestReplayOfJudgements plays a recorded stop again.
func TestReplayOfJudgements(t *testing.T) {
	points := make([]tree.Point, 30)
	for i := range points {
		x := float64(i) / 39
		points[i] = tree.Point{Step: 41 + i, Values: map[string]float64{tree.MetricEntropy: 0.6 + 2*x, tree.MetricReward: 0.5 - 0.3*x, tree.MetricTruncated: x}}
	}
	w := agent.Watch{Spec: testTurn().Spec, Points: points, Node: tree.Node{
		ID: 5, State: tree.StateRunning, Transition: tree.Transition{From: tree.CheckpointRef{Node: 3, Step: 40}, Steps: 40},
	}}
	s := newServer(t, answer{text: `{"why":"it is gone","stop":true}`})
	live, err := newAgent(t, "ollama", s, nil).Judge(t.Context(), w)
	if err != nil || !live.Stop {
		t.Fatalf("%+v, %v", live, err)
	}
	r, err := NewReplay(Recording{Search: "s1", Exchanges: live.Exchanges})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := r.Judge(t.Context(), w); err != nil || !got.Stop || got.Why != live.Why || len(got.Exchanges) != 1 {
		t.Errorf("replayed %+v, %v", got, err)
	}
	if got, err := r.Judge(t.Context(), w); err != nil || got.Stop || len(got.Exchanges) != 0 {
		t.Errorf("beyond the recording the rules judge: %+v, %v", got, err)
	}
}

func TestReplay(t *testing.T) {
	s := newServer(t, answer{text: goodDiagnosis}, answer{text: "no"}, answer{text: goodProposals}, answer{text: `{"why":"w","checkpoint":"n3@30"}`})
	live := newAgent(t, "ollama", s, nil)
	turn := testTurn()
	first := mustPropose(t, live, turn)
	ended := agent.Ended{Spec: turn.Spec, Node: turn.Node, Points: turn.Points}
	choice, err := live.Choose(context.Background(), ended)
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewReplay(Recording{Search: "s1", Exchanges: append(first.Exchanges, choice.Exchanges...)})
	if err != nil {
		t.Fatal(err)
	}
	again := mustPropose(t, r, turn)
	if len(again.Proposals) != len(first.Proposals) {
		t.Fatalf("%d proposals, recorded were %d", len(again.Proposals), len(first.Proposals))
	}
	for i, p := range again.Proposals {
		if q := first.Proposals[i]; p.Rationale != q.Rationale || p.From != q.From || len(p.Changes) != len(q.Changes) || p.By != "replay:s1" {
			t.Errorf("replayed %+v, recorded %+v", p, q)
		}
	}
	if got, err := r.Choose(context.Background(), ended); err != nil || got.Index != choice.Index {
		t.Errorf("chose %+v, %v", got, err)
	}
	// The tape has run out: the rules step in, visibly.
	more := mustPropose(t, r, turn)
	if more.Proposals[0].By != "rules" || !strings.Contains(more.Exchanges[0].Fallback, "no further answer") {
		t.Errorf("%+v", more)
	}
}

func TestReplayOfTransitions(t *testing.T) {
	turn := testTurn()
	p := tree.Transition{From: tree.CheckpointRef{Node: 3, Step: 40}, Steps: 200, By: "rules", Rationale: "r", Changes: []tree.Change{
		{Param: "beta", From: tree.Number(0), To: tree.Number(0.5)},
	}}
	illegal := p // its segments were longer
	illegal.Changes = []tree.Change{{Param: "beta", From: tree.Number(0), To: tree.Number(50)}}
	r, err := NewReplay(Recording{Search: "s2", Nodes: []tree.Node{{}, {ID: 8, Transition: illegal}, {ID: 9, Transition: p}, {ID: 10, Transition: p}}})
	if err != nil {
		t.Fatal(err)
	}
	got := mustPropose(t, r, turn)
	if len(got.Proposals) != 1 || got.Proposals[0].Steps != 40 || got.Proposals[0].Note != "replayed from s2" || got.Proposals[0].Changes[0].To != tree.Number(0.5) {
		t.Errorf("%+v", got.Proposals)
	}
	if _, err := NewReplay(Recording{Search: "s3"}); err == nil {
		t.Error("an empty recording replays")
	}
}

func TestCatalogs(t *testing.T) {
	s := newServer(t, answer{})
	s.caps = []string{"vision"}
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
	s.shown = func() { cancel(quit) } // right after a good answer
	if models, err := o.Models(ctx); !errors.Is(err, quit) || models != nil {
		t.Errorf("%+v, %v where the context ended", models, err)
	}
	s.shown = nil
	c, err := newOpenAI(s.URL+"/v1", key{}, transport(nil))
	if err != nil {
		t.Fatal(err)
	}
	s.hidden = true
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
