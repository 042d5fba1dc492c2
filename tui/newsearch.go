package tui

import (
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"llmzero/engine/tree"
)

// askNew opens the form of a new search.
func (a *app) askNew() tea.Cmd {
	o := a.offer
	if len(o.Trainers) == 0 {
		a.note("what there is to choose is not known yet; try again in a moment")
		return a.loadOffer()
	}
	q := o.Quick
	f := &form{head: "New search", verb: "start", width: 96}
	trainers := make([]Choice, len(o.Trainers))
	for i, t := range o.Trainers {
		trainers[i] = Choice{Name: t.Name, Help: t.Model}
	}
	trainer := choiceField("trainer", "trainer", or(q.Trainer, trainers[0].Name), "what trains the segments", trainers)
	f.fields = append(f.fields, choiceField("task", "task", "", "what the model learns", nil), trainer,
		choiceField("base", "base model", "", "which of the task's base models to begin with", nil),
		choiceField("agent", "agent", or(q.Agent, "rules"), "who looks at the curves and proposes", o.Agents),
		choiceField("policy", "search policy", or(q.Policy, "uct"), "which node is expanded next", o.Policies))
	f.fillTasks(o, q.Task)
	for _, x := range f.fields {
		x.section = "what"
	}
	budget := []*formField{
		textField("segments", "segments at most", num(max(q.Budget.Segments, 12)), "training segments in all; 0: no limit", whole(0, 1_000_000)),
		textField("tokens", "tokens at most", strconv.FormatInt(q.Budget.Tokens, 10), "sampled and trained tokens in all, such as 2e6; 0: no limit", decimal(0, 1e15)),
		textField("segment", "steps a segment", num(max(q.Segment, 1)), "optimizer steps of one segment", whole(1, 1_000_000)),
		textField("parallel", "segments at once", num(max(q.Parallel, 1)), "how many segments train at the same time", whole(1, 1024)),
	}
	if q.Segment == 0 {
		budget[2].input.set("40")
	}
	budget = append(budget, textField("confirm", "confirm with", number(100*q.Budget.Confirm),
		"percent of the budget kept to retrain the best paths with fresh seeds before the winner is named", decimal(0, 90)))
	for _, x := range budget {
		x.section = "how much"
	}
	rest := approvalFields(a.settings.Approval)
	for _, x := range rest {
		x.section = "your part"
	}
	seed := textField("seed", "seed", strconv.FormatUint(q.Seed, 10), "the same seed gives the same search", func(s string) error {
		_, err := strconv.ParseUint(s, 10, 64)
		return err
	})
	label := textField("name", "name", "", "what you call it; may be empty", nil)
	seed.section, label.section = "record", "record"
	f.fields = append(append(append(f.fields, budget...), rest...), seed, label)
	f.fillRoot(o)
	last, task := f.get("trainer"), f.get("task")
	f.changes = func(_ *app, f *form) {
		if now := f.get("trainer"); now != last {
			last = now
			f.fillTasks(o, "")
			task = "" // another trainer's tasks and parameters
		}
		if now := f.get("task"); now != task {
			task = now
			f.fillBases(o)
			f.fillRoot(o)
		}
	}
	f.check = func(_ *app, f *form) error { return f.newSearch().Budget.Check() }
	f.aside = func(a *app, f *form) string { return f.estimate(a.home.all, a.pace.of[paceKey(f.newSearch())]) }
	f.submit = func(a *app, f *form) tea.Cmd {
		n := f.newSearch()
		a.removeDialog(f)
		return a.startSearch(n)
	}
	a.push(f)
	return nil
}

// fillTasks offers the tasks of the chosen trainer.
func (f *form) fillTasks(o Offer, want string) {
	task := f.field("task")
	task.choices = nil
	for _, t := range o.Trainers {
		if t.Name != f.get("trainer") {
			continue
		}
		for _, k := range t.Tasks {
			task.choices = append(task.choices, Choice{Name: k.Name, Help: k.Help})
		}
	}
	task.at = 0
	task.set(want)
	f.fillBases(o)
}

// fillBases offers the base models of the chosen task; a task with one has no field for it.
func (f *form) fillBases(o Offer) {
	base := f.field("base")
	base.choices, base.at = nil, 0
	for _, t := range o.Trainers {
		if t.Name != f.get("trainer") {
			continue
		}
		for _, k := range t.Tasks {
			for i := 1; k.Name == f.get("task") && i <= k.Bases; i++ {
				base.choices = append(base.choices, Choice{Name: num(i)})
			}
		}
	}
	base.off = func(*form) bool { return len(base.choices) < 2 }
}

// rootField marks the fields of the root's configuration.
const rootField = "root."

// fillRoot has a field for every parameter of the chosen trainer, with the chosen task's ranges and defaults: the
// configuration that the search begins with. Values that were edited stay where the parameter does.
func (f *form) fillRoot(o Offer) {
	f.undo = nil // what could be taken back may be gone
	edited := map[string]string{}
	for i, x := range f.fields {
		if strings.HasPrefix(x.id, rootField) && f.changed(i) {
			edited[x.id] = x.value()
		}
	}
	f.fields = slices.DeleteFunc(f.fields, func(x *formField) bool { return strings.HasPrefix(x.id, rootField) })
	for _, t := range o.Trainers {
		if t.Name != f.get("trainer") {
			continue
		}
		for _, p := range t.SpaceOf(f.get("task")).Params {
			x := paramField(p, p.Default)
			x.id, x.section = rootField+p.Name, "root configuration"
			if v, ok := edited[x.id]; ok {
				x.set(v)
			}
			f.fields = append(f.fields, x)
		}
	}
}

// root are the values that differ from the task's defaults.
func (f *form) root() tree.Config {
	var c tree.Config
	for i, x := range f.fields {
		if !strings.HasPrefix(x.id, rootField) || !f.changed(i) {
			continue
		}
		if v, err := x.param.Parse(x.value()); err == nil {
			if c == nil {
				c = tree.Config{}
			}
			c[x.param.Name] = v
		}
	}
	return c
}

// newSearch reads the form.
func (f *form) newSearch() NewSearch {
	n := NewSearch{
		Name: f.get("name"), Task: f.get("task"), Trainer: f.get("trainer"), Agent: f.get("agent"), Policy: f.get("policy"),
		Approval: approvalOf(f), Root: f.root(),
	}
	n.Budget.Segments, _ = strconv.Atoi(f.get("segments"))
	n.Base, _ = strconv.Atoi(f.get("base"))
	confirm, _ := strconv.ParseFloat(f.get("confirm"), 64)
	n.Budget.Confirm = confirm / 100
	tokens, _ := strconv.ParseFloat(f.get("tokens"), 64)
	n.Budget.Tokens = int64(tokens)
	n.Segment, _ = strconv.Atoi(f.get("segment"))
	n.Parallel, _ = strconv.Atoi(f.get("parallel"))
	n.Seed, _ = strconv.ParseUint(f.get("seed"), 10, 64)
	return n
}

// estimate says what the search will come to: its steps; tokens and time by a pace that was just measured, else tokens as far as
// past searches of the same task and trainer tell what a segment takes.
func (f *form) estimate(past []tree.Summary, pace Pace) string {
	n := f.newSearch()
	var parts []string
	if n.Budget.Segments > 0 {
		parts = append(parts, count(float64(n.Budget.Segments*n.Segment))+" steps in all")
	}
	if pace.Step > 0 {
		return strings.Join(append(parts, paceWords(n, pace)...), " · ")
	}
	var tokens float64
	segments := 0
	for _, s := range past {
		if s.Task == n.Task && s.Trainer == n.Trainer && s.Segments > 0 {
			tokens += float64(s.Tokens)
			segments += s.Segments
		}
	}
	switch {
	case segments > 0 && n.Budget.Segments > 0:
		all := tokens / float64(segments) * float64(n.Budget.Segments)
		if n.Budget.Tokens > 0 {
			all = min(all, float64(n.Budget.Tokens))
		}
		parts = append(parts, "about "+count(all)+" tokens, going by "+plural(segments, "earlier segment"))
	case n.Budget.Tokens > 0:
		parts = append(parts, "at most "+count(float64(n.Budget.Tokens))+" tokens")
	}
	return strings.Join(parts, " · ")
}
