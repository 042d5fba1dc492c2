// Package search holds the search policies: the rules by which the next node to expand is chosen.
//
// A [Policy] sees the tree through [Policy.Update], which tells it of every node that changed, and answers [Policy.Next].
// What it keeps beside the tree can be rebuilt from the tree alone, so a search that is opened again picks the node
// that it would have picked: [Build] feeds a policy a whole tree.
//
// What a node is worth comes from one model of the whole search (see level): the validation score that is reached at its spending,
// and its advantage over that, shrunk by the noise of its own score, so that a difference inside the standard error is not worth
// chasing. Policies that choose among all nodes (uct, best-first) and among those of a depth (beam) rank by the advantage: a deep
// node is not better for having trained longer. Those that follow one trajectory (greedy, greedy-branch) compare its stages by the
// sum, because each stage is to be better than the one before, and move only beyond the standard error of the difference; by the
// advantage they would never leave a stage whose children do just what is expected. [Estimates] gives the sum to those who name
// the best strategies. chain compares nothing.
//
// While an agent thinks about a node, or its children wait or train, [Policy.Hold] and the open children count as
// visits without a value (virtual loss), so that picks made meanwhile spread over the tree.
//
// A policy is named with its options, which the record keeps: "uct", "uct:exploration=0.35,children=3" (see [Options]).
//
// Cost: Update and Next of uct take O(depth x children) with an index for parents of many children; 100,000 nodes stay
// below 50 microseconds a call under every policy (see the benchmarks). The advantage's trend is refitted after every tenth of growth.
package search
