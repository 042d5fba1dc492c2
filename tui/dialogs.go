package tui

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"llmzero/engine/tree"
	"llmzero/themes"
	"llmzero/tui/component/paint"
)

func nan() float64 { return math.NaN() }

// prompt asks for one line of text, such as the reason of a veto.
type prompt struct {
	head, intro string
	input       *field
	must        string // what is wrong with an empty answer; "" allows it
	check       func(string) error
	tried       bool
	done        func(*app, string) tea.Cmd
	ideas       []string // offered with up and down
	idea        int
}

func (a *app) ask(head, intro, value, must string, done func(*app, string) tea.Cmd) *prompt {
	p := &prompt{head: head, intro: intro, input: newField(value), must: must, done: done, idea: -1}
	a.push(p)
	return p
}

func (p *prompt) place() place      { return inForm }
func (p *prompt) title(*app) string { return p.head }
func (p *prompt) want(a *app) (int, int) {
	return 76, 7 + len(paint.Wrap(p.intro, 70)) + min(len(p.ideas), 6)
}

func (p *prompt) typed(_ *app, k tea.KeyPressMsg) (tea.Cmd, bool) {
	if n := len(p.ideas); n > 0 {
		step := map[string]int{"up": -1, "down": 1}[k.String()]
		if step != 0 {
			p.idea = max(-1, min(n-1, p.idea+step))
			if p.idea >= 0 {
				p.input.set(p.ideas[p.idea])
			}
			return nil, true
		}
	}
	return nil, p.input.typed(k)
}

// problem is what is wrong with the text, "" when nothing is.
func (p *prompt) problem() string {
	v := strings.TrimSpace(p.input.value())
	if v == "" {
		return p.must
	}
	if p.check != nil {
		if err := p.check(v); err != nil {
			return err.Error()
		}
	}
	return ""
}

func (p *prompt) finish(a *app) tea.Cmd {
	if p.tried = true; p.problem() != "" {
		return nil
	}
	a.removeDialog(p)
	return a.submitting(p, func() tea.Cmd { return p.done(a, strings.TrimSpace(p.input.value())) })
}

// submitting carries out what a dialog asked for. What is refused opens it again as it was: nobody types a thing twice.
func (a *app) submitting(d dialog, do func() tea.Cmd) tea.Cmd {
	a.submitted = d
	defer func() { a.submitted = nil }()
	return do()
}

// reopen opens a dialog whose act was refused.
func (a *app) reopen(d dialog) {
	if d != nil && !slices.Contains(a.dialogs, d) {
		a.push(d)
	}
}

func (p *prompt) draw(a *app, c paint.Canvas) {
	y := 1
	for _, t := range paint.Wrap(p.intro, c.W()-4) {
		c.Text(2, y, overlay(sMuted), t)
		y++
	}
	box := c.Sub(2, y, c.W()-4, 1)
	box.Fill(paint.Style{}.On(ink(themes.Surface)))
	p.input.draw(box.Sub(1, 0, box.W()-2, 1), sText.On(ink(themes.Surface)), true)
	y++
	for i, t := range p.ideas {
		st, mark := sFaint, "  "
		if i == p.idea {
			st, mark = sAccent, a.look.glyphs.Mark.Cursor+" "
		}
		c.TextIn(2, y, c.W()-4, overlay(st), mark+t, a.look.glyphs.Mark.Ellipsis)
		y++
	}
	if e := p.problem(); e != "" && (p.tried || strings.TrimSpace(p.input.value()) != "") {
		c.TextIn(2, y, c.W()-4, overlay(sError), a.look.glyphs.Mark.Warning+" "+e, a.look.glyphs.Mark.Ellipsis)
	}
	a.keyLine(c.Sub(0, c.H()-1, c.W(), 1), 2, c.W()-2, inForm, ink(themes.Overlay))
}

// chooser lets one pick from a list: choices of a question, or with typing the command palette.
type chooser struct {
	head, intro string
	items       []choiceItem
	shown       []int
	cursor, top int
	typing      *field // nil: no filter
	pick        func(*app, int) tea.Cmd
	height      int
	nodes       int // with the last item one goes to a node by its number, of which there are so many; 0: no such item
	node        tree.NodeID
}

type choiceItem struct {
	label, help, key, why string
	shows                 string // stands at the right where key would, but is no key of the list
	danger                bool
}

func (a *app) choose(head, intro string, items []choiceItem, pick func(*app, int) tea.Cmd) *chooser {
	ch := &chooser{head: head, intro: intro, items: items, pick: pick}
	ch.filter()
	a.push(ch)
	return ch
}

func (ch *chooser) place() place      { return inList }
func (ch *chooser) title(*app) string { return ch.head }

func (ch *chooser) want(a *app) (int, int) {
	h := len(ch.items) + 4
	if ch.intro != "" {
		h += len(paint.Wrap(ch.intro, 70)) + 1
	}
	if ch.typing != nil {
		return 84, min(26, a.h-4)
	}
	return 78, h
}

// filter keeps the items whose words hold what is typed, the best matches first.
func (ch *chooser) filter() {
	ch.shown = ch.shown[:0]
	q := ""
	if ch.typing != nil {
		q = strings.ToLower(strings.TrimSpace(ch.typing.value()))
	}
	rank := make([]int, len(ch.items))
	for i, it := range ch.items {
		label := strings.ToLower(it.label)
		if ch.nodes > 0 && i == len(ch.items)-1 {
			id, err := strconv.Atoi(strings.TrimPrefix(q, "n"))
			if err == nil && id >= 0 && id < ch.nodes {
				ch.node, rank[i] = tree.NodeID(id), -1
				ch.items[i].label = "go to " + name(ch.node)
				ch.shown = append(ch.shown, i)
			}
			continue
		}
		switch {
		case q == "":
		case strings.HasPrefix(label, q):
		case strings.Contains(label, q):
			rank[i] = 1
		case strings.Contains(strings.ToLower(it.help), q):
			rank[i] = 2
		case subsequence(q, label):
			rank[i] = 3
		default:
			continue
		}
		ch.shown = append(ch.shown, i)
	}
	slices.SortStableFunc(ch.shown, func(x, y int) int { return cmp.Compare(rank[x], rank[y]) })
	ch.cursor = max(0, min(ch.cursor, len(ch.shown)-1))
}

// subsequence tells whether q's letters occur in s in their order.
func subsequence(q, s string) bool {
	for _, r := range q {
		i := strings.IndexRune(s, r)
		if i < 0 {
			return false
		}
		s = s[i+len(string(r)):]
	}
	return true
}

func (ch *chooser) typed(a *app, k tea.KeyPressMsg) (tea.Cmd, bool) {
	if ch.typing == nil {
		for i, it := range ch.items {
			if it.key != "" && it.key == k.String() {
				return ch.choose(a, i), true
			}
		}
		return nil, false
	}
	if !ch.typing.typed(k) {
		return nil, false
	}
	ch.cursor = 0
	ch.filter()
	return nil, true
}

func (ch *chooser) move(by int) {
	ch.cursor = max(0, min(len(ch.shown)-1, ch.cursor+by))
}

func (ch *chooser) choose(a *app, i int) tea.Cmd {
	if why := ch.items[i].why; why != "" {
		a.note(why)
		return nil
	}
	a.removeDialog(ch)
	return ch.pick(a, i)
}

func (ch *chooser) enter(a *app) tea.Cmd {
	if ch.cursor >= len(ch.shown) || ch.cursor < 0 {
		return nil
	}
	return ch.choose(a, ch.shown[ch.cursor])
}

func (ch *chooser) draw(a *app, c paint.Canvas) {
	gl := a.look.glyphs
	y := 1
	if ch.intro != "" {
		for _, t := range paint.Wrap(ch.intro, c.W()-4) {
			c.Text(2, y, overlay(sMuted), t)
			y++
		}
		y++
	}
	if ch.typing != nil {
		c.Text(2, 0, overlay(sAccent), ":")
		ch.typing.draw(c.Sub(4, 0, c.W()-6, 1), overlay(sText), true)
	}
	list := c.Sub(0, y, c.W(), c.H()-y-1)
	if ch.typing != nil { // room for the whole help of the line under the cursor, which the list may have to cut
		list = c.Sub(0, y, c.W(), c.H()-y-3)
		if ch.cursor < len(ch.shown) {
			it := ch.items[ch.shown[ch.cursor]]
			for i, t := range paint.Wrap(or(it.why, it.help), c.W()-6) {
				if i < 2 {
					c.Text(3, c.H()-3+i, overlay(sMuted), t)
				}
			}
		}
	}
	hx := 20
	for _, it := range ch.items {
		hx = max(hx, min(36, 5+paint.Width(it.label)))
	}
	ch.height = list.H()
	ch.top = max(0, min(ch.top, ch.cursor))
	ch.top = max(ch.top, ch.cursor-list.H()+1)
	for i := 0; i < list.H() && ch.top+i < len(ch.shown); i++ {
		at := ch.top + i
		it := ch.items[ch.shown[at]]
		bg := ink(themes.Overlay)
		st := sText
		if it.danger {
			st = sError
		}
		if it.why != "" {
			st = sFaint
		}
		row := list.Sub(0, i, list.W(), 1)
		row.Zone(0, 0, row.W(), 1, "choice", at)
		if at == ch.cursor {
			bg = ink(themes.SelectionBg)
			row.Fill(paint.Style{}.On(bg))
			row.Text(1, 0, sAccent.On(bg), gl.Mark.Cursor)
			st = st.With(paint.Bold)
		}
		row.TextIn(3, 0, hx-4, st.On(bg), it.label, gl.Mark.Ellipsis)
		kx := row.TextRight(row.W()-2, 0, sKey.On(bg), or(it.key, it.shows))
		help := it.help
		if it.why != "" {
			help = it.why
		}
		row.TextIn(hx, 0, kx-hx-1, sMuted.On(bg), help, gl.Mark.Ellipsis)
	}
	if len(ch.shown) == 0 {
		list.Text(3, 0, overlay(sMuted), "nothing matches")
	}
	a.scrollbar(list.Sub(list.W()-1, 0, 1, list.H()), ch.top, list.H(), len(ch.shown))
	a.keyLine(c.Sub(0, c.H()-1, c.W(), 1), 2, c.W()-2, inList, ink(themes.Overlay))
}

// reader shows a text to scroll through.
type reader struct {
	head   string
	rows   []readerRow
	text   string
	top    int
	height int
	width  int
}

type readerRow struct {
	key, text string
	head      bool
	why       string
	bad       bool // an error
}

func (r *reader) place() place      { return inText }
func (r *reader) title(*app) string { return r.head }
func (r *reader) want(a *app) (int, int) {
	w := r.width
	if w == 0 {
		w = 88
	}
	return w, len(r.lay(min(w, a.w-2)-6)) + 4
}

func (r *reader) typed(*app, tea.KeyPressMsg) (tea.Cmd, bool) { return nil, false }

// readerLine is a row of a reader as it is painted: rows that are too long go on in the next one.
type readerLine struct {
	row   readerRow
	text  string
	first bool
}

// readerKeys is how wide the column of keys is.
const readerKeys = 15

// lay breaks the text or the rows into lines of a width.
func (r *reader) lay(width int) []readerLine {
	var out []readerLine
	if r.text != "" {
		for _, t := range paint.Wrap(r.text, width) {
			out = append(out, readerLine{text: t})
		}
		return out
	}
	for _, row := range r.rows {
		if row.head || row.text == "" {
			out = append(out, readerLine{row: row, text: row.text, first: true})
			continue
		}
		text := row.text
		if row.why != "" {
			text += "  (" + row.why + ")"
		}
		for i, t := range paint.Wrap(text, max(10, width-readerKeys-2)) {
			out = append(out, readerLine{row: row, text: t, first: i == 0})
		}
	}
	return out
}

func (r *reader) draw(a *app, c paint.Canvas) {
	body := c.Sub(2, 1, c.W()-4, c.H()-2)
	r.height = body.H()
	lines := r.lay(body.W())
	r.top = max(0, min(r.top, len(lines)-body.H()))
	for y := 0; y < body.H() && r.top+y < len(lines); y++ {
		l := lines[r.top+y]
		switch {
		case r.text != "":
			body.Text(0, y, overlay(sText), l.text)
		case l.row.head:
			a.rule(body.Sub(0, y, body.W(), 1), l.text, overlay(sTitle))
		default:
			ks, ts := sKey, sText
			switch {
			case l.row.why != "":
				ks, ts = sFaint, sFaint
			case l.row.bad:
				ks, ts = sFaint, sError
			}
			if l.first {
				body.TextRight(readerKeys, y, overlay(ks), l.row.key)
			}
			body.Text(readerKeys+2, y, overlay(ts), l.text)
		}
	}
	a.scrollbar(c.Sub(c.W()-1, 1, 1, body.H()), r.top, body.H(), len(lines))
	a.keyLine(c.Sub(0, c.H()-1, c.W(), 1), 2, c.W()-2, inText, ink(themes.Overlay))
}

// openHelp lists every action of the place where one is, and why some are not available.
func (a *app) openHelp() {
	p := a.place()
	r := &reader{head: "Keys", width: 104}
	var groups []string
	for _, x := range a.acts.at(p) {
		if !slices.Contains(groups, x.group) {
			groups = append(groups, x.group)
		}
	}
	for i, g := range groups {
		if i > 0 {
			r.rows = append(r.rows, readerRow{})
		}
		r.rows = append(r.rows, readerRow{text: g, head: true})
		for _, x := range a.acts.at(p) {
			if x.group == g {
				r.rows = append(r.rows, readerRow{key: allKeys(x), text: x.help, why: x.reason(a)})
			}
		}
	}
	if a.s != nil {
		r.rows = append(r.rows, readerRow{}, readerRow{text: "Parameters, as they are called in narrow places", head: true})
		for _, p := range a.s.t.Spec.Space.Params {
			r.rows = append(r.rows, readerRow{key: p.Label(), text: p.Name + ": " + p.Help})
		}
	}
	if p == onSearch {
		r.rows = append(r.rows, readerRow{}, readerRow{text: "States", head: true})
		for _, st := range stateHelp {
			r.rows = append(r.rows, readerRow{key: a.look.glyphs.State(st[0]), text: st[0] + ": " + st[1]})
		}
		r.rows = append(r.rows, readerRow{}, readerRow{text: "Filter (/)", head: true})
		for _, st := range filterHelp {
			r.rows = append(r.rows, readerRow{key: "", text: st})
		}
	}
	a.push(r)
}

var stateHelp = [][2]string{
	{"proposed", "waits for your verdict"},
	{"queued", "waits for a slot"},
	{"running", "trains"},
	{"evaluated", "trained and scored on the validation set"},
	{"stopped", "ended early, its checkpoints scored"},
	{"failed", "ended without a result"},
	{"vetoed", "refused"},
	{"pruned", "taken out of the search"},
}

var filterHelp = []string{
	"score>0.6  gain>0  depth<3  conf<0.5  tokens>1e5   numbers of a node",
	"state:failed  by:human  verdict:vetoed  diag:entropy  is:best   kinds of nodes",
	"lr<1e-4  n>=16  temperature=1   parameters by name or label",
	"any other word is looked for in changes and reasons; - before a word negates it",
}

// allKeys are an action's keys as people write them.
func allKeys(x *action) string {
	if x.shown != "" {
		return x.shown
	}
	return strings.Join(x.keys[:min(3, len(x.keys))], " ")
}

// openPalette lists what can be done where one is, to be found by typing.
func (a *app) openPalette() {
	p := a.place()
	var acts []*action
	ch := &chooser{head: "Commands", typing: newField("")}
	for _, x := range a.acts.at(p) {
		if x.short == "" || x.id == "palette" {
			continue
		}
		acts = append(acts, x)
		ch.items = append(ch.items, choiceItem{label: x.short, help: x.help, why: x.reason(a), shows: x.key()})
	}
	if a.s != nil && p == onSearch {
		ch.nodes = len(a.s.t.Nodes)
		ch.items = append(ch.items, choiceItem{help: "by its number"})
	}
	ch.pick = func(a *app, i int) tea.Cmd {
		if i < len(acts) {
			return a.perform(acts[i])
		}
		a.s.goTo(ch.node)
		return a.follow()
	}
	ch.filter()
	a.push(ch)
}
