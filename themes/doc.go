// Package themes holds the colours and glyphs of the screen, apart from any terminal library.
//
// A [Theme] maps semantic tokens ([Accent], [Best], [Capacity], ...) to colours; the screen names a token and never a
// colour, so a theme can be swapped while the program runs. Built-in themes are written as the palettes their authors
// publish; [New] then moves the lightness (never the hue) of each text token just far enough to reach the WCAG 2.2 AA
// contrast of 4.5:1 on every surface it may stand on. User themes are TOML files that override a few tokens of a base
// theme ([Parse], [LoadDir]); an explicit override is kept as written and [Theme.Problems] says what is hard to read.
//
// A theme answers for the terminal at hand through [Theme.At]: full colour, the terminal's own 16 colours, or none.
// Glyphs come in two sets, [Unicode] (no patched font needed) and [ASCII]; every glyph is one cell wide.
package themes
