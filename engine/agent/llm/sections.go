package llm

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"llmzero/engine/agent"
	"llmzero/engine/agent/curve"
	"llmzero/engine/tree"
)

// writer collects sections and the first error of their templates.
type writer struct {
	sections []section
	err      error
}

// add renders one form of a section for each data value, the fullest first.
func (w *writer) add(name string, rank int, forms ...any) {
	s := section{name: name, rank: rank, keep: rank == rankAlways}
	for _, data := range forms {
		text, err := render(name, data)
		if err != nil && w.err == nil {
			w.err = err
		}
		s.forms = append(s.forms, text)
	}
	w.sections = append(w.sections, s)
}

// addList adds a section of lines with shorter forms of its first lines, unless there are none.
func (w *writer) addList(name string, rank int, lines []string) {
	if len(lines) == 0 {
		return
	}
	forms := []any{lines}
	for _, n := range []int{12, 6, 3} {
		if len(lines) > n && rank != rankAlways {
			forms = append(forms, lines[:n])
		}
	}
	w.add(name, rank, forms...)
}

// describe writes what the model sees of a turn. The skill arm sees its own chain and nothing of the tree.
func describe(t agent.Turn, places []place, signs []tree.Finding, skill bool) ([]section, error) {
	w := &writer{}
	base := tree.Score{}
	if len(t.Path) > 0 {
		base = t.Path[0].Node.Val()
	}
	w.add("task", rankAlways, map[string]any{"Spec": t.Spec, "Base": base})
	params := paramRows(t)
	w.add("space", rankSpace, map[string]any{"Params": params, "Short": false}, map[string]any{"Params": params, "Short": true})
	w.sections[len(w.sections)-1].keep = true
	w.addPath(t)
	if len(t.Points) > 0 {
		w.add("curves", rankCurves, curveRows(t.Points, 8, false), curveRows(t.Points, 4, false), curveRows(t.Points, 4, true))
		w.addList("signs", rankSigns, findingLines(signs))
	}
	w.addList("checkpoints", rankAlways, placeLines(places))
	if !skill {
		w.addList("tried", rankTried, triedLines(t))
		w.addList("best", rankBest, bestLines(t))
		w.addList("vetoes", rankVetoes, vetoLines(t))
	}
	w.addList("bans", rankAlways, banLines(t))
	w.addList("hints", rankAlways, hintLines(t))
	w.add("budget", rankBudget, budgetText(t))
	if t.Failure != nil {
		w.add("failure", rankAlways, clean(t.Failure.Error(), maxText))
	} else if t.Fresh {
		w.add("fresh", rankAlways, nil)
	}
	return w.sections, w.err
}

func (w *writer) addPath(t agent.Turn) {
	full, short := pathLines(t, true), pathLines(t, false)
	if len(full) == 0 {
		return
	}
	forms := []any{map[string]any{"Stages": full}, map[string]any{"Stages": short}}
	const few = 4
	if len(short) > few {
		forms = append(forms, map[string]any{"Stages": short[len(short)-few:]})
	}
	w.add("path", rankPath, forms...)
}

type paramRow struct{ Name, Value, Range, Role, Help string }

// paramRows shows the values in force: those of the node that proposals start from.
func paramRows(t agent.Turn) []paramRow {
	config := t.Node.Config
	if t.Failure != nil {
		if src, err := t.Source(t.Node.Transition.From); err == nil {
			config = src.Config
		}
	}
	var out []paramRow
	for _, p := range t.Spec.Space.Params {
		out = append(out, paramRow{
			Name: p.Name, Value: config[p.Name].String(), Range: p.Range(), Role: string(p.Role), Help: clean(p.Help, 120),
		})
	}
	return out
}

// pathLines tells each stage in a line, with the ends of its main curves when full.
func pathLines(t agent.Turn, full bool) []string {
	var out []string
	for _, s := range t.Path {
		n := s.Node
		if n.ID == tree.Root {
			continue
		}
		line := fmt.Sprintf("n%d from %s: %s; validation %s", n.ID, placeName(n.Transition.From), changesText(n.Transition.Changes), scoreText(n.Val()))
		if full {
			for _, m := range []string{tree.MetricReward, tree.MetricEntropy, tree.MetricKL, tree.MetricLength} {
				if c := curve.Of(s.Points, m); c.Len() > 0 {
					line += fmt.Sprintf("; %s %s to %s", m, num(c.Head().Mean), num(c.Tail().Mean))
				}
			}
		}
		out = append(out, line)
	}
	return out
}

func changesText(changes []tree.Change) string {
	if len(changes) == 0 {
		return "no change"
	}
	parts := make([]string, len(changes))
	for i, c := range changes {
		parts[i] = c.Param + " " + c.From.String() + " -> " + c.To.String()
	}
	return strings.Join(parts, ", ")
}

// core are the metrics that stay when the table must be short.
var core = map[string]bool{
	tree.MetricReward: true, tree.MetricZeroStd: true, tree.MetricEntropy: true, tree.MetricKL: true,
	tree.MetricTruncated: true, tree.MetricGradNorm: true,
}

// curveRows is the table of windowed statistics.
func curveRows(points []tree.Point, windows int, short bool) map[string]any {
	windows = max(1, min(windows, len(points)))
	var rows []string
	for _, m := range curve.Metrics(points) {
		if m == tree.MetricTokens || m == tree.MetricLearningRate || short && !core[m] {
			continue
		}
		s := curve.Of(points, m)
		if s.Len() == 0 {
			continue
		}
		row := clean(m, 60) + ":"
		for k := range windows {
			row += " " + num(s.Window(float64(k)/float64(windows), float64(k+1)/float64(windows)).Mean)
		}
		all := s.Window(0, 1)
		rows = append(rows, row+"; "+num(all.Min)+" … "+num(all.Max))
	}
	return map[string]any{"From": points[0].Step, "To": points[len(points)-1].Step, "Windows": windows, "Rows": rows}
}

func findingLines(fs []tree.Finding) []string {
	var out []string
	for _, f := range fs {
		var ev []string
		for _, e := range f.Evidence {
			ev = append(ev, clean(e.Text, maxText))
		}
		out = append(out, fmt.Sprintf("%s (%s): %s", f.Pathology, f.Severity, strings.Join(ev, "; ")))
	}
	return out
}

func placeLines(places []place) []string {
	var out []string
	for _, p := range places {
		line := p.name + ": validation " + scoreText(p.val)
		if p.note != "" {
			line += " (" + p.note + ")"
		}
		out = append(out, line)
	}
	return out
}

// triedLines tells the children first, newest first, then the siblings.
func triedLines(t agent.Turn) []string {
	var out []string
	for _, nodes := range [][]tree.Node{t.Children, t.Siblings} {
		for i := len(nodes) - 1; i >= 0; i-- {
			n := nodes[i]
			line := fmt.Sprintf("n%d from %s: %s; %s", n.ID, placeName(n.Transition.From), changesText(n.Transition.Changes), n.State)
			switch {
			case n.Val().Known():
				line += ", validation " + scoreText(n.Val())
			case n.Outcome != nil && n.Outcome.Failure != nil:
				line += ", " + clean(n.Outcome.Failure.Error(), 120)
			}
			out = append(out, line)
		}
	}
	return out
}

func bestLines(t agent.Turn) []string {
	var out []string
	for _, s := range t.Best {
		var stages []string
		for _, n := range s.Path {
			if n.ID != tree.Root {
				stages = append(stages, changesText(n.Transition.Changes))
			}
		}
		out = append(out, scoreText(s.Val())+": "+strings.Join(stages, " | "))
	}
	return out
}

func vetoLines(t agent.Turn) []string {
	var out []string
	for _, n := range t.Vetoes {
		line := placeName(n.Transition.From) + ": " + changesText(n.Transition.Changes)
		if n.Verdict != nil && n.Verdict.Why != "" {
			line += "; because: " + clean(n.Verdict.Why, maxText)
		}
		out = append(out, line)
	}
	return out
}

func banLines(t agent.Turn) []string {
	var out []string
	for _, b := range t.Bans {
		line := b.Param + " from " + num(b.Min) + " to " + num(b.Max)
		if b.Choice != "" {
			line = b.Param + " = " + b.Choice
		}
		if b.Why != "" {
			line += " (" + clean(b.Why, maxText) + ")"
		}
		out = append(out, line)
	}
	return out
}

// maxHints is how many of the newest hints a prompt holds.
const maxHints = 8

func hintLines(t agent.Turn) []string {
	var out []string
	for i := len(t.Hints) - 1; i >= 0 && len(out) < maxHints; i-- {
		out = append(out, clean(t.Hints[i].Text, 2*maxText))
	}
	return out
}

func budgetText(t agent.Turn) string {
	text := fmt.Sprintf("%.0f%% spent", 100*t.Budget.Used(t.Spent))
	if t.Budget.Segments > 0 {
		text += fmt.Sprintf("; %d segments left", max(0, t.Budget.Segments-t.Spent.Segments))
	}
	if t.Budget.Tokens > 0 {
		text += fmt.Sprintf("; %d tokens left", max(0, t.Budget.Tokens-t.Spent.Cost.Tokens()))
	}
	if t.Budget.Wall > 0 {
		text += fmt.Sprintf("; %s of training left", max(0, t.Budget.Wall-time.Duration(t.Spent.Cost.WallSeconds*float64(time.Second))).Round(time.Second))
	}
	if t.Budget.GPUHours > 0 {
		text += fmt.Sprintf("; %.2g GPU-hours left", max(0, t.Budget.GPUHours-t.Spent.Cost.GPUSeconds/3600))
	}
	return text + fmt.Sprintf("; a segment takes %d steps", t.Steps)
}

// num writes a number with three significant digits.
func num(x float64) string {
	if a := math.Abs(x); a >= 1000 && a < 1e7 {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	return strconv.FormatFloat(x, 'g', 3, 64)
}
