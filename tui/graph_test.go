package tui

import (
	"math/bits"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"llmzero/engine/tree"
	"llmzero/themes"
	"llmzero/tui/component/paint"
)

// fan is a search whose root has n trained children, the first of which has one child.
func fan(n int) *script {
	s := newScript("s-fan")
	for i := range n {
		s.run(0, 0.5+0.01*float64(n-i), tree.Transition{Changes: []tree.Change{ch("learning_rate", 3e-4, 6e-4, "")}})
	}
	s.run(1, 0.52, tree.Transition{Changes: []tree.Change{ch("beta", 0, 0.1, "")}})
	return s
}

// tidy are the lines of the tree's pane with runs of blanks made one.
func tidy(r *rig) string {
	var out []string
	for line := range strings.SplitSeq(r.screen(), "\n") {
		pane, _, _ := strings.Cut(strings.TrimPrefix(line, "│"), "││")
		out = append(out, strings.Join(strings.Fields(pane), " "))
	}
	return strings.Join(out, "\n")
}

// TestGraphEdges: children that are joined look so: corners at the ends, a T above those between, and one line for an only child.
func TestGraphEdges(t *testing.T) {
	for n, want := range map[int]string{
		2: "╭──┴───╮", 3: "╭──────┼──────╮", 4: "╭──────┬──┴───┬──────╮", 5: "╭──────┬──────┼──────┬──────╮",
	} {
		r := newRig(t, newFakeLibrary(fan(n)), nil)
		r.size(200, 60)
		r.keys("enter v")
		r.a.s.pane.graph.zoom = zoomNames
		text := tidy(r)
		if !strings.Contains(text, want) {
			t.Errorf("%d children are not joined by %s:\n%s", n, want, text)
		}
		if !strings.Contains(text, "\n│\n") {
			t.Errorf("the only child has no plain line:\n%s", text)
		}
	}
}

// TestGraphShowsStateByGlyph: every node has its state's sign before its name and its score, or its fate, in the row below.
func TestGraphShowsStateByGlyph(t *testing.T) {
	r, _ := opened(t, nil)
	r.keys("v")
	r.mustShow("●n7", "0.742", "✗n4", "vetoed", "✂n5", "0.411", "◐n9", "◌n12", "waits")
	r.size(200, 60)
	r.mustShow("⚠n6", "failed", "⊘n11", "pruned")
	r.keys("+")
	r.mustShow("●n7 ★", "0.742 ▲.108", "lr×½ T 1.2")
	r.keys("- - -")
	r.mustShow("overview", "n7 0.742")
	r.keys("- - +")
	r.mustShow("states")
	r.mustNotShow("●n7")
}

// TestGraphLines: the way to the best path's next node is gold, and in a large tree no line crosses the view without an end in it.
func TestGraphLines(t *testing.T) {
	r, _ := opened(t, nil)
	r.keys("v")
	r.screen()
	gold := 0
	for x := range 49 {
		if sign, st := r.a.grid.At(x, 4); sign == "─" && st.Fg == paint.Token(themes.Best) {
			gold++
		}
	}
	if gold < 5 {
		t.Errorf("%d cells of the line from the root to n1 are gold:\n%s", gold, r.screen())
	}
	r = newRig(t, newFakeLibrary(forest(20_000)), nil)
	r.keys("enter v")
	r.a.s.pane.graph.zoom = zoomDots
	lines := 0
	for range 40 {
		r.keys("up")
		for line := range strings.SplitSeq(tidy(r), "\n") {
			if strings.Contains(line, "─────") && !strings.Contains(line, "Tree") && !strings.Contains(line, "sort") {
				if lines++; !strings.ContainsAny(line, "╭╮┬┴┼") {
					t.Fatalf("a line without an end is in view: %q", line)
				}
			}
		}
	}
	if lines == 0 {
		t.Error("no line was in view")
	}
}

// graphOf is a laid graph of a random tree with some folds.
func graphOf(n int) *search {
	s := newSearch("s", newFakeSession(forest(n)), testTime)
	rng := rand.New(rand.NewPCG(4, 4))
	for range 20 {
		s.fold(tree.NodeID(10+rng.IntN(n-10)), true)
	}
	s.pane.graph.stale = true
	s.layGraph()
	return s
}

// TestGraphLayout checks the layout against its rules, and what is found in view against a look at every node.
func TestGraphLayout(t *testing.T) {
	s := graphOf(3000)
	g := &s.pane.graph
	leaves, shown := 0, 0
	for _, n := range s.t.Nodes {
		hidden := false
		for _, p := range s.t.Path(n.ID)[:n.Depth] {
			hidden = hidden || s.out.folded[p.ID]
		}
		if hidden != (g.x[n.ID] < 0) {
			t.Fatalf("node %d: hidden %v, column %g", n.ID, hidden, g.x[n.ID])
		}
		if hidden {
			continue
		}
		shown++
		if row := g.row(n.Depth); row[g.place[n.ID]-g.from[n.Depth]] != int32(n.ID) {
			t.Fatalf("node %d is not where its level has it", n.ID)
		}
		if k := n.Children; len(k) == 0 || s.out.folded[n.ID] {
			leaves++
		} else if want := (g.x[k[0]] + g.x[k[len(k)-1]]) / 2; g.x[n.ID] != want {
			t.Fatalf("node %d stands at %g, the middle of its children is %g", n.ID, g.x[n.ID], want)
		}
	}
	if leaves != int(g.wide) || shown != len(g.rank) {
		t.Errorf("%d leaves and %d nodes, laid %g and %d", leaves, shown, g.wide, len(g.rank))
	}
	rng := rand.New(rand.NewPCG(6, 6))
	for range 300 {
		d, lo := rng.IntN(g.levels()), rng.Float32()*g.wide
		hi := lo + rng.Float32()*20
		var want []int32
		for _, id := range g.row(d) {
			l, h := g.x[id], g.x[id]
			if g.hi[id] >= 0 {
				l, h = min(l, g.lo[id]), max(h, g.hi[id])
			}
			if h >= lo && l <= hi {
				want = append(want, id)
			}
		}
		if got := g.between(d, lo, hi); !slices.Equal(got, want) {
			t.Fatalf("level %d from %g to %g: %v, want %v", d, lo, hi, got, want)
		}
	}
}

// TestWalkGraph: sideways is the next node of the level, up the parent, down the first child.
func TestWalkGraph(t *testing.T) {
	s := graphOf(3000)
	g := &s.pane.graph
	id := tree.NodeID(g.row(20)[3])
	for dx, want := range map[int]int32{1: g.row(20)[4], -1: g.row(20)[2]} {
		s.out.cursor = id
		if s.walkGraph(dx, 0); int32(s.out.cursor) != want {
			t.Errorf("%+d from %d is %d, want %d", dx, id, s.out.cursor, want)
		}
	}
	s.out.cursor = tree.NodeID(g.row(20)[0])
	if s.walkGraph(-1, 0); int32(s.out.cursor) != g.row(20)[0] {
		t.Error("the first of a level has a left neighbour")
	}
	s.survey(80, 30, true)
	g.zoom = zoomAll
	wide := slices.MaxFunc(g.rank, func(a, b int32) int {
		return len(g.row(int(s.ix.depth[a]))) - len(g.row(int(s.ix.depth[b])))
	})
	row := g.row(int(s.ix.depth[wide]))
	s.out.cursor = tree.NodeID(row[len(row)/2])
	at := g.x[s.out.cursor]
	s.walkGraph(1, 0)
	right := g.x[s.out.cursor] - at
	s.walkGraph(-1, 0)
	if left := at + right - g.x[s.out.cursor]; right < g.wide/80 || left < g.wide/80 {
		t.Errorf("steps in the overview are %g and %g columns, a cell has %g", right, left, g.wide/80)
	}
}

// TestOverviewHoldsTheWholeTree: every node is counted in a cell of the picture, small or large, and a click on a cell goes there.
func TestOverviewHoldsTheWholeTree(t *testing.T) {
	for _, n := range []int{30, 3000} {
		s := newSearch("s", newFakeSession(forest(n)), testTime)
		s.layGraph()
		for _, braille := range []bool{true, false} {
			count, best := 0, 0.0
			for _, c := range s.survey(70, 20, braille).cells {
				count += int(c.count)
				if c.count > 0 {
					best = max(best, c.val)
				}
			}
			if count != len(s.t.Nodes) || best != s.ix.high {
				t.Errorf("%d of %d nodes are in the picture, the best is %g, not %g", count, len(s.t.Nodes), best, s.ix.high)
			}
		}
	}
	s := newSearch("s", newFakeSession(forest(3000)), testTime)
	s.layGraph()
	s.out.hit = make([]bool, len(s.t.Nodes))
	s.out.hit[1500] = true
	hits, dots := 0, 0
	for _, c := range s.survey(70, 20, true).cells {
		if c.hit {
			hits++
			dots += bits.OnesCount8(c.dots)
		}
	}
	if hits != 1 || dots != 1 {
		t.Errorf("under a filter that one node passes, %d dots in %d cells are coloured", dots, hits)
	}
	r := newRig(t, newFakeLibrary(forest(20_000)), nil)
	r.keys("enter v")
	r.mustShow("overview")
	picked := map[tree.NodeID]bool{}
	for x := 5; x < 45; x += 5 {
		r.send(tea.MouseClickMsg(tea.Mouse{X: x, Y: 6, Button: tea.MouseLeft}))
		r.screen()
		picked[r.a.s.out.cursor] = true
	}
	if len(picked) < 3 {
		t.Errorf("clicks all over the overview chose %v", picked)
	}
	gold := 0
	for y := range 40 {
		for x := range 48 {
			if _, st := r.a.grid.At(x, y); st.Fg == paint.Token(themes.Best) {
				gold++
			}
		}
	}
	if gold < 4 {
		t.Errorf("%d cells of the best path are gold", gold)
	}
}

// TestPanGraph: the view moves and the cursor stays, until the cursor is moved; the mouse drags the view too.
func TestPanGraph(t *testing.T) {
	r := newRig(t, newFakeLibrary(fan(30)), nil)
	r.keys("enter")
	r.send(tea.KeyPressMsg{Code: tea.KeyRight, Mod: tea.ModShift})
	r.mustShow("open the graph first")
	r.keys("v")
	g := &r.a.s.pane.graph
	g.zoom = zoomNames
	r.screen()
	cur, left := r.a.s.out.cursor, g.left
	for range 3 {
		r.send(tea.KeyPressMsg{Code: tea.KeyRight, Mod: tea.ModShift})
		r.screen()
	}
	if g.left != left+24 || r.a.s.out.cursor != cur {
		t.Errorf("panned from %d to %d, cursor %d", left, g.left, r.a.s.out.cursor)
	}
	r.send(tea.MouseClickMsg(tea.Mouse{X: 20, Y: 30, Button: tea.MouseLeft}))
	r.send(tea.MouseMotionMsg(tea.Mouse{X: 15, Y: 30, Button: tea.MouseLeft}))
	r.screen()
	if g.left != left+29 {
		t.Errorf("a drag of 5 cells went from %d to %d", left+24, g.left)
	}
	top, high := g.top, newRig(t, newFakeLibrary(chainOf(60)), nil)
	high.keys("enter v")
	high.screen()
	at := high.a.s.pane.graph.top
	high.send(tea.MouseWheelMsg(tea.Mouse{X: 20, Y: 20, Button: tea.MouseWheelUp}))
	high.screen()
	if now := high.a.s.pane.graph.top; now != at-3 || g.top != top {
		t.Errorf("the wheel went from row %d to %d", at, now)
	}
	r.keys("up")
	r.screen()
	if x := int(g.x[tree.Root]*float32(g.zoom.cells(32))) - g.left; x < 0 || x > 50 {
		t.Errorf("after a step the cursor is in column %d", x)
	}
	for range 200 {
		r.send(tea.KeyPressMsg{Code: tea.KeyLeft, Mod: tea.ModShift})
	}
	r.screen()
	if g.left != 0 {
		t.Errorf("panned beyond the left end to %d", g.left)
	}
}
