package tui

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"

	"llmzero/engine/tree"
)

// rig drives the root model without a terminal: it runs commands at once, but for those that wait, and keeps the clock.
type rig struct {
	t    testing.TB
	a    *app
	lib  *fakeLibrary
	now  time.Time
	quit bool
	out  []string
}

func newRig(t testing.TB, lib *fakeLibrary, change func(*Options)) *rig {
	r := &rig{t: t, lib: lib, now: testTime}
	o := Options{
		Library: lib, Catalog: fakeCatalog{}, Doctor: fakeDoctor{}, Devices: fakeDevices{}, Memory: &fakeMemory{}, Version: "v0.1.0",
		Now: func() time.Time { return r.now },
	}
	if change != nil {
		change(&o)
	}
	r.a = newApp(context.Background(), o)
	r.a.feed = func(*search) tea.Cmd { return nil }
	r.a.wake = func(time.Duration) tea.Cmd { return nil }
	r.a.hold = func(*frames) time.Duration { return 0 } // the clock stands: every picture is painted
	r.send(tea.WindowSizeMsg{Width: 120, Height: 40})
	r.send(tea.ColorProfileMsg{Profile: colorprofile.TrueColor})
	r.do(r.a.loadList())
	r.do(r.a.loadOffer())
	r.do(r.a.loadFacts())
	r.a.devices = o.Devices.Snapshot()
	return r
}

// do runs a command and what follows from it.
func (r *rig) do(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	msg := cmd()
	switch m := msg.(type) {
	case nil:
		return
	case tea.BatchMsg:
		for _, c := range m {
			r.do(c)
		}
		return
	case tea.QuitMsg:
		r.quit = true
		return
	}
	if v := reflect.ValueOf(msg); v.Kind() == reflect.Slice && v.Type().Elem() == reflect.TypeFor[tea.Cmd]() { // a sequence
		for i := range v.Len() {
			r.do(v.Index(i).Interface().(tea.Cmd))
		}
		return
	}
	if strings.HasPrefix(reflect.TypeOf(msg).String(), "tea.") {
		r.out = append(r.out, fmt.Sprintf("%T %v", msg, msg)) // for the terminal: clipboard, raw output
		return
	}
	r.send(msg)
}

// send updates the model with a message, and with the events that came of it.
func (r *rig) send(msg tea.Msg) {
	_, cmd := r.a.Update(msg)
	r.do(cmd)
	if s := r.a.s; s != nil {
		if b := s.sub.Read(); len(b.Events)+len(b.Points) > 0 {
			r.send(feedMsg{s: s, batch: b, live: s.sess.Live()})
		}
	}
}

var specialKeys = map[string]tea.KeyPressMsg{
	"enter": {Code: tea.KeyEnter}, "esc": {Code: tea.KeyEscape}, "tab": {Code: tea.KeyTab}, "up": {Code: tea.KeyUp}, "down": {Code: tea.KeyDown},
	"left": {Code: tea.KeyLeft}, "right": {Code: tea.KeyRight}, "space": {Code: tea.KeySpace, Text: " "}, "backspace": {Code: tea.KeyBackspace},
	"pgup": {Code: tea.KeyPgUp}, "pgdown": {Code: tea.KeyPgDown}, "home": {Code: tea.KeyHome}, "end": {Code: tea.KeyEnd},
	"shift+tab": {Code: tea.KeyTab, Mod: tea.ModShift}, "delete": {Code: tea.KeyDelete},
}

func keyMsg(k string) tea.KeyPressMsg {
	if m, ok := specialKeys[k]; ok {
		return m
	}
	if c, ok := strings.CutPrefix(k, "ctrl+"); ok {
		return tea.KeyPressMsg{Code: rune(c[0]), Mod: tea.ModCtrl}
	}
	return tea.KeyPressMsg{Code: []rune(k)[0], Text: k}
}

// keys types keys separated by blanks; "wait" lets a second pass, and '…' types a text.
func (r *rig) keys(all string) {
	for k := range strings.FieldsSeq(all) {
		if k == "wait" {
			r.now = r.now.Add(time.Second)
			continue
		}
		if text, ok := strings.CutPrefix(k, "type:"); ok {
			for _, c := range strings.ReplaceAll(text, "+", " ") {
				r.send(keyMsg(map[bool]string{true: "space", false: string(c)}[c == ' ']))
			}
			continue
		}
		r.send(keyMsg(k))
	}
}

// screen is the picture as text.
func (r *rig) screen() string {
	r.a.View()
	return r.a.grid.Text()
}

func (r *rig) size(w, h int) { r.send(tea.WindowSizeMsg{Width: w, Height: h}) }

func (r *rig) mustShow(words ...string) {
	r.t.Helper()
	s := r.screen()
	for _, w := range words {
		if !strings.Contains(s, w) {
			r.t.Fatalf("%q is not on the screen:\n%s", w, s)
		}
	}
}

func (r *rig) mustNotShow(words ...string) {
	r.t.Helper()
	s := r.screen()
	for _, w := range words {
		if strings.Contains(s, w) {
			r.t.Fatalf("%q is on the screen:\n%s", w, s)
		}
	}
}

// opened is a rig with the storybook open.
func opened(t testing.TB, change func(*Options)) (*rig, *fakeSession) {
	lib := newFakeLibrary(storybook())
	r := newRig(t, lib, change)
	r.keys("enter")
	if r.a.s == nil {
		t.Fatal("the search did not open")
	}
	return r, lib.sessions["s-7f3a"]
}

func (f *fakeSession) last() tree.Command {
	if len(f.done) == 0 {
		return tree.Command{}
	}
	return f.done[len(f.done)-1]
}

func TestQuickTourFromTheEmptyLibrary(t *testing.T) {
	r := newRig(t, newFakeLibrary(), nil)
	r.mustShow("Start the quick tour", "New search", "Ollama", "not running")
	r.keys("enter")
	r.mustShow("1 waiting", "n1")
	if len(r.lib.started) != 1 || r.lib.started[0].Task != "mixed" {
		t.Fatalf("enter should start the quick tour: %+v", r.lib.started)
	}
	r.keys("enter")
	r.mustShow("Proposal n1", "a approve", "v veto")
}

func TestNewSearchTakesTheTasksDefaults(t *testing.T) {
	r := newRig(t, newFakeLibrary(), nil)
	r.do(r.a.askNew())
	f := r.a.top().(*form)
	root := func(name string) *formField { return f.field(rootField + name) }
	root("temperature").set("1.2")
	f.field("task").set("sort")
	f.told(r.a)
	if x := root("max_completion_length"); x.value() != "12" || x.parse("21") == nil {
		t.Errorf("the length of task sort: %s, 21 gives %v", x.value(), x.parse("21"))
	}
	if n := f.newSearch(); n.Task != "sort" || len(n.Root) != 1 || n.Root.Float("temperature") != 1.2 {
		t.Errorf("the form gives %+v; an edited value stays, the task's defaults need not be named", n)
	}
}

func TestGateApprove(t *testing.T) {
	r, f := opened(t, nil)
	r.keys("enter")
	r.mustShow("Proposal n12", "truncation", "severe", "31% of answers", "max_completion_length", "confidence 0.7")
	r.keys("a")
	if len(f.done) != 0 {
		t.Fatalf("a key typed as the gate opened must not answer it: %+v", f.done)
	}
	r.keys("wait a")
	if c := f.last(); c.Kind != tree.CmdApprove || c.Node != 12 {
		t.Fatalf("approve did %+v", c)
	}
	if r.a.gate() != nil {
		t.Fatal("the gate should close after the last proposal")
	}
	r.mustNotShow("waiting")
	if n, _ := r.a.s.t.Node(12); n.State != tree.StateQueued {
		t.Fatalf("n12 is %s", n.State)
	}
}

func TestGateVetoNeedsAReason(t *testing.T) {
	r, f := opened(t, nil)
	r.keys("enter wait v enter")
	r.mustShow("a reason is needed")
	r.keys("type:too+long enter")
	if c := f.last(); c.Kind != tree.CmdVeto || c.Text != "too long" {
		t.Fatalf("veto did %+v", c)
	}
	r.mustShow("vetoed: too long")
}

func TestGateEditRefusesValuesOutsideTheRange(t *testing.T) {
	r, f := opened(t, nil)
	r.keys("enter wait e 9 9")
	r.mustShow("max_completion_length: 99 is outside 8 … 48")
	r.keys("enter")
	if len(f.done) != 0 {
		t.Fatal("an invalid form was submitted")
	}
	r.keys("ctrl+z") // the whole value at once
	r.mustNotShow("is outside")
	r.keys("end 0")
	r.mustShow("240 is outside") // who moves in the text edits it
	r.keys("down up 3 2")        // who comes to a field and types replaces its value
	r.mustShow("was 24", "becomes: len 16→32")
	r.keys("enter")
	c := f.last()
	if c.Kind != tree.CmdEdit || c.Transition == nil {
		t.Fatalf("edit did %+v", c)
	}
	if got := changeWords(testSpace(), *c.Transition); got != "len 16→32 lr×½" {
		t.Fatalf("edited to %q", got)
	}
	n := r.a.s.t.Nodes[12]
	if n.Verdict.Original == nil || n.Verdict.Original.Changes[0].To.Num != 24 {
		t.Fatal("the original is not kept")
	}
}

func TestWaitingNeverStealsTheKeyboard(t *testing.T) {
	r, f := opened(t, nil)
	r.keys("/")
	f.mu.Lock()
	id := f.s.propose(1, tree.Transition{Changes: []tree.Change{ch("beta", 0, 0.1, "")}})
	f.mu.Unlock()
	f.bus.Publish(f.s.events[len(f.s.events)-1])
	r.keys("a v e")
	if len(f.done) != 0 || r.a.gate() != nil {
		t.Fatal("a proposal that came took the keyboard")
	}
	if got := r.a.s.pane.filtering.value(); got != "ave" {
		t.Fatalf("the filter holds %q", got)
	}
	r.mustShow("2 waiting")
	_ = id
}

func TestEveryActionTellsWhatItIs(t *testing.T) {
	ids := map[string]bool{}
	for _, x := range allActions() {
		if x.help == "" || x.group == "" || x.run == nil || x.on == 0 {
			t.Errorf("%s lacks its help, group, place or run", x.id)
		}
		if ids[x.id] {
			t.Errorf("%s is there twice", x.id)
		}
		ids[x.id] = true
		if len(x.keys) == 0 && x.shown == "" && x.short == "" {
			t.Errorf("%s can neither be typed nor found", x.id)
		}
	}
}

func TestDisabledActionsSayWhy(t *testing.T) {
	r, f := opened(t, nil)
	r.a.s.goTo(4) // vetoed
	r.keys("B")
	r.mustShow("n4 is vetoed: only a trained node has a checkpoint")
	r.keys("S")
	r.mustShow("not running")
	if len(f.done) != 0 {
		t.Fatal("a disabled action acted")
	}
}

func TestUntrustedTextLosesItsControlSequences(t *testing.T) {
	r, _ := opened(t, nil)
	r.a.s.goTo(6)
	r.keys("wait")
	v := r.a.View().Content
	if strings.Contains(v, "\x07") || strings.Contains(v, "\x1b[31m") {
		t.Fatal("a control sequence of a failure message reached the terminal")
	}
	r.mustShow("needed 1.2 GB")
}

func TestLibraryErrorIsShown(t *testing.T) {
	lib := newFakeLibrary()
	lib.listErr = errors.New("open store: locked by process 4711")
	r := newRig(t, lib, nil)
	r.mustShow("could not be read", "locked by process 4711", "R to try again")
}

var steps = flag.Int("walk", 20_000, "steps of the random walk")

// TestRandomWalk sends keys, clicks and sizes at random: no panic, no line wider than the terminal, and always a way out.
func TestRandomWalk(t *testing.T) {
	n := *steps
	if testing.Short() {
		n = 2_000
	}
	for seed := range uint64(8) {
		walk(t, seed, n/8)
	}
}

func walk(t *testing.T, seed uint64, n int) {
	rng := rand.New(rand.NewPCG(seed, 99))
	r := newRig(t, newFakeLibrary(storybook(), library("s-2", "sort", 0.8)), nil)
	var names []string
	for k := range specialKeys {
		names = append(names, k)
	}
	slices.Sort(names)
	for _, x := range allActions() {
		for _, k := range x.keys {
			if k != "ctrl+c" && !strings.HasPrefix(k, "f1") {
				names = append(names, k)
			}
		}
	}
	names = append(names, "x", "é", "界", "9", ".", "enter", "enter", "esc", "esc")
	var trail []string
	defer func() {
		if e := recover(); e != nil {
			t.Fatalf("seed %d: panic after %v at %dx%d: %v\n%s", seed, trail[max(0, len(trail)-25):], r.a.w, r.a.h, e, debug.Stack())
		}
	}()
	for range n {
		switch rng.IntN(12) {
		case 0:
			w, h := 1+rng.IntN(220), 1+rng.IntN(70)
			if rng.IntN(3) > 0 {
				w, h = 60+rng.IntN(100), 20+rng.IntN(30)
			}
			trail = append(trail, fmt.Sprintf("%dx%d", w, h))
			r.size(w, h)
		case 1:
			m := tea.Mouse{X: rng.IntN(r.a.w), Y: rng.IntN(r.a.h), Button: tea.MouseLeft}
			trail = append(trail, fmt.Sprintf("click %d,%d", m.X, m.Y))
			switch rng.IntN(3) {
			case 0:
				r.send(tea.MouseClickMsg(m))
			case 1:
				m.Button = tea.MouseWheelDown
				r.send(tea.MouseWheelMsg(m))
			default:
				r.send(tea.MouseMotionMsg(m))
			}
		default:
			k := names[rng.IntN(len(names))]
			trail = append(trail, k)
			r.now = r.now.Add(time.Duration(rng.IntN(400)) * time.Millisecond)
			r.send(keyMsg(k))
		}
		if rng.IntN(4) == 0 {
			r.send(tickMsg(r.now))
		}
		checkPicture(t, r, trail)
	}
	// Whatever is open, esc leads back home.
	r.size(120, 40)
	for range 60 {
		r.keys("esc")
	}
	if r.a.page != onHome || len(r.a.dialogs) > 0 {
		t.Fatalf("seed %d: stuck on page %d with %d dialogs", seed, r.a.page, len(r.a.dialogs))
	}
}

func checkPicture(t *testing.T, r *rig, trail []string) {
	v := r.a.View().Content
	lines := strings.Split(v, "\n")
	if len(lines) > r.a.h {
		t.Fatalf("%d lines on %d rows after %v", len(lines), r.a.h, trail[max(0, len(trail)-10):])
	}
	for _, l := range lines {
		if w := ansi.StringWidth(l); w > r.a.w {
			t.Fatalf("a line is %d wide on %d columns after %v: %q", w, r.a.w, trail[max(0, len(trail)-10):], ansi.Strip(l))
		}
	}
}
