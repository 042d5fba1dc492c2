package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// owner says who holds a store to write. It is only ever used in a message: the lock is the file's own.
type owner struct {
	PID     int       `json:"pid"`
	Host    string    `json:"host"`
	Command string    `json:"command"`
	Since   time.Time `json:"since"`
}

func ownerPath(path string) string { return path + ".owner" }

// writeOwner leaves the note beside a store that this process has locked.
func writeOwner(path, command string) error {
	host, err := os.Hostname()
	if err != nil {
		host = "" // the note is for people; it does without
	}
	if command == "" {
		command = filepath.Base(os.Args[0])
	}
	b, err := json.Marshal(owner{PID: os.Getpid(), Host: host, Command: command, Since: time.Now().UTC()})
	if err != nil {
		return err
	}
	return os.WriteFile(ownerPath(path), b, fileMode)
}

func removeOwner(path string) error {
	if err := os.Remove(ownerPath(path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// holder describes who holds the store, as well as can be known.
func holder(path string) string {
	b, err := os.ReadFile(ownerPath(path))
	var o owner
	if err != nil || json.Unmarshal(b, &o) != nil || o.PID <= 0 {
		return "another process"
	}
	host, hostErr := os.Hostname()
	if hostErr == nil && o.Host == host && !alive(o.PID) {
		return "another process" // the note is of one that crashed
	}
	s := fmt.Sprintf("%s (process %d", printable(o.Command), o.PID)
	if hostErr != nil || o.Host != host {
		s += " on " + printable(o.Host)
	}
	return s + ", since " + o.Since.Local().Format("2006-01-02 15:04:05") + ")"
}

// printable drops control characters: the note is a file that anything may have written.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) {
			return -1
		}
		return r
	}, s)
	if len(s) > 200 {
		s = strings.ToValidUTF8(s[:200], "") + "…"
	}
	return s
}
