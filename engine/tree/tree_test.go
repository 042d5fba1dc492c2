package tree

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// param draws a sound parameter of any kind.
func param(t *rapid.T) Param {
	p := Param{
		Name: "p", Kind: rapid.SampledFrom([]Kind{KindFloat, KindInt, KindChoice}).Draw(t, "kind"),
		Scale: rapid.SampledFrom([]Scale{ScaleLinear, ScaleLog}).Draw(t, "scale"), Role: RoleOther,
	}
	if p.Kind == KindChoice {
		p.Choices, p.Ordered = []string{"a", "b", "c", "d"}[:rapid.IntRange(1, 4).Draw(t, "choices")], rapid.Bool().Draw(t, "ordered")
		p.Default = Choice("a")
		return p
	}
	p.Min = float64(rapid.IntRange(1, 50).Draw(t, "min"))
	p.Max = p.Min + float64(rapid.IntRange(1, 500).Draw(t, "width"))
	if p.Kind == KindFloat {
		p.Min, p.Max = p.Min/1000, p.Max/100
	}
	p.Zero = rapid.Bool().Draw(t, "zero")
	p.Default = Number(p.Min)
	return p
}

func TestParamProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := param(t)
		if err := (Space{Params: []Param{p}}).Validate(); err != nil {
			t.Fatal(err)
		}
		// Whatever comes in, a clamped value is one of p's and clamping it again changes nothing.
		v := Number(rapid.Float64().Draw(t, "value"))
		if rapid.Bool().Draw(t, "text") {
			v = Choice(rapid.SampledFrom([]string{"a", "d", "nothing"}).Draw(t, "choice"))
		}
		c := p.Clamp(v)
		if err := p.Check(c); err != nil {
			t.Fatalf("Clamp(%v): %v", v, err)
		}
		if again := p.Clamp(c); again != c {
			t.Fatalf("Clamp(%v) is %v, again %v", v, c, again)
		}
		if p.Check(v) == nil && p.Kind == KindInt && c != v {
			t.Fatalf("Clamp changed the sound value %v to %v", v, c)
		}
		// Positions lie in 0..1, grow with the value, and lead back to it.
		a, b := p.At(rapid.Float64Range(0, 1).Draw(t, "a")), p.At(rapid.Float64Range(0, 1).Draw(t, "b"))
		for _, x := range []Value{a, b} {
			if err := p.Check(x); err != nil {
				t.Fatal(err)
			}
			pos := p.Position(x)
			if pos < 0 || pos > 1 {
				t.Fatalf("Position(%v) = %v", x, pos)
			}
			if back := p.At(pos); (p.Kind != KindChoice || p.Ordered) && math.Abs(p.Position(back)-pos) > 0.02 {
				t.Fatalf("At(Position(%v)) = %v", x, back)
			}
		}
		if p.Kind != KindChoice && a.Num < b.Num && p.Position(a) > p.Position(b) {
			t.Fatalf("%v < %v, but it lies to the right of it", a, b)
		}
		// What is printed reads back.
		back, err := p.Parse(c.String())
		if err != nil || back != c {
			t.Fatalf("Parse(%q) = %v, %v", c.String(), back, err)
		}
	})
}

func TestParamCheck(t *testing.T) {
	lr := Param{Name: "lr", Kind: KindFloat, Min: 1e-5, Max: 1e-2, Scale: ScaleLog, Zero: true}
	n := Param{Name: "n", Kind: KindInt, Min: 2, Max: 8}
	loss := Param{Name: "loss", Kind: KindChoice, Choices: []string{"grpo", "dapo"}}
	for _, c := range []struct {
		p    Param
		v    Value
		want string // part of the error, empty for none
	}{
		{lr, Number(1e-3), ""},
		{lr, Number(0), ""},
		{lr, Number(1), "outside"},
		{lr, Number(-1e-3), "outside"},
		{lr, Number(math.NaN()), "finite"},
		{lr, Number(math.Inf(1)), "finite"},
		{lr, Choice("high"), "not a number"},
		{n, Number(2), ""},
		{n, Number(2.5), "whole"},
		{n, Number(0), "outside"},
		{loss, Choice("dapo"), ""},
		{loss, Choice("ppo"), "grpo, dapo"},
		{loss, Number(1), "not one of"},
	} {
		err := c.p.Check(c.v)
		if (err == nil) != (c.want == "") || (err != nil && !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s.Check(%v) = %v, want %q", c.p.Name, c.v, err, c.want)
		}
	}
}

func TestSpaceValidate(t *testing.T) {
	ok := Param{Name: "a", Kind: KindFloat, Min: 0, Max: 1, Role: RoleOther, Default: Number(0)}
	edit := func(f func(*Param)) Space {
		p := ok
		f(&p)
		return Space{Params: []Param{p}}
	}
	for _, c := range []struct {
		s    Space
		want string
	}{
		{Space{Params: []Param{ok}}, ""},
		{Space{Params: []Param{ok, ok}}, "twice"},
		{edit(func(p *Param) { p.Name = "" }), "no name"},
		{edit(func(p *Param) { p.Max = 0 }), "empty range"},
		{edit(func(p *Param) { p.Scale = ScaleLog }), "log scale"},
		{edit(func(p *Param) { p.Role = "boss" }), "role"},
		{edit(func(p *Param) { p.Kind = "vector" }), "kind"},
		{edit(func(p *Param) { p.Kind = KindChoice }), "no choices"},
		{edit(func(p *Param) { p.Default = Number(2) }), "default"},
	} {
		err := c.s.Validate()
		if (err == nil) != (c.want == "") || (err != nil && !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v: %v, want %q", c.s, err, c.want)
		}
	}
}

func TestSpaceOfATask(t *testing.T) {
	d := Description{
		Name: "toy",
		Space: Space{Params: []Param{
			{Name: "a", Kind: KindInt, Min: 1, Max: 10, Role: RoleOther, Default: Number(10)},
			{Name: "b", Kind: KindInt, Min: 1, Max: 10, Role: RoleOther, Default: Number(5)},
		}},
		Tasks: []TaskInfo{{Name: "short", Fits: []Fit{{"a", 2, 4, 3}, {"gone", 0, 1, 0}}}, {Name: "plain"}},
	}
	a, _ := d.SpaceOf("short").Find("a")
	if a.Min != 2 || a.Max != 4 || a.Default != Number(3) {
		t.Errorf("fitted: %+v", a)
	}
	for _, task := range []string{"plain", "unknown"} {
		if s := d.SpaceOf(task); !reflect.DeepEqual(s, d.Space) {
			t.Errorf("%s sees %+v", task, s)
		}
	}
	if a, _ := d.Space.Find("a"); a.Max != 10 {
		t.Error("fitting changed the trainer's own space")
	}
	if _, err := d.Task("unknown"); err == nil || !strings.Contains(err.Error(), "it has short, plain") {
		t.Errorf("unknown task: %v", err)
	}
}

func TestConfig(t *testing.T) {
	s := Space{Params: []Param{
		{Name: "a", Kind: KindFloat, Min: 0, Max: 1, Role: RoleOther, Default: Number(.5)},
		{Name: "b", Kind: KindChoice, Choices: []string{"x", "y"}, Role: RoleOther, Default: Choice("x")},
	}}
	base := s.Defaults()
	moved := base.With([]Change{{Param: "b", To: Choice("y")}})
	if base["b"] != Choice("x") {
		t.Error("With changed its receiver")
	}
	want := []Change{{Param: "b", From: Choice("x"), To: Choice("y")}}
	if got := s.Diff(base, moved); !reflect.DeepEqual(got, want) {
		t.Errorf("Diff = %v", got)
	}
	if base.Key() == moved.Key() || base.Key() != base.Clone().Key() {
		t.Error("keys do not tell configurations apart")
	}
	for _, c := range []struct {
		c    Config
		want string
	}{
		{moved, ""},
		{Config{"a": Number(1)}, "gives no value"},
		{base.With([]Change{{Param: "c", To: Number(1)}}), "no such parameter"},
		{base.With([]Change{{Param: "a", To: Number(3)}}), "outside"},
	} {
		err := s.Check(c.c)
		if (err == nil) != (c.want == "") || (err != nil && !strings.Contains(err.Error(), c.want)) {
			t.Errorf("Check(%v) = %v, want %q", c.c, err, c.want)
		}
	}
	for text, want := range map[string]string{"a=.25": "", "a": "NAME=VALUE", "z=1": "no parameter z", "a=x": "not a number", "b=q": "not one of"} {
		_, err := s.Parse([]string{text})
		if (err == nil) != (want == "") || (err != nil && !strings.Contains(err.Error(), want)) {
			t.Errorf("Parse(%q) = %v, want %q", text, err, want)
		}
	}
}

func TestStateMoves(t *testing.T) {
	for _, from := range States {
		for _, to := range States {
			may := from.May(to, "")
			if may && from == to {
				t.Errorf("%s may move to itself", from)
			}
			if may && to == StateProposed && from != StateVetoed {
				t.Errorf("%s may be proposed again", from)
			}
			if may && from == StateRunning && to == StatePruned {
				t.Error("a running node may be pruned under its trainer")
			}
			if may && from == StatePruned {
				t.Errorf("a pruned node that was nothing before may become %s", to)
			}
			if got, want := StatePruned.May(to, from), to == from && from != StatePruned; got != want {
				t.Errorf("a pruned node that was %s may become %s: %v", from, to, got)
			}
		}
	}
}

func TestApproval(t *testing.T) {
	s := Space{Params: []Param{
		{Name: "lr", Kind: KindFloat, Scale: ScaleLog, Min: 1e-5, Max: 1},
		{Name: "rank", Kind: KindInt, Min: 1, Max: 32, Structural: true},
	}}
	move := func(param string, from, to, confidence float64) Transition {
		return Transition{Confidence: confidence, Changes: []Change{{Param: param, From: Number(from), To: Number(to)}}}
	}
	for _, c := range []struct {
		mode  Mode
		t     Transition
		waits bool
	}{
		{AskAlways, move("lr", .1, .1, 1), true},
		{AskNever, move("rank", 2, 32, 0), false},
		{AskRisky, move("lr", .1, .2, .9), false},
		{AskRisky, move("lr", .1, .5, .9), true},
		{AskRisky, move("lr", .1, .02, .9), true},
		{AskRisky, move("rank", 2, 4, .9), true},
		{AskRisky, move("lr", .1, .2, .1), true},
	} {
		waits, why := DefaultApproval(c.mode).Waits(s, c.t)
		if waits != c.waits || (why == "" && c.mode != AskAlways) {
			t.Errorf("%s: %+v waits = %v (%s)", c.mode, c.t.Changes, waits, why)
		}
	}
}

func TestBudget(t *testing.T) {
	b := Budget{Segments: 10, Tokens: 1000}
	if got := b.Used(Spent{Segments: 5, Cost: Cost{PromptTokens: 300, SampledTokens: 300, TrainedTokens: 300, EvalTokens: 900}}); got != 0.9 {
		t.Errorf("used %v, want the larger share .9", got)
	}
	for want, b := range map[string]Budget{
		"no limit": {}, "below 0": {Segments: -1}, "confirmation": {Segments: 1, Confirm: .95},
		"want a number": {GPUHours: math.NaN()}, "confirmation is NaN": {Segments: 1, Confirm: math.NaN()},
	} {
		if err := b.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", b, err, want)
		}
	}
}

// sample is a small sound tree.
func sample() *Tree {
	s := Space{Params: []Param{{Name: "a", Kind: KindFloat, Min: 0, Max: 1, Role: RoleOther, Default: Number(0)}}}
	ended := &Outcome{Checkpoints: []Checkpoint{{Val: Score{.5, .1, 9}}}, Val: Score{.5, .1, 9}}
	t := &Tree{Spec: Spec{ID: "t", Space: s}, Nodes: []*Node{
		{State: StateEvaluated, Outcome: ended, Config: s.Defaults()},
		{ID: 1, State: StateEvaluated, Outcome: ended, Config: s.Defaults(), Verdict: &Verdict{Decision: Approved}},
		{ID: 2, Parent: 1, State: StateProposed, Config: s.Defaults()},
	}}
	if err := t.Link(); err != nil {
		panic(err)
	}
	return t
}

func TestTreeCheck(t *testing.T) {
	if err := sample().Check(); err != nil {
		t.Fatalf("a sound tree: %v", err)
	}
	for name, spoil := range map[string]func(*Tree){
		"id":         func(x *Tree) { x.Nodes[1].ID = 7 },
		"parent":     func(x *Tree) { x.Nodes[1].Parent = 2 },
		"depth":      func(x *Tree) { x.Nodes[2].Depth = 1 },
		"config":     func(x *Tree) { x.Nodes[2].Config = Config{} },
		"no outcome": func(x *Tree) { x.Nodes[1].Outcome = nil },
		"score":      func(x *Tree) { o := *x.Nodes[1].Outcome; o.Val.Mean = math.NaN(); x.Nodes[1].Outcome = &o },
		"no verdict": func(x *Tree) { x.Nodes[1].Verdict = nil },
		"veto":       func(x *Tree) { x.Nodes[2].State = StateVetoed },
		"pin":        func(x *Tree) { x.Nodes[2].Pinned = true },
		"children":   func(x *Tree) { x.Nodes[0].Children = []NodeID{2} },
		"pruned": func(x *Tree) {
			x.Nodes[1].State, x.Nodes[1].Before, x.Nodes[1].Outcome = StatePruned, StateEvaluated, nil
		},
		"spent":           func(x *Tree) { x.Spent.Segments = -1 },
		"root has parent": func(x *Tree) { x.Nodes[0].Depth = 1 },
	} {
		x := sample()
		spoil(x)
		if x.Check() == nil {
			t.Errorf("%s: the check does not find it", name)
		}
	}
	x := sample()
	x.Nodes[2].Parent = 2
	if x.Link() == nil {
		t.Error("Link takes a node that is its own parent")
	}
}

func TestTreeQueries(t *testing.T) {
	x := sample()
	if best, ok := x.Best(); !ok || best.ID != Root {
		t.Errorf("Best of equals is %v, want the earlier", best)
	}
	if got := x.Path(2); len(got) != 3 || got[0].ID != 0 || got[2].ID != 2 {
		t.Errorf("Path(2) = %v", got)
	}
	if x.Path(9) != nil {
		t.Error("a path to nowhere")
	}
	if w := x.Waiting(); len(w) != 1 || w[0].ID != 2 {
		t.Errorf("Waiting = %v", w)
	}
	c := x.Clone()
	c.Nodes[2].State = StateVetoed
	c.Nodes[0].Children[0] = 2
	if x.Nodes[2].State != StateProposed || x.Nodes[0].Children[0] != 1 {
		t.Error("a clone shares its nodes")
	}
	if s := x.Summary(); s.Nodes != 3 || s.Waiting != 1 || s.BestVal != .5 {
		t.Errorf("Summary = %+v", s)
	}
}

func TestBanHits(t *testing.T) {
	b := Ban{Param: "lr", Min: .1, Max: .5}
	for v, want := range map[Value]bool{Number(.1): true, Number(.3): true, Number(.6): false, Choice("x"): false} {
		if b.Hits("lr", v) != want || b.Hits("kl", v) {
			t.Errorf("Hits(%v) != %v", v, want)
		}
	}
	if c := (Ban{Param: "loss", Choice: "dapo"}); !c.Hits("loss", Choice("dapo")) || c.Hits("loss", Choice("grpo")) || c.Hits("loss", Number(0)) {
		t.Error("a banned choice")
	}
}

// FuzzNodeJSON checks that whatever decodes as a node survives a round trip.
func FuzzNodeJSON(f *testing.F) {
	for _, n := range sample().Nodes {
		b, err := json.Marshal(n)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`{"config":{"a":1e-3,"b":"full"},"transition":{"changes":[{"param":"a","from":1,"to":"x"}]}}`))
	f.Add([]byte(`{"config":{"a":null}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var n Node
		if json.Unmarshal(b, &n) != nil {
			return
		}
		once, err := json.Marshal(n)
		if err != nil {
			t.Fatalf("decoded but not encodable: %v", err)
		}
		var m Node
		if err := json.Unmarshal(once, &m); err != nil {
			t.Fatalf("encoded but not decodable: %v\n%s", err, once)
		}
		twice, err := json.Marshal(m)
		if err != nil || string(once) != string(twice) {
			t.Fatalf("%v\n%s\n%s", err, once, twice)
		}
	})
}
