package tree

import "time"

// Pathology names what is wrong with a training run.
type Pathology string

// The pathologies that an agent may diagnose.
const (
	EntropyCollapse  Pathology = "entropy collapse"
	EntropyExplosion Pathology = "entropy explosion"
	KLRunaway        Pathology = "KL runaway"
	KLStagnation     Pathology = "KL-bound stagnation"
	Truncation       Pathology = "truncation"
	LengthHacking    Pathology = "length hacking"
	SparseSignal     Pathology = "sparse signal"
	SaturatedSignal  Pathology = "saturated signal"
	Overfitting      Pathology = "overfitting"
	Instability      Pathology = "instability"
	CapacityLimit    Pathology = "capacity limit"
	SegmentFailure   Pathology = "segment failure" // the segment ended in a failure; its class is in the evidence
	Healthy          Pathology = "healthy"
)

// Pathologies are all of them in the order of the table.
var Pathologies = []Pathology{
	EntropyCollapse, EntropyExplosion, KLRunaway, KLStagnation, Truncation, LengthHacking, SparseSignal,
	SaturatedSignal, Overfitting, Instability, CapacityLimit, SegmentFailure, Healthy,
}

// Severity grades a finding.
type Severity string

// The severities.
const (
	Mild     Severity = "mild"
	Moderate Severity = "moderate"
	Severe   Severity = "severe"
)

// Evidence is a piece of a metric's curve that shows a finding, so that a screen can mark it on the curve.
type Evidence struct {
	Metric   string  `json:"metric"`
	FromStep int     `json:"from_step"`
	ToStep   int     `json:"to_step"`
	From     float64 `json:"from"`
	To       float64 `json:"to"`
	Text     string  `json:"text"` // "entropy fell from 1.9 to 0.3 in 12 steps"
}

// Finding is one pathology with what shows it.
type Finding struct {
	Pathology Pathology  `json:"pathology"`
	Severity  Severity   `json:"severity"`
	Evidence  []Evidence `json:"evidence,omitempty"`
}

// NodeID numbers the nodes of a tree from 0, the root, in the order in which they were proposed.
type NodeID int

// Root is the base model.
const Root NodeID = 0

// CheckpointRef names a checkpoint: a node and the optimizer step since the base model.
type CheckpointRef struct {
	Node NodeID `json:"node"`
	Step int    `json:"step"`
}

// Effect is what a transition is expected to do.
type Effect struct {
	Text string `json:"text,omitempty"`
	// Low and High bound the expected change of the validation score. Both 0: not stated.
	Low  float64 `json:"low,omitempty"`
	High float64 `json:"high,omitempty"`
}

// Transition is an edge of the tree: from which checkpoint to go on, what changes, and why.
type Transition struct {
	From       CheckpointRef `json:"from"`
	FromWhy    string        `json:"from_why,omitempty"` // why this checkpoint
	Changes    []Change      `json:"changes,omitempty"`
	Diagnosis  []Finding     `json:"diagnosis,omitempty"`
	Rationale  string        `json:"rationale,omitempty"`
	Confidence float64       `json:"confidence"` // 0..1
	Effect     Effect        `json:"effect"`
	Steps      int           `json:"steps"`              // optimizer steps of the segment
	By         string        `json:"by"`                 // "rules", "ollama:MODEL", "human"
	Note       string        `json:"note,omitempty"`     // a fall-back or repair, in words
	Exchange   string        `json:"exchange,omitempty"` // id of the agent's recorded exchange
}

// Decision is what a verdict says.
type Decision string

// The decisions.
const (
	Approved Decision = "approved"
	Edited   Decision = "edited" // approved with changes; Verdict.Original keeps what was proposed
	Vetoed   Decision = "vetoed"
)

// Verdict is the answer of the gate to a proposal.
type Verdict struct {
	Decision Decision    `json:"decision"`
	Who      string      `json:"who"` // "human", or "autopilot" when the approval rules decided
	When     time.Time   `json:"when"`
	Why      string      `json:"why,omitempty"`
	Original *Transition `json:"original,omitempty"` // what was proposed, when the decision is edited
}
