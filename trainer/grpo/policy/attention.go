package policy

import "llmzero/trainer/grpo/kernel"

// scale is 1/sqrt(HeadDim).
const scale = 0.25

// gather copies the keys and values of one head of one sequence, prefix first, to dense rows of HeadDim, and the keys'
// transpose with rows of ld.
func (a *scratch) gather(qkv []float32, s Seq, d, head, ld int) {
	keys := s.keys()
	kT, k, v := grow(&a.kT, HeadDim*ld), grow(&a.k, keys*HeadDim), grow(&a.v, keys*HeadDim)
	for i := range keys {
		row := qkv[3*d*s.row(i)+head*HeadDim:]
		copy(k[i*HeadDim:i*HeadDim+HeadDim], row[d:])
		copy(v[i*HeadDim:i*HeadDim+HeadDim], row[2*d:])
		for j, x := range k[i*HeadDim : i*HeadDim+HeadDim] {
			kT[j*ld+i] = x
		}
	}
	for j := range HeadDim {
		clear(kT[j*ld+keys : j*ld+ld])
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
	d := n.Dim
	probs := grow(&lt.probs, n.probsSize(t.batch))
	for _, s := range t.batch.Seqs {
		if s.Len == 0 {
			continue
		}
		ld := pad16(s.keys())
		for head := range n.Heads() {
			t.att.gather(lt.qkv, s, d, head, ld)
			p := probs[:s.Len*ld]
			probs = probs[s.Len*ld:]
			q := lt.qkv[3*d*s.Start+head*HeadDim:]
			kernel.MulRows(p, ld, q, 3*d, 1, s.Len, t.att.kT, ld, HeadDim, ld, false)
			for i := range s.Len {
				kernel.SoftmaxRow(p[i*ld:i*ld+ld], s.PreLen+i+1, scale)
			}
			kernel.MulRows(lt.heads[d*s.Start+head*HeadDim:], d, p, ld, 1, s.Len, t.att.v, HeadDim, s.keys(), HeadDim, false)
		}
	}
}

// attendBackward adds the gradients of queries, keys and values to dqkv, which must start at zero, given dheads, the
// gradient of lt.heads.
func (n *Net) attendBackward(t *Tape, lt *layerTape, dqkv, dheads []float32) {
	d, a := n.Dim, &t.att
	probs := lt.probs
	for _, s := range t.batch.Seqs {
		if s.Len == 0 {
			continue
		}
		keys, ld := s.keys(), pad16(s.keys())
		for head := range n.Heads() {
			a.gather(lt.qkv, s, d, head, ld)
			p := probs[:s.Len*ld]
			probs = probs[s.Len*ld:]
			at := d*s.Start + head*HeadDim
			do := dheads[at:]

			// dV = P^T.dO, dP = dO.V^T
			dv := grow(&a.dv, keys*HeadDim)
			kernel.MulRows(dv, HeadDim, p, 1, ld, keys, do, d, s.Len, HeadDim, false)
			vT := a.kT // the keys' transpose is not needed any more
			for i := range keys {
				for j, x := range a.v[i*HeadDim : i*HeadDim+HeadDim] {
					vT[j*ld+i] = x
				}
			}
			ds := grow(&a.ds, s.Len*ld)
			kernel.MulRows(ds, ld, do, d, 1, s.Len, vT, ld, HeadDim, ld, false)
			kernel.SoftmaxGrad(ds, p, s.Len, ld, scale)

			// dQ = dS.K, dK = dS^T.Q
			kernel.MulRows(dqkv[3*d*s.Start+head*HeadDim:], 3*d, ds, ld, 1, s.Len, a.k, HeadDim, keys, HeadDim, true)
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
