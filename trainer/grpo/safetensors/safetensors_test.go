package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"reflect"
	"testing"
)

func sample() *File {
	return &File{
		Tensors: []Tensor{
			{Name: "b", Shape: []int{2, 3}, Data: []float32{1, 2, 3, 4, 5, float32(math.Inf(1))}},
			{Name: "a", Shape: []int{}, Data: []float32{-0.5}},
			{Name: "none", Shape: []int{0, 4}, Data: []float32{}},
		},
		Metadata: map[string]string{"step": "12"},
	}
}

func TestRoundTrip(t *testing.T) {
	b, err := Encode(sample())
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, sample()) {
		t.Errorf("got %+v\nwant %+v", got, sample())
	}
	if n := binary.LittleEndian.Uint64(b); n%8 != 0 {
		t.Errorf("header of %d bytes leaves the data unaligned", n)
	}
}

func TestEncodeRefuses(t *testing.T) {
	for name, f := range map[string]*File{
		"shape":    {Tensors: []Tensor{{Name: "x", Shape: []int{2}, Data: []float32{1}}}},
		"twice":    {Tensors: []Tensor{{Name: "x", Shape: []int{0}}, {Name: "x", Shape: []int{0}}}},
		"reserved": {Tensors: []Tensor{{Name: "__metadata__", Shape: []int{0}}}},
		"negative": {Tensors: []Tensor{{Name: "x", Shape: []int{-1, -1}, Data: []float32{1}}}},
	} {
		if _, err := Encode(f); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func file(header string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, data)...)
}

func TestDecodeRefuses(t *testing.T) {
	good, err := Encode(sample())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		b    []byte
		want error
	}{
		{"empty", nil, ErrFormat},
		{"cut", good[:len(good)-1], ErrFormat},
		{"longer", append(bytes.Clone(good), 0), ErrFormat},
		{"huge header", []byte{255, 255, 255, 255, 255, 255, 255, 255, '{'}, ErrFormat},
		{"no object", file(`[]`, 0), ErrFormat},
		{"two objects", file(`{}{}`, 0), ErrFormat},
		{"key twice", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4), ErrFormat},
		{"half", file(`{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}`, 4), ErrType},
		{"shape", file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`, 4), ErrFormat},
		{"overlap", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4), ErrFormat},
		{"gap", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8), ErrFormat},
		{"overflow", file(`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`, 0), ErrFormat},
		{"key in other case", file(`{"a":{"Dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4), ErrFormat},
		{"three offsets", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}`, 4), ErrFormat},
		{"no shape", file(`{"a":{"dtype":"F32","shape":null,"data_offsets":[0,4]}}`, 4), ErrFormat},
		{"negative", file(`{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,0]}}`, 0), ErrFormat},
	} {
		if _, err := Decode(c.b); !errors.Is(err, c.want) {
			t.Errorf("%s: error %v, want %v", c.name, err, c.want)
		}
	}
}

// Whatever decodes must encode to a file that decodes to the same.
func FuzzDecode(f *testing.F) {
	good, err := Encode(sample())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4))
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := Decode(b)
		if err != nil {
			return
		}
		again, err := Encode(got)
		if err != nil {
			t.Fatalf("decoded, but: %v", err)
		}
		same, err := Decode(again)
		if err != nil {
			t.Fatalf("re-encoded, but: %v", err)
		}
		if len(same.Tensors) != len(got.Tensors) || len(same.Metadata) != len(got.Metadata) {
			t.Fatalf("%d tensors became %d", len(got.Tensors), len(same.Tensors))
		}
	})
}
