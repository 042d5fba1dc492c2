package tui

import (
	"strings"
	"testing"
	"time"

	"llmzero/engine/event"
	"llmzero/engine/tree"
	"llmzero/themes"
)

// row is the line of the screen that holds a text, and its number.
func (r *rig) row(text string) (string, int) {
	r.t.Helper()
	for i, l := range strings.Split(r.screen(), "\n") {
		if strings.Contains(l, text) {
			return l, i
		}
	}
	r.t.Fatalf("no row shows %q:\n%s", text, r.screen())
	return "", 0
}

// TestTheFirstChangeShows: n1 doubles the learning rate, so the line begins at the root's value and steps up.
func TestTheFirstChangeShows(t *testing.T) {
	r, _ := opened(t, nil)
	r.keys("T")
	sr := r.a.figure().trace("learning_rate").series
	own := sr[len(sr)-1]
	lr, _ := r.a.s.t.Spec.Space.Find("learning_rate")
	if first, want := own.Y[0], lr.Position(tree.Number(3e-4)); first != want || own.X[0] >= 0 {
		t.Errorf("the line begins at %g, %g; the root's value is at %g", own.X[0], first, want)
	}
	if own.X[1] != 0 || own.Y[1] != lr.Position(tree.Number(6e-4)) {
		t.Errorf("the first stage's value is at %g, %g", own.X[1], own.Y[1])
	}
}

// TestAStripBeginsAtTheRoot: in one row of blocks the first cell is the root's value.
func TestAStripBeginsAtTheRoot(t *testing.T) {
	r := newRig(t, newFakeLibrary(wide()), nil)
	r.size(60, 20)
	r.keys("enter T j j j")
	line, _ := r.row("learning_rate")
	s := r.a.look.glyphs.Spark
	if at := strings.Index(line, s[0]); at < 0 || !strings.HasPrefix(line[at+len(s[0]):], s[len(s)-1]) {
		t.Errorf("the strip %q has no step behind its first cell", line)
	}
}

// TestValuesStandWhereLinesEnd: the scale is at the left, the last value in the row of the line's end.
func TestValuesStandWhereLinesEnd(t *testing.T) {
	r, _ := opened(t, nil)
	r.keys("T")
	top, y := r.row("learning_rate")
	if !strings.Contains(top, "0.0024") || strings.Contains(top, "3.0e-4") {
		t.Errorf("the upper end of the scale: %q", top)
	}
	lines := strings.Split(r.screen(), "\n")
	found := false
	for _, l := range lines[y+2 : y+6] {
		if strings.Count(l, "3.0e-4") == 2 { // of the scale, and at the end of the line
			found = true
		}
	}
	if !found {
		t.Errorf("3.0e-4 does not stand where the line ends:\n%s", r.screen())
	}
	r.mustShow("p: share of random paths, same moves, that rise (■) or turn (◆) as often", "band: 95% interval", "thin: 3 other paths", "validation accuracy", "base .473")
}

// TestTheChosenStageIsNamed: beside each chart stands what it had in the chosen stage, and the end values stay.
func TestTheChosenStageIsNamed(t *testing.T) {
	r, _ := opened(t, nil)
	r.keys("T right")
	r.mustShow("stage 1 of 3  n1  steps 0–40  0.521 ±.014", "n1 6.0e-4", "n1 8", "n1 0.521", "▲ .048 over the base")
	if l, _ := r.row("num_generations"); !strings.HasSuffix(strings.TrimSpace(l), "16") {
		t.Errorf("the end value is gone: %q", l)
	}
	r.keys("end")
	r.mustShow("stage 3 of 3", "▲ .108 over n3", "120 steps")
	r.keys("b")
	r.mustShow("3 stages, 120 steps", "3.0e-4 → 3.0e-4")
}

// TestTheFigureFillsThePage: whatever the size, no stretch of the page stays empty.
func TestTheFigureFillsThePage(t *testing.T) {
	r, _ := opened(t, nil)
	r.keys("T")
	for _, sz := range goldenSizes {
		r.size(sz[0], sz[1])
		empty := 0
		for _, l := range strings.Split(strings.TrimRight(r.screen(), "\n"), "\n") {
			if strings.TrimSpace(l) != "" {
				empty = 0
			} else if empty++; empty > 2 {
				t.Errorf("%dx%d: three empty rows:\n%s", sz[0], sz[1], r.screen())
				break
			}
		}
	}
}

// deep is a search with one path of n stages, each of which moves a parameter.
func deep(n int) *script {
	s := newScript("s-deep")
	at := tree.NodeID(0)
	for i := range n {
		lr := []float64{3e-4, 6e-4, 1e-3}
		at = s.run(at, 0.5+0.4*float64(i)/float64(n), tree.Transition{Steps: 4, Changes: []tree.Change{ch("learning_rate", lr[i%3], lr[(i+1)%3], "")}})
	}
	return s
}

// TestStageLabelsDoNotOverlap: with a hundred stages the names that have no room are left out, never the chosen one.
func TestStageLabelsDoNotOverlap(t *testing.T) {
	r := newRig(t, newFakeLibrary(deep(100)), nil)
	r.keys("enter T left left left")
	for _, sz := range goldenSizes {
		r.size(sz[0], sz[1])
		for _, k := range []int{0, 1, 2, 3, 50, 51, 97} {
			r.a.pages.traj.cursor, r.a.dirty = k, true
			want := name(r.a.figure().stages[k].Node)
			lines := strings.Split(r.screen(), "\n")
			axis := 1
			if _, score, _ := r.a.figure().heights(sz[1] - 3); score >= 9 {
				axis = 2
			}
			names := lines[sz[1]-1-axis]
			if !strings.Contains(names+" ", " "+want+" ") {
				t.Errorf("%dx%d: %s is chosen and not named: %q", sz[0], sz[1], want, names)
			}
			for _, w := range strings.Fields(names) {
				if strings.LastIndexAny(w, "nr") > 0 {
					t.Errorf("%dx%d: labels overlap: %q", sz[0], sz[1], names)
				}
			}
			if !strings.Contains(lines[1], want) {
				t.Errorf("the path does not show the chosen stage: %q", lines[1])
			}
		}
	}
}

// wide is a search whose only stage moves ten parameters.
func wide() *script {
	s := newScript("s-wide")
	cs := []tree.Change{
		ch("max_completion_length", 16, 20, ""), ch("num_generations", 8, 9, ""), ch("lora_rank", 8, 9, ""), ch("learning_rate", 3e-4, 6e-4, ""), ch("beta", 0, .1, ""),
		ch("temperature", 1, 1.1, ""), ch("entropy_coef", 0, .01, ""), ch("epsilon_high", .2, .3, ""), ch("weight_decay", 0, .1, ""), ch("num_iterations", 1, 2, ""),
	}
	s.run(0, .6, tree.Transition{Changes: cs})
	return s
}

// TestTrajectoriesHaveAScrollbar: when the list is longer than its room, a thumb stands in the page's last column.
func TestTrajectoriesHaveAScrollbar(t *testing.T) {
	r := newRig(t, newFakeLibrary(wide()), nil)
	r.size(60, 20)
	r.keys("enter T")
	thumb := r.a.look.glyphs.Mark.ScrollThumb
	at := func() (rows []int) {
		r.screen()
		for y := range 20 {
			if text, _ := r.a.grid.At(59, y); text == thumb {
				rows = append(rows, y)
			}
		}
		return rows
	}
	before := at()
	if len(before) == 0 || before[0] != 2 {
		t.Fatalf("the thumb is at %v", before)
	}
	r.keys("j j j j j j j j j j j j j j j")
	if after := at(); after[0] <= before[0] {
		t.Errorf("the thumb stayed at %v", after)
	}
}

// TestOtherPathsAreKept: as long as the tree stays as it is, a frame does not look for the best leaves again.
func TestOtherPathsAreKept(t *testing.T) {
	r, f := opened(t, nil)
	r.keys("T")
	r.screen()
	fig := r.a.figure()
	r.keys("right left")
	if r.a.figure() != fig {
		t.Error("a key made the figure anew")
	}
	r.keys("n")
	if other := r.a.figure(); other == fig || other.of.node != 8 {
		t.Errorf("n shows the path to n%d", r.a.figure().of.node)
	}
	r.keys("b")
	n := r.a.s.t.Seq
	f.s.end(9, 0.9)
	f.bus.Publish(f.s.events[len(f.s.events)-1])
	r.send(tickMsg(r.now))
	if r.a.s.t.Seq == n || !strings.Contains(r.screen(), "4 other paths") {
		t.Errorf("a new leaf is not drawn:\n%s", r.screen())
	}
}

func TestTopLeaves(t *testing.T) {
	tr := forest(3000).t
	got := topLeaves(tr, 9)
	if len(got) != 9 {
		t.Fatalf("%d leaves", len(got))
	}
	leaf := func(n *tree.Node) bool {
		for _, k := range n.Children {
			if tr.Nodes[k].State.Trained() {
				return false
			}
		}
		return n.ID != tree.Root && n.State.Trained() && n.Val().Known()
	}
	least := tr.Nodes[got[8]].Val().Mean
	for i, id := range got {
		if !leaf(tr.Nodes[id]) || (i > 0 && tr.Nodes[id].Val().Mean > tr.Nodes[got[i-1]].Val().Mean) {
			t.Errorf("leaf %d is n%d", i, id)
		}
	}
	better := 0
	for _, n := range tr.Nodes {
		if leaf(n) && n.Val().Mean > least {
			better++
		}
	}
	if better != 8 {
		t.Errorf("%d leaves are better than the ninth", better)
	}
}

// TestAChoiceWithoutOrderIsAChange: it goes neither up nor down, but it is not unchanged either.
func TestAChoiceWithoutOrderIsAChange(t *testing.T) {
	s := newScript("s-choice")
	s.run(0, .6, tree.Transition{Changes: []tree.Change{{Param: "scale_rewards", From: tree.Choice("group"), To: tree.Choice("none")}}})
	r := newRig(t, newFakeLibrary(s), nil)
	r.keys("enter T")
	r.mustShow("scale_rewards", "group → none", "1 change")
}

// TestAZeroLiesBelowTheScale: switching a term on is a step even at its least value.
func TestAZeroLiesBelowTheScale(t *testing.T) {
	p, _ := testSpace().Find("beta")
	if off, least := level(p, tree.Number(0)), level(p, tree.Number(p.Min)); off >= least {
		t.Errorf("off is drawn at %g, the least value at %g", off, least)
	}
}

// TestNoColoursNoBand: without colours a filled band would outshine the curve.
func TestNoColoursNoBand(t *testing.T) {
	r, _ := opened(t, func(o *Options) { o.Glyphs = themes.ASCII() })
	r.keys("T")
	if s := r.screen(); strings.Contains(s, "band") {
		t.Errorf("ASCII shades:\n%s", s)
	}
}

// replayed is a search of three segments with checkpoints, each better than the one before.
func replayed() *script {
	s := newScript("s-play")
	at := tree.NodeID(0)
	for i, lr := range []float64{6e-4, 1e-3, 6e-4} {
		from := s.t.Nodes[at].Config["learning_rate"].Num
		id := s.propose(at, tree.Transition{Changes: []tree.Change{ch("learning_rate", from, lr, "")}})
		s.approve(id)
		s.train(id, .5, .6, 1)
		for _, step := range []int{10, 20} {
			s.say("engine", &event.Saved{Node: id, Checkpoint: tree.Checkpoint{Step: 40*i + step, Ref: "sha256:x", Val: tree.Score{Mean: .5, SE: .01, N: 100}}})
		}
		s.end(id, .5+.1*float64(i))
		at = id
	}
	return s
}

// TestReplayReadsCurves: what the replay comes to has its curve; of a segment that trains it shows what was known by then.
func TestReplayReadsCurves(t *testing.T) {
	r := newRig(t, newFakeLibrary(replayed()), nil)
	r.keys("enter P")
	s := r.a.s
	lengths := map[int]bool{}
	for s.play.at < len(s.play.events) {
		r.keys("right")
		n := s.node()
		if n == nil || n.ID == tree.Root {
			continue
		}
		points := len(s.curve(n.ID).points)
		switch {
		case n.State == tree.StateRunning:
			lengths[points] = true
		case n.State == tree.StateEvaluated && points != 40:
			t.Fatalf("n%d ended with %d points in view", n.ID, points)
		}
	}
	for _, want := range []int{0, 10, 20} {
		if !lengths[want] {
			t.Errorf("a running segment never showed %d points: %v", want, lengths)
		}
	}
	r = newRig(t, newFakeLibrary(replayed()), nil)
	r.keys("enter P") // by the clock alone, with nothing read before
	s = r.a.s
	for range 200 {
		r.now = r.now.Add(time.Second / 4)
		r.send(tickMsg(r.now))
		if n := s.node(); n != nil && n.State == tree.StateEvaluated && n.ID > 0 && len(s.curve(n.ID).points) == 0 {
			t.Fatalf("at event %d n%d has no curve", s.play.at, n.ID)
		}
	}
}

// TestReplaySaysSo: the header speaks of the replay, not of an agent that thinks or of what waited then.
func TestReplaySaysSo(t *testing.T) {
	r, _ := opened(t, nil)
	r.keys("P")
	for range 60 {
		if strings.Contains(r.screen(), "waits for you") {
			t.Fatalf("event %d: something waits for you", r.a.s.play.at)
		}
		head, _, _ := strings.Cut(r.screen(), "\n")
		for _, no := range []string{"thinking", "waiting", "stopped", "running", "starting"} {
			if strings.Contains(head, no) {
				t.Fatalf("event %d: %q", r.a.s.play.at, head)
			}
		}
		if !strings.Contains(head, "replay") {
			t.Fatalf("event %d: %q", r.a.s.play.at, head)
		}
		r.keys("right")
	}
}

// TestReplayKeepsItsAxes: from the first stage on, the figure has the bounds that it ends with.
func TestReplayKeepsItsAxes(t *testing.T) {
	r := newRig(t, newFakeLibrary(replayed()), nil)
	r.keys("enter P T")
	s := r.a.s
	stages := 0
	_, height, _ := s.play.final.heights(36)
	for s.play.at < len(s.play.events) {
		r.keys("right")
		r.screen()
		f := r.a.figure()
		stages = max(stages, len(f.stages))
		if _, score, _ := f.heights(36); score != height {
			t.Fatalf("event %d: the score has %d rows, at the end %d", s.play.at, score, height)
		}
		if f.end != 120 || f.lo != s.play.final.lo || f.hi != s.play.final.hi {
			t.Fatalf("event %d: the axes are %d, %g…%g", s.play.at, f.end, f.lo, f.hi)
		}
		tr, last := f.trace("learning_rate"), s.play.final.trace("learning_rate")
		if tr == nil || tr.lo != last.lo || tr.hi != last.hi {
			t.Fatalf("event %d: the scale of the learning rate moves", s.play.at)
		}
	}
	if stages != 3 {
		t.Fatalf("%d stages at the end", stages)
	}
	r.mustShow("120 steps", "null test p")
}

// TestReplayLeavesTheTreeAsItWas: cursor, folds and filter come back.
func TestReplayLeavesTheTreeAsItWas(t *testing.T) {
	r, _ := opened(t, nil)
	s := r.a.s
	r.keys("/ type:score>0.5 enter")
	s.goTo(3)
	r.keys("P end")
	if s.out.filter.text != "" || s.out.cursor == 3 {
		t.Fatalf("the replay shows n%d under the filter %q", s.out.cursor, s.out.filter.text)
	}
	r.keys("esc")
	if s.play != nil || s.out.cursor != 3 || s.out.filter.text != "score>0.5" || s.out.hits == 0 {
		t.Errorf("left with n%d and the filter %q, %d hits", s.out.cursor, s.out.filter.text, s.out.hits)
	}
	r.keys("esc left")
	s.goTo(1)
	s.fold(3, true)
	r.keys("P end esc")
	if !s.out.folded[3] || s.out.cursor != 1 {
		t.Errorf("the folds are %v, the cursor on n%d", s.out.folded, s.out.cursor)
	}
}

// TestAShortPathIsLabelledAtItsEnd: the path to n2 ends before the axis does, and so do its values; gold is left to the best path.
func TestAShortPathIsLabelledAtItsEnd(t *testing.T) {
	r, _ := opened(t, nil)
	r.a.s.goTo(2)
	r.keys("T")
	lines := strings.Split(r.screen(), "\n")
	x, y := -1, 0
	for i, l := range lines {
		if at := strings.LastIndex(l, "0.508"); at >= 0 {
			x, y = len([]rune(l[:at])), i // the last is that of the chart
		}
	}
	if x < 60 || x > 100 {
		t.Errorf("the last score stands at column %d of %q", x, lines[y])
	}
	if _, st := r.a.grid.At(x, y); st.Fg == ink(themes.Best) || st.Fg == 0 {
		t.Errorf("the score of another path is %+v", st)
	}
	if _, st := r.a.grid.At(1, 1); st.Fg == ink(themes.Best) {
		t.Error("the name of another path is gold")
	}
}

// TestManyStagesAreAThinLine: stages that cannot be told apart have no marks and no wide line.
func TestManyStagesAreAThinLine(t *testing.T) {
	r := newRig(t, newFakeLibrary(deep(100)), nil)
	r.keys("enter T")
	f := r.a.figure()
	p := r.a.scorePlot(f, r.a.grid.Canvas().Sub(0, 0, 77, 12))
	if p.Series[len(p.Series)-1].Wide || len(p.Bands) > 0 {
		t.Error("a hundred stages are drawn wide")
	}
	if strings.Contains(r.screen(), r.a.look.glyphs.State("evaluated")) {
		t.Error("a hundred stages have marks")
	}
}

// TestReplayEndsOnTheBestPath begins a replay on the search page and leaves it on the page of trajectories, which was opened when the
// tree was half grown.
func TestReplayEndsOnTheBestPath(t *testing.T) {
	r, _ := opened(t, nil)
	r.keys("P T end esc")
	p := &r.a.pages.traj
	if r.a.s.play != nil || p.node != r.a.s.ix.best || p.cursor != -1 || !p.others {
		t.Errorf("playing %v, path to n%d of n%d, stage %d, others %v", r.a.s.play != nil, p.node, r.a.s.ix.best, p.cursor, p.others)
	}
	r.mustShow("best path")
}

func TestTheWinnersPathComesNext(t *testing.T) {
	s := storybook()
	s.say("engine", &event.Won{Node: 8, Why: "retrained best"})
	r := newRig(t, newFakeLibrary(s), nil)
	r.keys("enter b T n")
	r.mustShow("winner n8")
	r.keys("n")
	r.mustNotShow("winner n8")
}
