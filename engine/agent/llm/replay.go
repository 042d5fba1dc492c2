package llm

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"llmzero/engine/agent"
	"llmzero/engine/agent/rules"
	"llmzero/engine/tree"
)

// PrefixReplay is the prefix of an agent name that replays a recorded search.
const PrefixReplay = "replay:"

// Recording is what a search left behind.
type Recording struct {
	Search    string
	Exchanges []tree.Exchange // in the order in which they were made
	Nodes     []tree.Node     // all of the search, by id
}

// Replay is the agent that says again what was said: the recorded answers of a model, and for a search without a model
// the recorded transitions. Everything is validated anew, and where the recording has nothing to say, or nothing that may
// be proposed, the rules agent answers and says so.
type Replay struct {
	rec   Recording
	tape  *tape
	agent *Agent
	rules rules.Agent
}

var _ agent.Agent = (*Replay)(nil)

// NewReplay makes the replaying agent.
func NewReplay(rec Recording) (*Replay, error) {
	if len(rec.Exchanges) == 0 && len(rec.Nodes) < 2 {
		return nil, fmt.Errorf("search %s has nothing to replay: it made no proposals", rec.Search)
	}
	t := newTape(rec.Exchanges)
	a, err := New(Config{Name: PrefixReplay + rec.Search, Model: rec.Search, Client: t})
	if err != nil {
		return nil, err
	}
	return &Replay{rec: rec, tape: t, agent: a}, nil
}

// Name is "replay:" and the search.
func (r *Replay) Name() string { return PrefixReplay + r.rec.Search }

// Propose plays the answers that were recorded at the node, or the transitions that left it.
func (r *Replay) Propose(ctx context.Context, t agent.Turn) (agent.Answer, error) {
	if len(r.rec.Exchanges) > 0 {
		return r.agent.Propose(ctx, t)
	}
	answer, err := r.rules.Propose(ctx, t)
	if err != nil {
		return agent.Answer{}, err
	}
	if recorded := r.recorded(t); len(recorded) > 0 {
		answer.Proposals = recorded
		return answer, nil
	}
	for i := range answer.Proposals {
		answer.Proposals[i].Note = fmt.Sprintf("the recording of %s has no further transition here, so the rules agent stepped in", r.rec.Search)
	}
	return answer, nil
}

// recorded are the transitions from the node's checkpoints in the recording that may still be made.
func (r *Replay) recorded(t agent.Turn) []tree.Transition {
	var out []tree.Transition
	for _, n := range r.rec.Nodes {
		p := n.Transition
		least, most := t.StepBounds()
		p.Steps = min(max(p.Steps, least), most) // of another segment length, or a person's own
		if n.ID == tree.Root || p.From.Node != t.Node.ID || t.Check(p) != nil {
			continue
		}
		twice := slices.ContainsFunc(out, func(o tree.Transition) bool {
			return o.From == p.From && slices.EqualFunc(o.Changes, p.Changes, func(a, b tree.Change) bool {
				return a.Param == b.Param && a.To == b.To
			})
		})
		if !twice && len(out) < max(1, t.Count) {
			p.Note = "replayed from " + r.rec.Search
			out = append(out, p)
		}
	}
	return out
}

// Judge plays the recorded judgements of a model, and goes by the rules where there is none.
func (r *Replay) Judge(ctx context.Context, w agent.Watch) (agent.Judgement, error) {
	if r.tape.left(tapeKey{w.Node.ID, "judge"}) {
		return r.agent.Judge(ctx, w)
	}
	return r.rules.Judge(ctx, w)
}

// Choose plays the recorded choice of a model, else it goes by the rules.
func (r *Replay) Choose(ctx context.Context, e agent.Ended) (agent.Choice, error) {
	if slices.ContainsFunc(r.rec.Exchanges, func(x tree.Exchange) bool { return x.Node == e.Node.ID && x.Phase == "choose" }) {
		return r.agent.Choose(ctx, e)
	}
	return r.rules.Choose(ctx, e)
}

// tape is a Client that gives recorded answers, those of each node and phase in their order.
type tape struct {
	mu   sync.Mutex
	next map[tapeKey][]tree.Exchange
	last map[tapeKey]tree.Exchange
}

type tapeKey struct {
	node  tree.NodeID
	phase string
}

func newTape(xs []tree.Exchange) *tape {
	t := &tape{next: map[tapeKey][]tree.Exchange{}, last: map[tapeKey]tree.Exchange{}}
	for _, x := range xs {
		k := tapeKey{x.Node, x.Phase}
		t.next[k] = append(t.next[k], x)
	}
	return t
}

// left tells whether there is a further answer.
func (t *tape) left(k tapeKey) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.next[k]) > 0
}

// Chat plays the next answer; asked to repair, it plays the same again. A recorded failure fails again. Nothing is spent.
func (t *tape) Chat(_ context.Context, r Request) (Reply, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	k := tapeKey{r.Node, r.Phase}
	if r.Attempt == 0 {
		delete(t.last, k)
		if left := t.next[k]; len(left) > 0 {
			t.last[k], t.next[k] = left[0], left[1:]
		}
	}
	x, ok := t.last[k]
	switch {
	case !ok:
		return Reply{}, fmt.Errorf("the recording has no further answer at node %d, phase %s: %w", r.Node, r.Phase, ErrEmpty)
	case x.Answer == "" || x.Fallback != "":
		return Reply{}, fmt.Errorf("the recorded call failed: %s: %w", x.Fallback, ErrEmpty)
	}
	return Reply{Text: x.Answer, Thinking: x.Thinking, Model: x.Model, Server: "replay of " + x.Agent}, nil
}
