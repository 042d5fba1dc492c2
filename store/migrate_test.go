package store

import (
	"bytes"
	"compress/gzip"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"testing"

	bolt "go.etcd.io/bbolt"

	"llmzero/engine/tree"
)

var freeze = flag.Bool("freeze", false, "write testdata of the current schema and export format, once, before they are released")

// frozen is what was written to testdata of every schema: a search with everything in it.
func frozen(t testing.TB, path string) {
	t.Helper()
	ctx := context.Background()
	st := must1(Open(path, quick))(t)
	fill(t, st, "mixed-1", 120)
	rec := must1(st.Search("mixed-1"))(t)
	must0(t, rec.AppendPoints(ctx, 1, []tree.Point{{Step: 1, Tokens: 10, Values: map[string]float64{"reward": 0.5}}}))
	must0(t, rec.AppendSamples(ctx, 1, []tree.Sample{{Step: 1, Prompt: "2+2=", Completion: "4", Reward: 1}}))
	must0(t, rec.Append(ctx, nil, nil, []tree.Exchange{{ID: "x1", Node: 1, Phase: "propose", Prompt: "p", Answer: "a", When: t0}}))
	must0(t, st.Close())
}

func unzip(t testing.TB, name string) []byte {
	t.Helper()
	f := must1(os.Open(name))(t)
	b := must1(io.ReadAll(must1(gzip.NewReader(f))(t)))(t)
	must0(t, f.Close())
	return b
}

func zip(t testing.TB, name string, b []byte) {
	t.Helper()
	var out bytes.Buffer
	z := must1(gzip.NewWriterLevel(&out, gzip.BestCompression))(t)
	must1(z.Write(b))(t)
	must0(t, z.Close())
	must0(t, os.WriteFile(name, out.Bytes(), 0o600))
}

// TestMigrations opens the file that each schema has left in testdata, made by what wrote that schema.
func TestMigrations(t *testing.T) {
	for schema := 1; schema <= len(migrations); schema++ {
		name := fmt.Sprintf("testdata/schema-%d.gz", schema)
		if *freeze && schema == len(migrations) {
			path := t.TempDir() + "/store.db"
			frozen(t, path)
			zip(t, name, must1(os.ReadFile(path))(t))
		}
		if _, err := os.Stat(name); err != nil {
			t.Errorf("schema %d (%s) has no file: run this test with -freeze before it is released: %v", schema, migrations[schema-1].name, err)
			continue
		}
		path := t.TempDir() + "/store.db"
		must0(t, os.WriteFile(path, unzip(t, name), 0o600))
		st := openTest(t, path) // checks at the end that the journal's replay equals the nodes
		holdsFrozen(t, st)
	}
	// A file without any bucket is new: a crash between making a file and its first transaction.
	path := t.TempDir() + "/bare.db"
	must0(t, must1(bolt.Open(path, 0o600, nil))(t).Close())
	if list := must1(openTest(t, path).List(t.Context()))(t); len(list) != 0 {
		t.Errorf("a bare file lists %v", list)
	}
}

// TestOldExports imports the stream that each version of the format has left in testdata.
func TestOldExports(t *testing.T) {
	for version := 1; version <= formatVersion; version++ {
		name := fmt.Sprintf("testdata/export-%d.gz", version)
		if *freeze && version == formatVersion {
			path := t.TempDir() + "/store.db"
			frozen(t, path)
			st := must1(Open(path, quick))(t)
			var b bytes.Buffer
			must0(t, st.Export(t.Context(), "mixed-1", &b))
			must0(t, st.Close())
			zip(t, name, b.Bytes())
		}
		st := testStore(t)
		must1(st.Import(t.Context(), bytes.NewReader(unzip(t, name))))(t)
		holdsFrozen(t, st)
	}
}

func holdsFrozen(t *testing.T, st *Store) {
	t.Helper()
	ctx := t.Context()
	rec := must1(st.Search("mixed-1"))(t)
	tr := must1(rec.Tree(ctx))(t)
	if tr.Seq != 120 || len(tr.Nodes) < 5 || len(blobRefs(tr)) == 0 || !tr.Spec.Created.Equal(t0) {
		t.Errorf("the search lost something: entry %d, %d nodes, %d checkpoints", tr.Seq, len(tr.Nodes), len(blobRefs(tr)))
	}
	if p := must1(rec.Points(ctx, 1))(t); len(p) != 1 || p[0].Values["reward"] != 0.5 {
		t.Errorf("points %v", p)
	}
	if s := must1(rec.Samples(ctx, 1))(t); len(s) != 1 || s[0].Completion != "4" {
		t.Errorf("samples %v", s)
	}
	if x := must1(rec.Exchange(ctx, "x1"))(t); x.Answer != "a" {
		t.Errorf("exchange %v", x)
	}
}
