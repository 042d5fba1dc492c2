package main

import (
	"math/rand/v2"
	"strings"
	"testing"

	"llmzero/trainer/grpo/base"
	"llmzero/trainer/grpo/policy"
	"llmzero/trainer/grpo/task"
)

func TestEveryTaskHasARecipe(t *testing.T) {
	for _, k := range task.All() {
		if r, ok := recipes[k.Name]; !ok || r.steps < 100 || r.gate.sampled[1] <= r.gate.sampled[0] || r.gate.pass == 0 {
			t.Errorf("%s: recipe %+v", k.Name, r)
		}
	}
	if len(recipes) != len(task.All()) {
		t.Errorf("%d recipes for %d tasks", len(recipes), len(task.All()))
	}
}

// A base is refused when one of its skills is missing, and the reason names it.
func TestGate(t *testing.T) {
	g := gate{sampled: [2]float64{0.2, 0.5}, pass: 0.8, worked: [2]float64{0.02, 0.1}, workedRight: 0.7, easy: 0.9, hard: 0.01}
	good := base.Skill{Sampled: 0.3, Pass: 0.9, PassOf: 16, Worked: 0.05, WorkedRight: 0.8, ByDifficulty: []float64{0.95, 0.3, 0}}
	if err := g.check(good); err != nil {
		t.Fatalf("a good base is refused: %v", err)
	}
	for reason, spoil := range map[string]func(*base.Skill){
		"accuracy at T=1":     func(s *base.Skill) { s.Sampled = 0.6 },
		"not latent":          func(s *base.Skill) { s.Pass = 0.5 },
		"share of worked":     func(s *base.Skill) { s.Worked = 0 },
		"worked answers":      func(s *base.Skill) { s.WorkedRight = 0.2 },
		"lowest difficulty":   func(s *base.Skill) { s.ByDifficulty = []float64{0.5, 0} },
		"highest difficulty ": func(s *base.Skill) { s.ByDifficulty = []float64{0.95, 0.2} },
	} {
		s := good
		spoil(&s)
		if err := g.check(s); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: %v", reason, err)
		}
	}
}

// Fresh weights know nothing: measuring them finds hardly a right answer, and every length ends.
func TestMeasureFreshWeights(t *testing.T) {
	k, err := task.Lookup("sort")
	if err != nil {
		t.Fatal(err)
	}
	net := policy.NewNet(shape())
	net.Load(shape().Init(rand.New(rand.NewPCG(1, 2))))
	set := k.ValidationSet()[:100]
	if got := share(rewards(k, set, complete(net, k, set, 1, rand.New(rand.NewPCG(3, 4))))); got > 0.05 {
		t.Errorf("fresh weights solve %.2f", got)
	}
}

// A shipped base measures as its index says, to the noise of the few samples taken here.
func TestMeasureShippedBase(t *testing.T) {
	index, err := base.Index()
	if err != nil || len(index) == 0 {
		t.Fatal(err)
	}
	e := index[0]
	k, err := task.Lookup(e.Task)
	if err != nil {
		t.Fatal(err)
	}
	file, err := k.Base(e.Base)
	if err != nil {
		t.Fatal(err)
	}
	c, w, _, err := policy.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	net := policy.NewNet(c)
	net.Load(w)
	set := k.ValidationSet()
	got := share(rewards(k, set, complete(net, k, set, 0, nil)))
	if d := got - e.Skill.Greedy; d > 0.02 || d < -0.02 {
		t.Errorf("%s base %d: greedy accuracy %.3f, the index says %.3f", e.Task, e.Base, got, e.Skill.Greedy)
	}
}

func TestIsWorked(t *testing.T) {
	for _, c := range []struct {
		task, completion string
		want             bool
	}{{"chain", "29#9", true}, {"chain", "#9", false}, {"chain", "29", false}, {"chain", "2+#9", false}, {"maze", "U#", false}, {"sort", "ab", false}} {
		k, err := task.Lookup(c.task)
		if err != nil {
			t.Fatal(err)
		}
		ids, err := k.Vocab.Encode(c.completion)
		if err != nil {
			t.Fatal(err)
		}
		if got := isWorked(k, ids); got != c.want {
			t.Errorf("%s: isWorked(%q) = %v", c.task, c.completion, got)
		}
	}
}
