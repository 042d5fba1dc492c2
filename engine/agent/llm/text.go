package llm

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
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
		if space {
			b.WriteByte(' ')
			space = false
			count++
		}
		if count++; count > n {
			b.WriteRune('…')
			break
		}
		b.WriteRune(r)
	}
	return b.String()
}

// overflows recognises a server's complaint that the prompt is too long. The API has no code for it.
func overflows(message string) bool {
	low := strings.ToLower(message)
	for _, sign := range []string{"context length", "context window", "context size", "exceeds the context", "too long", "maximum context"} {
		if strings.Contains(low, sign) {
			return true
		}
	}
	return false
}

// extract finds the JSON object in an answer, past thinking text, code fences and prose: the last balanced object that
// parses, since thoughts come first.
func extract(s string) (json.RawMessage, error) {
	for _, end := range []string{"</think>", "</thinking>", "</thought>"} {
		if i := strings.LastIndex(s, end); i >= 0 && strings.Contains(s[i:], "{") {
			s = s[i+len(end):]
		}
	}
	var found json.RawMessage
	for i := 0; i < len(s); {
		if s[i] != '{' {
			_, n := utf8.DecodeRuneInString(s[i:])
			i += n
			continue
		}
		d := json.NewDecoder(strings.NewReader(s[i:]))
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			i++
			continue
		}
		if string(raw) != "{}" || found == nil {
			found = raw
		}
		i += int(d.InputOffset())
	}
	if found == nil {
		if strings.Contains(s, "{") {
			return nil, fmt.Errorf("the answer holds no complete JSON object")
		}
		return nil, fmt.Errorf("the answer holds no JSON object")
	}
	return found, nil
}
