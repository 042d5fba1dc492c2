package llm

import (
	"strings"
	"testing"
)

// hostile are texts that open many braces.
var hostile = map[string]string{
	"open for ever":   strings.Repeat(`{"a":`, 20_000),
	"closed wrongly":  strings.Repeat(`{"a":`, 9_000) + "x" + strings.Repeat("}", 9_000),
	"wrong at an end": strings.Repeat(`{"a":[1,2,3],"b":`, 5_000) + "nil",
	"too deep":        strings.Repeat(`{"a":`, 20_000) + "1" + strings.Repeat("}", 20_000),
	"braces":          strings.Repeat("{", 100_000),
	"strings":         strings.Repeat(`{"`, 50_000),
}

// TestExtractIsLinear bounds the bytes that failed tries take by the text's length.
func TestExtractIsLinear(t *testing.T) {
	for name, s := range hostile {
		_, work := lastObject(s)
		if most := (workFactor+1)*len(s) + 2048; work > most {
			t.Errorf("%s: %d bytes parsed in a text of %d", name, work, len(s))
		}
	}
	// What comes before must not hide the answer as long as it is short.
	for name, before := range map[string]string{
		"thoughts":   "I take {x} and {y: 2}, or {\"a\": nothing}; so { is it. ",
		"an attempt": `{"proposals": [{"rationale": oops}]} `,
		"braces":     strings.Repeat("{", 200),
	} {
		got, err := extract(before + goodDiagnosis)
		if err != nil || string(got) != goodDiagnosis {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
}

func TestHead(t *testing.T) {
	if head("abc", 3) != "abc" || head("abcd", 3) != "abc" || head("aé", 2) != "a" {
		t.Error("head cuts wrongly")
	}
}
