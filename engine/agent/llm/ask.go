package llm

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
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
		x.Cost = a.cfg.Prices.Cost(a.cfg.Model, x.TokensIn, x.TokensOut)
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
	for attempt := range 2 {
		reply, err := a.call(ctx, c, &x, turn, q.schema, attempt, cmp.Or(q.timeout, a.cfg.Timeout))
		if err != nil {
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

// answered tells whether an error still shows a server that works: it answered, but not well.
func answered(err error) bool {
	return errors.Is(err, ErrEmpty) || errors.Is(err, ErrCut) || errors.Is(err, ErrTooLong)
}

// call makes one request and books it. A prompt that proves too long is shortened once more.
func (a *Agent) call(ctx context.Context, c *conversation, x *tree.Exchange, turn []Message, s schema, attempt int, limit time.Duration) (Reply, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("%w: %s", ErrTimeout, limit))
	defer cancel()
	m, err := a.describe(ctx)
	if err != nil {
		a.failed(err)
		return Reply{}, err
	}
	x.Versions = m.Server
	for shorter := range 2 {
		var r Request
		if r, err = a.request(c, turn, s, m); err != nil {
			return Reply{}, err
		}
		r.Phase, r.Attempt = x.Phase, attempt
		r.Seed += attempt // the same seed would give the same wrong answer
		x.Prompt, x.Images = transcript(r.Messages), images(r.Messages)
		var reply Reply
		reply, err = a.cfg.Client.Chat(ctx, r)
		if err == nil {
			a.learn(r.Messages, reply.TokensIn)
			a.worked()
			x.Answer = strings.ToValidUTF8(reply.Text, "�")
			x.TokensIn += reply.TokensIn
			x.TokensOut += reply.TokensOut
			if reply.Server != "" {
				x.Versions = reply.Server
			}
			if reply.Model != "" {
				x.Model = clean(reply.Model, 100)
			}
			return reply, nil
		}
		if !errors.Is(err, ErrTooLong) || shorter > 0 {
			break
		}
		a.grow()
	}
	if !answered(err) && ended(ctx) == nil || errors.Is(err, ErrTimeout) {
		a.failed(err)
	}
	return Reply{}, err
}

// request builds the messages so that they and the answer fit the window.
func (a *Agent) request(c *conversation, turn []Message, s schema, m Model) (Request, error) {
	window, answer := a.window(m)
	system, err := render("system", map[string]any{"Skill": a.cfg.Skill})
	if err != nil {
		return Request{}, err
	}
	a.mu.Lock()
	scale := a.scale
	a.mu.Unlock()
	size := func(text string) int { return int(float64(estimate(text)) * scale) }
	rest := window - answer - size(system)
	for _, msg := range slices.Concat(c.messages, turn) {
		rest -= size(msg.Text)
	}
	var pictures [][]byte
	if m.Vision && c.plots != nil && rest > 3*imageTokens {
		if pictures, err = c.plots(); err != nil {
			return Request{}, err
		}
		rest -= imageTokens * len(pictures)
	}
	text, _ := assemble(c.sections, rest, size)
	first := []Message{{Role: RoleSystem, Text: system}, {Role: RoleUser, Text: text, Images: pictures}}
	return Request{
		Model: a.cfg.Model, Messages: merge(slices.Concat(first, c.messages, turn)), Schema: s.sent, Context: window, Answer: answer,
		Seed: int(c.seed & 0x7fffffff), Node: c.node,
	}, nil
}

// merge joins neighbours of the same role, because many chat templates want roles to alternate.
func merge(in []Message) []Message {
	var out []Message
	for _, m := range in {
		if n := len(out); n > 0 && out[n-1].Role == m.Role {
			out[n-1].Text += "\n\n" + m.Text
			out[n-1].Images = append(out[n-1].Images, m.Images...)
			continue
		}
		out = append(out, m)
	}
	return out
}

// learn corrects the estimate of tokens by what the server counted. Servers that reuse a cached prefix may count less
// than the whole, so that it only ever grows here.
func (a *Agent) learn(messages []Message, tokens int64) {
	est := 0
	for _, m := range messages {
		est += estimate(m.Text) + imageTokens*len(m.Images)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if est > 0 {
		a.scale = max(a.scale, min(3, float64(tokens)/float64(est)))
	}
}

// grow makes the next prompts shorter after one did not fit.
func (a *Agent) grow() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.scale = min(4, a.scale*1.5)
}

// transcript is a conversation as it is kept with the node.
func transcript(messages []Message) string {
	var b strings.Builder
	for i, m := range messages {
		if i > 0 {
			b.WriteString("\n\n")
		}
		b.WriteString("### " + string(m.Role))
		if n := len(m.Images); n > 0 {
			fmt.Fprintf(&b, " (with %d plots)", n)
		}
		b.WriteString("\n" + strings.ToValidUTF8(m.Text, "�"))
	}
	return b.String()
}

func images(messages []Message) int {
	n := 0
	for _, m := range messages {
		n += len(m.Images)
	}
	return n
}

// exchangeID names an exchange by what it is about and a digest of what was said when.
func exchangeID(x tree.Exchange) string {
	h := sha256.New()
	for _, s := range []string{x.Agent, x.Prompt, x.Answer, x.When.Format(time.RFC3339Nano)} {
		h.Write([]byte(s))
		h.Write([]byte{0})
	}
	return fmt.Sprintf("n%d-%s-%s", x.Node, x.Phase, hex.EncodeToString(h.Sum(nil))[:10])
}
