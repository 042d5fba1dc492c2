package tui

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"charm.land/bubbletea/v2"

	"llmzero/engine/event"
	"llmzero/engine/tree"
)

func TestSteeringCommands(t *testing.T) {
	for _, c := range []struct {
		node tree.NodeID
		keys string
		want string
	}{
		{7, "p", "pin 7"},
		{2, "X y", "prune 2"},
		{2, "X n", ""},
		{11, "X", "unprune 11"},
		{9, "S y", "stop-node 9"},
		{6, "R", "retry 6"},
		{4, "V", "unveto 4"},
		{7, "E", "re-evaluate 7"},
		{7, "H type:keep+entropy+up enter", "hint 7 keep entropy up"},
		{7, "space", "pause 0"},
		{7, "ctrl+x y", "cancel 0"},
		{7, "ctrl+r type:my+search enter", "rename 0 my search"},
		{7, "x type:temp enter", ""},
		{7, "x type:temp enter ctrl+s", "ban 0"},
	} {
		t.Run(c.keys, func(t *testing.T) {
			r, f := opened(t, nil)
			r.a.s.goTo(c.node)
			r.keys(c.keys)
			got := ""
			if l := f.last(); l.Kind != "" {
				got = strings.TrimSpace(fmt.Sprintf("%s %d %s", l.Kind, l.Node, l.Text))
			}
			if got != c.want {
				t.Errorf("%s does %q, want %q", c.keys, got, c.want)
			}
		})
	}
}

func TestBanRange(t *testing.T) {
	r, f := opened(t, nil)
	r.keys("x type:temp enter backspace backspace backspace type:1.5 tab ctrl+s")
	c := f.last()
	if c.Ban == nil || c.Ban.Param != "temperature" || c.Ban.Min != 1.5 || c.Ban.Max != 2 || c.Ban.Who != "human" {
		t.Fatalf("ban %+v", c.Ban)
	}
}

func TestUndoTakesTheLastActBack(t *testing.T) {
	r, f := opened(t, nil)
	r.a.s.goTo(2)
	r.keys("ctrl+z")
	r.mustShow("nothing to take back")
	r.keys("X y ctrl+z")
	if c := f.last(); c.Kind != tree.CmdUnprune || c.Node != 2 {
		t.Fatalf("undo did %+v", c)
	}
	if st := r.a.s.t.Nodes[2].State; st != tree.StateEvaluated {
		t.Fatalf("n2 is %s", st)
	}
}

// TestEveryCommandTakenBackIsItsOwnInverse: the inverse of an act, done after it, has the act as its inverse again.
func TestEveryCommandTakenBackIsItsOwnInverse(t *testing.T) {
	tr := storybook().t
	for _, k := range []tree.CommandKind{tree.CmdPin, tree.CmdUnpin, tree.CmdPrune, tree.CmdUnprune, tree.CmdBan, tree.CmdUnban} {
		c := tree.Command{Kind: k, Node: 3, Ban: &tree.Ban{Param: "beta"}}
		back, ok := inverse(tr, c)
		again, ok2 := inverse(tr, back)
		if !ok || !ok2 || again.Kind != k || again.Node != 3 {
			t.Errorf("%s goes to %s and back to %s", k, back.Kind, again.Kind)
		}
	}
	if _, ok := inverse(tr, tree.Command{Kind: tree.CmdApprove}); ok {
		t.Error("an approval cannot be taken back: the segment may have begun")
	}
}

func TestBranchByHand(t *testing.T) {
	r, f := opened(t, nil)
	r.a.s.goTo(8)
	r.keys("B right") // another checkpoint
	r.keys("down backspace backspace 2 5 down type:my+idea ctrl+s")
	c := f.last()
	if c.Kind != tree.CmdBranch || c.Node != 8 || c.Transition.Steps != 25 || c.Transition.Rationale != "my idea" || c.Transition.From.Node != 8 {
		t.Fatalf("branch %+v %+v", c, c.Transition)
	}
	if c.Transition.From.Step == r.a.s.t.Nodes[8].Outcome.Checkpoints[2].Step {
		t.Error("the checkpoint that was chosen is not used")
	}
	r.mustShow("branched from n8")
}

func TestNudgeStaysInTheRange(t *testing.T) {
	r, _ := opened(t, nil)
	r.keys("enter wait e")
	for range 40 {
		r.keys(">")
	}
	r.mustShow("max_completion_length", "48")
	for range 80 {
		r.keys("<")
	}
	f := r.a.top().(*form)
	if v := f.get("max_completion_length"); v != "8" {
		t.Errorf("nudged to %s, want the lower bound", v)
	}
	if _, err := f.problem(r.a); err != nil {
		t.Error(err)
	}
}

func TestRefusedCommandIsShownAndNothingIsLost(t *testing.T) {
	r, f := opened(t, nil)
	f.mu.Lock()
	f.refuse = errors.New("the budget is spent; raise it first")
	f.mu.Unlock()
	r.keys("enter wait a")
	r.mustShow("not done: the budget is spent", "! messages", "Proposal n12", "a approve")
	r.keys("!")
	r.mustShow("Messages", "raise it first")
}

func TestGapInTheEventsAsksForASnapshot(t *testing.T) {
	r, f := opened(t, nil)
	f.mu.Lock()
	f.s.say("human", &event.Hinted{Text: "one"})
	last := f.s.say("human", &event.Pinned{Node: 3, On: true})
	f.mu.Unlock()
	f.bus.Publish(last) // the first of the two is lost
	r.send(tickMsg(r.now))
	if !r.a.s.t.Nodes[3].Pinned || len(r.a.s.t.Hints) != 1 {
		t.Fatal("the tree was not mended")
	}
}

func TestPointsGrowTheCurve(t *testing.T) {
	r, f := opened(t, nil)
	r.a.s.goTo(9)
	r.keys("n") // follow reads the curve
	before := len(r.a.s.curve(9).points)
	if before == 0 {
		t.Fatal("the curve was not read")
	}
	f.bus.Points(9, tree.Point{Step: 1000, Tokens: 99999, Values: map[string]float64{tree.MetricReward: 0.9}}, tree.Point{Step: 5})
	r.send(tickMsg(r.now))
	if got := len(r.a.s.curve(9).points); got != before+1 {
		t.Fatalf("%d points, want %d: one is new, one is old", got, before+1)
	}
}

func TestLibraryActs(t *testing.T) {
	lib := newFakeLibrary(storybook(), library("s-2", "sort", 0.8))
	r := newRig(t, lib, nil)
	r.keys("down X y")
	if lib.sessions["s-2"] != nil {
		t.Fatal("not deleted")
	}
	r.mustShow("deleted s-2")
	r.keys("e enter enter")
	r.mustShow("written to s-7f3a.json")
	r.keys("r type:better enter")
	if c := lib.sessions["s-7f3a"].last(); c.Kind != tree.CmdRename || c.Text != "better" {
		t.Fatalf("rename did %+v", c)
	}
	r.keys("c")
	r.mustShow("mark two searches with space first")
}

func TestNewSearchForm(t *testing.T) {
	r := newRig(t, newFakeLibrary(storybook()), nil)
	r.keys("n")
	r.mustShow("base model")
	r.keys("right down down right")
	r.mustShow("Ollama is not running")
	r.keys("enter")
	if len(r.lib.started) != 0 {
		t.Fatal("a search with an agent that is not there was started")
	}
	r.keys("left down down backspace backspace 5")
	for r.a.top().(*form).current().id != rootField+"temperature" {
		r.keys("down")
	}
	r.keys("backspace type:1.3 enter")
	if len(r.lib.started) != 1 {
		t.Fatalf("not started:\n%s", r.screen())
	}
	n := r.lib.started[0]
	if n.Task != "sort" || n.Agent != "rules" || n.Budget.Segments != 5 || n.Approval.Mode != tree.AskAlways ||
		len(n.Root) != 1 || n.Root.Float("temperature") != 1.3 {
		t.Fatalf("started %+v", n)
	}
}

func TestSettingsAndViewsAreRemembered(t *testing.T) {
	mem := &fakeMemory{}
	with := func(o *Options) { o.Memory = mem }
	r, _ := opened(t, with)
	r.keys(", right right enter")
	theme := r.a.settings.Theme
	if theme == "" || theme == "auto" {
		t.Fatalf("the theme %q was not taken", theme)
	}
	r.a.s.goTo(3)
	r.keys("3 s esc")
	if r.a.page != onHome {
		t.Fatal("esc should lead home")
	}
	r.keys("enter")
	if r.a.s.pane.tab != tabConfig || r.a.s.out.order != orderScore || r.a.s.out.cursor != 3 {
		t.Errorf("the view was forgotten: tab %d, order %s, cursor %d", r.a.s.pane.tab, r.a.s.out.order, r.a.s.out.cursor)
	}
	r2 := newRig(t, r.lib, with)
	r2.do(r2.a.loadSettings())
	if r2.a.look.theme.Name != theme {
		t.Errorf("the theme is %s, want %s", r2.a.look.theme.Name, theme)
	}
}

func TestSettingsCancelRestoresTheTheme(t *testing.T) {
	r, _ := opened(t, nil)
	was := r.a.look.theme.Name
	r.keys(", right right right")
	if r.a.look.theme.Name == was {
		t.Fatal("no preview")
	}
	r.keys("esc")
	if r.a.look.theme.Name != was {
		t.Fatalf("the theme stayed %s", r.a.look.theme.Name)
	}
}

func TestCopy(t *testing.T) {
	r, _ := opened(t, nil)
	r.a.s.goTo(7)
	r.keys("y Y")
	all := strings.Join(r.out, "\n")
	r.keys("T left y Y")  // on the trajectories page it is the chosen stage: the last
	r.keys("left left y") // or another
	all += strings.Join(r.out, "\n")
	for _, want := range []string{
		`"learning_rate": 0.0003`, "llmzero strategy export s-7f3a --node 7 -o s-7f3a-n7.json && llmzero strategy replay s-7f3a-n7.json --seeds 1",
		`"learning_rate": 0.0006`,
	} {
		if !strings.Contains(all, want) {
			t.Errorf("%q was not copied: %s", want, all)
		}
	}
	if got := quote("worker:my cmd's"); got != `'worker:my cmd'\''s'` {
		t.Errorf("quoted as %s", got)
	}
}

func TestReplayFoldsTheJournal(t *testing.T) {
	r, f := opened(t, nil)
	r.keys("P")
	if r.a.s.play == nil {
		t.Fatal("no replay")
	}
	r.keys("home")
	r.mustShow("replay")
	if n := len(r.a.s.t.Nodes); n != 0 {
		t.Fatalf("%d nodes at the beginning", n)
	}
	r.keys("end")
	if len(r.a.s.t.Nodes) != len(f.s.t.Nodes) {
		t.Fatal("the end of the replay is not the tree")
	}
	r.keys("home space wait")
	for range 100 {
		r.keys("wait")
		r.send(tickMsg(r.now))
	}
	if r.a.s.play.at != len(r.a.s.play.events) {
		t.Fatalf("the replay stopped at %d", r.a.s.play.at)
	}
	f.bus.Publish(f.s.say("human", &event.Hinted{Text: "meanwhile"}))
	r.send(tickMsg(r.now))
	r.keys("esc")
	if r.a.s.play != nil || len(r.a.s.t.Hints) != 1 {
		t.Fatal("what happened during the replay is lost")
	}
}

func TestQuitAsksWhileSegmentsRun(t *testing.T) {
	r, f := opened(t, nil)
	r.keys("q")
	r.mustShow("2 segments are under way")
	r.keys("f")
	if c := f.last(); c.Kind != tree.CmdPause || r.quit {
		t.Fatalf("finish did %+v, quit %v", c, r.quit)
	}
	r.send(tickMsg(r.now))
	if r.quit {
		t.Fatal("it left while something trains")
	}
	r.keys("esc") // back to the library: the search goes on behind it
	r.keys("q s")
	if !r.quit || r.a.exit.Leave != LeaveStop {
		t.Fatal("it did not leave")
	}
}

func TestMouse(t *testing.T) {
	r, _ := opened(t, nil)
	r.screen()
	click := func(x, y int) { r.send(tea.MouseClickMsg{X: x, Y: y, Button: tea.MouseLeft}); r.screen() }
	click(10, 3) // second row
	if r.a.s.out.cursor != 1 {
		t.Errorf("the cursor is on %d", r.a.s.out.cursor)
	}
	r.send(tea.MouseWheelMsg{X: 10, Y: 5, Button: tea.MouseWheelDown})
	if r.a.s.out.cursor == 1 {
		t.Error("the wheel does nothing")
	}
	click(66, 2)
	if r.a.s.pane.tab != tabCurves {
		t.Errorf("tab %d", r.a.s.pane.tab)
	}
	click(115, 0)
	if r.a.gate() == nil {
		t.Error("a click on the count of what waits should open the gate")
	}
}

func TestGraphWalk(t *testing.T) {
	r, _ := opened(t, nil)
	r.a.s.goTo(1)
	r.keys("v down")
	if r.a.s.out.cursor != 2 {
		t.Fatalf("down goes to %d, want the first child", r.a.s.out.cursor)
	}
	r.keys("right right")
	if r.a.s.out.cursor != 5 {
		t.Fatalf("right goes to %d, want the neighbours' end", r.a.s.out.cursor)
	}
	r.keys("up up")
	if r.a.s.out.cursor != 0 {
		t.Fatalf("up goes to %d", r.a.s.out.cursor)
	}
}

func TestCurvesAreForgotten(t *testing.T) {
	s := newSearch("s", newFakeSession(forest(600)), testTime)
	for id := range tree.NodeID(500) {
		s.curves[id] = &curve{loaded: true}
	}
	s.forget([]tree.NodeID{7})
	if len(s.curves) != 1 || s.curves[7] == nil {
		t.Errorf("%d curves are held", len(s.curves))
	}
}

func TestPaletteGoesToANode(t *testing.T) {
	r, _ := opened(t, nil)
	r.keys(": type:n5")
	r.mustShow("go to n5")
	r.keys("enter")
	if r.a.s.out.cursor != 5 {
		t.Errorf("the cursor is on %d", r.a.s.out.cursor)
	}
	r.keys(": type:n99")
	r.mustNotShow("go to")
}

func TestNotifications(t *testing.T) {
	for _, c := range []struct {
		notify string
		away   bool
		want   string
	}{{notifyAway, true, "]9;llmzero: 2 proposals waiting"}, {notifyAway, false, ""}, {notifyNever, true, ""}, {notifyAlways, false, "\a"}} {
		r, f := opened(t, nil)
		r.a.settings.Notify = c.notify
		if c.away {
			r.send(tea.BlurMsg{})
		}
		f.mu.Lock()
		f.s.propose(1, tree.Transition{Changes: []tree.Change{ch("beta", 0, 0.1, "")}})
		last := f.s.events[len(f.s.events)-1]
		f.mu.Unlock()
		f.bus.Publish(last)
		r.send(tickMsg(r.now))
		got := strings.Join(r.out, "")
		if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s, away %v: sent %q, want %q", c.notify, c.away, got, c.want)
		}
	}
}

func TestPlan(t *testing.T) {
	r, _ := opened(t, nil)
	r.a.s.goTo(1)
	r.keys("N")
	ch, ok := r.a.top().(*chooser)
	if !ok || len(ch.items) != 2 || ch.items[0].label != "n7" || ch.items[1].help != "exploitation .400 − failures .100 = .300" {
		t.Fatalf("the plan is %+v", r.a.top())
	}
	r.keys("down enter")
	if n := r.a.s.node(); n == nil || n.ID != 3 {
		t.Errorf("enter went to %v, want n3", n)
	}
}
