package kernel

import "unsafe"

// detect knows that every arm64 processor has NEON.
func detect() []pathKind { return []pathKind{pathGo, pathNEON} }

//go:noescape
func tile6(k int, a unsafe.Pointer, rs, cs int, b unsafe.Pointer, ldb int, c unsafe.Pointer, ldc, acc, tiles int)

//go:noescape
func tile1(k int, a unsafe.Pointer, rs, cs int, b unsafe.Pointer, ldb int, c unsafe.Pointer, ldc, acc, tiles int)

// tile runs the assembly tile, tiles times down the rows, of 1 or 6 rows. Its callers have checked the bounds.
func tile(rows, tiles int, c []float32, ldc int, a []float32, rs, cs int, b []float32, ldb, k int, acc bool) {
	add := 0
	if acc {
		add = 1
	}
	if rows == 6 {
		tile6(k, pt(a), 4*rs, 4*cs, pt(b), 4*ldb, pt(c), 4*ldc, add, tiles)
		return
	}
	tile1(k, pt(a), 4*rs, 4*cs, pt(b), 4*ldb, pt(c), 4*ldc, add, tiles)
}
