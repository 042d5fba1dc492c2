package paint

import "llmzero/themes"

// Canvas is a rectangle of a grid; coordinates are relative to its top left corner. Canvases are values.
type Canvas struct {
	g    *Grid
	r    Rect // in the grid, may reach beyond it
	clip Rect // what of it may be painted
}

// Size is the width and height in cells.
func (c Canvas) Size() (w, h int) { return c.r.W, c.r.H }

// W is the width in cells.
func (c Canvas) W() int { return c.r.W }

// H is the height in cells.
func (c Canvas) H() int { return c.r.H }

// Bounds is the canvas's rectangle in the grid.
func (c Canvas) Bounds() Rect { return c.r }

// Sub is a part of c, clipped to c. Negative sizes are 0.
func (c Canvas) Sub(x, y, w, h int) Canvas {
	r := Rect{c.r.X + x, c.r.Y + y, max(0, w), max(0, h)}
	return Canvas{c.g, r, r.Intersect(c.clip)}
}

// Inset is c without a margin on each side.
func (c Canvas) Inset(dx, dy int) Canvas { return c.Sub(dx, dy, c.r.W-2*dx, c.r.H-2*dy) }

// Text paints s from (x, y) rightwards and returns the column behind it. Nothing is painted outside the canvas.
func (c Canvas) Text(x, y int, style Style, s string) int {
	gy := c.r.Y + y
	if gy < c.clip.Y || gy >= c.clip.Y+c.clip.H {
		return x + Width(s)
	}
	if c.g.ASCII {
		s = toASCII(s)
	}
	gx, lo, hi := c.r.X+x, c.clip.X, c.clip.X+c.clip.W
	for {
		cluster, rest, w := next(s)
		if w == 0 {
			return gx - c.r.X
		}
		switch {
		case gx >= lo && gx+w <= hi:
			c.g.set(gx, gy, cluster, w, style)
		case gx >= lo && gx < hi: // half of a wide cluster fits
			c.g.set(gx, gy, " ", 1, style)
		case gx < lo && gx+w > lo && lo < hi:
			c.g.set(lo, gy, " ", 1, style)
		}
		gx, s = gx+w, rest
	}
}

// TextRight paints s so that it ends before column x, and returns where it begins.
func (c Canvas) TextRight(x, y int, style Style, s string) int {
	begin := x - Width(s)
	c.Text(begin, y, style, s)
	return begin
}

// TextIn paints s into width cells, cut with an ellipsis.
func (c Canvas) TextIn(x, y, width int, style Style, s, ellipsis string) int {
	if c.g.ASCII { // before it is measured: ½ becomes longer
		s = toASCII(s)
	}
	return c.Text(x, y, style, Cut(s, width, ellipsis))
}

// Center paints s in the middle of row y.
func (c Canvas) Center(y int, style Style, s string) { c.Text((c.r.W-Width(s))/2, y, style, s) }

// Fill blanks the canvas in a style.
func (c Canvas) Fill(style Style) {
	for y := c.clip.Y; y < c.clip.Y+c.clip.H; y++ {
		for x := c.clip.X; x < c.clip.X+c.clip.W; x++ {
			c.g.set(x, y, " ", 1, style)
		}
	}
}

// Tint changes the style of cells in a row from column x, width cells wide, and leaves their text.
func (c Canvas) Tint(x, y, width int, change func(Style) Style) {
	gy := c.r.Y + y
	if gy < c.clip.Y || gy >= c.clip.Y+c.clip.H {
		return
	}
	for gx := max(c.clip.X, c.r.X+x); gx < min(c.clip.X+c.clip.W, c.r.X+x+width); gx++ {
		i := gy*c.g.w + gx
		c.g.cells[i].style = change(c.g.cells[i].style)
	}
}

// Zone makes a part of the canvas answer the mouse.
func (c Canvas) Zone(x, y, w, h int, kind string, index int) {
	r := Rect{c.r.X + x, c.r.Y + y, w, h}.Intersect(c.clip)
	if r.W > 0 && r.H > 0 {
		c.g.zones = append(c.g.zones, Zone{r, kind, index})
	}
}

// Frame draws a box along the canvas's edge and returns the inside. Titles are painted by the caller on row 0.
func (c Canvas) Frame(box themes.BoxGlyphs, style Style) Canvas {
	w, h := c.Size()
	if w < 2 || h < 2 {
		return c.Sub(0, 0, 0, 0)
	}
	for x := 1; x < w-1; x++ {
		c.Text(x, 0, style, box.Top)
		c.Text(x, h-1, style, box.Bottom)
	}
	for y := 1; y < h-1; y++ {
		c.Text(0, y, style, box.Left)
		c.Text(w-1, y, style, box.Right)
	}
	c.Text(0, 0, style, box.TopLeft)
	c.Text(w-1, 0, style, box.TopRight)
	c.Text(0, h-1, style, box.BottomLeft)
	c.Text(w-1, h-1, style, box.BottomRight)
	return c.Inset(1, 1)
}
