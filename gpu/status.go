package gpu

import (
	"errors"
	"fmt"
	"strings"
)

// State is what became of the search for GPUs.
type State uint8

// The states. All but Available are normal; the host is read in each.
const (
	Unknown     State = iota // nobody has looked yet
	Available                // the driver answers and lists at least one GPU
	NoDriver                 // no NVIDIA driver on this machine
	NoDevice                 // the driver answers and lists no GPU
	Failed                   // there is a driver, and it does not work
	Unsupported              // this build or system cannot ask
)

// String is the state in one word.
func (s State) String() string {
	switch s {
	case Unknown:
		return "unknown"
	case Available:
		return "available"
	case NoDriver:
		return "no driver"
	case NoDevice:
		return "no device"
	case Failed:
		return "failed"
	case Unsupported:
		return "unsupported"
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// Status says whether GPUs can be read and, if not, why and what would help.
type Status struct {
	State    State
	Sentence string // one plain sentence without a full stop, such as "no NVIDIA driver (libnvidia-ml.so.1 not found)"
	Remedy   string // what to do about it, a sentence; empty if there is nothing to do
	Driver   string // the driver's version, if it answered
}

// String is the sentence and, after a dash, the remedy.
func (s Status) String() string {
	if s.Remedy == "" {
		return s.Sentence
	}
	return s.Sentence + " - " + s.Remedy
}

// Errors of the driver. A driver wraps them with what it was told; statusOf turns them into a sentence.
var (
	// errNoLibrary is returned when the system has no NVML library.
	errNoLibrary = errors.New("libnvidia-ml.so.1 not found")
	// errBadLibrary is returned when there is an NVML library that cannot be loaded or is not one.
	errBadLibrary = errors.New("the NVML library cannot be used")
	// errNotLoaded is returned when the library is there and the kernel module is not.
	errNotLoaded = errors.New("the NVIDIA kernel module is not loaded")
	// errMismatch is returned when library and kernel module have different versions.
	errMismatch = errors.New("the NVIDIA library and kernel module have different versions")
	// errPermission is returned when the user may not open the devices.
	errPermission = errors.New("no permission to read the GPUs")
	// errUnsupported is returned by the stub.
	errUnsupported = errors.New("this build cannot read GPUs")
)

// statusOf tells how the driver stands after opening it (err) and counting its devices.
func statusOf(err error, devices int, version string) Status {
	switch {
	case err == nil && devices > 0:
		return Status{State: Available, Sentence: fmt.Sprintf("%s, driver %s", count(devices, "GPU"), orUnknown(version)), Driver: version}
	case err == nil:
		return Status{
			State: NoDevice, Sentence: "the NVIDIA driver lists no GPU", Driver: version,
			Remedy: "in a container, start it with access to the GPUs (docker: --gpus all; slurm: --gres=gpu:1)",
		}
	case errors.Is(err, errUnsupported):
		return Status{State: Unsupported, Sentence: sentence(err), Remedy: unsupportedRemedy}
	case errors.Is(err, errNoLibrary):
		return Status{
			State: NoDriver, Sentence: "no NVIDIA driver (" + sentence(err) + ")",
			Remedy: "the embedded trainer needs none; for a GPU install NVIDIA's driver, or start the container with the NVIDIA runtime",
		}
	case errors.Is(err, errNotLoaded):
		return Status{
			State: NoDriver, Sentence: sentence(err),
			Remedy: "the embedded trainer needs none; for a GPU load the module (modprobe nvidia) and look at dmesg if that fails",
		}
	case errors.Is(err, errMismatch):
		return Status{State: Failed, Sentence: sentence(err), Remedy: "restart the machine after the driver's update"}
	case errors.Is(err, errPermission):
		return Status{State: Failed, Sentence: sentence(err), Remedy: "ask for read access to /dev/nvidiactl and /dev/nvidia0 ..."}
	}
	return Status{State: Failed, Sentence: sentence(err), Remedy: "see whether nvidia-smi works; if not, install the driver anew", Driver: version}
}

// sentence is the error without line breaks or control characters: the loader's messages hold paths of the system.
func sentence(err error) string { return clean(err.Error()) }

// clean drops control characters from text that comes from the driver.
func clean(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || (r >= 0x7f && r < 0xa0) || r == 0xfffd {
			return -1
		}
		return r
	}, s))
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func orUnknown(s string) string {
	if s == "" {
		return "of unknown version"
	}
	return s
}
