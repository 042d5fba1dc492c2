package kernel

import "math"

// Range of Exp's argument; outside it the result is that of the nearer end (about 1e-38 and 2e38).
const (
	expLow  = -87.3
	expHigh = 88.3
)

// Exp is e^x in float32, within 2 units in the last place for -87.3 <= x <= 88.3 and clamped outside. NaN gives NaN. The polynomial
// is that of Cephes' expf. The conversions keep compilers from fusing, so that the bits are the same everywhere.
func Exp(x float32) float32 {
	if x != x {
		return x
	}
	x = min(max(x, expLow), expHigh)
	const magic = 3 << 22 // adding it rounds to a whole number
	n := float32(x*math.Log2E) + magic
	k := int32(math.Float32bits(n)) - int32(math.Float32bits(magic))
	n -= magic
	r := x - float32(n*0.693359375)
	r += float32(n * 2.12194440e-4)
	p := float32(1.9875691500e-4)
	p = float32(p*r) + 1.3981999507e-3
	p = float32(p*r) + 8.3334519073e-3
	p = float32(p*r) + 4.1665795894e-2
	p = float32(p*r) + 1.6666665459e-1
	p = float32(p*r) + 5.0000001201e-1
	p = float32(float32(p*r)*r) + r + 1
	return math.Float32frombits(uint32(int32(math.Float32bits(p)) + k<<23))
}
