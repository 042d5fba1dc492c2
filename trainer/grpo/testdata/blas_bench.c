// Measures one core's peak of fused multiply-adds and OpenBLAS's sgemm at the trainer's shapes, by the thread's CPU time, so that
// other programs on the machine disturb it little. testdata/bench.sh builds and runs it:
//
//	cc -O2 -march=native blas_bench.c -lopenblas -o blas_bench && OPENBLAS_NUM_THREADS=1 ./blas_bench
#include <cblas.h>
#include <immintrin.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec + 1e-9 * t.tv_nsec;
}

// Twelve independent accumulators hide the latency of four cycles on two units.
#define PEAK(name, type, set1, fma, lanes)                                         \
	static double name(void) {                                                 \
		type a[12], x = set1(0.999999f), y = set1(1e-7f);                  \
		for (int i = 0; i < 12; i++) a[i] = set1(1.0f + i);                \
		long n = 20000000;                                                 \
		double start = now();                                              \
		for (long i = 0; i < n; i++) {                                     \
			_Pragma("GCC unroll 12") for (int j = 0; j < 12; j++)      \
				a[j] = fma(a[j], x, y);                            \
		}                                                                  \
		double s = now() - start;                                          \
		float sink[lanes];                                                 \
		for (int j = 1; j < 12; j++) a[0] = fma(a[j], x, a[0]);            \
		*(type *)__builtin_assume_aligned(sink, 4) = a[0];                 \
		volatile float keep = sink[0];                                     \
		(void)keep;                                                        \
		return 2.0 * lanes * 12 * n / s / 1e9;                             \
	}

#ifdef __AVX2__
PEAK(peak_avx2, __m256_u, _mm256_set1_ps, _mm256_fmadd_ps, 8)
#endif
#ifdef __AVX512F__
PEAK(peak_avx512, __m512_u, _mm512_set1_ps, _mm512_fmadd_ps, 16)
#endif

int main(void) {
#ifdef __AVX2__
	printf("peak/avx2 %.1f GFLOP/s\n", peak_avx2());
#endif
#ifdef __AVX512F__
	printf("peak/avx512 %.1f GFLOP/s\n", peak_avx512());
#endif
	printf("OpenBLAS core %s\n", openblas_get_corename());
	static const int shapes[][3] = {{2048, 64, 64}, {2048, 64, 256}, {128, 64, 64}, {2048, 32, 96}, {64, 32, 128}, {20, 64, 64}};
	for (unsigned s = 0; s < sizeof shapes / sizeof *shapes; s++) {
		int m = shapes[s][0], k = shapes[s][1], n = shapes[s][2];
		float *a = malloc(4ul * m * k), *b = malloc(4ul * k * n), *c = malloc(4ul * m * n);
		for (int i = 0; i < m * k; i++) a[i] = (float)rand() / RAND_MAX - 0.5f;
		for (int i = 0; i < k * n; i++) b[i] = (float)rand() / RAND_MAX - 0.5f;
		double flop = 2.0 * m * n * k, best = 0;
		for (int round = 0; round < 5; round++) {
			long reps = (long)(2e10 / flop) + 1;
			double start = now();
			for (long r = 0; r < reps; r++)
				cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1, a, k, b, n, 0, c, n);
			double g = flop * reps / (now() - start) / 1e9;
			if (g > best) best = g;
		}
		printf("openblas/%dx%dx%d %.1f GFLOP/s\n", m, k, n, best);
		free(a);
		free(b);
		free(c);
	}
	return 0;
}
