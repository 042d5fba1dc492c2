package gpu

import (
	"math"
	"time"
)

// Field names one value of a Device; a set of fields is their bitwise or.
type Field uint16

// The fields of a Device. Not every device reports each of them: under MIG there is no utilization, some boards have no
// power meter.
const (
	Utilization Field = 1 << iota // percent of the last sample period in which a kernel ran
	Memory                        // bytes used and total
	Power                         // watts drawn
	PowerLimit                    // watts allowed
	Temperature                   // degrees Celsius of the die
	SMClock                       // MHz of the streaming multiprocessors
)

// Device is one reading of one GPU. A value counts only if Has its field; otherwise it is zero.
type Device struct {
	Index       int
	Name        string // such as "NVIDIA H200"
	UUID        string
	Utilization float64 // percent, 0 ... 100
	MemUsed     uint64  // bytes
	MemTotal    uint64  // bytes
	PowerW      float64
	PowerLimitW float64
	TempC       float64
	SMClockMHz  float64
	Present     Field  // the fields that were read
	Err         string // why the device could not be read, such as "the GPU is lost ..."; else empty
}

// Has reports whether all the fields were read.
func (d Device) Has(f Field) bool { return d.Present&f == f }

// Value is one field as a number for a curve (Memory in percent of the total), NaN if it was not read.
func (d Device) Value(f Field) float64 {
	if !d.Has(f) {
		return math.NaN()
	}
	switch f {
	case Utilization:
		return d.Utilization
	case Memory:
		return percent(d.MemUsed, d.MemTotal)
	case Power:
		return d.PowerW
	case PowerLimit:
		return d.PowerLimitW
	case Temperature:
		return d.TempC
	case SMClock:
		return d.SMClockMHz
	}
	return math.NaN()
}

// Host is one reading of the machine itself.
type Host struct {
	CPU      float64   // percent of all cores together, 0 ... 100; NaN until two samples were taken
	Cores    []float64 // percent of each logical core, in the system's order; empty until two samples were taken
	MemUsed  uint64    // bytes that new programs could not have
	MemTotal uint64    // bytes; 0 if it could not be read
	Load1    float64   // processes running or waiting, averaged over one minute; NaN where the system has no such figure
	Err      string    // why a part could not be read; else empty
}

// MemPercent is the share of memory in use, NaN if it was not read.
func (h Host) MemPercent() float64 { return percent(h.MemUsed, h.MemTotal) }

func percent(used, total uint64) float64 {
	if total == 0 {
		return math.NaN()
	}
	return 100 * float64(used) / float64(total)
}

// Reading is everything read at one moment. It is never changed after it was taken.
type Reading struct {
	Time    time.Time
	Devices []Device // by index; empty without a driver
	Host    Host
}

// Snapshot is what a Sampler knows at one moment. Its readings are shared and must not be modified.
type Snapshot struct {
	Status   Status
	Interval time.Duration
	History  []Reading // oldest first
}

// Latest is the newest reading; ok is false before the first.
func (s Snapshot) Latest() (r Reading, ok bool) {
	if len(s.History) == 0 {
		return Reading{}, false
	}
	return s.History[len(s.History)-1], true
}

// DeviceSeries is one field of the device with that index over the history, oldest first, NaN where it was not read.
func (s Snapshot) DeviceSeries(index int, f Field) []float64 {
	out := make([]float64, len(s.History))
	for i, r := range s.History {
		out[i] = math.NaN()
		for _, d := range r.Devices {
			if d.Index == index {
				out[i] = d.Value(f)
			}
		}
	}
	return out
}

// CPUSeries is the host's processor use in percent over the history, oldest first.
func (s Snapshot) CPUSeries() []float64 {
	out := make([]float64, len(s.History))
	for i, r := range s.History {
		out[i] = r.Host.CPU
	}
	return out
}

// MemSeries is the host's memory use in percent over the history, oldest first.
func (s Snapshot) MemSeries() []float64 {
	out := make([]float64, len(s.History))
	for i, r := range s.History {
		out[i] = r.Host.MemPercent()
	}
	return out
}
