package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
)

// result is one finished run, one line of the journal.
type result struct {
	Task   string  `json:"task"`
	Base   int     `json:"base"`
	Tokens int64   `json:"tokens"` // the budget
	Arm    string  `json:"arm"`
	Seed   uint64  `json:"seed"`
	Val    float64 `json:"val"`
	Test   float64 `json:"test"`
	Spent  int64   `json:"spent"` // prompt, sampled and trained tokens, at most a step above the budget
	Steps  int     `json:"steps"`
	Wall   float64 `json:"wall_s"`
	Kernel string  `json:"kernel"`
	Error  string  `json:"error,omitempty"` // a run that broke, with a score of 0
	// First and Last are means over the first and the last tenth of the steps.
	First map[string]float64 `json:"first"`
	Last  map[string]float64 `json:"last"`
}

// key tells runs apart.
type key struct {
	task   string
	base   int
	tokens int64
	arm    string
	seed   uint64
}

func (r result) key() key { return key{r.Task, r.Base, r.Tokens, r.Arm, r.Seed} }

// journal keeps results in a file of JSON lines, so that a study goes on where it was stopped.
type journal struct {
	mu   sync.Mutex
	file *os.File
	done map[key]result
}

// openJournal reads what is there. A last line that a crash cut off is dropped.
func openJournal(path string) (*journal, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	j := &journal{file: f, done: map[key]result{}}
	end, err := j.load()
	if err == nil {
		err = f.Truncate(end)
	}
	if err == nil {
		_, err = f.Seek(end, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read %s: %w", path, err), f.Close())
	}
	return j, nil
}

// load fills done and returns the offset after the last whole line.
func (j *journal) load() (int64, error) {
	var end int64
	r := bufio.NewReader(j.file)
	for line := 1; ; line++ {
		b, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return end, nil
		}
		if err != nil {
			return end, err
		}
		var x result
		if err := json.Unmarshal(b, &x); err != nil {
			return end, fmt.Errorf("line %d: %w", line, err)
		}
		j.done[x.key()] = x
		end += int64(len(b))
	}
}

func (j *journal) get(k key) (result, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	r, ok := j.done[k]
	return r, ok
}

func (j *journal) add(r result) error {
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, err := j.file.Write(append(b, '\n')); err != nil {
		return err
	}
	j.done[r.key()] = r
	return nil
}

func (j *journal) Close() error {
	if err := j.file.Close(); err != nil && !errors.Is(err, fs.ErrClosed) {
		return err
	}
	return nil
}
