package paint

import "strings"

// likeness are the plain forms of the signs that the screen's words use.
var likeness = strings.NewReplacer("→", ">", "←", "<", "↑", "^", "↓", "v", "×", "x", "½", "0.5", "¼", "0.25", "¾", "0.75", "⅓", "0.33",
	"⅔", "0.67", "…", ".", "–", "-", "−", "-", "·", "-", "±", "~", "°", "C", "•", "*", "ε", "e", "σ", "sd", "μ", "u", "’", "'", "“", "\"", "”", "\"")

// toASCII replaces what is not ASCII.
func toASCII(s string) string {
	plain := true
	for i := range len(s) {
		plain = plain && s[i] < 0x80
	}
	if plain {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r < 0x80 {
			return r
		}
		return '?'
	}, likeness.Replace(s))
}
