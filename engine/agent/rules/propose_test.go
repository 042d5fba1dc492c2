package rules

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"llmzero/engine/agent"
	"llmzero/engine/tree"
)

func propose(t *testing.T, turn agent.Turn) agent.Answer {
	t.Helper()
	a, err := New().Propose(context.Background(), turn)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range a.Proposals {
		if err := turn.Check(p); err != nil {
			t.Fatalf("proposed what may not be proposed: %v: %+v", err, p)
		}
	}
	return a
}

// change finds the change of a parameter in a proposal.
func change(p tree.Transition, param string) (tree.Change, bool) {
	i := slices.IndexFunc(p.Changes, func(c tree.Change) bool { return c.Param == param })
	if i < 0 {
		return tree.Change{}, false
	}
	return p.Changes[i], true
}

func TestFirstRemedy(t *testing.T) {
	want := map[tree.Pathology]struct {
		param string
		up    bool
	}{
		tree.EntropyCollapse:  {pLR, false},
		tree.EntropyExplosion: {pLR, false},
		tree.KLRunaway:        {pBeta, true},
		tree.KLStagnation:     {pBeta, false},
		tree.Truncation:       {pLength, true},
		tree.LengthHacking:    {pOverlong, true},
		tree.SparseSignal:     {pDifficulty, false},
		tree.SaturatedSignal:  {pDifficulty, true},
		tree.Overfitting:      {pBeta, true},
		tree.Instability:      {pLR, false},
		tree.CapacityLimit:    {pGroup, true},
	}
	for p, w := range want {
		turn := turnAt(points(shapesOf(p), 40, 1, 0, 1), valsOf(p)...)
		turn.Count = 6
		a := propose(t, turn)
		if len(a.Proposals) != 6 {
			t.Errorf("%s: %d proposals, want 6", p, len(a.Proposals))
		}
		if !slices.ContainsFunc(a.Findings, func(f tree.Finding) bool { return f.Pathology == p }) {
			t.Errorf("%s: not among the findings %v", p, a.Findings)
		}
		ok := slices.ContainsFunc(a.Proposals[:3], func(tr tree.Transition) bool {
			c, there := change(tr, w.param)
			return there && (c.To.Num > c.From.Num) == w.up && c.Reason != "" && tr.Rationale != "" && tr.Effect.Text != ""
		})
		if !ok {
			t.Errorf("%s: no proposal moves %s (up %v): %+v", p, w.param, w.up, a.Proposals)
		}
	}
}

func TestResumesBeforeTheCollapse(t *testing.T) {
	pts := points(shapesOf(tree.EntropyCollapse), 40, 1, 0, 1) // falls from step 17 on; checkpoints at 10, 20, 30, 40
	a := propose(t, turnAt(pts, 0.45, 0.5, 0.46, 0.4))
	p := a.Proposals[0]
	if p.From != (tree.CheckpointRef{Node: 1, Step: 10}) || !strings.Contains(p.FromWhy, "before the entropy collapse") {
		t.Errorf("resumes from %v (%s), want step 10", p.From, p.FromWhy)
	}
	// With no checkpoint before it, the parent's is taken, and changes are relative to the parent's configuration.
	turn := turnAt(pts, 0.4)
	turn.Node.Config[pLR] = tree.Number(1e-3)
	p = propose(t, turn).Proposals[0]
	if p.From != (tree.CheckpointRef{}) {
		t.Fatalf("resumes from %v, want the root", p.From)
	}
	if c, ok := change(p, pLR); !ok || c.From != tree.Number(3e-4) {
		t.Errorf("change %+v: want it relative to the root's 3e-4", c)
	}
}

func TestHealthyExplores(t *testing.T) {
	turn := turnAt(points(healthyShapes(), 40, 1, 0.02, 1), 0.44, 0.48, 0.5, 0.55)
	turn.Count = 5
	a := propose(t, turn)
	if len(a.Findings) != 1 || a.Findings[0].Pathology != tree.Healthy || len(a.Findings[0].Evidence) == 0 {
		t.Errorf("findings %+v", a.Findings)
	}
	if len(a.Proposals) != 5 {
		t.Fatalf("%d proposals", len(a.Proposals))
	}
	if !slices.ContainsFunc(a.Proposals, func(p tree.Transition) bool { return len(p.Changes) == 0 }) {
		t.Error("reward rises and nothing is wrong, yet going on unchanged is not proposed")
	}
}

func TestNothingTwice(t *testing.T) {
	turn := turnAt(points(shapesOf(tree.Truncation), 40, 1, 0, 1), 0.44, 0.48, 0.5, 0.52)
	seen := map[string]bool{}
	for i := range 60 {
		a := propose(t, turn)
		if len(a.Proposals) == 0 {
			t.Fatalf("nothing left to propose after %d children", i)
		}
		p := a.Proposals[0]
		config, err := turn.Result(p)
		if err != nil {
			t.Fatal(err)
		}
		key := config.Key() + p.FromWhy
		if seen[key] {
			t.Fatalf("proposed twice: %+v", p)
		}
		seen[key] = true
		n := tree.Node{ID: tree.NodeID(i + 2), Parent: p.From.Node, State: tree.StateProposed, Transition: p, Config: config}
		if i%3 == 0 {
			n.State, n.Verdict = tree.StateVetoed, &tree.Verdict{Decision: tree.Vetoed, Why: "no"}
			turn.Vetoes = append(turn.Vetoes, n)
			continue
		}
		if p.From.Node == turn.Node.ID {
			turn.Children = append(turn.Children, n)
		} else {
			turn.Siblings = append(turn.Siblings, n)
		}
	}
}

func TestMemoryPrefersWhatHelped(t *testing.T) {
	turn := turnAt(points(healthyShapes(), 40, 1, 0.02, 1), 0.44, 0.48, 0.5, 0.5)
	turn.Count = 8
	conf := func() float64 {
		for _, p := range propose(t, turn).Proposals {
			if c, ok := change(p, pGroup); ok && c.To.Num > c.From.Num {
				return p.Confidence
			}
		}
		t.Fatal("no proposal raises the group")
		return 0
	}
	before := conf()
	child := func(val float64) tree.Node {
		return tree.Node{
			ID: 2, Parent: 1, State: tree.StateEvaluated, Config: turn.Node.Config.With([]tree.Change{{Param: pGroup, To: tree.Number(12)}}),
			Transition: tree.Transition{
				From:    tree.CheckpointRef{Node: 1, Step: 40},
				Changes: []tree.Change{{Param: pGroup, From: tree.Number(8), To: tree.Number(12)}},
			},
			Outcome: &tree.Outcome{Val: score(val)},
		}
	}
	turn.Children = []tree.Node{child(0.6)}
	if got := conf(); got <= before {
		t.Errorf("confidence %g after a gain, %g before", got, before)
	}
	turn.Children = []tree.Node{child(0.4)}
	if got := conf(); got >= before {
		t.Errorf("confidence %g after a loss, %g before", got, before)
	}
}

func TestExpectedEffectIsMeasured(t *testing.T) {
	turn := turnAt(points(healthyShapes(), 40, 1, 0.02, 1), 0.44, 0.48, 0.5, 0.5)
	turn.Count = 8
	for _, p := range propose(t, turn).Proposals {
		if p.Effect.Low != 0 || p.Effect.High != 0 {
			t.Errorf("an effect of %g to %g that nobody measured", p.Effect.Low, p.Effect.High)
		}
	}
}

func TestPractitionerFirst(t *testing.T) {
	turn := turnAt(nil)
	turn.Node, turn.Path = turn.Path[0].Node, turn.Path[:1]
	turn.Fresh, turn.Count = true, 6
	a := propose(t, turn)
	if len(a.Proposals) != 6 || len(a.Proposals[0].Changes) != 0 || a.Proposals[0].From != (tree.CheckpointRef{}) {
		t.Fatalf("the first fresh start is not the practitioner's configuration: %+v", a.Proposals)
	}
	turn.Children = []tree.Node{{ID: 1, State: tree.StateEvaluated, Config: turn.Spec.Root, Transition: a.Proposals[0]}}
	firsts := map[string]bool{}
	for seed := range uint64(12) {
		turn.Seed = seed
		p := propose(t, turn).Proposals[0]
		if len(p.Changes) == 0 {
			t.Fatal("the practitioner's configuration twice")
		}
		firsts[p.Rationale] = true
	}
	if len(firsts) < 3 {
		t.Errorf("twelve seeds open in only %d ways", len(firsts))
	}
}

func TestRemedies(t *testing.T) {
	group := []tree.Change{{Param: pGroup, From: tree.Number(8), To: tree.Number(32)}, {Param: pLR, From: tree.Number(3e-4), To: tree.Number(1e-3)}}
	for class, want := range map[tree.FailureClass]string{
		tree.FailOOM: pPrompts, tree.FailNaN: pLR, tree.FailTimeout: pLength, tree.FailConfig: pGroup, tree.FailCrash: pLR,
	} {
		turn := turnAt(nil)
		turn.Node.State, turn.Node.Outcome = tree.StateFailed, &tree.Outcome{Chosen: -1}
		turn.Node.Transition.Changes = group
		turn.Node.Config = turn.Path[0].Node.Config.With(group)
		turn.Path[1].Node = turn.Node
		turn.Failure = &tree.Failure{Class: class, Message: "boom: num_generations is too large"}
		turn.Count = 4
		a := propose(t, turn)
		if a.Findings[0].Pathology != tree.SegmentFailure || !strings.Contains(a.Findings[0].Evidence[0].Text, string(class)) {
			t.Errorf("%s: findings %+v", class, a.Findings)
		}
		if len(a.Proposals) < 3 {
			t.Fatalf("%s: %d proposals", class, len(a.Proposals))
		}
		found := slices.ContainsFunc(a.Proposals[:3], func(p tree.Transition) bool {
			config, err := turn.Result(p)
			return err == nil && config[want].Num < turn.Node.Config[want].Num
		})
		if !found {
			t.Errorf("%s: no proposal lowers %s: %+v", class, want, a.Proposals)
		}
	}
}

func TestUnknownSpace(t *testing.T) {
	turn := turnAt(points(shapesOf(tree.EntropyCollapse), 40, 1, 0, 1), 0.44, 0.48)
	turn.Spec.Space = tree.Space{Params: []tree.Param{{
		Name: "warmth", Kind: tree.KindFloat, Min: 0, Max: 1, Scale: tree.ScaleLinear, Default: tree.Number(0.5), Role: tree.RoleOther,
	}}}
	config := turn.Spec.Space.Defaults()
	turn.Node.Config, turn.Path[0].Node.Config, turn.Path[1].Node.Config = config, config, config
	if a := propose(t, turn); len(a.Proposals) != 3 {
		t.Errorf("%d proposals for a trainer whose parameters the table does not know, want 3", len(a.Proposals))
	}
}

func TestSameTurnSameAnswer(t *testing.T) {
	turn := turnAt(points(healthyShapes(), 40, 1, 0.02, 1), 0.44, 0.48, 0.5, 0.55)
	turn.Count = 12
	text := func() string {
		b, err := json.Marshal(propose(t, turn))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if one, two := text(), text(); one != two {
		t.Error("the same turn gave two answers")
	}
}

func TestCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err1 := New().Propose(ctx, turnAt(nil))
	_, err2 := New().Judge(ctx, agent.Watch{})
	_, err3 := New().Choose(ctx, agent.Ended{})
	for _, err := range []error{err1, err2, err3} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v after a cancel", err)
		}
	}
}

func TestReadHint(t *testing.T) {
	space := testSpace()
	for text, want := range map[string]string{
		"lower the learning rate":                  "learning_rate x0.5",
		"Please try lr 1e-4, it works":             "learning_rate =0.0001",
		"longer completions and lower temperature": "max_completion_length x1.5, temperature x0.5",
		"temperature = .8":                         "temperature =0.8",
		"increase num_generations to 16":           "num_generations =16",
		"easier problems!":                         "difficulty x0.6",
		"loss_type grpo":                           "loss_type =grpo",
		"ref_reset reset":                          "ref_reset =reset",
		"why is it so slow?":                       "",
		"lr 99":                                    "",
		"":                                         "",
	} {
		var got []string
		for _, m := range readHint(space, text) {
			if m.set {
				got = append(got, m.param+" ="+m.to.String())
			} else {
				got = append(got, m.param+" x"+num(m.factor))
			}
		}
		if s := strings.Join(got, ", "); s != want {
			t.Errorf("%q: read %q, want %q", text, s, want)
		}
	}
}

func TestHintComesFirst(t *testing.T) {
	turn := turnAt(points(healthyShapes(), 40, 1, 0.02, 1), 0.44, 0.48, 0.5, 0.55)
	turn.Hints = []tree.Hint{{Text: "old: raise beta"}, {Text: "try temperature 0.7\x1b[31m"}}
	p := propose(t, turn).Proposals[0]
	if c, ok := change(p, pT); !ok || c.To != tree.Number(0.7) || strings.ContainsRune(p.Rationale, '\x1b') {
		t.Errorf("first proposal %+v", p)
	}
}
