package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"llmzero/trainer"
	"llmzero/trainer/grpo"
)

// trained runs llmzero train on a small job in folder dir, where ctx may end it.
func trained(ctx context.Context, args ...string) (stdout, stderr string, err error) {
	root := New(Parts{Trainers: trainer.Registry{"grpo": func(string) (trainer.Trainer, error) { return &grpo.Trainer{Workers: 1}, nil }}})
	var out, told bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&told)
	root.SilenceUsage = true
	root.SetArgs(append([]string{"train", "--task", "sort", "--json", "--val-samples", "16"}, args...))
	err = root.ExecuteContext(ctx)
	return out.String(), told.String(), err
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A run that is cut short before its first step leaves the file alone and reports the score of what it started from.
func TestTrainCutShortKeepsTheCheckpoint(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "b.st")
	args := []string{"--steps", "30", "--set", "learning_rate=3e-3", "--save", file}
	whole, _, err := trained(context.Background(), args...)
	if err != nil {
		t.Fatal(err)
	}
	before := read(t, file)
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	cut, told, err := trained(gone, append(args, "--from", file)...)
	if !errors.Is(err, ErrInterrupted) || ExitCode(err) != 130 || !strings.Contains(err.Error(), "before the first step") {
		t.Errorf("error %v", err)
	}
	if !strings.Contains(told, "left as it was") || !bytes.Equal(read(t, file), before) {
		t.Errorf("%d bytes after, %d before; told %q", len(read(t, file)), len(before), told)
	}
	var a, b, base trainer.Result
	plain, _, err := trained(gone, "--steps", "1")
	if !errors.Is(err, ErrInterrupted) {
		t.Errorf("error %v", err)
	}
	for text, to := range map[string]*trainer.Result{whole: &a, cut: &b, plain: &base} {
		if err := json.Unmarshal([]byte(text), to); err != nil {
			t.Fatal(err)
		}
	}
	if a.Test != b.Test || a.Val != b.Val || b.Test == base.Test || b.Steps != 0 {
		t.Errorf("trained: val %v test %v; cut short: val %v test %v after %d steps; base %v", a.Val, a.Test, b.Val, b.Test, b.Steps, base.Test)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) != 1 {
		t.Errorf("files left: %v %v", left, err)
	}
}

func TestTrainCutShortSaysWhatBecameOfTheCheckpoint(t *testing.T) {
	for _, c := range []struct {
		r    trainer.Result
		save string
		want string
	}{
		{trainer.Result{}, "a.st", "nothing was trained"},
		{trainer.Result{New: true, Steps: 3}, "", "after 3 steps; the checkpoint is not kept"},
		{trainer.Result{New: true, Steps: 3}, "a.st", "after 3 steps; the checkpoint is in a.st"},
	} {
		if got := cutShort(c.r, c.save).Error(); !strings.Contains(got, c.want) {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestReplaceFile(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "a"), filepath.Join(dir, "link")
	for _, text := range []string{"one", "two"} {
		if err := replaceFile(file, []byte(text)); err != nil || string(read(t, file)) != text {
			t.Errorf("%q: %v", read(t, file), err)
		}
	}
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, link); err != nil {
		t.Skipf("this file system has no symbolic links: %v", err)
	}
	if err := replaceFile(link, []byte("three")); err != nil || string(read(t, file)) != "three" {
		t.Errorf("through a link: %q, %v", read(t, file), err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link became %v, %v", info.Mode(), err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// An open reader of the old file sees the old content to its end: the file is replaced, not written over.
func TestReplaceFileIsAllAtOnce(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a")
	if err := replaceFile(file, []byte("three")); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }() // only read
	if err := replaceFile(file, []byte("four")); err != nil {
		t.Fatal(err)
	}
	var old bytes.Buffer
	if _, err := old.ReadFrom(f); err != nil || old.String() != "three" {
		t.Errorf("the open file reads %q, %v", old.String(), err)
	}
	if err := replaceFile(filepath.Join(dir, "none", "a"), nil); err == nil {
		t.Error("a folder that is not there")
	}
	if err := replaceFile(os.DevNull, []byte("x")); err != nil {
		t.Errorf("%s: %v", os.DevNull, err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) != 1 {
		t.Errorf("files left: %v %v", left, err)
	}
}
