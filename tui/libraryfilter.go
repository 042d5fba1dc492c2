package tui

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"llmzero/engine/tree"
)

// libraryFilter chooses searches. Its language: words separated by blanks must all hold; "-" before a word negates it.
//
//	best>0.6  gain>0  base<0.5  nodes>=10  segments<20  tokens>1e6  used>0.5  waiting>0    numbers of a search
//	status:waiting  task:sort  agent:ollama  policy:uct  trainer:grpo  name:first          what it is, in part
//	anything else                                                                          text in any of these
type libraryFilter []libraryTerm

type libraryTerm struct {
	not  bool
	test func(*tree.Summary) bool
}

func (f libraryFilter) match(s *tree.Summary) bool {
	for _, t := range f {
		if t.test(s) == t.not {
			return false
		}
	}
	return true
}

// libraryNumbers are what of a search can be compared; false when it has no such number.
var libraryNumbers = map[string]func(*tree.Summary) (float64, bool){
	"best":     func(s *tree.Summary) (float64, bool) { return s.BestVal, scored(s) },
	"gain":     func(s *tree.Summary) (float64, bool) { return s.BestVal - s.BaseVal, scored(s) },
	"base":     func(s *tree.Summary) (float64, bool) { return s.BaseVal, scored(s) },
	"nodes":    func(s *tree.Summary) (float64, bool) { return float64(s.Nodes), true },
	"segments": func(s *tree.Summary) (float64, bool) { return float64(s.Segments), true },
	"tokens":   func(s *tree.Summary) (float64, bool) { return float64(s.Tokens), true },
	"used":     func(s *tree.Summary) (float64, bool) { return s.Used, true },
	"waiting":  func(s *tree.Summary) (float64, bool) { return float64(s.Waiting), true },
}

// libraryTexts are what of a search can be named.
var libraryTexts = map[string]func(*tree.Summary) string{
	"task":    func(s *tree.Summary) string { return s.Task },
	"agent":   func(s *tree.Summary) string { return s.Agent },
	"policy":  func(s *tree.Summary) string { return s.Policy },
	"trainer": func(s *tree.Summary) string { return s.Trainer },
	"name":    func(s *tree.Summary) string { return s.Name + " " + s.Search },
}

// statusWords are what the library calls the statuses, those that need a person first.
var statusWords = []string{"waiting", "running", "paused", "failed", "done", "stopped"}

// statusWord is a search's status in one of these words.
func statusWord(s *tree.Summary) string {
	switch s.Status {
	case tree.SearchRunning:
		if s.Waiting > 0 {
			return "waiting"
		}
		return "running"
	case tree.SearchPaused, tree.SearchDone, tree.SearchFailed:
		return string(s.Status)
	case tree.SearchCanceled:
	}
	return "stopped"
}

// parseLibraryFilter reads a filter. The error says what is possible; the words that are right hold all the same, so that the
// list does not jump while a word is typed.
func parseLibraryFilter(text string) (libraryFilter, error) {
	var f libraryFilter
	var wrong error
	for word := range strings.FieldsSeq(strings.ToLower(text)) {
		word, not := strings.CutPrefix(word, "-")
		if word == "" {
			continue // the rest of it comes
		}
		test, err := parseLibraryTerm(word)
		if err != nil {
			wrong = err
			continue
		}
		f = append(f, libraryTerm{not, test})
	}
	return f, wrong
}

func parseLibraryTerm(word string) (func(*tree.Summary) bool, error) {
	if i := strings.IndexAny(word, "<>="); i > 0 {
		return parseLibraryNumber(word[:i], word[i:])
	}
	key, val, hasVal := strings.Cut(word, ":")
	text := libraryTexts[key]
	switch {
	case libraryNumbers[word] != nil:
		return nil, fmt.Errorf("compare it, as in %s>0", word)
	case key == "status":
		return parseLibraryStatus(val)
	case text == nil: // an agent's name has colons too
		return func(s *tree.Summary) bool { return strings.Contains(libraryText(s), word) }, nil
	case !hasVal, val == "":
		return nil, fmt.Errorf("%s:… takes a part of it", key)
	}
	return func(s *tree.Summary) bool { return strings.Contains(strings.ToLower(text(s)), val) }, nil
}

func parseLibraryNumber(name, rest string) (func(*tree.Summary) bool, error) {
	get := libraryNumbers[name]
	if get == nil {
		return nil, fmt.Errorf("%s: no such number; there are %s", name, strings.Join(slices.Sorted(maps.Keys(libraryNumbers)), " "))
	}
	op := rest[:1]
	if len(rest) > 1 && rest[1] == '=' {
		op = rest[:2]
	}
	v, err := strconv.ParseFloat(rest[len(op):], 64)
	if err != nil {
		return nil, fmt.Errorf("%s%s needs a number", name, op)
	}
	return func(s *tree.Summary) bool {
		x, ok := get(s)
		return ok && holds(x, op, v)
	}, nil
}

// parseLibraryStatus takes the beginning of a status. What waits runs as well, and what the store calls canceled is stopped.
func parseLibraryStatus(val string) (func(*tree.Summary) bool, error) {
	if val == string(tree.SearchCanceled) {
		val = "stopped"
	}
	if val == "" || !slices.ContainsFunc(statusWords, func(w string) bool { return strings.HasPrefix(w, val) }) {
		return nil, fmt.Errorf("status: one of %s", strings.Join(statusWords, " "))
	}
	return func(s *tree.Summary) bool {
		return strings.HasPrefix(statusWord(s), val) || (s.Status == tree.SearchRunning && strings.HasPrefix("running", val))
	}, nil
}

// libraryText is what a plain word is looked for in.
func libraryText(s *tree.Summary) string {
	return strings.ToLower(strings.Join([]string{s.Search, s.Name, s.Task, s.Trainer, s.Agent, s.Policy, string(s.Status), statusWord(s)}, " "))
}

// typed edits the library's filter. The list follows every letter; what is wrong is said in the filter's line.
func (h *home) typed(k tea.KeyPressMsg) bool {
	switch k.String() {
	case "enter":
		if h.filterErr == "" {
			h.typing = nil
		}
	case "esc":
		h.clearFilter()
	default:
		if !h.typing.typed(k) {
			return false
		}
		f, err := parseLibraryFilter(h.typing.value())
		h.terms, h.filter, h.filterErr = f, strings.TrimSpace(h.typing.value()), ""
		if err != nil {
			h.filterErr = err.Error()
		}
	}
	h.arrange()
	return true
}

func (h *home) clearFilter() {
	h.typing, h.filter, h.terms, h.filterErr = nil, "", nil, ""
	h.arrange()
}
