package tui

import (
	"fmt"
	"math"

	"llmzero/gpu"
	"llmzero/themes"
	"llmzero/tui/component/paint"
)

// Sampled shows what a running sampler reads: its GPUs, and the host.
func Sampled(s *gpu.Sampler) Devices { return sampled{s} }

type sampled struct{ *gpu.Sampler }

// Snapshot is the latest reading in the screen's units. The host comes last, behind the GPUs.
func (d sampled) Snapshot() DeviceReport {
	s := d.Sampler.Snapshot()
	r := DeviceReport{Note: s.Status.Sentence}
	now, ok := s.Latest()
	if !ok {
		return r
	}
	for _, g := range now.Devices {
		past := func(f gpu.Field) []float64 { return s.DeviceSeries(g.Index, f) }
		v := Device{
			Name: fmt.Sprintf("GPU%d %s", g.Index, g.Name), Util: g.Value(gpu.Utilization) / 100, MemUsed: float64(g.MemUsed),
			MemAll: float64(g.MemTotal), Watts: g.Value(gpu.Power), Celsius: g.Value(gpu.Temperature), Limit: g.Value(gpu.PowerLimit), Note: g.Err,
		}
		v.Past.Util, v.Past.Mem = shares(past(gpu.Utilization)), shares(past(gpu.Memory))
		v.Past.Watts, v.Past.Celsius = past(gpu.Power), past(gpu.Temperature)
		r.Devices = append(r.Devices, v)
	}
	h := now.Host
	host := Device{
		Name: "CPU", Util: h.CPU / 100, MemUsed: float64(h.MemUsed), MemAll: float64(h.MemTotal), Watts: math.NaN(), Celsius: math.NaN(), Note: h.Err,
	}
	host.Past.Util, host.Past.Mem = shares(s.CPUSeries()), shares(s.MemSeries())
	r.Devices = append(r.Devices, host)
	return r
}

// shares turns percents into 0..1.
func shares(percent []float64) []float64 {
	out := make([]float64, len(percent))
	for i, v := range percent {
		out[i] = v / 100
	}
	return out
}

// deviceRows is how many rows the device strip would like.
func (a *app) deviceRows() int {
	n := len(a.devices.Devices)
	if a.opt.Devices == nil {
		return 0
	}
	per := a.devicesPerRow()
	return max(1, (n+per-1)/per)
}

// deviceWidth is what a device takes with its numbers.
const deviceWidth = 58

func (a *app) devicesPerRow() int { return max(1, a.w/deviceWidth) }

// drawDevices paints the GPUs and the host, and at the right how fast tokens are made. Devices without room are counted.
func (a *app) drawDevices(c paint.Canvas) {
	if c.H() == 0 {
		return
	}
	gl := a.look.glyphs
	per := a.devicesPerRow()
	right := ""
	if a.s != nil && a.s.rate.rate > 0 {
		right = count(a.s.rate.rate) + " tok/s"
	}
	all := a.devices.Devices
	if hidden := len(all) - per*c.H(); hidden > 0 {
		right = "+" + num(hidden) + " devices  " + right
	}
	end := c.TextRight(c.W()-1, 0, sMuted, right)
	width := (end - 1) / per
	for i, d := range all {
		row, col := i/per, i%per
		if row >= c.H() {
			break
		}
		a.drawDevice(c.Sub(1+col*width, row, width, 1), d)
	}
	switch n := len(all); {
	case n == 0:
		c.TextIn(1, 0, end-2, sFaint, or(a.devices.Note, "no devices measured"), gl.Mark.Ellipsis)
	case a.devices.Note != "" && n < per:
		c.TextIn(1+width*n, 0, end-width*n-3, sFaint, a.devices.Note, gl.Mark.Ellipsis)
	}
}

// deviceQuantity is one number of a device, with its past on a scale from 0 to top.
type deviceQuantity struct {
	text string
	past []float64
	top  float64
	ink  paint.Style
}

// quantities are what is measured of a device, the most telling first.
func (a *app) quantities(d Device) []deviceQuantity {
	calm := func(x, worry, alarm float64) paint.Style {
		switch {
		case x >= alarm:
			return sError
		case x >= worry:
			return sWarn
		}
		return sMuted
	}
	var out []deviceQuantity
	if !math.IsNaN(d.Util) { // a busy GPU is what one pays for: no alarm
		out = append(out, deviceQuantity{num(int(100*d.Util+0.5)) + "%", d.Past.Util, 1, sRun})
	}
	if d.MemAll > 0 {
		used := d.MemUsed / d.MemAll
		out = append(out, deviceQuantity{"mem " + three(d.MemUsed/(1<<30)) + "/" + bytesText(d.MemAll), d.Past.Mem, 1, calm(used, 0.9, 0.97)})
	}
	if d.Watts > 0 {
		top := d.Limit
		if !(top > 0) {
			top = highest(d.Past.Watts)
		}
		out = append(out, deviceQuantity{num(int(d.Watts)) + " W", d.Past.Watts, top, sMuted})
	}
	if d.Celsius > 0 {
		out = append(out, deviceQuantity{num(int(d.Celsius)) + a.look.glyphs.Mark.Degree, d.Past.Celsius, 100, calm(d.Celsius, 80, 88)})
	}
	return out
}

func highest(xs []float64) float64 {
	top := 1.0
	for _, x := range xs {
		if x > top {
			top = x
		}
	}
	return top
}

// drawDevice paints a device's numbers, each with its past as a sparkline where all of them fit with one, else the first alone.
func (a *app) drawDevice(c paint.Canvas, d Device) {
	gl := a.look.glyphs
	x := c.TextIn(0, 0, max(6, c.W()/3), sMuted, d.Name, gl.Mark.Ellipsis) + 1
	all := a.quantities(d)
	numbers := 0
	for _, q := range all {
		numbers += paint.Width(q.text) + 2
	}
	spark := min(8, (c.W()-x-numbers-paint.Width(d.Note))/max(1, len(all))-1)
	for i, q := range all {
		cells := spark
		if spark < 4 {
			if cells = 0; i == 0 && c.W()-x-numbers >= 9 {
				cells = 8
			}
		}
		if x+cells+paint.Width(q.text)+1 >= c.W() {
			break
		}
		if n := min(cells, len(q.past)); cells > 0 && n > 0 {
			c.Text(x+cells-n, 0, q.ink, gl.SparklineIn(q.past[len(q.past)-n:], n, 0, q.top))
			x += cells + 1
		}
		x = c.Text(x, 0, q.ink, q.text) + 2
	}
	if d.Note != "" {
		c.TextIn(x, 0, c.W()-x, fg(themes.Warning), d.Note, gl.Mark.Ellipsis)
	}
}
