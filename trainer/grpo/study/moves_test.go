package main

import (
	"reflect"
	"strings"
	"testing"

	"llmzero/engine/tree"
)

// A sweep changes its parameter, what a state asks for, and nothing else.
func TestOver(t *testing.T) {
	c := with(tree.Config{}, "beta", 0, "difficulty", 2)
	sw := over(c, "num_generations", "", []float64{4, 8}, func(state int) tree.Config {
		return with(tree.Config{}, "difficulty", 3+state)
	})
	if len(sw.set) != len(states) {
		t.Fatalf("%d states, want %d", len(sw.set), len(states))
	}
	for state, sets := range sw.set {
		for i, set := range sets {
			if set.Int("difficulty") != 3+state || set.Float("num_generations") != sw.values[i] || len(set) != 3 {
				t.Errorf("state %d, value %g: %s", state, sw.values[i], settings(set))
			}
		}
	}
	if c.Int("difficulty") != 2 || len(c) != 2 {
		t.Errorf("the constant has become %s", settings(c))
	}
}

// A best value moves only where both ends prefer their own on the fresh seeds by more than the interval; the seeds that
// select have no say in that.
func TestVerdict(t *testing.T) {
	at := func(means ...float64) [][]float64 {
		var out [][]float64
		for _, m := range means {
			out = append(out, []float64{m - 0.01, m, m + 0.012})
		}
		return out
	}
	noisy := [][]float64{{0.1, 0.9, 0.5}, {0.6, 0.2, 0.8}}
	screen := [][][]float64{at(0.5, 0.3), at(0.4, 0.4), at(0.6, 0.9)}
	for want, fresh := range map[string][][][]float64{
		": moves. 4 rather than 8 is worth +0.200 +- 0.000 at the start, 8 rather than 4 is worth +0.100 +- 0.000 late": {at(0.5, 0.3), at(0, 0), at(0.8, 0.9)},
		": not shown to move. 4 rather than 8 is worth +0.200":                                                          {at(0.5, 0.3), at(0, 0), noisy},
		": not shown to move. 4 rather than 8 is worth -0.100":                                                          {at(0.3, 0.4), at(0, 0), at(0.8, 0.9)},
	} {
		m := moved{sweep: sweep{param: "num_generations", values: []float64{4, 8}}, screen: screen, fresh: fresh}
		if got := m.verdict(); !strings.Contains(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	same := moved{sweep: sweep{param: "difficulty", note: "x", values: []float64{4, 8}}, screen: [][][]float64{at(0.5, 0.3), at(0, 0), at(0.5, 0.3)}}
	if got := same.verdict(); got != "difficulty (x): 4 is best at both ends." {
		t.Error(got)
	}
}

// Bases are put together seed by seed, sweep by sweep.
func TestPooled(t *testing.T) {
	one := func(x float64) []moved {
		scores := make([][][]float64, len(states))
		for i := range scores {
			scores[i] = [][]float64{{x, x + 1}, {x + float64(i)}}
		}
		return []moved{{sweep: sweep{param: "difficulty", values: []float64{2, 9}}, screen: scores, fresh: scores}}
	}
	got := pooled([][]moved{one(0), one(10)})
	if len(got) != 1 || got[0].param != "difficulty" {
		t.Fatalf("%+v", got)
	}
	if want := [][]float64{{0, 1, 10, 11}, {2, 12}}; !reflect.DeepEqual(got[0].fresh[2], want) || !reflect.DeepEqual(got[0].screen[2], want) {
		t.Errorf("%v and %v, want %v", got[0].screen[2], got[0].fresh[2], want)
	}
}
