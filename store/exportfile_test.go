package store

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestExportFile(t *testing.T) {
	s := testStore(t)
	path := filepath.Join(t.TempDir(), "x.llmzero")
	if _, err := s.ExportFile(t.Context(), "nothing-1", path); err == nil {
		t.Error("exported a search that is not there")
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a failed export left a file: %v", err)
	}
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.ExportFile(t.Context(), "nothing-1", path); !errors.Is(err, os.ErrExist) {
		t.Errorf("a file that is there: %v, want %v", err, os.ErrExist)
	}
}
