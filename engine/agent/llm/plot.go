package llm

import (
	"bytes"
	"fmt"
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"llmzero/engine/agent"
	"llmzero/engine/agent/curve"
	"llmzero/engine/tree"
)

// panels are the metrics that are drawn, in reading order.
var panels = []string{
	tree.MetricReward, tree.MetricEntropy, tree.MetricKL,
	tree.MetricZeroStd, tree.MetricLength, tree.MetricTruncated,
}

// Sizes of the picture: three panels a row at 72 dots an inch.
const (
	plotColumns = 3
	panelWidth  = 3.2 * vg.Inch
	panelHeight = 2.2 * vg.Inch
	plotDPI     = 72
)

var (
	pathColor = color.Gray{Y: 0xb0}
	nodeColor = color.RGBA{R: 0x00, G: 0x60, B: 0xc0, A: 0xff}
)

// plots draws the metrics of the path in grey and those of the node in blue, as one PNG of small panels.
func plots(t agent.Turn) ([][]byte, error) {
	var cells []*plot.Plot
	for _, metric := range panels {
		p, ok, err := panel(t, metric)
		if err != nil {
			return nil, fmt.Errorf("plot of %s: %w", metric, err)
		}
		if ok {
			cells = append(cells, p)
		}
	}
	if len(cells) == 0 {
		return nil, nil
	}
	rows := (len(cells) + plotColumns - 1) / plotColumns
	grid := make([][]*plot.Plot, rows)
	for r := range grid {
		grid[r] = make([]*plot.Plot, plotColumns)
		for c := range plotColumns {
			if i := r*plotColumns + c; i < len(cells) {
				grid[r][c] = cells[i]
			}
		}
	}
	canvas := vgimg.NewWith(vgimg.UseWH(plotColumns*panelWidth, vg.Length(rows)*panelHeight), vgimg.UseDPI(plotDPI))
	tiles := draw.Tiles{Rows: rows, Cols: plotColumns, PadX: vg.Millimeter, PadY: vg.Millimeter}
	for r, row := range plot.Align(grid, tiles, draw.New(canvas)) {
		for c, dc := range row {
			if grid[r][c] != nil {
				grid[r][c].Draw(dc)
			}
		}
	}
	var png bytes.Buffer
	if _, err := (vgimg.PngCanvas{Canvas: canvas}).WriteTo(&png); err != nil {
		return nil, fmt.Errorf("plot: %w", err)
	}
	return [][]byte{png.Bytes()}, nil
}

func panel(t agent.Turn, metric string) (*plot.Plot, bool, error) {
	s := curve.Of(t.Points, metric)
	if s.Len() < 2 {
		return nil, false, nil
	}
	p := plot.New()
	p.Title.Text = metric
	p.X.Label.Text = "step"
	for _, st := range t.Path {
		if st.Node.ID == t.Node.ID {
			continue
		}
		if err := line(p, curve.Of(st.Points, metric), pathColor); err != nil {
			return nil, false, err
		}
	}
	return p, true, line(p, s, nodeColor)
}

func line(p *plot.Plot, s curve.Series, c color.Color) error {
	if s.Len() < 2 {
		return nil
	}
	xy := make(plotter.XYs, s.Len())
	for i := range xy {
		xy[i].X, xy[i].Y = float64(s.Steps[i]), s.Values[i]
	}
	l, err := plotter.NewLine(xy)
	if err != nil {
		return err
	}
	l.Color, l.Width = c, vg.Points(1.5)
	p.Add(l)
	return nil
}
