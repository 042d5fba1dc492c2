package tui

import (
	"math"

	"llmzero/engine/tree"
)

// order is how siblings are sorted.
type order int

// The orders. By tree keeps the order of proposals; flat lists drop the tree.
const (
	orderTree order = iota
	orderScore
	orderGain
	orderRecent
	numOrders
)

func (o order) String() string { return [...]string{"tree", "score", "gain", "recent"}[o] }

// ranked is a node with its place in an order: the lower key comes first.
type ranked struct {
	key uint64
	id  tree.NodeID
}

// layFlat lists the matching nodes in the chosen order.
func (s *search) layFlat() {
	o := &s.out
	all := make([]ranked, 0, len(s.t.Nodes))
	for i := range s.t.Nodes {
		if o.hit == nil || o.hit[i] {
			all = append(all, ranked{descending(s.orderKey(i)), tree.NodeID(i)})
		}
	}
	for _, r := range sortRanked(all) {
		o.rows = append(o.rows, r.id)
	}
}

// orderKey is what a node is sorted by, NaN when it has no such number.
func (s *search) orderKey(i int) float64 {
	switch s.out.order {
	case orderScore:
		return s.ix.val[i]
	case orderGain:
		if p := s.ix.parent[i]; p >= 0 {
			return s.ix.val[i] - s.ix.val[p]
		}
	case orderRecent:
		return float64(s.t.Nodes[i].Updated.UnixNano())
	case orderTree, numOrders:
	}
	return math.NaN()
}

// descending turns a number into a key that is the lower the higher the number is; NaN comes last.
func descending(x float64) uint64 {
	if x != x {
		return math.MaxUint64
	}
	b := math.Float64bits(-x)
	if b>>63 == 1 {
		return ^b
	}
	return b | 1<<63
}

// sortRanked sorts by key and keeps the order of equal ones: a radix sort by bytes, since comparing 100,000 nodes holds a key up.
func sortRanked(all []ranked) []ranked {
	from, to := all, make([]ranked, len(all))
	for shift := 0; shift < 64; shift += 8 {
		var count [256]int
		for _, r := range from {
			count[byte(r.key>>shift)]++
		}
		if len(all) == 0 || count[byte(from[0].key>>shift)] == len(all) {
			continue // all have the same byte
		}
		at := 0
		for i, n := range count {
			count[i], at = at, at+n
		}
		for _, r := range from {
			b := byte(r.key >> shift)
			to[count[b]] = r
			count[b]++
		}
		from, to = to, from
	}
	return from
}
