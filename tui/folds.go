package tui

import (
	"slices"

	"llmzero/engine/tree"
)

// fold folds or unfolds a node. In the plain outline only the rows below it are taken out or put in, since laying 100,000 rows
// anew takes longer than a person's finger.
func (s *search) fold(id tree.NodeID, on bool) {
	o := &s.out
	s.pane.graph.stale = true
	if on == o.folded[id] {
		return
	}
	whole := o.stale || o.order != orderTree || !o.filter.empty() || o.at[id] < 0
	o.folded[id] = on
	if whole {
		o.stale = true
		return
	}
	from := int(o.at[id]) + 1
	to := s.below(id)
	var put []tree.NodeID
	if on {
		for _, x := range o.rows[from:to] {
			o.at[x] = -1
		}
	} else {
		put = s.walk(id, nil, nil)[1:]
	}
	o.rows = slices.Replace(o.rows, from, to, put...)
	for i := from; i < len(o.rows); i++ {
		o.at[o.rows[i]] = int32(i)
	}
	s.keepCursor()
}

// below is the row behind the shown subtree of a node.
func (s *search) below(id tree.NodeID) int {
	o := &s.out
	for x := int32(id); x > 0; x = s.ix.parent[x] {
		if !o.last[x] {
			return int(o.at[s.ix.next[x]])
		}
	}
	return len(o.rows)
}

// foldAll folds what is not on the best path, or unfolds everything when something is folded.
func (s *search) foldAll() {
	o := &s.out
	if slices.Contains(o.folded, true) {
		clear(o.folded)
	} else {
		for i, kid := range s.ix.first {
			o.folded[i] = kid >= 0
		}
		for id := range s.ix.bestPath {
			o.folded[id] = false
		}
	}
	o.stale, s.pane.graph.stale = true, true
}
