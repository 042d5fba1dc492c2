package search

import (
	"math"

	"llmzero/engine/tree"
)

// uct is MCTS with the score that MLZero's search uses (research.md section 2; autogluon-assistant):
//
//	valid/N * (mean - worst)/(best - worst) - w_f * max(0, failed-offset)/N + c * sqrt(ln(max(1, N_parent))/N)
//
// N counts the nodes of the child's subtree, valid those with a score, failed those that failed; mean is the mean
// advantage of the valid ones, best and worst are the extremes over the whole tree. From the root the search descends
// to the child with the highest score and stops at the first node that may have another child.
type uct struct {
	ledger
	stats       []stat
	index       map[tree.NodeID]*index // of parents with many children
	best, worst float64
}

// stat sums a node's subtree, the node included.
type stat struct {
	visits, valid, failed int32
	open                  int32 // nodes that may have another child
	free                  bool  // this node is one of them
	sum                   float64
}

func newUCT(o Options) *uct {
	return &uct{
		ledger: ledger{opts: o, level: flat()}, index: map[tree.NodeID]*index{}, best: math.Inf(-1), worst: math.Inf(1),
	}
}

// Update implements Policy.
func (u *uct) Update(t *tree.Tree, id tree.NodeID) {
	was, is, refitted := u.note(t, id)
	for len(u.stats) < len(u.entries) {
		u.stats = append(u.stats, stat{})
	}
	if refitted {
		u.rebuild()
		return
	}
	u.extremes(&is)
	a, b := part(&was), part(&is)
	u.add(id, stat{visits: b.visits - a.visits, valid: b.valid - a.valid, failed: b.failed - a.failed, sum: b.sum - a.sum})
}

// Hold implements Policy.
func (u *uct) Hold(_ *tree.Tree, id tree.NodeID, by int) {
	u.entries[id].holds += int32(by)
	u.add(id, stat{visits: int32(by)})
}

// part is what one node adds to the sums of its subtree.
func part(e *entry) stat {
	switch e.kind {
	case open:
		return stat{visits: 1}
	case trained:
		return stat{visits: 1, valid: 1, sum: e.adv}
	case failed:
		return stat{visits: 1, failed: 1}
	default:
		return stat{}
	}
}

func (u *uct) extremes(e *entry) {
	if e.kind == trained {
		u.best, u.worst = max(u.best, e.adv), min(u.worst, e.adv)
	}
}

// add folds a difference into a node and its ancestors.
func (u *uct) add(id tree.NodeID, d stat) {
	var freed int32
	for {
		s, e := &u.stats[id], &u.entries[id]
		s.visits, s.valid, s.failed, s.sum = s.visits+d.visits, s.valid+d.valid, s.failed+d.failed, s.sum+d.sum
		free := e.room(u.limit(id, int(s.visits)))
		freed += count(free) - count(s.free)
		s.free = free
		s.open += freed
		if id == tree.Root {
			return
		}
		if x := u.index[e.parent]; x != nil {
			x.put(id, s)
		}
		id = e.parent
	}
}

// rebuild computes all sums anew after the level was refitted.
func (u *uct) rebuild() {
	u.best, u.worst = math.Inf(-1), math.Inf(1)
	clear(u.index)
	for i := range u.stats {
		e := &u.entries[i]
		u.stats[i] = part(e)
		u.stats[i].visits += e.holds
		u.extremes(e)
	}
	for i := len(u.stats) - 1; i >= 0; i-- {
		s, e := &u.stats[i], &u.entries[i]
		s.free = e.room(u.limit(tree.NodeID(i), int(s.visits)))
		s.open += count(s.free)
		if i == 0 {
			break
		}
		p := &u.stats[e.parent]
		p.visits, p.valid, p.failed = p.visits+s.visits, p.valid+s.valid, p.failed+s.failed
		p.sum, p.open = p.sum+s.sum, p.open+s.open
	}
}

// Next implements Policy.
func (u *uct) Next(t *tree.Tree) (Choice, bool) {
	if len(u.stats) == 0 || u.stats[tree.Root].open == 0 {
		return Choice{}, false
	}
	id := tree.Root
	for !u.stats[id].free {
		id = u.descend(t, id)
	}
	return Choice{Node: id, Terms: u.score(id)}, true
}

// descend picks the child with the highest score among those under which something can be expanded.
func (u *uct) descend(t *tree.Tree, id tree.NodeID) tree.NodeID {
	kids := t.Nodes[id].Children
	log := math.Log(max(1, float64(u.stats[id].visits)))
	if len(kids) > indexed {
		x := u.index[id]
		if x == nil {
			x = newIndex()
			u.index[id] = x
			for _, k := range kids {
				x.put(k, &u.stats[k])
			}
		}
		return x.top(u, log)
	}
	best, top := tree.NodeID(-1), math.Inf(-1)
	for _, k := range kids {
		if s := &u.stats[k]; s.open > 0 {
			if v := u.value(s, log); v > top || best < 0 {
				best, top = k, v
			}
		}
	}
	return best
}

// value is the score of a subtree whose parent's visits have the logarithm log.
func (u *uct) value(s *stat, log float64) float64 {
	x, f, c := u.parts(s, log)
	return x - f + c
}

func (u *uct) parts(s *stat, log float64) (exploit, failure, explore float64) {
	n := float64(s.visits)
	if n == 0 {
		return 0, 0, math.Inf(1)
	}
	if s.valid > 0 && u.best > u.worst {
		mean := s.sum / float64(s.valid)
		exploit = float64(s.valid) / n * (mean - u.worst) / (u.best - u.worst)
	}
	failure = u.opts.FailureWeight * max(0, float64(s.failed)-float64(u.opts.FailureOffset)) / n
	return exploit, failure, u.opts.Exploration * math.Sqrt(log/n)
}

func (u *uct) score(id tree.NodeID) []tree.Term {
	if id == tree.Root {
		return []tree.Term{{Name: "the root may have another child", Value: float64(u.stats[id].visits)}}
	}
	x, f, c := u.parts(&u.stats[id], math.Log(max(1, float64(u.stats[u.entries[id].parent].visits))))
	return []tree.Term{
		{Name: "exploitation", Value: x},
		{Name: "failures", Value: -f},
		{Name: "exploration", Value: c},
		{Name: "uct", Value: x - f + c},
	}
}
