package policy

import (
	"fmt"

	"llmzero/trainer/grpo/kernel"
	"llmzero/trainer/grpo/team"
)

// Sampling says how completions are drawn.
type Sampling struct {
	Temperature float64 // divides the logits; 0 takes the likeliest token
	TopP        float64 // nucleus: the fewest tokens whose probability reaches it; 1 or 0 for all
	MaxNew      int     // longest completion in tokens, the end token included; cut to what the context leaves
	End         uint8   // the token that ends a completion
	Stream      Stream  // row r draws from Stream.With(r)
}

// Completions are the sampled rows: row r is sample r%n of prompt r/n.
type Completions struct {
	MaxNew int
	Tokens []uint8   // rows x MaxNew
	LogP   []float32 // rows x MaxNew: log-probability at the sampling temperature, before top-p
	Len    []int     // tokens of each row, the end token included
	Ended  []bool    // whether the row drew the end token; one that did not was truncated
}

// Row is the tokens of row r, the end token included.
func (c *Completions) Row(r int) []uint8 { return c.Tokens[r*c.MaxNew : r*c.MaxNew+c.Len[r]] }

// Text is the tokens of row r without the end token.
func (c *Completions) Text(r int) []uint8 {
	row := c.Row(r)
	if c.Ended[r] {
		row = row[:len(row)-1]
	}
	return row
}

func (c *Completions) resize(rows, maxNew int) {
	c.MaxNew = maxNew
	if cap(c.Tokens) < rows*maxNew {
		c.Tokens, c.LogP = make([]uint8, rows*maxNew), make([]float32, rows*maxNew)
	}
	if cap(c.Len) < rows {
		c.Len, c.Ended = make([]int, rows), make([]bool, rows)
	}
	c.Tokens, c.LogP = c.Tokens[:rows*maxNew], c.LogP[:rows*maxNew]
	c.Len, c.Ended = c.Len[:rows], c.Ended[:rows]
}

// Sampler draws completions on a team of workers. A prompt is run once for all its samples and its key/value cache copied;
// rows that have ended leave the batch. A row's bits depend on its prompt, its number and the stream alone.
type Sampler struct {
	net     *Net
	team    *team.Team
	workers []decoder
	job     sampleJob
	do      func(worker, piece int)
}

// sampleJob is the call in progress.
type sampleJob struct {
	out     *Completions
	prompts [][]uint8
	n       int
	o       Sampling
	pieces  int
}

// maxRows bounds the rows that a worker decodes together, and so the size of its caches.
const maxRows = 128

// NewSampler makes a sampler for a net, whose weights may change between calls.
func NewSampler(net *Net, t *team.Team) *Sampler {
	s := &Sampler{net: net, team: t, workers: make([]decoder, t.Size())}
	s.do = func(worker, piece int) {
		j := &s.job
		lo, hi := len(j.prompts)*piece/j.pieces, len(j.prompts)*(piece+1)/j.pieces
		s.workers[worker].run(s.net, j, lo, hi)
	}
	return s
}

// Sample draws n completions of every prompt into out, whose storage is reused. Prompts have at least one token and leave
// room for another; it panics otherwise.
func (s *Sampler) Sample(out *Completions, prompts [][]uint8, n int, o Sampling) {
	room := s.net.Context
	for i, p := range prompts {
		if len(p) < 1 || len(p) >= s.net.Context {
			panic(fmt.Sprintf("policy: prompt %d has %d tokens, want 1 to %d", i, len(p), s.net.Context-1))
		}
		room = min(room, s.net.Context-len(p))
	}
	o.MaxNew = max(1, min(o.MaxNew, room))
	rows := len(prompts) * n
	out.resize(rows, o.MaxNew)
	pieces := max(min(s.team.Size(), len(prompts)), (rows+maxRows-1)/maxRows)
	s.job = sampleJob{out: out, prompts: prompts, n: n, o: o, pieces: min(pieces, len(prompts))}
	s.team.Do(s.job.pieces, s.do)
	s.job = sampleJob{}
}

// decoder is one worker's storage.
type decoder struct {
	batch  Batch
	tape   Tape
	caches []float32 // rows x layers x heads x (HeadDim x ctx keys transposed, ctx x HeadDim values)
	ctx    int       // tokens that a cache has room for
	size   int       // floats of one row's cache
	alive  []int32   // rows not yet ended, as numbers within the piece
	last   []uint8   // the newest token of each row of the piece
	pos    []int     // its position

	x, h, r, qkv, heads, a, act, logits, probs []float32
	p                                          [256]float32
	order                                      [256]uint8
}

// fit makes room for the caches of rows that see at most ctx tokens, and no more: what is small stays near the processor.
func (w *decoder) fit(n *Net, rows, ctx int) {
	w.ctx = pad16(ctx)
	w.size = n.Layers * n.Heads() * 2 * HeadDim * w.ctx
	grow(&w.caches, rows*w.size)
}

// run decodes the samples of prompts [lo, hi).
func (w *decoder) run(n *Net, j *sampleJob, lo, hi int) {
	rows, longest := (hi-lo)*j.n, 0
	for _, p := range j.prompts[lo:hi] {
		longest = max(longest, len(p))
	}
	w.fit(n, rows, longest+j.out.MaxNew)
	w.prefill(n, j, lo, hi)
	w.alive = w.alive[:0]
	if cap(w.last) < rows {
		w.last, w.pos = make([]uint8, rows), make([]int, rows)
	}
	w.last, w.pos = w.last[:rows], w.pos[:rows]
	for i := range rows {
		prompt := j.prompts[lo+i/j.n]
		w.alive = append(w.alive, int32(i))
		w.last[i], w.pos[i] = prompt[len(prompt)-1], len(prompt)-1
		j.out.Len[lo*j.n+i], j.out.Ended[lo*j.n+i] = 0, false
	}
	for len(w.alive) > 0 {
		w.step(n)
		kept := w.alive[:0]
		for i, local := range w.alive {
			row := lo*j.n + int(local)
			if w.draw(w.logits[i*n.Vocab:(i+1)*n.Vocab], j, row, int(local)) {
				kept = append(kept, local)
			}
		}
		w.alive = kept
	}
}

// prefill runs all prompts but their last token, and copies each one's keys and values to the caches of its samples.
func (w *decoder) prefill(n *Net, j *sampleJob, lo, hi int) {
	w.batch.Reset()
	for _, p := range j.prompts[lo:hi] {
		w.batch.Add(p[:len(p)-1], Seq{})
	}
	n.Forward(&w.tape, &w.batch)
	ctx, d, size := w.ctx, n.Dim, w.size
	for i, s := range w.batch.Seqs {
		first := w.caches[i*j.n*size : i*j.n*size+size]
		c := first
		for l := range n.Layers {
			qkv := w.tape.layers[l].qkv
			for head := range n.Heads() {
				kT, v := c[:HeadDim*ctx], c[HeadDim*ctx:2*HeadDim*ctx]
				c = c[2*HeadDim*ctx:]
				for t := range s.Len {
					row := qkv[3*d*(s.Start+t)+head*HeadDim:]
					for k, x := range row[d : d+HeadDim] {
						kT[k*ctx+t] = x
					}
					copy(v[t*HeadDim:t*HeadDim+HeadDim], row[2*d:])
				}
			}
		}
		for k := 1; k < j.n; k++ {
			w.share(w.caches[(i*j.n+k)*size:(i*j.n+k+1)*size], first, s.Len)
		}
	}
}

// share copies the first n tokens of a cache.
func (w *decoder) share(dst, src []float32, n int) {
	part := HeadDim * w.ctx
	for at := 0; at < len(src); at += 2 * part {
		for row := at; row < at+part; row += w.ctx {
			copy(dst[row:row+pad16(n)], src[row:])
		}
		copy(dst[at+part:at+part+n*HeadDim], src[at+part:])
	}
}

// step runs the newest token of every row that is alive and leaves the next token's logits in w.logits.
func (w *decoder) step(n *Net) {
	d, m := n.Dim, len(w.alive)
	x, h, r := grow(&w.x, m*d), grow(&w.h, m*d), grow(&w.r, m)
	for i, local := range w.alive {
		e, p := n.tokens[int(w.last[local])*d:], n.positions[w.pos[local]*d:]
		for j := range d {
			x[i*d+j] = e[j] + p[j]
		}
	}
	qkv, heads := grow(&w.qkv, m*3*d), grow(&w.heads, m*d)
	a, act := grow(&w.a, m*n.FF), grow(&w.act, m*n.FF)
	for l := range n.layers {
		ly := &n.layers[l]
		kernel.RMSNorm(h, r, x, ly.attnNorm)
		kernel.Mul(qkv, 3*d, h, d, 1, m, &ly.qkv, false)
		w.attend(n, l)
		kernel.Mul(x, d, heads, d, 1, m, &ly.out, true)
		kernel.RMSNorm(h, r, x, ly.mlpNorm)
		kernel.Mul(a, n.FF, h, d, 1, m, &ly.up, false)
		kernel.ReLUSquare(act, a)
		kernel.Mul(x, d, act, n.FF, 1, m, &ly.down, true)
	}
	kernel.RMSNorm(h, r, x, n.norm)
	kernel.Mul(grow(&w.logits, m*n.Vocab), n.Vocab, h, d, 1, m, &n.unembed, false)
}

// attend appends the new keys and values to the caches and attends to all of them, one query a row.
func (w *decoder) attend(n *Net, l int) {
	ctx, d, size := w.ctx, n.Dim, w.size
	probs := grow(&w.probs, ctx)
	for i, local := range w.alive {
		at := w.pos[local]
		seen := at + 1
		cache := w.caches[int(local)*size+l*n.Heads()*2*HeadDim*ctx:]
		for head := range n.Heads() {
			kT, v := cache[:HeadDim*ctx], cache[HeadDim*ctx:2*HeadDim*ctx]
			cache = cache[2*HeadDim*ctx:]
			row := w.qkv[3*d*i+head*HeadDim:]
			for k, x := range row[d : d+HeadDim] {
				kT[k*ctx+at] = x
			}
			copy(v[at*HeadDim:at*HeadDim+HeadDim], row[2*d:])
			p := probs[:pad16(seen)]
			kernel.MulRow(p, row[:HeadDim], kT, ctx)
			kernel.SoftmaxRow(p, seen, scale)
			kernel.MulRow(w.heads[d*i+head*HeadDim:][:HeadDim], p[:seen], v, HeadDim)
		}
	}
}

// draw picks the next token of a row from its logits and tells whether the row goes on.
func (w *decoder) draw(logits []float32, j *sampleJob, row, local int) bool {
	out, t := j.out, j.out.Len[row]
	var tok int
	var logp float32
	if j.o.Temperature == 0 {
		tok = argmax(logits)
		p := w.p[:copy(w.p[:], logits)]
		logp = logits[tok] - kernel.Softmax(p, 1)
	} else {
		p := w.p[:copy(w.p[:], logits)]
		inv := float32(1 / j.o.Temperature)
		logz := kernel.Softmax(p, inv)
		u := j.o.Stream.With(uint64(row)).Float32(t)
		if j.o.TopP > 0 && j.o.TopP < 1 {
			tok = w.nucleus(p, float32(j.o.TopP), u)
		} else {
			tok = pick(p, u)
		}
		logp = inv*logits[tok] - logz
	}
	out.Tokens[row*out.MaxNew+t], out.LogP[row*out.MaxNew+t] = uint8(tok), logp
	out.Len[row]++
	w.last[local] = uint8(tok)
	w.pos[local]++
	if uint8(tok) == j.o.End {
		out.Ended[row] = true
		return false
	}
	return out.Len[row] < out.MaxNew
}

func argmax(x []float32) int {
	best := 0
	for i, v := range x {
		if v > x[best] {
			best = i
		}
	}
	return best
}

// pick inverts the distribution at u in [0, 1); rounding at the end goes to the last token that is possible.
func pick(p []float32, u float32) int {
	var sum float32
	last := 0
	for i, v := range p {
		if v > 0 {
			last = i
		}
		if sum += v; u < sum {
			return i
		}
	}
	return last
}

// nucleus draws among the likeliest tokens that together reach topP.
func (w *decoder) nucleus(p []float32, topP, u float32) int {
	order := w.order[:len(p)]
	for i := range order { // insertion sort, stable, falling
		k := i
		for ; k > 0 && p[i] > p[order[k-1]]; k-- {
			order[k] = order[k-1]
		}
		order[k] = uint8(i)
	}
	var mass float32
	kept := 0
	for kept < len(order) && mass < topP {
		mass += p[order[kept]]
		kept++
	}
	u *= mass
	var sum float32
	for _, tok := range order[:kept] {
		if sum += p[tok]; u < sum {
			return int(tok)
		}
	}
	return int(order[kept-1])
}
