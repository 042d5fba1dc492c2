#!/bin/sh
# Prints the figures of the embedded trainer on this machine: the kernel against the core's peak and OpenBLAS (needs a C
# compiler and libopenblas-dev), the step, sampling and learning, and PyTorch as a check and a yardstick (needs PYTHON, an
# interpreter with torch and safetensors). What is not there is skipped, and said.
#
#	trainer/grpo/testdata/bench.sh            PYTHON=.venv/bin/python trainer/grpo/testdata/bench.sh
set -eu
cd "$(dirname "$0")/.."
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
grep -m1 'model name' /proc/cpuinfo 2>/dev/null || true

echo "== kernel (this trainer; Mul with B packed beforehand as in a step, MulPacking with packing in each product as sgemm)"
go test -run xxx -bench 'BenchmarkMul' -benchtime 0.5s -cpu 1 ./kernel | grep Benchmark
echo "== kernel (peak, OpenBLAS)"
if cc -O2 -march=native testdata/blas_bench.c -lopenblas -o "$tmp/blas" 2>"$tmp/err"; then
	OPENBLAS_NUM_THREADS=1 "$tmp/blas"
else
	echo "skipped: $(head -n 1 "$tmp/err")"
fi
echo "== step, sampling, learning (two workers)"
go test -run xxx -bench 'BenchmarkSample' -benchtime 2s -cpu 2 ./policy | grep Benchmark
go test -run xxx -bench 'BenchmarkStep' -benchtime 5s -cpu 2 . | grep Benchmark
go test -run xxx -bench 'BenchmarkLearn' -benchtime 1x -cpu 2 . | grep Benchmark
echo "== PyTorch"
if [ -n "${PYTHON:-}" ] && "$PYTHON" -c 'import torch, safetensors' 2>"$tmp/err"; then
	go test -run WriteTorchCases . -args -torch-cases "$tmp" >/dev/null
	"$PYTHON" testdata/torch_reference.py check "$tmp"
	"$PYTHON" testdata/torch_reference.py bench --threads 2
	"$PYTHON" testdata/torch_reference.py bench --threads 1
else
	echo "skipped: set PYTHON to an interpreter with torch and safetensors"
fi
