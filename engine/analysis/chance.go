package analysis

import (
	"math"
	"math/rand/v2"
	"slices"

	"llmzero/engine/tree"
)

// Null is the share of random paths that look at least as much like the claim as the path does, with one added to both
// counts so that it is never 0 (Phipson and Smyth, 2010). A random path moves the same parameters at the same stages, each
// time to a value drawn uniformly along its scale within its bounds.
type Null struct {
	Capacity       float64 // random paths with at least as many upward moves of capacity parameters
	Regularization float64 // with at least as many turns of regularization parameters
	Samples        int
}

// Chance compares the motions with samples random paths. A role without moves has 1: chance alone would do as well. The
// same seed gives the same figures.
func Chance(motions []Motion, start tree.Config, samples int, seed uint64) Null {
	rng := rand.New(rand.NewPCG(seed, 0x6e756c6c))
	want := Groups(motions)
	hits := [2]int{1, 1}
	var walks []walk
	for _, m := range motions {
		if m.Moves() > 0 {
			walks = append(walks, newWalk(m, start[m.Param.Name]))
		}
	}
	for range samples {
		ups, turns := 0, 0
		for i := range walks {
			w := &walks[i]
			u, t := w.sample(rng)
			switch w.role {
			case tree.RoleCapacity:
				ups += u
			case tree.RoleRegularization:
				turns += t
			case tree.RoleOther:
			}
		}
		if ups >= want[0].Ups {
			hits[0]++
		}
		if turns >= want[1].Turns {
			hits[1]++
		}
	}
	return Null{
		Capacity: float64(hits[0]) / float64(samples+1), Regularization: float64(hits[1]) / float64(samples+1), Samples: samples,
	}
}

// walk draws random paths of one parameter. What counts are directions, so a value is told by a number that grows with it: for a
// float its place on the scale, which spares an exponential for each draw.
type walk struct {
	role  tree.Role
	moves int
	start float64
	at    func(u float64) float64 // the number of the value at u, 0..1 of the scale
}

func newWalk(m Motion, start tree.Value) walk {
	p := m.Param
	w := walk{role: p.Role, moves: m.Moves()}
	lo, hi := p.Min, p.Max
	log := p.Scale == tree.ScaleLog && lo > 0
	switch {
	case p.Kind == tree.KindChoice:
		last := float64(len(p.Choices) - 1)
		w.start = float64(slices.Index(p.Choices, start.Text))
		w.at = func(u float64) float64 { return math.Round(u * last) }
	case p.Kind == tree.KindInt && log:
		a, b := math.Log(lo), math.Log(hi)
		w.start = start.Num
		w.at = func(u float64) float64 { return max(lo, min(hi, math.Round(math.Exp(a+u*(b-a))))) }
	case p.Kind == tree.KindInt:
		w.start = start.Num
		w.at = func(u float64) float64 { return max(lo, min(hi, math.Round(lo+u*(hi-lo)))) }
	default:
		w.start = p.Position(start)
		w.at = func(u float64) float64 { return u }
	}
	return w
}

// sample moves as often as the path did, each time to another value, and counts the upward moves and the turns.
func (w *walk) sample(rng *rand.Rand) (ups, turns int) {
	now, dir := w.start, 0
	for range w.moves {
		old := now
		for try := 0; now == old && try < 16; try++ {
			now = w.at(rng.Float64())
		}
		d := 0
		switch {
		case now > old:
			d = 1
			ups++
		case now < old:
			d = -1
		}
		if d != 0 && dir != 0 && d != dir {
			turns++
		}
		if d != 0 {
			dir = d
		}
	}
	return ups, turns
}
