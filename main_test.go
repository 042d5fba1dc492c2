package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"llmzero/engine/report"
	"llmzero/engine/tree"
	"llmzero/tui/termtest"
)

// importRule forbids some packages to import others, and says why, so that whoever breaks it reads the reason.
type importRule struct {
	who    string   // import path below llmzero, with everything under it; "*" is every package
	except []string // packages below who that may
	allow  []string // when set: the only packages of ours that who may import
	deny   []string // import paths, with everything under them
	why    string
}

var importRules = []importRule{
	{
		who: "engine/tree", allow: []string{}, deny: []string{"."},
		why: "tree is pure data: it imports the standard library alone, so that every other package can build on it",
	},
	{
		who: "engine/event", allow: []string{"engine/tree"}, deny: []string{"."},
		why: "event is the fold that engine, store and screen share: it may know tree and the standard library alone",
	},
	{
		who: "engine/agent", allow: []string{"engine/tree", "engine/agent"},
		why: "an agent sees plain data: it neither steers the engine nor reads the store",
	},
	{
		who: "engine/search", allow: []string{"engine/tree"},
		why: "a policy chooses nodes of a tree and knows nothing else",
	},
	{
		who: "engine/analysis", allow: []string{"engine/tree"},
		why: "analysis reads trees",
	},
	{
		who: "engine", allow: []string{"engine"},
		why: "the engine reaches trainers, stores and screens through the interfaces of engine/ports.go",
	},
	{
		who: "trainer", allow: []string{"engine/tree", "trainer"},
		why: "a trainer runs jobs and knows nothing of searches",
	},
	{
		who: "store", allow: []string{"engine/tree", "engine/event", "store"},
		why: "the store keeps what happened and decides nothing",
	},
	{who: "gpu", allow: []string{"gpu"}, why: "gpu only reads devices"},
	{who: "themes", allow: []string{"themes"}, why: "themes are data"},
	{
		who: "tui", except: []string{"tui/cli"}, allow: []string{"engine/tree", "engine/event", "engine/analysis", "gpu", "themes", "tui"},
		why: "the screen shows trees and sends commands through tui/ports.go; it never touches engine, store or trainer",
	},
	{
		who: "tui/cli", allow: []string{"engine", "store", "trainer", "tui"},
		why: "commands know what they print and call; which trainers there are, and the screen's parts, are main's to say",
	},
	{
		who: "*", except: []string{"tui"}, deny: []string{"charm.land/bubbletea", "charm.land/bubbles", "charm.land/huh"},
		why: "Bubble Tea appears in tui alone",
	},
	{who: "*", except: []string{"store"}, deny: []string{"go.etcd.io/bbolt"}, why: "bbolt appears in store alone"},
	{
		who: "*", except: []string{"gpu"}, deny: []string{"C", "github.com/NVIDIA/go-nvml"},
		why: "cgo appears in gpu alone, so that the program builds without a C compiler",
	},
}

func under(path, root string) bool {
	return root == "." || path == root || strings.HasPrefix(path, root+"/")
}

func underAny(path string, roots []string) bool {
	for _, r := range roots {
		if under(path, r) {
			return true
		}
	}
	return false
}

// breaks says whether the rule forbids pkg (below llmzero, "" for main) to import imp.
func (r importRule) breaks(pkg, imp string) bool {
	if r.who == "*" {
		if underAny(pkg, r.except) {
			return false
		}
	} else if !under(pkg, r.who) || underAny(pkg, r.except) {
		return false
	}
	if ours, ok := strings.CutPrefix(imp, "llmzero/"); ok {
		return r.allow != nil && !underAny(ours, r.allow)
	}
	if len(r.deny) == 1 && r.deny[0] == "." { // the standard library alone
		return strings.Contains(strings.SplitN(imp, "/", 2)[0], ".")
	}
	return underAny(imp, r.deny)
}

func TestImportRules(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	dec := json.NewDecoder(bytes.NewReader(out))
	seen := 0
	for dec.More() {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		seen++
		pkg := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, "llmzero"), "/")
		for _, imp := range p.Imports {
			for _, r := range importRules {
				if r.breaks(pkg, imp) {
					t.Errorf("%s imports %s: %s", p.ImportPath, imp, r.why)
				}
			}
		}
	}
	if seen < 5 {
		t.Fatalf("go list found %d packages; the test checks nothing", seen)
	}
}

func TestImportRulesCatch(t *testing.T) {
	for _, c := range []struct {
		pkg, imp string
		broken   bool
	}{
		{"engine/tree", "llmzero/engine/event", true},
		{"engine/tree", "github.com/x/y", true},
		{"engine/tree", "encoding/json", false},
		{"engine/event", "llmzero/engine/tree", false},
		{"engine/agent/rules", "llmzero/engine", true},
		{"engine", "llmzero/store", true},
		{"trainer/grpo", "llmzero/engine/tree", false},
		{"trainer/grpo", "llmzero/engine", true},
		{"store", "go.etcd.io/bbolt", false},
		{"engine", "go.etcd.io/bbolt", true},
		{"tui/page", "llmzero/store", true},
		{"tui/cli", "llmzero/store", false},
		{"tui/cli", "llmzero/gpu", true},
		{"tui/page", "charm.land/bubbletea/v2", false},
		{"themes", "charm.land/bubbletea/v2", true},
		{"", "C", true},
		{"gpu", "C", false},
		{"", "llmzero/store", false},
	} {
		broken := false
		for _, r := range importRules {
			broken = broken || r.breaks(c.pkg, c.imp)
		}
		if broken != c.broken {
			t.Errorf("%s importing %s: broken = %v, want %v", c.pkg, c.imp, broken, c.broken)
		}
	}
}

// TestMain makes the binary under test available to scripts as llmzero: it is this test binary, run as the program.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"llmzero": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			for _, name := range []string{"HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"} {
				e.Setenv(name, e.WorkDir)
			}
			e.Setenv("NO_COLOR", "1")
			e.Setenv("OLLAMA_HOST", "127.0.0.1:9") // the discard port: no server there
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"json": cmdJSON, "jsonsame": cmdJSONSame},
	})
}

// cmdJSON compares values of a JSON document: json FILE PATH [OP VALUE-or-PATH]. A path is names and indices with dots;
// OP is ==, !=, <, >, <= or >=. Without OP the path must exist.
func cmdJSON(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 && len(args) != 4 {
		ts.Fatalf("usage: json FILE PATH [OP VALUE|PATH]")
	}
	doc := readJSON(ts, args[0])
	got, ok := lookup(doc, args[1])
	holds := ok
	if len(args) == 4 && ok {
		var want any
		if json.Unmarshal([]byte(args[3]), &want) != nil { // no literal: a path, else a word
			var found bool
			if want, found = lookup(doc, args[3]); !found {
				want = args[3]
			}
		}
		holds = compare(ts, got, args[2], want)
	}
	if holds == neg {
		ts.Fatalf("json %s: %s is %v", strings.Join(args, " "), args[1], got)
	}
}

// cmdJSONSame compares two JSON documents but for the keys named: jsonsame FILE FILE KEY...
func cmdJSONSame(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: jsonsame FILE FILE [KEY...]")
	}
	a, b := readJSON(ts, args[0]), readJSON(ts, args[1])
	for _, key := range args[2:] {
		drop(a, key)
		drop(b, key)
	}
	if same := reflect.DeepEqual(a, b); same == neg {
		ts.Fatalf("%s and %s: same = %v\n%v\n%v", args[0], args[1], same, a, b)
	}
}

func readJSON(ts *testscript.TestScript, file string) any {
	dec := json.NewDecoder(strings.NewReader(ts.ReadFile(file)))
	var doc any
	if err := dec.Decode(&doc); err != nil {
		ts.Fatalf("%s: %v", file, err)
	}
	if dec.More() {
		ts.Fatalf("%s holds more than one JSON value", file)
	}
	return doc
}

func lookup(doc any, path string) (any, bool) {
	for name := range strings.SplitSeq(path, ".") {
		switch x := doc.(type) {
		case map[string]any:
			v, ok := x[name]
			if !ok {
				return nil, false
			}
			doc = v
		case []any:
			if name == "len" {
				return float64(len(x)), true
			}
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(x) {
				return nil, false
			}
			doc = x[i]
		default:
			return nil, false
		}
	}
	return doc, true
}

func drop(doc any, key string) {
	switch x := doc.(type) {
	case map[string]any:
		delete(x, key)
		for _, v := range x {
			drop(v, key)
		}
	case []any:
		for _, v := range x {
			drop(v, key)
		}
	}
}

func compare(ts *testscript.TestScript, got any, op string, want any) bool {
	switch op {
	case "==":
		return reflect.DeepEqual(got, want)
	case "!=":
		return !reflect.DeepEqual(got, want)
	}
	a, okA := got.(float64)
	b, okB := want.(float64)
	if !okA || !okB {
		ts.Fatalf("%v %s %v: both must be numbers", got, op, want)
	}
	switch op {
	case "<":
		return a < b
	case ">":
		return a > b
	case "<=":
		return a <= b
	case ">=":
		return a >= b
	}
	ts.Fatalf("unknown comparison %q", op)
	return false
}

// llmzero makes a command that runs the program with a home of its own.
func llmzero(t testing.TB, home string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "llmzero", append(args, "--db", filepath.Join(home, "t.db"))...)
	cmd.Dir = home
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home, "XDG_DATA_HOME="+home, "OLLAMA_HOST=127.0.0.1:9")
	return cmd
}

func show(t *testing.T, home, id string) report.Search {
	t.Helper()
	out, err := llmzero(t, home, "show", id, "--json").Output()
	if err != nil {
		t.Fatalf("show: %v", err)
	}
	var s report.Search
	if err := json.Unmarshal(out, &s); err != nil {
		t.Fatalf("show: %v\n%s", err, out)
	}
	return s
}

func TestExitCodes(t *testing.T) {
	home := t.TempDir()
	for _, c := range []struct {
		args []string
		want int
	}{
		{[]string{"version"}, 0},
		{[]string{"list"}, 0},
		{[]string{"show", "nothing-1"}, 1},
		{[]string{"show"}, 2},
		{[]string{"nonsense"}, 2},
		{[]string{"run", "--headless", "--task", "nope"}, 2},
		{[]string{"run", "--nope"}, 2},
	} {
		var stderr strings.Builder
		cmd := llmzero(t, home, c.args...)
		cmd.Stderr = &stderr
		err := cmd.Run()
		if got := cmd.ProcessState.ExitCode(); got != c.want {
			t.Errorf("%v: exit code %d (%v), want %d\n%s", c.args, got, err, c.want, stderr.String())
		}
		if lines := strings.Count(stderr.String(), "\n"); c.want != 0 && lines != 1 {
			t.Errorf("%v: %d lines on standard error, want 1\n%s", c.args, lines, stderr.String())
		}
	}
}

// begin starts a headless search and returns when the node has been acknowledged as evaluated, with the line that said so.
func begin(t *testing.T, cmd *exec.Cmd, node int) (acknowledged []string, rest *bufio.Scanner) {
	t.Helper()
	pipe, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(pipe)
	for lines.Scan() {
		if strings.Contains(lines.Text(), " evaluated: ") {
			acknowledged = append(acknowledged, lines.Text())
			if len(acknowledged) == node {
				return acknowledged, lines
			}
		}
	}
	t.Fatalf("the search ended after %q", acknowledged)
	return nil, nil
}

func TestKillAndResume(t *testing.T) {
	home := t.TempDir()
	args := []string{"run", "--headless", "--task", "mixed", "--segment", "10", "--budget", "8", "--confirm", "0"}
	cmd := llmzero(t, home, args...)
	acknowledged, _ := begin(t, cmd, 3)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed

	before := show(t, home, "mixed-1")
	if before.Segments < 3 || before.Status == tree.SearchDone {
		t.Fatalf("after the kill: %d segments, %s; the search was not interrupted", before.Segments, before.Status)
	}
	out, err := llmzero(t, home, "resume", "mixed-1", "--json").Output()
	if err != nil {
		t.Fatalf("resume: %v", err)
	}
	var after report.Search
	if err := json.Unmarshal(out, &after); err != nil {
		t.Fatal(err)
	}
	if after.Status != tree.SearchDone || after.Segments != 8 {
		t.Errorf("after the resume: %s with %d segments, want done with 8", after.Status, after.Segments)
	}
	text, err := llmzero(t, home, "show", "mixed-1").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range acknowledged {
		node, score, _ := strings.Cut(line, " evaluated: ")
		score, _, _ = strings.Cut(score, " (")
		if !regexp.MustCompile(`\b` + node + ` .*` + regexp.QuoteMeta(score)).Match(text) {
			t.Errorf("acknowledged but lost: %q\n%s", line, text)
		}
	}
	// The interrupted search ends like one that was not: same seeds, same checkpoints, same bits.
	other := t.TempDir()
	out, err = llmzero(t, other, append(args, "--json")...).Output()
	if err != nil {
		t.Fatal(err)
	}
	var whole report.Search
	if err := json.Unmarshal(out, &whole); err != nil {
		t.Fatal(err)
	}
	if whole.Best.Node != after.Best.Node || *whole.Best.Val != *after.Best.Val {
		t.Errorf("resumed: best n%d %.3f; in one go: n%d %.3f", after.Best.Node, *after.Best.Val, whole.Best.Node, *whole.Best.Val)
	}
	if out, err := llmzero(t, home, "check").CombinedOutput(); err != nil {
		t.Errorf("check: %v\n%s", err, out)
	}
}

func TestInterrupt(t *testing.T) {
	home := t.TempDir()
	cmd := llmzero(t, home, "run", "--headless", "--task", "mixed", "--segment", "20", "--budget", "500")
	_, rest := begin(t, cmd, 2)
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	var last string
	for rest.Scan() {
		last = rest.Text()
	}
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 130 {
		t.Errorf("exit %v, want %d", err, 130)
	}
	if !strings.Contains(last, "llmzero resume mixed-1") {
		t.Errorf("the last line is %q; it should say how to go on", last)
	}
	if s := show(t, home, "mixed-1"); s.Status != tree.SearchPaused {
		t.Errorf("the search is %s, want paused", s.Status)
	}
}

// TestFirstFiveMinutes is what a newcomer does: start the tour, approve three proposals, veto one with a reason, quit and
// come back to the same tree.
func TestFirstFiveMinutes(t *testing.T) {
	home := t.TempDir()
	x := termtest.Start(t, 120, 36, llmzero(t, home))
	x.Until("Start the quick tour")
	x.Press("enter")
	proposal := regexp.MustCompile(`Proposal n\d+ `)
	review := func() string {
		if !strings.Contains(x.Text(), "a approve") {
			x.UntilMatch(`\d+ waiting`)
			x.Press("enter")
		}
		x.Until("a approve")
		return proposal.FindString(x.Text())
	}
	for range 3 {
		x.PressUntilGone("a", review())
	}
	vetoed := review()
	x.PressUntilGone("v", "a approve")
	x.UntilMatch("(?i)why|reason")
	x.Type("seen this before")
	x.Press("enter")
	x.UntilGone(vetoed)
	x.UntilMatch(`3 ?/ ?12`)
	x.PressUntilGone("esc", "a approve")
	x.Press("q") // nothing trains: it leaves at once
	if err := x.Wait(); err != nil {
		t.Errorf("leaving: %v", err)
	}

	out, err := llmzero(t, home, "show", "mixed-1").Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(string(out), "evaluated"); got != 4 { // the root and three
		t.Errorf("%d evaluated nodes, want the root and three\n%s", got, out)
	}
	if !strings.Contains(string(out), "seen this before") {
		t.Errorf("the veto's reason is lost\n%s", out)
	}
	y := termtest.Start(t, 120, 36, llmzero(t, home))
	y.Until("quick tour  ") // the library's row
	y.Press("enter")
	y.Until("seen this before")
}

func TestUnknownTheme(t *testing.T) {
	x := termtest.Start(t, 100, 24, llmzero(t, t.TempDir(), "--theme", "nope"))
	x.Until("zero-dark")
	if err := x.Wait(); err == nil || err.Error() != "exit status 2" {
		t.Errorf("unknown theme: %v, want exit status 2", err)
	}
}

// TestSteerByHand branches from a node with a transition of one's own, looks at the trajectories, exports the best strategy and
// trains by it.
func TestSteerByHand(t *testing.T) {
	home := t.TempDir()
	x := termtest.Start(t, 120, 40, llmzero(t, home))
	x.Until("Start the quick tour")
	x.Press("enter")
	x.UntilMatch(`\d+ waiting`)
	x.Press("enter")
	x.Until("Proposal n1 ")
	x.PressUntilGone("a", "Proposal n1 ")
	x.UntilMatch(`1 ?/ ?12`)
	if strings.Contains(x.Text(), "a approve") {
		x.PressUntilGone("esc", "a approve")
	}
	x.Press("b")
	x.UntilMatch(`n1 · evaluated`)
	x.Press("B")
	x.Until("Branch from n1")
	for range 7 {
		x.Press("down")
	}
	x.Press(">")
	x.UntilMatch(`becomes: lr`)
	x.PressUntilGone("enter", "Branch from n1")
	x.UntilMatch(`2 ?/ ?12`) // it was trained without asking again
	x.Press("T")
	x.Until("regularization")
	x.PressUntilGone("esc", "regularization")
	x.Press("e")
	x.Until("Export mixed-1")
	x.Press("down")
	x.PressUntilGone("enter", "Export mixed-1")
	x.Until("Export as strategy")
	x.Press("enter")
	x.Until("written to mixed-1.strategy.json")
	x.Press("q")
	if err := x.Wait(); err != nil {
		t.Errorf("leaving: %v", err)
	}
	out, err := llmzero(t, home, "show", "mixed-1").Output()
	if err != nil || !regexp.MustCompile(`lr 0\.0003 → 0\.000\d+ +evaluated`).Match(out) {
		t.Errorf("the branch is not in the tree: %v\n%s", err, out)
	}
	out, err = llmzero(t, home, "strategy", "replay", "mixed-1.strategy.json", "--seeds", "1").Output()
	if err != nil || !strings.Contains(string(out), "mixed, base model 1: test") {
		t.Errorf("the exported strategy does not replay: %v\n%s", err, out)
	}
}

// TestDemo watches the recorded search: it plays by itself, has curves and samples, cannot be changed, and leaves nothing behind.
func TestDemo(t *testing.T) {
	home := t.TempDir()
	cmd := llmzero(t, home, "demo")
	tmp := filepath.Join(home, "tmp")
	if err := os.Mkdir(tmp, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(cmd.Env, "TMPDIR="+tmp)
	x := termtest.Start(t, 120, 36, cmd)
	x.Until("replay")
	x.Press("G")
	x.UntilMatch(`(\d+)/\d+ +\d+ s`)
	x.Press("T")
	x.Until("regularization")
	x.PressUntilGone("esc", "replay")
	x.PressUntilGone("esc", "regularization")
	x.Press("b", "2")
	x.UntilMatch(`1–\d+ of \d+ `)
	x.Press("p")
	x.Until("this is a recording")
	x.Press("q")
	if err := x.Wait(); err != nil {
		t.Errorf("leaving: %v", err)
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if _, err := os.Stat(filepath.Join(home, "t.db")); err == nil {
		t.Error("the demo made a store in the place of one's own")
	}
}

// TestAnotherStore goes from one store to another and to the demo without leaving the program.
func TestAnotherStore(t *testing.T) {
	home, other := t.TempDir(), t.TempDir()
	if out, err := llmzero(t, other, "run", "--headless", "--task", "sort", "--budget", "1", "--segment", "5").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	x := termtest.Start(t, 120, 36, llmzero(t, home))
	x.Until("Start the quick tour")
	x.Press("o")
	x.Until("Open a store")
	x.Type(filepath.Join(other, "t.db"))
	x.Press("enter")
	x.UntilMatch(`sort-1 +sort`)
	x.Press("D")
	x.Until("replay")
	x.PressUntilGone("esc", "replay")
	x.Press("q")
	x.UntilMatch(`sort-1 +sort`) // back to where one came from
	x.Press("q")
	if err := x.Wait(); err != nil {
		t.Errorf("leaving: %v", err)
	}
}

// BenchmarkKeyWhileTraining is the time from a key to the changed screen in a real terminal, at 200x60, while the embedded
// trainer works on every core: reading the terminal, the update, the drawing and the terminal's emulation. Keys come at random, about
// ten a second, as from a quick person: more would use up the thirty pictures that a second has.
func BenchmarkKeyWhileTraining(b *testing.B) {
	x := termtest.Start(b, 200, 60, llmzero(b, b.TempDir(), "run", "--task", "mixed", "--approve", "all", "--budget", "4000"))
	x.UntilMatch(`n9 `)
	title := regexp.MustCompile(`─ (root|n\d+) · `)
	x.Press("g")
	x.UntilMatch(`─ root · `)
	var took []time.Duration
	keys := []string{"j", "j", "j", "k", "k", "k"}
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range b.N {
		time.Sleep(time.Duration(60+rng.IntN(80)) * time.Millisecond)
		before := title.FindString(x.Text())
		start := time.Now()
		x.Press(keys[i%len(keys)])
		x.UntilOK("another node", func(s string) bool { return title.FindString(s) != before })
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	ms := func(q float64) float64 { return float64(took[int(q*float64(len(took)-1))].Microseconds()) / 1000 }
	b.ReportMetric(ms(.5), "ms/median")
	b.ReportMetric(ms(.99), "ms/p99")
}
