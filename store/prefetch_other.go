//go:build !linux

package store

// prefetch is for Linux.
func prefetch(string) {}
