// Package agent says what one turn of an agent is: what it sees and what it answers.
//
// A turn has four phases. Diagnose and propose come together in [Agent.Propose]: from the curves of a finished segment
// the agent finds pathologies with their evidence, and proposes several distinct transitions, the one it believes in
// most first. [Agent.Judge] looks at a segment that still trains and says whether to go on. [Agent.Choose] says which
// checkpoint of an ended segment to go on from.
//
//	engine ── Turn ──▶ Propose ──▶ Answer ── Turn.Check ──▶ gate
//	       ── Watch ─▶ Judge ───▶ Judgement
//	       ── Ended ─▶ Choose ──▶ Choice
//
// The inputs are plain data that the engine builds from the tree, so that an agent needs neither store nor clock, and a
// turn can be written down, replayed and tested. [Turn.Check] is the one place that says whether a proposal may be made:
// inside the space, outside the bans, from a checkpoint that exists, and not tried or vetoed before. Every agent
// filters by it, and the engine need not trust that it did.
//
// Package rules is the agent without a language model; package llm asks one and falls back to rules.
package agent
