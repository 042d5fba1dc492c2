package gpu

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Options configure a Sampler or a Probe. The zero value suits a workbench.
type Options struct {
	Interval time.Duration // between readings; 1 s by default
	Capacity int           // readings kept; 300 by default, five minutes
	Library  string        // path of the NVML library; by default the system's libnvidia-ml.so.1
}

const (
	defaultInterval = time.Second
	defaultCapacity = 300
)

// looking is the status until the driver was opened or found missing.
var looking = Status{State: Unknown, Sentence: "looking for GPUs"}

// driver is what the sampler needs of NVML. After any error it must still be safe to call.
type driver interface {
	// Version is the driver's version, or empty.
	Version() string
	// Count is the number of GPUs.
	Count() (int, error)
	// Read reads one GPU. A value the device does not have leaves its field absent; an error concerns the whole device,
	// and then the Device holds at least its index.
	Read(index int) (Device, error)
}

// hostReader reads the machine itself.
type hostReader interface {
	ReadHost(ctx context.Context) Host
}

// Sampler reads the machine at a fixed interval and keeps a history of fixed length. Run does the reading; Snapshot may
// be called at any time from any goroutine.
type Sampler struct {
	interval time.Duration
	open     func() (driver, error)
	host     hostReader

	mu      sync.Mutex
	running bool
	status  Status
	history ring[Reading]
}

// New makes a sampler; it reads nothing before Run.
func New(o Options) *Sampler {
	return newSampler(o, func() (driver, error) { return openDriver(o.Library) }, &hostSampler{})
}

func newSampler(o Options, open func() (driver, error), host hostReader) *Sampler {
	if o.Interval <= 0 {
		o.Interval = defaultInterval
	}
	if o.Capacity <= 0 {
		o.Capacity = defaultCapacity
	}
	return &Sampler{
		interval: o.Interval, open: open, host: host,
		status:  looking,
		history: newRing[Reading](o.Capacity),
	}
}

// Run looks for a driver, takes a reading as soon as it knows and one each interval, and returns nil when ctx is done
// and the driver has answered the last call. A second Run of the same sampler while one is under way is an error. A
// missing or failing driver is no error but a Status.
func (s *Sampler) Run(ctx context.Context) error {
	s.mu.Lock()
	if s.running {
		s.mu.Unlock()
		return errors.New("the sampler runs already")
	}
	s.running = true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.running = false
		s.mu.Unlock()
	}()

	// Initialising the driver takes seconds on a machine with many GPUs at rest; the host is read meanwhile.
	opened := make(chan *watcher, 1)
	go func() {
		d, err := s.open()
		opened <- &watcher{driver: d, openErr: err}
	}()
	var w *watcher
	defer func() {
		if w == nil {
			<-opened
		}
	}()
	ticks := time.NewTicker(s.interval)
	defer ticks.Stop()
	for {
		var now time.Time
		select {
		case <-ctx.Done():
			return nil
		case w = <-opened:
			now = time.Now()
			ticks.Reset(s.interval)
		case now = <-ticks.C:
		}
		s.sample(ctx, now, w)
	}
}

// sample takes one reading; w is nil while the driver is still being opened.
func (s *Sampler) sample(ctx context.Context, now time.Time, w *watcher) {
	r := Reading{Time: now, Host: s.host.ReadHost(ctx)}
	status := looking
	if w != nil {
		r.Devices, status = w.read()
	}
	if ctx.Err() != nil {
		return // the reading may be cut short
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status = status
	s.history.push(r)
}

// Snapshot is the status and a copy of the history at this moment.
func (s *Sampler) Snapshot() Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Snapshot{Status: s.status, Interval: s.interval, History: s.history.values()}
}

// watcher reads all devices and remembers those it has seen, so that one that vanishes is shown as gone, by its name,
// and does not shift the others.
type watcher struct {
	driver  driver
	openErr error
	seen    []Device // by index; identity only
}

func (w *watcher) read() ([]Device, Status) {
	if w.openErr != nil {
		return nil, statusOf(w.openErr, 0, "")
	}
	n, err := w.driver.Count()
	status := statusOf(err, n, w.driver.Version())
	if err != nil {
		n = 0
	}
	devices := make([]Device, 0, max(n, len(w.seen)))
	for i := range n {
		d, err := w.driver.Read(i)
		d.Index = i
		if err != nil {
			// What was read before the error is of a device in an unknown condition.
			d = Device{Index: i, Name: d.Name, UUID: d.UUID, Err: sentence(err)}
		}
		devices = append(devices, w.remember(d))
	}
	for i := n; i < len(w.seen); i++ {
		d := w.seen[i]
		d.Err = "the driver no longer lists this GPU"
		devices = append(devices, d)
	}
	return devices, status
}

// remember keeps the identity of a device that answered and completes that of one that did not.
func (w *watcher) remember(d Device) Device {
	for len(w.seen) <= d.Index {
		w.seen = append(w.seen, Device{Index: len(w.seen)})
	}
	known := &w.seen[d.Index]
	if d.Name != "" {
		known.Name = d.Name
	}
	if d.UUID != "" {
		known.UUID = d.UUID
	}
	if d.Err != "" {
		d.Name, d.UUID = known.Name, known.UUID
	}
	return d
}

// Report is what Probe found.
type Report struct {
	Status  Status
	Devices []Device
	Host    Host // CPU and Cores need two samples and are absent here
}

// Probe looks once, for the doctor command. It never fails: the report's Status says what there is, why not, and what
// would help.
func Probe(ctx context.Context, o Options) Report {
	d, err := openDriver(o.Library)
	w := watcher{driver: d, openErr: err}
	devices, status := w.read()
	return Report{Status: status, Devices: devices, Host: (&hostSampler{}).ReadHost(ctx)}
}
