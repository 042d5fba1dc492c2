// Package search holds the search policies: the rules by which the next node to expand is chosen.
//
// A [Policy] sees the tree through [Policy.Update], which tells it of every node that changed, and answers [Policy.Next].
// What it keeps beside the tree can be rebuilt from the tree alone, so a search that is opened again picks the node
// that it would have picked: [Build] feeds a policy a whole tree.
//
// A node's worth is not its validation score but its advantage over what the search reaches at the same spending, shrunk
// by the score's own noise (see level). A deep node is not better for having trained longer, and a difference inside
// the standard error is not worth chasing.
//
// While an agent thinks about a node, or its children wait or train, [Policy.Hold] and the open children count as
// visits without a value (virtual loss), so that picks made meanwhile spread over the tree.
//
// A policy is named with its options, which the record keeps: "uct", "uct:exploration=0.35,children=3" (see [Options]).
//
// Cost: Update and Next of uct take O(depth x children) with an index for parents of many children; 100,000 nodes stay
// below 50 microseconds a call (see the benchmarks). The advantage's trend is refitted after every tenth of growth.
package search
