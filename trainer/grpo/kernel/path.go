package kernel

import "os"

type pathKind int

const (
	pathGo pathKind = iota
	pathAVX2
	pathAVX512
)

// maxTile is the largest number of rows of a tile on any path.
const maxTile = 12

var pathNames = [...]string{pathGo: "go", pathAVX2: "avx2", pathAVX512: "avx512"}

// path is set once, before main; only tests change it afterwards.
var path = choose(os.Getenv("LLMZERO_KERNEL"))

// Path names the implementation in use: "avx512", "avx2" or "go". Results are the same to the bit on one path only.
func Path() string { return pathNames[path] }

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
