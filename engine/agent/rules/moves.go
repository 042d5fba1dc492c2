package rules

import (
	"math"
	"strconv"

	"llmzero/engine/tree"
)

// move is a change in role language: which parameter, which way, by what factor.
type move struct {
	param  string
	factor float64    // above 1 up, below 1 down
	to     tree.Value // a fixed value instead, when set is true
	set    bool
	reason string
}

func up(param string, factor float64, reason string) move {
	return move{param: param, factor: max(factor, 1.0001), reason: reason}
}

func down(param string, factor float64, reason string) move {
	return move{param: param, factor: factor, reason: reason}
}

func set(param string, v float64, reason string) move {
	return move{param: param, to: tree.Number(v), set: true, reason: reason}
}

// stretched is the move with its factor to the power of strength: 1 leaves it, 0.5 makes it half as bold.
func (m move) stretched(strength float64) move {
	if !m.set {
		m.factor = math.Pow(m.factor, strength)
	}
	return m
}

// value is where the move takes a parameter from v, inside the space and the bans; ok is false when it stays where it is.
func (m move) value(p tree.Param, v tree.Value, bans []tree.Ban) (tree.Value, bool) {
	to := m.target(p, v)
	if to == v {
		return v, false
	}
	if !banned(bans, p.Name, to) {
		return to, true
	}
	// A banned target: go as far towards it as is allowed.
	from, goal := p.Position(v), p.Position(to)
	for _, share := range []float64{0.9, 0.75, 0.5, 0.25, 0.1} {
		near := p.At(from + share*(goal-from))
		if near != v && !banned(bans, p.Name, near) && p.Check(near) == nil {
			return near, true
		}
	}
	return v, false
}

func (m move) target(p tree.Param, v tree.Value) tree.Value {
	if m.set {
		return p.Clamp(m.to)
	}
	rising := m.factor > 1
	switch {
	case p.Name == pGradNorm && v.Num == 0 && p.Kind == tree.KindFloat: // 0 never clips, so that it is the top of the range
		if rising {
			return v
		}
		return p.Clamp(tree.Number(1))
	case p.Kind == tree.KindChoice:
		return m.choice(p, v, rising)
	case v.Num == 0 && p.Min < 0, v.Num < 0: // a factor means nothing here: go a tenth of the range
		return shift(p, v, 0.1, rising)
	case v.Num == 0 && !rising:
		return v
	case v.Num == 0: // switch the term on, low in its range
		return p.Clamp(round(p.At(0.3).Num))
	case p.Kind == tree.KindInt:
		to := p.Clamp(tree.Number(v.Num * m.factor))
		if to == v {
			to = p.Clamp(tree.Number(v.Num + map[bool]float64{true: 1, false: -1}[rising]))
		}
		return to
	}
	to := v.Num * m.factor
	if p.Zero && to < p.Min && p.Name != pGradNorm {
		return tree.Number(0)
	}
	return p.Clamp(round(to))
}

// round keeps two significant digits, so that configurations read like a person's.
func round(x float64) tree.Value {
	r, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 2, 64), 64)
	if err != nil {
		r = x
	}
	return tree.Number(r)
}

// choice steps to the neighbour of an ordered choice, or switches between the two of an unordered pair.
func (m move) choice(p tree.Param, v tree.Value, rising bool) tree.Value {
	if !p.Ordered && len(p.Choices) != 2 {
		return v
	}
	step := 1 / float64(max(1, len(p.Choices)-1))
	if !rising {
		step = -step
	}
	return p.At(p.Position(v) + step)
}

func shift(p tree.Param, v tree.Value, share float64, rising bool) tree.Value {
	if !rising {
		share = -share
	}
	return p.At(p.Position(v) + share)
}

func banned(bans []tree.Ban, param string, v tree.Value) bool {
	for _, b := range bans {
		if b.Hits(param, v) {
			return true
		}
	}
	return false
}

// changes turns moves into changes of a configuration. The first move must be possible, the others are left out when
// they are not; a later move of the same parameter is ignored. Values in force that a ban forbids are moved out of it.
func changes(space tree.Space, bans []tree.Ban, from tree.Config, moves []move) ([]tree.Change, bool) {
	var out []tree.Change
	done := map[string]bool{}
	for i, m := range moves {
		p, known := space.Find(m.param)
		v, there := from[m.param]
		if known && there && !done[m.param] {
			if to, ok := m.value(p, v, bans); ok {
				done[m.param] = true
				out = append(out, tree.Change{Param: m.param, From: v, To: to, Reason: m.reason})
				continue
			}
		}
		if i == 0 {
			return nil, false
		}
	}
	for _, p := range space.Params {
		v, there := from[p.Name]
		if !there || done[p.Name] || !banned(bans, p.Name, v) {
			continue
		}
		to, ok := allowed(p, v, bans)
		if !ok {
			return nil, false
		}
		out = append(out, tree.Change{Param: p.Name, From: v, To: to, Reason: "the value in force was banned"})
	}
	return out, true
}

// allowed is the value nearest to v that no ban forbids.
func allowed(p tree.Param, v tree.Value, bans []tree.Ban) (tree.Value, bool) {
	if p.Kind == tree.KindChoice {
		for _, c := range p.Choices {
			if to := tree.Choice(c); !banned(bans, p.Name, to) {
				return to, true
			}
		}
		return v, false
	}
	at := p.Position(v)
	const grid = 256
	for k := 1; k <= grid; k++ {
		for _, side := range []float64{-1, 1} {
			pos := at + side*float64(k)/grid
			if pos < 0 || pos > 1 {
				continue
			}
			if to := p.At(pos); !banned(bans, p.Name, to) && p.Check(to) == nil {
				return to, true
			}
		}
	}
	if zero := tree.Number(0); p.Check(zero) == nil && !banned(bans, p.Name, zero) {
		return zero, true
	}
	return v, false
}
