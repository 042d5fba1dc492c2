package policy

import "llmzero/trainer/grpo/kernel"

// Tape holds the activations of one forward pass, which the backward pass reads. Its storage grows once and is reused; a
// tape belongs to one goroutine at a time.
type Tape struct {
	// Logits are the outputs, len(Batch.Out) x Vocab. A loss may overwrite them.
	Logits []float32

	batch  *Batch
	rows   int
	layers []layerTape
	x      []float32 // residual stream, rows x Dim; after the forward pass its last value
	final  []float32 // final norm of the output rows, outs x Dim
	finalR []float32 // its reciprocal root mean squares
	lastX  []float32 // the residual stream at the output rows
	att    scratch
	grad   gradTape
}

// layerTape is what the backward pass of one layer needs; rows x the width named, mid, midR, h2, a and act from row from on.
type layerTape struct {
	from      int       // rows before this one give keys and values to others, but nothing reads what the layer makes of them
	in, mid   []float32 // Dim: residual stream before attention and before the MLP
	inR, midR []float32 // 1: reciprocal root mean squares
	h1, h2    []float32 // Dim: normalised inputs
	qkv       []float32 // 3*Dim
	probs     []float32 // attention weights, for each sequence heads x Len x padded keys
	heads     []float32 // Dim: attention output before its projection
	a, act    []float32 // FF: relu(up) and its square
}

// scratch is the attention of one head of one sequence: keys or values, transposed and dense, and the gradients of the
// scores, keys and values.
type scratch struct {
	t, dense   []float32
	ds, dk, dv []float32
}

func grow(p *[]float32, n int) []float32 {
	if cap(*p) < n {
		*p = make([]float32, n+n/4)
	}
	*p = (*p)[:n]
	return *p
}

func pad16(n int) int { return (n + 15) &^ 15 }

// probsSize is the room that a batch's attention weights take in one layer.
func (n *Net) probsSize(b *Batch) int {
	size := 0
	for _, s := range b.Seqs {
		size += n.Heads() * s.Len * pad16(s.keys())
	}
	return size
}

// Forward runs the net over b and leaves the logits of its output rows in t.Logits. b must stay unchanged until the
// backward pass is done. Tokens must be below Vocab and sequences no longer than Context, or it panics.
func (n *Net) Forward(t *Tape, b *Batch) {
	t.batch, t.rows = b, len(b.Tokens)
	d, rows := n.Dim, t.rows
	if len(t.layers) != n.Layers {
		t.layers = make([]layerTape, n.Layers)
	}
	x := grow(&t.x, rows*d)
	for i, tok := range b.Tokens {
		e, p := n.tokens[int(tok)*d:int(tok)*d+d], n.positions[int(b.Positions[i])*d:]
		for j, v := range e {
			x[i*d+j] = v + p[j]
		}
	}
	for i := range n.layers {
		t.layers[i].from = 0
		if i == n.Layers-1 {
			t.layers[i].from = b.live()
		}
		n.layers[i].forward(n, t, &t.layers[i])
	}
	outs := len(b.Out)
	last, final, r := grow(&t.lastX, outs*d), grow(&t.final, outs*d), grow(&t.finalR, outs)
	for i, row := range b.Out {
		copy(last[i*d:i*d+d], x[int(row)*d:])
	}
	kernel.RMSNorm(final, r, last, n.norm)
	kernel.Mul(grow(&t.Logits, outs*n.Vocab), n.Vocab, final, d, 1, outs, &n.unembed, false)
}

func (l *layer) forward(n *Net, t *Tape, lt *layerTape) {
	d, ff, rows := n.Dim, n.FF, t.rows
	copy(grow(&lt.in, rows*d), t.x)
	kernel.RMSNorm(grow(&lt.h1, rows*d), grow(&lt.inR, rows), t.x, l.attnNorm)
	kernel.Mul(grow(&lt.qkv, rows*3*d), 3*d, lt.h1, d, 1, rows, &l.qkv, false)
	grow(&lt.heads, rows*d)
	n.attend(t, lt)
	x := t.x[lt.from*d:]
	rows -= lt.from
	kernel.Mul(x, d, lt.heads[lt.from*d:], d, 1, rows, &l.out, true)

	copy(grow(&lt.mid, rows*d), x)
	kernel.RMSNorm(grow(&lt.h2, rows*d), grow(&lt.midR, rows), x, l.mlpNorm)
	kernel.Mul(grow(&lt.a, rows*ff), ff, lt.h2, d, 1, rows, &l.up, false)
	kernel.ReLUSquare(grow(&lt.act, rows*ff), lt.a)
	kernel.Mul(x, d, lt.act, ff, 1, rows, &l.down, true)
}
