package gpu

import (
	"context"
	"errors"
	"math"
	"runtime"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/load"
	"github.com/shirou/gopsutil/v4/mem"
)

// hostSampler reads the host by gopsutil. It keeps the processor times of its last reading itself: gopsutil's own
// Percent keeps them in one place for the whole process, where two samplers would disturb each other.
type hostSampler struct {
	last []cpu.TimesStat
}

// ReadHost implements hostReader. What cannot be read is absent and named in Err.
func (s *hostSampler) ReadHost(ctx context.Context) Host {
	h := Host{CPU: math.NaN(), Load1: math.NaN()}
	var errs []error
	if times, err := cpu.TimesWithContext(ctx, true); err != nil {
		errs = append(errs, err)
	} else {
		h.CPU, h.Cores = busy(s.last, times)
		s.last = times
	}
	if m, err := mem.VirtualMemoryWithContext(ctx); err != nil {
		errs = append(errs, err)
	} else {
		// Caches are given back on demand: what is available, not what is free, is the rest.
		h.MemTotal, h.MemUsed = m.Total, m.Total-min(m.Available, m.Total)
	}
	// Windows has no load average; gopsutil's stand-in there counts something else.
	if l, err := load.AvgWithContext(ctx); err == nil && runtime.GOOS != "windows" {
		h.Load1 = l.Load1
	}
	if err := errors.Join(errs...); err != nil {
		h.Err = "host readings incomplete: " + sentence(err)
	}
	return h
}

// busy is the percentage of time between two readings that each core, and all together, did not idle or wait for a disk.
// Without a comparable earlier reading the total is NaN and there are no cores.
func busy(before, after []cpu.TimesStat) (total float64, cores []float64) {
	if len(before) == 0 || len(before) != len(after) {
		return math.NaN(), nil
	}
	var work, all float64
	cores = make([]float64, len(after))
	for i := range after {
		// The kernel's counters may step back by a tick, above all idle and iowait.
		idle := max(after[i].Idle-before[i].Idle, 0) + max(after[i].Iowait-before[i].Iowait, 0)
		active := max(active(after[i])-active(before[i]), 0)
		if span := idle + active; span > 0 {
			cores[i] = min(100*active/span, 100) // rounding may pass 100
		}
		work, all = work+active, all+idle+active
	}
	if all == 0 {
		return math.NaN(), nil
	}
	return min(100*work/all, 100), cores
}

// active is the time a core worked, in seconds. Guest time is part of user time already.
func active(t cpu.TimesStat) float64 {
	return t.User + t.System + t.Nice + t.Irq + t.Softirq + t.Steal
}
