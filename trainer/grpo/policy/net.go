package policy

import "llmzero/trainer/grpo/kernel"

// Net is a policy ready to run: views of the flat weights and their projections packed for the kernel in both orientations.
// Any number of goroutines may run it at once; Load must not overlap them.
type Net struct {
	Config
	tokens, positions []float32 // Vocab x Dim, Context x Dim
	norm              []float32
	layers            []layer
	unembed           kernel.Packed // Dim x Vocab: tokens transposed
	embed             kernel.Packed // Vocab x Dim
	layout            []Tensor
}

// layer holds one block's weights; the T versions are transposed, for the backward pass.
type layer struct {
	attnNorm, mlpNorm     []float32
	qkv, out, up, down    kernel.Packed
	qkvT, outT, upT, dowT kernel.Packed
}

// NewNet makes a net of the given shape, which must be valid, with no weights yet.
func NewNet(c Config) *Net {
	return &Net{Config: c, layers: make([]layer, c.Layers), layout: c.Layout()}
}

// Load takes the weights of a flat vector. It keeps no reference to projections, but reads embeddings and gains in place.
func (n *Net) Load(w []float32) {
	t := n.layout
	n.tokens, n.positions = t[0].Of(w), t[1].Of(w)
	n.unembed.Pack(n.tokens, 1, n.Dim, n.Dim, n.Vocab)
	n.embed.Pack(n.tokens, n.Dim, 1, n.Vocab, n.Dim)
	for i := range n.layers {
		l, t := &n.layers[i], t[firstLayer+i*perLayer:]
		l.attnNorm, l.mlpNorm = t[0].Of(w), t[3].Of(w)
		pack(&l.qkv, &l.qkvT, t[1], w)
		pack(&l.out, &l.outT, t[2], w)
		pack(&l.up, &l.upT, t[4], w)
		pack(&l.down, &l.dowT, t[5], w)
	}
	n.norm = t[len(t)-1].Of(w)
}

func pack(p, transposed *kernel.Packed, t Tensor, w []float32) {
	p.Pack(t.Of(w), t.Cols, 1, t.Rows, t.Cols)
	transposed.Pack(t.Of(w), 1, t.Cols, t.Cols, t.Rows)
}

// Batch is a packed batch: row i is token Tokens[i] at position Positions[i]. The rows of a sequence follow each other. Out
// lists the rows whose logits are wanted, rising.
type Batch struct {
	Tokens    []uint8
	Positions []uint8
	Seqs      []Seq
	Out       []int32
}

// Seq is a run of rows that attend to each other causally, and to all rows of a prefix that lies before it in the batch.
type Seq struct {
	Start, Len     int
	Prefix, PreLen int
}

// keys is the number of rows that the last row of s attends to.
func (s Seq) keys() int { return s.PreLen + s.Len }

// live is the first row of the first sequence with an output: of rows before it, the last layer needs keys and values only.
// Prompts that others continue should therefore come before all outputs.
func (b *Batch) live() int {
	if len(b.Out) == 0 {
		return len(b.Tokens)
	}
	start := 0
	for _, s := range b.Seqs {
		if s.Start > int(b.Out[0]) {
			break
		}
		start = s.Start
	}
	return start
}

// Reset empties b and keeps its storage.
func (b *Batch) Reset() {
	b.Tokens, b.Positions, b.Seqs, b.Out = b.Tokens[:0], b.Positions[:0], b.Seqs[:0], b.Out[:0]
}

// Add appends a sequence that continues the rows of prefix (an empty Seq for none) and returns it. Its positions go on
// from the prefix's length.
func (b *Batch) Add(tokens []uint8, prefix Seq) Seq {
	s := Seq{Start: len(b.Tokens), Len: len(tokens), Prefix: prefix.Start, PreLen: prefix.Len}
	b.Tokens = append(b.Tokens, tokens...)
	for i := range tokens {
		b.Positions = append(b.Positions, uint8(prefix.Len+i))
	}
	b.Seqs = append(b.Seqs, s)
	return s
}

// Continue is Add for first followed by rest.
func (b *Batch) Continue(first uint8, rest []uint8, prefix Seq) Seq {
	s := Seq{Start: len(b.Tokens), Len: 1 + len(rest), Prefix: prefix.Start, PreLen: prefix.Len}
	b.Tokens = append(append(b.Tokens, first), rest...)
	for i := range s.Len {
		b.Positions = append(b.Positions, uint8(prefix.Len+i))
	}
	b.Seqs = append(b.Seqs, s)
	return s
}

// Want marks rows [from, to) as outputs; calls must come in rising order.
func (b *Batch) Want(from, to int) {
	for i := from; i < to; i++ {
		b.Out = append(b.Out, int32(i))
	}
}
