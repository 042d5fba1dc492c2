package tui

import (
	"errors"
	"strings"
	"testing"

	"llmzero/engine/event"
	"llmzero/engine/tree"
)

func TestRefusedActsOpenTheirDialogAgain(t *testing.T) {
	r, f := opened(t, nil)
	f.refuse = errors.New("the engine says no")
	r.keys("H type:mind+the+length enter")
	r.mustShow("the engine says no", "Hint for the agent", "mind the length")
	f.refuse = nil
	r.keys("enter")
	r.mustNotShow("Hint for the agent")
	if c := f.done[len(f.done)-1]; c.Kind != tree.CmdHint || c.Text != "mind the length" {
		t.Errorf("%+v", c)
	}
	f.refuse = errors.New("the engine says no")
	r.keys("$ down 5 0 0 enter")
	r.mustShow("Budget", "the engine says no", "500")
}

func TestWhatCannotBePaidIsNotOffered(t *testing.T) {
	s := storybook()
	s.say("engine", &event.StatusSet{Status: tree.SearchDone, Reason: "the budget is spent"})
	lib := newFakeLibrary(s)
	r := newRig(t, lib, nil)
	r.keys("enter")
	for _, key := range []string{"B", "r"} {
		r.keys("b " + key)
		r.mustShow("its budget spent: $ raises it")
		if len(r.a.dialogs) > 0 {
			t.Errorf("%s opens a form that can only be refused", key)
		}
	}
}

func TestLeavingASearchLeavesTheCursorOnIt(t *testing.T) {
	one, two := storybook(), storybook()
	two.t.Spec.ID = "s-other"
	r := newRig(t, newFakeLibrary(one, two), nil)
	for _, id := range []string{"s-other", one.t.Spec.ID} {
		r.a.home.cursor = 0
		r.send(r.a.openSearch(id)())
		if r.a.openID() != id {
			t.Fatalf("open: %q", r.a.openID())
		}
		r.keys("esc")
		if got := r.a.home.currentID(); got != id {
			t.Errorf("left %s, the cursor is on %s", id, got)
		}
	}
}

func TestNumberFields(t *testing.T) {
	r, _ := opened(t, nil)
	r.keys("$")
	f := r.a.top().(*form)
	was := f.focus
	r.keys("j")
	if f.focus == was || strings.Contains(f.fields[was].value(), "j") {
		t.Errorf("j: at %d, %q", f.focus, f.fields[was].value())
	}
	r.keys("k > >")
	if got := f.get("segments"); got != "34" {
		t.Errorf("32 and two steps up: %s", got)
	}
	for _, x := range []struct {
		keys, want string
	}{{"2 e 6 >", "2100000"}, {"9 9 <", "98"}, {"0 <", "0"}} {
		f.field("tokens").set("1")
		f.focusOn(1)
		r.keys(x.keys)
		if got := f.get("tokens"); got != x.want {
			t.Errorf("%s: %s, want %s", x.keys, got, x.want)
		}
	}
}

func TestUndoPromisesOnlyWhatItDoes(t *testing.T) {
	r, f := opened(t, nil)
	r.keys("p H type:a enter H type:b enter ctrl+z")
	r.mustShow("this stands", "once more takes back: n7 is expanded next")
	r.keys("ctrl+z")
	if c := f.done[len(f.done)-1]; c.Kind != tree.CmdUnpin {
		t.Errorf("taken back with %+v", c)
	}
}

func TestResumedSearchGoesOn(t *testing.T) {
	s := storybook()
	lib := newFakeLibrary(s)
	r := newRig(t, lib, func(o *Options) { o.Resume = &tree.Budget{Segments: 99} })
	r.keys("enter")
	var kinds []tree.CommandKind
	for _, c := range lib.sessions[s.t.Spec.ID].done {
		if kinds = append(kinds, c.Kind); c.Kind == tree.CmdBudget && c.Budget.Segments != 99 {
			t.Errorf("budget %+v", c.Budget)
		}
	}
	if len(kinds) != 2 || kinds[0] != tree.CmdBudget || kinds[1] != tree.CmdResume {
		t.Errorf("%v", kinds)
	}
}
