package tui

import (
	"testing"

	"pgregory.net/rapid"

	"llmzero/engine/tree"
)

func TestNextRound(t *testing.T) {
	lr := tree.Param{Name: "lr", Kind: tree.KindFloat, Min: 1e-5, Max: 1e-2, Scale: tree.ScaleLog}
	kl := tree.Param{Name: "kl", Kind: tree.KindFloat, Min: 1e-3, Max: 1, Scale: tree.ScaleLog, Zero: true}
	temp := tree.Param{Name: "T", Kind: tree.KindFloat, Min: 0.3, Max: 2}
	n := tree.Param{Name: "n", Kind: tree.KindInt, Min: 2, Max: 32, Scale: tree.ScaleLog}
	for _, x := range []struct {
		p        tree.Param
		from     float64
		up, down float64
	}{
		{lr, 7.5e-4, 1e-3, 7e-4},
		{lr, 1e-3, 1.5e-3, 7e-4},
		{lr, 1e-2, 1e-2, 7e-3},
		{lr, 1e-5, 1.5e-5, 1e-5},
		{kl, 0, 1e-3, 0},
		{kl, 1e-3, 1.5e-3, 0},
		{temp, 1, 1.05, 0.95},
		{temp, 1.02, 1.05, 1},
		{n, 8, 9, 7},
		{n, 32, 32, 31},
	} {
		if got := nextRound(x.p, tree.Number(x.from), true); got != tree.Number(x.up) {
			t.Errorf("%s above %g is %s, want %g", x.p.Name, x.from, got, x.up)
		}
		if got := nextRound(x.p, tree.Number(x.from), false); got != tree.Number(x.down) {
			t.Errorf("%s below %g is %s, want %g", x.p.Name, x.from, got, x.down)
		}
	}
}

// From anywhere every press goes on until the end of the range, and never out of it.
func TestNextRoundAlwaysGoesOn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := tree.Param{Name: "x", Kind: rapid.SampledFrom([]tree.Kind{tree.KindFloat, tree.KindInt}).Draw(t, "kind"), Scale: tree.ScaleLinear, Zero: rapid.Bool().Draw(t, "zero")}
		p.Min = float64(rapid.IntRange(1, 50).Draw(t, "min"))
		p.Max = p.Min + float64(rapid.IntRange(1, 5000).Draw(t, "more"))
		if rapid.Bool().Draw(t, "log") {
			p.Scale = tree.ScaleLog
		}
		v := p.Clamp(tree.Number(rapid.Float64Range(p.Min, p.Max).Draw(t, "v")))
		up := nextRound(p, v, true)
		down := nextRound(p, v, false)
		if p.Check(up) != nil || p.Check(down) != nil {
			t.Fatalf("%s: %s and %s are outside %s", v, up, down, p.Range())
		}
		if v.Num < p.Max && up.Num <= v.Num || v.Num > p.Min && down.Num >= v.Num {
			t.Fatalf("from %s up to %s, down to %s in %s", v, up, down, p.Range())
		}
	})
}
