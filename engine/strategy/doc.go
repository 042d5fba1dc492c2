// Package strategy takes a path of transitions out of a search, so that it can be replayed: from the base model, with fresh
// seeds, on the same task or another.
//
// A strategy file is JSON. Every stage has its length in optimizer steps and its whole configuration, so that the file needs
// neither the search nor the trainer's defaults of that day; what changed from the stage before, and why, stands beside it for
// people. Steps count up to the checkpoint from which the path went on, so what was trained past it is not part of the strategy.
package strategy
