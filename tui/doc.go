// Package tui is the terminal screen of llmzero: a Bubble Tea program over the ports of ports.go.
//
// # How it works
//
// The screen knows no engine, store or trainer. It opens a [Session], takes its tree and folds the events of its
// subscription into that copy with package event's Apply, the same fold that the engine and the store use. Every
// steering act is a tree.Command handed to Session.Do; what it did comes back as an event.
//
// Data flows one way: messages change the model, the model is painted. Update does no I/O and calls nothing that may
// block: whatever waits or reads is a command (bridge.go). Exactly one command waits on a subscription; it gathers what
// comes for a frame's time (1/30 s), so that a burst of metric points costs one repaint. A gap in the events' numbers
// is mended with a snapshot.
//
// The screen is painted into a grid of cells (component/paint), clipped to rectangles, so that nothing can overflow the
// terminal whatever a model, worker or file sent, and dialogs are simply painted later. Charts are drawn in braille dots
// (component/chart). The grid turns into one string a frame; View returns the last one until something has changed.
//
// One table of actions (actions.go) drives key dispatch, footer, help and the command palette. An action names the
// places where it holds and says why it is not available at the moment. Mouse clicks find what they hit by the zones
// that painting leaves behind.
//
// # Where things are
//
//	app.go bridge.go run.go       the root model, commands and messages, the program
//	keys.go searchkeys.go nodekeys.go viewkeys.go   the table's rows; undo.go leave.go what some of them do
//	home.go library.go newsearch.go                 the library, what is done in it, and the form of a new search
//	librarylist.go libraryfilter.go librarywatch.go its list, its filter language, its renewal and what that announces
//	glance.go glancedraw.go                         the preview of the search under its cursor
//	search.go                                       an open search and its index
//	outline.go folds.go order.go guides.go          its rows: which there are, in which order, and their lines
//	filter.go filterhelp.go sieve.go                the filter's language, its help, and its pass over the tree
//	graph.go graphlay.go graphdraw.go overview.go   the graph: its view, where nodes stand, how they are painted
//	searchpage.go inspector.go curves.go records.go searchfacts.go   how it is painted
//	gate.go edit.go form.go       the review of proposals and the forms that change them
//	compare.go comparetable.go comparecurves.go   two nodes or searches side by side
//	trajectories.go trajfigure.go trajtrace.go trajchart.go trajscore.go   the figure of a path: what it shows, how it is painted
//	play.go agentpage.go pages.go settingspage.go rebind.go          the other pages
//
// Every page and dialog at four sizes is in testdata/golden as text, the main pages in testdata/pictures in colour. To look at
// them by hand, on made-up searches: go test -c -o stage ./tui && LLMZERO_STAGE=full ./stage (or empty, gpu, growing, large).
package tui
