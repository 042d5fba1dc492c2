package gpu

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// fakeDriver is scripted: each device answers by its function, and count is how many the driver lists.
type fakeDriver struct {
	mu       sync.Mutex
	count    int
	countErr error
	broken   map[int]error
	reads    int
}

func (f *fakeDriver) Version() string { return "1.2" }

func (f *fakeDriver) Count() (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.count, f.countErr
}

func (f *fakeDriver) Read(i int) (Device, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reads++
	if err := f.broken[i]; err != nil {
		return Device{Index: i, Present: Power, PowerW: 1}, err
	}
	return Device{Index: i, Name: "Fake", UUID: string(rune('a' + i)), Utilization: float64(f.reads), Present: Utilization}, nil
}

func (f *fakeDriver) set(change func(*fakeDriver)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

type fakeHost struct{}

func (fakeHost) ReadHost(context.Context) Host {
	return Host{CPU: 25, Cores: []float64{0, 50}, MemUsed: 1, MemTotal: 4, Load1: math.NaN()}
}

// running starts the sampler in the bubble and returns a function that ends and awaits it.
func running(t *testing.T, s *Sampler) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	synctest.Wait()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	}
}

func pass(d time.Duration) {
	time.Sleep(d) // the bubble's clock
	synctest.Wait()
}

func TestSamplerReadsOnceAnInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeDriver{count: 1}
		s := newSampler(Options{Capacity: 5}, func() (driver, error) { return f, nil }, fakeHost{})
		if st := s.Snapshot().Status; st.State != Unknown || st.Sentence == "" {
			t.Errorf("before Run: %+v", st)
		}
		if _, ok := s.Snapshot().Latest(); ok {
			t.Error("a reading before Run")
		}
		start := time.Now()
		stop := running(t, s)
		snap := s.Snapshot()
		if len(snap.History) != 1 || !snap.History[0].Time.Equal(start) || snap.Status.Sentence != "1 GPU, driver 1.2" {
			t.Errorf("at once: %d readings, %+v", len(snap.History), snap.Status)
		}
		pass(3 * time.Second)
		snap = s.Snapshot()
		if len(snap.History) != 4 {
			t.Fatalf("%d readings after 3 s, want 4", len(snap.History))
		}
		for i, r := range snap.History {
			if want := start.Add(time.Duration(i) * time.Second); !r.Time.Equal(want) {
				t.Errorf("reading %d at %v, want %v", i, r.Time, want)
			}
		}
		pass(100 * time.Second)
		got := s.Snapshot()
		latest, _ := got.Latest()
		if len(got.History) != 5 || latest.Devices[0].Utilization != 104 || !latest.Time.Equal(start.Add(103*time.Second)) {
			t.Errorf("after 103 s: %d readings, latest %+v", len(got.History), latest)
		}
		if len(snap.History) != 4 || snap.History[3].Devices[0].Utilization != 4 {
			t.Error("an earlier snapshot changed")
		}
		stop()
		pass(10 * time.Second)
		if f.reads != 104 {
			t.Errorf("%d reads; it went on after the end of Run", f.reads)
		}
	})
}

func TestSamplerWithoutDriver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSampler(Options{}, func() (driver, error) { return nil, errNoLibrary }, fakeHost{})
		stop := running(t, s)
		defer stop()
		pass(2 * time.Second)
		snap := s.Snapshot()
		if snap.Status.State != NoDriver || snap.Status.Sentence != "no NVIDIA driver (libnvidia-ml.so.1 not found)" {
			t.Errorf("status %+v", snap.Status)
		}
		r, ok := snap.Latest()
		if !ok || len(r.Devices) != 0 || r.Host.CPU != 25 || r.Host.MemPercent() != 25 {
			t.Errorf("the host should stand in: %+v", r)
		}
		if c := snap.CPUSeries(); len(c) != 3 || c[2] != 25 {
			t.Errorf("series %v", c)
		}
	})
}

// TestSlowDriver: while the driver takes its time, the host is read, and the end of Run waits for it.
func TestSlowDriver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		slow := func() (driver, error) {
			<-release
			return &fakeDriver{count: 1}, nil
		}
		s := newSampler(Options{}, slow, fakeHost{})
		stop := running(t, s)
		pass(2500 * time.Millisecond)
		r, ok := s.Snapshot().Latest()
		if st := s.Snapshot().Status; !ok || len(s.Snapshot().History) != 2 || r.Host.CPU != 25 || len(r.Devices) != 0 || st.State != Unknown {
			t.Errorf("while it waits: %+v, %+v", r, st)
		}
		close(release)
		synctest.Wait()
		if r, _ = s.Snapshot().Latest(); len(r.Devices) != 1 || s.Snapshot().Status.State != Available {
			t.Errorf("once it answers: %+v", r)
		}
		stop()

		release = make(chan struct{})
		s = newSampler(Options{}, slow, fakeHost{})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		cancel()
		synctest.Wait()
		select {
		case err := <-done:
			t.Errorf("Run left the driver's goroutine behind and returned %v", err)
		default:
		}
		close(release)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestSamplerToleratesDeviceErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeDriver{count: 3}
		s := newSampler(Options{}, func() (driver, error) { return f, nil }, fakeHost{})
		stop := running(t, s)
		defer stop()
		latest := func() []Device { r, _ := s.Snapshot().Latest(); return r.Devices }

		f.set(func(f *fakeDriver) { f.broken = map[int]error{1: errors.New("dead\x1b[2J\nGPU")} })
		pass(time.Second)
		d := latest()
		if len(d) != 3 || d[1].Err != "dead[2JGPU" || d[1].Name != "Fake" || d[1].UUID != "b" || d[1].Present != 0 {
			t.Errorf("one broken GPU: %+v", d)
		}
		if d[0].Err != "" || d[2].Err != "" || !d[2].Has(Utilization) {
			t.Errorf("the others: %+v", d)
		}

		f.set(func(f *fakeDriver) { f.count = 1 })
		pass(time.Second)
		if d = latest(); len(d) != 3 || d[0].Err != "" || !strings.Contains(d[2].Err, "no longer lists") || d[2].UUID != "c" {
			t.Errorf("two GPUs unplugged: %+v", d)
		}

		f.set(func(f *fakeDriver) { f.countErr = errors.New("driver gone") })
		pass(time.Second)
		if st := s.Snapshot().Status; st.State != Failed || st.Sentence != "driver gone" || st.Remedy == "" {
			t.Errorf("driver gone: %+v", st)
		}
		if d = latest(); len(d) != 3 || d[0].Err == "" {
			t.Errorf("driver gone: %+v", d)
		}

		f.set(func(f *fakeDriver) { f.countErr, f.count, f.broken = nil, 3, nil })
		pass(time.Second)
		if d = latest(); len(d) != 3 || d[1].Err != "" || s.Snapshot().Status.State != Available {
			t.Errorf("all back: %+v", d)
		}
		series := s.Snapshot().DeviceSeries(1, Utilization)
		if len(series) != 5 || math.IsNaN(series[0]) || !math.IsNaN(series[1]) || !math.IsNaN(series[3]) || math.IsNaN(series[4]) {
			t.Errorf("the curve of GPU 1 should have a gap: %v", series)
		}
	})
}

func TestSecondRunIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSampler(Options{}, func() (driver, error) { return &fakeDriver{}, nil }, fakeHost{})
		stop := running(t, s)
		over, cancel := context.WithCancel(t.Context())
		cancel() // a Run that is wrongly accepted returns at once
		if err := s.Run(over); err == nil {
			t.Error("a second Run was accepted")
		}
		if st := s.Snapshot().Status; st.State != NoDevice || st.Remedy == "" {
			t.Errorf("a driver without GPUs: %+v", st)
		}
		stop()
		running(t, s)() // once it has ended it may run again
	})
}

// TestSamplerHere runs the real thing on this machine while readers look on.
func TestSamplerHere(t *testing.T) {
	s := New(Options{Interval: time.Millisecond, Capacity: 4})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	for len(s.Snapshot().History) < 4 {
		select {
		case err := <-done:
			t.Fatalf("Run ended: %v", err)
		default:
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	snap := s.Snapshot()
	if snap.Status.State == Unknown || snap.Status.Sentence == "" {
		t.Errorf("status %+v", snap.Status)
	}
	for _, r := range snap.History {
		if r.Host.MemTotal == 0 || r.Host.CPU < 0 || r.Host.CPU > 100 {
			t.Errorf("host %+v", r.Host)
		}
	}
}
