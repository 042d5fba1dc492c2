package policy

import (
	"math"
	"math/rand/v2"

	"llmzero/trainer/grpo/kernel"
)

// AdapterScale multiplies the product of an adapter's factors. It does not depend on the rank, so that growing the rank
// keeps the function.
const AdapterScale = 2

// Model is a policy in training: all its weights, or frozen weights and LoRA factors (Hu et al., arXiv 2106.09685) of the
// projections.
type Model struct {
	Config
	W      []float32 // the effective weights, flat as Layout says: what a Net loads
	Rank   int       // of the adapter; 0 when W itself is trained
	Frozen []float32 // with an adapter, the weights without it; nil otherwise
	Factor []float32 // with an adapter, its factors, flat as Factors says

	layout  []Tensor // of W
	factors []Tensor // of Factor
	grad    []float32
	b, d    kernel.Packed
}

// NewModel trains all of w, which it takes over.
func NewModel(c Config, w []float32) *Model { return &Model{Config: c, W: w, layout: c.Layout()} }

// Adapt makes a model of frozen weights and an adapter's factors, which it takes over.
func Adapt(c Config, frozen []float32, rank int, factor []float32) *Model {
	m := NewModel(c, make([]float32, len(frozen)))
	m.Frozen, m.Factor = frozen, factor
	m.setRank(rank)
	m.Update()
	return m
}

func (m *Model) setRank(rank int) {
	m.Rank, m.factors = rank, nil
	if rank > 0 {
		m.factors = m.Factors(rank)
	}
}

// Factors are the tensors of an adapter of the given rank: for each projection of in x out, a of in x rank and b of rank
// x out; the adapted projection is W + AdapterScale*a.b.
func (c Config) Factors(rank int) []Tensor {
	var out []Tensor
	at := 0
	add := func(name string, rows, cols int) {
		out = append(out, Tensor{Name: name, Rows: rows, Cols: cols, Offset: at, Kind: Projection})
		at += rows * cols
	}
	for _, t := range c.Layout() {
		if t.Kind == Projection {
			add(t.Name+".a", t.Rows, rank)
			add(t.Name+".b", rank, t.Cols)
		}
	}
	return out
}

// FactorSize is the number of elements of an adapter's factors.
func (c Config) FactorSize(rank int) int {
	n := 0
	for _, t := range c.Factors(rank) {
		n += t.Size()
	}
	return n
}

// TrainedTensors lists what is trained, in the order of Trained.
func (m *Model) TrainedTensors() []Tensor {
	if m.Rank > 0 {
		return m.factors
	}
	return m.layout
}

// Trained is the flat vector that the optimizer updates. Call Update after changing it.
func (m *Model) Trained() []float32 {
	if m.Rank > 0 {
		return m.Factor
	}
	return m.W
}

// Update recomputes the effective weights from the factors.
func (m *Model) Update() {
	if m.Rank == 0 {
		return
	}
	copy(m.W, m.Frozen)
	m.eachFactor(func(t, a, b Tensor) {
		scaled := grow(&m.grad, a.Size())
		for i, v := range a.Of(m.Factor) {
			scaled[i] = AdapterScale * v
		}
		m.b.Pack(b.Of(m.Factor), t.Cols, 1, m.Rank, t.Cols)
		kernel.Mul(t.Of(m.W), t.Cols, scaled, m.Rank, 1, t.Rows, &m.b, true)
	})
}

// Gradient turns the gradient of the effective weights into that of Trained. The result may be its argument, or is valid
// until the next call.
func (m *Model) Gradient(grad []float32) []float32 {
	if m.Rank == 0 {
		return grad
	}
	out := grow(&m.grad, len(m.Factor))
	m.eachFactor(func(t, a, b Tensor) {
		dw := t.Of(grad)
		// da = s dW.b^T, db = s a^T.dW
		m.b.Pack(b.Of(m.Factor), 1, t.Cols, t.Cols, m.Rank)
		kernel.Mul(a.Of(out), m.Rank, dw, t.Cols, 1, t.Rows, &m.b, false)
		m.d.Pack(dw, t.Cols, 1, t.Rows, t.Cols)
		kernel.Mul(b.Of(out), t.Cols, a.Of(m.Factor), 1, m.Rank, m.Rank, &m.d, false)
	})
	for i := range out {
		out[i] *= AdapterScale
	}
	return out
}

func (m *Model) eachFactor(f func(t, a, b Tensor)) {
	i := 0
	for _, t := range m.layout {
		if t.Kind == Projection {
			f(t, m.factors[i], m.factors[i+1])
			i += 2
		}
	}
}

// Columns lists the parts [from, to) of Trained that belong to some columns of the adapter: those columns of every a, row by row,
// and the rows of every b.
func (m *Model) Columns(from, to int) [][2]int {
	var out [][2]int
	m.eachFactor(func(_, a, b Tensor) {
		for r := range a.Rows {
			at := a.Offset + r*a.Cols
			out = append(out, [2]int{at + from, at + to})
		}
		out = append(out, [2]int{b.Offset + from*b.Cols, b.Offset + to*b.Cols})
	})
	return out
}

// SetRank changes what is trained without changing the function: an adapter that grows keeps its columns and gets new ones
// whose b starts at zero; any other change multiplies the old adapter into the weights first. carry tells how a vector over the
// old Trained (an optimizer's moments) becomes one over the new: kept where an adapter grows, zero elsewhere.
func (m *Model) SetRank(rank int, rng *rand.Rand) (carry func(old []float32) []float32) {
	was := m.Rank
	switch {
	case rank == was:
		return func(old []float32) []float32 { return old }
	case was > 0 && rank > was:
		m.Factor = m.widen(m.Factor, was, rank, rng)
		m.setRank(rank)
		return func(old []float32) []float32 { return m.widen(old, was, rank, nil) }
	}
	m.Frozen, m.Factor = nil, nil
	m.setRank(rank)
	if rank > 0 {
		m.Frozen = append([]float32(nil), m.W...)
		m.Factor = m.widen(nil, 0, rank, rng)
	}
	return func([]float32) []float32 { return make([]float32, len(m.Trained())) }
}

// widen lays factors of one rank out for a larger one. The new columns of a are drawn from rng, or zero without one; the
// new rows of b are zero.
func (m *Model) widen(old []float32, from, to int, rng *rand.Rand) []float32 {
	out := make([]float32, m.FactorSize(to))
	before, after := m.Factors(from), m.Factors(to)
	for i := range after {
		src, dst := before[i], after[i]
		isA := i%2 == 0
		for r := range dst.Rows {
			for c := range dst.Cols {
				at := dst.Offset + r*dst.Cols + c
				switch {
				case r < src.Rows && c < src.Cols:
					out[at] = old[src.Offset+r*src.Cols+c]
				case isA && rng != nil:
					out[at] = float32(rng.NormFloat64() / math.Sqrt(float64(dst.Rows)))
				}
			}
		}
	}
	return out
}
