package kernel

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

// detect lists the paths of this CPU, the slowest first.
func detect() []pathKind {
	paths := []pathKind{pathGo}
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		paths = append(paths, pathAVX2)
		if cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512BW {
			paths = append(paths, pathAVX512)
		}
	}
	return paths
}

// The tiles compute rows x 16 elements of C from k terms; strides are in bytes. With acc the old C is added last.

//go:noescape
func tile6(k int, a unsafe.Pointer, rs, cs int, b unsafe.Pointer, ldb int, c unsafe.Pointer, ldc, acc, tiles int)

//go:noescape
func tile1(k int, a unsafe.Pointer, rs, cs int, b unsafe.Pointer, ldb int, c unsafe.Pointer, ldc, acc, tiles int)

//go:noescape
func tile12(k int, a unsafe.Pointer, rs, cs int, b unsafe.Pointer, ldb int, c unsafe.Pointer, ldc, acc, tiles int)

// tile runs the assembly tile, tiles times down the rows, of 1, 6 or 12 rows. Its callers have checked the bounds.
func tile(rows, tiles int, c []float32, ldc int, a []float32, rs, cs int, b []float32, ldb, k int, acc bool) {
	add := 0
	if acc {
		add = 1
	}
	pa, pb, pc := pt(a), pt(b), pt(c)
	switch rows {
	case 12:
		tile12(k, pa, 4*rs, 4*cs, pb, 4*ldb, pc, 4*ldc, add, tiles)
	case 6:
		tile6(k, pa, 4*rs, 4*cs, pb, 4*ldb, pc, 4*ldc, add, tiles)
	default:
		tile1(k, pa, 4*rs, 4*cs, pb, 4*ldb, pc, 4*ldc, add, tiles)
	}
}

//go:noescape
func row(k int, a, b unsafe.Pointer, ldb int, c unsafe.Pointer, panels int)
