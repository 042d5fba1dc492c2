package policy

import "llmzero/trainer/grpo/kernel"

// gradTape is the backward pass's own storage.
type gradTape struct {
	dx, dh, dout []float32
	dact, dqkv   []float32
	dheads       []float32
	right        kernel.Packed
}

// Backward adds the gradient of a loss to grad, a flat vector laid out as the weights, given the loss's gradient with respect to
// t.Logits of the last Forward (len(Out) x Vocab).
func (n *Net) Backward(t *Tape, dlogits, grad []float32) {
	d, b, g := n.Dim, t.batch, &t.grad
	outs, tens := len(b.Out), n.layout
	// logits = final.tokens^T
	dfinal := grow(&g.dout, outs*d)
	kernel.Mul(dfinal, d, dlogits, n.Vocab, 1, outs, &n.embed, false)
	g.outer(tens[0].Of(grad), dlogits, n.Vocab, t.final, d, outs)

	dx := grow(&g.dx, t.rows*d)
	clear(dx)
	dlast := grow(&g.dh, outs*d)
	clear(dlast)
	kernel.RMSNormGrad(dlast, tens[len(tens)-1].Of(grad), dfinal, t.lastX, t.finalR, n.norm)
	for i, row := range b.Out {
		copy(dx[int(row)*d:int(row)*d+d], dlast[i*d:])
	}
	for i := n.Layers - 1; i >= 0; i-- {
		n.layers[i].backward(n, t, &t.layers[i], grad, tens[firstLayer+i*perLayer:])
	}
	tokens, positions := tens[0].Of(grad), tens[1].Of(grad)
	for i, tok := range b.Tokens {
		row := dx[i*d : i*d+d]
		kernel.Add(tokens[int(tok)*d:int(tok)*d+d], row)
		kernel.Add(positions[int(b.Positions[i])*d:int(b.Positions[i])*d+d], row)
	}
}

// backward turns t.grad.dx, the gradient of the layer's output, into that of its input.
func (l *layer) backward(n *Net, t *Tape, lt *layerTape, grad []float32, tens []Tensor) {
	d, ff, rows, g := n.Dim, n.FF, t.rows, &t.grad
	// x += act.down, act = a^2, a = relu(h2.up), for the rows from lt.from on
	rows -= lt.from
	dx := g.dx[lt.from*d:]
	g.outer(tens[5].Of(grad), lt.act, ff, dx, d, rows)
	dact := grow(&g.dact, rows*ff)
	kernel.Mul(dact, ff, dx, d, 1, rows, &l.dowT, false)
	kernel.ReLUSquareGrad(dact, lt.a)
	g.outer(tens[4].Of(grad), lt.h2, d, dact, ff, rows)
	dh := grow(&g.dh, rows*d)
	kernel.Mul(dh, d, dact, ff, 1, rows, &l.upT, false)
	kernel.RMSNormGrad(dx, tens[3].Of(grad), dh, lt.mid, lt.midR, l.mlpNorm)

	// x += heads.out, heads = attention(qkv), qkv = h1.qkv
	heads := lt.heads[lt.from*d:]
	g.outer(tens[2].Of(grad), heads, d, dx, d, rows)
	rows = t.rows
	dheads := grow(&g.dheads, rows*d)
	kernel.Mul(dheads[lt.from*d:], d, dx, d, 1, rows-lt.from, &l.outT, false)
	dqkv := grow(&g.dqkv, rows*3*d)
	clear(dqkv)
	n.attendBackward(t, lt, dqkv, dheads)
	g.outer(tens[1].Of(grad), lt.h1, d, dqkv, 3*d, rows)
	dh = grow(&g.dh, rows*d)
	kernel.Mul(dh, d, dqkv, 3*d, 1, rows, &l.qkvT, false)
	kernel.RMSNormGrad(g.dx, tens[0].Of(grad), dh, lt.in, lt.inR, l.attnNorm)
}

// outer adds X^T.Y to w: X is rows x in, Y rows x out, w in x out.
func (g *gradTape) outer(w, x []float32, in int, y []float32, out, rows int) {
	g.right.Pack(y, out, 1, rows, out)
	kernel.Mul(w, out, x, 1, in, in, &g.right, true)
}
