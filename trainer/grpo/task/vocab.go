package task

import (
	"fmt"
	"strings"
)

// The ids that mean the same in every vocabulary.
const (
	// PAD fills a prompt to its fixed length.
	PAD uint8 = 0
	// BOS starts every prompt.
	BOS uint8 = 1
	// EOS ends every completion.
	EOS uint8 = 2
)

// Vocab maps one-rune symbols to token ids below VocabSize. The zero ids PAD, BOS and EOS print as "_", "^" and "$".
type Vocab struct {
	symbols []rune
	ids     map[rune]uint8
}

// newVocab numbers the symbols from 3 on; it panics on a duplicate or a symbol too many, which is a programming error.
func newVocab(symbols string) *Vocab {
	v := &Vocab{ids: map[rune]uint8{}}
	for _, r := range "_^$" + symbols {
		if _, dup := v.ids[r]; dup || len(v.symbols) == VocabSize {
			panic(fmt.Sprintf("task: vocabulary %q: symbol %q twice or one too many", symbols, r))
		}
		v.ids[r] = uint8(len(v.symbols))
		v.symbols = append(v.symbols, r)
	}
	return v
}

// Len is the number of symbols, PAD, BOS and EOS among them. The policy has VocabSize ids whatever Len is.
func (v *Vocab) Len() int { return len(v.symbols) }

// Decode returns the text of ids; an id without a symbol prints as "?".
func (v *Vocab) Decode(ids []uint8) string {
	var b strings.Builder
	for _, id := range ids {
		if int(id) < len(v.symbols) {
			b.WriteRune(v.symbols[id])
		} else {
			b.WriteByte('?')
		}
	}
	return b.String()
}

// Encode returns the ids of a text; the error names the first symbol that the vocabulary lacks.
func (v *Vocab) Encode(text string) ([]uint8, error) {
	ids := make([]uint8, 0, len(text))
	for _, r := range text {
		id, ok := v.ids[r]
		if !ok {
			return nil, fmt.Errorf("symbol %q is not in the vocabulary %q", r, string(v.symbols))
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// must encodes text that the package itself wrote.
func (v *Vocab) must(text string) []uint8 {
	ids, err := v.Encode(text)
	if err != nil {
		panic("task: " + err.Error())
	}
	return ids
}
