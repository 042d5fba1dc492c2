package policy

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// HeadDim is the size of an attention head: one row of a kernel tile.
const HeadDim = 16

// MaxContext is the largest context that a policy may have.
const MaxContext = 64

// Config is the shape of a policy.
type Config struct {
	Vocab   int // token ids are 0..Vocab-1
	Dim     int // width of the residual stream, a multiple of HeadDim
	Layers  int
	FF      int // width of the MLP, a multiple of 16
	Context int // positions; no sequence is longer
}

// Small has about 27 thousand weights at a vocabulary of 32.
func Small(vocab, context int) Config {
	return Config{Vocab: vocab, Dim: 32, Layers: 2, FF: 128, Context: context}
}

// Large has about 104 thousand weights at a vocabulary of 32.
func Large(vocab, context int) Config {
	return Config{Vocab: vocab, Dim: 64, Layers: 2, FF: 256, Context: context}
}

// Check says what is wrong with a shape, or nil.
func (c Config) Check() error {
	switch {
	case c.Vocab < 2 || c.Vocab > 256:
		return fmt.Errorf("policy: vocabulary of %d tokens, want 2 to 256", c.Vocab)
	case c.Dim < HeadDim || c.Dim%HeadDim != 0 || c.Dim > 1024:
		return fmt.Errorf("policy: width %d, want a multiple of %d up to 1024", c.Dim, HeadDim)
	case c.Layers < 1 || c.Layers > 16:
		return fmt.Errorf("policy: %d layers, want 1 to 16", c.Layers)
	case c.FF < 16 || c.FF%16 != 0 || c.FF > 4096:
		return fmt.Errorf("policy: MLP width %d, want a multiple of 16 up to 4096", c.FF)
	case c.Context < 2 || c.Context > MaxContext:
		return fmt.Errorf("policy: context of %d tokens, want 2 to %d", c.Context, MaxContext)
	}
	return nil
}

// Heads is the number of attention heads.
func (c Config) Heads() int { return c.Dim / HeadDim }

// FLOP estimates the floating point operations of a forward pass over one token at context t: two for each weight of the
// projections and the output, and four a channel and key for attention. A backward pass costs twice as much.
func (c Config) FLOP(t int) float64 {
	weights := c.Layers*(4*c.Dim*c.Dim+2*c.Dim*c.FF) + c.Dim*c.Vocab
	return 2*float64(weights) + 4*float64(c.Layers*c.Dim*t)
}

// Kind groups tensors by how they are trained.
type Kind int

// The kinds of tensors. Only projections take adapters; gains of norms have no weight decay.
const (
	Embedding Kind = iota
	Gain
	Projection
)

// Tensor is one named part of the flat weight vector, row-major.
type Tensor struct {
	Name       string
	Rows, Cols int // a gain has one row
	Offset     int
	Kind       Kind
}

// Size is the number of elements.
func (t Tensor) Size() int { return t.Rows * t.Cols }

// Of is the tensor's part of a flat vector.
func (t Tensor) Of(flat []float32) []float32 { return flat[t.Offset : t.Offset+t.Size()] }

// Layout lists the tensors in the order of the flat vector. Projections map row vectors: y = x.W, W of in x out; the first
// projection of a layer gives queries, keys and values side by side.
func (c Config) Layout() []Tensor {
	var out []Tensor
	at := 0
	add := func(name string, rows, cols int, kind Kind) {
		out = append(out, Tensor{Name: name, Rows: rows, Cols: cols, Offset: at, Kind: kind})
		at += rows * cols
	}
	add("embed.tokens", c.Vocab, c.Dim, Embedding)
	add("embed.positions", c.Context, c.Dim, Embedding)
	for l := range c.Layers {
		p := fmt.Sprintf("layers.%d.", l)
		add(p+"attn.norm", 1, c.Dim, Gain)
		add(p+"attn.qkv", c.Dim, 3*c.Dim, Projection)
		add(p+"attn.out", c.Dim, c.Dim, Projection)
		add(p+"mlp.norm", 1, c.Dim, Gain)
		add(p+"mlp.up", c.Dim, c.FF, Projection)
		add(p+"mlp.down", c.FF, c.Dim, Projection)
	}
	add("norm", 1, c.Dim, Gain)
	return out
}

// perLayer is the number of tensors of a layer; firstLayer the number before the first one.
const (
	perLayer   = 6
	firstLayer = 2
)

// Size is the number of weights.
func (c Config) Size() int {
	l := c.Layout()
	last := l[len(l)-1]
	return last.Offset + last.Size()
}

// Init draws fresh weights: embeddings and projections normal, scaled so that activations start near unit size; the
// projections that write to the residual stream are smaller by sqrt(2*Layers); gains are 1.
func (c Config) Init(rng *rand.Rand) []float32 {
	w := make([]float32, c.Size())
	for i, t := range c.Layout() {
		std := 0.1
		if t.Kind == Projection {
			std = 1 / math.Sqrt(float64(t.Rows))
			if in := (i - firstLayer) % perLayer; in == 2 || in == 5 {
				std /= math.Sqrt(float64(2 * c.Layers))
			}
		}
		for j := range t.Of(w) {
			if t.Kind == Gain {
				t.Of(w)[j] = 1
			} else {
				t.Of(w)[j] = float32(rng.NormFloat64() * std)
			}
		}
	}
	return w
}
