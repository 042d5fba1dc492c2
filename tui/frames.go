package tui

import (
	"time"

	tea "charm.land/bubbletea/v2"
)

const (
	// frameRate is how many pictures are painted in any second at most.
	frameRate = 30
	// frameTime is how long what comes from a search is gathered before it is painted.
	frameTime = time.Second / frameRate
	// motionTime is between two pictures of what moves by itself: fewer than the rate allows, so that a key is answered at once.
	motionTime = 50 * time.Millisecond
	// flushRate is how often a second Bubble Tea looks whether there is a new picture to send.
	flushRate = 120
)

// frames says when the next picture may be painted.
type frames struct {
	times [frameRate]time.Time // of the last pictures, as a ring
	next  int
	last  time.Time
	due   bool // a message that asks for the next picture is on its way
	key   bool // a person did something since the last picture
}

// frameMsg asks for a picture that had to wait.
type frameMsg struct{}

// wait is how long the next picture has to wait. What a person did waits for the frame rate alone.
func (f *frames) wait(now time.Time) time.Duration {
	w := f.times[f.next].Add(time.Second).Sub(now)
	if !f.key {
		w = max(w, f.last.Add(motionTime).Sub(now))
	}
	return max(0, w)
}

func (f *frames) painted(now time.Time) {
	f.times[f.next], f.last, f.key = now, now, false
	f.next = (f.next + 1) % frameRate
}

// moves tells whether a message is about what moves by itself, rather than an answer to a person.
func moves(msg tea.Msg) bool {
	switch msg.(type) {
	case feedMsg, tickMsg, liveMsg, listMsg, frameMsg:
		return true
	}
	return false
}

// scheduled adds to a command the message that asks for the next picture, when that has to wait.
func (a *app) scheduled(cmd tea.Cmd) tea.Cmd {
	w := a.hold(&a.frames)
	if w == 0 || a.frames.due {
		return cmd
	}
	a.frames.due = true
	return tea.Batch(cmd, tea.Tick(w, func(time.Time) tea.Msg { return frameMsg{} }))
}
