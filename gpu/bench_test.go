package gpu

import (
	"context"
	"testing"
)

// BenchmarkReadHost is what the sampler costs a machine without a GPU, once a second.
func BenchmarkReadHost(b *testing.B) {
	var s hostSampler
	for b.Loop() {
		if h := s.ReadHost(context.Background()); h.Err != "" {
			b.Fatal(h.Err)
		}
	}
}

// BenchmarkSnapshot is what a full history of eight GPUs costs its reader.
func BenchmarkSnapshot(b *testing.B) {
	s := New(Options{})
	for range defaultCapacity {
		s.history.push(Reading{Devices: make([]Device, 8)})
	}
	b.ReportAllocs()
	for b.Loop() {
		if len(s.Snapshot().History) != defaultCapacity {
			b.Fatal("not full")
		}
	}
}
