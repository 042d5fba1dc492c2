package chart

import "llmzero/tui/component/paint"

// dots is a picture of single dots with a colour for each cell.
type dots struct {
	w, h   int // in dots
	cw, ch int // dots in a cell
	cols   int
	masks  []uint8
	inks   []paint.Ink
	owner  []int8      // which curve a cell belongs to
	curve  int8        // the curve being drawn
	run    int         // dots of it so far, drawn or left out
	under  []paint.Ink // background of cells, 0 for the chart's
	marked []paint.Ink // colour of marked columns, 0 for none
}

func newDots(cols, rows int, braille bool) *dots {
	d := &dots{cw: 1, ch: 1, cols: cols, masks: make([]uint8, cols*rows), inks: make([]paint.Ink, cols*rows)}
	if braille {
		d.cw, d.ch = 2, 4
	}
	d.w, d.h = cols*d.cw, rows*d.ch
	d.owner, d.under, d.marked = make([]int8, cols*rows), make([]paint.Ink, cols*rows), make([]paint.Ink, cols)
	return d
}

// bits are the braille dots by column and row.
var bits = [2][4]uint8{{0x01, 0x02, 0x04, 0x40}, {0x08, 0x10, 0x20, 0x80}}

func (d *dots) set(x, y int, s Series) {
	d.dot(x, y, s)
	if s.Wide && d.cw == 2 {
		d.dot(x, y+1, s)
		d.dot(x+1, y, s)
		d.dot(x+1, y+1, s)
	}
}

func (d *dots) dot(x, y int, s Series) {
	if x < 0 || y < 0 || x >= d.w || y >= d.h {
		return
	}
	if d.run++; s.Dash > 0 && (d.run/s.Dash)%2 == 1 {
		return
	}
	i := y/d.ch*d.cols + x/d.cw
	if d.owner[i] != d.curve { // a cell has one colour: the curve on top takes it whole, or it would look wider than it is
		d.owner[i], d.masks[i] = d.curve, 0
	}
	if d.cw == 1 {
		d.masks[i] = 1
	} else {
		d.masks[i] |= bits[x%2][y%4]
	}
	d.inks[i] = s.Ink
}

func (d *dots) mark(col int, ink paint.Ink) { d.marked[col] = ink }

// line draws a straight line in dots (Bresenham's algorithm).
func (d *dots) line(x0, y0, x1, y1 int, s Series) {
	dx, dy := abs(x1-x0), -abs(y1-y0)
	sx, sy := 1, 1
	if x0 > x1 {
		sx = -1
	}
	if y0 > y1 {
		sy = -1
	}
	e := dx + dy
	for {
		d.set(x0, y0, s)
		if x0 == x1 && y0 == y1 {
			return
		}
		e2 := 2 * e
		if e2 >= dy {
			e, x0 = e+dy, x0+sx
		}
		if e2 <= dx {
			e, y0 = e+dx, y0+sy
		}
	}
}

func abs(x int) int {
	if x < 0 {
		return -x
	}
	return x
}

// braille are the 256 signs as strings, so that painting a cell allocates nothing.
var braille = func() (t [256]string) {
	for i := range t {
		t[i] = string(rune(0x2800 + i))
	}
	return t
}()

func (d *dots) paint(c paint.Canvas, point string, bg paint.Ink) {
	for i, m := range d.masks {
		if m == 0 {
			continue
		}
		sign := point
		if d.cw == 2 {
			sign = braille[m]
		}
		ink := d.inks[i]
		if over := d.marked[i%d.cols]; over != 0 {
			ink = over
		}
		behind := bg
		if d.under[i] != 0 {
			behind = d.under[i]
		}
		c.Text(i%d.cols, i/d.cols, paint.Style{Fg: ink, Bg: behind}, sign)
	}
}
