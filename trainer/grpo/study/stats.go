package main

import "math"

// t95 is the 97.5% quantile of Student's t for 1 to 9 degrees of freedom (Abramowitz and Stegun, table 26.10).
var t95 = [...]float64{12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262}

// interval returns the mean of x, two to ten values, and half the width of its 95% t interval.
func interval(x []float64) (mean, half float64) {
	n := float64(len(x))
	mean = average(x)
	var ss float64
	for _, v := range x {
		ss += (v - mean) * (v - mean)
	}
	return mean, t95[len(x)-2] * math.Sqrt(ss/(n-1)/n)
}

// average is the mean of x.
func average(x []float64) float64 {
	var sum float64
	for _, v := range x {
		sum += v / float64(len(x))
	}
	return sum
}

// differences pairs two lists by seed.
func differences(a, b []float64) []float64 {
	out := make([]float64, len(a))
	for i := range a {
		out[i] = a[i] - b[i]
	}
	return out
}
