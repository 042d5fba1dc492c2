package llm

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"llmzero/engine/tree"
)

// conversation is what a turn has said to the model so far.
type conversation struct {
	node      tree.NodeID
	seed      uint64
	sections  []section
	plots     func() ([][]byte, error) // drawn only when the model sees
	messages  []Message                // after the first, which is assembled for each call
	exchanges []tree.Exchange
	dead      bool // the server failed: do not ask again in this turn
}

func (a *Agent) conversation(node tree.NodeID, seed uint64, sections []section) *conversation {
	return &conversation{node: node, seed: seed, sections: sections}
}

// question is one phase of a conversation.
type question[T any] struct {
	phase    string
	schema   schema
	template string
	data     any
	timeout  time.Duration                   // of one call, 0: the agent's
	read     func(text string) (T, []string) // what is usable of an answer, and what is wrong with it
	usable   func(T) bool
	enough   func(T) bool // usable without a repair although something is wrong, nil: never
}

// ask asks a question, sends a wrong answer back once, and records the exchange. ok is false when nothing usable came;
// then Exchange.Fallback says why. The error is that of a context that ended.
func ask[T any](ctx context.Context, a *Agent, c *conversation, q question[T]) (value T, ok bool, err error) {
	x := tree.Exchange{Node: c.node, Phase: q.phase, Agent: a.cfg.Name, Model: a.cfg.Model, When: a.cfg.Now()}
	var best T
	done := func(reason string) (T, bool, error) {
		if e := ended(ctx); e != nil {
			return best, false, e
		}
		usable := q.usable(best)
		if !usable {
			x.Fallback = clean(reason, 400)
		}
		x.Latency = a.cfg.Now().Sub(x.When)
		x.Cost, x.Priced = a.cfg.Prices.Cost(a.cfg.Model, x.TokensIn, x.TokensOut)
		x.ID = exchangeID(x)
		c.exchanges = append(c.exchanges, x)
		return best, usable, nil
	}
	if why := a.resting(); why != "" {
		c.dead = true
		return done(why)
	}
	text, err := render(q.template, q.data)
	if err != nil {
		return best, false, err
	}
	schemaText, err := render("schema", string(q.schema.told))
	if err != nil {
		return best, false, err
	}
	turn := []Message{{Role: RoleUser, Text: text + "\n\n" + schemaText}}
	room := false
	for attempt := range 2 {
		reply, err := a.call(ctx, c, &x, prompt{turn, q.schema, attempt, room}, cmp.Or(q.timeout, a.cfg.Timeout))
		if err != nil {
			room = errors.Is(err, ErrCut)
			c.dead = !answered(err)
			x.Errors = append(x.Errors, err.Error())
			if c.dead || errors.Is(err, ErrTooLong) || attempt > 0 {
				return done(err.Error())
			}
			repair, e := render("repair", []string{err.Error()})
			if e != nil {
				return best, false, e
			}
			turn = append(turn, Message{Role: RoleUser, Text: repair})
			continue
		}
		got, wrong := q.read(reply.Text)
		if q.usable(got) {
			best = got
			x.Repaired = attempt > 0
		}
		for i := range wrong {
			wrong[i] = clean(wrong[i], 500)
		}
		if len(wrong) == 0 && !q.usable(got) {
			wrong = []string{"there is nothing in it that can be used"}
		}
		x.Errors = append(x.Errors, wrong...)
		if len(wrong) == 0 || q.enough != nil && q.enough(got) {
			// The next phase goes on from here.
			c.messages = append(c.messages, turn[0], Message{Role: RoleAssistant, Text: reply.Text})
			return done("")
		}
		repair, err := render("repair", wrong)
		if err != nil {
			return best, false, err
		}
		turn = append(turn, Message{Role: RoleAssistant, Text: reply.Text}, Message{Role: RoleUser, Text: repair})
	}
	return done("wrong answers twice: " + strings.Join(x.Errors, "; "))
}
