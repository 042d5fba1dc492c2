// Package paint is the grid of cells that the screen is painted into.
//
// A [Grid] holds one terminal screen. A [Canvas] is a rectangle of it: everything painted through a canvas is clipped to
// the rectangle, and control characters, escape sequences and direction overrides never get in, so that text from a
// model or a file can do no harm and no line is ever wider than the terminal. A [Style] names inks, not colours;
// [Grid.Render] looks the inks up in a [Palette] made of a theme, so a theme changes without painting anew.
//
// Painting 200 by 60 cells and rendering them takes well under a millisecond, which joining styled strings does not.
package paint
