// Package tree is the pure data model of a search over training trajectories.
//
// A [Tree] is one search: what was asked for ([Spec]), what is left to spend ([Budget], [Cost]) and its nodes. A
// [Node] is one training segment: the [Transition] that led to it (the checkpoint it resumes from, the coordinated
// changes, the diagnosis behind them), the full [Config] it trains with, the researcher's [Verdict], and once it has
// run its [Outcome] with checkpoints and scores. Node 0 is the root: the base model, evaluated and never trained. A
// child that resumes from the root is a fresh start; the first one is the practitioner root, which trains with the
// trainer's default configuration.
//
// A trainer declares its parameters as a [Space]: each [Param] has a range, a scale and a [Role] that is fixed before
// any search, because the claim under test (capacity accumulates, regularization oscillates) would mean nothing if
// roles were chosen afterwards.
//
// Nothing here does I/O, starts a goroutine or keeps time: values come in as arguments and go out as JSON. The only
// way a tree changes is package event's Apply, which checks every move between states against [State.May].
package tree
