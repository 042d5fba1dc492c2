package llm

import (
	"fmt"
	"math/rand/v2"
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
// chain has no forks. What follows nothing is followed by the end.
func scriptedGGUF(context int, scripts ...script) ([]byte, error) {
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
	return v.encode(context, end, emb, out)
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

// encode writes the model.
func (v *vocabulary) encode(context, end int, emb, out []float32) ([]byte, error) {
	f := &ggufFile{}
	f.put("general.architecture", "llama")
	f.put("llama.context_length", uint32(context))
	f.put("llama.embedding_length", uint32(ggufWidth))
	f.put("llama.block_count", uint32(1))
	f.put("llama.feed_forward_length", uint32(ggufFF))
	f.put("llama.attention.head_count", uint32(ggufHeads))
	f.put("llama.attention.head_count_kv", uint32(1))
	f.put("llama.attention.layer_norm_rms_epsilon", float32(1e-5))
	f.put("tokenizer.ggml.model", "gpt2")
	f.put("tokenizer.ggml.tokens", v.tokens)
	f.put("tokenizer.ggml.token_type", v.types)
	f.put("tokenizer.ggml.merges", []string{})
	f.put("tokenizer.ggml.bos_token_id", uint32(end))
	f.put("tokenizer.ggml.eos_token_id", uint32(end))
	const d = ggufWidth
	n := len(v.tokens)
	f.tensor("token_embd.weight", emb, d, n)
	f.tensor("output_norm.weight", filled(d, 1), d)
	f.tensor("output.weight", out, d, n)
	f.tensor("blk.0.attn_norm.weight", filled(d, 1), d)
	f.tensor("blk.0.attn_q.weight", nil, d, d)
	f.tensor("blk.0.attn_k.weight", nil, d, d/ggufHeads)
	f.tensor("blk.0.attn_v.weight", nil, d, d/ggufHeads)
	f.tensor("blk.0.attn_output.weight", nil, d, d)
	f.tensor("blk.0.ffn_norm.weight", filled(d, 1), d)
	f.tensor("blk.0.ffn_gate.weight", nil, d, ggufFF)
	f.tensor("blk.0.ffn_up.weight", nil, d, ggufFF)
	f.tensor("blk.0.ffn_down.weight", nil, ggufFF, d)
	return f.bytes()
}

// Sizes of the eyes: an image becomes eyesSide x eyesSide patches, each of them one token of the prompt.
const (
	eyesSide  = 4
	eyesPatch = 16 // pixels
	eyesWidth = 32
	eyesTurns = 2 // blocks
)

// eyesGGUF makes the vision encoder for a scripted model: a transformer over image patches and the two-layer projector of
// LLaVA 1.5. Its weights are small random numbers; it sees, but nothing in particular.
func eyesGGUF() ([]byte, error) {
	f := &ggufFile{}
	f.put("general.architecture", "clip")
	f.put("general.type", "projector")
	f.put("clip.has_vision_encoder", true)
	f.put("clip.has_llava_projector", true)
	f.put("clip.projector_type", "mlp")
	f.put("clip.use_gelu", true)
	f.put("clip.vision.image_size", uint32(eyesSide*eyesPatch))
	f.put("clip.vision.patch_size", uint32(eyesPatch))
	f.put("clip.vision.embedding_length", uint32(eyesWidth))
	f.put("clip.vision.feed_forward_length", uint32(2*eyesWidth))
	f.put("clip.vision.projection_dim", uint32(ggufWidth))
	f.put("clip.vision.block_count", uint32(eyesTurns))
	f.put("clip.vision.attention.head_count", uint32(2))
	f.put("clip.vision.attention.layer_norm_epsilon", float32(1e-5))
	f.put("clip.vision.image_mean", []float32{0.5, 0.5, 0.5})
	f.put("clip.vision.image_std", []float32{0.5, 0.5, 0.5})
	rng := rand.New(rand.NewPCG(1, 2))
	weights := func(name string, dims ...int) {
		n := 1
		for _, d := range dims {
			n *= d
		}
		w := make([]float32, n)
		for i := range w {
			w[i] = float32(rng.NormFloat64() * 0.05)
		}
		f.tensor(name, w, dims...)
	}
	const d = eyesWidth
	weights("v.patch_embd.weight", eyesPatch, eyesPatch, 3, d)
	weights("v.position_embd.weight", d, eyesSide*eyesSide)
	for i := range eyesTurns {
		block := fmt.Sprintf("v.blk.%d.", i)
		for _, name := range []string{"ln1", "ln2"} {
			f.tensor(block+name+".weight", filled(d, 1), d)
			f.tensor(block+name+".bias", nil, d)
		}
		for _, name := range []string{"attn_q", "attn_k", "attn_v", "attn_out"} {
			weights(block+name+".weight", d, d)
			f.tensor(block+name+".bias", nil, d)
		}
		weights(block+"ffn_up.weight", d, 2*d)
		f.tensor(block+"ffn_up.bias", nil, 2*d)
		weights(block+"ffn_down.weight", 2*d, d)
		f.tensor(block+"ffn_down.bias", nil, d)
	}
	weights("mm.0.weight", d, ggufWidth)
	f.tensor("mm.0.bias", nil, ggufWidth)
	weights("mm.2.weight", ggufWidth, ggufWidth)
	f.tensor("mm.2.bias", nil, ggufWidth)
	return f.bytes()
}

func filled(n int, x float32) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = x
	}
	return out
}
