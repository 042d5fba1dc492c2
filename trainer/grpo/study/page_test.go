package main

import (
	"compress/gzip"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"llmzero/engine/tree"
	"llmzero/trainer/grpo/task"
)

// A page says of what is missing that it was not measured, and prints no number for it.
func TestPageOfAnEmptyJournal(t *testing.T) {
	dir := t.TempDir()
	s := &study{journal: open(t, filepath.Join(dir, "j.jsonl")), offline: true, parallel: 1}
	k := lookup(t, "prefix")
	if err := s.page(context.Background(), k, dir); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "prefix.md"))
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	for _, want := range []string{"# prefix", "Difficulty 1 to 10", "| 1 | 0.0", "Base 1, tight budget: not measured yet", "## Pathologies\n\nnot measured yet"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
	if strings.Contains(page, "best constant |") {
		t.Error("the page compares what was not measured")
	}
}

// The shipped pages are what the shipped journal says; what the bases can do is measured anew and left out here.
func TestShippedPages(t *testing.T) {
	dir := t.TempDir()
	packed, err := os.Open("testdata/journal.jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := packed.Close(); err != nil {
			t.Error(err)
		}
	}()
	r, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "journal.jsonl")
	if err := os.WriteFile(path, lines, 0o600); err != nil {
		t.Fatal(err)
	}
	s := &study{journal: open(t, path), offline: true, parallel: 1}
	measured := func(page string) string {
		_, rest, _ := strings.Cut(page, "## Best constant")
		return rest
	}
	for _, k := range task.All() {
		if err := s.page(context.Background(), k, dir); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(dir, k.Name+".md"))
		if err != nil {
			t.Fatal(err)
		}
		if want, got := measured(string(b)), measured(k.Facts()); want == "" || got != want {
			t.Errorf("%s: the page is not what the journal says; write the pages again with -facts", k.Name)
		}
	}
}

// The difference to the best constant is paired by seed, also where bases are put together.
func TestWriteComparison(t *testing.T) {
	runs := func(scores ...float64) []result {
		out := make([]result, len(scores))
		for i, x := range scores {
			out[i].Test = x
		}
		return out
	}
	k := lookup(t, "prefix")
	c := comparison{
		screened: screened{size: 330, runs: 400}, grid: 330, tokens: 250_000, best: grid(k)[0],
		constant: runs(0.1, 0.2, 0.3), schedules: schedules(k)[:1], staged: [][]result{runs(0.2, 0.3, 0.4)},
	}
	var b strings.Builder
	writeComparison(&b, 1, "tight", c)
	writeArms(&b, together([]comparison{c, {constant: runs(0.5), schedules: c.schedules, staged: [][]result{runs(0.2)}}}))
	for _, want := range []string{
		"| best constant | 0.275 +- 0.272 | |\n| rising band | 0.275 +- 0.152 | +0.000 +- 0.318 (+0%) |",
		"250k tokens): 330 constants, 400 screening runs", "| best constant | 0.200 +- 0.248 | |",
		"| rising band | 0.300 +- 0.248 | +0.100 +- 0.000 (+50%) |", "at the edge of the grid in learning rate and temperature",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}

func TestPathologies(t *testing.T) {
	m := func(entropy0, entropy1, wrong, right, cut, reward1 float64) ends {
		return ends{
			first: map[string]float64{tree.MetricEntropy: entropy0, tree.MetricReward: 0.3},
			last: map[string]float64{
				tree.MetricEntropy: entropy1, tree.MetricAllWrong: wrong, tree.MetricAllRight: right,
				tree.MetricTruncated: cut, tree.MetricReward: reward1,
			},
		}
	}
	cases := []struct {
		name string
		m    ends
		test float64
		want string
	}{
		{"healthy", m(0.5, 0.1, 0.1, 0.4, 0, 0.8), 0.8, ""},
		{"collapse", m(0.5, 0.05, 0.9, 0, 0, 0.1), 0.1, "policy collapse, entropy collapse, sparse signal"},
		{"explosion", m(0.5, 1.5, 0.6, 0, 0.4, 0.05), 0.05, "policy collapse, entropy explosion, truncation, sparse signal"},
		{"stagnation", m(0.5, 0.5, 0.3, 0.1, 0, 0.31), 0.4, "stagnation"},
		{"saturated", m(0.5, 0.02, 0, 0.9, 0, 0.97), 0.97, "saturated signal"},
	}
	for _, c := range cases {
		if got := strings.Join(pathologies(c.m, c.test, 0.8), ", "); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
