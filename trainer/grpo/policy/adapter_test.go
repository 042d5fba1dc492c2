package policy

import (
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Any chain of rank changes must keep the effective weights to the bit: the function that was learnt.
func TestRankChangesKeepTheFunction(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		m := NewModel(tiny, tiny.Init(rng))
		for range rapid.IntRange(1, 5).Draw(t, "changes") {
			before := slices.Clone(m.W)
			rank := rapid.SampledFrom([]int{0, 2, 4, 8, 32}).Draw(t, "rank")
			was := m.Rank
			moments := make([]float32, len(m.Trained()))
			for i := range moments {
				moments[i] = 1
			}
			carried := m.SetRank(rank, rng)(moments)
			m.Update()
			if !slices.Equal(m.W, before) {
				t.Fatalf("rank %d to %d changed the weights", was, rank)
			}
			if len(carried) != len(m.Trained()) {
				t.Fatalf("rank %d to %d: %d moments of %d weights", was, rank, len(carried), len(m.Trained()))
			}
			kept := 0
			for _, v := range carried {
				kept += int(v)
			}
			if want := tiny.FactorSize(was); was > 0 && rank >= was && kept != want {
				t.Fatalf("rank %d to %d kept %d moments, want %d", was, rank, kept, want)
			}
			for i := range m.Trained() { // learn something
				m.Trained()[i] += float32(rng.NormFloat64() * 0.05)
			}
			m.Update()
		}
	})
}

func TestAdapterLeavesTheRestFrozen(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	m := NewModel(tiny, tiny.Init(rng))
	m.SetRank(4, rng)
	before := slices.Clone(m.W)
	for i := range m.Factor {
		m.Factor[i] += 0.1
	}
	m.Update()
	for _, ten := range tiny.Layout() {
		same := slices.Equal(ten.Of(m.W), ten.Of(before))
		if same != (ten.Kind != Projection) {
			t.Errorf("%s: unchanged is %v", ten.Name, same)
		}
	}
}
