package analysis

import (
	"math"
	"math/rand/v2"
	"testing"

	"llmzero/engine/tree"
)

// TestWalksMoveAsValuesDo: the numbers that a walk compares order as the parameter's own values do, for every kind.
func TestWalksMoveAsValuesDo(t *testing.T) {
	for name, p := range map[string]tree.Param{
		"float":       {Kind: tree.KindFloat, Min: 0.2, Max: 2, Scale: tree.ScaleLinear},
		"log":         {Kind: tree.KindFloat, Min: 1e-5, Max: 1e-2, Scale: tree.ScaleLog},
		"int":         {Kind: tree.KindInt, Min: 1, Max: 8, Scale: tree.ScaleLinear},
		"log int":     {Kind: tree.KindInt, Min: 2, Max: 64, Scale: tree.ScaleLog},
		"choice":      {Kind: tree.KindChoice, Choices: []string{"low", "mid", "high"}, Ordered: true},
		"off at zero": {Kind: tree.KindFloat, Min: 1e-3, Max: 1, Scale: tree.ScaleLog, Zero: true},
	} {
		start := p.At(0.5)
		if p.Zero {
			start = tree.Number(0)
		}
		w := newWalk(Motion{Param: p, Ups: 1}, start)
		rng := rand.New(rand.NewPCG(1, 2))
		differ := 0
		for range 2000 {
			u := rng.Float64()
			want := direction(p, start, p.At(u))
			got := 0
			switch now := w.at(u); {
			case now > w.start:
				got = 1
			case now < w.start:
				got = -1
			}
			if got != want {
				differ++ // a float that rounds to the start's three digits
			}
		}
		if most := map[bool]int{true: 10, false: 0}[p.Kind == tree.KindFloat]; differ > most {
			t.Errorf("%s: %d of 2000 draws move otherwise than their values", name, differ)
		}
	}
}

// TestChanceIsWhatItSays: of two random moves from the middle, a quarter goes up twice and half of the paths turn or more.
func TestChanceIsWhatItSays(t *testing.T) {
	p := tree.Param{Name: "x", Kind: tree.KindFloat, Min: 0, Max: 1, Scale: tree.ScaleLinear, Role: tree.RoleCapacity}
	start := tree.Config{"x": tree.Number(0.5)}
	up := Chance(Dynamics(tree.Space{Params: []tree.Param{p}}, start, stages("x", 0.6, 0.7)), start, 20_000, 1)
	if math.Abs(up.Capacity-1.0/8) > 0.01 { // above one half, then above that again: 1/2 * 1/4
		t.Errorf("two moves up have p = %.3f, want .125", up.Capacity)
	}
	p.Role = tree.RoleRegularization
	turn := Chance(Dynamics(tree.Space{Params: []tree.Param{p}}, start, stages("x", 0.6, 0.4)), start, 20_000, 1)
	if math.Abs(turn.Regularization-3.0/4) > 0.01 {
		t.Errorf("one turn has p = %.3f, want .75", turn.Regularization)
	}
}

func TestScoresAreThoseOfThePath(t *testing.T) {
	val := func(m float64) tree.Score { return tree.Score{Mean: m, SE: .01, N: 100} }
	ck := func(step int, m float64) tree.Checkpoint { return tree.Checkpoint{Step: step, Val: val(m)} }
	tr := &tree.Tree{Nodes: []*tree.Node{
		{ID: 0, State: tree.StateEvaluated, Outcome: &tree.Outcome{Val: val(.4)}},
		{ID: 1, Parent: 0, Depth: 1, Transition: tree.Transition{Steps: 40}, Outcome: &tree.Outcome{
			Checkpoints: []tree.Checkpoint{ck(20, .5), ck(30, .6), ck(40, .1)}, Chosen: 1, Val: val(.6),
		}},
		{ID: 2, Parent: 1, Depth: 2, Transition: tree.Transition{From: tree.CheckpointRef{Node: 1, Step: 30}, Steps: 10}, Outcome: &tree.Outcome{
			Checkpoints: []tree.Checkpoint{ck(35, .65), {Step: 38}, ck(40, .7)}, Chosen: 2, Val: val(.7),
		}},
		{ID: 3, Parent: 2, Depth: 3, Transition: tree.Transition{From: tree.CheckpointRef{Node: 2, Step: 40}, Steps: 10}},
	}}
	got := Scores(tr, Along(tr, 3))
	want := []Scored{{0, val(.4)}, {20, val(.5)}, {30, val(.6)}, {35, val(.65)}, {40, val(.7)}}
	if len(got) != len(want) {
		t.Fatalf("got %v", got)
	}
	for i, g := range got {
		if g != want[i] {
			t.Errorf("score %d is %v, want %v", i, g, want[i])
		}
	}
}
