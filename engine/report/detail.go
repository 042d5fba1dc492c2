package report

import "llmzero/engine/tree"

// Detail is the object of `llmzero show --json`: the search, every node, and what its agent was asked and said.
type Detail struct {
	Search
	Tree      []Node          `json:"tree"`
	Hints     []tree.Hint     `json:"hints,omitempty"`
	Bans      []tree.Ban      `json:"bans,omitempty"`
	Exchanges []tree.Exchange `json:"exchanges"` // by node and then in the order in which they came
}

// Node is one node of a search.
type Node struct {
	Node      tree.NodeID         `json:"node"`
	Parent    tree.NodeID         `json:"parent"`
	State     tree.State          `json:"state"`
	By        string              `json:"by,omitempty"`   // who proposed it
	Note      string              `json:"note,omitempty"` // a repair, or why the rules agent stepped in
	From      tree.CheckpointRef  `json:"from"`
	Steps     int                 `json:"steps"`
	Changes   []tree.Change       `json:"changes"`
	Diagnosis []tree.Finding      `json:"diagnosis,omitempty"`
	Rationale string              `json:"rationale,omitempty"`
	Verdict   *tree.Verdict       `json:"verdict,omitempty"`
	Why       []tree.Term         `json:"why,omitempty"` // the policy's terms
	Val       *tree.Score         `json:"val"`           // null until it was scored
	Tokens    int64               `json:"tokens"`
	Stop      *tree.StopNote      `json:"stop,omitempty"`
	Failure   *tree.Failure       `json:"failure,omitempty"`
	Confirmed []tree.Confirmation `json:"confirmed,omitempty"`
	Exchange  string              `json:"exchange,omitempty"` // id of the agent's exchange that it comes from
}

// Show reports a search in full. Exchanges may be nil.
func Show(t *tree.Tree, exchanges []tree.Exchange) Detail {
	d := Detail{Search: Make(t), Tree: []Node{}, Hints: t.Hints, Bans: t.Bans, Exchanges: exchanges}
	if d.Exchanges == nil {
		d.Exchanges = []tree.Exchange{}
	}
	for _, n := range t.Nodes {
		tr := n.Transition
		r := Node{
			Node: n.ID, Parent: n.Parent, State: n.State, By: tr.By, Note: tr.Note, From: tr.From, Steps: tr.Steps, Changes: tr.Changes,
			Diagnosis: tr.Diagnosis, Rationale: tr.Rationale, Verdict: n.Verdict, Why: n.Why, Confirmed: n.Confirmed, Exchange: tr.Exchange,
		}
		if r.Changes == nil {
			r.Changes = []tree.Change{}
		}
		if v := n.Val(); v.Known() {
			r.Val = &v
		}
		if o := n.Outcome; o != nil {
			r.Tokens, r.Stop, r.Failure = o.Cost.Tokens(), o.Stop, o.Failure
		}
		d.Tree = append(d.Tree, r)
	}
	return d
}
