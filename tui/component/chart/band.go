package chart

import (
	"math"

	"llmzero/tui/component/paint"
)

// Band is a filled stretch between two curves over the same points, such as an interval. It is drawn where there is braille, to an
// eighth of a cell, in the background of the curves.
type Band struct {
	X, Lo, Hi []float64
	Ink       paint.Ink
	Page      paint.Ink // what lies behind, for the cells that the band fills from above
}

// eighths are blocks that fill a cell from below.
var eighths = [...]string{" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"}

// shade fills a band and lets the curves know where it lies.
func (p *Plot) shade(c paint.Canvas, d *dots, b Band) {
	if d.cw == 1 {
		return
	}
	rows := float64(d.h / d.ch)
	for col := range d.cols {
		lo, hi, ok := p.bandAt(b, p.XAt(col, d.cols))
		if !ok {
			continue
		}
		top, end := (1-hi)*rows, (1-lo)*rows // in cells from above
		for y := max(0, int(math.Floor(top))); float64(y) < min(end, rows); y++ {
			above, below := max(0, top-float64(y)), max(0, float64(y+1)-end)
			if 1-above-below >= 0.3 {
				d.under[y*d.cols+col] = b.Ink
			}
			if above >= below {
				c.Text(col, y, paint.Style{Fg: b.Ink, Bg: p.Bg}, eighths[int(math.Round((1-above)*8))])
			} else {
				c.Text(col, y, paint.Style{Fg: b.Page, Bg: b.Ink}, eighths[int(math.Round(below*8))])
			}
		}
	}
}

// bandAt is the band at x in 0..1 of the chart's height.
func (p *Plot) bandAt(b Band, x float64) (lo, hi float64, ok bool) {
	for i := 1; i < len(b.X); i++ {
		if !(b.X[i-1] <= x && x <= b.X[i]) {
			continue
		}
		f := 0.0
		if b.X[i] > b.X[i-1] {
			f = (x - b.X[i-1]) / (b.X[i] - b.X[i-1])
		}
		lo, ok1 := p.level(b.Lo[i-1] + f*(b.Lo[i]-b.Lo[i-1]))
		hi, ok2 := p.level(b.Hi[i-1] + f*(b.Hi[i]-b.Hi[i-1]))
		return max(-1, lo), min(2, hi), ok1 && ok2
	}
	return 0, 0, false
}
