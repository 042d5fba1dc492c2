package store

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
)

func TestScreenState(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.db")
	s := openTest(t, path)
	ctx := t.Context()
	if b, err := s.LoadState(ctx, "settings"); b != nil || err != nil {
		t.Fatalf("nothing was saved: %q, %v", b, err)
	}
	for _, v := range []string{"first", "second"} {
		if err := s.SaveState(ctx, "settings", []byte(v)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Compact(ctx); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openTest(t, path)
	if b, err := s.LoadState(ctx, "settings"); string(b) != "second" || err != nil {
		t.Errorf("after compacting and opening again: %q, %v", b, err)
	}
	for _, bad := range []struct {
		key  string
		data []byte
	}{{"", nil}, {strings.Repeat("k", maxScreenKey+1), nil}, {"k", bytes.Repeat([]byte{1}, maxScreenValue+1)}} {
		if err := s.SaveState(ctx, bad.key, bad.data); err == nil {
			t.Errorf("kept a key of %d and a value of %d bytes", len(bad.key), len(bad.data))
		}
	}
}
