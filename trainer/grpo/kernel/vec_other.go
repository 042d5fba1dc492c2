//go:build !amd64

package kernel

import "unsafe"

// The vector functions exist on amd64 only; vectors() is false here.
const noAssembly = "kernel: no assembly on this architecture"

func softmax8(unsafe.Pointer, int, float32, unsafe.Pointer)             { panic(noAssembly) }
func softmaxGrad8(_, _ unsafe.Pointer, _, _ int, _ float32)             { panic(noAssembly) }
func rms8(_, _, _, _ unsafe.Pointer, _, _ int, _, _ float32)            { panic(noAssembly) }
func rmsGrad8(_, _, _, _, _, _ unsafe.Pointer, _, _ int, _ float32)     { panic(noAssembly) }
func relu8(_, _ unsafe.Pointer, _ int)                                  { panic(noAssembly) }
func reluGrad8(_, _ unsafe.Pointer, _ int)                              { panic(noAssembly) }
func add8(_, _ unsafe.Pointer, _ int)                                   { panic(noAssembly) }
func adam8(_, _, _, _ unsafe.Pointer, _ int, _ *Adam)                   { panic(noAssembly) }
func row(int, unsafe.Pointer, unsafe.Pointer, int, unsafe.Pointer, int) { panic(noAssembly) }
func transpose8(unsafe.Pointer, int, unsafe.Pointer, int, int)          { panic(noAssembly) }
