package chart

// Smooth is the exponential moving average of ys with weight a (0..1] for each new value, corrected for its start as Adam's
// moments are, so that the first values are not drawn towards 0.
func Smooth(ys []float64, a float64) []float64 {
	out := make([]float64, len(ys))
	sum, weight := 0.0, 0.0
	for i, y := range ys {
		if bad(y) {
			out[i] = y
			continue
		}
		sum, weight = sum*(1-a)+y*a, weight*(1-a)+a
		out[i] = sum / weight
	}
	return out
}
