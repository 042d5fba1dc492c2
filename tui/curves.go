package tui

import (
	"maps"
	"math"
	"slices"

	"llmzero/engine/tree"
	"llmzero/themes"
	"llmzero/tui/component/chart"
	"llmzero/tui/component/paint"
)

// chartView is how curves are looked at.
type chartView struct {
	top     int // first metric in view
	log     bool
	smooth  bool
	overlay overlayMode
	cursor  int     // column of the readout, -1 for none
	centre  float64 // step that a zoom is centred on, when the cursor was set; 0: the end
	hovered bool    // the pointer put the cursor there
	width   int     // cells of the chart at the last painting
	zoom    int     // halvings of the step axis, from the right
}

// overlayMode is which other curves are drawn beneath.
type overlayMode int

// The overlays.
const (
	overlayParent overlayMode = iota
	overlayAligned
	overlaySiblings
	overlayPath
	overlayNone
	numOverlays
)

func (o overlayMode) String() string {
	return [...]string{"parent", "parent, from the same start", "parent and siblings", "path from the root", "nothing"}[o]
}

// overviewMetrics are the three curves that tell most about a policy-gradient run.
var overviewMetrics = []string{tree.MetricReward, tree.MetricEntropy, tree.MetricKL}

// usualMetrics is the order of the Curves tab; others follow by name.
var usualMetrics = []string{
	tree.MetricReward, tree.MetricValidation, tree.MetricEntropy, tree.MetricKL, tree.MetricLength, tree.MetricTruncated,
	tree.MetricRewardStd, tree.MetricZeroStd, tree.MetricClip, tree.MetricGradNorm, tree.MetricLoss,
}

// metricLabel is a metric's short name.
func metricLabel(m string) string {
	switch m {
	case tree.MetricLength:
		return "length"
	case tree.MetricTruncated:
		return "truncated"
	case tree.MetricClip:
		return "clipped"
	case tree.MetricZeroStd:
		return "zero-std"
	case tree.MetricRewardStd:
		return "reward σ"
	case tree.MetricGradNorm:
		return "grad norm"
	case tree.MetricValidation:
		return "validation"
	case tree.MetricAllRight:
		return "all right"
	case tree.MetricAllWrong:
		return "all wrong"
	case tree.MetricLearningRate:
		return "lr"
	case tree.MetricTokens:
		return "tokens"
	}
	return m
}

// metrics lists what a node's points measure, the usual ones first.
func (s *search) metrics(id tree.NodeID) []string {
	have := map[string]bool{}
	ps := s.curve(id).points
	for _, p := range [...]int{0, len(ps) / 2, len(ps) - 1} {
		if p >= 0 && p < len(ps) {
			for m := range ps[p].Values {
				have[m] = true
			}
		}
	}
	// Validation is measured at few steps, so the three looked at may all lack it.
	for _, p := range ps {
		if _, ok := p.Values[tree.MetricValidation]; ok {
			have[tree.MetricValidation] = true
			break
		}
	}
	var out []string
	for _, m := range usualMetrics {
		if have[m] {
			out = append(out, m)
			delete(have, m)
		}
	}
	delete(have, tree.MetricTokens)
	return append(out, slices.Sorted(maps.Keys(have))...)
}

// series is one metric of a node's points.
func (s *search) series(id tree.NodeID, metric string) (xs, ys []float64) {
	ps := s.curve(id).points
	xs, ys = make([]float64, 0, len(ps)), make([]float64, 0, len(ps))
	for _, p := range ps {
		if y, ok := p.Values[metric]; ok {
			xs, ys = append(xs, float64(p.Step)), append(ys, y)
		}
	}
	return xs, ys
}

// overlaid are the nodes drawn beneath a node's curves.
func (a *app) overlaid(n *tree.Node) []tree.NodeID {
	s := a.s
	p := s.parent(n)
	if p == nil {
		return nil
	}
	var out []tree.NodeID
	switch s.pane.chart.overlay {
	case overlayNone, numOverlays:
		return nil
	case overlayPath:
		for _, x := range s.t.Path(p.ID) {
			if x.ID != tree.Root {
				out = append(out, x.ID)
			}
		}
		return out[max(0, len(out)-8):]
	case overlaySiblings:
		for _, id := range p.Children {
			if id != n.ID && len(out) < 6 {
				out = append(out, id)
			}
		}
	case overlayParent, overlayAligned:
	}
	if p.ID != tree.Root {
		out = append(out, p.ID)
	}
	return out
}

// plot makes the chart of one metric of a node with its overlays and marked evidence.
func (a *app) plot(n *tree.Node, metric string) (*chart.Plot, bool) {
	s := a.s
	p := &chart.Plot{Log: s.pane.chart.log, Cursor: math.NaN(), CursorInk: ink(themes.Muted)}
	if !a.look.glyphs.Braille {
		p.Point = a.look.glyphs.Plot.Point
	}
	for i, id := range a.overlaid(n) {
		xs, ys := s.series(id, metric)
		if shift := s.shift(n.ID, id); shift != 0 {
			for i := range xs {
				xs[i] += shift
			}
		}
		p.Series = append(p.Series, chart.Series{X: xs, Y: ys, Ink: ink(curveToken(n, i, id)), Dash: 3})
	}
	xs, ys := s.series(n.ID, metric)
	own := chart.Series{X: xs, Y: ys, Ink: ink(themes.Series1)}
	if s.pane.chart.smooth && len(ys) > 2 {
		p.Series = append(p.Series, chart.Series{X: xs, Y: ys, Ink: ink(themes.Grid)})
		own.Y = chart.Smooth(ys, 0.2)
	}
	p.Series = append(p.Series, own)
	if !p.Fit() {
		return nil, false
	}
	if len(xs) > 0 && s.pane.chart.overlay != overlayPath {
		// The node's own segment fills the axis; its parent's end leads into it.
		p.X0, p.X1 = xs[0], max(xs[len(xs)-1], float64(n.Transition.From.Step+n.Transition.Steps))
		if len(p.Series) > 1 && s.pane.chart.overlay != overlayAligned {
			p.X0 -= (p.X1 - p.X0) * 0.25
			p.X0 = max(p.X0, 0)
		}
	}
	if z := s.pane.chart.zoom; z > 0 {
		half := (p.X1 - p.X0) / float64(int(2)<<z)
		at := s.pane.chart.centre
		if at == 0 {
			at = p.X1
		}
		at = max(p.X0+half, min(p.X1-half, at))
		p.X0, p.X1 = at-half, at+half
		p.FitY()
	}
	p.X1 = max(p.X1, p.X0+1)
	for _, id := range n.Children {
		for _, f := range s.t.Nodes[id].Transition.Diagnosis {
			for _, e := range f.Evidence {
				if e.Metric == metric && f.Pathology != tree.Healthy {
					p.Marks = append(p.Marks, chart.Mark{From: float64(e.FromStep), To: float64(e.ToStep), Ink: ink(themes.Loss)})
				}
			}
		}
	}
	return p, true
}

// drawMiniCharts paints the overview's charts, one above the other, on one axis of steps.
func (a *app) drawMiniCharts(c paint.Canvas, n *tree.Node) {
	metrics := slices.DeleteFunc(slices.Clone(overviewMetrics), func(m string) bool {
		_, ys := a.s.series(n.ID, m)
		return len(ys) == 0
	})
	if len(metrics) == 0 {
		metrics = a.s.metrics(n.ID)
		metrics = metrics[:min(3, len(metrics))]
	}
	if len(metrics) == 0 {
		c.Center(c.H()/2, sMuted, a.spinner()+" waiting for the first step")
		return
	}
	for len(metrics) > 1 && (c.H()-1)/len(metrics) < 4 {
		metrics = metrics[:len(metrics)-1]
	}
	h := (c.H() - 1) / len(metrics)
	extra := (c.H() - 1) - h*len(metrics)
	y := 0
	for i, m := range metrics {
		hh := h
		if i == 0 {
			hh += extra
		}
		a.drawChart(c.Sub(0, y, c.W(), apart(hh)), n, m, i == 0)
		y += hh
	}
	a.drawSteps(c.Sub(0, y, c.W(), 1), n, metrics[0])
}

// apart leaves a row free below a chart that can spare it, so that neighbours do not run into each other.
func apart(h int) int {
	if h >= 4 {
		return h - 1
	}
	return h
}

// gutter is the width of a chart's labels.
const gutter = 18

// drawChart paints one metric: its name and latest value, the axis with its bounds, the curves.
func (a *app) drawChart(c paint.Canvas, n *tree.Node, metric string, legend bool) {
	p, ok := a.plot(n, metric)
	if !ok || c.H() < 1 {
		c.Text(0, 0, sMuted, metricLabel(metric))
		return
	}
	area := a.drawYAxis(c, metricLabel(metric), p)
	xs, ys := a.s.series(n.ID, metric)
	if cv := &a.s.pane.chart; cv.cursor >= 0 && a.s.pane.tab == tabCurves {
		col := min(cv.cursor, area.W()-1)
		p.Cursor = p.XAt(col, area.W())
	}
	p.Draw(area)
	area.Zone(0, 0, area.W(), area.H(), "chart", 0)
	if c.H() > 2 && len(ys) > 0 {
		i := len(ys) - 1
		st := sText
		if !math.IsNaN(p.Cursor) {
			i = nearest(xs, p.Cursor)
			st = sAccent
		}
		c.Text(0, 1, st, fixed(ys[i]))
		a.drawParentValue(c, n, metric, xs[i])
	}
	if legend {
		a.drawLegend(area, n)
	}
}

// drawParentValue paints the parent's value at the same step below the node's own, while its curve goes so far.
func (a *app) drawParentValue(c paint.Canvas, n *tree.Node, metric string, step float64) {
	if c.H() < 4 || a.s.pane.chart.overlay == overlayNone || n.Parent == tree.Root {
		return
	}
	xs, ys := a.s.series(n.Parent, metric)
	shift := a.s.shift(n.ID, n.Parent)
	if len(ys) > 0 && step >= xs[0]+shift && step <= xs[len(xs)-1]+shift {
		c.Text(0, 2, fg(themes.Series2), fixed(ys[nearest(xs, step-shift)]))
	}
}

// shift is how far a curve is moved along the steps: with the overlay from the same start, to where the node's own begins.
func (s *search) shift(own, other tree.NodeID) float64 {
	if s.pane.chart.overlay != overlayAligned || own == other {
		return 0
	}
	a, b := s.curve(own).points, s.curve(other).points
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	return float64(a[0].Step - b[0].Step)
}

// curveToken is the colour of the i-th curve beneath a node's own: the parent has one of its own, the others take turns.
func curveToken(n *tree.Node, i int, id tree.NodeID) themes.Token {
	if id == n.Parent {
		return themes.Series2
	}
	return themes.Series3 + themes.Token(i%4)
}

// drawLegend names the curves beneath in their colours, in the lower right corner where curves are rarest; those that there is no
// room for are counted.
func (a *app) drawLegend(c paint.Canvas, n *tree.Node) {
	over := a.overlaid(n)
	if len(over) == 0 || c.H() < 3 {
		return
	}
	x, y := c.W()-1, c.H()-1
	for k := len(over) - 1; k >= 0; k-- {
		text := a.look.glyphs.Plot.Dashed + name(over[k])
		if w := paint.Width(text) + 2; x-w < c.W()/3 {
			c.TextRight(x, y, sFaint, "+"+num(k+1)+" ")
			return
		}
		x = c.TextRight(x, y, fg(curveToken(n, k, over[k])), text) - 2
	}
}

// drawSteps labels the step axis of charts drawn above it, at round steps.
func (a *app) drawSteps(c paint.Canvas, n *tree.Node, metric string) {
	p, ok := a.plot(n, metric)
	if !ok {
		return
	}
	a.stepAxis(c.Sub(gutter, 0, c.W()-gutter, 1), p)
}

// stepAxis labels the steps of a chart in the row below it.
func (a *app) stepAxis(area paint.Canvas, p *chart.Plot) {
	last := area.TextRight(area.W(), 0, sFaint, num(int(math.Round(p.X1)))+" steps")
	step := axisStep((p.X1 - p.X0) / max(1, float64(area.W())/9))
	free := 0
	for x := math.Ceil(p.X0/step) * step; x < p.X1; x += step {
		t := num(int(math.Round(x)))
		col := max(0, p.Column(x, area.W())-len(t)/2)
		if col >= free && col+len(t) < last-1 {
			area.Text(col, 0, sFaint, t)
			free = col + len(t) + 1
		}
	}
}

// axisStep is the least round step of at least x: 1, 2 or 5 times a power of ten, and never below one step.
func axisStep(x float64) float64 {
	decade := math.Pow(10, math.Floor(math.Log10(max(1, x))))
	for _, s := range []float64{1, 2, 5} {
		if s*decade >= x {
			return s * decade
		}
	}
	return 10 * decade
}

// nearest is the index of the x nearest to at.
func nearest(xs []float64, at float64) int {
	i, _ := slices.BinarySearch(xs, at)
	if i == len(xs) || (i > 0 && at-xs[i-1] < xs[i]-at) {
		i--
	}
	return max(0, i)
}

// drawCurves paints the Curves tab: as many metrics as there is room for, on one axis, with a cursor.
func (a *app) drawCurves(c paint.Canvas, n *tree.Node) {
	s := a.s
	v := &s.pane.chart
	all := s.metrics(n.ID)
	if len(all) == 0 {
		text := "no curve yet"
		switch {
		case n.ID == tree.Root:
			text = "the base model was not trained"
		case s.curve(n.ID).loading:
			text = "reading the curve" + a.look.glyphs.Mark.Ellipsis
		case s.curve(n.ID).err != nil:
			text = "the curve could not be read: " + s.curve(n.ID).err.Error()
		}
		c.TextIn(0, 0, c.W(), sMuted, text, a.look.glyphs.Mark.Ellipsis)
		return
	}
	v.width = max(1, c.W()-gutter)
	rows := max(1, (c.H()-2)/5)
	if c.H() < 12 {
		rows = max(1, (c.H()-2)/3)
	}
	rows = min(rows, len(all))
	v.top = max(0, min(v.top, len(all)-rows))
	s.pane.extent, s.pane.height = len(all), rows
	h := (c.H() - 2) / rows
	for i := range rows {
		a.drawChart(c.Sub(0, i*h, c.W(), apart(h)), n, all[v.top+i], i == 0)
	}
	a.drawSteps(c.Sub(0, rows*h, c.W(), 1), n, all[v.top])
	scale := "linear"
	if v.log {
		scale = "log"
	}
	if v.smooth {
		scale += ", smooth"
	}
	status := num(v.top+1) + "–" + num(v.top+rows) + " of " + num(len(all)) + "   " + scale + " (L i)   with " + v.overlay.String() + " (o)"
	if v.cursor >= 0 {
		if p, ok := a.plot(n, all[v.top]); ok {
			w := c.W() - gutter
			status = "step " + num(int(math.Round(p.XAt(min(v.cursor, w-1), w)))) + "   " + status
		}
	} else {
		status += "   ←→ cursor"
	}
	if v.zoom > 0 {
		status = "zoom ×" + num(1<<v.zoom) + "   " + status
	}
	c.TextIn(0, c.H()-1, c.W(), sFaint, status, a.look.glyphs.Mark.Ellipsis)
}
