package rules

import (
	"fmt"
	"math"
	"strings"

	"llmzero/engine/agent/curve"
	"llmzero/engine/tree"
)

// view is what signs look at: one segment's points and the checkpoints' validation scores.
type view struct {
	points      []tree.Point
	checkpoints []tree.Checkpoint
	start       tree.Score // validation score of the checkpoint it started from
	config      tree.Config
}

func (v *view) series(metric string) curve.Series { return curve.Of(v.points, metric) }

// minPoints is how many points a series needs before a trend is read from it.
const minPoints = 4

// sign is something that can be seen on the curves. Strength grows from 0 at the threshold to 1.
type sign func(v *view) (ev tree.Evidence, strength float64, ok bool)

// falls sees the metric fall by at least the share of its head's mean, beyond its noise.
func falls(metric string, share float64) sign {
	return func(v *view) (tree.Evidence, float64, bool) {
		s := v.series(metric)
		m := s.Move()
		head := s.Head().Mean
		if s.Len() < minPoints || m.Delta >= 0 || !m.Clear() || head <= 0 {
			return tree.Evidence{}, 0, false
		}
		rel := -m.Delta / head
		return moved(metric, "fell", m), over(rel, share, 1), rel >= share
	}
}

// rises sees the metric rise by at least the share of its head's mean and by at least least, beyond its noise.
func rises(metric string, share, least float64) sign {
	return func(v *view) (tree.Evidence, float64, bool) {
		s := v.series(metric)
		m := s.Move()
		if s.Len() < minPoints || m.Delta <= 0 || !m.Clear() {
			return tree.Evidence{}, 0, false
		}
		need := max(least, share*math.Abs(s.Head().Mean))
		return moved(metric, "rose", m), over(m.Delta, need, 3*need), m.Delta >= need
	}
}

// flat sees a metric that moved by less than the share of its head's mean, or by no more than noise.
func flat(metric string, share float64) sign {
	return func(v *view) (tree.Evidence, float64, bool) {
		s := v.series(metric)
		if s.Len() < minPoints {
			return tree.Evidence{}, 0, false
		}
		m, all := s.Move(), s.Window(0, 1)
		ok := math.Abs(m.Delta) < share*math.Abs(s.Head().Mean) || !m.Clear() && math.Abs(m.Delta) < 2*m.Sigma
		return level(metric, "stayed at", all), 0.3, ok
	}
}

// plateau sees a metric that rose and then stood still over the last half.
func plateau(metric string) sign {
	return func(v *view) (tree.Evidence, float64, bool) {
		s := v.series(metric)
		if s.Len() < 3*minPoints {
			return tree.Evidence{}, 0, false
		}
		half := curve.Series{Metric: metric, Steps: s.Steps[s.Len()/2:], Values: s.Values[s.Len()/2:]}
		first, last := s.Move(), half.Move()
		rose := first.Delta > 0 && first.Clear()
		still := last.Delta < max(2*last.Sigma, 0.15*first.Delta)
		return level(metric, "stood at", half.Window(0, 1)), 0.4, rose && still
	}
}

// above sees the metric's last quarter at or above a level.
func above(metric string, at float64) sign {
	return func(v *view) (tree.Evidence, float64, bool) {
		s := v.series(metric)
		tail := s.Tail()
		return level(metric, "was", tail), over(tail.Mean, at, 2*at), s.Len() > 0 && tail.Mean >= at
	}
}

// below sees the metric's last quarter below a level.
func below(metric string, at float64) sign {
	return func(v *view) (tree.Evidence, float64, bool) {
		s := v.series(metric)
		tail := s.Tail()
		return level(metric, "was", tail), 0.5, s.Len() > 0 && tail.Mean < at
	}
}

// rewardDrops sees the reward end lower than its own peak, by at least the share of the peak and beyond its noise.
func rewardDrops(share float64) sign {
	return func(v *view) (tree.Evidence, float64, bool) {
		s := v.series(tree.MetricReward)
		if s.Len() < minPoints {
			return tree.Evidence{}, 0, false
		}
		peak, at := s.Peak()
		tail := s.Tail()
		drop := peak - tail.Mean
		ok := peak > 0 && at < tail.FromStep && drop >= share*peak && drop > 3*s.Noise()/math.Sqrt(float64(tail.N))
		ev := tree.Evidence{
			Metric: s.Metric, FromStep: at, ToStep: tail.ToStep, From: peak, To: tail.Mean,
			Text: fmt.Sprintf("reward fell back from %s to %s", num(peak), num(tail.Mean)),
		}
		return ev, over(drop, share*peak, peak), ok
	}
}

// spikes sees single points above factor times the median.
func spikes(metric string, factor float64) sign {
	return func(v *view) (tree.Evidence, float64, bool) {
		s := v.series(metric)
		mid := s.Median()
		if s.Len() < minPoints || mid <= 0 {
			return tree.Evidence{}, 0, false
		}
		n, first, last, top := 0, 0, 0, 0.0
		for i, x := range s.Values {
			if x > factor*mid {
				if n == 0 {
					first = s.Steps[i]
				}
				n, last, top = n+1, s.Steps[i], max(top, x)
			}
		}
		ev := tree.Evidence{
			Metric: metric, FromStep: first, ToStep: last, From: mid, To: top,
			Text: fmt.Sprintf("%s spiked %s to %s, %s its median", label(metric), times(n), num(top), "×"+num(top/mid)),
		}
		return ev, over(top/mid, factor, 5*factor), n > 0
	}
}

// notFinite sees a metric that is NaN or infinite.
func notFinite(v *view) (tree.Evidence, float64, bool) {
	metric, step, ok := curve.Broken(v.points)
	ev := tree.Evidence{
		Metric: metric, FromStep: step, ToStep: step,
		Text: fmt.Sprintf("%s is not a number at step %d", label(metric), step),
	}
	return ev, 1, ok
}

// validationFalls sees the last checkpoint score less than an earlier one, or than the start, by more than the standard
// error of the difference.
func validationFalls(v *view) (tree.Evidence, float64, bool) {
	best, last, ok := v.validation()
	if !ok || best.Step >= last.Step {
		return tree.Evidence{}, 0, false
	}
	drop := best.Val.Mean - last.Val.Mean
	se := math.Hypot(best.Val.SE, last.Val.SE)
	ev := tree.Evidence{
		Metric: tree.MetricValidation, FromStep: best.Step, ToStep: last.Step, From: best.Val.Mean, To: last.Val.Mean,
		Text: fmt.Sprintf("validation went from %s to %s", num(best.Val.Mean), num(last.Val.Mean)),
	}
	return ev, over(drop, se, 4*se+1e-9), drop > 0 && drop >= se
}

// validationFlat sees no gain over the start beyond the standard error.
func validationFlat(v *view) (tree.Evidence, float64, bool) {
	_, last, ok := v.validation()
	if !ok || !v.start.Known() {
		return tree.Evidence{}, 0, false
	}
	gain := last.Val.Mean - v.start.Mean
	ev := tree.Evidence{
		Metric: tree.MetricValidation, FromStep: v.firstStep(), ToStep: last.Step, From: v.start.Mean, To: last.Val.Mean,
		Text: fmt.Sprintf("validation went from %s to %s", num(v.start.Mean), num(last.Val.Mean)),
	}
	return ev, 0.2, gain <= math.Hypot(last.Val.SE, v.start.SE)
}

// either holds when one of the signs does; the first that does speaks.
func either(signs ...sign) sign {
	return func(v *view) (tree.Evidence, float64, bool) {
		for _, s := range signs {
			if ev, strength, ok := s(v); ok {
				return ev, strength, true
			}
		}
		return tree.Evidence{}, 0, false
	}
}

// unless holds when s does not; it has no evidence of its own.
func unless(s sign) sign {
	return func(v *view) (tree.Evidence, float64, bool) {
		_, _, ok := s(v)
		return tree.Evidence{}, 0.5, !ok
	}
}

// validation is the best scored checkpoint of the segment, its start among them, and the last one.
func (v *view) validation() (best, last tree.Checkpoint, ok bool) {
	if v.start.Known() {
		best = tree.Checkpoint{Step: v.firstStep(), Val: v.start}
	}
	for _, c := range v.checkpoints {
		if !c.Val.Known() || math.IsNaN(c.Val.Mean) {
			continue
		}
		if !best.Val.Known() || c.Val.Mean > best.Val.Mean {
			best = c
		}
		last, ok = c, true
	}
	return best, last, ok
}

func (v *view) firstStep() int {
	if len(v.points) == 0 {
		return 0
	}
	return v.points[0].Step
}

func moved(metric, verb string, m curve.Move) tree.Evidence {
	return tree.Evidence{
		Metric: metric, FromStep: m.FromStep, ToStep: m.ToStep, From: m.From, To: m.To,
		Text: fmt.Sprintf("%s %s from %s to %s in %d steps", label(metric), verb, num(m.From), num(m.To), m.ToStep-m.FromStep),
	}
}

func level(metric, verb string, s curve.Stat) tree.Evidence {
	return tree.Evidence{
		Metric: metric, FromStep: s.FromStep, ToStep: s.ToStep, From: s.Mean, To: s.Mean,
		Text: fmt.Sprintf("%s %s %s over steps %d to %d", label(metric), verb, num(s.Mean), s.FromStep, s.ToStep),
	}
}

// over maps x from threshold..full to 0..1.
func over(x, threshold, full float64) float64 {
	if full <= threshold {
		return 0
	}
	return max(0, min(1, (x-threshold)/(full-threshold)))
}

// labels name metrics as a person would say them.
var labels = map[string]string{
	tree.MetricReward: "reward", tree.MetricRewardStd: "reward spread within groups",
	tree.MetricZeroStd: "share of groups without spread", tree.MetricAllRight: "share of all-right groups",
	tree.MetricAllWrong: "share of all-wrong groups", tree.MetricKL: "KL", tree.MetricEntropy: "entropy",
	tree.MetricClip: "clip fraction", tree.MetricLength: "mean length", tree.MetricTruncated: "truncated share",
	tree.MetricGradNorm: "gradient norm", tree.MetricLoss: "loss", tree.MetricValidation: "validation",
}

func label(metric string) string {
	if l, ok := labels[metric]; ok {
		return l
	}
	return metric
}

// num writes a number with two or three significant digits, without an exponent where one can read it so.
func num(x float64) string {
	a := math.Abs(x)
	switch {
	case a != 0 && a < 1e-3:
		return fmt.Sprintf("%.1e", x)
	case a < 10:
		s := strings.TrimRight(fmt.Sprintf("%.3g", x), " ")
		return s
	default:
		return fmt.Sprintf("%.0f", x)
	}
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}
