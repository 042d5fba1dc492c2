// Package termtest drives a program in a pseudo-terminal for tests: it types keys, waits for text without sleeping (every
// byte the program writes wakes the waiter) and reads the screen as a person sees it, through a terminal emulator.
package termtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
)

// Patience is how long Until waits before it fails the test; shared machines are slow.
const Patience = 60 * time.Second

// again is how long PressUntilGone waits before it types once more.
const again = 2 * time.Second

// Terminal is a program in a pseudo-terminal.
type Terminal struct {
	t      testing.TB
	cmd    *exec.Cmd
	tty    *os.File
	screen *vt.SafeEmulator

	mu      sync.Mutex
	changed chan struct{} // closed and replaced on every output
	exited  chan struct{} // closed when the program ended
	drained chan struct{} // closed when all it wrote was read
	err     error         // of Wait, valid once exited
}

var keys = map[string]string{
	"enter": "\r", "esc": "\x1b", "tab": "\t", "space": " ", "backspace": "\x7f", "shift+tab": "\x1b[Z",
	"up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D", "pgup": "\x1b[5~", "pgdown": "\x1b[6~",
	"ctrl+c": "\x03", "ctrl+p": "\x10", "ctrl+u": "\x15",
}

// Start runs the command in a terminal of that size. The test's cleanup ends the program if it still runs, and waits for it.
func Start(t testing.TB, cols, rows int, cmd *exec.Cmd) *Terminal {
	t.Helper()
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, "TERM=xterm-256color", "COLORTERM=truecolor")
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: uint16(rows), Cols: uint16(cols)})
	if err != nil {
		t.Fatalf("start %s in a terminal: %v", cmd.Path, err)
	}
	x := &Terminal{
		t: t, cmd: cmd, tty: tty, screen: vt.NewSafeEmulator(cols, rows),
		changed: make(chan struct{}), exited: make(chan struct{}), drained: make(chan struct{}),
	}
	var reading sync.WaitGroup
	reading.Go(x.show)
	closing := make(chan struct{})
	reading.Go(func() { x.answer(closing) })
	go func() {
		x.err = cmd.Wait()
		close(x.exited)
	}()
	t.Cleanup(func() {
		select {
		case <-x.exited:
		default:
			_ = cmd.Process.Kill() // it may have just ended
			<-x.exited
		}
		_ = tty.Close()
		close(closing)
		x.screen.SendText("x") // wakes answer, which reads until then
		reading.Wait()
	})
	return x
}

// answer passes the emulator's answers to queries on to the program.
func (x *Terminal) answer(closing <-chan struct{}) {
	buf := make([]byte, 1<<10)
	for {
		n, err := x.screen.Read(buf)
		select {
		case <-closing:
			return
		default:
		}
		if err != nil {
			return
		}
		_, _ = x.tty.Write(buf[:n]) // fails once the program is gone, which Wait reports
	}
}

func (x *Terminal) show() {
	defer close(x.drained)
	buf := make([]byte, 32<<10)
	for {
		n, err := x.tty.Read(buf)
		if n > 0 {
			_, _ = x.screen.Write(buf[:n]) // the emulator never fails
		}
		x.mu.Lock()
		close(x.changed)
		x.changed = make(chan struct{})
		x.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// Press types keys by name ("enter", "esc", "ctrl+p"), or as they are ("a", "?").
func (x *Terminal) Press(names ...string) {
	x.t.Helper()
	for _, n := range names {
		s, ok := keys[n]
		if !ok {
			s = n
		}
		if _, err := x.tty.WriteString(s); err != nil {
			x.t.Fatalf("type %q: %v\n%s", n, err, x.Text())
		}
	}
}

// Type types text as it is.
func (x *Terminal) Type(text string) { x.t.Helper(); x.Press(text) }

// Text is what stands on the screen.
func (x *Terminal) Text() string { return ansi.Strip(x.screen.Render()) }

// Until waits until the text is on the screen.
func (x *Terminal) Until(text string) {
	x.t.Helper()
	x.await("text "+text, func(s string) bool { return strings.Contains(s, text) })
}

// UntilMatch waits until the pattern is on the screen.
func (x *Terminal) UntilMatch(pattern string) {
	x.t.Helper()
	re := regexp.MustCompile(pattern)
	x.await("pattern "+pattern, re.MatchString)
}

// PressUntilGone types a key until the text is gone from the screen: once, and again now and then, for a program that ignores
// keys for a moment.
func (x *Terminal) PressUntilGone(key, text string) {
	x.t.Helper()
	gone := func(s string) bool { return !strings.Contains(s, text) }
	for end := time.Now().Add(Patience); time.Now().Before(end); {
		x.Press(key)
		if x.within(again, gone) == nil {
			return
		}
	}
	x.t.Fatalf("%q does not make it go: %s\n%s", key, text, x.Text())
}

// UntilOK waits until the screen's text is ok.
func (x *Terminal) UntilOK(what string, ok func(text string) bool) {
	x.t.Helper()
	x.await(what, ok)
}

// UntilGone waits until the text is no longer on the screen.
func (x *Terminal) UntilGone(text string) {
	x.t.Helper()
	x.await("no "+text, func(s string) bool { return !strings.Contains(s, text) })
}

func (x *Terminal) await(what string, ok func(string) bool) {
	x.t.Helper()
	if err := x.within(Patience, ok); err != nil {
		x.t.Fatalf("never on the screen: %s: %v\n%s", what, err, x.Text())
	}
}

// within waits until the screen is ok, woken by every output.
func (x *Terminal) within(patience time.Duration, ok func(string) bool) error {
	ctx, cancel := context.WithTimeout(x.t.Context(), patience)
	defer cancel()
	for {
		x.mu.Lock()
		changed := x.changed
		x.mu.Unlock()
		if ok(x.Text()) {
			return nil
		}
		select {
		case <-changed:
		case <-x.exited:
			<-x.drained // what it wrote last may still be on its way
			if ok(x.Text()) {
				return nil
			}
			return fmt.Errorf("the program ended: %w", errors.Join(x.err, io.EOF))
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Kill sends SIGKILL and waits.
func (x *Terminal) Kill() {
	x.t.Helper()
	if err := x.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		x.t.Fatal(err)
	}
	<-x.exited
}

// Wait waits until the program ends by itself and returns its error.
func (x *Terminal) Wait() error {
	x.t.Helper()
	select {
	case <-x.exited:
		return x.err
	case <-time.After(Patience):
		x.t.Fatalf("the program does not end\n%s", x.Text())
		return nil
	}
}
