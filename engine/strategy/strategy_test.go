package strategy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"llmzero/engine/tree"
)

var space = tree.Space{Params: []tree.Param{
	{Name: "learning_rate", Kind: tree.KindFloat, Min: 1e-5, Max: 1e-1, Scale: tree.ScaleLog, Default: tree.Number(1e-3), Role: tree.RoleRegularization},
	{Name: "max_completion_length", Kind: tree.KindInt, Min: 4, Max: 64, Default: tree.Number(16), Role: tree.RoleCapacity},
	{Name: "loss_type", Kind: tree.KindChoice, Choices: []string{"grpo", "dapo"}, Default: tree.Choice("grpo"), Role: tree.RoleOther},
}}

// grown is a search with the path root, 1 (left at step 20 of 40), 3 (to its end, 60), and a side branch 2 without an outcome.
func grown() *tree.Tree {
	node := func(id, parent tree.NodeID, depth, from, steps int, lr float64, at ...int) *tree.Node {
		n := &tree.Node{ID: id, Parent: parent, Depth: depth, State: tree.StateEvaluated, Config: space.Defaults()}
		n.Config["learning_rate"] = tree.Number(lr)
		n.Transition = tree.Transition{From: tree.CheckpointRef{Node: parent, Step: from}, Steps: steps, By: "rules", Rationale: fmt.Sprintf("why %d", id)}
		n.Outcome = &tree.Outcome{Chosen: len(at) - 1}
		for _, step := range at {
			n.Outcome.Checkpoints = append(n.Outcome.Checkpoints, tree.Checkpoint{Step: step, Val: tree.Score{Mean: float64(step) / 100, N: 9}})
		}
		n.Outcome.Val = n.Outcome.Checkpoints[len(at)-1].Val
		return n
	}
	t := &tree.Tree{Spec: tree.Spec{ID: "climb-1", Task: "climb", Base: 2, Trainer: "toy", Agent: "rules", Policy: "uct", Seed: 5, Space: space, Root: space.Defaults()}}
	root := &tree.Node{State: tree.StateEvaluated, Config: space.Defaults(), Outcome: &tree.Outcome{Val: tree.Score{Mean: 0.1, N: 9}}}
	side := node(2, 1, 2, 40, 40, 0.1, 80)
	side.Outcome, side.State = nil, tree.StateFailed
	t.Nodes = []*tree.Node{root, node(1, 0, 1, 0, 40, 0.01, 20, 40), side, node(3, 1, 2, 20, 40, 0.005, 40, 60)}
	return t
}

// A stage ends where the path left it, and the last one at the checkpoint that was chosen.
func TestOf(t *testing.T) {
	s, err := Best(grown())
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Stages) != 2 || s.Stages[0].Steps != 20 || s.Stages[1].Steps != 40 || s.Steps() != 60 || s.Origin.Node != 3 || s.Base != 2 {
		t.Fatalf("%+v", s)
	}
	if c := s.Stages[1].Changes; len(c) != 1 || c[0].Param != "learning_rate" || c[0].From != tree.Number(0.01) || s.Stages[1].Why != "why 3" {
		t.Errorf("stage 2 changes %+v because %q", c, s.Stages[1].Why)
	}
	if s.Stages[0].Val.Mean != 0.2 {
		t.Errorf("stage 1 is scored %v where it ended early", s.Stages[0].Val)
	}
	won := grown()
	won.Winner = 1
	if s, err = Best(won); err != nil || s.Origin.Node != 1 || s.Stages[0].Steps != 40 {
		t.Errorf("the winner: %+v, %v", s, err)
	}
	for id, want := range map[tree.NodeID]string{0: "base model", 9: "base model", 2: "was not trained"} {
		if _, err := Of(grown(), id); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("node %d: %v, want %q", id, err, want)
		}
	}
	young := grown()
	young.Nodes = young.Nodes[:1]
	if _, err := Best(young); err == nil || !strings.Contains(err.Error(), "no strategy yet") {
		t.Errorf("a search of nothing: %v", err)
	}
}

func TestFile(t *testing.T) {
	s, err := Best(grown())
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "s.json")
	if err := s.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	got, err := ReadFile(path)
	if err != nil || !reflect.DeepEqual(got, s) {
		t.Errorf("read back %+v, %v", got, err)
	}
	if err := s.WriteFile(path); err == nil {
		t.Error("a file was overwritten")
	}
	for text, want := range map[string]string{
		"":                              "not a strategy file",
		"[1]":                           "not a strategy file",
		`{"format":"other"}`:            `its format is "other"`,
		`{"format":"llmzero-strategy"}`: "version 0",
		`{"format":"llmzero-strategy","version":1}`:                         "no stages",
		`{"format":"llmzero-strategy","version":1,"stages":[{"steps":0}]}`:  "stage 1 has 0 steps",
		`{"format":"llmzero-strategy","version":1,"stages":[{"steps":-4}]}`: "stage 1 has -4 steps",
		strings.Repeat(" ", maxFile+1):                                      "longer than",
	} {
		if _, err := Read(strings.NewReader(text)); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q gave %v, want %q", text, err, want)
		}
	}
}

// FuzzRead checks that whatever is read as a strategy can be followed, and is written and read back the same.
func FuzzRead(f *testing.F) {
	s, err := Best(grown())
	if err != nil {
		f.Fatal(err)
	}
	var b bytes.Buffer
	if err := s.Write(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(`{"format":"llmzero-strategy","version":1,"stages":[{"steps":3,"config":{"learning_rate":"x","loss_type":7,"new":1}}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := Read(bytes.NewReader(b))
		if err != nil {
			return
		}
		on, _, err := s.On(description(), "climb", 1)
		if err != nil {
			t.Fatal(err)
		}
		for i, st := range on.Stages {
			if err := space.Check(st.Config); err != nil {
				t.Errorf("stage %d: %v", i, err)
			}
		}
		var w bytes.Buffer
		if err := s.Write(&w); err != nil {
			t.Fatal(err)
		}
		if again, err := Read(&w); err != nil || len(again.Stages) != len(s.Stages) {
			t.Errorf("read back: %v", err)
		}
	})
}

func description() tree.Description {
	return tree.Description{
		Name: "toy", Model: "toy 1", Space: space,
		Tasks: []tree.TaskInfo{
			{Name: "climb", Bases: 3},
			{Name: "stroll", Bases: 1, Fits: []tree.Fit{{Param: "max_completion_length", Min: 4, Max: 8, Default: 6}}},
		},
	}
}

func TestOnAnotherTask(t *testing.T) {
	s, err := Best(grown())
	if err != nil {
		t.Fatal(err)
	}
	delete(s.Stages[0].Config, "loss_type")
	s.Stages[1].Config["warp"] = tree.Number(9)
	got, notes, err := s.On(description(), "stroll", 1)
	if err != nil {
		t.Fatal(err)
	}
	if got.Task != "stroll" || got.Base != 1 || got.Stages[0].Config.Int("max_completion_length") != 8 || got.Stages[1].Config["loss_type"] != tree.Choice("grpo") {
		t.Errorf("%+v", got)
	}
	text := strings.Join(notes, "\n")
	for _, want := range []string{"16 is outside 4 … 8, so it is 8", `"warp" is left out`, "loss_type is not in the strategy and stays at grpo"} {
		if !strings.Contains(text, want) {
			t.Errorf("the notes lack %q:\n%s", want, text)
		}
	}
	if s.Stages[1].Config["warp"] != tree.Number(9) || s.Task != "climb" {
		t.Error("the strategy itself was changed")
	}
	if same, notes, err := s.On(description(), "", 0); err != nil || same.Task != "climb" || same.Base != 2 || len(notes) != 2 {
		t.Errorf("at home: %+v, %q, %v", same, notes, err)
	}
	if _, _, err := s.On(description(), "swim", 1); err == nil {
		t.Error("an unknown task passed")
	}
	if _, _, err := s.On(description(), "stroll", 2); err == nil || !strings.Contains(err.Error(), "no number 2") {
		t.Errorf("a base that is not there: %v", err)
	}
}

// toy counts steps: a checkpoint is the steps so far, and a seed decides the score.
type toy struct {
	jobs []tree.Job
	fail int // the job that fails, from 1
	mute bool
}

func (y *toy) Run(_ context.Context, job tree.Job, report func(tree.Report) error) (tree.Outcome, error) {
	y.jobs = append(y.jobs, job)
	out := tree.Outcome{Cost: tree.Cost{Steps: job.Steps}}
	if len(y.jobs) == y.fail {
		return out, &tree.Failure{Class: tree.FailNaN, Message: "step 1"}
	}
	if y.mute {
		return out, nil
	}
	done := append(bytes.Clone(job.Resume), byte(job.Steps))
	return out, report(tree.Report{Checkpoint: &tree.Checkpoint{Step: job.FromStep + job.Steps, Val: tree.Score{Mean: float64(job.Seed%100) / 100, N: 1}, Data: done}})
}

func (y *toy) Evaluate(_ context.Context, x tree.Exam) (tree.Score, tree.Cost, error) {
	return tree.Score{Mean: float64(len(x.Data)) / 10, N: 1}, tree.Cost{EvalTokens: 7}, nil
}

func TestReplay(t *testing.T) {
	s, err := Best(grown())
	if err != nil {
		t.Fatal(err)
	}
	y := &toy{}
	var told [][2]int
	runs, err := Replay(t.Context(), y, s, []uint64{4, 5}, func(run, stage int) { told = append(told, [2]int{run, stage}) })
	if err != nil || len(runs) != 2 || len(y.jobs) != 4 || !reflect.DeepEqual(told, [][2]int{{0, 0}, {0, 1}, {1, 0}, {1, 1}}) {
		t.Fatalf("%+v, %v, told %v", runs, err, told)
	}
	j := y.jobs[1]
	if !bytes.Equal(j.Resume, []byte{20}) || j.FromStep != 20 || j.Steps != 40 || j.Previous["learning_rate"] != tree.Number(0.01) || j.Base != 2 {
		t.Errorf("stage 2 ran as %+v", j)
	}
	seeds := map[uint64]bool{}
	for _, j := range y.jobs {
		seeds[j.Seed] = true
	}
	if len(seeds) != 4 || runs[0].Test.Mean != 0.2 || runs[0].Cost.Steps != 60 || runs[0].Cost.EvalTokens != 7 || runs[0].Seed != 4 {
		t.Errorf("%d seeds, run %+v", len(seeds), runs[0])
	}
	again := &toy{}
	if same, err := Replay(t.Context(), again, s, []uint64{4}, nil); err != nil || same[0] != runs[0] {
		t.Errorf("the same seed gave %+v, %v", same, err)
	}
	runs, err = Replay(t.Context(), &toy{fail: 4}, s, []uint64{4, 5}, nil)
	var f *tree.Failure
	if len(runs) != 1 || !errors.As(err, &f) || !strings.Contains(err.Error(), "stage 2 of 2") {
		t.Errorf("%d runs, %v", len(runs), err)
	}
	if _, err = Replay(t.Context(), &toy{mute: true}, s, []uint64{4}, nil); err == nil || !strings.Contains(err.Error(), "left no checkpoint") {
		t.Errorf("a trainer without checkpoints: %v", err)
	}
}
