package llm

import (
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

// prompt is what a call asks beyond the conversation so far.
type prompt struct {
	turn    []Message
	schema  schema
	attempt int
	room    bool // the last answer was cut: leave more room for this one
}

// answered tells whether an error still shows a server that works: it answered, but not well.
func answered(err error) bool {
	return errors.Is(err, ErrEmpty) || errors.Is(err, ErrCut) || errors.Is(err, ErrTooLong) || errors.Is(err, ErrRefused)
}

// call makes one request and books it. A prompt that proves too long is shortened once more.
func (a *Agent) call(ctx context.Context, c *conversation, x *tree.Exchange, p prompt, limit time.Duration) (Reply, error) {
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
		if r, err = a.request(c, p, m); err != nil {
			return Reply{}, err
		}
		r.Phase, r.Attempt = x.Phase, p.attempt
		r.Seed += p.attempt // the same seed would give the same wrong answer
		x.Prompt, x.Images = transcript(r.Messages), images(r.Messages)
		var reply Reply
		reply, err = a.cfg.Client.Chat(ctx, r)
		a.book(x, reply)
		if e := a.dropped(r, reply); e != nil && (err == nil || answered(err)) {
			err = e
		}
		if err == nil {
			a.learn(r.Messages, reply.TokensIn)
			a.worked()
			return reply, nil
		}
		if !errors.Is(err, ErrTooLong) || shorter > 0 {
			break
		}
		x.Errors = append(x.Errors, err.Error()+"; asked again with a shorter prompt")
		a.shrink(r.Messages)
	}
	if !answered(err) && ended(ctx) == nil || errors.Is(err, ErrTimeout) {
		a.failed(err)
	}
	return Reply{}, err
}

// maxThoughts is the most bytes of a model's thoughts that are kept with an exchange.
const maxThoughts = 16 << 10

// book writes down what a call brought and took, whether its answer can be used or not.
func (a *Agent) book(x *tree.Exchange, r Reply) {
	x.TokensIn += r.TokensIn
	x.TokensOut += r.TokensOut
	if r.Text != "" {
		x.Answer = strings.ToValidUTF8(r.Text, "�")
	}
	if r.Server != "" {
		x.Versions = r.Server
	}
	if r.Model != "" {
		x.Model = clean(r.Model, 100)
	}
	if r.Thinking == "" {
		return
	}
	x.Thinking = head(strings.ToValidUTF8(r.Thinking, "�"), maxThoughts)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.model != nil && !a.model.Thinking { // the server did not say so
		m := *a.model
		m.Thinking = true
		a.model = &m
	}
}

// The least shares that a server counts when it has read the whole prompt: of the tokens estimated, which are rather too
// many, and of those expected by how it counted before.
const (
	leastSeen = 0.4
	leastLike = 0.6
)

// dropped says that the server answered a prompt that it had not read whole: it counted far fewer tokens than were sent.
// Some servers drop the beginning of a conversation without a word, or the middle of a message that fills the window.
func (a *Agent) dropped(q Request, r Reply) error {
	a.mu.Lock()
	ratio := a.ratio
	a.mu.Unlock()
	sent := 0
	for _, m := range q.Messages {
		sent += estimate(m.Text)
	}
	switch seen := r.TokensIn + r.Cached; {
	case r.TokensIn <= 0: // it does not count
		return nil
	case float64(seen) < max(leastSeen, leastLike*ratio)*float64(sent):
		return fmt.Errorf("%w: the server read %d tokens where about %d were sent, so it dropped some without a word", ErrTooLong, seen, sent)
	case q.Context > 0 && r.TokensIn >= int64(q.Context):
		return fmt.Errorf("%w: it fills all %d tokens", ErrTooLong, q.Context)
	}
	return nil
}

// request builds the messages so that they and the answer fit the window.
func (a *Agent) request(c *conversation, p prompt, m Model) (Request, error) {
	window, answer := a.window(m, p.room)
	system, err := render("system", map[string]any{"Skill": a.cfg.Skill})
	if err != nil {
		return Request{}, err
	}
	a.mu.Lock()
	scale, most := a.scale, a.most
	a.mu.Unlock()
	size := func(text string) int { return int(float64(estimate(text)) * scale) }
	rest := window - answer
	if most > 0 {
		rest = min(rest, most)
	}
	rest -= size(system)
	for _, msg := range slices.Concat(c.messages, p.turn) {
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
	if over := size(text) - rest; over > 0 && most == 0 { // even the shortest: a long answer gives way
		answer = max(answer-over, min(answer, DefaultAnswer, window/3))
	}
	first := []Message{{Role: RoleSystem, Text: system}, {Role: RoleUser, Text: text, Images: pictures}}
	return Request{
		Model: a.cfg.Model, Messages: merge(slices.Concat(first, c.messages, p.turn)), Schema: p.schema.sent, Context: window, Answer: answer,
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

// learn corrects the estimate of tokens by what the server counted: at once when it was too low, a third of the way when
// it was too high, and never below the estimate, which is meant to be high.
func (a *Agent) learn(messages []Message, tokens int64) {
	est := estimated(messages)
	if est == 0 || tokens <= 0 {
		return
	}
	seen := max(1, min(3, float64(tokens)/float64(est)))
	a.mu.Lock()
	defer a.mu.Unlock()
	if images(messages) == 0 {
		a.ratio = min(3, float64(tokens)/float64(est))
	}
	a.scale = max(seen, a.scale+(seen-a.scale)/3)
	a.most += a.most / 50 // that it did not fit may have been a mistake
}

// shrink makes the next prompts shorter than one that did not fit: either it takes more tokens than estimated, or the
// server's window is smaller than it says.
func (a *Agent) shrink(messages []Message) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.most = int(float64(estimated(messages)) * a.scale * 2 / 3)
	a.scale = min(4, a.scale*1.25)
}

func estimated(messages []Message) int {
	n := 0
	for _, m := range messages {
		n += estimate(m.Text) + imageTokens*len(m.Images)
	}
	return n
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
