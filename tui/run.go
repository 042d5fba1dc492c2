package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	tea "charm.land/bubbletea/v2"

	"llmzero/engine/tree"
	"llmzero/themes"
)

// Options are the parts that main hands to the screen. Library is required; what is nil is simply not shown.
type Options struct {
	Library Library
	Catalog Catalog
	Devices Devices
	Doctor  Doctor
	Memory  Memory
	Paths   Paths
	Version string

	Themes  []themes.Theme // built-in and the user's
	Theme   string         // what --theme said; empty: remembered, else by the terminal's background
	Glyphs  *themes.Glyphs // nil: Unicode
	Open    string         // id of a search to open at once
	Resume  *tree.Budget   // the opened search goes on at once, each limit raised to that of this budget; nil: it waits
	Start   *NewSearch     // a search to start at once
	Demo    bool           // there is a recorded search to watch: leaving for the store DemoStore plays it
	Play    bool           // begin with the replay of the opened search (the demo)
	Trouble error          // something to tell at once

	Now    func() time.Time // nil: time.Now
	Input  io.Reader        // nil: the terminal
	Output io.Writer        // nil: the terminal
}

// DemoStore is what Left.Store names when a person wants to watch the recorded search.
const DemoStore = "\x00demo"

// Left is how a person left the screen.
type Left struct {
	Leave Leave  // what becomes of running segments
	Store string // the store that the person wants opened next; empty: none
}

// Run shows the screen until the person leaves it or the context ends. It restores the terminal in any case.
func Run(ctx context.Context, o Options) (Left, error) {
	if o.Library == nil {
		return Left{}, errors.New("tui: no library of searches")
	}
	opts := []tea.ProgramOption{
		tea.WithContext(ctx), tea.WithFPS(flushRate),
		tea.WithoutSignalHandler(),
	} // signals end the context, which is main's
	if o.Input != nil {
		opts = append(opts, tea.WithInput(o.Input))
	}
	if o.Output != nil {
		opts = append(opts, tea.WithOutput(o.Output))
	}
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	a := newApp(inner, o)
	_, err := tea.NewProgram(a, opts...).Run()
	a.close()
	switch {
	case err == nil, errors.Is(err, tea.ErrInterrupted):
		return a.exit.Left, nil
	case ctx.Err() != nil:
		return a.exit.Left, ctx.Err()
	}
	return a.exit.Left, fmt.Errorf("the screen ended: %w", err)
}
