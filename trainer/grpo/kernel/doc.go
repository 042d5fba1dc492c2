// Package kernel is the float32 linear algebra under the embedded trainer: a matrix product with strided left operand and a
// panel-packed right operand, and the vector functions (exp, softmax, RMSNorm's sums) that a transformer needs around it.
//
// # Order of summation
//
// Every element of a product is one chain of fused multiply-adds over k in rising order, cut into blocks of [Block]
// terms that are added to the element in order. Neither the number of rows in the call, nor the tile in which a row falls, nor
// the packing of the right operand changes that chain, so a row's result has the same bits whatever else is in the batch.
// The trainer's promise (same seed, same bits, for any number of workers) rests on this.
//
// # Paths
//
// [Path] names the implementation that runs: "avx512", "avx2" and, on arm64, "neon" are Go assembly, chosen by CPU detection; "go" is
// plain Go and runs everywhere. The two paths of amd64 run the same chains of operations on every element and agree to the
// bit in everything. neon runs the same chains in products, and Go elsewhere. The Go path rounds as the compiler likes: after
// each multiplication on amd64. LLMZERO_KERNEL=avx512|avx2|neon|go picks a path at start; one that the CPU lacks is ignored.
package kernel
