package llm

import (
	"embed"
	"fmt"
	"slices"
	"strings"
	"text/template"
	"unicode"

	"llmzero/engine/tree"
)

//go:embed prompts/*.tmpl
var promptFiles embed.FS

var prompts = template.Must(template.New("").Funcs(template.FuncMap{"score": scoreText}).ParseFS(promptFiles, "prompts/*.tmpl"))

// render runs one of the embedded templates. They are fixed at build time and tested, so that a failure is a mistake in
// the program; it is returned none the less, because a prompt must never take a search down.
func render(name string, data any) (string, error) {
	var b strings.Builder
	if err := prompts.ExecuteTemplate(&b, name, data); err != nil {
		return "", fmt.Errorf("prompt %s: %w", name, err)
	}
	return b.String(), nil
}

// section is a part of a prompt in one or more lengths, the longest first. When a prompt does not fit, the section with
// the lowest rank is shortened or, after its shortest form, left out; a section with keep is never left out.
type section struct {
	name  string
	forms []string
	rank  int
	keep  bool
}

// The ranks say what a model can best do without: first what happened elsewhere in the tree, last what its answer must
// respect.
const (
	rankBest = iota
	rankVetoes
	rankPath
	rankTried
	rankBudget
	rankSigns
	rankCurves
	rankSpace
	rankAlways
)

// assemble joins sections so that they take at most limit tokens as size counts them. It names what was shortened or left
// out, and tells the model.
func assemble(sections []section, limit int, size func(string) int) (text string, dropped []string) {
	at := make([]int, len(sections)) // form in use; len(forms) is left out
	for {
		text = joined(sections, at, dropped)
		if size(text) <= limit {
			return text, dropped
		}
		next := -1
		for i, s := range sections {
			last := len(s.forms)
			if s.keep {
				last--
			}
			if at[i] < last && (next < 0 || s.rank < sections[next].rank) {
				next = i
			}
		}
		if next < 0 {
			return text, dropped // the server will say that it is too long
		}
		at[next]++
		if !slices.Contains(dropped, sections[next].name) {
			dropped = append(dropped, sections[next].name)
		}
	}
}

func joined(sections []section, at []int, dropped []string) string {
	var parts []string
	for i, s := range sections {
		if at[i] < len(s.forms) && s.forms[at[i]] != "" {
			parts = append(parts, s.forms[at[i]])
		}
	}
	if len(dropped) > 0 {
		parts = append(parts, "(shortened or left out for length: "+strings.Join(dropped, ", ")+")")
	}
	return strings.Join(parts, "\n\n")
}

// estimate guesses how many tokens a text takes, rather too many than too few: digits and signs are often tokens of
// their own, words take one token for four letters.
func estimate(s string) int {
	var letters, others int
	for _, r := range s {
		switch {
		case unicode.IsLetter(r) && r < 128:
			letters++
		case r == ' ':
		default:
			others++
		}
	}
	return letters/3 + others + 4
}

// imageTokens is what an image is counted as; models take from 256 to about 1,500 for one of this size.
const imageTokens = 1000

func scoreText(s tree.Score) string {
	if !s.Known() {
		return "not scored"
	}
	return fmt.Sprintf("%.3f ±%.3f", s.Mean, s.SE)
}
