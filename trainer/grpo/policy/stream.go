package policy

// Stream is a counter-based random stream: number t of the stream of a key is a pure function of both, so rows can be
// computed in any order and by any worker. It is SplitMix64 (Steele, Lea and Flood, 2014) started at a mixed key.
type Stream uint64

// NewStream makes the stream of a sequence of keys, such as seed, step and row.
func NewStream(keys ...uint64) Stream {
	var s uint64 = 0x2545f4914f6cdd1d
	for _, k := range keys {
		s = mix(s ^ mix(k+0x9e3779b97f4a7c15))
	}
	return Stream(s)
}

// With is the stream of one more key.
func (s Stream) With(key uint64) Stream {
	return Stream(mix(uint64(s) ^ mix(key+0x9e3779b97f4a7c15)))
}

// Float32 is number t of the stream, uniform in [0, 1).
func (s Stream) Float32(t int) float32 {
	return float32(mix(uint64(s)+uint64(t)*0x9e3779b97f4a7c15)>>40) / (1 << 24)
}

func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
