package tui

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"llmzero/tui/component/paint"
)

// rebound is the program's own table with a person's keys in it.
func rebound(keys map[string][]string) []action {
	all := allActions()
	for i := range all {
		if own, ok := keys[all[i].id]; ok && all[i].free() {
			all[i].keys, all[i].shown = own, ""
		}
	}
	return all
}

// free tells whether a person may choose the action's keys. Those of dialogs stay as they are: a field to type in cannot do
// without them.
func (x *action) free() bool { return x.on&(inForm|inList|inText|inConfirm) == 0 && len(x.keys) > 0 }

// conflict says which two actions a table gives one key in one place, "" when none.
func conflict(all []action) string {
	taken := map[place]map[string]*action{}
	for i := range all {
		x := &all[i]
		for p := onHome; p <= inConfirm; p <<= 1 {
			if x.on&p == 0 {
				continue
			}
			if taken[p] == nil {
				taken[p] = map[string]*action{}
			}
			for _, k := range x.keys {
				if y, twice := taken[p][k]; twice {
					return fmt.Sprintf("%s would mean both %q and %q", k, y.name(), x.name())
				}
				taken[p][k] = x
			}
		}
	}
	return ""
}

// name is what the action is called in a list.
func (x *action) name() string { return or(x.short, x.help) }

// setKeys makes keys a person's own; those that contradict each other are an error, and nothing changes.
func (a *app) setKeys(keys map[string][]string) error {
	all := rebound(keys)
	if c := conflict(all); c != "" {
		return fmt.Errorf("%s: choose other keys in the settings (,)", c)
	}
	a.acts = newActionTable(all)
	return nil
}

// keysWord sums up the keys of the settings page.
func (a *app) keysWord() string {
	n := 0
	for i := range a.acts.all {
		if a.acts.all[i].free() {
			n++
		}
	}
	own := "all as they come"
	if len(a.settings.Keys) > 0 {
		own = plural(len(a.settings.Keys), "action") + " with your own keys"
	}
	return plural(n, "action") + ", " + own
}

// openKeys lists the actions with their keys; one that is chosen waits for its new key.
func (a *app) openKeys() {
	var acts []*action
	ch := &chooser{head: "Keys", typing: newField("")}
	for i := range a.acts.all {
		x := &a.acts.all[i]
		if !x.free() {
			continue
		}
		acts = append(acts, x)
		key := strings.Join(x.keys, " ")
		if _, own := a.settings.Keys[x.id]; own {
			key += " " + a.look.glyphs.Mark.Selected
		}
		ch.items = append(ch.items, choiceItem{label: x.group + ": " + x.name(), help: x.help, shows: key})
	}
	ch.pick = func(a *app, i int) tea.Cmd {
		a.push(&keyCapture{id: acts[i].id, name: acts[i].name(), was: strings.Join(acts[i].keys, " ")})
		return nil
	}
	ch.filter()
	a.push(ch)
}

// keyCapture takes the next key as an action's own.
type keyCapture struct {
	id, name, was string
	problem       string
}

func (k *keyCapture) place() place         { return inConfirm }
func (k *keyCapture) title(*app) string    { return "A key for: " + k.name }
func (k *keyCapture) want(*app) (w, h int) { return 66, 8 }
func (k *keyCapture) done(a *app)          { a.removeDialog(k); a.openKeys(); a.renewKeys() }

// typed takes any key but escape, which leaves things as they are, and delete, which brings the program's own key back.
func (k *keyCapture) typed(a *app, m tea.KeyPressMsg) (tea.Cmd, bool) {
	key := m.String()
	keys := map[string][]string{}
	for id, own := range a.settings.Keys {
		keys[id] = own
	}
	switch key {
	case "esc":
		k.done(a)
		return nil, true
	case "delete":
		delete(keys, k.id)
	default:
		keys[k.id] = []string{key}
	}
	if c := conflict(rebound(keys)); c != "" {
		k.problem = c
		return nil, true
	}
	if err := a.setKeys(keys); err != nil {
		k.problem = err.Error()
		return nil, true
	}
	a.settings.Keys = keys
	k.done(a)
	return a.saveSettings(), true
}

// renewKeys writes the number of own keys into the open settings form.
func (a *app) renewKeys() {
	for _, d := range a.dialogs {
		if f, ok := d.(*form); ok {
			if x := f.field("keys"); x != nil {
				x.fixed = a.keysWord()
			}
		}
	}
}

func (k *keyCapture) draw(a *app, c paint.Canvas) {
	c.Text(2, 1, overlay(sText), "Press the key that is to do it from now on.")
	c.TextIn(2, 2, c.W()-4, overlay(sMuted), "now: "+k.was, a.look.glyphs.Mark.Ellipsis)
	if k.problem != "" {
		for i, l := range paint.Wrap(k.problem, c.W()-6) {
			c.Text(2, 3+i, overlay(sError), l)
		}
	}
	x := c.Text(2, c.H()-1, overlay(sKey), "esc")
	x = c.Text(x+1, c.H()-1, overlay(sMuted), "as it is")
	x = c.Text(x+3, c.H()-1, overlay(sKey), "delete")
	c.Text(x+1, c.H()-1, overlay(sMuted), "the key it came with")
}
