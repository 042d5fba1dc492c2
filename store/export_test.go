package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"

	"llmzero/engine/tree"
)

// exported is a search with everything in it, as a stream.
func exported(t testing.TB) ([]byte, *sim) {
	t.Helper()
	ctx := context.Background()
	st := must1(Open(t.TempDir()+"/store.db", quick))(t)
	sm := fill(t, st, "mixed-1", 200)
	rec := must1(st.Search("mixed-1"))(t)
	must0(t, rec.AppendPoints(ctx, 1, []tree.Point{
		{Step: 1, Tokens: 10, Values: map[string]float64{"reward": 0.5, "kl": math.NaN(), "loss": math.Inf(-1)}},
		{Step: 2, Tokens: 20, Values: map[string]float64{"reward": 0.75}},
	}))
	must0(t, rec.AppendSamples(ctx, 1, []tree.Sample{{Step: 1, Prompt: "2+2=", Completion: "4", Reward: 1}}))
	must0(t, rec.Append(ctx, nil, nil, []tree.Exchange{{ID: "x1", Node: 1, Phase: "propose", Prompt: "p", Answer: "a", When: t0}}))
	var b bytes.Buffer
	must0(t, st.Export(ctx, "mixed-1", &b))
	must0(t, st.Close())
	return b.Bytes(), sm
}

func TestExportImport(t *testing.T) {
	ctx := context.Background()
	stream, sm := exported(t)
	st := testStore(t)
	for _, want := range []string{"mixed-1", "mixed-2"} {
		id := must1(st.Import(ctx, bytes.NewReader(stream)))(t)
		if id != want {
			t.Fatalf("imported as %s, want %s", id, want)
		}
		rec := must1(st.Search(id))(t)
		sm.t.Spec.ID = id
		sameTree(t, must1(rec.Tree(ctx))(t), sm.t)
		p := must1(rec.Points(ctx, 1))(t)
		if len(p) != 2 || !math.IsNaN(p[0].Values["kl"]) || !math.IsInf(p[0].Values["loss"], -1) || p[1].Values["reward"] != 0.75 {
			t.Errorf("points %v", p)
		}
		if s := must1(rec.Samples(ctx, 1))(t); len(s) != 1 || s[0].Completion != "4" {
			t.Errorf("samples %v", s)
		}
		if x := must1(rec.Exchange(ctx, "x1"))(t); x.Answer != "a" || !x.When.Equal(t0) {
			t.Errorf("exchange %v", x)
		}
	}
	// Exported again it is the same stream.
	var again bytes.Buffer
	must0(t, st.Export(ctx, "mixed-1", &again))
	if !bytes.Equal(again.Bytes(), stream) {
		t.Error("the export of an import differs")
	}
}

func TestImportRefuses(t *testing.T) {
	ctx := context.Background()
	stream, _ := exported(t)
	lines := strings.SplitAfter(strings.TrimSpace(string(stream)), "\n")
	without := func(has string) string {
		var out []string
		gone := false
		for _, l := range lines {
			if !gone && strings.HasPrefix(l, has) {
				gone = true
				continue
			}
			out = append(out, l)
		}
		return strings.Join(out, "")
	}
	st := testStore(t)
	for name, in := range map[string]string{
		"nothing":       "",
		"other JSON":    `{"a": 1}`,
		"no JSON":       "hello",
		"cut off":       strings.Join(lines[:len(lines)-1], ""),
		"cut in a line": string(stream[:len(stream)/2]),
		"no header":     without(`{"llmzero"`),
		"an entry less": without(`{"event"`),
		"a blob less":   without(`{"blob"`),
		"a blob less, and said so": regexp.MustCompile(`"blobs":\d+`).ReplaceAllString(without(`{"blob"`),
			fmt.Sprintf(`"blobs":%d`, strings.Count(string(stream), `{"blob"`)-1)),
		"a newer version": strings.Replace(string(stream), `"version":1`, `"version":2`, 1),
		"another blob":    strings.Replace(string(stream), `"data":"`, `"data":"AAAA`, 1),
		"a foreign node":  strings.Replace(string(stream), `{"points":{"node":1`, `{"points":{"node":-1`, 1),
		"a bad name":      strings.ReplaceAll(string(stream), `"mixed-1"`, `"../../mixed"`),
		"more at the end": string(stream) + lines[1],
	} {
		if in == string(stream) {
			t.Fatalf("%s: nothing was changed", name)
		}
		if _, err := st.Import(ctx, strings.NewReader(in)); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if list := must1(st.List(ctx))(t); len(list) != 0 {
		t.Errorf("a refused import left %v", list)
	}
}

// FuzzImport takes streams, and journals that it makes a stream of. What is taken must be sound, and what is not must leave
// nothing.
func FuzzImport(f *testing.F) {
	stream, _ := exported(f)
	f.Add(stream)
	f.Add([]byte(`{"llmzero":{"format":"llmzero-search","version":1,"search":"a"}}{"end":{}}`))
	sm := newSim("a", 1)
	sm.spec.Space.Params = sm.spec.Space.Params[1:2] // a small space gives short entries
	sm.spec.Root = sm.spec.Space.Defaults()
	var journal bytes.Buffer
	for _, e := range sm.history(60) {
		must0(f, json.NewEncoder(&journal).Encode(record{Event: &e}))
		f.Add(bytes.Clone(journal.Bytes()))
	}
	st := must1(Open(f.TempDir()+"/store.db", quick))(f)
	f.Cleanup(func() { must0(f, st.Close()) })
	f.Fuzz(func(t *testing.T, b []byte) {
		try := func(b []byte) {
			ctx := context.Background()
			id, err := st.Import(ctx, bytes.NewReader(b))
			if err != nil {
				if !errors.Is(err, ErrFormat) {
					t.Fatal(err)
				}
				if list := must1(st.List(ctx))(t); len(list) != 0 {
					t.Fatalf("a refused import left %v", list)
				}
				return
			}
			must1(must1(st.Search(id))(t).Tree(ctx))(t)
			problems, err := st.Check(ctx)
			if err != nil || len(problems) > 0 {
				t.Fatal(problems, err)
			}
			must0(t, st.Remove(ctx, id))
		}
		try(b)
		try(fmt.Appendf(nil, `{"llmzero":{"format":"llmzero-search","version":1,"search":"a"}}%s{"end":{"events":%d}}`,
			b, bytes.Count(b, []byte(`"event":{"seq"`))))
	})
}
