package search

import (
	"container/heap"

	"llmzero/engine/tree"
)

// indexed is up to how many children a parent's best child is found by looking at each.
const indexed = 32

// index finds the best child of a parent with many children. Children with equal counts differ in their score by the
// sum of their values alone, so each band of equal counts keeps a heap by that sum, and one child a band is looked at.
// Heaps are lazy: an entry whose child has moved on is dropped when it comes up.
type index struct {
	bands []*band
	at    map[bandKey]int
}

type bandKey struct{ visits, valid, failed int32 }

type band struct {
	key   bandKey
	items items
}

type item struct {
	sum float64
	id  tree.NodeID
}

type items []item

func (h items) Len() int { return len(h) }

func (h items) Less(i, j int) bool {
	if h[i].sum != h[j].sum {
		return h[i].sum > h[j].sum
	}
	return h[i].id < h[j].id
}

func (h items) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *items) Push(x any)   { *h = append(*h, x.(item)) }
func (h *items) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}

func newIndex() *index { return &index{at: map[bandKey]int{}} }

// put enters a child as it stands now; what was entered of it before goes stale.
func (x *index) put(id tree.NodeID, s *stat) {
	if s.open == 0 {
		return
	}
	k := bandKey{s.visits, s.valid, s.failed}
	i, ok := x.at[k]
	if !ok {
		i = len(x.bands)
		x.at[k] = i
		x.bands = append(x.bands, &band{key: k})
	}
	heap.Push(&x.bands[i].items, item{s.sum, id})
}

// top is the child with the highest score, the earlier one of equals; -1 when none can be expanded.
func (x *index) top(u *uct, log float64) tree.NodeID {
	best, top := tree.NodeID(-1), 0.0
	for i := 0; i < len(x.bands); i++ {
		b := x.bands[i]
		for len(b.items) > 0 && !b.fresh(&u.stats[b.items[0].id]) {
			heap.Pop(&b.items)
		}
		if len(b.items) == 0 {
			x.drop(i)
			i--
			continue
		}
		id := b.items[0].id
		if v := u.value(&u.stats[id], log); best < 0 || v > top || (v == top && id < best) {
			best, top = id, v
		}
	}
	return best
}

// fresh tells whether the band's first item is still what its child is.
func (b *band) fresh(s *stat) bool {
	return s.open > 0 && s.sum == b.items[0].sum && b.key == bandKey{s.visits, s.valid, s.failed}
}

func (x *index) drop(i int) {
	last := len(x.bands) - 1
	delete(x.at, x.bands[i].key)
	if i != last {
		x.bands[i] = x.bands[last]
		x.at[x.bands[i].key] = i
	}
	x.bands = x.bands[:last]
}
