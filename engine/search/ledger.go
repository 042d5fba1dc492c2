package search

import (
	"math"

	"llmzero/engine/tree"
)

// kind is how a node counts for the statistics.
type kind uint8

const (
	absent  kind = iota // vetoed or pruned: as if it were not there
	open                // to be decided or run: a visit without a value
	trained             // a visit with a value
	failed              // a visit that failed
)

func kindOf(n *tree.Node) kind {
	switch {
	case n.State.Trained() && n.Val().Known() && !math.IsNaN(n.Val().Mean):
		return trained
	case n.State.Open():
		return open
	case n.State == tree.StateFailed, n.State.Trained():
		return failed
	default:
		return absent
	}
}

// entry is what the ledger keeps of one node.
type entry struct {
	parent tree.NodeID
	kind   kind
	holds  int32 // expansions under way that are not in the tree yet
	kids   int32 // children that are not absent
	score  float64
	se     float64
	start  float64 // tokens along the path up to the segment
	own    float64 // tokens of the segment up to the chosen checkpoint
	spent  float64 // start + own
	adv    float64 // advantage under the ledger's level, 0 unless trained
}

// ledger is the book that every policy keeps: one entry a node, and the level of the whole search.
type ledger struct {
	opts    Options
	entries []entry
	level   level
	trained int // entries that are trained
	fitted  int // of them when the level was fitted last
}

// exact is up to how many trained nodes the level is fitted after every change.
const exact = 256

// note brings a node's entry up to date and returns its parent's id and the entry as it was and is. A refitted level
// changes the advantage of every entry.
func (l *ledger) note(t *tree.Tree, id tree.NodeID) (was, is entry, refitted bool) {
	was, e := l.enter(t, id)
	if e.kind != trained && was.kind != trained {
		return was, *e, false
	}
	if l.trained <= exact || l.trained > l.fitted+l.fitted/10 || l.trained < l.fitted-l.fitted/10 {
		l.refit()
		return was, *e, true
	}
	if e.kind == trained {
		e.adv = l.level.advantage(e)
	}
	return was, *e, false
}

// enter writes a node's entry, without its advantage, and returns what it was.
func (l *ledger) enter(t *tree.Tree, id tree.NodeID) (was entry, e *entry) {
	for len(l.entries) <= int(id) {
		n := t.Nodes[len(l.entries)]
		l.entries = append(l.entries, entry{parent: n.Parent, kind: absent})
	}
	n, e := t.Nodes[id], &l.entries[id]
	was = *e
	e.kind = kindOf(n)
	e.start, e.own = spending(t, n, &l.entries[n.Parent])
	e.spent = e.start + e.own
	e.score, e.se, e.adv = n.Val().Mean, n.Val().SE, 0
	if id != tree.Root {
		l.entries[e.parent].kids += count(e.kind != absent) - count(was.kind != absent)
	}
	l.trained += int(count(e.kind == trained) - count(was.kind == trained))
	return was, e
}

func (l *ledger) refit() {
	l.level, l.fitted = fit(l.entries, l.opts.Raw), l.trained
	for i := range l.entries {
		if e := &l.entries[i]; e.kind == trained {
			e.adv = l.level.advantage(e)
		}
	}
}

// room tells whether a node may have another child under a limit.
func (e *entry) room(limit int) bool { return e.kind == trained && int(e.kids+e.holds) < limit }

// limit is how many children a node with that many visits may have.
func (l *ledger) limit(id tree.NodeID, visits int) int {
	n := l.opts.Children
	if id == tree.Root {
		n = l.opts.RootChildren
	}
	if l.opts.Widening > 0 {
		n = max(n, int(math.Pow(float64(visits), l.opts.Widening)))
	}
	return n
}

func count(b bool) int32 {
	if b {
		return 1
	}
	return 0
}

// terms names the parts of a simple policy's score for one node.
func (l *ledger) terms(id tree.NodeID) []tree.Term {
	e := &l.entries[id]
	return []tree.Term{
		{Name: "validation", Value: e.score},
		{Name: "expected at its tokens", Value: l.level.expected(e.spent)},
		{Name: "advantage", Value: e.adv},
	}
}
