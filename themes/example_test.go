package themes_test

import (
	"fmt"

	"llmzero/themes"
)

// A user theme overrides a few tokens; a mistake is reported with its file, line and token.
func ExampleParse() {
	file := []byte("base = \"gruvbox-dark\"\n[colors]\naccent = \"#ff8800\"\n")
	th, err := themes.Parse("ember.toml", file, themes.Builtins())
	fmt.Println(th.Name, th.RGB(themes.Accent), th.RGB(themes.Background), err)

	_, err = themes.Parse("ember.toml", []byte("[colors]\naccent = \"orange\"\n"), themes.Builtins())
	fmt.Println(err)
	// Output:
	// ember #ff8800 #282828 <nil>
	// ember.toml:2: accent: "orange" is not a colour: write it as #rrggbb or #rgb
}

func ExampleGlyphs_Bar() {
	g := themes.ASCII()
	filled, empty := g.Bar(0.38, 8)
	fmt.Println(filled+empty, g.Sparkline([]float64{1, 2, 4, 8}, 4), g.State("evaluated"))
	// Output: ###..... _.=# *
}
