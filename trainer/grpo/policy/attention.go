package policy

import "llmzero/trainer/grpo/kernel"

// scale is 1/sqrt(HeadDim).
const scale = 0.25

// vec is a head's part of a row.
type vec = [HeadDim]float32

// gather copies one head's keys (part 1) or values (part 2) of the rows that s attends to, prefix first, to dense rows.
func gather(dst []float32, qkv []float32, s Seq, d, head, part int) {
	for i := range s.keys() {
		at := d*(3*s.row(i)+part) + head*HeadDim
		*(*vec)(dst[i*HeadDim:]) = vec(qkv[at:])
	}
}

// gatherT is gather to columns of rows of length ld; columns after the last key become zero.
func gatherT(dst []float32, qkv []float32, s Seq, d, head, part, ld int) {
	keys, at := s.keys(), d*part+head*HeadDim
	kernel.Transpose(dst, ld, qkv[3*d*s.Prefix+at:], 3*d, s.PreLen)
	kernel.Transpose(dst[s.PreLen:], ld, qkv[3*d*s.Start+at:], 3*d, s.Len)
	for j := range HeadDim {
		clear(dst[j*ld+keys : j*ld+ld])
	}
}

// row is the batch row of key i of s.
func (s Seq) row(i int) int {
	if i < s.PreLen {
		return s.Prefix + i
	}
	return s.Start + i - s.PreLen
}

// attend computes causal attention of every head of every sequence from lt.qkv into lt.heads and keeps the weights.
func (n *Net) attend(t *Tape, lt *layerTape) {
	d, a := n.Dim, &t.att
	probs := grow(&lt.probs, n.probsSize(t.batch))
	for _, s := range t.batch.Seqs {
		if s.Len == 0 || s.Start < lt.from {
			continue
		}
		ld := pad16(s.keys())
		for head := range n.Heads() {
			kT, v := grow(&a.t, HeadDim*ld), grow(&a.dense, s.keys()*HeadDim)
			gatherT(kT, lt.qkv, s, d, head, 1, ld)
			gather(v, lt.qkv, s, d, head, 2)
			p := probs[:s.Len*ld]
			probs = probs[s.Len*ld:]
			q := lt.qkv[3*d*s.Start+head*HeadDim:]
			kernel.MulRows(p, ld, q, 3*d, 1, s.Len, kT, ld, HeadDim, ld, false)
			for i := range s.Len {
				kernel.SoftmaxRow(p[i*ld:i*ld+ld], s.PreLen+i+1, scale)
			}
			kernel.MulRows(lt.heads[d*s.Start+head*HeadDim:], d, p, ld, 1, s.Len, v, HeadDim, s.keys(), HeadDim, false)
		}
	}
}

// attendBackward adds the gradients of queries, keys and values to dqkv, which must start at zero, given dheads, the
// gradient of lt.heads.
func (n *Net) attendBackward(t *Tape, lt *layerTape, dqkv, dheads []float32) {
	d, a := n.Dim, &t.att
	probs := lt.probs
	for _, s := range t.batch.Seqs {
		if s.Len == 0 || s.Start < lt.from {
			continue
		}
		keys, ld := s.keys(), pad16(s.keys())
		for head := range n.Heads() {
			vT, k := grow(&a.t, HeadDim*ld), grow(&a.dense, keys*HeadDim)
			gatherT(vT, lt.qkv, s, d, head, 2, ld)
			gather(k, lt.qkv, s, d, head, 1)
			p := probs[:s.Len*ld]
			probs = probs[s.Len*ld:]
			at := d*s.Start + head*HeadDim
			do := dheads[at:]

			// dV = P^T.dO, dP = dO.V^T
			dv := grow(&a.dv, keys*HeadDim)
			kernel.MulRows(dv, HeadDim, p, 1, ld, keys, do, d, s.Len, HeadDim, false)
			ds := grow(&a.ds, s.Len*ld)
			kernel.MulRows(ds, ld, do, d, 1, s.Len, vT, ld, HeadDim, ld, false)
			kernel.SoftmaxGrad(ds, p, s.Len, ld, scale)

			// dQ = dS.K, dK = dS^T.Q
			kernel.MulRows(dqkv[3*d*s.Start+head*HeadDim:], 3*d, ds, ld, 1, s.Len, k, HeadDim, keys, HeadDim, true)
			dk := grow(&a.dk, keys*HeadDim)
			q := lt.qkv[3*d*s.Start+head*HeadDim:]
			kernel.MulRows(dk, HeadDim, ds, 1, ld, keys, q, 3*d, s.Len, HeadDim, false)
			for i := range keys {
				row := dqkv[3*d*s.row(i)+head*HeadDim:]
				kernel.Add(row[d:d+HeadDim], dk[i*HeadDim:])
				kernel.Add(row[2*d:2*d+HeadDim], dv[i*HeadDim:])
			}
		}
	}
}
