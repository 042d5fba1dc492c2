// Package curve reads metric series: windowed statistics, the noise of a point and where a series moved. The rules take
// their evidence from it and the prompts their tables, so that both say the same numbers.
package curve

import (
	"math"
	"slices"

	"llmzero/engine/tree"
)

// Series is one metric over the steps of a segment. Points where it was not measured or not finite are left out.
type Series struct {
	Metric string
	Steps  []int // ascending
	Values []float64
}

// Of extracts a metric from points in step order.
func Of(points []tree.Point, metric string) Series {
	s := Series{Metric: metric}
	for _, p := range points {
		if v, ok := p.Values[metric]; ok && finite(v) {
			s.Steps, s.Values = append(s.Steps, p.Step), append(s.Values, v)
		}
	}
	return s
}

// Broken finds the first value that is NaN or infinite, in the order of steps and then of names.
func Broken(points []tree.Point) (metric string, step int, ok bool) {
	for _, p := range points {
		for _, m := range Metrics([]tree.Point{p}) {
			if !finite(p.Values[m]) {
				return m, p.Step, true
			}
		}
	}
	return "", 0, false
}

// known are the metrics that readers care about, in the order in which they are told.
var known = []string{
	tree.MetricReward, tree.MetricRewardStd, tree.MetricZeroStd, tree.MetricAllRight, tree.MetricAllWrong,
	tree.MetricEntropy, tree.MetricKL, tree.MetricClip, tree.MetricLength, tree.MetricTruncated, tree.MetricGradNorm,
	tree.MetricLoss, tree.MetricLearningRate, tree.MetricTokens, tree.MetricValidation,
}

// Metrics names the metrics that occur in points: the known ones in their order, then the others by name.
func Metrics(points []tree.Point) []string {
	seen := map[string]bool{}
	for _, p := range points {
		for m := range p.Values {
			seen[m] = true
		}
	}
	var out, rest []string
	for _, m := range known {
		if seen[m] {
			out = append(out, m)
			delete(seen, m)
		}
	}
	for m := range seen {
		rest = append(rest, m)
	}
	slices.Sort(rest)
	return append(out, rest...)
}

// Len is the number of points.
func (s Series) Len() int { return len(s.Values) }

// Stat describes a window of a series.
type Stat struct {
	FromStep, ToStep   int
	Mean, SD, Min, Max float64
	N                  int
}

// Window describes the points between the shares lo and hi (0..1) of the series, at least one point of it. The zero Stat
// stands for an empty series.
func (s Series) Window(lo, hi float64) Stat {
	n := s.Len()
	if n == 0 {
		return Stat{}
	}
	i := min(n-1, max(0, int(math.Floor(lo*float64(n)))))
	j := min(n, max(i+1, int(math.Ceil(hi*float64(n)))))
	v := s.Values[i:j]
	st := Stat{FromStep: s.Steps[i], ToStep: s.Steps[j-1], Min: v[0], Max: v[0], N: len(v)}
	for _, x := range v {
		st.Mean += x / float64(len(v))
		st.Min, st.Max = min(st.Min, x), max(st.Max, x)
	}
	for _, x := range v {
		st.SD += (x - st.Mean) * (x - st.Mean)
	}
	st.SD = math.Sqrt(st.SD / float64(len(v)))
	return st
}

// Head is the first quarter of the series.
func (s Series) Head() Stat { return s.Window(0, 0.25) }

// Tail is the last quarter of the series.
func (s Series) Tail() Stat { return s.Window(0.75, 1) }

// Median is the median value; 0 for an empty series.
func (s Series) Median() float64 {
	if s.Len() == 0 {
		return 0
	}
	v := slices.Sorted(slices.Values(s.Values))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// Noise is the standard deviation of a single point around the trend, from the differences of neighbours, which a trend
// hardly moves (von Neumann 1941).
func (s Series) Noise() float64 {
	if s.Len() < 3 {
		return 0
	}
	var sum float64
	for i := 1; i < s.Len(); i++ {
		d := s.Values[i] - s.Values[i-1]
		sum += d * d
	}
	return math.Sqrt(sum / float64(2*(s.Len()-1)))
}

// Smooth is the moving mean over about an eighth of the series on either side of nothing less than the point itself.
func (s Series) Smooth() Series {
	half := s.Len() / 16
	if s.Len() >= 8 {
		half = max(1, half)
	}
	out := Series{Metric: s.Metric, Steps: s.Steps, Values: make([]float64, s.Len())}
	for i := range s.Values {
		lo, hi := max(0, i-half), min(s.Len(), i+half+1)
		for _, x := range s.Values[lo:hi] {
			out.Values[i] += x / float64(hi-lo)
		}
	}
	return out
}

// Move is how a series went from its head to its tail.
type Move struct {
	From, To         float64 // smoothed values at the ends of the stretch in which most of the move happened
	FromStep, ToStep int
	Delta            float64 // mean of the tail minus mean of the head
	Sigma            float64 // standard deviation of Delta if there were only noise
}

// Clear tells whether the move stands out of the noise by three standard deviations.
func (m Move) Clear() bool { return math.Abs(m.Delta) > 3*m.Sigma && m.Delta != 0 }

// Move compares head and tail and finds the stretch that holds the inner 80% of the way.
func (s Series) Move() Move {
	n := s.Len()
	if n == 0 {
		return Move{}
	}
	head, tail := s.Head(), s.Tail()
	m := Move{Delta: tail.Mean - head.Mean}
	m.Sigma = s.Noise() * math.Sqrt(1/float64(head.N)+1/float64(tail.N))
	sm := s.Smooth()
	level := func(share float64) float64 { return head.Mean + share*m.Delta }
	past := func(x, level float64) bool { return (m.Delta >= 0) == (x >= level) }
	j := n - 1
	for k := range sm.Values {
		if past(sm.Values[k], level(0.9)) {
			j = k
			break
		}
	}
	i := 0
	for k := j; k >= 0; k-- {
		if !past(sm.Values[k], level(0.1)) {
			i = k
			break
		}
	}
	if i == j { // the series is too short to tell where it moved
		i, j = 0, n-1
	}
	m.From, m.To, m.FromStep, m.ToStep = sm.Values[i], sm.Values[j], s.Steps[i], s.Steps[j]
	return m
}

// Peak is the highest smoothed value and its step.
func (s Series) Peak() (value float64, step int) {
	sm := s.Smooth()
	for i, v := range sm.Values {
		if i == 0 || v > value {
			value, step = v, s.Steps[i]
		}
	}
	return value, step
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
