package tui

import (
	"slices"
	"strings"

	"llmzero/engine/tree"
	"llmzero/themes"
	"llmzero/tui/component/paint"
)

// drawDiagnosis paints the findings that led to the node, its rationale, and what it was expected to do.
func (a *app) drawDiagnosis(c paint.Canvas, n *tree.Node) {
	l := a.scrolled(c)
	defer l.end()
	if n.ID == tree.Root {
		l.line(0, sMuted, "The base model was not proposed by anyone.")
		return
	}
	l.head("what was seen in " + name(n.Transition.From.Node))
	if len(n.Transition.Diagnosis) == 0 {
		l.line(0, sMuted, "no findings")
	}
	for _, f := range n.Transition.Diagnosis {
		a.finding(l, f)
	}
	l.gap()
	l.head("what was done")
	for _, ch := range n.Transition.Changes {
		l.text(0, sText, changeWord(a.s.t.Spec.Space, ch))
		l.wrap(16, sMuted, or(ch.Reason, ch.Param))
	}
	if len(n.Transition.Changes) == 0 {
		l.line(0, sMuted, "no setting changed")
	}
	if n.Transition.Rationale != "" {
		l.gap()
		l.wrap(0, sText, n.Transition.Rationale)
	}
	l.gap()
	l.head("what was expected, and what came")
	if e := effect(n.Transition.Effect); e != "" {
		l.wrap(0, sMuted, e+", confidence "+number(n.Transition.Confidence))
	}
	if g, ok := a.s.gain(n); ok {
		l.line(0, sText, "validation changed by "+signed(g))
	}
	if v := n.Verdict; v != nil && v.Original != nil {
		l.gap()
		l.head("before the edit it proposed")
		l.wrap(0, sMuted, changeWords(a.s.t.Spec.Space, *v.Original))
	}
	if kids := a.s.openDiagnoses(n); len(kids) > 0 {
		l.gap()
		l.head("what its children were proposed for")
		for _, k := range kids {
			l.wrap(0, sMuted, k)
		}
	}
}

// openDiagnoses tells for each child what it was proposed for.
func (s *search) openDiagnoses(n *tree.Node) []string {
	var out []string
	for _, id := range n.Children {
		k := s.t.Nodes[id]
		var names []string
		for _, f := range k.Transition.Diagnosis {
			names = append(names, string(f.Pathology))
		}
		if len(names) > 0 {
			out = append(out, name(id)+": "+strings.Join(slices.Compact(names), ", "))
		}
	}
	return out
}

func signed(x float64) string {
	if x < 0 {
		return "−" + delta(x)
	}
	return "+" + delta(x)
}

// effect is an expected effect in words.
func effect(e tree.Effect) string {
	t := e.Text
	if e.Low != 0 || e.High != 0 {
		r := "validation " + signed(e.Low) + " … " + signed(e.High)
		if t == "" {
			return r
		}
		t += ", " + r
	}
	return t
}

// severityStyle colours a severity; its words stand beside it.
func severityStyle(sv tree.Severity) paint.Style {
	switch sv {
	case tree.Severe:
		return sError
	case tree.Moderate:
		return sWarn
	case tree.Mild:
	}
	return sMuted
}

// finding paints one pathology with its evidence.
func (a *app) finding(l *lines, f tree.Finding) {
	st := severityStyle(f.Severity)
	if f.Pathology == tree.Healthy {
		st = fg(themes.Done)
	}
	l.text(0, st.With(paint.Bold), string(f.Pathology))
	if f.Pathology != tree.Healthy {
		l.text(min(22, l.c.W()/2), st, string(f.Severity))
	}
	l.y++
	for _, e := range f.Evidence {
		l.wrap(2, sMuted, e.Text)
	}
}
