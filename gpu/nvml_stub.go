//go:build !(linux && cgo)

package gpu

import (
	"fmt"
	"runtime"
)

const unsupportedRemedy = "the embedded trainer needs none; GPUs are read by a Linux build with CGO_ENABLED=1 and a C compiler"

// openDriver reports that this build cannot load NVML.
func openDriver(string) (driver, error) {
	if runtime.GOOS == "linux" {
		return nil, fmt.Errorf("%w (built without cgo)", errUnsupported)
	}
	return nil, fmt.Errorf("%w (on %s)", errUnsupported, runtime.GOOS)
}
