package tui

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"

	"llmzero/themes"
)

var update = flag.Bool("update", false, "write the golden screens anew")

// goldenSizes are the sizes that every page and dialog is kept at.
var goldenSizes = [][2]int{{60, 20}, {80, 24}, {120, 40}, {200, 60}}

// goldens are the pages and dialogs in their states: how a screen is reached from the library with the storybook in it.
var goldens = []struct {
	name  string
	empty bool
	only  func() *script // the only search of the library; nil: the storybook and two others
	keys  string
	setup func(*rig)
}{
	{name: "home-empty", empty: true},
	{name: "home-full"},
	{name: "home-filter", keys: "/ type:sort"},
	{name: "home-delete", keys: "X"},
	{name: "home-loading", setup: func(r *rig) { r.a.home.loaded = false }},
	{name: "home-error", setup: func(r *rig) {
		r.send(listMsg{err: errors.New("open store /data/llmzero.db: locked by process 4711; end it or use --db")})
	}},
	{name: "new-search", keys: "n"},
	{name: "settings", keys: ","},
	{name: "search", keys: "enter"},
	{name: "search-new", empty: true, keys: "enter"},
	{name: "search-filter", keys: "enter / type:state:failed"},
	{name: "search-filter-wrong", keys: "enter / type:state:x"},
	{name: "search-flat", keys: "enter s"},
	{name: "search-error", keys: "enter", setup: func(r *rig) { r.a.fail("approve n12", errors.New("the budget is spent; raise it first")) }},
	{name: "graph", keys: "enter v"},
	{name: "curves", keys: "enter 2 tab left left left o"},
	{name: "config", keys: "enter 3"},
	{name: "diagnosis", keys: "enter 4"},
	{name: "checkpoints", keys: "enter 5"},
	{name: "samples", keys: "enter 6"},
	{name: "log", keys: "enter 7"},
	{name: "gate", keys: "enter enter"},
	{name: "gate-edit", keys: "enter enter wait e 9"},
	{name: "gate-veto", keys: "enter enter wait v"},
	{name: "gate-rules", keys: "enter enter wait A right"},
	{name: "branch", keys: "enter B"},
	{name: "ban", keys: "enter x"},
	{name: "prune", keys: "enter X"},
	{name: "quit", keys: "enter q"},
	{name: "help", keys: "enter ?"},
	{name: "palette", keys: "enter : p"},
	{name: "trajectories", keys: "enter T right"},
	{name: "replay", keys: "enter P right right right right right right right right right right"},
	{name: "agent", keys: "enter a"},
	{name: "compare", keys: "enter c"},
	{name: "deep", only: func() *script { return chainOf(60) }, keys: "enter b"},
	{name: "deep-trajectories", only: func() *script { return deep(60) }, keys: "enter T"},
	{name: "large", only: func() *script { return forest(5000) }, keys: "enter b"},
	{name: "large-overview", only: func() *script { return forest(5000) }, keys: "enter v - - - -"},
}

func goldenRig(t *testing.T, i int, theme string) *rig {
	g := goldens[i]
	lib := newFakeLibrary()
	switch {
	case g.only != nil:
		lib = newFakeLibrary(g.only())
	case !g.empty:
		lib = newFakeLibrary(storybook(), library("s-1c22", "sort", 0.83), library("s-9d10", "add", 0.51))
	}
	r := newRig(t, lib, func(o *Options) { o.Theme = theme })
	r.keys(g.keys)
	if g.setup != nil {
		g.setup(r)
	}
	return r
}

// TestGoldens compares every page and dialog at every size with what a person has looked at. The text does not depend on
// the theme, so dark and light share it.
func TestGoldens(t *testing.T) {
	for i, g := range goldens {
		t.Run(g.name, func(t *testing.T) {
			r := goldenRig(t, i, "dark")
			light := goldenRig(t, i, "light")
			var b strings.Builder
			for _, sz := range goldenSizes {
				r.size(sz[0], sz[1])
				light.size(sz[0], sz[1])
				r.screen()
				text := r.screen() // painted twice: a scroll position may settle
				light.screen()
				if g.name != "settings" && light.screen() != text { // the settings name the theme
					t.Errorf("at %dx%d the light theme shows another text than the dark one", sz[0], sz[1])
				}
				fmt.Fprintf(&b, "── %d×%d ──\n%s", sz[0], sz[1], text)
			}
			golden(t, g.name+".txt", b.String())
		})
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	path := filepath.Join("testdata", "golden", file)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; go test ./tui -run TestGoldens -update writes it", err)
	}
	if got == string(want) {
		return
	}
	g, w := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			t.Fatalf("%s differs in line %d; after looking at it, -update keeps it\n got %s\nwant %s", file, i+1, g[i], w[i])
		}
	}
	t.Fatalf("%s has %d lines, want %d", file, len(g), len(w))
}

// TestDepths: with every depth of colour the text is the same, and without colours none is sent.
func TestDepths(t *testing.T) {
	r, _ := opened(t, nil)
	full := ansi.Strip(r.a.View().Content)
	for p, colored := range map[colorprofile.Profile]bool{colorprofile.ANSI: true, colorprofile.ASCII: false, colorprofile.NoTTY: false} {
		r.send(tea.ColorProfileMsg{Profile: p})
		v := r.a.View().Content
		if ansi.Strip(v) != full {
			t.Errorf("%s shows another text", p)
		}
		if strings.Contains(v, "38;2;") || (!colored && strings.Contains(v, ";3")) {
			t.Errorf("%s: a colour that the terminal cannot show was sent", p)
		}
	}
}

// TestASCII: with the plain glyphs nothing but ASCII is painted, on any page.
func TestASCII(t *testing.T) {
	for i, g := range goldens {
		r := goldenRig(t, i, "dark")
		plain := newRig(t, r.lib, func(o *Options) { o.Glyphs = themes.ASCII() })
		plain.keys(g.keys)
		for _, c := range plain.screen() {
			if c > 0x7e {
				t.Fatalf("%s paints %q", g.name, c)
			}
		}
	}
}

func TestTooSmall(t *testing.T) {
	r, _ := opened(t, nil)
	r.size(59, 30)
	r.mustShow("llmzero needs 60 × 20 cells", "59 × 30")
	r.size(1, 1)
	r.screen()
	r.size(60, 20)
	r.mustShow("Tree")
}
