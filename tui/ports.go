package tui

import (
	"context"
	"fmt"
	"time"

	"llmzero/engine/event"
	"llmzero/engine/tree"
)

// Library is the collection of searches in a store. Its methods may block and are called from commands only.
type Library interface {
	// List returns all searches, newest first.
	List(ctx context.Context) ([]tree.Summary, error)
	// Open returns a search to look at; it does not make a stopped search go on (tree.CmdResume does).
	Open(ctx context.Context, id string) (Session, error)
	// Start creates a search and lets it run.
	Start(ctx context.Context, n NewSearch) (Session, error)
	// Remove deletes a search that does not run.
	Remove(ctx context.Context, id string) error
	// Export writes a search to a file and returns where it is. Formats are those of Catalog.Offer's Formats; an empty
	// path lets the library choose a name in the working folder.
	Export(ctx context.Context, id, format, path string) (string, error)
	// Import takes a search that Export wrote in full and returns its id.
	Import(ctx context.Context, path string) (string, error)
	// Probe tells why the file at path cannot be opened as another store, or nil.
	Probe(ctx context.Context, path string) error
}

// Session is one opened search. Its methods are safe for concurrent use.
type Session interface {
	// Tree returns a copy of the tree as it stands; the caller owns it.
	Tree() *tree.Tree
	// Subscribe delivers what happens from now on. For a search that does not run it stays silent until it does.
	Subscribe() *event.Subscription
	// Do carries out a steering act; its error is for people. CmdResume also starts a search that is not live.
	Do(ctx context.Context, c tree.Command) error
	// Live tells whether an engine works on the search in this process.
	Live() bool
	// Record reads what is kept about a node beside the tree.
	Record() Record
}

// Record reads the bulky parts of a search. Nodes without such data give empty slices.
type Record interface {
	// Points are the metric points of the node's own segment, in step order.
	Points(ctx context.Context, node tree.NodeID) ([]tree.Point, error)
	// Samples are recorded completions of the node's segment, oldest first.
	Samples(ctx context.Context, node tree.NodeID) ([]tree.Sample, error)
	// Exchanges are the agent's calls that looked at the node or led to it, oldest first.
	Exchanges(ctx context.Context, node tree.NodeID) ([]tree.Exchange, error)
	// Events are the journal's entries that touch the node, oldest first; a negative node asks for all of them.
	Events(ctx context.Context, node tree.NodeID) ([]event.Event, error)
}

// Catalog says what a new search can be made of.
type Catalog interface {
	Offer(ctx context.Context) (Offer, error)
	// Measure trains a few steps of what is asked for and tells what they took; false when that would take too long to be
	// done for a form.
	Measure(ctx context.Context, n NewSearch) (Pace, bool, error)
}

// Pace is what training takes on this machine.
type Pace struct {
	Step   time.Duration // an optimizer step
	Tokens float64       // of a step
	Val    time.Duration // scoring a checkpoint
}

// Offer is what there is to choose from.
type Offer struct {
	Trainers []tree.Description // the embedded trainer first
	Agents   []Choice
	Policies []Choice
	Formats  []Choice // of an export
	// Quick is the quick tour: what enter starts when the library is empty.
	Quick NewSearch
}

// Choice is one thing to choose, with the reason why it cannot be chosen when there is one.
type Choice struct {
	Name string
	Help string
	Why  string // empty when it is available
}

// NewSearch is what a person asked for. Zero fields take the engine's defaults.
type NewSearch struct {
	Name     string
	Task     string
	Base     int
	Trainer  string
	Agent    string
	Policy   string
	Launcher string
	Budget   tree.Budget
	Segment  int // optimizer steps
	Parallel int
	Seed     uint64
	Approval tree.Approval
	Root     tree.Config // changes to the trainer's default configuration
}

// Spec is the specification that was asked for.
func (n NewSearch) Spec() tree.Spec {
	return tree.Spec{
		Name: n.Name, Task: n.Task, Base: n.Base, Trainer: n.Trainer, Agent: n.Agent, Policy: n.Policy, Launcher: n.Launcher,
		Seed: n.Seed, Segment: n.Segment, Parallel: n.Parallel, Root: n.Root, Budget: n.Budget, Approval: n.Approval,
	}
}

// Devices tells how busy the machine is. Snapshot must not block: it is called once a second from Update's tick.
type Devices interface {
	Snapshot() DeviceReport
}

// DeviceReport is the machine at one moment.
type DeviceReport struct {
	Devices []Device
	Note    string // one sentence when something is missing: "no NVIDIA driver"
}

// Device is one GPU, or the host. Quantities that are not measured are NaN.
type Device struct {
	Name    string  // "GPU0 H200", "CPU"
	Util    float64 // 0..1
	MemUsed float64 // bytes
	MemAll  float64 // bytes
	Watts   float64 //
	Celsius float64 //
	Note    string  // "ECC errors", "throttled"
	// Past are the last readings, oldest first, one a second: of utilisation and memory as shares 0..1, watts and degrees as
	// they are. What is not measured is empty.
	Past struct{ Util, Mem, Watts, Celsius []float64 }
	// Limit is the power limit in watts, NaN or 0 when it is not known.
	Limit float64
}

// Doctor tells what is there and what is missing on this machine.
type Doctor interface {
	Facts(ctx context.Context) []Fact
}

// Fact is one line of the doctor.
type Fact struct {
	Name  string // "GPU", "Ollama", "TRL"
	Value string // "none (no NVIDIA driver)"
	OK    bool
	Hint  string // what to do about it
}

// String is the fact in one line.
func (f Fact) String() string {
	mark, hint := "–", ""
	if f.OK {
		mark = "✓"
	}
	if f.Hint != "" {
		hint = " — " + f.Hint
	}
	return fmt.Sprintf("%s %-10s %s%s", mark, f.Name, f.Value, hint)
}

// Memory keeps what the screen should remember between runs: settings under "settings" and one entry for each search.
// A key that was never saved gives nil.
type Memory interface {
	LoadState(ctx context.Context, key string) ([]byte, error)
	SaveState(ctx context.Context, key string, data []byte) error
}

// Leave says what becomes of running segments when the screen closes.
type Leave string

// The ways to leave.
const (
	LeaveStop   Leave = "stop"   // running segments stop; they are queued again when the search goes on
	LeaveDetach Leave = "detach" // external jobs go on without the screen; embedded segments stop as above
)

// Paths are the places that the settings page shows.
type Paths struct {
	Store  string
	Themes string
	Prices string
	Log    string
}

// clock is how the screen tells the time, so that pictures in tests do not change.
type clock func() time.Time
