package kernel

import (
	"fmt"
	"math"
)

// NormEps is added to the mean square in RMSNorm.
const NormEps = 1e-5

// SoftmaxRow replaces x[:n] by softmax(scale*x[:n]) and clears the rest of x, whose length must be a multiple of 8. scale must
// be positive and n at least 1.
func SoftmaxRow(x []float32, n int, scale float32) {
	if n < 1 || n > len(x) || len(x)%8 != 0 {
		panic(fmt.Sprintf("kernel: softmax of %d in a row of %d, want a multiple of 8 with room", n, len(x)))
	}
	clear(x[n:])
	softmax(x, n, scale)
}

// Softmax replaces x, of at most 256 elements, by softmax(scale*x), with the bits of [SoftmaxRow], and returns
// log(sum(exp(scale*x))), the log of the partition function; that of nothing is -Inf.
func Softmax(x []float32, scale float32) float32 {
	var top, sum float32
	switch {
	case len(x) == 0:
		return float32(math.Inf(-1))
	case len(x)%8 == 0 || !vectors():
		top, sum = softmax(x, len(x), scale)
	default:
		var room [256]float32
		n := copy(room[:], x)
		top, sum = softmax(room[:], n, scale)
		copy(x, room[:n])
	}
	return scale*top + float32(math.Log(float64(sum)))
}

// softmax returns the largest x[:n] and the sum of the exponentials relative to it. It needs room in x for n rounded up to
// 8, except where it runs in Go.
func softmax(x []float32, n int, scale float32) (top, sum float32) {
	if vectors() {
		var out [2]float32
		softmax8(pt(x), n, scale, pt(out[:]))
		return out[0], out[1]
	}
	x = x[:n]
	top = x[0]
	for _, v := range x[1:] {
		top = max(top, v)
	}
	for i, v := range x {
		e := Exp(float32(scale * (v - top)))
		x[i] = e
		sum += e
	}
	inv := 1 / sum
	for i := range x {
		x[i] *= inv
	}
	return top, sum
}

// SoftmaxGrad turns the gradient ds of softmax's outputs p into that of its inputs before scaling, in place: rows x n, n
// a multiple of 8.
func SoftmaxGrad(ds, p []float32, rows, n int, scale float32) {
	need(rows*n, 8, n, ds, p)
	if rows == 0 || n == 0 {
		return
	}
	if vectors() {
		softmaxGrad8(pt(ds), pt(p), rows, n, scale)
		return
	}
	for i := range rows {
		g, w := ds[i*n:i*n+n], p[i*n:i*n+n]
		var dot float32
		for j, x := range w {
			dot += x * g[j]
		}
		for j, x := range w {
			g[j] = scale * x * (g[j] - dot)
		}
	}
}

// RMSNorm computes y = x*r*g with r = 1/sqrt(mean(x^2)+NormEps) for each of len(r) rows of len(g) elements, a multiple of 16,
// after Zhang and Sennrich (arXiv 1910.07467), and leaves each row's r.
func RMSNorm(y, r, x, g []float32) {
	n, rows := len(g), len(r)
	need(rows*n, 16, n, y, x)
	if rows == 0 {
		return
	}
	if vectors() {
		rms8(pt(y), pt(r), pt(x), pt(g), rows, n, 1/float32(n), NormEps)
		return
	}
	for i := range r {
		row := x[i*n : i*n+n]
		var sum float32
		for _, v := range row {
			sum += v * v
		}
		s := float32(1 / math.Sqrt(float64(sum/float32(n)+NormEps)))
		r[i] = s
		out := y[i*n : i*n+n]
		for j, v := range row {
			out[j] = v * s * g[j]
		}
	}
}

// RMSNormGrad adds the gradient of RMSNorm's input to dx and that of its gain to dg, given the output's gradient dy.
func RMSNormGrad(dx, dg, dy, x, r, g []float32) {
	n, rows := len(g), len(r)
	need(rows*n, 16, n, dx, dy, x)
	need(n, 16, n, dg)
	if rows == 0 {
		return
	}
	if vectors() {
		rmsGrad8(pt(dx), pt(dg), pt(dy), pt(x), pt(r), pt(g), rows, n, 1/float32(n))
		return
	}
	for i, s := range r {
		xr, dr, out := x[i*n:i*n+n], dy[i*n:i*n+n], dx[i*n:i*n+n]
		var dot float32
		for j, v := range xr {
			dot += v * dr[j] * g[j]
		}
		c := s * s * s * dot / float32(n)
		for j, v := range xr {
			y := dr[j] * s
			out[j] += y*g[j] - c*v
			dg[j] += y * v
		}
	}
}

// ReLUSquare replaces a by max(a, 0) and leaves its square in act; the length is a multiple of 8.
func ReLUSquare(act, a []float32) {
	need(len(a), 8, len(a), act)
	if len(a) == 0 {
		return
	}
	if vectors() {
		relu8(pt(act), pt(a), len(a))
		return
	}
	for i, v := range a {
		v = max(v, 0)
		a[i] = v
		act[i] = v * v
	}
}

// ReLUSquareGrad turns the gradient of ReLUSquare's result into that of its argument, in place, given what it left in a.
func ReLUSquareGrad(d, a []float32) {
	need(len(a), 8, len(a), d)
	if len(a) == 0 {
		return
	}
	if vectors() {
		reluGrad8(pt(d), pt(a), len(a))
		return
	}
	for i, v := range a {
		d[i] *= 2 * v
	}
}

// Add adds src to dst, of len(dst) elements.
func Add(dst, src []float32) {
	src = src[:len(dst)]
	i := 0
	if vectors() && len(dst) >= 8 {
		i = len(dst) &^ 7
		add8(pt(dst), pt(src), i)
	}
	for ; i < len(dst); i++ {
		dst[i] += src[i]
	}
}

// Transpose writes the transpose of rows x 16 elements, row i at src[i*stride:], to dst: element (j, i) at dst[j*ld+i].
func Transpose(dst []float32, ld int, src []float32, stride, rows int) {
	if rows == 0 {
		return
	}
	_, _ = dst[(Width-1)*ld+rows-1], src[(rows-1)*stride+Width-1]
	i := 0
	if vectors() && rows >= 8 {
		i = rows &^ 7
		transpose8(pt(dst), 4*ld, pt(src), 4*stride, i/8)
	}
	for ; i < rows; i++ {
		row := (*[Width]float32)(src[i*stride:])
		col := dst[i : i+(Width-1)*ld+1]
		for j, x := range row {
			col[j*ld] = x
		}
	}
}

// Adam holds the constants of one AdamW update; see package optim for their meaning. The assembly relies on the order.
type Adam struct {
	GradScale             float32
	Beta1, C1, Beta2, C2  float32 // C1 = 1-Beta1, C2 = 1-Beta2
	Rate, Root, Eps, Keep float32
}

// Update makes the step m = Beta1*m + C1*g', v = Beta2*v + C2*g'*g', w = Keep*w - Rate*m/(sqrt(v)*Root + Eps), with
// g' = GradScale*g, for every element. No two roundings are fused, so that all paths agree to the bit.
func (c *Adam) Update(w, g, m, v []float32) {
	n := len(w)
	g, m, v = g[:n], m[:n], v[:n]
	i := 0
	if vectors() && n >= 8 {
		i = n &^ 7
		adam8(pt(w), pt(g), pt(m), pt(v), i, c)
	}
	for ; i < n; i++ {
		x := float32(c.GradScale * g[i])
		mi := float32(c.Beta1*m[i]) + float32(c.C1*x)
		vi := float32(c.Beta2*v[i]) + float32(float32(c.C2*x)*x)
		m[i], v[i] = mi, vi
		w[i] = float32(c.Keep*w[i]) - float32(c.Rate*mi)/(float32(float32(math.Sqrt(float64(vi)))*c.Root)+c.Eps)
	}
}

// need panics unless width is a multiple of by and every slice has size elements.
func need(size, by, width int, slices ...[]float32) {
	if width%by != 0 {
		panic(fmt.Sprintf("kernel: a row of %d elements, want a multiple of %d", width, by))
	}
	for _, s := range slices {
		_ = s[:size]
	}
}
