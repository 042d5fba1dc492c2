// Package chart draws curves into a canvas: in braille dots, two by four a cell, or with one sign a cell where a
// terminal has no braille. Nothing in it knows what the curves mean.
package chart

import (
	"math"

	"llmzero/tui/component/paint"
)

// Series is one curve. Points must be in the order of X; NaN in Y leaves a gap.
type Series struct {
	X, Y  []float64
	Ink   paint.Ink
	Dash  int  // of every 2*Dash dots along the curve the first Dash are drawn; 0: all
	Steps bool // hold each value until the next point
	Wide  bool // drawn twice as wide, to stand out among others
}

// Mark is a stretch of the x axis that something is to be said about.
type Mark struct {
	From, To float64
	Ink      paint.Ink
}

// Plot is a chart. The curves are drawn in order, so the last one lies on top.
type Plot struct {
	Series         []Series
	Bands          []Band // beneath the curves
	Marks          []Mark
	X0, X1, Y0, Y1 float64
	Log            bool    // y on a logarithmic scale; values that are not positive are left out
	Cursor         float64 // x of a vertical line, NaN for none
	CursorInk      paint.Ink
	Point          string // the sign where braille is not available; empty draws braille
	Bg             paint.Ink
}

// Fit sets the bounds from the series: both axes to the data. A flat curve gets a band around it. It returns false when
// there is nothing to draw.
func (p *Plot) Fit() bool {
	x0, x1, ok := p.extent(func(x, _ float64) float64 { return x }, math.Inf(-1), math.Inf(1))
	if !ok {
		return false
	}
	if x0 == x1 {
		x1 = x0 + 1
	}
	p.X0, p.X1 = x0, x1
	p.FitY()
	return true
}

// FitY sets the bounds of y from the points between X0 and X1; without any there, it leaves them.
func (p *Plot) FitY() {
	y0, y1, ok := p.extent(func(_, y float64) float64 { return y }, p.X0, p.X1)
	if !ok {
		return
	}
	if y1-y0 < 1e-9*max(1, math.Abs(y0)) {
		room := max(math.Abs(y0)*0.1, 1e-3)
		y0, y1 = y0-room, y1+room
		if p.Log {
			y0 = max(y0, y1/10)
		}
	}
	p.Y0, p.Y1 = y0, y1
}

// extent is the range of a coordinate over the points that can be drawn and have lo <= x <= hi.
func (p *Plot) extent(of func(x, y float64) float64, lo, hi float64) (a, b float64, ok bool) {
	a, b = math.Inf(1), math.Inf(-1)
	for _, s := range p.Series {
		for i, y := range s.Y {
			x := s.X[i]
			if bad(y) || bad(x) || (p.Log && y <= 0) || x < lo || x > hi {
				continue
			}
			v := of(x, y)
			a, b = min(a, v), max(b, v)
		}
	}
	return a, b, a <= b
}

func bad(x float64) bool { return math.IsNaN(x) || math.IsInf(x, 0) }

// Draw paints the chart into the whole canvas.
func (p *Plot) Draw(c paint.Canvas) {
	w, h := c.Size()
	if w <= 0 || h <= 0 || !(p.X1 > p.X0) || !(p.Y1 > p.Y0) {
		return
	}
	d := newDots(w, h, p.Point == "")
	for _, b := range p.Bands {
		p.shade(c, d, b)
	}
	for i, s := range p.Series {
		d.curve, d.run = int8(1+i%126), 0
		p.trace(d, s)
	}
	for _, m := range p.Marks {
		lo, hi := p.Column(m.From, w), p.Column(m.To, w)
		for x := max(0, lo); x <= min(w-1, hi); x++ {
			d.mark(x, m.Ink)
		}
	}
	if !bad(p.Cursor) {
		if x := p.Column(p.Cursor, w); x >= 0 && x < w {
			for y := range h {
				c.Text(x, y, paint.Style{Fg: p.CursorInk, Bg: p.Bg}, "│")
			}
		}
	}
	d.paint(c, p.Point, p.Bg)
}

// Column is the cell column of x in a chart w cells wide.
func (p *Plot) Column(x float64, w int) int {
	f := (x - p.X0) / (p.X1 - p.X0) * float64(2*w-1)
	return int(math.Round(max(-4, min(float64(2*w)+4, f)))) / 2
}

// Row is the cell row of y in a chart h cells high, within it.
func (p *Plot) Row(y float64, h int) int {
	f, ok := p.level(y)
	if !ok {
		return h - 1
	}
	dots := 1
	if p.Point == "" {
		dots = 4
	}
	return int(math.Round((1-max(0, min(1, f)))*float64(h*dots-1))) / dots
}

// XAt is the x in the middle of a cell column.
func (p *Plot) XAt(col, w int) float64 {
	return p.X0 + (2*float64(col)+0.5)/float64(max(1, 2*w-1))*(p.X1-p.X0)
}

// trace draws a curve as lines between its points in dots.
func (p *Plot) trace(d *dots, s Series) {
	sx := float64(d.w-1) / (p.X1 - p.X0)
	px, py, pen := 0, 0, false
	for i := range s.Y {
		y, ok := p.level(s.Y[i])
		if !ok || bad(s.X[i]) {
			pen = false
			continue
		}
		x := int(math.Round(clamp((s.X[i]-p.X0)*sx, float64(d.w))))
		row := int(math.Round(clamp((1-y)*float64(d.h-1), float64(d.h))))
		switch {
		case pen && s.Steps:
			d.line(px, py, x, py, s)
			d.line(x, py, x, row, s)
		case pen:
			d.line(px, py, x, row, s)
		default:
			d.set(x, row, s)
		}
		px, py, pen = x, row, true
	}
}

// clamp keeps far-away points within a bounded distance of the canvas, so that a line to them ends.
func clamp(x, size float64) float64 { return max(-2*size-8, min(3*size+8, x)) }

// level places y in 0..1 of the chart's height, on its scale.
func (p *Plot) level(y float64) (float64, bool) {
	if bad(y) {
		return 0, false
	}
	if p.Log {
		if y <= 0 || p.Y0 <= 0 {
			return 0, false
		}
		return (math.Log(y) - math.Log(p.Y0)) / (math.Log(p.Y1) - math.Log(p.Y0)), true
	}
	return (y - p.Y0) / (p.Y1 - p.Y0), true
}
