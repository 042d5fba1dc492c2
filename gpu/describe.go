package gpu

import (
	"fmt"
	"math"
	"strings"
)

// String is the report as doctor prints it: the status, then a line for each GPU and one for the host, no line break at
// the end.
func (r Report) String() string {
	lines := []string{r.Status.String()}
	for _, d := range r.Devices {
		lines = append(lines, d.String())
	}
	return strings.Join(append(lines, r.Host.String()), "\n")
}

// String is the device in one line, such as "GPU0 NVIDIA H200: 91%, 61.0 of 141.0 GiB, 412 of 700 W, 58 °C".
func (d Device) String() string {
	head := fmt.Sprintf("GPU%d", d.Index)
	if d.Name != "" {
		head += " " + d.Name
	}
	if d.Err != "" {
		return head + ": " + d.Err
	}
	var parts []string
	if d.Has(Utilization) {
		parts = append(parts, fmt.Sprintf("%.0f%%", d.Utilization))
	}
	if d.Has(Memory) {
		parts = append(parts, fmt.Sprintf("%.1f of %.1f GiB", gib(d.MemUsed), gib(d.MemTotal)))
	}
	switch {
	case d.Has(Power | PowerLimit):
		parts = append(parts, fmt.Sprintf("%.0f of %.0f W", d.PowerW, d.PowerLimitW))
	case d.Has(Power):
		parts = append(parts, fmt.Sprintf("%.0f W", d.PowerW))
	}
	if d.Has(Temperature) {
		parts = append(parts, fmt.Sprintf("%.0f °C", d.TempC))
	}
	if len(parts) == 0 {
		return head + ": reports no readings"
	}
	return head + ": " + strings.Join(parts, ", ")
}

// String is the host in one line, such as "host 2 cores: 37%, 3.1 of 7.7 GiB, load 1.20".
func (h Host) String() string {
	head := "host"
	if n := len(h.Cores); n > 0 {
		head += " " + count(n, "core")
	}
	var parts []string
	if !math.IsNaN(h.CPU) {
		parts = append(parts, fmt.Sprintf("%.0f%%", h.CPU))
	}
	if h.MemTotal > 0 {
		parts = append(parts, fmt.Sprintf("%.1f of %.1f GiB", gib(h.MemUsed), gib(h.MemTotal)))
	}
	if !math.IsNaN(h.Load1) {
		parts = append(parts, fmt.Sprintf("load %.2f", h.Load1))
	}
	if h.Err != "" {
		parts = append(parts, h.Err)
	}
	return head + ": " + strings.Join(parts, ", ")
}

func gib(b uint64) float64 { return float64(b) / (1 << 30) }
