package analysis

import "llmzero/engine/tree"

// Stage is one trained segment of a path.
type Stage struct {
	Node   tree.NodeID
	Config tree.Config
	From   int // optimizer steps since the base model at its begin
	To     int // and at its end: the checkpoint that the next stage resumes from, for the last one the chosen one
	Val    tree.Score
}

// Along lists the trained stages from the base model (left out) to id, in order. A node that was not trained yet ends the
// list with its planned length and an unknown score.
func Along(t *tree.Tree, id tree.NodeID) []Stage {
	path := t.Path(id)
	var out []Stage
	for i, n := range path {
		if n.ID == tree.Root {
			continue
		}
		s := Stage{Node: n.ID, Config: n.Config, From: n.Transition.From.Step, Val: n.Val()}
		s.To = s.From + n.Transition.Steps
		if k, ok := n.Outcome.Checkpoint(); ok {
			s.To = k.Step
		}
		if i+1 < len(path) {
			s.To = path[i+1].Transition.From.Step
		}
		out = append(out, s)
	}
	return out
}

// Scored is a validation score at an optimizer step of a path.
type Scored struct {
	Step int
	Val  tree.Score
}

// Scores lists what was measured along a path in the order of steps: the base model, and of each stage the checkpoints up to the
// one that the path goes on from.
func Scores(t *tree.Tree, stages []Stage) []Scored {
	var out []Scored
	add := func(step int, v tree.Score) {
		if v.Known() {
			out = append(out, Scored{step, v})
		}
	}
	add(0, t.Base())
	for _, st := range stages {
		n, ok := t.Node(st.Node)
		if !ok || n.Outcome == nil {
			continue
		}
		for _, k := range n.Outcome.Checkpoints {
			if k.Step > st.From && k.Step <= st.To {
				add(k.Step, k.Val)
			}
		}
	}
	return out
}

// Motion is how one parameter moved over the stages of a path.
type Motion struct {
	Param  tree.Param
	Values []tree.Value // one a stage
	Ups    int          // moves to a larger value along the parameter's scale
	Downs  int
	Turns  int // moves against the direction of the move before
}

// Moves is how often the parameter moved.
func (m Motion) Moves() int { return m.Ups + m.Downs }

// Monotone tells whether the parameter moved and never went down.
func (m Motion) Monotone() bool { return m.Ups > 0 && m.Downs == 0 }

// Oscillating tells whether the parameter turned at least once.
func (m Motion) Oscillating() bool { return m.Turns > 0 }

// Dynamics are the motions of all parameters of a space over the stages, in the space's order. The first stage is compared
// with start, the configuration that the search began with. Choices without an order never move.
func Dynamics(sp tree.Space, start tree.Config, stages []Stage) []Motion {
	out := make([]Motion, 0, len(sp.Params))
	for _, p := range sp.Params {
		m := Motion{Param: p}
		for _, s := range stages {
			m.Values = append(m.Values, s.Config[p.Name])
		}
		m.count(start[p.Name])
		out = append(out, m)
	}
	return out
}

// count counts the moves of the values, beginning from start.
func (m *Motion) count(start tree.Value) {
	m.Ups, m.Downs, m.Turns = 0, 0, 0
	last, dir := start, 0
	for _, v := range m.Values {
		d := direction(m.Param, last, v)
		switch {
		case d > 0:
			m.Ups++
		case d < 0:
			m.Downs++
		}
		if d != 0 {
			if dir != 0 && d != dir {
				m.Turns++
			}
			dir = d
		}
		last = v
	}
}

// direction is 1 when b lies above a on the parameter's scale, -1 below, 0 for no move. A zero that switches a term off
// lies below every other value.
func direction(p tree.Param, a, b tree.Value) int {
	if a == b || (p.Kind == tree.KindChoice && !p.Ordered) {
		return 0
	}
	if p.Kind != tree.KindChoice {
		if b.Num > a.Num {
			return 1
		}
		return -1
	}
	if p.Position(b) > p.Position(a) {
		return 1
	}
	return -1
}

// Group sums up the parameters of one role.
type Group struct {
	Role     tree.Role
	Moved    int // parameters that moved at all
	Monotone int // of those, the ones that never went down
	Moves    int
	Ups      int
	Turns    int
}

// Groups sums the motions up by role: capacity, regularization, other.
func Groups(motions []Motion) []Group {
	out := []Group{{Role: tree.RoleCapacity}, {Role: tree.RoleRegularization}, {Role: tree.RoleOther}}
	for _, m := range motions {
		for i := range out {
			g := &out[i]
			if g.Role != m.Param.Role || m.Moves() == 0 {
				continue
			}
			g.Moved++
			if m.Monotone() {
				g.Monotone++
			}
			g.Moves += m.Moves()
			g.Ups += m.Ups
			g.Turns += m.Turns
		}
	}
	return out
}
