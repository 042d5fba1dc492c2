package tui

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"llmzero/engine/tree"
)

// filter chooses nodes. Its language: words separated by blanks must all hold; "-" before a word negates it.
//
//	score>0.6  gain>0  depth<=3  steps!=20  conf<0.5  tokens>1e5   numbers of a node
//	state:failed  by:you  verdict:vetoed  diag:entropy  is:best    kinds of nodes
//	param:lr<1e-4  or shorter  lr<1e-4                             values of parameters, by name or label
//	anything else, or "several words"                              text in the node's changes, reasons and failure
//
// Letters may be large or small. A word in quotes is always text.
type filter struct {
	text  string
	terms []term
}

type term struct {
	not  bool
	test test
}

func (f filter) empty() bool { return len(f.terms) == 0 }

func (f filter) match(s *search, n *tree.Node) bool {
	for _, t := range f.terms {
		if t.test(s, n) == t.not {
			return false
		}
	}
	return true
}

// parseFilter reads a filter for a space. The error names the word and what is possible instead.
func parseFilter(text string, sp tree.Space) (filter, error) {
	f := filter{text: strings.TrimSpace(text)}
	for _, w := range filterWords(text) {
		test, err := parseTerm(w, sp)
		if err != nil {
			return filter{}, err
		}
		f.terms = append(f.terms, term{w.not, test})
	}
	return f, nil
}

// filterWord is one word of a filter without its sign and quotes.
type filterWord struct {
	text   string
	not    bool
	quoted bool // begins with a quote
}

// filterWords splits a filter at blanks outside quotes. A quote that is still open reaches to the end.
func filterWords(text string) []filterWord {
	var out []filterWord
	for text = strings.TrimLeft(text, " "); text != ""; text = strings.TrimLeft(text, " ") {
		var w filterWord
		if w.not = len(text) > 1 && text[0] == '-' && text[1] != ' '; w.not {
			text = text[1:]
		}
		w.quoted = text[0] == '"'
		var b strings.Builder
		inside, end := false, len(text)
		for i, r := range text {
			if r == ' ' && !inside {
				end = i
				break
			}
			if r == '"' {
				inside = !inside
				continue
			}
			b.WriteRune(r)
		}
		w.text, text = b.String(), text[end:]
		if w.text != "" {
			out = append(out, w)
		}
	}
	return out
}

// test tells whether a node has what a word asks for.
type test = func(*search, *tree.Node) bool

func parseTerm(w filterWord, sp tree.Space) (test, error) {
	word := w.text
	if w.quoted {
		return contains(word), nil
	}
	name, isParam := strings.CutPrefix(word, "param:")
	if i := strings.IndexAny(name, "<>="); i > 0 {
		if i > 1 && name[i-1] == '!' {
			i--
		}
		return parseCompare(name[:i], name[i:], isParam, sp)
	}
	if isParam {
		return nil, fmt.Errorf("%s: compare the parameter with a value, as in param:lr<1e-4", word)
	}
	if key, val, ok := strings.Cut(strings.ToLower(word), ":"); ok {
		return parseKind(key, val)
	}
	return contains(word), nil
}

func contains(word string) test {
	word = strings.ToLower(word)
	return func(s *search, n *tree.Node) bool { return strings.Contains(s.haystack(n), word) }
}

// numbers are what of a node can be compared; false when the node has no such number.
var numbers = map[string]func(*search, *tree.Node) (float64, bool){
	"score": func(_ *search, n *tree.Node) (float64, bool) { return n.Val().Mean, n.Val().Known() },
	"test":  func(_ *search, n *tree.Node) (float64, bool) { return n.Test.Mean, n.Test.Known() },
	"gain":  func(s *search, n *tree.Node) (float64, bool) { return s.gain(n) },
	"depth": func(_ *search, n *tree.Node) (float64, bool) { return float64(n.Depth), true },
	"steps": func(_ *search, n *tree.Node) (float64, bool) { return float64(n.Transition.Steps), n.ID != tree.Root },
	"conf":  func(_ *search, n *tree.Node) (float64, bool) { return n.Transition.Confidence, n.ID != tree.Root },
	"id":    func(_ *search, n *tree.Node) (float64, bool) { return float64(n.ID), true },
	"tokens": func(_ *search, n *tree.Node) (float64, bool) {
		if n.Outcome == nil {
			return 0, false
		}
		return float64(n.Outcome.Cost.Tokens()), true
	},
}

// ops are the comparisons, longer ones first.
var ops = []string{"!=", "<=", ">=", "==", "<", ">", "="}

func parseCompare(name, rest string, isParam bool, sp tree.Space) (test, error) {
	op := ops[slices.IndexFunc(ops, func(o string) bool { return strings.HasPrefix(rest, o) })]
	text := rest[len(op):]
	get := numbers[strings.ToLower(name)]
	if isParam || get == nil {
		p, ok := findParam(sp, name)
		switch {
		case !ok:
			return nil, fmt.Errorf("%s: no such number or parameter; there are %s, and the parameters %s", name, strings.Join(numberNames, ", "), strings.Join(paramLabels(sp), ", "))
		case p.Kind == tree.KindChoice:
			return parseChoice(p, op, text)
		}
		get = func(_ *search, n *tree.Node) (float64, bool) { x, ok := n.Config[p.Name]; return x.Num, ok }
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		if text == "" {
			return nil, fmt.Errorf("%s%s needs a number", name, op)
		}
		return nil, fmt.Errorf("%s%s: %q is not a number", name, op, text)
	}
	return func(s *search, n *tree.Node) bool {
		x, ok := get(s, n)
		return ok && holds(x, op, v)
	}, nil
}

// findParam finds a parameter by its name or label.
func findParam(sp tree.Space, name string) (tree.Param, bool) {
	i := slices.IndexFunc(sp.Params, func(p tree.Param) bool {
		return strings.EqualFold(p.Name, name) || strings.EqualFold(p.Label(), name)
	})
	if i < 0 {
		return tree.Param{}, false
	}
	return sp.Params[i], true
}

// parseChoice compares a parameter that is one of several names.
func parseChoice(p tree.Param, op, text string) (test, error) {
	if op != "=" && op != "==" && op != "!=" {
		return nil, fmt.Errorf("%s is a choice: compare it with = or !=", p.Name)
	}
	i := slices.IndexFunc(p.Choices, func(c string) bool { return strings.EqualFold(c, text) })
	if i < 0 {
		return nil, fmt.Errorf("%s is one of %s", p.Name, strings.Join(p.Choices, ", "))
	}
	return func(_ *search, n *tree.Node) bool {
		v := n.Config[p.Name].Text
		return v != "" && (v == p.Choices[i]) == (op != "!=")
	}, nil
}

func holds(x float64, op string, v float64) bool {
	switch op {
	case "<":
		return x < v
	case "<=":
		return x <= v
	case ">":
		return x > v
	case ">=":
		return x >= v
	case "!=":
		return x != v
	}
	return x == v
}

// parseKind reads "key:value".
func parseKind(key, val string) (test, error) {
	key = or(map[string]string{"diagnosis": "diag"}[key], key)
	values, ok := kindValues[key]
	if !ok {
		return nil, fmt.Errorf("%s: not one of %s; text with a colon stands in quotes", key, strings.Join(kindKeys, " "))
	}
	if key == "by" && val != "" {
		return proposedBy(val), nil // agents have names of their own
	}
	fits := slices.DeleteFunc(slices.Clone(values), func(v string) bool { return !kindFits(key, v, val) })
	if len(fits) == 0 || val == "" {
		return nil, fmt.Errorf("%s:%s: %s", key, val, possible(key))
	}
	switch key {
	case "state":
		var states []tree.State
		for _, f := range fits {
			states = append(states, tree.State(or(stateWords[f], f)))
		}
		return func(_ *search, n *tree.Node) bool { return slices.Contains(states, n.State) }, nil
	case "verdict":
		return func(_ *search, n *tree.Node) bool {
			return n.Verdict != nil && slices.Contains(fits, string(n.Verdict.Decision))
		}, nil
	case "diag":
		return func(_ *search, n *tree.Node) bool {
			return slices.ContainsFunc(n.Transition.Diagnosis, func(f tree.Finding) bool {
				return slices.Contains(fits, strings.ToLower(string(f.Pathology)))
			})
		}, nil
	}
	return kinds[fits[0]], nil
}

// kindFits tells whether what was typed means a value: diagnoses are found by any part, kinds by the whole, others by how
// they begin.
func kindFits(key, value, typed string) bool {
	switch key {
	case "diag":
		return strings.Contains(value, typed)
	case "is":
		return value == typed
	}
	return strings.HasPrefix(value, typed)
}

// proposedBy finds nodes by who proposed them; the researcher is called as on the screen.
func proposedBy(val string) test {
	you := val == "you" || val == "me" || val == "human"
	return func(_ *search, n *tree.Node) bool {
		human := n.Transition.By == "human"
		switch {
		case n.ID == tree.Root:
			return false
		case you:
			return human
		case val == "agent":
			return !human
		}
		return !human && strings.Contains(strings.ToLower(n.Transition.By), val)
	}
}

var kinds = map[string]test{
	"best":    func(s *search, n *tree.Node) bool { return s.ix.bestPath[n.ID] },
	"pinned":  func(_ *search, n *tree.Node) bool { return n.Pinned },
	"fresh":   func(_ *search, n *tree.Node) bool { return n.Fresh },
	"open":    func(_ *search, n *tree.Node) bool { return n.State.Open() },
	"trained": func(_ *search, n *tree.Node) bool { return n.State.Trained() },
	"leaf":    func(_ *search, n *tree.Node) bool { return len(n.Children) == 0 },
	"edited":  func(_ *search, n *tree.Node) bool { return n.Verdict != nil && n.Verdict.Decision == tree.Edited },
}
