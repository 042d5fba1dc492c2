package tui

import (
	"context"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"llmzero/engine/tree"
)

// sieve is the pass of a filter over the tree. It goes a slice at a time, so that no key waits for 100,000 nodes; until it has
// come to the end the rows stay as they were.
type sieve struct {
	text  string // of the filter whose pass was begun last
	on    bool   // the pass is under way
	again bool   // the tree has changed behind it
	asked bool   // a command to go on is on its way
	at    int    // the next node
	hit   []bool
	hits  int
	hays  []hay
}

// hay is the text of a node that plain words are looked for in, kept until the node changes.
type hay struct {
	when  int64
	state tree.State
	text  string
}

// sliceTime is how long a slice may take: the rest of the 8 ms that a key should take is for painting.
const sliceTime = 3 * time.Millisecond

// siftMsg asks for the next slice.
type siftMsg struct{ s *search }

// setFilter puts a filter in force.
func (s *search) setFilter(f filter) {
	o := &s.out
	o.filter = f
	if f.empty() {
		o.sieve.on, o.sieve.text, o.hit, o.hits, o.stale = false, "", nil, 0, true
		return
	}
	s.resift()
	s.sift(sliceTime)
}

// resift begins the pass from the first node.
func (s *search) resift() {
	v := &s.out.sieve
	v.text, v.on, v.again, v.at, v.hits = s.out.filter.text, true, false, 0, 0
	v.hit = make([]bool, len(s.t.Nodes))
}

// touch tells the sieve that the tree has changed. A pass under way is finished first, or a busy search would never see an end.
func (s *search) touch() {
	o := &s.out
	switch {
	case o.filter.empty():
		return
	case o.sieve.on && o.sieve.at > 0 && len(o.sieve.hit) <= len(s.t.Nodes):
		o.sieve.again = true
	default:
		s.resift()
	}
	if o.hit != nil {
		o.hit = append(o.hit, make([]bool, max(0, len(s.t.Nodes)-len(o.hit)))...)
	}
	s.sift(sliceTime)
}

// sift goes on with the pass for some time.
func (s *search) sift(most time.Duration) {
	o, v := &s.out, &s.out.sieve
	for begin := time.Now(); v.on; {
		end := min(v.at+256, len(v.hit), len(s.t.Nodes))
		for ; v.at < end; v.at++ {
			if o.filter.match(s, s.t.Nodes[v.at]) {
				v.hit[v.at] = true
				v.hits++
			}
		}
		if v.at >= min(len(v.hit), len(s.t.Nodes)) {
			v.on = false
			o.hit, o.hits, o.stale = append(v.hit, make([]bool, max(0, len(s.t.Nodes)-len(v.hit)))...), v.hits, true
			if v.again {
				s.resift()
			}
		}
		if time.Since(begin) > most {
			return
		}
	}
}

// sifted makes sure that the filter in force has been begun, whoever put it there; such a pass is made whole at once.
func (s *search) sifted() {
	o := &s.out
	switch {
	case o.filter.empty():
		o.sieve.on, o.sieve.text, o.hit, o.hits = false, "", nil, 0
	case o.sieve.text != o.filter.text:
		s.resift()
		s.sift(time.Hour)
		o.stale = false
	}
}

// sift asks for the next slice of a pass that is under way.
func (a *app) sift() tea.Cmd {
	s := a.s
	if !s.out.sieve.on || s.out.sieve.asked {
		return nil
	}
	s.out.sieve.asked = true
	return a.task(func(context.Context) tea.Msg { return siftMsg{s} })
}

// shown are the nodes that the filter lets through and what is above them; nil without a filter.
func (s *search) shown() []bool {
	hit := s.out.hit
	if hit == nil {
		return nil
	}
	n := len(s.t.Nodes)
	shown := make([]bool, n)
	for i := n - 1; i >= 0; i-- {
		shown[i] = shown[i] || hit[i]
		if p := s.ix.parent[i]; shown[i] && p >= 0 {
			shown[p] = true
		}
	}
	return shown
}

// haystack is the text of a node in lower case.
func (s *search) haystack(n *tree.Node) string {
	v := &s.out.sieve
	if len(v.hays) < len(s.t.Nodes) {
		v.hays = append(v.hays, make([]hay, len(s.t.Nodes)-len(v.hays))...)
	}
	h := &v.hays[n.ID]
	if when := n.Updated.UnixNano(); h.text == "" || h.when != when || h.state != n.State {
		*h = hay{when, n.State, haystack(s, n)}
	}
	return h.text
}

// haystack is the text of a node that a plain word is looked for in.
func haystack(s *search, n *tree.Node) string {
	var b strings.Builder
	b.WriteString(name(n.ID))
	b.WriteByte(' ')
	b.WriteString(string(n.State))
	b.WriteByte(' ')
	b.WriteString(changeWords(s.t.Spec.Space, n.Transition))
	for _, c := range n.Transition.Changes {
		b.WriteByte(' ')
		b.WriteString(c.Param)
	}
	b.WriteByte(' ')
	b.WriteString(n.Transition.Rationale)
	if n.Verdict != nil {
		b.WriteByte(' ')
		b.WriteString(n.Verdict.Why)
	}
	if n.Outcome != nil && n.Outcome.Failure != nil {
		b.WriteByte(' ')
		b.WriteString(n.Outcome.Failure.Error())
		b.WriteByte(' ')
		b.WriteString(failure(n.Outcome.Failure.Class))
	}
	return strings.ToLower(b.String())
}
