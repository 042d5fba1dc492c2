package rules

import (
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"llmzero/engine/tree"
)

// cases are segments that show one pathology each, as departures from a healthy segment.
var cases = map[tree.Pathology]struct {
	shapes map[string]shape
	vals   []float64
	want   string // the first evidence begins so
}{
	tree.EntropyCollapse: {
		shapes: map[string]shape{
			tree.MetricEntropy: cliff(1.9, 0.3, 0.4, 0.7), tree.MetricZeroStd: cliff(0.2, 0.7, 0.4, 0.7),
			tree.MetricRewardStd: cliff(0.35, 0.08, 0.4, 0.7), tree.MetricReward: hill(0.4, 0.5, 0.45),
		},
		want: "entropy fell from 1.",
	},
	tree.EntropyExplosion: {
		shapes: map[string]shape{
			tree.MetricEntropy: ramp(0.6, 1.9), tree.MetricReward: hill(0.4, 0.5, 0.2), tree.MetricLength: ramp(9, 14),
		},
		want: "entropy rose from 0.",
	},
	tree.KLRunaway: {
		shapes: map[string]shape{tree.MetricKL: ramp(0.01, 0.9), tree.MetricReward: hill(0.4, 0.6, 0.35)},
		want:   "KL rose from 0.",
	},
	tree.KLStagnation: {
		shapes: map[string]shape{tree.MetricKL: hold(0.002), tree.MetricReward: hold(0.42), tree.MetricEntropy: hold(0.6)},
		want:   "reward stayed at 0.4",
	},
	tree.Truncation: {
		shapes: map[string]shape{tree.MetricTruncated: ramp(0.12, 0.35)},
		want:   "truncated share was 0.3",
	},
	tree.LengthHacking: {
		shapes: map[string]shape{tree.MetricLength: ramp(7, 13), tree.MetricReward: hold(0.5)},
		want:   "mean length rose from 8",
	},
	tree.SparseSignal: {
		shapes: map[string]shape{
			tree.MetricAllWrong: hold(0.8), tree.MetricZeroStd: hold(0.8), tree.MetricReward: hold(0.05),
			tree.MetricAllRight: hold(0),
		},
		want: "share of all-wrong groups was 0.8",
	},
	tree.SaturatedSignal: {
		shapes: map[string]shape{
			tree.MetricAllRight: hold(0.75), tree.MetricZeroStd: hold(0.75), tree.MetricReward: ramp(0.88, 0.93),
			tree.MetricAllWrong: hold(0),
		},
		want: "share of all-right groups was 0.7",
	},
	tree.Overfitting: {
		shapes: map[string]shape{tree.MetricReward: ramp(0.4, 0.7)},
		vals:   []float64{0.5, 0.55, 0.5, 0.46},
		want:   "reward rose from 0.4",
	},
	tree.Instability: {
		shapes: map[string]shape{tree.MetricGradNorm: func(x float64) float64 {
			if x > 0.7 && x < 0.75 {
				return 30
			}
			return 0.8
		}},
		want: "gradient norm spiked",
	},
	tree.CapacityLimit: {
		shapes: map[string]shape{tree.MetricReward: cliff(0.3, 0.6, 0, 0.4), tree.MetricKL: cliff(0, 0.05, 0, 0.4)},
		want:   "reward stood at 0.6",
	},
}

func shapesOf(p tree.Pathology) map[string]shape {
	s := healthyShapes()
	maps.Copy(s, cases[p].shapes)
	return s
}

func valsOf(p tree.Pathology) []float64 {
	if v := cases[p].vals; v != nil {
		return v
	}
	return []float64{0.44, 0.48, 0.5, 0.52}
}

func firing(v *view) []tree.Pathology {
	var out []tree.Pathology
	for _, m := range diagnose(v) {
		out = append(out, m.rule.pathology)
	}
	return out
}

func TestEveryPathologyFires(t *testing.T) {
	for _, r := range table {
		c, ok := cases[r.pathology]
		if !ok {
			t.Errorf("%s: the table has a row that no test covers", r.pathology)
			continue
		}
		for _, noise := range []float64{0, 0.03} {
			for seed := range uint64(5) {
				v := viewOf(turnAt(points(shapesOf(r.pathology), 40, 1, noise, seed), valsOf(r.pathology)...))
				ms := diagnose(v)
				i := slices.IndexFunc(ms, func(m match) bool { return m.rule.pathology == r.pathology })
				if i < 0 {
					t.Errorf("%s (noise %g, seed %d): did not fire; fired: %v", r.pathology, noise, seed, firing(v))
					continue
				}
				f := ms[i].finding
				if len(f.Evidence) == 0 || f.Severity == "" {
					t.Errorf("%s: no evidence or severity: %+v", r.pathology, f)
				} else if noise == 0 && !strings.HasPrefix(f.Evidence[0].Text, c.want) {
					t.Errorf("%s: evidence %q, want it to begin %q", r.pathology, f.Evidence[0].Text, c.want)
				}
			}
		}
	}
}

func TestHealthyFiresNothing(t *testing.T) {
	for seed := range uint64(40) {
		for _, n := range []int{3, 8, 20, 40, 160} {
			v := viewOf(turnAt(points(healthyShapes(), n, 1, 0.03, seed), 0.44, 0.48, 0.5, 0.52))
			if got := firing(v); len(got) > 0 {
				t.Fatalf("seed %d, %d points: a healthy segment fires %v: %v", seed, n, got, diagnose(v)[0].finding)
			}
		}
	}
}

// TestNeeds takes each sign that a rule needs away and sees that the rule no longer fires.
func TestNeeds(t *testing.T) {
	drop := map[tree.Pathology][]string{
		tree.EntropyCollapse:  {tree.MetricEntropy},
		tree.EntropyExplosion: {tree.MetricEntropy, tree.MetricReward},
		tree.KLRunaway:        {tree.MetricKL, tree.MetricReward},
		tree.KLStagnation:     {tree.MetricReward, tree.MetricKL},
		tree.Truncation:       {tree.MetricTruncated},
		tree.LengthHacking:    {tree.MetricLength, tree.MetricReward},
		tree.SparseSignal:     {tree.MetricReward},
		tree.SaturatedSignal:  {tree.MetricReward},
		tree.Overfitting:      {tree.MetricReward},
		tree.Instability:      {tree.MetricGradNorm},
		tree.CapacityLimit:    {tree.MetricReward},
	}
	for p, metrics := range drop {
		for _, m := range metrics {
			s := shapesOf(p)
			switch {
			case p == tree.KLStagnation && m == tree.MetricKL:
				s[m] = ramp(0, 0.2) // the healthy KL is small as well
			case p == tree.SparseSignal:
				s[m] = hold(0.6)
			case p == tree.SaturatedSignal:
				s[m] = hold(0.5)
			case p == tree.Overfitting, p == tree.CapacityLimit:
				s[m] = hold(0.5)
			case p == tree.LengthHacking && m == tree.MetricReward, p == tree.KLRunaway && m == tree.MetricReward:
				s[m] = ramp(0.3, 0.7)
			default:
				s[m] = healthyShapes()[m]
			}
			vals := valsOf(p)
			v := viewOf(turnAt(points(s, 40, 1, 0.02, 3), vals...))
			if slices.Contains(firing(v), p) {
				t.Errorf("%s fires although %s shows nothing", p, m)
			}
		}
	}
}

func TestSaturatedIsNoCollapse(t *testing.T) {
	s := shapesOf(tree.EntropyCollapse)
	s[tree.MetricReward], s[tree.MetricAllRight] = ramp(0.7, 0.97), ramp(0.3, 0.85)
	got := firing(viewOf(turnAt(points(s, 40, 1, 0.02, 1), 0.6, 0.7, 0.8, 0.9)))
	if slices.Contains(got, tree.EntropyCollapse) || !slices.Contains(got, tree.SaturatedSignal) {
		t.Errorf("a policy that became sure because it is right: fired %v", got)
	}
}

func TestNotFinite(t *testing.T) {
	pts := points(healthyShapes(), 20, 11, 0, 1)
	pts[7].Values[tree.MetricLoss] = math.NaN()
	ms := diagnose(viewOf(turnAt(pts, 0.5)))
	if len(ms) != 1 || ms[0].rule.pathology != tree.Instability {
		t.Fatalf("fired %v", ms)
	}
	if ev := ms[0].finding.Evidence[0]; ev.Metric != tree.MetricLoss || ev.FromStep != 18 || ev.Text != "loss is not a number at step 18" {
		t.Errorf("evidence %+v", ev)
	}
}

// TestEvidenceIsTrue compares the numbers of the evidence with the series they were read from.
func TestEvidenceIsTrue(t *testing.T) {
	for p := range cases {
		pts := points(shapesOf(p), 60, 21, 0.02, 9)
		turn := turnAt(pts, valsOf(p)...)
		for _, m := range diagnose(viewOf(turn)) {
			for _, ev := range m.finding.Evidence {
				if ev.FromStep > ev.ToStep {
					t.Errorf("%s: %q runs backwards: %d..%d", p, ev.Text, ev.FromStep, ev.ToStep)
				}
				if ev.Metric == tree.MetricValidation {
					continue
				}
				for _, end := range []struct {
					step int
					val  float64
				}{{ev.FromStep, ev.From}, {ev.ToStep, ev.To}} {
					lo, hi := math.Inf(1), math.Inf(-1)
					for _, pt := range pts {
						whole := ev.From == ev.To || strings.Contains(ev.Text, "spiked") || strings.Contains(ev.Text, "fell back")
						if d := pt.Step - end.step; whole && pt.Step >= ev.FromStep-15 && pt.Step <= ev.ToStep+15 || d >= -4 && d <= 4 {
							lo, hi = min(lo, pt.Values[ev.Metric]), max(hi, pt.Values[ev.Metric])
						}
					}
					if end.val < lo-1e-9 || end.val > hi+1e-9 {
						t.Errorf("%s: %q says %.4g at step %d; the series has %.4g..%.4g there", p, ev.Text, end.val, end.step, lo, hi)
					}
				}
			}
		}
	}
}

func TestEvidenceOfACliff(t *testing.T) {
	s := healthyShapes()
	maps.Copy(s, cases[tree.EntropyCollapse].shapes)
	pts := points(s, 41, 1, 0, 1) // falls from step 17 to step 29
	ms := diagnose(viewOf(turnAt(pts, 0.5)))
	ev := ms[0].finding.Evidence[0]
	if ms[0].rule.pathology != tree.EntropyCollapse {
		t.Fatalf("fired first: %v", ms[0].rule.pathology)
	}
	if ev.FromStep < 15 || ev.FromStep > 19 || ev.ToStep < 26 || ev.ToStep > 30 || ev.From < 1.7 || ev.To > 0.5 {
		t.Errorf("evidence %+v: want the fall between steps 17 and 29", ev)
	}
}
