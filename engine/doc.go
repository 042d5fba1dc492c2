// Package engine runs a search over training trajectories: it selects a node, lets the agent propose what follows it, takes the
// proposal to the gate, trains its segment and backs the score up, until the budget is spent.
//
// # The life of a search
//
//	             ┌───────────── pick: remedy, pin, forced fresh start, policy ◀──────────────┐
//	             ▼                                                                            │
//	base scored ─▶ agent turn ─▶ proposed ─▶ gate ─▶ queued ─▶ running ─▶ evaluated ──────────┤
//	                                 │         │                  │   └──▶ stopped (judge) ───┤
//	                                 │         └▶ vetoed          └──────▶ failed ────────────┤
//	                                 └ waits for a person (ask, risky)                        │
//	budget spent ─▶ confirmations ─▶ test scores ─▶ won ─▶ done ◀─────────────────────────────┘
//
// The base model is scored first and becomes the root. The first proposal is the practitioner's root: the trainer's defaults, from
// the base model. From then on each expansion looks, in this order, at a pinned node, at the parent of a segment that failed
// (the agent sees the class of the failure and proposes a remedy), at the root for the share of fresh starts that
// tree.Spec.FreshRate forces, and at what the search policy chooses. The draw of a fresh start depends on the seed and the number of
// expansions only; it is the controller's rule, not the agent's choice.
//
// What the agent proposes is checked against the space, the bans and what was tried before (agent.Turn.Check), and then meets the
// gate: tree.Approval says whether it waits for a person. With ask, up to three proposals wait, made one at a time while segments
// train, so that a person always has one to look at; the gate never waits for the agent.
//
// A segment runs on a slot. While it trains, the judge compares its reward with the best path's at the same number of tokens and
// stops it when it is doomed (see judge); the agent is asked at every checkpoint but the last. A drawn share of the condemned runs on
// as a trial, so that the rate of false stops is measured. At its end the agent chooses the checkpoint to go on from; until
// it has, a rule's choice stands (see choose). Failures are data: a crash, or silence for too long, is tried once more, everything else goes to
// the agent, and eight in a row pause the search with the last one's message.
//
// The budget is what runs out first of segments, tokens, wall time and GPU-hours. All that the trainer does is counted, also what came to
// nothing (see meter); an attempt that ended with its process is counted by what the record has of it, and a retraining that did is not.
// A declared share of the budget is kept for confirmations: the three paths that are worth most, of those that it pays for, are
// retrained from the base model with fresh seeds, up to three times each. What a node is worth is the search policies' notion
// (search.Estimates); the winner has the best mean beyond the noise (see winner). The share is not stretched to a long path: that would take
// what was declared for the search. The test split is scored for the report at the very end; nothing is selected by it.
//
// # Concurrency
//
// One goroutine, that of [Engine.Run], owns the tree, the policy and everything the loop knows; it only computes and commits. What takes
// time runs in workers that Run starts and waits for: a segment, an agent turn, an evaluation, a retraining. A worker speaks to
// the loop in calls, functions that the loop runs one after the other, and the loop serves calls until the last one of every worker has
// come, also while it is ending. Nothing else is shared but what is safe by itself: the record, the bus, the cache of curves.
//
//	workers ── call ──▶ loop ── commit ──▶ Record.Append ──▶ tree, policy ──▶ Bus.Publish
//	people ─── Do ────▶  │
//	screen ◀── Tree() (a copy, under a read lock) ── Subscribe() ◀── Bus
//
// [Engine.Do] runs a steering act as such a call, or in the caller's goroutine while no loop works, so a finished search can be steered
// as well. [Engine.Tree] copies the tree under a lock that the loop holds while it applies and appends.
//
// Written first, shown second: an entry is applied and appended under that lock, undone when the record does not take it, and published
// only after the append has returned. Metric points and samples are not entries: a segment's goroutine hands them to the
// record, which may buffer them for a moment, and to the bus at once. A checkpoint's content is in the record before the entry
// that names it.
//
// # Ending and coming back
//
// When Run's context ends, workers are canceled, running segments are put in line again and the search is paused. With the cause
// tree.ErrDetach segments of a [Finder] are left as they are and followed again by the next Run. After kill -9 the tree is what
// the journal says; Run puts what was running in line again, to start from its parent's checkpoint; a segment that a person had told to
// stop ends with the checkpoints that it has. What the loop knows beside that (visits, values, the place in the random sequence, what
// waits, what is spent) is derived from the tree, so nothing else has to be saved and no segment that ended is trained again.
// Only patience is forgotten with the program, and given anew: which nodes the agent had nothing to propose for, how
// often in a row something failed, which retrainings failed and which nodes were scored again.
//
// # Determinism
//
// Every random choice comes from the search's seed, a purpose and the numbers of the thing decided (see derive). With one slot and
// an autopilot that approves everything the loop does one thing at a time, and two runs with the same seed give the same tree, times aside.
package engine
