package llm

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// clean makes text of a model fit for a terminal and a store: valid UTF-8, no control or direction characters, white
// space folded, at most n runes.
func clean(s string, n int) string {
	var b strings.Builder
	space, count := false, 0
	for _, r := range strings.ToValidUTF8(s, "�") {
		switch {
		case unicode.IsSpace(r):
			space = b.Len() > 0
			continue
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Co, r):
			continue
		}
		if count++; space {
			count++
		}
		if count > n {
			b.WriteRune('…')
			break
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(r)
	}
	return b.String()
}

// head is the beginning of a text, at most n bytes.
func head(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

// overflows recognises a server's complaint that the prompt is too long. The API has no code for it.
func overflows(message string) bool {
	low := strings.ToLower(message)
	for _, sign := range []string{
		"context length", "context window", "context size", "exceeds the context", "maximum context", "prompt is too long", "input is too long",
	} {
		if strings.Contains(low, sign) {
			return true
		}
	}
	return false
}

// Bounds of the search for an answer's object: an answer may be hostile, or a small model that opens braces for ever.
const (
	maxOpen    = 3 // starts that reach the end of the text without closing; what follows lies inside them
	workFactor = 4 // bytes parsed in failed tries, as a multiple of the text
)

// extract finds the JSON object in an answer, past thinking text, code fences and prose: the last object that parses,
// since thoughts come first.
func extract(s string) (json.RawMessage, error) {
	for _, end := range []string{"</think>", "</thinking>", "</thought>"} {
		if i := strings.LastIndex(s, end); i >= 0 && strings.Contains(s[i:], "{") {
			s = s[i+len(end):]
		}
	}
	found, _ := lastObject(s)
	if found == nil {
		if strings.Contains(s, "{") {
			return nil, fmt.Errorf("the answer holds no complete JSON object")
		}
		return nil, fmt.Errorf("the answer holds no JSON object")
	}
	return found, nil
}

// lastObject tries every opening brace outside the objects found so far, within bounds; work is how many bytes the failed
// tries took.
func lastObject(s string) (found json.RawMessage, work int) {
	open := 0
	for i := 0; ; {
		at := strings.IndexByte(s[i:], '{')
		if at < 0 || open >= maxOpen || work > workFactor*len(s)+1024 {
			return found, work
		}
		i += at
		d := json.NewDecoder(strings.NewReader(s[i:]))
		var raw json.RawMessage
		err := d.Decode(&raw)
		if err == nil {
			if string(raw) != "{}" || found == nil {
				found = raw
			}
			i += int(d.InputOffset())
			continue
		}
		var wrong *json.SyntaxError
		if errors.As(err, &wrong) {
			work += int(wrong.Offset)
		} else { // the text ended
			work += len(s) - i
			open++
		}
		i++
	}
}
