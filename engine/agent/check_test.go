package agent

import (
	"errors"
	"strings"
	"testing"

	"llmzero/engine/tree"
)

func checkTurn() Turn {
	space := tree.Space{Params: []tree.Param{
		{Name: "x", Kind: tree.KindFloat, Min: 0, Max: 10, Scale: tree.ScaleLinear, Default: tree.Number(1), Role: tree.RoleOther},
		{Name: "c", Kind: tree.KindChoice, Choices: []string{"a", "b"}, Default: tree.Choice("a"), Role: tree.RoleOther},
	}}
	config := space.Defaults()
	root := tree.Node{ID: 0, State: tree.StateEvaluated, Config: config}
	node := tree.Node{
		ID: 1, State: tree.StateEvaluated, Config: config,
		Outcome: &tree.Outcome{Checkpoints: []tree.Checkpoint{{Step: 5}, {Step: 10}}, Chosen: 1},
	}
	child := func(id tree.NodeID, state tree.State, x float64) tree.Node {
		ch := []tree.Change{{Param: "x", From: tree.Number(1), To: tree.Number(x)}}
		return tree.Node{ID: id, Parent: 1, State: state, Config: config.With(ch), Transition: tree.Transition{
			From: tree.CheckpointRef{Node: 1, Step: 10}, Changes: ch,
		}}
	}
	veto := child(3, tree.StateVetoed, 3)
	veto.Verdict = &tree.Verdict{Decision: tree.Vetoed, Why: "seen before"}
	return Turn{
		Spec: tree.Spec{Space: space, Root: config}, Node: node, Path: []Stage{{Node: root}, {Node: node}},
		Children: []tree.Node{child(2, tree.StateFailed, 2), veto}, Vetoes: []tree.Node{veto},
		Bans:  []tree.Ban{{Param: "x", Min: 8, Max: 10, Why: "diverges"}},
		Steps: 5, Count: 1,
	}
}

func TestCheck(t *testing.T) {
	from := func(node tree.NodeID, step int, changes ...tree.Change) tree.Transition {
		return tree.Transition{From: tree.CheckpointRef{Node: node, Step: step}, Changes: changes, Steps: 5}
	}
	x := func(v float64) tree.Change { return tree.Change{Param: "x", From: tree.Number(1), To: tree.Number(v)} }
	for name, c := range map[string]struct {
		p    tree.Transition
		want error  // nil: see text
		text string // in the error; both empty: legal
	}{
		"legal":               {p: from(1, 10, x(4))},
		"unchanged":           {p: from(1, 10)},
		"earlier checkpoint":  {p: from(1, 5, x(2))},
		"choice":              {p: from(1, 10, tree.Change{Param: "c", From: tree.Choice("a"), To: tree.Choice("b")})},
		"no such checkpoint":  {p: from(1, 7), want: ErrCheckpoint},
		"not on the path":     {p: from(4, 10), want: ErrCheckpoint},
		"practitioner's twin": {p: from(0, 0), want: ErrTried},
		"from the base":       {p: from(0, 0, x(2))},
		"tried though failed": {p: from(1, 10, x(2)), want: ErrTried},
		"vetoed":              {p: from(1, 10, x(3)), want: ErrVetoed, text: "seen before"},
		"banned":              {p: from(1, 10, x(8)), want: ErrBanned, text: "diverges"},
		"outside":             {p: from(1, 10, x(11)), text: "outside 0 … 10"},
		"unknown":             {p: from(1, 10, tree.Change{Param: "y", To: tree.Number(1)}), text: "no such parameter"},
		"wrong start":         {p: from(1, 10, tree.Change{Param: "x", From: tree.Number(2), To: tree.Number(4)}), text: "in force is 1"},
		"twice":               {p: from(1, 10, x(4), x(5)), text: "changed twice"},
		"too long":            {p: tree.Transition{From: tree.CheckpointRef{Node: 1, Step: 10}, Steps: 11}, text: "2 to 10"},
		"too short":           {p: tree.Transition{From: tree.CheckpointRef{Node: 1, Step: 10}, Steps: 1}, text: "2 to 10"},
		"half":                {p: tree.Transition{From: tree.CheckpointRef{Node: 1, Step: 10}, Steps: 2}},
		"double":              {p: tree.Transition{From: tree.CheckpointRef{Node: 1, Step: 10}, Steps: 10}},
		"no steps":            {p: tree.Transition{From: tree.CheckpointRef{Node: 1, Step: 10}}, text: "at least 1"},
	} {
		err := checkTurn().Check(c.p)
		switch {
		case c.want == nil && c.text == "":
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		case err == nil, c.want != nil && !errors.Is(err, c.want), !strings.Contains(err.Error(), c.text):
			t.Errorf("%s: %v, want %v %q", name, err, c.want, c.text)
		}
	}
}

func TestCheckBannedValueInForce(t *testing.T) {
	turn := checkTurn()
	turn.Bans = []tree.Ban{{Param: "c", Choice: "a"}}
	p := tree.Transition{From: tree.CheckpointRef{Node: 1, Step: 10}, Steps: 5}
	if err := turn.Check(p); !errors.Is(err, ErrBanned) {
		t.Errorf("going on with a banned value: %v", err)
	}
	p.Changes = []tree.Change{{Param: "c", From: tree.Choice("a"), To: tree.Choice("b")}}
	if err := turn.Check(p); err != nil {
		t.Error(err)
	}
}

func TestCheckFresh(t *testing.T) {
	turn := checkTurn()
	turn.Fresh = true
	if err := turn.Check(tree.Transition{From: tree.CheckpointRef{Node: 1, Step: 5}, Steps: 5}); !errors.Is(err, ErrCheckpoint) {
		t.Errorf("a fresh start from node 1: %v", err)
	}
}
