package tui

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
)

// TestRunLeavesOnQ runs the real program on a pipe: it must end on q, tell how it was left and report no error.
func TestRunLeavesOnQ(t *testing.T) {
	in, keys := io.Pipe()
	defer func() { _ = in.Close() }()
	var left Leave
	done := make(chan error, 1)
	go func() {
		done <- Run(t.Context(), Options{Library: newFakeLibrary(storybook()), Input: in, Output: &bytes.Buffer{}, OnLeave: func(l Leave) { left = l }})
	}()
	if _, err := keys.Write([]byte("q")); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if left != LeaveStop {
		t.Errorf("left with %q", left)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	in, _ := io.Pipe()
	defer func() { _ = in.Close() }()
	done := make(chan error, 1)
	go func() { done <- Run(ctx, Options{Library: newFakeLibrary(), Input: in, Output: &bytes.Buffer{}}) }()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
}

func TestRunNeedsALibrary(t *testing.T) {
	if err := Run(t.Context(), Options{}); err == nil {
		t.Error("no library should be an error")
	}
}
