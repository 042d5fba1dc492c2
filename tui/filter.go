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
//	score>0.6  gain>0  depth<=3  steps>20  conf<0.5  tokens>1e5    numbers of a node
//	state:failed  by:human  verdict:vetoed  diag:entropy  is:best   kinds of nodes
//	param:lr<1e-4  or shorter  lr<1e-4                              values of parameters, by name or label
//	anything else                                                   text in the node's changes, reasons and failure
type filter struct {
	text  string
	terms []term
}

type term struct {
	not  bool
	test func(s *search, n *tree.Node) bool
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

// parseFilter reads a filter for a space. The error names the word and what was expected.
func parseFilter(text string, sp tree.Space) (filter, error) {
	f := filter{text: strings.TrimSpace(text)}
	for word := range strings.FieldsSeq(text) {
		not := len(word) > 1 && word[0] == '-'
		if not {
			word = word[1:]
		}
		test, err := parseTerm(word, sp)
		if err != nil {
			return filter{}, err
		}
		f.terms = append(f.terms, term{not, test})
	}
	return f, nil
}

func parseTerm(word string, sp tree.Space) (func(*search, *tree.Node) bool, error) {
	name, hasParam := strings.CutPrefix(word, "param:")
	if i := strings.IndexAny(name, "<>="); i > 0 {
		return parseCompare(name[:i], name[i:], hasParam, sp)
	}
	if hasParam {
		return nil, fmt.Errorf("%s: compare the parameter with a value, as in param:lr<1e-4", word)
	}
	if key, val, ok := strings.Cut(word, ":"); ok {
		return parseKind(strings.ToLower(key), strings.ToLower(val))
	}
	word = strings.ToLower(word)
	return func(s *search, n *tree.Node) bool { return strings.Contains(s.haystack(n), word) }, nil
}

// numbers are what of a node can be compared; false when the node has no such number.
var numbers = map[string]func(*search, *tree.Node) (float64, bool){
	"score": func(_ *search, n *tree.Node) (float64, bool) { return n.Val().Mean, n.Val().Known() },
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

func parseCompare(name, rest string, isParam bool, sp tree.Space) (func(*search, *tree.Node) bool, error) {
	op := rest[:1]
	if len(rest) > 1 && rest[1] == '=' {
		op = rest[:2]
	}
	text := rest[len(op):]
	v, err := strconv.ParseFloat(text, 64)
	get := numbers[strings.ToLower(name)]
	if isParam || get == nil {
		i := slices.IndexFunc(sp.Params, func(p tree.Param) bool {
			return strings.EqualFold(p.Name, name) || strings.EqualFold(p.Label(), name)
		})
		if i < 0 {
			return nil, fmt.Errorf("%s: no such number or parameter; numbers are score, gain, depth, steps, conf, tokens, id", name)
		}
		p := sp.Params[i]
		if p.Kind == tree.KindChoice {
			if op != "=" && op != "==" {
				return nil, fmt.Errorf("%s is a choice: compare it with =", p.Name)
			}
			return func(_ *search, n *tree.Node) bool { return n.Config[p.Name].Text == text }, nil
		}
		get = func(_ *search, n *tree.Node) (float64, bool) { x, ok := n.Config[p.Name]; return x.Num, ok }
	}
	if err != nil {
		return nil, fmt.Errorf("%s%s: %q is not a number", name, op, text)
	}
	return func(s *search, n *tree.Node) bool {
		x, ok := get(s, n)
		return ok && holds(x, op, v)
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
	}
	return x == v
}

// parseKind reads "key:value".
func parseKind(key, val string) (func(*search, *tree.Node) bool, error) {
	switch key {
	case "state":
		i := slices.IndexFunc(tree.States, func(st tree.State) bool { return strings.HasPrefix(string(st), val) })
		if i < 0 || val == "" {
			return nil, fmt.Errorf("state:%s: the states are %v", val, tree.States)
		}
		return func(_ *search, n *tree.Node) bool { return strings.HasPrefix(string(n.State), val) }, nil
	case "by":
		return func(_ *search, n *tree.Node) bool { return strings.Contains(strings.ToLower(n.Transition.By), val) }, nil
	case "verdict":
		return func(_ *search, n *tree.Node) bool {
			return n.Verdict != nil && strings.HasPrefix(string(n.Verdict.Decision), val)
		}, nil
	case "diag", "diagnosis":
		return func(_ *search, n *tree.Node) bool {
			return slices.ContainsFunc(n.Transition.Diagnosis, func(f tree.Finding) bool {
				return strings.Contains(strings.ToLower(string(f.Pathology)), val)
			})
		}, nil
	case "is":
		if test := kinds[val]; test != nil {
			return test, nil
		}
		return nil, fmt.Errorf("is:%s: there are is:best, is:pinned, is:fresh, is:open, is:leaf, is:edited", val)
	}
	return nil, fmt.Errorf("%s: not one of state, by, verdict, diag, is and param", key)
}

var kinds = map[string]func(*search, *tree.Node) bool{
	"best":   func(s *search, n *tree.Node) bool { return s.ix.bestPath[n.ID] },
	"pinned": func(_ *search, n *tree.Node) bool { return n.Pinned },
	"fresh":  func(_ *search, n *tree.Node) bool { return n.Fresh },
	"open":   func(_ *search, n *tree.Node) bool { return n.State.Open() },
	"leaf":   func(_ *search, n *tree.Node) bool { return len(n.Children) == 0 },
	"edited": func(_ *search, n *tree.Node) bool { return n.Verdict != nil && n.Verdict.Decision == tree.Edited },
}
