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
	var left Left
	done := make(chan error, 1)
	go func() {
		var err error
		left, err = Run(t.Context(), Options{Library: newFakeLibrary(storybook()), Input: in, Output: &bytes.Buffer{}})
		done <- err
	}()
	if _, err := keys.Write([]byte("q")); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if left != (Left{Leave: LeaveStop}) {
		t.Errorf("left with %+v", left)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	in, _ := io.Pipe()
	defer func() { _ = in.Close() }()
	done := make(chan error, 1)
	go func() {
		_, err := Run(ctx, Options{Library: newFakeLibrary(), Input: in, Output: &bytes.Buffer{}})
		done <- err
	}()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
}

func TestRunNeedsALibrary(t *testing.T) {
	if _, err := Run(t.Context(), Options{}); err == nil {
		t.Error("no library should be an error")
	}
}
