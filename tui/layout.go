package tui

import "llmzero/tui/component/paint"

// regions are the parts of the search page.
type regions struct {
	header, tree, inspect, devices, footer paint.Rect
}

// arrange places the parts of the search page: one header row, tree beside inspector, device rows, one footer row. Below
// 76 columns only the pane with the focus is shown. split is the tree's share of the width in percent.
func arrange(w, h, split, devices int, inspecting bool) regions {
	var r regions
	r.header = paint.Rect{W: w, H: 1}
	r.footer = paint.Rect{Y: h - 1, W: w, H: 1}
	if h < 22 {
		devices = min(devices, 1)
	}
	devices = max(0, min(devices, h/8))
	r.devices = paint.Rect{Y: h - 1 - devices, W: w, H: devices}
	body := paint.Rect{Y: 1, W: w, H: h - 2 - devices}
	if w < 76 {
		if inspecting {
			r.inspect = body
		} else {
			r.tree = body
		}
		return r
	}
	left := max(30, min(w*split/100, w-40))
	r.tree = paint.Rect{X: 0, Y: body.Y, W: left, H: body.H}
	r.inspect = paint.Rect{X: left, Y: body.Y, W: w - left, H: body.H}
	return r
}

// part is the canvas of a region.
func part(c paint.Canvas, r paint.Rect) paint.Canvas { return c.Sub(r.X, r.Y, r.W, r.H) }
