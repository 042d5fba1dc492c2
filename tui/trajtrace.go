package tui

import (
	"slices"
	"strings"

	"llmzero/engine/analysis"
	"llmzero/engine/tree"
	"llmzero/themes"
	"llmzero/tui/component/chart"
	"llmzero/tui/component/paint"
)

// trace is one parameter over the stages, and over those of other paths.
type trace struct {
	motion analysis.Motion
	start  tree.Value
	series []chart.Series // the path's own is the last
	lo, hi spot
}

// spot is a value with its place on a chart.
type spot struct {
	at    float64
	value tree.Value
}

func newTrace(m analysis.Motion, start tree.Value, stages []analysis.Stage, others [][]analysis.Stage, end int) *trace {
	first := spot{level(m.Param, start), start}
	tr := &trace{motion: m, start: start, lo: first, hi: first}
	for _, o := range others {
		tr.add(o, ink(themes.Muted), end)
	}
	tr.add(stages, ink(themes.RoleToken(string(m.Param.Role))), end)
	return tr
}

// add draws a path's values as steps, from the root's before step 0 on.
func (tr *trace) add(stages []analysis.Stage, in paint.Ink, end int) {
	at := level(tr.motion.Param, tr.start)
	sr := chart.Series{Steps: true, Ink: in, X: []float64{-lead * float64(end)}, Y: []float64{at}}
	for _, st := range stages {
		v := st.Config[tr.motion.Param.Name]
		now := spot{level(tr.motion.Param, v), v}
		sr.X, sr.Y = append(sr.X, float64(st.From), float64(st.To)), append(sr.Y, now.at, now.at)
		tr.within(&trace{lo: now, hi: now})
	}
	if len(stages) == 0 {
		sr.X, sr.Y = append(sr.X, 0), append(sr.Y, at)
	}
	tr.series = append(tr.series, sr)
}

// within widens the bounds by those of another trace.
func (tr *trace) within(o *trace) {
	if o == nil {
		return
	}
	if o.lo.at < tr.lo.at {
		tr.lo = o.lo
	}
	if o.hi.at > tr.hi.at {
		tr.hi = o.hi
	}
}

// moved tells whether the parameter ever left the root's value; a choice without an order does so without going up or down.
func (tr *trace) moved() bool {
	return slices.ContainsFunc(tr.motion.Values, func(v tree.Value) bool { return v != tr.start })
}

// value is the parameter's in stage i; before the first it is the root's.
func (tr *trace) value(i int) tree.Value {
	if i < 0 || len(tr.motion.Values) == 0 {
		return tr.start
	}
	return tr.motion.Values[min(i, len(tr.motion.Values)-1)]
}

// words tells how the parameter moved: "2 up, 1 down, 1 turn".
func (tr *trace) words() string {
	m := tr.motion
	var out []string
	add := func(n int, one, many string) {
		if n > 0 {
			out = append(out, num(n)+" "+map[bool]string{true: one, false: many}[n == 1])
		}
	}
	add(m.Ups, "up", "up")
	add(m.Downs, "down", "down")
	add(m.Turns, "turn", "turns")
	if len(out) == 0 {
		last := tr.start
		changes := 0
		for _, v := range m.Values {
			if v != last {
				changes++
			}
			last = v
		}
		add(changes, "change", "changes")
	}
	return or(strings.Join(out, ", "), "no move yet")
}

// level places a value on a chart: along the parameter's scale, a zero that switches a term off below its least value, choices in
// the order of their declaration.
func level(p tree.Param, v tree.Value) float64 {
	switch {
	case p.Kind == tree.KindChoice:
		return float64(max(0, slices.Index(p.Choices, v.Text))) / float64(max(1, len(p.Choices)-1))
	case p.Zero && v.Num == 0:
		return -0.15
	}
	return p.Position(v)
}
