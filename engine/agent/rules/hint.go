package rules

import (
	"strconv"
	"strings"
	"unicode"

	"llmzero/engine/tree"
)

// hinted turns the researcher's last hint into a proposal when it names a parameter and a direction or a value: "lower
// the learning rate", "try lr 1e-4", "longer completions". Prose beyond that is for a language model.
func (w *work) hinted() []candidate {
	hints := w.turn.Hints
	if len(hints) == 0 {
		return nil
	}
	h := hints[len(hints)-1]
	moves := readHint(w.turn.Spec.Space, h.Text)
	if len(moves) == 0 {
		return nil
	}
	var at source
	var ok bool
	switch {
	case w.turn.Failure != nil:
		at, ok = w.parent("where the failed segment started")
	case w.turn.Fresh || w.turn.Node.ID == tree.Root:
		at, ok = w.root()
	default:
		at, ok = w.resume(chosen, match{})
	}
	if !ok {
		return nil
	}
	return []candidate{{
		at: at, moves: moves, confidence: 0.9, effect: "as the researcher expects",
		rationale: "The researcher's hint: " + printable(h.Text),
	}}
}

// ways are words that say in which direction.
var ways = map[string]float64{
	"up": 2, "raise": 2, "higher": 2, "increase": 2, "more": 2, "larger": 2, "longer": 1.5, "bigger": 2, "harder": 1.5,
	"double": 2, "grow": 2, "down": 0.5, "lower": 0.5, "decrease": 0.5, "reduce": 0.5, "less": 0.5, "smaller": 0.5,
	"shorter": 0.67, "halve": 0.5, "cut": 0.5, "drop": 0.5, "easier": 0.6, "fewer": 0.5,
}

// says are what people call parameters besides their names and labels.
var says = map[string]string{
	"lr": pLR, "learning rate": pLR, "kl": pBeta, "kl coefficient": pBeta, "length": pLength, "completions": pLength,
	"group": pGroup, "group size": pGroup, "generations": pGroup, "rank": pRank, "entropy bonus": pEntropy,
	"entropy": pEntropy, "clip": pGradNorm, "grad clip": pGradNorm, "batch": pPrompts, "prompts": pPrompts,
	"problems": pDifficulty, "inner epochs": pEpochs, "epochs": pEpochs, "decay": pDecay, "temp": pT,
}

// readHint finds moves in a sentence, at most one a parameter.
func readHint(space tree.Space, text string) []move {
	words := strings.FieldsFunc(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_.-+", r)
	})
	for i := range words {
		words[i] = strings.TrimRight(words[i], ".-+")
	}
	var out []move
	done := map[string]bool{}
	for i := 0; i < len(words); i++ {
		p, n, ok := nameAt(space, words[i:])
		if !ok || done[p.Name] {
			continue
		}
		if m, ok := moveAround(p, words, i, i+n); ok {
			done[p.Name] = true
			out = append(out, m)
		}
		i += n - 1
	}
	return out
}

// nameAt reads a parameter's name, label or byname of up to two words.
func nameAt(space tree.Space, words []string) (tree.Param, int, bool) {
	for n := min(2, len(words)); n >= 1; n-- {
		said := strings.Join(words[:n], " ")
		if said == "" {
			continue
		}
		low := strings.ToLower(said)
		for _, p := range space.Params {
			if low == p.Name || low == strings.ReplaceAll(p.Name, "_", " ") || said == p.Short || says[low] == p.Name {
				return p, n, true
			}
		}
	}
	return tree.Param{}, 0, false
}

// moveAround looks for a value or a direction next to words[from:to].
func moveAround(p tree.Param, words []string, from, to int) (move, bool) {
	const near = 3
	for _, w := range words[to:min(len(words), to+near)] {
		if p.Kind == tree.KindChoice {
			if v := tree.Choice(w); p.Check(v) == nil {
				return move{param: p.Name, to: v, set: true, reason: "the researcher's hint"}, true
			}
		} else if f, err := strconv.ParseFloat(w, 64); err == nil && p.Check(tree.Number(f)) == nil {
			return set(p.Name, f, "the researcher's hint"), true
		}
	}
	for d := 1; d <= near; d++ {
		for _, i := range []int{from - d, to + d - 1} {
			if i < 0 || i >= len(words) {
				continue
			}
			if f, ok := ways[strings.ToLower(words[i])]; ok {
				return move{param: p.Name, factor: f, reason: "the researcher's hint"}, true
			}
		}
	}
	return move{}, false
}

// printable drops control characters, since hints are shown on terminals.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
}
