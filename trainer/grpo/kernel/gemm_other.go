//go:build !amd64 && !arm64

package kernel

func detect() []pathKind { return []pathKind{pathGo} }

// tile exists on amd64 and arm64 only; path never leaves pathGo here.
func tile(int, int, []float32, int, []float32, int, int, []float32, int, int, bool) {
	panic(noAssembly)
}
