package kernel

import "unsafe"

//go:noescape
func softmax8(x unsafe.Pointer, n int, scale float32, out unsafe.Pointer)

//go:noescape
func softmaxGrad8(ds, p unsafe.Pointer, rows, n int, scale float32)

//go:noescape
func rms8(y, r, x, gain unsafe.Pointer, rows, n int, inv, eps float32)

//go:noescape
func rmsGrad8(dx, dg, dy, x, r, gain unsafe.Pointer, rows, n int, inv float32)

//go:noescape
func relu8(act, a unsafe.Pointer, n int)

//go:noescape
func reluGrad8(d, a unsafe.Pointer, n int)

//go:noescape
func add8(dst, src unsafe.Pointer, n int)

//go:noescape
func adam8(w, grad, m, v unsafe.Pointer, n int, c *Adam)

//go:noescape
func transpose8(dst unsafe.Pointer, ld int, src unsafe.Pointer, stride, blocks int)
