package rules

import (
	"testing"

	"llmzero/engine/tree"
)

func TestMoveValue(t *testing.T) {
	space := testSpace()
	for i := range space.Params {
		if space.Params[i].Name == pGradNorm {
			space.Params[i].Zero = true
		}
	}
	for _, c := range []struct {
		move move
		from tree.Value
		want tree.Value
	}{
		{up(pLR, 2, ""), tree.Number(3e-4), tree.Number(6e-4)},
		{up(pLR, 2, ""), tree.Number(8e-3), tree.Number(1e-2)},                // at most the bound
		{up(pLR, 2, ""), tree.Number(1e-2), tree.Number(1e-2)},                // nowhere to go
		{down(pBeta, 0.25, ""), tree.Number(2e-4), tree.Number(0)},            // below the least: off
		{up(pBeta, 2, ""), tree.Number(0), tree.Number(0.0016)},               // switched on, low
		{down(pBeta, 0.5, ""), tree.Number(0), tree.Number(0)},                // off already
		{down(pGradNorm, 0.5, ""), tree.Number(0.01), tree.Number(0.01)},      // clipping harder never switches it off
		{down(pGradNorm, 0.5, ""), tree.Number(0), tree.Number(1)},            // no clipping: clip at 1
		{up(pGradNorm, 2, ""), tree.Number(0), tree.Number(0)},                // no clipping is the most
		{up(pDifficulty, 1.1, ""), tree.Number(4), tree.Number(5)},            // a whole step at least
		{down(pEpochs, 0.9, ""), tree.Number(2), tree.Number(1)},              //
		{up(pReference, 1, ""), tree.Choice("keep"), tree.Choice("reset")},    //
		{up(pReference, 1, ""), tree.Choice("reset"), tree.Choice("reset")},   //
		{up("loss_type", 2, ""), tree.Choice("grpo"), tree.Choice("grpo")},    // no order, no direction
		{set(pT, 99, ""), tree.Number(1), tree.Number(2)},                     //
		{up(pLR, 4, "").stretched(0.5), tree.Number(3e-4), tree.Number(6e-4)}, //
		{set(pT, 0.5, "").stretched(0.5), tree.Number(1), tree.Number(0.5)},   // a value is a value
		{down(pOverlong, 0.5, ""), tree.Number(0.015), tree.Number(0)},        //
		{up(pGroup, 1.5, ""), tree.Number(64), tree.Number(64)},               //
		{down(pPrompts, 0.5, ""), tree.Number(3), tree.Number(2)},             //
	} {
		p, ok := space.Find(c.move.param)
		if !ok {
			t.Fatal(c.move.param)
		}
		got, moved := c.move.value(p, c.from, nil)
		if got != c.want || moved != (got != c.from) {
			t.Errorf("%s %v from %s: %s (moved %v), want %s", c.move.param, c.move.factor, c.from, got, moved, c.want)
		}
	}
}

func TestMoveStopsShortOfABan(t *testing.T) {
	p, _ := testSpace().Find(pLR)
	bans := []tree.Ban{{Param: pLR, Min: 5e-4, Max: 1e-2}}
	got, ok := up(pLR, 2, "").value(p, tree.Number(3e-4), bans)
	if !ok || got.Num <= 3e-4 || got.Num >= 5e-4 {
		t.Errorf("%s %v: want something between 3e-4 and the ban at 5e-4", got, ok)
	}
	bans[0].Min = 3.01e-4
	if got, ok := up(pLR, 2, "").value(p, tree.Number(3e-4), bans); ok {
		t.Errorf("moved to %s, which is banned", got)
	}
}
