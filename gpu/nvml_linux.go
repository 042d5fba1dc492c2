//go:build linux && cgo

package gpu

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/NVIDIA/go-nvml/pkg/dl"
	"github.com/NVIDIA/go-nvml/pkg/nvml"
)

const unsupportedRemedy = ""

// libraries are where the system may keep NVML: the loader's own path, then WSL's and NixOS's folder outside it.
var libraries = []string{
	"libnvidia-ml.so.1",
	"/usr/lib/wsl/lib/libnvidia-ml.so.1",
	"/run/opengl-driver/lib/libnvidia-ml.so.1",
}

// nvmlDriver is the real driver. lib is loaded and initialised; has holds the optional functions that it exports.
type nvmlDriver struct {
	lib     nvml.Interface
	version string
	has     map[string]bool
}

// optional are the functions without which a field is merely absent.
var optional = []string{
	"nvmlDeviceGetName", "nvmlDeviceGetUUID", "nvmlDeviceGetUtilizationRates", "nvmlDeviceGetMemoryInfo",
	"nvmlDeviceGetMemoryInfo_v2", "nvmlDeviceGetPowerUsage", "nvmlDeviceGetEnforcedPowerLimit",
	"nvmlDeviceGetTemperature", "nvmlDeviceGetClockInfo", "nvmlSystemGetDriverVersion",
}

// required are the functions without which nothing can be read; one of each group suffices.
var required = [][]string{
	{"nvmlInit_v2", "nvmlInit"},
	{"nvmlDeviceGetCount_v2", "nvmlDeviceGetCount"},
	{"nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetHandleByIndex"},
}

// openDriver loads and initialises NVML from path or, if it is empty, from where the system keeps it.
func openDriver(path string) (driver, error) {
	paths := libraries
	if path != "" {
		paths = []string{path}
	}
	var missing error
	for _, p := range paths {
		d, err := openLibrary(p)
		switch {
		case err == nil:
			return d, nil
		case !errors.Is(err, errNoLibrary):
			return nil, err // a library that is there and fails says more than those that are missing
		case missing == nil:
			missing = err
		}
	}
	return nil, missing
}

func openLibrary(path string) (*nvmlDriver, error) {
	// nvml.Init would load and call in one step; the functions that it calls must be looked up in between. This handle
	// stays open for good, so that the library does.
	handle := dl.New(path, dl.RTLD_LAZY|dl.RTLD_GLOBAL)
	if err := handle.Open(); err != nil {
		return nil, loadError(path, err)
	}
	for _, group := range required {
		if !exportsAny(handle, group) {
			return nil, fmt.Errorf("%w: %s has no %s", errBadLibrary, path, group[0])
		}
	}
	d := &nvmlDriver{lib: nvml.New(nvml.WithLibraryPath(path)), has: map[string]bool{}}
	if err := toError(d.lib.Init()); err != nil {
		return nil, err
	}
	for _, name := range optional {
		d.has[name] = d.lib.Extensions().LookupSymbol(name) == nil
	}
	if d.has["nvmlSystemGetDriverVersion"] {
		if v, ret := d.lib.SystemGetDriverVersion(); toError(ret) == nil {
			d.version = clean(v)
		}
	}
	return d, nil
}

func exportsAny(handle *dl.DynamicLibrary, names []string) bool {
	for _, n := range names {
		if handle.Lookup(n) == nil {
			return true
		}
	}
	return false
}

// loadError tells a library that is not there from one that cannot be loaded (a wrong architecture, a broken file).
func loadError(path string, err error) error {
	missing := strings.Contains(err.Error(), "No such file")
	if filepath.IsAbs(path) {
		_, statErr := os.Stat(path)
		missing = errors.Is(statErr, os.ErrNotExist)
	}
	if !missing {
		return fmt.Errorf("%w: %w", errBadLibrary, err)
	}
	if path == libraries[0] {
		return errNoLibrary
	}
	return fmt.Errorf("%w at %s", errNoLibrary, path)
}

// Version implements driver.
func (d *nvmlDriver) Version() string { return d.version }

// Count implements driver.
func (d *nvmlDriver) Count() (int, error) {
	n, ret := d.lib.DeviceGetCount()
	if err := toError(ret); err != nil {
		return 0, err
	}
	return max(n, 0), nil
}

// Read implements driver.
func (d *nvmlDriver) Read(index int) (Device, error) {
	out := Device{Index: index}
	dev, ret := d.lib.DeviceGetHandleByIndex(index)
	if err := toError(ret); err != nil {
		return out, err
	}
	r := fieldReader{has: d.has}
	r.read("nvmlDeviceGetName", 0, func() (ret nvml.Return) { out.Name, ret = dev.GetName(); return ret })
	r.read("nvmlDeviceGetUUID", 0, func() (ret nvml.Return) { out.UUID, ret = dev.GetUUID(); return ret })
	r.read("nvmlDeviceGetUtilizationRates", Utilization, func() nvml.Return {
		u, ret := dev.GetUtilizationRates()
		out.Utilization = min(float64(u.Gpu), 100)
		return ret
	})
	// The second version counts like nvidia-smi: what the driver reserves for itself is not in use.
	r.read("nvmlDeviceGetMemoryInfo_v2", Memory, func() nvml.Return {
		m, ret := dev.GetMemoryInfo_v2()
		out.MemUsed, out.MemTotal = m.Used, m.Total
		return ret
	})
	if r.present&Memory == 0 {
		r.read("nvmlDeviceGetMemoryInfo", Memory, func() nvml.Return {
			m, ret := dev.GetMemoryInfo()
			out.MemUsed, out.MemTotal = m.Used, m.Total
			return ret
		})
	}
	r.read("nvmlDeviceGetPowerUsage", Power, func() nvml.Return {
		mw, ret := dev.GetPowerUsage()
		out.PowerW = float64(mw) / 1000
		return ret
	})
	r.read("nvmlDeviceGetEnforcedPowerLimit", PowerLimit, func() nvml.Return {
		mw, ret := dev.GetEnforcedPowerLimit()
		out.PowerLimitW = float64(mw) / 1000
		return ret
	})
	r.read("nvmlDeviceGetTemperature", Temperature, func() nvml.Return {
		c, ret := dev.GetTemperature(nvml.TEMPERATURE_GPU)
		out.TempC = float64(c)
		return ret
	})
	r.read("nvmlDeviceGetClockInfo", SMClock, func() nvml.Return {
		mhz, ret := dev.GetClockInfo(nvml.CLOCK_SM)
		out.SMClockMHz = float64(mhz)
		return ret
	})
	out.Name, out.UUID, out.Present = clean(out.Name), clean(out.UUID), r.present
	return out, r.lost
}

// fieldReader calls one function after another, skips those the library lacks, and notes which fields were read. An
// error that concerns the device as a whole ends the reading.
type fieldReader struct {
	has     map[string]bool
	present Field
	lost    error
}

func (r *fieldReader) read(symbol string, f Field, call func() nvml.Return) {
	if r.lost != nil || !r.has[symbol] {
		return
	}
	ret := call()
	switch {
	case toError(ret) == nil:
		r.present |= f
	case ret == nvml.ERROR_GPU_IS_LOST || ret == nvml.ERROR_RESET_REQUIRED || ret == nvml.ERROR_UNINITIALIZED:
		r.lost = toError(ret)
	}
}

// toError converts a code of NVML once, here: nil for success. It has its own words because Return.Error calls into the
// library, by a function that need not be there.
func toError(ret nvml.Return) error {
	switch ret {
	case nvml.SUCCESS:
		return nil
	case nvml.ERROR_LIBRARY_NOT_FOUND:
		return errNoLibrary
	case nvml.ERROR_DRIVER_NOT_LOADED:
		return errNotLoaded
	case nvml.ERROR_LIB_RM_VERSION_MISMATCH:
		return errMismatch
	case nvml.ERROR_NO_PERMISSION:
		return errPermission
	case nvml.ERROR_NOT_SUPPORTED, nvml.ERROR_FUNCTION_NOT_FOUND:
		return errors.New("not supported by this device")
	case nvml.ERROR_GPU_IS_LOST:
		return errors.New("the GPU is lost: it fell off the bus and needs a restart of the machine")
	case nvml.ERROR_RESET_REQUIRED:
		return errors.New("the GPU must be reset before it can be used again")
	case nvml.ERROR_INSUFFICIENT_POWER:
		return errors.New("the GPU's power cables are not connected")
	case nvml.ERROR_UNINITIALIZED:
		return errors.New("the driver was unloaded or restarted; start llmzero again to read GPUs")
	case nvml.ERROR_IRQ_ISSUE:
		return errors.New("the system does not deliver the GPU's interrupts")
	default:
		return fmt.Errorf("the NVIDIA driver answered with error code %d", int32(ret))
	}
}
