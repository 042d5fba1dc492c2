package grpo

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"llmzero/trainer/grpo/safetensors"
)

// metaDigest is the metadata's key of the digest.
const metaDigest = "sha256"

// bitsOf are numbers as a file keeps them.
func bitsOf(w []float32) []byte {
	b := make([]byte, 0, 4*len(w))
	for _, v := range w {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

// weightsID identifies weights by content.
func weightsID(w []float32) string {
	sum := sha256.Sum256(bitsOf(w))
	return hex.EncodeToString(sum[:8])
}

// digest is over everything that a file says: metadata (without the digest) by key, and names, shapes and bits of the tensors by
// name. It does not depend on how a program lays the file out.
func digest(f *safetensors.File) string {
	h := sha256.New()
	for _, key := range slices.Sorted(maps.Keys(f.Metadata)) {
		if key != metaDigest {
			_, _ = fmt.Fprintf(h, "%q=%q\n", key, f.Metadata[key]) // a hash takes everything
		}
	}
	tensors := slices.SortedFunc(slices.Values(f.Tensors), func(a, b safetensors.Tensor) int { return strings.Compare(a.Name, b.Name) })
	for _, t := range tensors {
		_, _ = fmt.Fprintf(h, "%q %v\n", t.Name, t.Shape)
		_, _ = h.Write(bitsOf(t.Data))
	}
	return hex.EncodeToString(h.Sum(nil))
}
