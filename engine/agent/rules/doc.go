// Package rules is the agent without a language model: the known pathologies of RL post-training as a table.
//
// One turn runs in four small steps, one file each:
//
//	signs.go    what can be seen on a curve: falls, rises, flat, above, spikes. A sign gives evidence and a strength.
//	table.go    one row a pathology: the signs that must hold, those that make it worse, and plans against it.
//	moves.go    a plan's moves in role language ("lr down by half") become changes inside the space and the bans.
//	propose.go  plans of all findings, merged plans, exploration and fresh starts are ranked and filtered by Turn.Check.
//
// The table knows parameters by TRL's names. A move of a parameter that the trainer does not have is left out, so the
// same table serves any trainer; a plan whose first move cannot be made is left out as a whole.
//
// Confidence is a rank and no probability: a plan's prior, lowered for mild findings, raised or lowered by what the same
// moves did to siblings and children (memory.go), lowered when the researcher vetoed such a move here. An expected effect
// has numbers only when such a move was measured in this search.
//
// All choices are a function of the turn: the same turn gives the same answer.
package rules
