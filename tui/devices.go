package tui

import (
	"fmt"
	"math"

	"llmzero/gpu"
)

// Sampled shows what a running sampler reads: its GPUs, or the host where there is none.
func Sampled(s *gpu.Sampler) Devices { return sampled{s} }

type sampled struct{ *gpu.Sampler }

// Snapshot is the latest reading in the screen's units.
func (d sampled) Snapshot() DeviceReport {
	s := d.Sampler.Snapshot()
	r := DeviceReport{Note: s.Status.Sentence}
	now, ok := s.Latest()
	if !ok {
		return r
	}
	share := func(percent []float64) []float64 {
		out := make([]float64, len(percent))
		for i, v := range percent {
			out[i] = v / 100
		}
		return out
	}
	for _, g := range now.Devices {
		r.Devices = append(r.Devices, Device{
			Name: fmt.Sprintf("GPU%d %s", g.Index, g.Name), Util: g.Value(gpu.Utilization) / 100, MemUsed: float64(g.MemUsed),
			MemAll: float64(g.MemTotal), Watts: g.Value(gpu.Power), Celsius: g.Value(gpu.Temperature),
			History: share(s.DeviceSeries(g.Index, gpu.Utilization)), Note: g.Err,
		})
	}
	if len(r.Devices) == 0 {
		h := now.Host
		r.Devices = []Device{{
			Name: "CPU", Util: h.CPU / 100, MemUsed: float64(h.MemUsed), MemAll: float64(h.MemTotal), Watts: math.NaN(),
			Celsius: math.NaN(), History: share(s.CPUSeries()), Note: h.Err,
		}}
	}
	return r
}
