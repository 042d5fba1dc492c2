//go:build linux && cgo

package gpu

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/NVIDIA/go-nvml/pkg/nvml"
)

// The tests of this file load a driver library into a process, and a function of it once called stays bound for good.
// So each library is read by a child: this test binary, run again with libraryEnv set to the library's path.
const libraryEnv = "LLMZERO_GPU_TEST_LIBRARY"

// childReport is what a child saw: the status after opening, the devices of four readings, and the end of each.
type childReport struct {
	Status   Status
	Readings [][]Device
}

func TestMain(m *testing.M) {
	if path, ok := os.LookupEnv(libraryEnv); ok {
		os.Exit(child(path))
	}
	os.Exit(m.Run())
}

func child(path string) int {
	d, err := openDriver(path)
	w := watcher{driver: d, openErr: err}
	var r childReport
	for range 4 {
		var devices []Device
		devices, r.Status = w.read()
		r.Readings = append(r.Readings, devices)
	}
	if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
		return 1
	}
	return 0
}

// buildLibrary compiles testdata/fakenvml.c with the defines and returns its path. It needs a C compiler, which a cgo
// build usually has found already.
func buildLibrary(t *testing.T, defines ...string) string {
	t.Helper()
	cc, err := exec.LookPath("cc")
	if err != nil {
		t.Skip("needs a C compiler called cc, to build a driver library of a few lines")
	}
	out := filepath.Join(t.TempDir(), "libnvidia-ml.so.1")
	args := []string{"-shared", "-fPIC", "-o", out, "testdata/fakenvml.c"}
	for _, d := range defines {
		args = append(args, "-D"+d)
	}
	if msg, err := exec.CommandContext(t.Context(), cc, args...).CombinedOutput(); err != nil {
		t.Fatalf("cc: %v\n%s", err, msg)
	}
	return out
}

// readInChild fails the test if the child dies, which is what NVML does to a process that calls a missing function.
func readInChild(t *testing.T, library string) childReport {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe)
	// The race detector would otherwise wait a second at the end of each child.
	cmd.Env = append(os.Environ(), libraryEnv+"="+library, "GORACE=atexit_sleep_ms=0")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("the process did not survive %s: %v\n%s", library, err, stderr.String())
	}
	var r childReport
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("%v in %q", err, out)
	}
	return r
}

func TestLibraryIsRead(t *testing.T) {
	r := readInChild(t, buildLibrary(t))
	if r.Status.State != Available || r.Status.Driver != "570.1" || r.Status.Sentence != "2 GPUs, driver 570.1" {
		t.Errorf("status %+v", r.Status)
	}
	all := Utilization | Memory | Power | PowerLimit | Temperature | SMClock
	a := Device{
		Index: 0, Name: "Fake A", UUID: "GPU-a", Utilization: 91, MemUsed: 250, MemTotal: 1000,
		PowerW: 412.5, PowerLimitW: 700, TempC: 58, SMClockMHz: 1980, Present: all,
	}
	// The second GPU has no power meter, and a name with a control sequence.
	b := a
	b.Index, b.Name, b.UUID, b.Utilization, b.Present = 1, "Fake B[31m", "GPU-b", 7, all&^Power
	for _, devices := range r.Readings {
		if len(devices) != 2 || devices[0] != a {
			t.Fatalf("devices %+v, want first %+v", devices, a)
		}
		got := devices[1]
		got.PowerW = b.PowerW // whatever it holds, it is not Present
		if got != b {
			t.Fatalf("second device %+v, want %+v", got, b)
		}
	}
}

func TestOldLibraryLeavesFieldsAbsent(t *testing.T) {
	r := readInChild(t, buildLibrary(t, "OLD"))
	if r.Status.State != Available || r.Status.Driver != "" {
		t.Errorf("status %+v", r.Status)
	}
	d := r.Readings[0][0]
	if d.Present != Memory || d.MemUsed != 300 || d.MemTotal != 1000 || d.Name != "Fake A" || d.UUID != "" {
		t.Errorf("device %+v; an old driver has a name and memory alone", d)
	}
}

func TestLostGPU(t *testing.T) {
	r := readInChild(t, buildLibrary(t, "LOST"))
	if d := r.Readings[1][1]; d.Err != "" {
		t.Fatalf("lost too early: %+v", d)
	}
	for _, devices := range r.Readings[2:] {
		if d := devices[1]; !strings.Contains(d.Err, "fell off the bus") || d.Name != "Fake B[31m" || d.Present != 0 {
			t.Errorf("the lost GPU is %+v", d)
		}
		if devices[0].Err != "" || !devices[0].Has(Utilization) {
			t.Errorf("the other GPU is %+v", devices[0])
		}
	}
}

func TestLibrariesThatDoNotWork(t *testing.T) {
	garbage := filepath.Join(t.TempDir(), "libnvidia-ml.so.1")
	if err := os.WriteFile(garbage, []byte("not a library"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, library string
		state         State
		sentence      string
	}{
		{"missing", filepath.Join(t.TempDir(), "none.so"), NoDriver, "no NVIDIA driver (libnvidia-ml.so.1 not found"},
		{"garbage", garbage, Failed, "the NVML library cannot be used"},
		{"another library", buildLibrary(t, "NOINIT"), Failed, "has no nvmlInit_v2"},
		{"no kernel module", buildLibrary(t, "INIT=9"), NoDriver, "the NVIDIA kernel module is not loaded"},
		{"versions differ", buildLibrary(t, "INIT=18"), Failed, "different versions"},
		{"no permission", buildLibrary(t, "INIT=4"), Failed, "no permission"},
		{"new code", buildLibrary(t, "INIT=77"), Failed, "error code 77"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := readInChild(t, c.library)
			if r.Status.State != c.state || !strings.Contains(r.Status.Sentence, c.sentence) || r.Status.Remedy == "" {
				t.Errorf("status %+v, want %s with %q and a remedy", r.Status, c.state, c.sentence)
			}
			for _, devices := range r.Readings {
				if len(devices) != 0 {
					t.Errorf("devices %+v", devices)
				}
			}
		})
	}
}

// TestProbeHere asks this machine, whatever it has: the answer is a sentence, never the end of the process.
func TestProbeHere(t *testing.T) {
	r := Probe(context.Background(), Options{})
	if r.Status.Sentence == "" || r.Status.State == Unknown || r.Status.State == Unsupported {
		t.Errorf("status %+v", r.Status)
	}
	if (r.Status.State == Available) != (len(r.Devices) > 0) {
		t.Errorf("%s with %d devices", r.Status.State, len(r.Devices))
	}
	if r.Host.MemTotal == 0 || r.Host.MemUsed > r.Host.MemTotal {
		t.Errorf("host memory %d of %d", r.Host.MemUsed, r.Host.MemTotal)
	}
	if strings.HasPrefix(r.Status.Sentence, "no NVIDIA driver") && r.Status.Sentence != "no NVIDIA driver (libnvidia-ml.so.1 not found)" {
		t.Errorf("without a driver the sentence is %q", r.Status.Sentence)
	}
	t.Log("\n" + r.String())
}

func TestSuccessIsNil(t *testing.T) {
	if err := toError(0); err != nil {
		t.Errorf("success is %v", err)
	}
	for _, code := range []nvml.Return{nvml.ERROR_GPU_IS_LOST, nvml.ERROR_NOT_SUPPORTED, nvml.ERROR_UNKNOWN, 12345} {
		if err := toError(code); err == nil || err.Error() == "" {
			t.Errorf("code %d is %v", int32(code), err)
		}
	}
}
