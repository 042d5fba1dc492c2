package tree

import (
	"encoding/binary"
	"hash/fnv"
)

// Derive makes a seed from the search's seed, a purpose and numbers, so that every random choice of a search can be made
// again.
func Derive(seed uint64, purpose string, numbers ...int) uint64 {
	h := fnv.New64a()
	b := binary.LittleEndian.AppendUint64(nil, seed)
	b = append(b, purpose...)
	for _, n := range numbers {
		b = binary.LittleEndian.AppendUint64(b, uint64(n))
	}
	_, _ = h.Write(b)
	// FNV mixes its last bytes weakly: finish as SplitMix64 does.
	z := h.Sum64()
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Chance is a number in 0..1 made from a seed.
func Chance(seed uint64) float64 { return float64(seed>>11) / (1 << 53) }
