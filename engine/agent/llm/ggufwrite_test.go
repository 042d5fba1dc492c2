package llm

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// ggufFile is a model file in the making: GGUF v3, little-endian, every tensor in F32.
// https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
type ggufFile struct {
	keys    int
	head    bytes.Buffer // keys with their values
	tensors []ggufTensor
	err     error
}

type ggufTensor struct {
	name string
	dims []int // fastest first
	data []float32
}

// Type numbers of the format.
const (
	ggufU32, ggufI32, ggufF32, ggufBool, ggufString, ggufArray = uint32(4), uint32(5), uint32(6), uint32(7), uint32(8), uint32(9)
	ggufTensorF32                                              = uint32(0)
	ggufAlign                                                  = 32
)

// put adds a key with a value of one of the types below.
func (f *ggufFile) put(key string, value any) {
	f.keys++
	f.write(&f.head, key)
	switch v := value.(type) {
	case uint32:
		f.write(&f.head, ggufU32, v)
	case float32:
		f.write(&f.head, ggufF32, v)
	case bool:
		f.write(&f.head, ggufBool, v)
	case string:
		f.write(&f.head, ggufString, v)
	case []string:
		f.write(&f.head, ggufArray, ggufString, uint64(len(v)))
		for _, s := range v {
			f.write(&f.head, s)
		}
	case []int32:
		f.write(&f.head, ggufArray, ggufI32, uint64(len(v)), v)
	case []float32:
		f.write(&f.head, ggufArray, ggufF32, uint64(len(v)), v)
	default:
		f.err = fmt.Errorf("key %s: cannot write a %T", key, value)
	}
}

// tensor adds a tensor; nil data is all zero.
func (f *ggufFile) tensor(name string, data []float32, dims ...int) {
	n := 1
	for _, d := range dims {
		n *= d
	}
	if data == nil {
		data = make([]float32, n)
	}
	if len(data) != n {
		f.err = fmt.Errorf("tensor %s: %d numbers for %v", name, len(data), dims)
	}
	f.tensors = append(f.tensors, ggufTensor{name, dims, data})
}

// bytes is the finished file.
func (f *ggufFile) bytes() ([]byte, error) {
	var w bytes.Buffer
	w.WriteString("GGUF")
	f.write(&w, uint32(3), uint64(len(f.tensors)), uint64(f.keys))
	w.Write(f.head.Bytes())
	offset := 0
	for _, t := range f.tensors {
		f.write(&w, t.name, uint32(len(t.dims)))
		for _, d := range t.dims {
			f.write(&w, uint64(d))
		}
		f.write(&w, ggufTensorF32, uint64(offset))
		offset += (4*len(t.data) + ggufAlign - 1) / ggufAlign * ggufAlign
	}
	align := func() { w.Write(make([]byte, (ggufAlign-w.Len()%ggufAlign)%ggufAlign)) }
	for _, t := range f.tensors {
		align()
		f.write(&w, t.data)
	}
	align()
	return w.Bytes(), f.err
}

// write appends values; a string is preceded by its length.
func (f *ggufFile) write(w *bytes.Buffer, values ...any) {
	for _, v := range values {
		if s, ok := v.(string); ok {
			f.write(w, uint64(len(s)))
			w.WriteString(s)
			continue
		}
		if err := binary.Write(w, binary.LittleEndian, v); err != nil {
			f.err = err
		}
	}
}
