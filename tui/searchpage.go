package tui

import (
	"math"
	"time"

	"llmzero/engine/tree"
	"llmzero/themes"
	"llmzero/tui/component/paint"
)

func sqrt(x float64) float64 { return math.Sqrt(x) }

// drawSearch paints the search page.
func (a *app) drawSearch(c paint.Canvas) {
	s := a.s
	if s == nil {
		return
	}
	r := arrange(a.w, a.h, a.settings.Split, a.deviceRows(), s.pane.focused)
	a.drawSearchHeader(part(c, r.header))
	if r.tree.W > 0 {
		a.drawTree(part(c, r.tree))
	}
	if r.inspect.W > 0 {
		a.drawInspector(part(c, r.inspect))
	}
	a.drawDevices(part(c, r.devices))
	a.drawPlayer(c)
	a.footer(c, a.drawBudget(part(c, r.footer))+1)
}

// drawSearchHeader paints what the search is and how it stands; what waits for the person is loudest.
func (a *app) drawSearchHeader(c paint.Canvas) {
	s, gl := a.s, a.look.glyphs
	sp := s.t.Spec
	surface := ink(themes.Surface)
	on := func(st paint.Style) paint.Style { return st.On(surface) }
	trail := []string{or(sp.Name, sp.Task)}
	if a.w >= 90 {
		trail = append(trail, or(sp.Model, sp.Trainer), sp.Agent, sp.Policy)
	}
	left := a.bar(c, trail...)
	x := c.W() - 1
	put := func(st paint.Style, text string) {
		if x-paint.Width(text) < left+2 {
			return
		}
		x = c.TextRight(x, 0, on(st), text) - 3
	}
	if w := a.waitingBadge(c); w > 0 {
		x -= w + 2
	}
	seg := num(s.t.Spent.Segments)
	if b := sp.Budget.Segments; b > 0 {
		seg += "/" + num(b)
	}
	a.putStatus(put)
	if best, ok := s.t.Node(s.ix.best); ok && best.Val().Known() {
		text := "best " + score(best.Val().Mean)
		base := s.t.Base().Mean
		if g := best.Val().Mean - base; g > 0 && base > 0 {
			text += " " + gl.Mark.Up + " +" + num(int(100*g/base+0.5)) + "%"
		}
		put(sBest.With(paint.Bold), text)
	}
	put(sMuted, seg+" seg")
}

func (a *app) putStatus(put func(paint.Style, string)) {
	s, gl := a.s, a.look.glyphs
	switch {
	case s.play != nil:
		put(sAccent, gl.Mark.Play+" replay")
	case len(s.ix.running) > 0 && s.live:
		put(sRun, a.spinner()+" running "+num(len(s.ix.running)))
	case s.t.Status == tree.SearchPaused:
		put(sWarn, gl.Mark.Pause+" paused")
	case s.t.Status == tree.SearchDone:
		put(fg(themes.Done), gl.Mark.Check+" done")
	case s.t.Status == tree.SearchFailed:
		put(sError, gl.Mark.Warning+" failed")
	case s.t.Status == tree.SearchCanceled || !s.live:
		put(sWarn, gl.Mark.Pause+" stopped")
	case len(s.t.Nodes) == 0:
		put(sRun, a.spinner()+" scoring the base model")
	case s.ix.queued > 0:
		put(sRun, a.spinner()+" starting")
	case len(s.ix.waiting) == 0:
		put(sRun, a.spinner()+" the agent is thinking")
	}
}

// spinner is one cell that turns with the time.
func (a *app) spinner() string {
	frames := a.look.glyphs.Spinner
	return frames[int(a.now().UnixMilli()/250)%len(frames)]
}

// drawTree paints the outline or the graph of the search.
func (a *app) drawTree(c paint.Canvas) {
	s, gl := a.s, a.look.glyphs
	in := a.panel(c, "Tree", !s.pane.focused)
	c.Zone(0, 0, c.W(), c.H(), "tree", 0)
	s.lay()
	help, st := a.filterHelp(in.W())
	foot := in.Sub(0, in.H()-len(help), in.W(), len(help))
	foot.Fill(st)
	for i, row := range help {
		foot.Text(1, i, st, row)
	}
	in = in.Sub(0, 0, in.W(), in.H()-len(help))
	switch {
	case len(s.t.Nodes) == 0:
		in.Center(in.H()/2, sMuted, a.spinner()+" scoring the base model"+gl.Mark.Ellipsis)
	case s.pane.graph.on:
		a.drawGraph(in)
		c.TextRight(c.W()-2, 0, sFaint, " "+s.pane.graph.zoom.String()+" + - ")
	case len(s.out.rows) == 0:
		in.Center(in.H()/2, sMuted, "no node matches the filter")
		if s.pane.filtering == nil {
			in.Center(in.H()/2+1, sFaint, "esc clears it")
		}
	default:
		a.drawOutline(in)
		a.scrollbar(c.Sub(c.W()-1, 1, 1, in.H()), s.out.top, in.H(), len(s.out.rows))
		if n := s.out.left; n > 0 {
			c.TextRight(c.W()-2, 0, sFaint, " "+gl.Mark.Left+" "+plural(n, "level")+" ")
		}
	}
	a.drawTreeFoot(c)
}

func (a *app) drawTreeFoot(c paint.Canvas) {
	s, gl := a.s, a.look.glyphs
	y := c.H() - 1
	n := " " + num(len(s.t.Nodes)) + " "
	if s.out.hit != nil {
		n = " " + num(s.out.hits) + " of " + num(len(s.t.Nodes)) + " "
	}
	end := c.TextRight(c.W()-2, y, sFaint, n)
	if f := s.pane.filtering; f != nil {
		x := c.Text(2, y, sAccent, " filter ")
		box := c.Sub(x, y, max(0, end-x-1), 1)
		box.Fill(paint.Style{})
		st := sText
		if s.pane.filterErr != "" {
			st = sError
		}
		f.draw(box, st, true)
		return
	}
	foot := " sort: " + s.out.order.String() + " "
	st := sFaint
	if s.out.filter.text != "" {
		foot += gl.Mark.Separator + " filter: " + s.out.filter.text + " "
		st = sAccent
	}
	c.Text(2, y, st, paint.Cut(foot, end-4, gl.Mark.Ellipsis))
}

func (a *app) drawOutline(c paint.Canvas) {
	s := a.s
	s.out.scroll(c.H())
	s.scaleSparks()
	s.shiftLevels(c.H(), guideLevels(c.W()))
	for i := 0; i < c.H() && s.out.top+i < len(s.out.rows); i++ {
		id := s.out.rows[s.out.top+i]
		a.drawTreeRow(c.Sub(0, i, c.W(), 1), s.t.Nodes[id])
	}
	a.drawGuidance(c)
}

// drawGuidance says below a young tree what can be done next. It goes when the tree has grown or needs the room.
func (a *app) drawGuidance(c paint.Canvas) {
	s := a.s
	young := len(s.t.Nodes) <= 6 || s.t.Status == tree.SearchDone
	if !young || s.play != nil || s.out.hit != nil {
		return
	}
	var text string
	switch {
	case s.t.Status == tree.SearchDone:
		text = "The search is done. "
		if w := s.t.Winner; w != tree.Root && w != s.ix.best {
			text += a.look.glyphs.Mark.Check + " marks the winner, whose path was retrained with fresh seeds. "
		}
		text += "b goes to the best node, T shows how its parameters moved, c compares two nodes, e writes the search or its best strategy to a file, $ raises the budget to go on."
	case !s.live || s.t.Status == tree.SearchPaused:
		text = "The search does not run at the moment. space lets it go on; everything is kept."
	case len(s.ix.waiting) > 0:
		text = "The agent proposes what to train next. enter reviews the proposal: you approve it, edit any value, or veto it with a reason. A changes which proposals wait."
	case len(s.ix.running) > 0:
		text = "A segment trains: n goes to it, its curves grow at the right. When it ends, the agent looks at them and proposes what to change."
	default:
		text = "The agent looks at the curves; its proposal will wait here."
	}
	rows := paint.Wrap(text, c.W()-4)
	if len(s.out.rows)+len(rows)+2 > c.H() {
		return
	}
	for i, l := range rows {
		c.Text(2, c.H()-1-len(rows)+i, sFaint, l)
	}
}

// scrollbar paints a thumb into the frame when not everything is in view. The canvas is the frame's own column.
func (a *app) scrollbar(c paint.Canvas, top, shown, all int) {
	if all <= shown || shown <= 0 {
		return
	}
	size := max(1, shown*shown/all)
	at := 0
	if all > shown {
		at = top * (shown - size) / (all - shown)
	}
	for i := range size {
		c.Text(0, at+i, sMuted, a.look.glyphs.Mark.ScrollThumb)
	}
}

// drawTreeRow paints one node: guides, glyph, name and change on the left; score, gain, sparkline and star on the right.
func (a *app) drawTreeRow(c paint.Canvas, n *tree.Node) {
	s, gl := a.s, a.look.glyphs
	bg := paint.Ink(0)
	c.Zone(0, 0, c.W(), 1, "node", int(n.ID))
	if n.ID == s.out.cursor {
		bg = ink(themes.SelectionBg)
		c.Fill(paint.Style{}.On(bg))
	}
	best := s.ix.bestPath[n.ID]
	dim := s.out.hit != nil && !s.out.hit[n.ID]
	right := a.drawRowNumbers(c, n, bg)
	x := 1
	if s.out.order == orderTree {
		x = a.drawGuides(c, n, guideLevels(c.W()), bg)
	}
	state := fg(themes.StateToken(string(n.State)))
	if best && n.State.Trained() {
		state = sBest
	}
	x = c.Text(x, 0, state.On(bg), gl.State(string(n.State)))
	label := sText
	switch {
	case dim, n.State == tree.StatePruned:
		label = sFaint
	case n.ID == s.out.cursor:
		label = fg(themes.SelectionFg).With(paint.Bold)
	case best:
		label = sBest
	case n.State == tree.StateVetoed || n.State == tree.StateFailed:
		label = sMuted
	}
	if a.pages.compare.marked == n.ID && n.ID != tree.Root {
		label = label.With(paint.Underline)
	}
	x = c.Text(x+1, 0, label.On(bg), name(n.ID))
	if n.Pinned {
		x = c.Text(x, 0, sAccent.On(bg), gl.Mark.Selected)
	}
	if s.out.folded[n.ID] && len(n.Children) > 0 {
		x = c.Text(x+1, 0, sAccent.On(bg), gl.Tree.Folded+num(int(s.ix.below[n.ID])))
	}
	words := changeWords(s.t.Spec.Space, n.Transition)
	if n.ID == tree.Root {
		words = "base model"
	}
	ws := sMuted
	if dim {
		ws = sFaint
	}
	c.TextIn(max(x+1, min(x+1, 6)), 0, c.W()-right-x-2, ws.On(bg), words, gl.Mark.Ellipsis)
}

// sparkWidth is how many cells a row w wide has for its sparkline.
func sparkWidth(w int) int {
	if w < 46 {
		return 0
	}
	return max(6, min(16, (w-30)/4))
}

// drawRowNumbers paints the right side of a row and returns how many cells it took.
func (a *app) drawRowNumbers(c paint.Canvas, n *tree.Node, bg paint.Ink) int {
	s, gl := a.s, a.look.glyphs
	w := c.W()
	spark, gain := sparkWidth(w), w >= 36
	width := 6
	if gain {
		width += 7
	}
	if spark > 0 {
		width += spark + 2
	}
	end := w - 1
	switch {
	case n.ID == s.t.Winner && n.ID != tree.Root:
		c.TextRight(end, 0, sGain.On(bg), gl.Mark.Check)
	case s.ix.bestPath[n.ID]:
		c.TextRight(end, 0, sBest.On(bg), gl.Mark.Best)
	}
	end -= 2
	if !n.State.Trained() || !n.Val().Known() {
		st := fg(themes.StateToken(string(n.State)))
		text := paint.Clean(s.fate(n))
		if n.State == tree.StateRunning {
			return a.drawRowRunning(c, n, bg, width+2, spark)
		}
		most := max(width, min(w/2, 26))
		text = paint.Cut(text, most, gl.Mark.Ellipsis)
		c.TextRight(end, 0, st.On(bg), text)
		return paint.Width(text) + 3
	}
	if spark > 0 {
		c.Text(end-spark, 0, sGrid.On(bg), gl.SparklineIn(thin(n.Outcome.Spark, spark), spark, s.out.low, s.out.high))
		end -= spark + 2
	}
	if gain {
		if g, ok := s.gain(n); ok {
			st := sGain
			if g < 0 {
				st = sLoss
			}
			if delta(g) == ".000" {
				st = sFaint
			}
			c.TextRight(end, 0, st.On(bg), gl.Delta(g)+" "+delta(g))
		}
		end -= 7
	}
	st := sText // the arrow beside it has the colours of gain and loss
	if n.ID == s.ix.best {
		st = sBest.With(paint.Bold)
	}
	c.TextRight(end, 0, st.On(bg), score(n.Val().Mean))
	return width + 3
}

// drawRowRunning paints how far a running segment is, with its reward so far.
func (a *app) drawRowRunning(c paint.Canvas, n *tree.Node, bg paint.Ink, width, spark int) int {
	s, gl := a.s, a.look.glyphs
	end := c.W() - 3
	if spark > 0 {
		var ys []float64
		for _, p := range s.curve(n.ID).points {
			if y, ok := p.Values[tree.MetricReward]; ok {
				ys = append(ys, y)
			}
		}
		c.Text(end-spark, 0, sRun.On(bg), gl.SparklineIn(thin(ys, spark), spark, s.out.low, s.out.high))
		end -= spark + 2
	}
	x := c.TextRight(end, 0, sRun.On(bg), a.spinner()+" "+num(int(100*s.progress(n)))+"%")
	if c.W() >= 60 {
		a.gauge(c, x-9, 0, 8, s.progress(n), sRun.On(bg))
		width += 9
	}
	return width + 1
}

// rank places a node's score in 0..1 between the lowest and the highest of the tree.
func (s *search) rank(n *tree.Node) float64 {
	if s.ix.high <= s.ix.low {
		return 0.5
	}
	return (n.Val().Mean - s.ix.low) / (s.ix.high - s.ix.low)
}

// scaleSparks puts the sparklines of all rows in view on one scale, so that they compare.
func (s *search) scaleSparks() {
	o := &s.out
	o.low, o.high = math.Inf(1), math.Inf(-1)
	for i := o.top; i < min(len(o.rows), o.top+o.height); i++ {
		n := s.t.Nodes[o.rows[i]]
		if n.Outcome == nil {
			continue
		}
		for _, y := range n.Outcome.Spark {
			o.low, o.high = min(o.low, y), max(o.high, y)
		}
	}
	if !(o.low < o.high) {
		o.low, o.high = 0, 1
	}
}

// thin averages xs into at most n means.
func thin(xs []float64, n int) []float64 {
	if len(xs) <= n {
		return xs
	}
	out := make([]float64, n)
	for i := range out {
		out[i] = mean(xs[i*len(xs)/n : (i+1)*len(xs)/n])
	}
	return out
}

// drawBudget paints the budget at the right end of the footer and returns how many cells it took.
func (a *app) drawBudget(c paint.Canvas) int {
	s := a.s
	used := s.t.Spec.Budget.Used(s.t.Spent)
	bar := 8
	if a.w < 100 {
		bar = 0
	}
	surface := ink(themes.Surface)
	text := num(int(100*min(used, 9.99)+0.5)) + "%"
	if left := s.timeLeft(); left != "" && a.w >= 76 {
		text += " " + a.look.glyphs.Mark.Separator + " " + left
	}
	c.Fill(paint.Style{}.On(surface))
	end := c.TextRight(c.W()-1, 0, sText.On(surface), text)
	if bar > 0 {
		a.gauge(c, end-bar-1, 0, bar, used, sAccent.On(surface))
		end -= bar + 2
	}
	word := "budget"
	if bar == 0 {
		word += " "
	}
	end = c.TextRight(end, 0, sFaint.On(surface), word)
	return c.W() - end
}

// timeLeft estimates the time until the budget is spent from the trainer's pace so far.
func (s *search) timeLeft() string {
	b, spent := s.t.Spec.Budget, s.t.Spent
	used := b.Used(spent)
	if used <= 0 || used >= 1 || spent.Cost.WallSeconds <= 0 || !s.live || s.play != nil {
		return ""
	}
	sec := spent.Cost.WallSeconds * (1 - used) / used / float64(max(1, s.t.Spec.Parallel))
	d := time.Duration(sec * float64(time.Second))
	if d < 10*time.Second {
		return "seconds left"
	}
	return "~" + span(d) + " left"
}
