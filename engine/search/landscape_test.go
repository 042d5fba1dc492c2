package search

import "testing"

// TestPoliciesClimb checks that every policy nears the optimum where nothing misleads it, also when scores are noisy.
func TestPoliciesClimb(t *testing.T) {
	want := map[string]float64{"best-first": 0.95, "greedy": 0.95, "greedy-branch": 0.95, "beam": 0.95, "uct": 0.6, "chain": 0.5}
	for _, p := range All() {
		for _, noise := range []float64{0, 0.02} {
			got := hill.mean(t, p.Name, 128, noise)
			t.Logf("%-14s noise %.2f: %.3f of %.0f", p.Name, noise, got, hill.best)
			if got < want[p.Name]*hill.best {
				t.Errorf("%s, noise %.2f: found %.3f on average, want %.2f", p.Name, noise, got, want[p.Name])
			}
		}
	}
}

// TestTreeEscapesTraps checks what a tree is for: where the first good score misleads, uct finds what following the best score
// does not, and the more it may spend the nearer it comes.
func TestTreeEscapesTraps(t *testing.T) {
	got := map[string]float64{}
	for _, p := range All() {
		got[p.Name] = trap.mean(t, p.Name, 64, 0)
		t.Logf("%-14s %.3f", p.Name, got[p.Name])
	}
	for _, worse := range []string{"greedy", "best-first", "beam", "chain"} {
		if got["uct"] < got[worse]+0.05 {
			t.Errorf("uct found %.3f, %s %.3f: want clearly more", got["uct"], worse, got[worse])
		}
	}
	if more := trap.mean(t, "uct", 256, 0); more < 0.9*trap.best || more < got["uct"] {
		t.Errorf("uct found %.3f with four times the budget, %.3f before", more, got["uct"])
	}
}

// TestBranchingLeavesADeadEnd checks that greedy-branch gets out of a line that cannot be improved.
func TestBranchingLeavesADeadEnd(t *testing.T) {
	stuck, free := lines.mean(t, "greedy", 128, 0), lines.mean(t, "greedy-branch", 128, 0)
	t.Logf("greedy %.3f, greedy-branch %.3f", stuck, free)
	if stuck > 0.8 || free < 0.9 {
		t.Errorf("greedy found %.3f, greedy-branch %.3f of %.0f: want a dead end for the first only", stuck, free, lines.best)
	}
}

func TestSameSeedSamePicks(t *testing.T) {
	for _, p := range All() {
		if a, b := trap.run(t, p.Name, 3, 60, 0.05), trap.run(t, p.Name, 3, 60, 0.05); a != b {
			t.Errorf("%s found %v, then %v", p.Name, a, b)
		}
	}
}
