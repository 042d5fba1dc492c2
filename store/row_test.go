package store

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"llmzero/engine/tree"
)

// fillValue gives every field that is kept a value of its own that is not its zero.
func fillValue(v reflect.Value, n *int) {
	*n++
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(t0.Add(time.Duration(*n) * time.Second)))
	case v.Type() == reflect.TypeFor[tree.Value]():
		v.Set(reflect.ValueOf(tree.Number(float64(*n) / 7)))
	case v.Type() == reflect.TypeFor[tree.Config]():
		v.Set(reflect.ValueOf(testSpace().Defaults()))
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Tag.Get("json") != "-" {
				fillValue(v.Field(i), n)
			}
		}
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillValue(v.Elem(), n)
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fillValue(v.Index(0), n)
		fillValue(v.Index(1), n)
	case v.Kind() == reflect.String:
		v.SetString(fmt.Sprintf("text %d", *n))
	case v.Kind() == reflect.Bool:
		v.SetBool(true)
	case v.CanInt():
		v.SetInt(int64(*n) << 20)
	case v.CanUint():
		v.SetUint(math.MaxUint64 - uint64(*n))
	case v.CanFloat():
		v.SetFloat(float64(*n) / 3)
	default:
		panic("a kind of field that no row has: " + v.Type().String())
	}
}

// TestRowKeepsEveryField fails when a field is added to tree.Node or what hangs on it and not to the row.
func TestRowKeepsEveryField(t *testing.T) {
	var full tree.Node
	fillValue(reflect.ValueOf(&full).Elem(), new(int))
	bare := tree.Node{ID: 3, Config: testSpace().Defaults(), Outcome: &tree.Outcome{}, Verdict: &tree.Verdict{}}
	odd := tree.Node{ID: 4, Config: testSpace().Defaults(), Test: tree.Score{Mean: math.Inf(1), SE: -1}}
	odd.Transition.Rationale = "\xff\x00 Ω"
	for name, n := range map[string]*tree.Node{"full": &full, "bare": &bare, "odd": &odd} {
		row := must1(encodeNode(testSpace(), n))(t)
		got := must1(decodeNode(testSpace(), n.ID, row))(t)
		if !reflect.DeepEqual(got, n) {
			t.Errorf("%s: a field of tree.Node is not kept; add it to row_parts.go under a new rowVersion\n got %+v\nwant %+v", name, got, n)
		}
		for cut := range row {
			if _, err := decodeNode(testSpace(), n.ID, row[:cut]); err == nil {
				t.Fatalf("%s: %d bytes of %d decode", name, cut, len(row))
			}
		}
		if _, err := decodeNode(testSpace(), n.ID, append(row, 0)); err == nil {
			t.Errorf("%s: a byte too many decodes", name)
		}
		if _, err := decodeNode(testSpace(), n.ID+1, row); err == nil || !strings.Contains(err.Error(), "says that it is node") {
			t.Errorf("%s: as another node: %v", name, err)
		}
	}
	partial := tree.Node{Config: tree.Config{"beta": tree.Number(1)}}
	if _, err := encodeNode(testSpace(), &partial); err == nil {
		t.Error("a partial configuration was written")
	}
}

func FuzzDecodeNode(f *testing.F) {
	var full tree.Node
	fillValue(reflect.ValueOf(&full).Elem(), new(int))
	full.ID = 7
	f.Add(must1(encodeNode(testSpace(), &full))(f))
	f.Add([]byte{rowVersion, 14, 0, 255, 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, row []byte) {
		n, err := decodeNode(testSpace(), 7, row)
		if err != nil {
			return
		}
		again := must1(encodeNode(testSpace(), n))(t)
		m := must1(decodeNode(testSpace(), 7, again))(t)
		if b := must1(encodeNode(testSpace(), m))(t); string(b) != string(again) {
			t.Fatal("a row changes when it is read and written")
		}
	})
}

func FuzzDecodeChunks(f *testing.F) {
	f.Add(must1(encodePoints([]tree.Point{
		{Step: 1, Tokens: 2, Values: map[string]float64{"reward": 1}}, {Step: 2, Values: map[string]float64{"kl": math.NaN()}},
	}))(f))
	f.Add(must1(encodeSamples([]tree.Sample{{Step: 1, Prompt: "a", Completion: "\xff"}}))(f))
	sm := newSim("mixed-1", 1)
	for _, e := range sm.history(40) {
		f.Add(must1(encodeEvent(e))(f))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if points, err := decodePoints(b); err == nil {
			must1(encodePoints(points))(t)
		}
		if samples, err := decodeSamples(b); err == nil {
			must1(encodeSamples(samples))(t)
		}
		if e, err := decodeEvent(1, b); err == nil {
			must1(encodeEvent(e))(t)
		}
	})
}
