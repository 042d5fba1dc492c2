package kernel

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

type pathKind int

const (
	pathGo pathKind = iota
	pathAVX2
	pathAVX512
)

// maxTile is the largest number of rows of a tile on any path.
const maxTile = 12

var pathNames = [...]string{pathGo: "go", pathAVX2: "avx2", pathAVX512: "avx512"}

// path is set before main, and by Use.
var path = choose(os.Getenv("LLMZERO_KERNEL"))

// Path names the implementation in use: "avx512", "avx2" or "go". Results are the same to the bit on one path only.
func Path() string { return pathNames[path] }

// Paths lists the paths that this CPU has, the slowest first.
func Paths() []string { return pathNames[:detect()+1] }

// Use switches to the path of that name; it must not overlap any other call of the package. It is for comparing paths.
func Use(name string) error {
	i := slices.Index(Paths(), name)
	if i < 0 {
		return fmt.Errorf("kernel path %q: this CPU has %s", name, strings.Join(Paths(), ", "))
	}
	path = pathKind(i)
	return nil
}

func choose(want string) pathKind {
	best := detect()
	for kind := pathGo; kind <= best; kind++ {
		if pathNames[kind] == want {
			return kind
		}
	}
	return best
}

func tileRows() int {
	if path == pathAVX512 {
		return 12
	}
	return 6
}
