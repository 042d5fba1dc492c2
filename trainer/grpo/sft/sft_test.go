package sft

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"llmzero/trainer/grpo/policy"
)

var small = policy.Config{Vocab: 8, Dim: 16, Layers: 1, FF: 32, Context: 8}

// echo teaches: BOS a b -> a b EOS.
func echo(rng *rand.Rand, _ float64) ([]uint8, []bool) {
	a, b := uint8(3+rng.IntN(5)), uint8(3+rng.IntN(5))
	return []uint8{1, a, b, a, b, 2}, []bool{false, false, false, true, true, true}
}

func TestLearnsAndIsDeterministic(t *testing.T) {
	o := Options{Config: small, Steps: 300, Batch: 32, Seed: 4}
	var first, last float64
	one, err := Train(context.Background(), o, echo, func(step int, loss float64) {
		if step == 0 {
			first = loss
		}
		last = loss
	})
	if err != nil {
		t.Fatal(err)
	}
	if first < 1.5 || last > 0.2 {
		t.Errorf("loss went from %.3f to %.3f, want from about ln 8 to below 0.2", first, last)
	}
	o.Workers = 3
	many, err := Train(context.Background(), o, echo, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(one, many) {
		t.Error("weights differ between one and three workers")
	}
}

func TestRefuses(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Train(ctx, Options{Config: small, Steps: 5}, echo, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	for name, next := range map[string]Next{
		"long":     func(*rand.Rand, float64) ([]uint8, []bool) { return make([]uint8, 9), make([]bool, 9) },
		"foreign":  func(*rand.Rand, float64) ([]uint8, []bool) { return []uint8{1, 200}, []bool{false, true} },
		"unmasked": func(*rand.Rand, float64) ([]uint8, []bool) { return []uint8{1, 2}, []bool{false, false} },
	} {
		if _, err := Train(context.Background(), Options{Config: small, Steps: 1}, next, nil); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
