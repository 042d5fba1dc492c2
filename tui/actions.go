package tui

import (
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"
)

// place is a set of places where an action holds.
type place uint32

// The places: the pages, then the dialogs.
const (
	onHome place = 1 << iota
	onSearch
	onTrajectories
	onCompare
	onAgent
	onSettings
	onPlay // a replay on the search or the trajectories page
	inGate
	inForm // any dialog with fields
	inList // any dialog with a list to choose from
	inText // any dialog to read
	inConfirm

	onPages = onHome | onSearch | onTrajectories | onCompare | onAgent
)

// action is one thing that a person can do: a row of the table that drives dispatch, footer, help and palette.
type action struct {
	id    string
	keys  []string // as Bubble Tea names them; the first is shown
	on    place
	group string            // section of the help
	short string            // the footer's and the palette's words
	help  string            // one sentence
	foot  int               // place in the footer from 1, 0: not there
	label func(*app) string // the footer's words where they depend on what is open; nil: short
	shown string            // the key as people write it, when it is not keys[0]
	why   func(*app) string // why it is not available now; nil or "": it is
	run   func(*app) tea.Cmd
}

// key is the key as people write it.
func (x *action) key() string {
	if x.shown != "" {
		return x.shown
	}
	if len(x.keys) == 0 {
		return ""
	}
	return x.keys[0]
}

// words are what the footer calls the action at the moment.
func (x *action) words(a *app) string {
	if x.label == nil {
		return x.short
	}
	return x.label(a)
}

// reason says why the action is not available, "" when it is.
func (x *action) reason(a *app) string {
	if x.why == nil {
		return ""
	}
	return x.why(a)
}

// actionTable finds actions by place and key.
type actionTable struct {
	all   []action
	byKey map[place]map[string]*action
}

// newActionTable indexes the actions. Two actions with one key in one place are a mistake in the program.
func newActionTable(all []action) *actionTable {
	t := &actionTable{all: all, byKey: map[place]map[string]*action{}}
	for i := range t.all {
		x := &t.all[i]
		for p := onHome; p <= inConfirm; p <<= 1 {
			if x.on&p == 0 {
				continue
			}
			if t.byKey[p] == nil {
				t.byKey[p] = map[string]*action{}
			}
			for _, k := range x.keys {
				if y, twice := t.byKey[p][k]; twice {
					panic(fmt.Sprintf("tui: key %q is both %s and %s", k, y.id, x.id))
				}
				t.byKey[p][k] = x
			}
		}
	}
	return t
}

// find returns the action of a key at a place.
func (t *actionTable) find(p place, key string) (*action, bool) {
	x, ok := t.byKey[p][key]
	return x, ok
}

// at lists the actions of a place in the order of the table.
func (t *actionTable) at(p place) []*action {
	var out []*action
	for i := range t.all {
		if t.all[i].on&p != 0 {
			out = append(out, &t.all[i])
		}
	}
	return out
}

// footer lists the actions of a place that its footer shows, the most important first.
func (t *actionTable) footer(p place) []*action {
	out := slices.DeleteFunc(t.at(p), func(x *action) bool { return x.foot == 0 })
	slices.SortStableFunc(out, func(x, y *action) int { return x.foot - y.foot })
	return out
}

// perform runs an action or says why it cannot.
func (a *app) perform(x *action) tea.Cmd {
	if why := x.reason(a); why != "" {
		a.note(why)
		return nil
	}
	return x.run(a)
}
