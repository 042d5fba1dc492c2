package gpu

import (
	"math"
	"strings"
	"testing"

	"github.com/shirou/gopsutil/v4/cpu"
	"pgregory.net/rapid"
)

func TestBusy(t *testing.T) {
	before := []cpu.TimesStat{{User: 10, Idle: 10}, {System: 5, Iowait: 5}}
	after := []cpu.TimesStat{{User: 13, Idle: 11}, {System: 5, Iowait: 9}}
	total, cores := busy(before, after)
	if total != 37.5 || len(cores) != 2 || cores[0] != 75 || cores[1] != 0 {
		t.Errorf("busy = %v, %v; want 37.5, [75 0]", total, cores)
	}
	for _, before := range [][]cpu.TimesStat{nil, before[:1], after} {
		if total, cores := busy(before, after); !math.IsNaN(total) || cores != nil {
			t.Errorf("from %v: %v, %v; want nothing to compare", before, total, cores)
		}
	}
}

func TestBusyIsAPercentage(t *testing.T) {
	times := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) cpu.TimesStat {
		v := rapid.Float64Range(0, 1e9)
		return cpu.TimesStat{User: v.Draw(t, "user"), Idle: v.Draw(t, "idle"), Iowait: v.Draw(t, "iowait"), Steal: v.Draw(t, "steal")}
	}), 3, 3)
	rapid.Check(t, func(t *rapid.T) {
		total, cores := busy(times.Draw(t, "before"), times.Draw(t, "after"))
		for _, v := range append(cores, total) {
			if v < 0 || v > 100 {
				t.Fatalf("busy = %v, %v", total, cores)
			}
		}
	})
}

func TestStrings(t *testing.T) {
	d := Device{
		Index: 1, Name: "NVIDIA H200", Utilization: 91, MemUsed: 61 << 30, MemTotal: 141 << 30,
		PowerW: 412, PowerLimitW: 700, TempC: 58, Present: Utilization | Memory | Power | PowerLimit | Temperature,
	}
	h := Host{CPU: 37, Cores: []float64{1, 2}, MemUsed: 3 << 30, MemTotal: 8 << 30, Load1: 1.2}
	for _, c := range []struct{ got, want string }{
		{d.String(), "GPU1 NVIDIA H200: 91%, 61.0 of 141.0 GiB, 412 of 700 W, 58 °C"},
		{Device{Present: Power, PowerW: 3}.String(), "GPU0: 3 W"},
		{Device{}.String(), "GPU0: reports no readings"},
		{Device{Name: "X", Err: "gone"}.String(), "GPU0 X: gone"},
		{h.String(), "host 2 cores: 37%, 3.0 of 8.0 GiB, load 1.20"},
		{Host{CPU: math.NaN(), Load1: math.NaN(), Err: "unreadable"}.String(), "host: unreadable"},
		{Status{Sentence: "none", Remedy: "buy one"}.String(), "none - buy one"},
		{Report{Status: Status{Sentence: "none"}, Devices: []Device{{}}, Host: h}.String(), "none\nGPU0: reports no readings\n" + h.String()},
		{State(200).String(), "State(200)"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

func TestEveryStatusHasASentence(t *testing.T) {
	for _, err := range []error{errNoLibrary, errBadLibrary, errNotLoaded, errMismatch, errPermission, errUnsupported} {
		st := statusOf(err, 0, "")
		if st.Sentence == "" || st.State == Unknown || st.State == Available || strings.Contains(st.Sentence, "\n") {
			t.Errorf("%v gives %+v", err, st)
		}
	}
}

func TestValue(t *testing.T) {
	d := Device{MemUsed: 1, MemTotal: 4, TempC: 50, Present: Memory | Temperature}
	if d.Value(Memory) != 25 || d.Value(Temperature) != 50 || !math.IsNaN(d.Value(Power)) || !math.IsNaN(d.Value(Memory|Temperature)) {
		t.Errorf("memory %v, temperature %v, power %v", d.Value(Memory), d.Value(Temperature), d.Value(Power))
	}
	if !math.IsNaN((Host{}).MemPercent()) {
		t.Error("memory that was not read has no percentage")
	}
}
