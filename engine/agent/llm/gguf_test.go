package llm

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
)

// script is a text that a model made by scriptedGGUF says after its control token.
type script struct {
	control string // "<|propose|>", which the model's template ends with
	text    string
	loop    bool // begin again instead of ending
}

// Sizes of the scripted model. The embedding is one-hot, so it is as wide as the vocabulary may be large.
const (
	ggufWidth = 512
	ggufHeads = 8
	ggufFF    = 32
	ggufChunk = 14 // bytes of a script that one token says, when that is unique
)

// scriptedGGUF makes a model file (GGUF v3, F32, llama architecture, byte-level vocabulary) that says scripts word for
// word. It is a bigram table: token i is embedded as the i-th unit vector, attention and feed-forward are zero, and the
// output matrix has a one where a token follows another. Every token of a script is a piece of text of its own, so the
// chain has no forks. With eyes the server takes it for a model that sees. What follows nothing is followed by the end.
func scriptedGGUF(context int, eyes bool, scripts ...script) ([]byte, error) {
	v := &vocabulary{ids: map[string]int{}}
	for b := range 256 {
		v.add(byteRune(byte(b)), 1)
	}
	end := v.add("<|end|>", 3)
	next := map[int]int{}
	for _, s := range scripts {
		at := v.add(s.control, 3)
		first := at
		for rest := s.text; rest != ""; {
			piece, n := v.piece(rest)
			if n == 0 {
				return nil, fmt.Errorf("no unique piece of %q is left", rest)
			}
			rest = rest[n:]
			next[at] = v.add(piece, 1)
			at = next[at]
		}
		next[at] = end
		if s.loop {
			next[at] = next[first]
		}
	}
	if len(v.tokens) > ggufWidth {
		return nil, fmt.Errorf("%d tokens do not fit a width of %d", len(v.tokens), ggufWidth)
	}
	n := len(v.tokens)
	emb, out := make([]float32, ggufWidth*n), make([]float32, ggufWidth*n)
	for i := range n {
		emb[i*ggufWidth+i] = 1
		to, ok := next[i]
		if !ok {
			to = end
		}
		out[to*ggufWidth+i] = 4 // 4 after normalisation is 90 logits: no sampling picks anything else
	}
	return v.encode(context, end, eyes, emb, out)
}

// vocabulary collects unique tokens.
type vocabulary struct {
	tokens []string
	types  []int32 // 1 normal, 3 control
	ids    map[string]int
}

func (v *vocabulary) add(token string, kind int32) int {
	id := len(v.tokens)
	v.ids[token] = id
	v.tokens, v.types = append(v.tokens, token), append(v.types, kind)
	return id
}

// piece is a beginning of rest that is no token yet: of the usual size or longer, and the whole of it near the end, where
// a short remainder would be a token already.
func (v *vocabulary) piece(rest string) (piece string, n int) {
	n = min(ggufChunk, len(rest))
	if len(rest) <= 3*ggufChunk {
		n = len(rest)
	}
	for ; n <= len(rest); n++ {
		p := mapped(rest[:n])
		if _, taken := v.ids[p]; !taken {
			return p, n
		}
	}
	return "", 0
}

func mapped(s string) string {
	var b strings.Builder
	for i := range len(s) {
		b.WriteString(byteRune(s[i]))
	}
	return b.String()
}

// byteRune is GPT-2's printable stand-in for a byte.
func byteRune(b byte) string {
	printable := func(b int) bool { return b >= '!' && b <= '~' || b >= 0xa1 && b <= 0xac || b >= 0xae && b <= 0xff }
	if printable(int(b)) {
		return string(rune(b))
	}
	n := 0
	for i := range int(b) {
		if !printable(i) {
			n++
		}
	}
	return string(rune(256 + n))
}

// encode writes the file.
func (v *vocabulary) encode(context, end int, eyes bool, emb, out []float32) ([]byte, error) {
	w := &ggufWriter{}
	zero := func(n int) []float32 { return make([]float32, n) }
	ones := make([]float32, ggufWidth)
	for i := range ones {
		ones[i] = 1
	}
	n := uint64(len(v.tokens))
	type tensor struct {
		name string
		dims []uint64
		data []float32
	}
	const d = uint64(ggufWidth)
	tensors := []tensor{
		{"token_embd.weight", []uint64{d, n}, emb},
		{"output_norm.weight", []uint64{d}, ones},
		{"output.weight", []uint64{d, n}, out},
		{"blk.0.attn_norm.weight", []uint64{d}, ones},
		{"blk.0.attn_q.weight", []uint64{d, d}, zero(ggufWidth * ggufWidth)},
		{"blk.0.attn_k.weight", []uint64{d, d / ggufHeads}, zero(ggufWidth * ggufWidth / ggufHeads)},
		{"blk.0.attn_v.weight", []uint64{d, d / ggufHeads}, zero(ggufWidth * ggufWidth / ggufHeads)},
		{"blk.0.attn_output.weight", []uint64{d, d}, zero(ggufWidth * ggufWidth)},
		{"blk.0.ffn_norm.weight", []uint64{d}, ones},
		{"blk.0.ffn_gate.weight", []uint64{d, ggufFF}, zero(ggufWidth * ggufFF)},
		{"blk.0.ffn_up.weight", []uint64{d, ggufFF}, zero(ggufWidth * ggufFF)},
		{"blk.0.ffn_down.weight", []uint64{ggufFF, d}, zero(ggufWidth * ggufFF)},
	}
	w.raw("GGUF", uint32(3), uint64(len(tensors)))
	kv := &ggufWriter{}
	count := uint64(0)
	put := func(key string, kind uint32, parts ...any) {
		kv.text(key)
		kv.raw(kind)
		kv.raw(parts...)
		count++
	}
	const kindU32, kindF32, kindString, kindArray, kindI32 = uint32(4), uint32(6), uint32(8), uint32(9), uint32(5)
	text := func(s string) []any { return []any{uint64(len(s)), s} }
	put("general.architecture", kindString, text("llama")...)
	put("llama.context_length", kindU32, uint32(context))
	put("llama.embedding_length", kindU32, uint32(ggufWidth))
	put("llama.block_count", kindU32, uint32(1))
	put("llama.feed_forward_length", kindU32, uint32(ggufFF))
	put("llama.attention.head_count", kindU32, uint32(ggufHeads))
	put("llama.attention.head_count_kv", kindU32, uint32(1))
	put("llama.attention.layer_norm_rms_epsilon", kindF32, float32(1e-5))
	if eyes { // what the server takes for the mark of a model that sees; there is no encoder behind it
		put("llama.vision.block_count", kindU32, uint32(1))
	}
	put("tokenizer.ggml.model", kindString, text("gpt2")...)
	var tokens []any
	for _, t := range v.tokens {
		tokens = append(tokens, text(t)...)
	}
	put("tokenizer.ggml.tokens", kindArray, append([]any{kindString, n}, tokens...)...)
	put("tokenizer.ggml.token_type", kindArray, kindI32, n, v.types)
	put("tokenizer.ggml.merges", kindArray, kindString, uint64(0))
	put("tokenizer.ggml.bos_token_id", kindU32, uint32(end))
	put("tokenizer.ggml.eos_token_id", kindU32, uint32(end))
	w.raw(count)
	w.raw(kv.Bytes())
	offset := uint64(0)
	for _, t := range tensors {
		w.text(t.name)
		w.raw(uint32(len(t.dims)), t.dims, uint32(0), offset) // type 0: F32
		offset += (uint64(len(t.data))*4 + 31) / 32 * 32
	}
	for _, t := range tensors {
		w.align()
		w.raw(t.data)
	}
	w.align()
	return w.Bytes(), w.err
}

type ggufWriter struct {
	bytes.Buffer
	err error
}

func (w *ggufWriter) raw(parts ...any) {
	for _, p := range parts {
		var err error
		switch x := p.(type) {
		case string:
			_, err = w.WriteString(x)
		case []byte:
			_, err = w.Write(x)
		default:
			err = binary.Write(w, binary.LittleEndian, x)
		}
		if w.err == nil {
			w.err = err
		}
	}
}

func (w *ggufWriter) text(s string) { w.raw(uint64(len(s)), s) }

func (w *ggufWriter) align() {
	for w.Len()%32 != 0 {
		w.WriteByte(0)
	}
}
