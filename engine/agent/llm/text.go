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

// workFactor bounds the bytes parsed in failed tries as a multiple of the text: a small model may open braces for ever, and
// each start would be parsed to the text's end.
const workFactor = 4

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
	for i := 0; ; {
		at := strings.IndexByte(s[i:], '{')
		if at < 0 || work > workFactor*len(s)+1024 {
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
		}
		i++
	}
}
