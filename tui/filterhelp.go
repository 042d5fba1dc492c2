package tui

import (
	"maps"
	"slices"
	"strings"

	"llmzero/engine/tree"
	"llmzero/themes"
	"llmzero/tui/component/paint"
)

// What there is to write in a filter, for its errors and its help.
var (
	numberNames = []string{"score", "test", "gain", "depth", "steps", "conf", "tokens", "id"}
	kindKeys    = []string{"state:", "by:", "verdict:", "diag:", "is:", "param:"}
	kindValues  = map[string][]string{
		"state":   stateNames(),
		"by":      {"you", "agent", "rules"},
		"verdict": {string(tree.Approved), string(tree.Edited), string(tree.Vetoed)},
		"diag":    pathologyNames(),
		"is":      slices.Sorted(maps.Keys(kinds)),
	}
	// stateWords are the screen's own words for states that the record calls otherwise.
	stateWords = map[string]string{"waiting": string(tree.StateProposed), "done": string(tree.StateEvaluated)}
)

// possible says which values a kind has.
func possible(key string) string {
	values := kindValues[key]
	switch key {
	case "state":
		return "the states are " + strings.Join(values, ", ")
	case "is":
		return "there are is:" + strings.Join(values, ", is:")
	}
	return "there are " + strings.Join(values, ", ")
}

func stateNames() []string {
	out := []string{"waiting", "done"}
	for _, st := range tree.States {
		out = append(out, string(st))
	}
	return out
}

func pathologyNames() []string {
	var out []string
	for _, p := range tree.Pathologies {
		out = append(out, strings.ToLower(string(p)))
	}
	return out
}

func paramLabels(sp tree.Space) []string {
	var out []string
	for _, p := range sp.Params {
		out = append(out, p.Label())
	}
	return out
}

// filterHint says what can be written where the last word of a filter stands.
func filterHint(text string, sp tree.Space) string {
	words := filterWords(text)
	if len(words) == 0 || strings.HasSuffix(text, " ") && strings.Count(text, `"`)%2 == 0 {
		return `score>0.6  gain>0  state:failed  by:you  is:best  lr<1e-4  words  "several words"  -not`
	}
	w := words[len(words)-1]
	if w.quoted {
		return "text in changes, reasons, vetoes and failures"
	}
	word := strings.ToLower(w.text)
	if key, val, ok := strings.Cut(word, ":"); ok && key != "param" {
		return key + ": " + strings.Join(fitting(kindValues[key], val), ", ")
	}
	name, _ := strings.CutPrefix(word, "param:")
	if i := strings.IndexAny(name, "<>=!"); i > 0 {
		p, ok := findParam(sp, name[:i])
		switch {
		case !ok || numbers[name[:i]] != nil:
			return "< <= > >= = != and a number"
		case p.Kind == tree.KindChoice:
			return p.Name + ": " + strings.Join(p.Choices, ", ")
		}
		return p.Name + ": " + p.Range()
	}
	all := slices.Concat(numberNames, kindKeys, paramLabels(sp))
	for _, p := range sp.Params {
		all = append(all, p.Name)
	}
	slices.Sort(all)
	known := slices.DeleteFunc(slices.Compact(all), func(k string) bool { return !strings.HasPrefix(strings.ToLower(k), name) })
	switch {
	case len(known) == 0:
		return "text in changes, reasons, vetoes and failures"
	case len(known) == 1 && strings.EqualFold(known[0], name):
		return filterHint(name+"=", sp)
	}
	return "or " + strings.Join(known, "  ")
}

// finished is a filter that is being typed without a last word that may become a name: "sta" would hide every node on the way
// to state:failed.
func finished(text string) string {
	i := strings.LastIndexByte(text, ' ') + 1
	word := strings.ToLower(strings.TrimPrefix(text[i:], "-"))
	if word != "" && slices.ContainsFunc(slices.Concat(kindKeys, numberNames), func(k string) bool { return strings.HasPrefix(k, word) }) &&
		!strings.HasSuffix(word, ":") {
		return text[:i]
	}
	return text
}

// fitting are the values that hold what was typed, all when none does.
func fitting(values []string, typed string) []string {
	fits := slices.DeleteFunc(slices.Clone(values), func(v string) bool { return !strings.Contains(v, typed) })
	if len(fits) == 0 {
		return values
	}
	return fits
}

// filterHelp are the lines above a filter that is being typed: what is wrong with it, else what can be written.
func (a *app) filterHelp(width int) (rows []string, st paint.Style) {
	p := &a.s.pane
	if p.filtering == nil {
		return nil, st
	}
	text, st := p.filterErr, sError
	if text == "" {
		text, st = filterHint(p.filtering.value(), a.s.t.Spec.Space), sMuted
	}
	rows = paint.Wrap(text, width-2)
	return rows[:min(len(rows), 7)], st.On(ink(themes.Surface))
}
