package policy

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"llmzero/trainer/grpo/safetensors"
)

// ErrForeign is returned for a well-formed safetensors file that does not hold a policy of this package.
var ErrForeign = errors.New("not a policy of this trainer")

// format names the layout of the tensors; a change of the architecture changes it.
const format = "llmzero-policy-1"

// Metadata is c as text, for the header of a file.
func (c Config) Metadata() map[string]string {
	return map[string]string{
		"format": format, "vocab": strconv.Itoa(c.Vocab), "dim": strconv.Itoa(c.Dim), "layers": strconv.Itoa(c.Layers),
		"ff": strconv.Itoa(c.FF), "context": strconv.Itoa(c.Context),
	}
}

// ConfigFrom reads the shape back from a file's metadata.
func ConfigFrom(meta map[string]string) (Config, error) {
	if got := meta["format"]; got != format {
		return Config{}, fmt.Errorf("%w: its format is %q, want %q", ErrForeign, got, format)
	}
	var c Config
	for name, field := range map[string]*int{"vocab": &c.Vocab, "dim": &c.Dim, "layers": &c.Layers, "ff": &c.FF, "context": &c.Context} {
		n, err := strconv.Atoi(meta[name])
		if err != nil {
			return Config{}, fmt.Errorf("%w: its %s is %q", ErrForeign, name, meta[name])
		}
		*field = n
	}
	if err := c.Check(); err != nil {
		return Config{}, fmt.Errorf("%w: %w", ErrForeign, err)
	}
	return c, nil
}

// Tensors views a flat vector as named tensors, each name after a prefix.
func (c Config) Tensors(prefix string, w []float32) []safetensors.Tensor {
	var out []safetensors.Tensor
	for _, t := range c.Layout() {
		out = append(out, safetensors.Tensor{Name: prefix + t.Name, Shape: t.shape(), Data: t.Of(w)})
	}
	return out
}

// shape is the tensor's in a file: a gain is a vector.
func (t Tensor) shape() []int {
	if t.Kind == Gain {
		return []int{t.Cols}
	}
	return []int{t.Rows, t.Cols}
}

// FromTensors collects the tensors of that prefix into a flat vector.
func (c Config) FromTensors(f *safetensors.File, prefix string) ([]float32, error) {
	w := make([]float32, c.Size())
	for _, t := range c.Layout() {
		got := f.Find(prefix + t.Name)
		if got == nil {
			return nil, fmt.Errorf("%w: it has no tensor %s", ErrForeign, prefix+t.Name)
		}
		if !slices.Equal(got.Shape, t.shape()) {
			return nil, fmt.Errorf("%w: tensor %s has shape %v, want %v", ErrForeign, got.Name, got.Shape, t.shape())
		}
		copy(t.Of(w), got.Data)
	}
	return w, nil
}

// Encode writes weights as a safetensors file. meta is added to the shape's own metadata.
func Encode(c Config, w []float32, meta map[string]string) ([]byte, error) {
	all := c.Metadata()
	maps.Copy(all, meta)
	return safetensors.Encode(&safetensors.File{Tensors: c.Tensors("", w), Metadata: all})
}

// Decode reads what Encode wrote. Broken files give safetensors.ErrFormat, foreign ones ErrForeign.
func Decode(b []byte) (Config, []float32, map[string]string, error) {
	f, err := safetensors.Decode(b)
	if err != nil {
		return Config{}, nil, nil, err
	}
	c, err := ConfigFrom(f.Metadata)
	if err != nil {
		return Config{}, nil, nil, err
	}
	w, err := c.FromTensors(f, "")
	if err != nil {
		return Config{}, nil, nil, err
	}
	if !Finite(w) {
		return Config{}, nil, nil, fmt.Errorf("%w: a weight is not a finite number", ErrForeign)
	}
	return c, w, f.Metadata, nil
}
