// Package tui is the terminal screen of llmzero: a Bubble Tea program over the ports of ports.go.
//
// # How it works
//
// The screen knows no engine, store or trainer. It opens a [Session], takes its tree and folds the events of its
// subscription into that copy with package event's Apply, the same fold that the engine and the store use. Every
// steering act is a tree.Command handed to Session.Do; what it did comes back as an event.
//
// Data flows one way: messages change the model, the model is painted. Update does no I/O: whatever waits or reads is a
// command. Exactly one command waits on a subscription; it gathers what comes for a frame's time (1/30 s), so that a
// burst of metric points costs one repaint.
//
// The screen is painted into a grid of cells (component/paint), clipped to rectangles, so that nothing can overflow the
// terminal whatever a model, worker or file sent, and dialogs are simply painted later. The grid turns into one string
// a frame; View returns the last one until something has changed.
//
// One table of actions (actions.go) drives key dispatch, footer, help and the command palette. An action names the
// places where it holds and says why it is not available at the moment.
package tui
