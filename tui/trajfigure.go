package tui

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"llmzero/engine/analysis"
	"llmzero/engine/tree"
	"llmzero/themes"
	"llmzero/tui/component/chart"
)

// figure is what the trajectories page shows of one path. It is made anew when the tree or the path changes, not for every frame.
type figure struct {
	of      figureOf
	stages  []analysis.Stage
	rows    []trajRow
	others  int // how many other paths are drawn
	end     int // last optimizer step of the axis
	base    float64
	scores  chart.Series   // of the path
	se      []float64      // standard error of each of them
	beside  []chart.Series // scores of the other paths
	lo, hi  float64        // of all scores
	reach   float64        // how far the path's intervals reach beyond its scores at most
	samples int            // of the null test, 0 without one
	best    bool           // it is the best path
}

// figureOf says of what a figure is; sequence numbers tell states of a search's tree apart.
type figureOf struct {
	id     string
	replay bool
	seq    uint64
	node   tree.NodeID
	others bool
}

// trajRow is a line of the page: a group's title, a parameter, or a remark.
type trajRow struct {
	title   string
	verdict string
	trace   *trace
	note    string
}

// lead is the share of the axis before step 0, where the parameters still have the root's values.
const lead = 0.04

// maxOthers is how many other paths are drawn.
const maxOthers = 8

// nullSamples is how many random paths a null test draws at most: enough to tell p = .05 from .04. nullMoves bounds the moves
// that it draws for a long path, so that the page opens at once.
const (
	nullSamples = 1999
	nullMoves   = 400_000
)

// figure is that of the page's path.
func (a *app) figure() *figure {
	s, p := a.s, &a.pages.traj
	of := figureOf{s.id, s.play != nil, s.t.Seq, a.pathEnd(), p.others}
	if p.fig == nil || p.fig.of != of {
		var final *figure
		if s.play != nil {
			final = s.play.final
		}
		p.fig = a.newFigure(s.t, of, final)
	}
	return p.fig
}

// pathEnd is the last node of the path in view: in a replay that of the best path so far.
func (a *app) pathEnd() tree.NodeID {
	if a.s.play != nil {
		return a.s.ix.best
	}
	return a.pages.traj.node
}

// newFigure makes the figure of a path. A replay grows within the bounds of its final figure, so that no axis moves.
func (a *app) newFigure(t *tree.Tree, of figureOf, final *figure) *figure {
	f := &figure{of: of, stages: analysis.Along(t, of.node), end: 1, base: t.Base().Mean, lo: math.Inf(1), hi: math.Inf(-1), best: of.node == a.s.ix.best}
	others := a.otherPaths(t, of)
	f.others = len(others)
	for _, path := range append(others, f.stages) {
		for _, st := range path {
			f.end = max(f.end, st.To)
		}
	}
	if final != nil {
		f.end, f.lo, f.hi, f.reach, f.samples = max(f.end, final.end), final.lo, final.hi, final.reach, final.samples
	}
	for _, o := range others {
		sr, _ := f.score(t, o)
		sr.Ink = ink(themes.Muted)
		if o[len(o)-1].Node == a.s.ix.best {
			sr.Ink = ink(themes.Best)
		}
		f.beside = append(f.beside, sr)
	}
	f.scores, f.se = f.score(t, f.stages)
	for _, se := range f.se {
		f.reach = max(f.reach, 1.96*se)
	}
	motions := analysis.Dynamics(t.Spec.Space, t.Spec.Root, f.stages)
	traces := make([]*trace, len(motions))
	for i, m := range motions {
		tr := newTrace(m, t.Spec.Root[m.Param.Name], f.stages, others, f.end)
		if final != nil {
			tr.within(final.trace(m.Param.Name))
		}
		if tr.moved() || final.trace(m.Param.Name) != nil {
			traces[i] = tr
		}
	}
	f.addRows(t.Spec.Root, motions, traces, a.nullTest(t.Spec, motions))
	return f
}

// otherPaths are the stages of the best other leaves.
func (a *app) otherPaths(t *tree.Tree, of figureOf) (out [][]analysis.Stage) {
	if !of.others {
		return nil
	}
	for _, id := range a.leaves(t, of) {
		if id != of.node && len(out) < maxOthers {
			out = append(out, analysis.Along(t, id))
		}
	}
	return out
}

// score is the validation along a path with its standard errors; the figure's bounds take it in.
func (f *figure) score(t *tree.Tree, path []analysis.Stage) (sr chart.Series, se []float64) {
	for _, k := range analysis.Scores(t, path) {
		sr.X, sr.Y = append(sr.X, float64(k.Step)), append(sr.Y, k.Val.Mean)
		se = append(se, k.Val.SE)
		f.lo, f.hi = min(f.lo, k.Val.Mean), max(f.hi, k.Val.Mean)
	}
	return sr, se
}

// trace is the row of a parameter; nil without one, and of no figure.
func (f *figure) trace(param string) *trace {
	if f == nil {
		return nil
	}
	for _, r := range f.rows {
		if r.trace != nil && r.trace.motion.Param.Name == param {
			return r.trace
		}
	}
	return nil
}

// addRows lists the groups with their verdicts and the parameters that moved; the others are named in one line.
func (f *figure) addRows(root tree.Config, motions []analysis.Motion, traces []*trace, null *analysis.Null) {
	for _, g := range analysis.Groups(motions) {
		row := trajRow{title: string(g.Role), verdict: verdict(g, null)}
		var moved []trajRow
		var still []string
		for i, m := range motions {
			switch {
			case m.Param.Role != g.Role:
			case traces[i] != nil:
				moved = append(moved, trajRow{trace: traces[i]})
			default:
				still = append(still, m.Param.Label()+" "+value(root[m.Param.Name]))
			}
		}
		if len(moved) == 0 && (len(still) == 0 || g.Role == tree.RoleOther) {
			continue // other parameters that never moved say nothing
		}
		f.rows = append(append(f.rows, row), moved...)
		if len(still) > 0 {
			f.rows = append(f.rows, trajRow{note: "unchanged: " + strings.Join(still, ", ")})
		}
	}
	if null != nil {
		f.samples = null.Samples
	}
}

// verdict says what the design claims of a group, and how often chance would do as well.
func verdict(g analysis.Group, null *analysis.Null) string {
	var text string
	var p float64
	switch {
	case g.Moved == 0:
		return ""
	case g.Role == tree.RoleCapacity:
		text = fmt.Sprintf("monotone %d/%d", g.Monotone, g.Moved)
		if null != nil {
			p = null.Capacity
		}
	case g.Role == tree.RoleRegularization:
		text = "oscillating: " + plural(g.Turns, "turn")
		if g.Turns == 0 {
			text = "no turns"
		}
		if null != nil {
			p = null.Regularization
		}
	default:
		return ""
	}
	if null != nil {
		text += "   null test p " + map[bool]string{true: "", false: "= "}[p < 0.001] + pValue(p)
	}
	return text
}

// pValue writes a p-value: ".02", "< .001".
func pValue(p float64) string {
	switch {
	case p < 0.001:
		return "< .001"
	case p < 0.01:
		return strings.TrimPrefix(fmt.Sprintf("%.3f", p), "0")
	case p > 0.995:
		return "1"
	}
	return strings.TrimPrefix(fmt.Sprintf("%.2f", p), "0")
}

// nullFor keeps the last null test, which is not made anew while a search grows beside the path.
type nullFor struct {
	key  string
	null analysis.Null
}

// nullTest compares the path with random ones; a path of fewer than three moves says nothing.
func (a *app) nullTest(spec tree.Spec, motions []analysis.Motion) *analysis.Null {
	moves := 0
	var key strings.Builder
	key.WriteString(spec.ID)
	for _, m := range motions {
		if m.Moves() == 0 {
			continue
		}
		moves += m.Moves()
		key.WriteString(" " + m.Param.Name)
		for _, v := range m.Values {
			key.WriteString(" " + v.String())
		}
	}
	if moves < 3 {
		return nil
	}
	p := &a.pages.traj
	if p.null.key != key.String() {
		samples := max(199, min(nullSamples, nullMoves/moves-1))
		p.null = nullFor{key.String(), analysis.Chance(motions, spec.Root, samples, spec.Seed)}
	}
	return &p.null.null
}

// bestLeaves keeps the ends of the best paths of one state of a tree.
type bestLeaves struct {
	of  figureOf
	ids []tree.NodeID
}

// leaves are the ends of the best paths, the best first: one more than are drawn, since the path in view may be among them.
func (a *app) leaves(t *tree.Tree, of figureOf) []tree.NodeID {
	l := &a.pages.traj.leaves
	of.node, of.others = 0, true
	if l.of != of {
		l.of, l.ids = of, topLeaves(t, maxOthers+1)
	}
	return l.ids
}

// topLeaves finds the n trained nodes with the highest scores below which nothing was trained.
func topLeaves(t *tree.Tree, n int) []tree.NodeID {
	type leaf struct {
		id   tree.NodeID
		mean float64
	}
	var top []leaf
	for _, x := range t.Nodes {
		if x.ID == tree.Root || !x.State.Trained() || !x.Val().Known() {
			continue
		}
		mean := x.Val().Mean
		if len(top) == n && mean <= top[n-1].mean {
			continue
		}
		if slices.ContainsFunc(x.Children, func(k tree.NodeID) bool { return t.Nodes[k].State.Trained() }) {
			continue
		}
		at := slices.IndexFunc(top, func(l leaf) bool { return mean > l.mean })
		if at < 0 {
			at = len(top)
		}
		top = slices.Insert(top, at, leaf{x.ID, mean})
		top = top[:min(n, len(top))]
	}
	out := make([]tree.NodeID, len(top))
	for i, l := range top {
		out[i] = l.id
	}
	return out
}
