package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestImportOddValues changes values inside a good journal: one of another type, a number out of range, a missing field.
// The import is refused with ErrFormat or gives a sound search; nothing panics.
func TestImportOddValues(t *testing.T) {
	sm := newSim("a", 5)
	events := sm.history(150)
	st := testStore(t)
	taken := 0
	rapid.Check(t, func(rt *rapid.T) {
		lines := make([]any, len(events))
		for i := range events {
			b, err := json.Marshal(record{Event: &events[i]})
			if err == nil {
				err = json.Unmarshal(b, &lines[i])
			}
			if err != nil {
				rt.Fatal(err)
			}
		}
		for range rapid.IntRange(1, 3).Draw(rt, "changes") {
			spoil(rt, lines[rapid.IntRange(0, len(lines)-1).Draw(rt, "line")])
		}
		var b bytes.Buffer
		out := json.NewEncoder(&b)
		write := func(v any) {
			if err := out.Encode(v); err != nil {
				rt.Fatal(err)
			}
		}
		write(record{Header: &header{Format: Format, Version: formatVersion, Search: "a"}})
		for _, l := range lines {
			write(l)
		}
		write(record{End: &trailer{Events: len(lines)}})
		ctx := context.Background()
		id, err := st.Import(ctx, &b)
		if errors.Is(err, ErrFormat) {
			return
		}
		if err != nil {
			rt.Fatal(err)
		}
		taken++
		problems, err := st.Check(ctx)
		if err != nil || len(problems) > 0 {
			rt.Fatal(problems, err)
		}
		if err := st.Remove(ctx, id); err != nil {
			rt.Fatal(err)
		}
	})
	t.Logf("%d changed journals were sound", taken)
}

// spoil changes one value somewhere inside v.
func spoil(rt *rapid.T, v any) {
	odd := func(old any) any {
		return rapid.SampledFrom([]any{
			nil, true, "", "pruned", "sha256:", -1, 0, 1, 2, 1e300, 1 << 62, -1 << 62, 0.5,
			[]any{},
			map[string]any{},
			[]any{old, old},
			[]any{1, 1, 0, -1},
		}).Draw(rt, "value")
	}
	switch x := v.(type) {
	case map[string]any:
		if len(x) == 0 {
			return
		}
		k := rapid.SampledFrom(slices.Sorted(maps.Keys(x))).Draw(rt, "key")
		switch inner := x[k].(type) {
		case map[string]any, []any:
			if rapid.IntRange(0, 9).Draw(rt, "deeper") > 0 {
				spoil(rt, inner)
				return
			}
		}
		if rapid.IntRange(0, 9).Draw(rt, "drop") == 0 {
			delete(x, k)
			return
		}
		x[k] = odd(x[k])
	case []any:
		if len(x) == 0 {
			return
		}
		i := rapid.IntRange(0, len(x)-1).Draw(rt, "index")
		switch inner := x[i].(type) {
		case map[string]any, []any:
			spoil(rt, inner)
		default:
			x[i] = odd(x[i])
		}
	}
}
