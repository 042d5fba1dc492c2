package tui

import (
	"strings"
	"testing"

	"llmzero/engine/event"
	"llmzero/engine/tree"
	"llmzero/themes"
	"llmzero/tui/component/paint"
)

// tested gives the best node of a made-up search a test score.
func tested(s *script) *script {
	s.say("engine", &event.Tested{Node: 2, Test: tree.Score{Mean: 0.738, SE: 0.019, N: 512}})
	return s
}

// comparing is a rig with the two searches compared.
func comparing(t *testing.T, x, y *script) *rig {
	r := newRig(t, newFakeLibrary(x, y), nil)
	r.keys("space down space c")
	if r.a.page != onCompare || r.a.pages.compare.sides[1] == nil {
		t.Fatal("the two searches are not compared")
	}
	return r
}

// rowOf is the line of the screen that begins with a label.
func (r *rig) rowOf(label string) string {
	for l := range strings.SplitSeq(r.screen(), "\n") {
		if strings.HasPrefix(strings.TrimSpace(l), label) {
			return strings.TrimSpace(l)
		}
	}
	r.t.Fatalf("no row %q on the screen:\n%s", label, r.screen())
	return ""
}

func TestCompareTellsDifferencesOfMeasuredScoresAlone(t *testing.T) {
	r := comparing(t, library("s-a", "sort", 0.8), tested(library("s-b", "sort", 0.75)))
	if got := r.rowOf("test"); strings.Count(got, "±") != 1 || !strings.Contains(got, "–") {
		t.Errorf("one test score is unknown, and the row says %q", got)
	}
	if got := r.rowOf("validation"); !strings.Contains(got, "−.050 ±.019") {
		t.Errorf("the difference in validation: %q", got)
	}
	if got := r.rowOf("over the base"); !strings.Contains(got, "+.327 ±.027") || !strings.Contains(got, "+.277 ±.027") {
		t.Errorf("gains have intervals: %q", got)
	}
	r.keys("x")
	if got := r.rowOf("test"); strings.Count(got, "±") != 1 {
		t.Errorf("swapped, the row says %q", got)
	}
}

func TestCompareOfDifferentTasksHasNoDifference(t *testing.T) {
	r := comparing(t, tested(library("s-a", "sort", 0.8)), tested(library("s-b", "add", 0.7)))
	for _, w := range []int{60, 80, 120, 200} {
		r.size(w, 40)
		r.mustShow("different tasks: their scores do not compare")
		for _, label := range []string{"validation", "test"} {
			if got := r.rowOf(label); strings.Count(got, "±") != 2 {
				t.Errorf("at %d columns %q compares them", w, got)
			}
		}
	}
}

func TestCompareShowsRetrainedRuns(t *testing.T) {
	s := library("s-a", "sort", 0.8)
	for i, x := range []float64{0.70, 0.74, 0.72} {
		s.say("engine", &event.Confirmed{Node: 2, Confirmation: tree.Confirmation{Seed: uint64(i), Test: tree.Score{Mean: x, SE: 0.02, N: 512}}})
	}
	r := comparing(t, s, library("s-b", "sort", 0.75))
	r.size(200, 40)
	if got := r.rowOf("test, fresh seeds"); !strings.Contains(got, "0.720 [.700 .740] of 3") || !strings.Contains(got, "–") {
		t.Errorf("got %q", got)
	}
}

func TestCompareTableStaysTogether(t *testing.T) {
	r := comparing(t, library("s-a", "sort", 0.8), library("s-b", "sort", 0.75))
	for _, w := range []int{120, 200, 300} {
		r.size(w, 60)
		if at := strings.Index(r.rowOf("s-a n2"), "difference"); at < 0 || at > compareTable*6/10 {
			t.Errorf("at %d columns the difference stands in column %d", w, at)
		}
	}
}

// TestWhatPathsShareIsDrawnOnce: the common stages are one muted curve, and each one's own begins where it ends.
func TestWhatPathsShareIsDrawnOnce(t *testing.T) {
	r, _ := opened(t, nil)
	r.a.s.goTo(8)
	r.keys("m")
	r.a.s.goTo(7)
	r.keys("c")
	r.mustShow("the path of both", "path to n8", "path to n7", "both")
	if got := strings.Count(r.screen(), "n 8→16"); got != 1 {
		t.Errorf("the shared stage is listed %d times", got)
	}
	l, rr := r.a.pages.compare.sides[0], r.a.pages.compare.sides[1]
	p := r.a.overlay(tree.MetricReward, l, rr)
	common, right, left := p.Series[0], p.Series[1], p.Series[2]
	if common.Ink != paint.Token(themes.Muted) || common.X[len(common.X)-1] != 80 {
		t.Errorf("the common curve has colour %v and ends at %g", common.Ink, common.X[len(common.X)-1])
	}
	for _, s := range [][]float64{left.X, right.X} {
		if s[0] != 80 || s[len(s)-1] != 120 {
			t.Errorf("an own curve goes from %g to %g", s[0], s[len(s)-1])
		}
	}
}

func TestCompareCurves(t *testing.T) {
	r := comparing(t, storybook(), library("s-b", "mixed", 0.75))
	r.mustShow("reward", "entropy", "kl", "length", "6 more (m)", "120 steps")
	r.mustNotShow("root")
	r.keys("m")
	r.mustNotShow("reward  ")
	r.mustShow("truncated")
	r.keys("M")
	l, rr := r.a.pages.compare.sides[0], r.a.pages.compare.sides[1]
	smooth := r.a.overlay(tree.MetricReward, l, rr).Series[2].Y[50]
	r.keys("i")
	r.mustShow("as measured")
	if raw := r.a.overlay(tree.MetricReward, l, rr).Series[2].Y[50]; raw != l.points[50].Values[tree.MetricReward] || raw == smooth {
		t.Errorf("raw %g, smooth %g, measured %g", raw, smooth, l.points[50].Values[tree.MetricReward])
	}
	r.keys("left left")
	r.mustShow("step 11")
	if l.read(tree.MetricReward, 110) == "–" || rr.read(tree.MetricReward, 110) != "–" {
		t.Errorf("at step 110 the sides read %s and %s; the second ended before", l.read(tree.MetricReward, 110), rr.read(tree.MetricReward, 110))
	}
	r.keys("right right")
	r.mustNotShow("step 1")
}
