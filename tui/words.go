package tui

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"llmzero/engine/tree"
)

// num writes a whole number.
func num(n int) string { return strconv.Itoa(n) }

// plural writes a count with its noun: "1 proposal", "2 proposals".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return num(n) + " " + noun + "s"
}

// score writes a score to three places: "0.742".
func score(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return strconv.FormatFloat(v, 'f', 3, 64)
}

// delta writes a difference of scores without its sign and leading zero: ".108".
func delta(d float64) string {
	return strings.TrimPrefix(strconv.FormatFloat(math.Abs(d), 'f', 3, 64), "0")
}

// count writes a large number in three digits: "1.2M".
func count(n float64) string {
	switch a := math.Abs(n); {
	case math.IsNaN(n):
		return "–"
	case a < 1000:
		return strconv.FormatFloat(n, 'f', 0, 64)
	case a < 999_500:
		return three(n/1e3) + "k"
	case a < 999_500_000:
		return three(n/1e6) + "M"
	case a < 999_500_000_000:
		return three(n/1e9) + "G"
	}
	return three(n/1e12) + "T"
}

// three writes a number below 1000 in about three characters.
func three(x float64) string {
	if math.Abs(x) < 9.95 {
		return strconv.FormatFloat(x, 'f', 1, 64)
	}
	return strconv.FormatFloat(x, 'f', 0, 64)
}

// bytesText writes a size in binary units: "61 GB".
func bytesText(n float64) string {
	units := []string{"B", "KB", "MB", "GB", "TB"}
	i := 0
	for n >= 1024 && i < len(units)-1 {
		n, i = n/1024, i+1
	}
	return three(n) + " " + units[i]
}

// span writes a duration in its largest one or two units: "3 m 20 s".
func span(d time.Duration) string {
	switch {
	case d < 0:
		return "–"
	case d < 10*time.Second:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	case d < time.Minute:
		return num(int(d.Seconds())) + " s"
	case d < time.Hour:
		return fmt.Sprintf("%d m %02d s", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %02d m", int(d.Hours()), int(d.Minutes())%60)
	}
	return num(int(d.Hours()/24)) + " d"
}

// ago writes how long ago something was: "5 m ago".
func ago(t, now time.Time) string {
	if t.IsZero() {
		return "–"
	}
	d := now.Sub(t)
	switch {
	case d < 5*time.Second:
		return "now"
	case d < time.Minute:
		return num(int(d.Seconds())) + " s ago"
	case d < time.Hour:
		return num(int(d.Minutes())) + " m ago"
	case d < 48*time.Hour:
		return num(int(d.Hours())) + " h ago"
	case d < 60*24*time.Hour:
		return num(int(d.Hours()/24)) + " d ago"
	}
	return t.Format("2 Jan 06")
}

// value writes a parameter's value in at most about seven characters: "3.0e-4", "0.02", "16".
func value(v tree.Value) string {
	if v.IsText() {
		return v.Text
	}
	return number(v.Num)
}

// number writes a number in three significant digits.
func number(x float64) string {
	a := math.Abs(x)
	switch {
	case math.IsNaN(x) || math.IsInf(x, 0):
		return "–"
	case x == 0:
		return "0"
	case a >= 1e6 || a < 1e-3:
		m := strconv.FormatFloat(x, 'e', 1, 64) // 3.0e-04
		m = strings.Replace(m, "e-0", "e-", 1)
		return strings.Replace(m, "e+0", "e", 1)
	case x == math.Trunc(x):
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
	return strconv.FormatFloat(x, 'g', 3, 64)
}

// fixed writes a number for the axis or readout of a curve, where neighbours should line up.
func fixed(x float64) string {
	a := math.Abs(x)
	switch {
	case math.IsNaN(x) || math.IsInf(x, 0):
		return "–"
	case a >= 1e4 || (a > 0 && a < 1e-3):
		return number(x)
	case a >= 100:
		return strconv.FormatFloat(x, 'f', 0, 64)
	case a >= 10:
		return strconv.FormatFloat(x, 'f', 1, 64)
	case a >= 1 || a == 0:
		return strconv.FormatFloat(x, 'f', 2, 64)
	}
	return strings.Replace(strconv.FormatFloat(x, 'f', 3, 64), "0.", ".", 1)
}

// changeWord tells one change in a word or two: "lr×½", "n 8→16", "KL off".
func changeWord(sp tree.Space, c tree.Change) string {
	p, ok := sp.Find(c.Param)
	label := c.Param
	if ok {
		label = p.Label()
	}
	switch {
	case c.From.IsText() || c.To.IsText():
		return label + " " + value(c.To)
	case c.To.Num == 0 && ok && p.Zero:
		return label + " off"
	case ok && p.Scale == tree.ScaleLog && p.Kind == tree.KindFloat && c.From.Num > 0:
		return label + factor(c.To.Num/c.From.Num)
	case ok && p.Kind == tree.KindInt:
		return label + " " + value(c.From) + "→" + value(c.To)
	}
	return label + " " + strings.TrimPrefix(value(c.To), "0")
}

// factor writes a ratio: "×2", "×½", "×0.3".
func factor(f float64) string {
	for _, x := range []struct {
		f float64
		s string
	}{{0.5, "½"}, {0.25, "¼"}, {0.75, "¾"}, {1.0 / 3, "⅓"}, {2.0 / 3, "⅔"}} {
		if math.Abs(f/x.f-1) < 0.005 {
			return "×" + x.s
		}
	}
	return "×" + strconv.FormatFloat(f, 'g', 2, 64)
}

// changeWords tells a transition in a few words.
func changeWords(sp tree.Space, t tree.Transition) string {
	if len(t.Changes) == 0 && t.From.Node == tree.Root {
		return "practitioner's settings"
	}
	if len(t.Changes) == 0 {
		return "same settings"
	}
	words := make([]string, len(t.Changes))
	for i, c := range t.Changes {
		words[i] = changeWord(sp, c)
	}
	return strings.Join(words, " ")
}

// name is how a node is called.
func name(id tree.NodeID) string {
	if id == tree.Root {
		return "root"
	}
	return "n" + num(int(id))
}

// agentName is how an agent is called in a sentence.
func agentName(by string) string {
	switch by {
	case "":
		return "the agent"
	case "human":
		return "you"
	}
	return by
}

// mean is the mean of xs, NaN for none.
func mean(xs []float64) float64 {
	if len(xs) == 0 {
		return math.NaN()
	}
	var s float64
	for _, x := range xs {
		s += x
	}
	return s / float64(len(xs))
}

// fate tells what became of a node in a few words, for the lists where it has no score.
func (s *search) fate(n *tree.Node) string {
	switch n.State {
	case tree.StateProposed:
		if s.play != nil {
			return "proposed"
		}
		return "waits for you"
	case tree.StateApproved:
		return "approved"
	case tree.StateQueued:
		return "queued"
	case tree.StateRunning:
		return num(int(100*s.progress(n))) + "%"
	case tree.StateVetoed:
		if n.Verdict != nil && n.Verdict.Why != "" {
			return "vetoed: " + n.Verdict.Why
		}
		return "vetoed"
	case tree.StateFailed:
		if n.Outcome != nil && n.Outcome.Failure != nil {
			return "failed: " + failure(n.Outcome.Failure.Class)
		}
		return "failed"
	case tree.StatePruned:
		return "pruned"
	case tree.StateStopped:
		return "stopped"
	case tree.StateEvaluated:
	}
	return ""
}

// failure is a class of failures in words.
func failure(c tree.FailureClass) string {
	switch c {
	case tree.FailOOM:
		return "out of memory"
	case tree.FailNaN:
		return "not a number"
	case tree.FailConfig:
		return "bad configuration"
	case tree.FailData:
		return "bad data"
	case tree.FailTimeout:
		return "took too long"
	case tree.FailCrash:
		return "crashed"
	}
	return string(c)
}
