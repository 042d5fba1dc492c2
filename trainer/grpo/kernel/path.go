package kernel

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"unsafe"
)

type pathKind int

const (
	pathGo pathKind = iota
	pathNEON
	pathAVX2
	pathAVX512
)

// maxTile is the largest number of rows of a tile on any path.
const maxTile = 12

var pathNames = [...]string{pathGo: "go", pathNEON: "neon", pathAVX2: "avx2", pathAVX512: "avx512"}

// path is set before main, and by Use.
var path = choose(os.Getenv("LLMZERO_KERNEL"))

// Path names the implementation in use: "avx512", "avx2", "neon" or "go".
func Path() string { return pathNames[path] }

// Paths lists the paths that this CPU has, the slowest first.
func Paths() []string {
	var names []string
	for _, kind := range detect() {
		names = append(names, pathNames[kind])
	}
	return names
}

// Record names the path in use for a record: the Go path with its architecture, for compilers fuse roundings on some and not on
// others.
func Record() string {
	if path == pathGo {
		return goOn(runtime.GOARCH)
	}
	return Path()
}

func goOn(arch string) string { return pathNames[pathGo] + "/" + arch }

// SameBits tells whether two paths, as recorded, give the same bits. "go" alone, as old records have it, is that of amd64, where
// it is a matter of choice.
func SameBits(a, b string) bool {
	for _, p := range []*string{&a, &b} {
		if *p == pathNames[pathGo] {
			*p = goOn("amd64")
		}
	}
	avx := func(name string) bool { return name == pathNames[pathAVX2] || name == pathNames[pathAVX512] }
	return a == b || avx(a) && avx(b)
}

// Use switches to the path of that name; it must not overlap any other call of the package. It is for comparing paths.
func Use(name string) error {
	i := slices.Index(Paths(), name)
	if i < 0 {
		return fmt.Errorf("kernel path %q: this CPU has %s", name, strings.Join(Paths(), ", "))
	}
	path = detect()[i]
	return nil
}

// choose is the wanted path, or the fastest when there is none of that name.
func choose(want string) pathKind {
	paths := detect()
	if i := slices.Index(Paths(), want); i >= 0 {
		return paths[i]
	}
	return paths[len(paths)-1]
}

func tileRows() int {
	if path == pathAVX512 {
		return 12
	}
	return 6
}

// vectors tells whether the functions of vec.go run in assembly.
func vectors() bool { return path >= pathAVX2 }

func pt(x []float32) unsafe.Pointer { return unsafe.Pointer(&x[0]) }
