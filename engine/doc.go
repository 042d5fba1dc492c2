// Package engine runs a search: it selects a node, lets the agent propose what follows it, takes the proposal to the gate, trains
// its segment and backs the score up, until the budget is spent.
package engine
