#include "textflag.h"

// Vector functions on eight lanes. The avx512 path runs them too, so that both assembly paths give the same bits.

// Eight set lanes, then eight clear ones: a load at 4*(8-n) masks the first n.
DATA masks<>+0(SB)/8, $0xffffffffffffffff
DATA masks<>+8(SB)/8, $0xffffffffffffffff
DATA masks<>+16(SB)/8, $0xffffffffffffffff
DATA masks<>+24(SB)/8, $0xffffffffffffffff
DATA masks<>+32(SB)/8, $0
DATA masks<>+40(SB)/8, $0
DATA masks<>+48(SB)/8, $0
DATA masks<>+56(SB)/8, $0
GLOBL masks<>(SB), RODATA|NOPTR, $64

// Constants of exp (Cephes' expf), as float32 bits.
DATA exp<>+0(SB)/4, $0xff800000  // -Inf
DATA exp<>+4(SB)/4, $0xc2ae999a  // -87.3
DATA exp<>+8(SB)/4, $0x3fb8aa3b  // log2(e)
DATA exp<>+12(SB)/4, $0x3f318000 // 0.693359375
DATA exp<>+16(SB)/4, $0xb95e8083 // -2.12194440e-4
DATA exp<>+20(SB)/4, $0x39506967 // 1.9875691500e-4
DATA exp<>+24(SB)/4, $0x3ab743ce // 1.3981999507e-3
DATA exp<>+28(SB)/4, $0x3c088908 // 8.3334519073e-3
DATA exp<>+32(SB)/4, $0x3d2aa9c1 // 4.1665795894e-2
DATA exp<>+36(SB)/4, $0x3e2aaaaa // 1.6666665459e-1
DATA exp<>+40(SB)/4, $0x3f000000 // 0.5
DATA exp<>+44(SB)/4, $0x3f800000 // 1
GLOBL exp<>(SB), RODATA|NOPTR, $48

// HSUM leaves the sum of y's eight lanes in the lowest lane of x, y's lower half.
#define HSUM(y, x, t) \
	VEXTRACTF128 $1, y, t \
	VADDPS t, x, x        \
	VMOVHLPS x, x, t      \
	VADDPS t, x, x        \
	VMOVSHDUP x, t        \
	VADDSS t, x, x

// func softmax8(x unsafe.Pointer, n int, scale float32, out unsafe.Pointer)
// x has room for n rounded up to 8; what lies after n becomes 0. out gets the largest x and the sum of exponentials.
TEXT ·softmax8(SB), NOSPLIT, $0-32
	MOVQ x+0(FP), SI
	MOVQ n+8(FP), CX
	VBROADCASTSS scale+16(FP), Y15
	MOVQ out+24(FP), DX
	MOVQ CX, BX
	SHRQ $3, BX
	ANDQ $7, CX
	MOVQ $8, AX
	SUBQ CX, AX
	LEAQ masks<>(SB), DI
	VMOVUPS (DI)(AX*4), Y14
	VBROADCASTSS exp<>+0(SB), Y12
	VMOVAPS Y12, Y0
	MOVQ SI, R8
	MOVQ BX, R9
	TESTQ R9, R9
	JZ   maxTail

maxLoop:
	VMAXPS (R8), Y0, Y0
	ADDQ $32, R8
	DECQ R9
	JNZ  maxLoop

maxTail:
	TESTQ CX, CX
	JZ   maxDone
	VMOVUPS (R8), Y1
	VBLENDVPS Y14, Y1, Y12, Y1
	VMAXPS Y1, Y0, Y0

maxDone:
	VEXTRACTF128 $1, Y0, X1
	VMAXPS X1, X0, X0
	VMOVHLPS X0, X0, X1
	VMAXPS X1, X0, X0
	VMOVSHDUP X0, X1
	VMAXSS X1, X0, X0
	VMOVSS X0, (DX)
	VBROADCASTSS X0, Y13
	VBROADCASTSS exp<>+4(SB), Y12
	VBROADCASTSS exp<>+8(SB), Y11
	VBROADCASTSS exp<>+12(SB), Y10
	VBROADCASTSS exp<>+16(SB), Y9
	VBROADCASTSS exp<>+24(SB), Y4
	VBROADCASTSS exp<>+28(SB), Y5
	VBROADCASTSS exp<>+32(SB), Y6
	VBROADCASTSS exp<>+36(SB), Y7
	VBROADCASTSS exp<>+40(SB), Y8
	VXORPS Y0, Y0, Y0
	MOVQ SI, R8
	MOVQ BX, R9
	XORQ R10, R10 // 1 in the tail
	TESTQ R9, R9
	JZ   expTail

expLoop:
	VMOVUPS (R8), Y1

expBody:
	// The maximum takes Y1 when either is NaN, so that NaN goes through.
	VSUBPS Y13, Y1, Y1
	VMULPS Y15, Y1, Y1
	VMAXPS Y1, Y12, Y1
	VMULPS Y11, Y1, Y2
	VROUNDPS $8, Y2, Y2
	VFNMADD231PS Y10, Y2, Y1
	VFNMADD231PS Y9, Y2, Y1
	VBROADCASTSS exp<>+20(SB), Y3
	VFMADD213PS Y4, Y1, Y3
	VFMADD213PS Y5, Y1, Y3
	VFMADD213PS Y6, Y1, Y3
	VFMADD213PS Y7, Y1, Y3
	VFMADD213PS Y8, Y1, Y3
	VCVTPS2DQ Y2, Y2
	VPSLLD $23, Y2, Y2
	// Y2 is the exponent's bits; one more register for 1 is saved by using it twice from memory.
	VBROADCASTSS exp<>+44(SB), Y12
	VFMADD213PS Y12, Y1, Y3
	VFMADD213PS Y12, Y1, Y3
	VBROADCASTSS exp<>+4(SB), Y12
	VPADDD Y2, Y3, Y3
	TESTQ R10, R10
	JNZ  expLast
	VADDPS Y3, Y0, Y0
	VMOVUPS Y3, (R8)
	ADDQ $32, R8
	DECQ R9
	JNZ  expLoop

expTail:
	TESTQ CX, CX
	JZ   expDone
	MOVQ $1, R10
	VMOVUPS (R8), Y1
	VBLENDVPS Y14, Y1, Y13, Y1
	JMP  expBody

expLast:
	VANDPS Y14, Y3, Y3
	VADDPS Y3, Y0, Y0
	VMOVUPS Y3, (R8)
	INCQ BX

expDone:
	HSUM(Y0, X0, X1)
	VMOVSS X0, 4(DX)
	VMOVSS exp<>+44(SB), X1
	VDIVSS X0, X1, X1
	VBROADCASTSS X1, Y1
	MOVQ SI, R8

divLoop:
	VMULPS (R8), Y1, Y2
	VMOVUPS Y2, (R8)
	ADDQ $32, R8
	DECQ BX
	JNZ  divLoop
	VZEROUPPER
	RET

// func softmaxGrad8(ds, p unsafe.Pointer, rows, n int, scale float32)
// Each row of n, a multiple of 8: ds = scale * p * (ds - sum(p*ds)).
TEXT ·softmaxGrad8(SB), NOSPLIT, $0-36
	MOVQ ds+0(FP), DI
	MOVQ p+8(FP), SI
	MOVQ rows+16(FP), CX
	MOVQ n+24(FP), R8
	VBROADCASTSS scale+32(FP), Y15
	SHRQ $3, R8

sgRow:
	VXORPS Y0, Y0, Y0
	MOVQ DI, R9
	MOVQ SI, R10
	MOVQ R8, R11

sgDot:
	VMOVUPS (R9), Y1
	VFMADD231PS (R10), Y1, Y0
	ADDQ $32, R9
	ADDQ $32, R10
	DECQ R11
	JNZ  sgDot
	HSUM(Y0, X0, X1)
	VBROADCASTSS X0, Y0
	MOVQ R8, R11

sgOut:
	VMOVUPS (DI), Y1
	VSUBPS Y0, Y1, Y1
	VMULPS (SI), Y15, Y2
	VMULPS Y2, Y1, Y1
	VMOVUPS Y1, (DI)
	ADDQ $32, DI
	ADDQ $32, SI
	DECQ R11
	JNZ  sgOut
	DECQ CX
	JNZ  sgRow
	VZEROUPPER
	RET

// func rms8(y, r, x, gain unsafe.Pointer, rows, n int, inv, eps float32)
// Each row of n, a multiple of 16: r = 1/sqrt(sum(x^2)*inv + eps), y = x*r*g.
TEXT ·rms8(SB), NOSPLIT, $0-56
	MOVQ y+0(FP), DI
	MOVQ r+8(FP), DX
	MOVQ x+16(FP), SI
	MOVQ gain+24(FP), BX
	MOVQ rows+32(FP), CX
	MOVQ n+40(FP), R8
	VMOVSS inv+48(FP), X13
	VMOVSS eps+52(FP), X14
	VMOVSS exp<>+44(SB), X15
	SHRQ $4, R8

rmsRow:
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	MOVQ SI, R9
	MOVQ R8, R11

rmsSum:
	VMOVUPS (R9), Y2
	VMOVUPS 32(R9), Y3
	VFMADD231PS Y2, Y2, Y0
	VFMADD231PS Y3, Y3, Y1
	ADDQ $64, R9
	DECQ R11
	JNZ  rmsSum
	VADDPS Y1, Y0, Y0
	HSUM(Y0, X0, X1)
	VMULSS X13, X0, X0
	VADDSS X14, X0, X0
	VSQRTSS X0, X0, X0
	VDIVSS X0, X15, X0
	VMOVSS X0, (DX)
	VBROADCASTSS X0, Y0
	MOVQ BX, R10
	MOVQ R8, R11

rmsOut:
	VMULPS (SI), Y0, Y2
	VMULPS 32(SI), Y0, Y3
	VMULPS (R10), Y2, Y2
	VMULPS 32(R10), Y3, Y3
	VMOVUPS Y2, (DI)
	VMOVUPS Y3, 32(DI)
	ADDQ $64, SI
	ADDQ $64, DI
	ADDQ $64, R10
	DECQ R11
	JNZ  rmsOut
	ADDQ $4, DX
	DECQ CX
	JNZ  rmsRow
	VZEROUPPER
	RET

// func rmsGrad8(dx, dg, dy, x, r, gain unsafe.Pointer, rows, n int, inv float32)
// Each row of n, a multiple of 8: dx += dy*r*g - r^3*inv*sum(x*dy*g)*x, dg += dy*r*x.
TEXT ·rmsGrad8(SB), NOSPLIT, $0-68
	MOVQ dx+0(FP), DI
	MOVQ dg+8(FP), R12
	MOVQ dy+16(FP), R13
	MOVQ x+24(FP), SI
	MOVQ r+32(FP), DX
	MOVQ gain+40(FP), BX
	MOVQ rows+48(FP), CX
	MOVQ n+56(FP), R8
	VMOVSS inv+64(FP), X13
	SHRQ $3, R8

rgRow:
	VXORPS Y0, Y0, Y0
	XORQ R9, R9
	MOVQ R8, R11

rgDot:
	VMOVUPS (SI)(R9*1), Y1
	VMULPS (R13)(R9*1), Y1, Y1
	VFMADD231PS (BX)(R9*1), Y1, Y0
	ADDQ $32, R9
	DECQ R11
	JNZ  rgDot
	HSUM(Y0, X0, X1)
	VMOVSS (DX), X2
	VMULSS X13, X0, X0
	VMULSS X2, X0, X0
	VMULSS X2, X0, X0
	VMULSS X2, X0, X0
	VBROADCASTSS X0, Y0
	VBROADCASTSS X2, Y2
	XORQ R9, R9
	MOVQ R8, R11

rgOut:
	VMULPS (R13)(R9*1), Y2, Y3
	VMOVUPS (SI)(R9*1), Y4
	VMOVUPS (DI)(R9*1), Y5
	VFMADD231PS (BX)(R9*1), Y3, Y5
	VFNMADD231PS Y4, Y0, Y5
	VMOVUPS Y5, (DI)(R9*1)
	VMOVUPS (R12)(R9*1), Y6
	VFMADD231PS Y4, Y3, Y6
	VMOVUPS Y6, (R12)(R9*1)
	ADDQ $32, R9
	DECQ R11
	JNZ  rgOut
	ADDQ R9, SI
	ADDQ R9, DI
	ADDQ R9, R13
	ADDQ $4, DX
	DECQ CX
	JNZ  rgRow
	VZEROUPPER
	RET

// func relu8(act, a unsafe.Pointer, n int)
// n a multiple of 8: a = max(a, 0), act = a*a.
TEXT ·relu8(SB), NOSPLIT, $0-24
	MOVQ act+0(FP), DI
	MOVQ a+8(FP), SI
	MOVQ n+16(FP), CX
	VXORPS Y0, Y0, Y0
	SHRQ $3, CX

reluLoop:
	VMOVUPS (SI), Y1
	VMAXPS Y1, Y0, Y1
	VMULPS Y1, Y1, Y2
	VMOVUPS Y1, (SI)
	VMOVUPS Y2, (DI)
	ADDQ $32, SI
	ADDQ $32, DI
	DECQ CX
	JNZ  reluLoop
	VZEROUPPER
	RET

// func reluGrad8(d, a unsafe.Pointer, n int)
// n a multiple of 8: d *= 2*a.
TEXT ·reluGrad8(SB), NOSPLIT, $0-24
	MOVQ d+0(FP), DI
	MOVQ a+8(FP), SI
	MOVQ n+16(FP), CX
	SHRQ $3, CX

reluGradLoop:
	VMOVUPS (SI), Y1
	VADDPS Y1, Y1, Y1
	VMULPS (DI), Y1, Y1
	VMOVUPS Y1, (DI)
	ADDQ $32, SI
	ADDQ $32, DI
	DECQ CX
	JNZ  reluGradLoop
	VZEROUPPER
	RET

// func add8(dst, src unsafe.Pointer, n int)
// n a multiple of 8: dst += src.
TEXT ·add8(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	SHRQ $3, CX

addLoop:
	VMOVUPS (DI), Y1
	VADDPS (SI), Y1, Y1
	VMOVUPS Y1, (DI)
	ADDQ $32, SI
	ADDQ $32, DI
	DECQ CX
	JNZ  addLoop
	VZEROUPPER
	RET

// func adam8(w, grad, m, v unsafe.Pointer, n int, c *Adam)
// n a multiple of 8; the constants of c are in the order of its fields.
TEXT ·adam8(SB), NOSPLIT, $0-48
	MOVQ w+0(FP), DI
	MOVQ grad+8(FP), SI
	MOVQ m+16(FP), R8
	MOVQ v+24(FP), R9
	MOVQ n+32(FP), CX
	MOVQ c+40(FP), BX
	VBROADCASTSS 0(BX), Y8   // gradient scale
	VBROADCASTSS 4(BX), Y9   // beta1
	VBROADCASTSS 8(BX), Y10  // 1-beta1
	VBROADCASTSS 12(BX), Y11 // beta2
	VBROADCASTSS 16(BX), Y12 // 1-beta2
	VBROADCASTSS 20(BX), Y13 // rate
	VBROADCASTSS 24(BX), Y14 // root
	VBROADCASTSS 28(BX), Y15 // eps
	VBROADCASTSS 32(BX), Y7  // keep
	SHRQ $3, CX

adamLoop:
	VMULPS (SI), Y8, Y0
	VMULPS Y0, Y10, Y1
	VMULPS (R8), Y9, Y2
	VADDPS Y1, Y2, Y2
	VMOVUPS Y2, (R8)
	VMULPS Y0, Y12, Y1
	VMULPS Y0, Y1, Y1
	VMULPS (R9), Y11, Y3
	VADDPS Y1, Y3, Y3
	VMOVUPS Y3, (R9)
	VSQRTPS Y3, Y3
	VMULPS Y14, Y3, Y3
	VADDPS Y15, Y3, Y3
	VMULPS Y13, Y2, Y2
	VDIVPS Y3, Y2, Y2
	VMULPS (DI), Y7, Y1
	VSUBPS Y2, Y1, Y1
	VMOVUPS Y1, (DI)
	ADDQ $32, SI
	ADDQ $32, DI
	ADDQ $32, R8
	ADDQ $32, R9
	DECQ CX
	JNZ  adamLoop
	VZEROUPPER
	RET

// TRANSPOSE8 stores the 8 x 8 block at off of eight rows from SI on, R8 apart, as eight columns at DI, R9 apart.
#define TRANSPOSE8(off) \
	MOVQ SI, R10 \
	VMOVUPS off(R10), Y0 \
	VMOVUPS off(R10)(R8*1), Y1 \
	LEAQ (R10)(R8*2), R10 \
	VMOVUPS off(R10), Y2 \
	VMOVUPS off(R10)(R8*1), Y3 \
	LEAQ (R10)(R8*2), R10 \
	VMOVUPS off(R10), Y4 \
	VMOVUPS off(R10)(R8*1), Y5 \
	LEAQ (R10)(R8*2), R10 \
	VMOVUPS off(R10), Y6 \
	VMOVUPS off(R10)(R8*1), Y7 \
	VUNPCKLPS Y1, Y0, Y8 \
	VUNPCKHPS Y1, Y0, Y9 \
	VUNPCKLPS Y3, Y2, Y10 \
	VUNPCKHPS Y3, Y2, Y11 \
	VUNPCKLPS Y5, Y4, Y12 \
	VUNPCKHPS Y5, Y4, Y13 \
	VUNPCKLPS Y7, Y6, Y14 \
	VUNPCKHPS Y7, Y6, Y15 \
	VSHUFPS $0x44, Y10, Y8, Y0 \
	VSHUFPS $0xEE, Y10, Y8, Y1 \
	VSHUFPS $0x44, Y11, Y9, Y2 \
	VSHUFPS $0xEE, Y11, Y9, Y3 \
	VSHUFPS $0x44, Y14, Y12, Y4 \
	VSHUFPS $0xEE, Y14, Y12, Y5 \
	VSHUFPS $0x44, Y15, Y13, Y6 \
	VSHUFPS $0xEE, Y15, Y13, Y7 \
	VPERM2F128 $0x20, Y4, Y0, Y8 \
	VPERM2F128 $0x20, Y5, Y1, Y9 \
	VPERM2F128 $0x20, Y6, Y2, Y10 \
	VPERM2F128 $0x20, Y7, Y3, Y11 \
	VPERM2F128 $0x31, Y4, Y0, Y12 \
	VPERM2F128 $0x31, Y5, Y1, Y13 \
	VPERM2F128 $0x31, Y6, Y2, Y14 \
	VPERM2F128 $0x31, Y7, Y3, Y15 \
	VMOVUPS Y8, (R11) \
	VMOVUPS Y9, (R11)(R9*1) \
	LEAQ (R11)(R9*2), R11 \
	VMOVUPS Y10, (R11) \
	VMOVUPS Y11, (R11)(R9*1) \
	LEAQ (R11)(R9*2), R11 \
	VMOVUPS Y12, (R11) \
	VMOVUPS Y13, (R11)(R9*1) \
	LEAQ (R11)(R9*2), R11 \
	VMOVUPS Y14, (R11) \
	VMOVUPS Y15, (R11)(R9*1) \
	LEAQ (R11)(R9*2), R11

// func transpose8(dst unsafe.Pointer, ld int, src unsafe.Pointer, stride, blocks int)
// Blocks of 8 rows of 16 elements at src, stride bytes apart, become 16 rows at dst, ld bytes apart.
TEXT ·transpose8(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ ld+8(FP), R9
	MOVQ src+16(FP), SI
	MOVQ stride+24(FP), R8
	MOVQ blocks+32(FP), CX

transposeNext:
	MOVQ DI, R11
	TRANSPOSE8(0)
	TRANSPOSE8(32)
	LEAQ (SI)(R8*8), SI
	ADDQ $32, DI
	DECQ CX
	JNZ  transposeNext
	VZEROUPPER
	RET
