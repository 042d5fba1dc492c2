package tui

import (
	"fmt"
	"strings"
	"testing"

	"llmzero/engine/tree"
)

// chainOf is a search whose nodes hang below each other, with a sibling at every fifth level.
func chainOf(n int) *script {
	s := newScript("s-deep")
	at := tree.Root
	for i := range n {
		id := s.run(at, 0.5+0.001*float64(i), tree.Transition{Changes: []tree.Change{ch("learning_rate", 3e-4, 6e-4, "")}})
		if i%5 == 0 {
			s.run(at, 0.3, tree.Transition{Changes: []tree.Change{ch("beta", 0, 0.1, "")}})
		}
		at = id
	}
	return s
}

// column is where a node's name begins on the screen, -1 when it is not there.
func column(r *rig, name string) int {
	for line := range strings.SplitSeq(r.screen(), "\n") {
		tree, _, _ := strings.Cut(line, "││")
		if i := strings.Index(tree, "● "+name+" "); i >= 0 {
			return len([]rune(tree[:i]))
		}
	}
	return -1
}

// TestDeepTreesShareOneOffset: in view of a cursor far down, a child stands two cells right of its parent, the frame says how
// many levels are hidden, and nodes beyond the room are marked.
func TestDeepTreesShareOneOffset(t *testing.T) {
	r := newRig(t, newFakeLibrary(chainOf(60)), nil)
	r.keys("enter")
	s := r.a.s
	path := s.t.Path(s.ix.best)
	s.goTo(path[30].ID)
	r.screen()
	r.mustShow(fmt.Sprintf("← %d levels", s.out.left))
	if s.out.left < 20 || s.out.left >= 30 {
		t.Fatalf("%d levels are hidden around level 30", s.out.left)
	}
	room := guideLevels(arrange(120, 40, r.a.settings.Split, r.a.deviceRows(), false).tree.W - 2)
	pairs := 0
	for d := s.out.left; d < s.out.left+room; d++ {
		p, c := column(r, name(path[d].ID)), column(r, name(path[d+1].ID))
		if p < 0 || c < 0 {
			continue
		}
		if pairs++; c != p+2 {
			t.Errorf("level %d stands in column %d, level %d in %d", d, p, d+1, c)
		}
	}
	if pairs < 4 {
		t.Fatalf("only %d pairs of parent and child are in view:\n%s", pairs, r.screen())
	}
	r.mustShow("… ● ")
	before := s.out.left
	r.keys("down up")
	r.screen()
	if s.out.left != before {
		t.Errorf("a step to and fro moved the offset from %d to %d", before, s.out.left)
	}
	moves := 0
	for range 15 {
		before = s.out.left
		r.keys("down")
		r.screen()
		if s.out.left != before {
			moves++
		}
	}
	if moves == 0 || moves > 7 {
		t.Errorf("15 steps down moved the offset %d times", moves)
	}
	r.keys("home")
	r.screen()
	if s.out.left != 0 {
		t.Errorf("at the root %d levels are hidden", s.out.left)
	}
	r.mustNotShow("← ")
}

// TestTreeScrollbar: a long tree has a thumb in its frame that goes down with the cursor.
func TestTreeScrollbar(t *testing.T) {
	r := newRig(t, newFakeLibrary(chainOf(60)), nil)
	r.keys("enter")
	edge := arrange(120, 40, r.a.settings.Split, r.a.deviceRows(), false).tree.W - 1
	thumb := func() (first, n int) {
		for y, line := range strings.Split(r.screen(), "\n") {
			if row := []rune(line); len(row) > edge && string(row[edge]) == r.a.look.glyphs.Mark.ScrollThumb {
				if n == 0 {
					first = y
				}
				n++
			}
		}
		return first, n
	}
	r.keys("home")
	top, n := thumb()
	r.keys("end")
	bottom, m := thumb()
	if n == 0 || n != m || top != 2 || bottom+m != 37 {
		t.Errorf("the thumb is %d cells from row %d at the top, %d from row %d at the end", n, top, m, bottom)
	}
	r, _ = opened(t, nil)
	if _, n := thumb(); n != 0 {
		t.Error("a tree that fits has a scrollbar")
	}
}

// TestFoldAllKeepsTheBestPath: Z folds everything but the best path, and a second Z unfolds all.
func TestFoldAllKeepsTheBestPath(t *testing.T) {
	r, _ := opened(t, nil)
	all := len(r.a.s.out.rows)
	r.keys("Z")
	r.screen()
	s := r.a.s
	for _, n := range s.t.Path(s.ix.best) {
		if s.out.folded[n.ID] || s.out.at[n.ID] < 0 {
			t.Errorf("%s of the best path is folded away", name(n.ID))
		}
	}
	r.keys("J") // n8 has no children
	s.goTo(1)
	r.keys("z")
	s.foldAll()
	s.lay()
	if len(s.out.rows) != len(s.t.Nodes) {
		t.Errorf("%d rows after unfolding all, %d at first", len(s.out.rows), all)
	}
}
