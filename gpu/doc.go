// Package gpu reads what the machine is doing: each NVIDIA GPU through NVML, and the host's processors and memory.
//
// A [Sampler] reads once a second and keeps the last few minutes; its Run owns every call into the driver, so a driver
// that answers slowly never holds up a reader of [Sampler.Snapshot]. A machine without a GPU is a normal state: the
// [Status] says so in one sentence and the host readings stand in the place of the devices. [Probe] is the same question
// asked once, for the doctor command.
//
// NVML is loaded at run time by go-nvml, which needs cgo and Linux; elsewhere a stub reports [Unsupported] and only the
// host is read. Two properties of go-nvml shape nvml_linux.go: a call of a function that the loaded driver lacks, or any
// call while no library is loaded, ends the process (the symbol is bound lazily and cannot be found), so every function
// is looked up before its first use; and its Return is an error whose SUCCESS is not nil, so codes become errors in one
// place and never leave it. The library is never unloaded: functions once bound would point into nothing.
//
// For the same reason a toolchain that binds every function at the start of the program (-z now, as hardened ones do by
// default; musl always) makes a program that ends there with "undefined symbol: nvml...". Build with
// -ldflags=-extldflags=-Wl,-z,lazy, or with CGO_ENABLED=0 and without GPU readings. Go refuses the flag in a #cgo line.
package gpu
