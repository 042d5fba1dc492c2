package tui

import "slices"

// graphLayout is where the nodes of the graph stand. The nodes of each level are kept from left to right, so that painting
// finds those in view without looking at the others.
type graphLayout struct {
	x      []float32 // column of each node in leaves, -1 when it is not shown
	lo, hi []float32 // columns of its first and last shown child, -1 for none
	rank   []int32   // the shown nodes by level, and from the left within a level
	from   []int32   // where each level begins in rank; the last is the end
	place  []int32   // where each node stands in rank
	wide   float32   // columns in all
	seen   int       // cells that the overview took at the last painting
}

// levels is how many levels are shown.
func (g *graphLayout) levels() int { return max(0, len(g.from)-1) }

// row are the nodes of a level from left to right.
func (g *graphLayout) row(level int) []int32 {
	if level < 0 || level >= g.levels() {
		return nil
	}
	return g.rank[g.from[level]:g.from[level+1]]
}

// between are the nodes of a level that reach, with the edges to their children, into the columns from lo to hi.
func (g *graphLayout) between(level int, lo, hi float32) []int32 {
	row := g.row(level)
	i, _ := slices.BinarySearchFunc(row, lo, func(id int32, x float32) int {
		if max(g.x[id], g.hi[id]) < x {
			return -1
		}
		return 1
	})
	j := i
	for j < len(row) && (g.x[row[j]] <= hi || (g.lo[row[j]] >= 0 && g.lo[row[j]] <= hi)) {
		j++
	}
	return row[i:j]
}

// layGraph places the nodes when the tree or a fold has changed: depth first along the index's arrays, then back from the last
// node, so that children are placed before their parents.
func (s *search) layGraph() {
	g, ix := &s.pane.graph, &s.ix
	n := len(s.t.Nodes)
	if n == 0 || (!g.stale && len(g.x) == n) {
		return
	}
	g.stale = false
	g.x, g.lo, g.hi, g.place = grow(g.x, n), grow(g.lo, n), grow(g.hi, n), grow(g.place, n)
	for i := range g.x {
		g.x[i], g.lo[i], g.hi[i] = -1, -1, -1
	}
	g.wide, g.from = 0, g.from[:0]
	order := make([]int32, 0, n)
	for id := int32(0); id >= 0; {
		order = append(order, id)
		for int(ix.depth[id])+1 >= len(g.from) {
			g.from = append(g.from, 0)
		}
		g.from[ix.depth[id]+1]++
		if kid := ix.first[id]; kid >= 0 && !s.out.folded[id] {
			id = kid
			continue
		}
		g.x[id] = g.wide
		g.wide++
		for id >= 0 && ix.next[id] < 0 {
			id = ix.parent[id]
		}
		if id >= 0 {
			id = ix.next[id]
		}
	}
	for i := 1; i < len(g.from); i++ {
		g.from[i] += g.from[i-1]
	}
	g.rank = grow(g.rank, len(order))
	at := slices.Clone(g.from)
	for _, id := range order {
		d := ix.depth[id]
		g.rank[at[d]], g.place[id] = id, at[d]
		at[d]++
	}
	for i := len(order) - 1; i >= 0; i-- {
		id := order[i]
		if g.hi[id] >= 0 {
			g.x[id] = (g.lo[id] + g.hi[id]) / 2
		}
		if p := ix.parent[id]; p >= 0 {
			g.lo[p] = g.x[id]
			if g.hi[p] < 0 {
				g.hi[p] = g.x[id]
			}
		}
	}
}
