package gpu

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestRingKeepsTheLast compares the ring with a slice that keeps everything.
func TestRingKeepsTheLast(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		capacity := rapid.IntRange(1, 20).Draw(t, "capacity")
		r := newRing[int](capacity)
		var all []int
		t.Repeat(map[string]func(*rapid.T){
			"push": func(t *rapid.T) {
				v := rapid.Int().Draw(t, "v")
				r.push(v)
				all = append(all, v)
			},
			"": func(t *rapid.T) {
				want := all[max(0, len(all)-capacity):]
				if got := r.values(); !slices.Equal(got, want) {
					t.Fatalf("capacity %d after %v: %v, want %v", capacity, all, got, want)
				}
			},
		})
	})
}

func TestRingCopies(t *testing.T) {
	r := newRing[int](0)
	r.push(1)
	v := r.values()
	r.push(2)
	if v[0] != 1 || !slices.Equal(r.values(), []int{2}) {
		t.Errorf("an earlier copy is %v, the ring holds %v", v, r.values())
	}
}
