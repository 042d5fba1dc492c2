package kernel

import (
	"runtime"
	"testing"
)

func TestSameBits(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"avx2", "avx512", true},
		{"avx2", "neon", false},
		{"go/amd64", "go/amd64", true},
		{"go/amd64", "go/arm64", false}, // that compiler fuses
		{"go", "go/amd64", true},        // as old records have it
		{"go", "go/arm64", false},
		{"go/amd64", "avx2", false},
	} {
		if SameBits(c.a, c.b) != c.want || SameBits(c.b, c.a) != c.want {
			t.Errorf("%s and %s: same bits is %v", c.a, c.b, !c.want)
		}
	}
}

func TestRecordNamesTheArchitectureOfTheGoPath(t *testing.T) {
	was := path
	defer func() { path = was }()
	for _, name := range Paths() {
		if err := Use(name); err != nil {
			t.Fatal(err)
		}
		want := name
		if name == "go" {
			want = "go/" + runtime.GOARCH
		}
		if got := Record(); got != want || Path() != name {
			t.Errorf("path %s is recorded as %s, want %s", Path(), got, want)
		}
	}
}
