package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"llmzero/engine/tree"
	"llmzero/trainer/grpo"
	"llmzero/trainer/grpo/base"
	"llmzero/trainer/grpo/task"
)

// page writes a task's page of facts from the journal and the index of bases.
func (s *study) page(ctx context.Context, t *task.Task, dir string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s.\n\n", t.Name, strings.ToUpper(t.Help[:1])+t.Help[1:])
	fmt.Fprintf(&b, "Difficulty %d to %d: %s. Validation draws %d to %d, test %d to %d, uniformly. A prompt has %d tokens, the longest useful\nanswer %d; max_completion_length is %d by default. Token budgets: tight %s, middle %s, ample %s\n(prompt, sampled and trained tokens).\n\n",
		t.Difficulty.Lo, t.Difficulty.Hi, t.DifficultyHelp, t.Validation.Lo, t.Validation.Hi, t.Test.Lo, t.Test.Hi,
		t.PromptLen(), t.MaxAnswer+1, t.MaxCompletion, thousands(t.Budgets.Tight), thousands(t.Budgets.Middle), thousands(t.Budgets.Ample))
	if err := writeBases(ctx, &b, t); err != nil {
		return err
	}
	if err := s.writeComparisons(ctx, &b, t); err != nil {
		return err
	}
	if err := s.writeMoves(ctx, &b, t); err != nil {
		return err
	}
	if err := s.writeProbes(ctx, &b, t); err != nil {
		return err
	}
	b.WriteString(provenance(t))
	fmt.Fprintf(&b, "Measured with `go run ./trainer/grpo/study -journal F -task %s` (kernel path: %s; every run is in\ntrainer/grpo/study/testdata/journal.jsonl.gz). A build that rounds differently moves single runs by a point or two.\n", t.Name, s.kernels(t))
	return os.WriteFile(filepath.Join(dir, t.Name+".md"), []byte(b.String()), 0o644)
}

// kernels names the kernel paths on which a task's runs were made.
func (s *study) kernels(t *task.Task) string {
	paths := map[string]bool{}
	for k, r := range s.journal.done {
		if k.task == t.Name {
			paths[r.Kernel] = true
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(paths)), ", ")
}

func thousands(n int) string { return fmt.Sprintf("%dk", n/1000) }

// writeBases says what each shipped base can do.
func writeBases(ctx context.Context, b *strings.Builder, t *task.Task) error {
	index, err := base.Index()
	if err != nil {
		return err
	}
	fmt.Fprintf(b, "## Bases\n\n| base | val T=1 | val greedy | val pass@16 | test T=1 | T=1 by difficulty |\n|---|---|---|---|---|---|\n")
	for _, e := range index {
		if e.Task != t.Name {
			continue
		}
		test, _, err := (&grpo.Trainer{Workers: 1}).Evaluate(ctx, tree.Exam{Task: t.Name, Base: e.Base, Split: tree.SplitTest, Seed: evalSeed})
		if err != nil {
			return err
		}
		levels := make([]string, len(e.Skill.ByDifficulty))
		for i, x := range e.Skill.ByDifficulty {
			levels[i] = fmt.Sprintf("%.2f", x)
		}
		fmt.Fprintf(b, "| %d | %.3f | %.3f | %.3f | %.3f | %s |\n", e.Base, e.Skill.Sampled, e.Skill.Greedy, e.Skill.Pass, test.Mean, strings.Join(levels, " "))
	}
	b.WriteString("\n")
	for _, e := range index {
		if e.Task == t.Name && e.Skill.Worked > 0 {
			fmt.Fprintf(b, "Base %d works %.1f%% of its answers out, and %.0f%% of those are right.\n", e.Base, 100*e.Skill.Worked, 100*e.Skill.WorkedRight)
		}
	}
	b.WriteString("\n")
	return nil
}

// writeComparisons sets the best constant against the schedules, for every base and budget that is in the journal.
func (s *study) writeComparisons(ctx context.Context, b *strings.Builder, t *task.Task) error {
	kind := "Coarse grid: 5 learning rates x half and full difficulty x 2 KL coefficients"
	if fine(t) {
		kind = "Fine grid: 5 learning rates x every difficulty cap and an easy-tilted mixture x 3 temperatures x 2 KL coefficients"
		if room(t, t.Difficulty.Lo) < t.MaxCompletion {
			kind += ",\neach with the default length and with the one that its cap needs"
		}
	}
	fmt.Fprintf(b, "## Best constant\n\n%s, screened on validation by\nsuccessive halving over seeds, the top ten re-run with four seeds. Test accuracy of fresh seeds, mean and 95%% t interval;\ndifferences are paired by seed.\n\n", kind)
	measured := map[string][]comparison{}
	for n := 1; n <= task.Bases; n++ {
		for _, bud := range budgets(t) {
			c, err := s.compare(ctx, t, n, bud.tokens)
			if errors.Is(err, errMissing) {
				if n == 1 && bud.name != "ample" {
					fmt.Fprintf(b, "Base %d, %s budget: %v.\n\n", n, bud.name, err)
				}
				continue
			}
			if err != nil {
				return err
			}
			writeComparison(b, n, bud.name, c)
			measured[bud.name] = append(measured[bud.name], c)
		}
	}
	for _, bud := range budgets(t) {
		if cs := measured[bud.name]; len(cs) > 1 && len(cs[0].schedules) > 0 {
			fmt.Fprintf(b, "The %d bases together, %s budget:\n\n| arm | test | against the constant |\n|---|---|---|\n", len(cs), bud.name)
			writeArms(b, together(cs))
			b.WriteString("\n")
		}
	}
	return nil
}

// together puts the fresh seeds of several bases in one comparison; each base has its own best constant and schedules
// derived from it.
func together(cs []comparison) comparison {
	all := comparison{schedules: cs[0].schedules, staged: make([][]result, len(cs[0].staged))}
	for _, c := range cs {
		all.constant = append(all.constant, c.constant...)
		for i, rs := range c.staged {
			all.staged[i] = append(all.staged[i], rs...)
		}
	}
	return all
}

func writeComparison(b *strings.Builder, base int, budget string, c comparison) {
	grid := fmt.Sprintf("%d constants", c.size)
	if c.size < c.grid {
		grid = fmt.Sprintf("the best %d of the %d constants by one seed at the tight budget", c.size, c.grid)
	}
	fmt.Fprintf(b, "Base %d, %s budget (%s tokens): %s, %d screening runs.\n\n| arm | test | against the constant |\n|---|---|---|\n",
		base, budget, thousands(int(c.tokens)), grid, c.runs)
	writeArms(b, c)
	fmt.Fprintf(b, "\nBest constant: %s", c.best)
	if e := edges(c.best); e != "" {
		fmt.Fprintf(b, " (at the edge of the grid in %s)", e)
	}
	b.WriteString(".\n\n")
	if len(c.landscape) > 0 {
		b.WriteString("Best validation accuracy of the grid's first seed, with the parameter held:\n\n")
		for _, name := range []string{"learning_rate", "difficulty", "temperature", "beta"} {
			writeLandscape(b, c, name)
		}
		b.WriteString("\n")
	}
}

// writeArms are the rows of a comparison: the constant's, and every schedule's with its paired difference.
func writeArms(b *strings.Builder, c comparison) {
	constant := scores(c.constant)
	mean, half := interval(constant)
	fmt.Fprintf(b, "| best constant | %.3f +- %.3f | |\n", mean, half)
	for i, a := range c.schedules {
		staged := scores(c.staged[i])
		m, h := interval(staged)
		d, dh := interval(differences(staged, constant))
		fmt.Fprintf(b, "| %s | %.3f +- %.3f | %+.3f +- %.3f (%+.0f%%) |\n", a.label, m, h, d, dh, 100*d/mean)
	}
}

// writeLandscape lists the best score of the grid for every value of one parameter.
func writeLandscape(b *strings.Builder, c comparison, name string) {
	best := map[float64]float64{}
	for i, a := range c.landscape {
		v := a.stages[0].set.Float(name)
		best[v] = max(best[v], c.landscapeScore[i].Val)
	}
	if len(best) < 2 {
		return
	}
	fmt.Fprintf(b, "- %s:", name)
	for i, v := range slices.Sorted(maps.Keys(best)) {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(b, " %g %.3f", v, best[v])
	}
	b.WriteString("\n")
}

// edges names the parameters in which a constant lies at an end of the grid that the space goes beyond.
func edges(a arm) string {
	set := a.stages[0].set
	var out []string
	if lr := set.Float("learning_rate"); lr <= rates[0] || lr >= rates[len(rates)-1] {
		out = append(out, "learning rate")
	}
	if temp := set.Float("temperature"); temp != 1 {
		out = append(out, "temperature")
	}
	return strings.Join(out, " and ")
}

// writeProbes shows what goes wrong, and by which evidence.
func (s *study) writeProbes(ctx context.Context, b *strings.Builder, t *task.Task) error {
	ps := probes(t)
	rs, err := s.results(ctx, t, 1, int64(t.Budgets.Middle), ps, freshSeeds[:probeSeeds])
	fmt.Fprintf(b, "## Pathologies\n\n")
	if errors.Is(err, errMissing) {
		fmt.Fprintf(b, "%v.\n\n", err)
		return nil
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(b, "Constants at the middle budget, base 1, means of %d seeds; first and last tenth of the steps.\n\n", probeSeeds)
	b.WriteString("| constant | test | entropy | KL | length | cut off | all wrong | all right | shows |\n|---|---|---|---|---|---|---|---|---|\n")
	practitioner, _ := summary(rs[0])
	for i, p := range ps {
		test, m := summary(rs[i])
		span := func(name, format string) string {
			return fmt.Sprintf(format+" to "+format, m.first[name], m.last[name])
		}
		kl := "-"
		if p.stages[0].set.Float("beta") > 0 {
			kl = fmt.Sprintf("%.3f", m.last[tree.MetricKL])
		}
		fmt.Fprintf(b, "| %s | %.3f | %s | %s | %s | %.2f | %s | %s | %s |\n", p.label, test, span(tree.MetricEntropy, "%.2f"), kl,
			span(tree.MetricLength, "%.1f"), m.last[tree.MetricTruncated], span(tree.MetricAllWrong, "%.2f"), span(tree.MetricAllRight, "%.2f"),
			strings.Join(pathologies(m, test, practitioner), ", "))
	}
	b.WriteString("\nKL is measured only where its coefficient is above 0.\n\n")
	return nil
}

// ends are a run's metrics at its beginning and its end, averaged over seeds.
type ends struct{ first, last map[string]float64 }

func summary(rs []result) (test float64, m ends) {
	m = ends{map[string]float64{}, map[string]float64{}}
	for _, r := range rs {
		test += r.Test / float64(len(rs))
		for _, name := range watched {
			m.first[name] += r.First[name] / float64(len(rs))
			m.last[name] += r.Last[name] / float64(len(rs))
		}
	}
	return test, m
}

// pathologies names what the end of a run shows, by fixed thresholds on its metrics and on its test accuracy against the
// practitioner's.
func pathologies(m ends, test, practitioner float64) []string {
	behind := test < practitioner-0.05
	var out []string
	add := func(name string, is bool) {
		if is {
			out = append(out, name)
		}
	}
	add("policy collapse", behind && m.last[tree.MetricReward] < 0.5*m.first[tree.MetricReward])
	add("entropy collapse", behind && m.last[tree.MetricEntropy] < 0.3*m.first[tree.MetricEntropy])
	add("entropy explosion", behind && m.last[tree.MetricEntropy] > 1.5*m.first[tree.MetricEntropy] &&
		m.last[tree.MetricReward] < m.first[tree.MetricReward])
	add("truncation", m.last[tree.MetricTruncated] > 0.1)
	add("sparse signal", m.last[tree.MetricAllWrong] > 0.5)
	add("saturated signal", m.last[tree.MetricAllRight] > 0.7)
	add("stagnation", behind && math.Abs(m.last[tree.MetricReward]-m.first[tree.MetricReward]) < 0.05 &&
		m.last[tree.MetricEntropy] > 0.5*m.first[tree.MetricEntropy])
	return out
}

func scores(rs []result) []float64 {
	out := make([]float64, len(rs))
	for i, r := range rs {
		out[i] = r.Test
	}
	return out
}
