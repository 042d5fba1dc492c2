package main

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// interval returns the mean of x, two values or more, and half the width of its 95% t interval.
func interval(x []float64) (mean, half float64) {
	n := float64(len(x))
	mean = average(x)
	var ss float64
	for _, v := range x {
		ss += (v - mean) * (v - mean)
	}
	return mean, distuv.StudentsT{Sigma: 1, Nu: n - 1}.Quantile(0.975) * math.Sqrt(ss/(n-1)/n)
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
