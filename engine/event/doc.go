// Package event says what happened in a search, and is the only place where a tree changes.
//
// Every step of a search is an [Event]: a sequence number, a time, who did it and a typed [Body]. The engine appends
// events to the journal first and publishes them on the [Bus] second; whoever wants to know how the search stands folds
// them with [Apply]. The engine, the store and the screen use the same fold, so a replay of the journal gives the same
// tree everywhere, and the screen needs no second source of truth.
//
//	engine ── append ──▶ journal (store)
//	   └──── publish ──▶ Bus ──▶ Subscription ──▶ screen: Apply(tree, event)
//
// # Delivery
//
// The bus has two classes. State changes must arrive: each subscription queues them without a bound that matters (a
// search makes a few a second), in sequence order. Metric points may be dropped for a slow reader: each subscription
// keeps at most one batch of unread points a node and coalesces by dropping the oldest, counting what it dropped. A
// reader that finds a gap in the sequence numbers asks for a snapshot. Publishing never blocks on a reader. Closing the
// bus ends every subscription after its queued state changes were read.
package event
