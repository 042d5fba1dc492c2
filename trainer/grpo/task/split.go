package task

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
)

// Split is one of the three disjoint parts of a task's problems.
type Split uint8

// The splits. Only Train is trained on, only Validation selects, only Test is reported.
const (
	Train Split = iota
	Validation
	Test
)

// String returns train, validation or test.
func (s Split) String() string {
	switch s {
	case Train:
		return "train"
	case Validation:
		return "validation"
	case Test:
		return "test"
	}
	return fmt.Sprintf("split(%d)", uint8(s))
}

// SplitOf returns the split of the problem with this canonical text. It is a pure function of its arguments, so the
// splits are disjoint by construction.
func SplitOf(task, key string) Split {
	switch h := hash(task + "\x00" + key); (h ^ h>>32) % 8 {
	case 0:
		return Validation
	case 1:
		return Test
	default:
		return Train
	}
}

func hash(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s)) // a hash.Hash never fails
	return h.Sum64()
}

// Mix says how the difficulties up to the cap are weighted.
type Mix uint8

// The mixes of a curriculum with cap c over difficulties lo..hi.
const (
	// Uniform draws lo..c with equal weight.
	Uniform Mix = iota
	// Band draws the upper half, max(lo, ceil(c/2))..c, with equal weight.
	Band
	// Easy draws lo..c with a weight that falls by 0.7 from one difficulty to the next.
	Easy
)

// Mixes lists the mixes in order.
var Mixes = []Mix{Uniform, Band, Easy}

// String returns uniform, band or easy.
func (m Mix) String() string {
	switch m {
	case Uniform:
		return "uniform"
	case Band:
		return "band"
	case Easy:
		return "easy"
	}
	return fmt.Sprintf("mix(%d)", uint8(m))
}

// ParseMix is the inverse of String.
func ParseMix(s string) (Mix, error) {
	for _, m := range Mixes {
		if m.String() == s {
			return m, nil
		}
	}
	return 0, fmt.Errorf("no difficulty mix %q: choose uniform, band or easy", s)
}

// Curriculum is the distribution of training difficulties. A cap outside the task's range is clamped to it.
type Curriculum struct {
	Cap int
	Mix Mix
}

func (c Curriculum) draw(rng *rand.Rand, r Range) int {
	top := min(max(c.Cap, r.Lo), r.Hi)
	switch c.Mix {
	case Band:
		lo := max(r.Lo, (top+1)/2)
		return lo + rng.IntN(top-lo+1)
	case Easy:
		w := make([]float64, top-r.Lo+1)
		w[0] = 1
		for i := 1; i < len(w); i++ {
			w[i] = 0.7 * w[i-1]
		}
		return r.Lo + pick(rng, w)
	case Uniform:
	}
	return r.Lo + rng.IntN(top-r.Lo+1)
}

// pick draws an index with probability proportional to its weight.
func pick(rng *rand.Rand, weights []float64) int {
	var sum float64
	for _, w := range weights {
		sum += w
	}
	x := rng.Float64() * sum
	for i, w := range weights {
		if x -= w; x < 0 {
			return i
		}
	}
	return len(weights) - 1
}
