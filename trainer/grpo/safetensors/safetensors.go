// Package safetensors reads and writes the safetensors file format: an 8-byte little-endian header length, a JSON header
// that gives each tensor's dtype, shape and byte range, and the data. Only float32 tensors are handled.
package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Errors of Decode.
var (
	// ErrFormat is returned for bytes that are no well-formed safetensors file.
	ErrFormat = errors.New("not a valid safetensors file")
	// ErrType is returned for a well-formed file with a tensor that is not float32.
	ErrType = errors.New("tensor is not float32")
)

// maxHeader bounds the header, as the reference implementation does.
const maxHeader = 100 << 20

// Tensor is a named float32 array, row-major.
type Tensor struct {
	Name  string
	Shape []int
	Data  []float32
}

// File is the content of a safetensors file: tensors in the order of their data, and free text metadata.
type File struct {
	Tensors  []Tensor
	Metadata map[string]string
}

// Find returns the tensor of that name, or nil.
func (f *File) Find(name string) *Tensor {
	for i := range f.Tensors {
		if f.Tensors[i].Name == name {
			return &f.Tensors[i]
		}
	}
	return nil
}

type entry struct {
	DType   string    `json:"dtype"`
	Shape   []int     `json:"shape"`
	Offsets [2]uint64 `json:"data_offsets"`
}

const metadataKey = "__metadata__"

// Encode writes f; equal files give equal bytes. Names must be unique and shapes must match the data.
func Encode(f *File) ([]byte, error) {
	header := map[string]any{}
	if len(f.Metadata) > 0 {
		header[metadataKey] = f.Metadata
	}
	var size uint64
	for _, t := range f.Tensors {
		if n, ok := elements(t.Shape); !ok || n != len(t.Data) {
			return nil, fmt.Errorf("safetensors: tensor %q has shape %v and %d elements", t.Name, t.Shape, len(t.Data))
		}
		if _, dup := header[t.Name]; dup || t.Name == metadataKey {
			return nil, fmt.Errorf("safetensors: tensor name %q is used twice or reserved", t.Name)
		}
		end := size + 4*uint64(len(t.Data))
		shape := t.Shape
		if shape == nil {
			shape = []int{}
		}
		header[t.Name] = entry{DType: "F32", Shape: shape, Offsets: [2]uint64{size, end}}
		size = end
	}
	head, err := json.Marshal(header) // maps are written in key order
	if err != nil {
		return nil, fmt.Errorf("safetensors: header: %w", err)
	}
	for len(head)%8 != 0 {
		head = append(head, ' ')
	}
	out := make([]byte, 0, 8+uint64(len(head))+size)
	out = binary.LittleEndian.AppendUint64(out, uint64(len(head)))
	out = append(out, head...)
	for _, t := range f.Tensors {
		for _, v := range t.Data {
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(v))
		}
	}
	return out, nil
}

// Decode reads a file. It refuses, with ErrFormat, headers that do not describe the bytes that follow exactly.
func Decode(b []byte) (*File, error) {
	if len(b) < 8 {
		return nil, fmt.Errorf("%w: %d bytes are too few for a header", ErrFormat, len(b))
	}
	n := binary.LittleEndian.Uint64(b)
	if n > maxHeader || n > uint64(len(b)-8) {
		return nil, fmt.Errorf("%w: it claims a header of %d bytes and has %d in all", ErrFormat, n, len(b))
	}
	head, data := b[8:8+n], b[8+n:]
	raw, err := object(head)
	if err != nil {
		return nil, fmt.Errorf("%w: header: %w", ErrFormat, err)
	}
	f := &File{}
	type placed struct {
		name string
		entry
	}
	var all []placed
	for name, msg := range raw {
		if name == metadataKey {
			if err := json.Unmarshal(msg, &f.Metadata); err != nil {
				return nil, fmt.Errorf("%w: metadata: %w", ErrFormat, err)
			}
			continue
		}
		e, err := place(msg)
		if err != nil {
			return nil, fmt.Errorf("%w: tensor %q: %w", ErrFormat, name, err)
		}
		all = append(all, placed{name, e})
	}
	slices.SortFunc(all, func(a, b placed) int {
		switch {
		case a.Offsets[0] != b.Offsets[0]:
			return cmpUint(a.Offsets[0], b.Offsets[0])
		case a.Offsets[1] != b.Offsets[1]:
			return cmpUint(a.Offsets[1], b.Offsets[1])
		}
		return bytes.Compare([]byte(a.name), []byte(b.name))
	})
	var at uint64
	for _, p := range all {
		if p.DType != "F32" {
			return nil, fmt.Errorf("safetensors: tensor %q is %q: %w", p.name, p.DType, ErrType)
		}
		count, ok := elements(p.Shape)
		if !ok || p.Offsets[0] != at || p.Offsets[1] < at || p.Offsets[1] > uint64(len(data)) || p.Offsets[1]-at != 4*uint64(count) {
			return nil, fmt.Errorf("%w: tensor %q of shape %v at bytes %v of %d", ErrFormat, p.name, p.Shape, p.Offsets, len(data))
		}
		t := Tensor{Name: p.name, Shape: p.Shape, Data: make([]float32, count)}
		for i := range t.Data {
			t.Data[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[at+4*uint64(i):]))
		}
		f.Tensors = append(f.Tensors, t)
		at = p.Offsets[1]
	}
	if at != uint64(len(data)) {
		return nil, fmt.Errorf("%w: %d bytes after the last tensor", ErrFormat, uint64(len(data))-at)
	}
	return f, nil
}

// place reads a tensor's entry. Its keys count to the letter, which encoding/json would not ask for.
func place(msg []byte) (e entry, err error) {
	fields, err := object(msg)
	if err != nil {
		return e, err
	}
	var offsets []uint64
	for key, to := range map[string]any{"dtype": &e.DType, "shape": &e.Shape, "data_offsets": &offsets} {
		if err := json.Unmarshal(fields[key], to); err != nil {
			return e, fmt.Errorf("%s: %w", key, err)
		}
	}
	if len(offsets) != 2 || e.Shape == nil {
		return e, errors.New("no shape, or not two offsets")
	}
	e.Offsets = [2]uint64(offsets)
	return e, nil
}

// object reads one JSON object and refuses keys that stand twice, which encoding/json would merge silently.
func object(head []byte) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(head))
	if tok, err := d.Token(); err != nil || tok != json.Delim('{') {
		return nil, errors.New("no JSON object")
	}
	out := map[string]json.RawMessage{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, ok := key.(string)
		if !ok {
			return nil, errors.New("a key is no string")
		}
		if _, dup := out[name]; dup {
			return nil, fmt.Errorf("%q stands twice", name)
		}
		var msg json.RawMessage
		if err := d.Decode(&msg); err != nil {
			return nil, err
		}
		out[name] = msg
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if rest := bytes.TrimSpace(head[d.InputOffset():]); len(rest) > 0 {
		return nil, errors.New("text after the object")
	}
	return out, nil
}

func cmpUint(a, b uint64) int {
	if a < b {
		return -1
	}
	return 1
}

// elements is the product of a shape; not ok when it is negative or absurd.
func elements(shape []int) (int, bool) {
	n := 1
	for _, d := range shape {
		if d < 0 || (d > 0 && n > math.MaxInt32/d) {
			return 0, false
		}
		n *= d
	}
	return n, true
}
