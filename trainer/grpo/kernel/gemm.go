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

// columns runs one panel: w <= Width columns of C, all m rows. The tiles of assembly are whole, so a last tile with
// fewer rows is moved up to overlap its predecessor and goes through a scratch tile, as does a panel with fewer columns.
func columns(c []float32, ldc int, a []float32, rs, cs, m int, b []float32, ldb, w, k int, acc bool) {
	if path == pathGo {
		columnsGo(c, ldc, a, rs, cs, m, b, ldb, w, k, acc)
		return
	}
	rows := tileRows()
	i := 0
	if w == Width {
		for ; i+rows <= m; i += rows {
			tile(rows, c[i*ldc:], ldc, a[i*rs:], rs, cs, b, ldb, k, acc)
		}
	}
	if i == m {
		return
	}
	var scratch [maxTile * Width]float32
	for i < m {
		step := min(rows, m-i)
		switch {
		case step == 1, m < rows && step < 6:
			step = 1
			tile(1, scratch[:], Width, a[i*rs:], rs, cs, b, ldb, k, false)
			put(c[i*ldc:], ldc, scratch[:], 1, w, acc)
		case m < rows: // 6 <= m < 12 on avx512
			step = 6
			tile(6, scratch[:], Width, a[i*rs:], rs, cs, b, ldb, k, false)
			put(c[i*ldc:], ldc, scratch[:], step, w, acc)
		default:
			at := i + step - rows
			tile(rows, scratch[:], Width, a[at*rs:], rs, cs, b, ldb, k, false)
			put(c[i*ldc:], ldc, scratch[(rows-step)*Width:], step, w, acc)
		}
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

// columnsGo is the portable path: four rows at a time keep the panel's row in registers' reach.
func columnsGo(c []float32, ldc int, a []float32, rs, cs, m int, b []float32, ldb, w, k int, acc bool) {
	var sum [Width]float32
	for i := range m {
		clear(sum[:])
		at, bt := i*rs, 0
		if w == Width {
			for range k {
				x := a[at]
				row := b[bt : bt+Width : bt+Width]
				for j := range sum {
					sum[j] += x * row[j]
				}
				at += cs
				bt += ldb
			}
		} else {
			for range k {
				x := a[at]
				row := b[bt : bt+w]
				for j, v := range row {
					sum[j] += x * v
				}
				at += cs
				bt += ldb
			}
		}
		put(c[i*ldc:], ldc, sum[:], 1, w, acc)
	}
}
