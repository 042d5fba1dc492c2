package kernel

import "fmt"

// Width is the number of columns of a packed panel and of every tile: one cache line of float32.
const Width = 16

// Block is the number of terms of a product summed in one go; a panel of Block rows stays in the first-level cache.
const Block = 256

// Packed is a right operand B of K x N cut into panels of [Width] columns, each stored row after row and padded with zeros,
// so that a tile reads it in order. The zero value is empty; its storage grows once and is reused.
type Packed struct {
	K, N int
	data []float32
}

// panel returns the panel of columns [Width*i, Width*(i+1)), rows from k0 on.
func (p *Packed) panel(i, k0 int) []float32 { return p.data[(i*p.K+k0)*Width : (i+1)*p.K*Width] }

// Pack copies the k x n matrix whose element (i, j) is b[i*rs+j*cs] into p.
func (p *Packed) Pack(b []float32, rs, cs, k, n int) {
	panels := (n + Width - 1) / Width
	size := panels * k * Width
	if cap(p.data) < size {
		p.data = make([]float32, size)
	}
	p.data, p.K, p.N = p.data[:size], k, n
	for q := range panels {
		j0 := q * Width
		w := min(Width, n-j0)
		dst := p.data[q*k*Width:]
		for i := range k {
			row := dst[i*Width : i*Width+Width]
			if cs == 1 {
				copy(row[:w], b[i*rs+j0:])
			} else {
				at := i*rs + j0*cs
				for j := range w {
					row[j] = b[at]
					at += cs
				}
			}
			clear(row[w:])
		}
	}
}

// Mul computes C = A.B, or C += A.B when acc is set. A has m rows and b.K columns, element (i, p) at a[i*rs+p*cs]; C has
// m rows and b.N columns, row i at c[i*ldc:]. A call that reads or writes outside the slices panics before it starts.
func Mul(c []float32, ldc int, a []float32, rs, cs, m int, b *Packed, acc bool) {
	k, n := b.K, b.N
	if m == 0 || n == 0 {
		return
	}
	check(c, ldc, a, rs, cs, m, n, k)
	if k == 0 {
		zero(c, ldc, m, n, acc)
		return
	}
	for k0 := 0; k0 < k; k0 += Block {
		kb := min(Block, k-k0)
		more := acc || k0 > 0
		for q := 0; q*Width < n; q++ {
			j0 := q * Width
			columns(c[j0:], ldc, a[k0*cs:], rs, cs, m, b.panel(q, k0), Width, min(Width, n-j0), kb, more)
		}
	}
}

// MulRows is [Mul] with an unpacked B: k x n, row p at b[p*ldb:]. n must be a multiple of [Width]. It is for
// operands that are used once, where packing would cost more than it saves.
func MulRows(c []float32, ldc int, a []float32, rs, cs, m int, b []float32, ldb, k, n int, acc bool) {
	if m == 0 || n == 0 {
		return
	}
	if n%Width != 0 {
		panic(fmt.Sprintf("kernel: MulRows of %d columns, want a multiple of %d", n, Width))
	}
	check(c, ldc, a, rs, cs, m, n, k)
	if k == 0 {
		zero(c, ldc, m, n, acc)
		return
	}
	_ = b[(k-1)*ldb+n-1]
	for k0 := 0; k0 < k; k0 += Block {
		kb := min(Block, k-k0)
		for j0 := 0; j0 < n; j0 += Width {
			columns(c[j0:], ldc, a[k0*cs:], rs, cs, m, b[k0*ldb+j0:], ldb, Width, kb, acc || k0 > 0)
		}
	}
}

// MulRow is [MulRows] for one dense row of A, of k = len(a) elements from 1 to [Block], and n = len(c): the products of
// attention with one query.
func MulRow(c, a, b []float32, ldb int) {
	k, n := len(a), len(c)
	if !vectors() || k == 0 || k > Block || n == 0 {
		MulRows(c, n, a, k, 1, 1, b, ldb, k, n, false)
		return
	}
	if n%Width != 0 || ldb < 0 {
		panic(fmt.Sprintf("kernel: MulRow of %d columns, want a multiple of %d", n, Width))
	}
	_ = b[(k-1)*ldb+n-1]
	row(k, pt(a), pt(b), 4*ldb, pt(c), n/Width)
}

func check(c []float32, ldc int, a []float32, rs, cs, m, n, k int) {
	if rs < 0 || cs < 0 || ldc < 0 {
		panic("kernel: negative stride")
	}
	_ = c[(m-1)*ldc+n-1]
	if k > 0 {
		_ = a[(m-1)*rs+(k-1)*cs]
	}
}

func zero(c []float32, ldc, m, n int, acc bool) {
	if acc {
		return
	}
	for i := range m {
		clear(c[i*ldc : i*ldc+n])
	}
}

// columns runs one panel: w <= Width columns of C, all m rows. Whole tiles write to C directly. So does a last tile that
// is moved up to overlap its predecessor, unless it would add twice; single rows would leave the multipliers waiting.
func columns(c []float32, ldc int, a []float32, rs, cs, m int, b []float32, ldb, w, k int, acc bool) {
	if path == pathGo {
		columnsGo(c, ldc, a, rs, cs, m, b, ldb, w, k, acc)
		return
	}
	rows, i := tileRows(), 0
	if m < rows {
		rows = 6
	}
	if n := m / rows; n > 0 && w == Width {
		tile(rows, n, c, ldc, a, rs, cs, b, ldb, k, acc)
		i = n * rows
	}
	switch rest := m - i; {
	case rest == 0:
	case w < Width:
		edge(c, ldc, a, rs, cs, m, b, ldb, w, k, acc, 0)
	case rest == 1 || m < rows:
		tile(1, rest, c[i*ldc:], ldc, a[i*rs:], rs, cs, b, ldb, k, acc)
	case rest == 6:
		tile(6, 1, c[i*ldc:], ldc, a[i*rs:], rs, cs, b, ldb, k, acc)
	case acc:
		edge(c, ldc, a, rs, cs, m, b, ldb, w, k, acc, i)
	default:
		at := m - rows
		tile(rows, 1, c[at*ldc:], ldc, a[at*rs:], rs, cs, b, ldb, k, false)
	}
}

// edge computes rows i..m-1 through a scratch tile: for panels with fewer columns, and for the last rows of a sum.
func edge(c []float32, ldc int, a []float32, rs, cs, m int, b []float32, ldb, w, k int, acc bool, i int) {
	var scratch [maxTile * Width]float32
	for i < m {
		rows := tileRows()
		if m < rows || m-i <= 6 {
			rows = 6
		}
		if m < rows {
			rows = 1
		}
		step := min(rows, m-i)
		at := i + step - rows
		tile(rows, 1, scratch[:], Width, a[at*rs:], rs, cs, b, ldb, k, false)
		put(c[i*ldc:], ldc, scratch[(rows-step)*Width:], step, w, acc)
		i += step
	}
}

// put copies, or adds, rows x w elements of a scratch tile to C.
func put(c []float32, ldc int, scratch []float32, rows, w int, acc bool) {
	for r := range rows {
		dst, src := c[r*ldc:r*ldc+w], scratch[r*Width:r*Width+w]
		if !acc {
			copy(dst, src)
			continue
		}
		for j, v := range src {
			dst[j] += v
		}
	}
}

// columnsGo is the portable path. Four columns of two rows at a time fit the registers of every architecture.
func columnsGo(c []float32, ldc int, a []float32, rs, cs, m int, b []float32, ldb, w, k int, acc bool) {
	var sum [2 * Width]float32
	for i := 0; i < m; i += 2 {
		two := min(2, m-i)
		a0 := a[i*rs:]
		a1 := a0[(two-1)*rs:]
		j := 0
		for ; j+4 <= w; j += 4 {
			var s00, s01, s02, s03, s10, s11, s12, s13 float32
			at, bt := 0, j
			for range k {
				x, y := a0[at], a1[at]
				r := b[bt : bt+4 : bt+4]
				s00 += x * r[0]
				s01 += x * r[1]
				s02 += x * r[2]
				s03 += x * r[3]
				s10 += y * r[0]
				s11 += y * r[1]
				s12 += y * r[2]
				s13 += y * r[3]
				at += cs
				bt += ldb
			}
			sum[j], sum[j+1], sum[j+2], sum[j+3] = s00, s01, s02, s03
			sum[Width+j], sum[Width+j+1], sum[Width+j+2], sum[Width+j+3] = s10, s11, s12, s13
		}
		for ; j < w; j++ {
			var s0, s1 float32
			for p := range k {
				s0 += a0[p*cs] * b[p*ldb+j]
				s1 += a1[p*cs] * b[p*ldb+j]
			}
			sum[j], sum[Width+j] = s0, s1
		}
		put(c[i*ldc:], ldc, sum[:], two, w, acc)
	}
}
