package analysis

import (
	"testing"

	"pgregory.net/rapid"

	"llmzero/engine/tree"
)

func param(name string, role tree.Role) tree.Param {
	return tree.Param{Name: name, Kind: tree.KindFloat, Min: 1e-3, Max: 10, Scale: tree.ScaleLog, Default: tree.Number(1), Role: role}
}

func stages(name string, xs ...float64) []Stage {
	out := make([]Stage, len(xs))
	for i, x := range xs {
		out[i] = Stage{Config: tree.Config{name: tree.Number(x)}}
	}
	return out
}

func TestDynamicsCountsMovesAndTurns(t *testing.T) {
	for _, c := range []struct {
		name             string
		xs               []float64
		ups, downs, turn int
	}{
		{"still", []float64{1, 1, 1}, 0, 0, 0},
		{"up", []float64{1, 2, 2, 4}, 2, 0, 0},
		{"the first stage counts", []float64{2, 4}, 2, 0, 0},
		{"back and forth", []float64{2, 1, 1, 3, 2}, 2, 2, 3},
		{"a pause is no turn", []float64{2, 2, 3}, 2, 0, 0},
	} {
		m := Dynamics(tree.Space{Params: []tree.Param{param("x", tree.RoleCapacity)}}, tree.Config{"x": tree.Number(1)}, stages("x", c.xs...))[0]
		if m.Ups != c.ups || m.Downs != c.downs || m.Turns != c.turn {
			t.Errorf("%s: %d up, %d down, %d turns; want %d, %d, %d", c.name, m.Ups, m.Downs, m.Turns, c.ups, c.downs, c.turn)
		}
	}
}

// TestNullTellsAClimbFromChance: six upward moves in a row are rare under random moves, a path of random moves is not.
func TestChanceTellsAClimbFromChance(t *testing.T) {
	sp := tree.Space{Params: []tree.Param{param("x", tree.RoleCapacity)}}
	start := tree.Config{"x": tree.Number(1)}
	climb := Chance(Dynamics(sp, start, stages("x", 1.2, 1.5, 2, 3, 4, 6)), start, 2000, 1)
	if climb.Capacity > 0.02 {
		t.Errorf("a climb of six moves has p = %.3f", climb.Capacity)
	}
	mixed := Chance(Dynamics(sp, start, stages("x", 2, 1, 0.5, 0.4, 3, 0.1)), start, 2000, 1)
	if mixed.Capacity < 0.2 {
		t.Errorf("a path that mostly falls has p = %.3f", mixed.Capacity)
	}
	if still := Chance(Dynamics(sp, start, stages("x", 1, 1)), start, 100, 1); still.Capacity != 1 {
		t.Errorf("no move at all has p = %.3f, want 1", still.Capacity)
	}
}

func TestMotionProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		xs := rapid.SliceOfN(rapid.SampledFrom([]float64{0.1, 1, 2, 5}), 1, 12).Draw(t, "values")
		p := param("x", tree.RoleRegularization)
		start := tree.Config{"x": tree.Number(1)}
		ms := Dynamics(tree.Space{Params: []tree.Param{p}}, start, stages("x", xs...))
		m := ms[0]
		if m.Turns > max(0, m.Moves()-1) || m.Moves() > len(xs) || (m.Monotone() && m.Turns > 0) {
			t.Fatalf("%v gives %+v", xs, m)
		}
		n := Chance(ms, start, 50, 3)
		if n.Capacity <= 0 || n.Capacity > 1 || n.Regularization <= 0 || n.Regularization > 1 {
			t.Fatalf("%v gives %+v", xs, n)
		}
		if again := Chance(ms, start, 50, 3); again != n {
			t.Fatalf("the same seed gives %+v and %+v", n, again)
		}
	})
}

func TestAlongUsesTheCheckpointsThatAreResumed(t *testing.T) {
	out := func(step int) *tree.Outcome {
		return &tree.Outcome{Checkpoints: []tree.Checkpoint{{Step: step}}, Val: tree.Score{Mean: .5, N: 1}}
	}
	tr := &tree.Tree{Nodes: []*tree.Node{
		{ID: 0, State: tree.StateEvaluated},
		{ID: 1, Parent: 0, Depth: 1, Transition: tree.Transition{Steps: 40}, Outcome: out(40)},
		{ID: 2, Parent: 1, Depth: 2, Transition: tree.Transition{From: tree.CheckpointRef{Node: 1, Step: 30}, Steps: 40}, Outcome: out(70)},
		{ID: 3, Parent: 2, Depth: 3, Transition: tree.Transition{From: tree.CheckpointRef{Node: 2, Step: 70}, Steps: 10}},
	}}
	got := Along(tr, 3)
	want := [][2]int{{0, 30}, {30, 70}, {70, 80}}
	if len(got) != 3 {
		t.Fatalf("%d stages", len(got))
	}
	for i, s := range got {
		if s.From != want[i][0] || s.To != want[i][1] {
			t.Errorf("stage %d is %d…%d, want %v", i, s.From, s.To, want[i])
		}
	}
}
