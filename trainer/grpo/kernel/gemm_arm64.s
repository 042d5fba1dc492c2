#include "textflag.h"

// func tileN(k int, a unsafe.Pointer, rs, cs int, b unsafe.Pointer, ldb int, c unsafe.Pointer, ldc, acc, tiles int)
// 6 x 16: accumulators V8..V31, four a row; a row of B in V0..V3; a broadcast element of A in V4.
#define ROW(ptr, c0, c1, c2, c3) \
	VLD1R (ptr), [V4.S4]          \
	VFMLA V0.S4, V4.S4, c0.S4     \
	VFMLA V1.S4, V4.S4, c1.S4     \
	VFMLA V2.S4, V4.S4, c2.S4     \
	VFMLA V3.S4, V4.S4, c3.S4     \
	ADD   R9, ptr

// The assembler has no vector addition of floats; a product with 1 is exact, so the fused sum is that addition.
#define PUT(c0, c1, c2, c3) \
	VST1 [c0.S4, c1.S4, c2.S4, c3.S4], (R12) \
	ADD  R13, R12

#define ADDPUT(c0, c1, c2, c3) \
	VLD1 (R12), [V0.S4, V1.S4, V2.S4, V3.S4] \
	VFMLA V4.S4, c0.S4, V0.S4 \
	VFMLA V4.S4, c1.S4, V1.S4 \
	VFMLA V4.S4, c2.S4, V2.S4 \
	VFMLA V4.S4, c3.S4, V3.S4 \
	VST1 [V0.S4, V1.S4, V2.S4, V3.S4], (R12) \
	ADD  R13, R12

#define ZERO(c0, c1, c2, c3) \
	VEOR c0.B16, c0.B16, c0.B16 \
	VEOR c1.B16, c1.B16, c1.B16 \
	VEOR c2.B16, c2.B16, c2.B16 \
	VEOR c3.B16, c3.B16, c3.B16

#define LOAD \
	MOVD k+0(FP), R8     \
	MOVD a+8(FP), R0     \
	MOVD rs+16(FP), R7   \
	MOVD cs+24(FP), R9   \
	MOVD b+32(FP), R10   \
	MOVD ldb+40(FP), R11 \
	MOVD c+48(FP), R12   \
	MOVD ldc+56(FP), R13 \
	MOVD acc+64(FP), R14

#define ONES \
	MOVW $0x3f800000, R15 \
	VDUP R15, V4.S4

// NEXT steps a down by rows and c to where the stores left it, and goes on while there are tiles.
#define NEXT(rows, label) \
	MOVD a+8(FP), R0       \
	MOVD $rows, R1         \
	MADD R1, R0, R7, R0    \
	MOVD R0, a+8(FP)       \
	MOVD R12, c+48(FP)     \
	MOVD tiles+72(FP), R1  \
	SUBS $1, R1            \
	MOVD R1, tiles+72(FP)  \
	BNE  label             \
	RET

TEXT ·tile6(SB), NOSPLIT, $0-80

next6:
	LOAD
	ADD R7, R0, R1
	ADD R7, R1, R2
	ADD R7, R2, R3
	ADD R7, R3, R4
	ADD R7, R4, R5
	ZERO(V8, V9, V10, V11)
	ZERO(V12, V13, V14, V15)
	ZERO(V16, V17, V18, V19)
	ZERO(V20, V21, V22, V23)
	ZERO(V24, V25, V26, V27)
	ZERO(V28, V29, V30, V31)

loop6:
	VLD1 (R10), [V0.S4, V1.S4, V2.S4, V3.S4]
	ADD  R11, R10
	ROW(R0, V8, V9, V10, V11)
	ROW(R1, V12, V13, V14, V15)
	ROW(R2, V16, V17, V18, V19)
	ROW(R3, V20, V21, V22, V23)
	ROW(R4, V24, V25, V26, V27)
	ROW(R5, V28, V29, V30, V31)
	SUBS $1, R8
	BNE  loop6
	CBZ  R14, put6
	ONES
	ADDPUT(V8, V9, V10, V11)
	ADDPUT(V12, V13, V14, V15)
	ADDPUT(V16, V17, V18, V19)
	ADDPUT(V20, V21, V22, V23)
	ADDPUT(V24, V25, V26, V27)
	ADDPUT(V28, V29, V30, V31)
	B    done6

put6:
	PUT(V8, V9, V10, V11)
	PUT(V12, V13, V14, V15)
	PUT(V16, V17, V18, V19)
	PUT(V20, V21, V22, V23)
	PUT(V24, V25, V26, V27)
	PUT(V28, V29, V30, V31)

done6:
	NEXT(6, next6)

// 1 x 16: the remainder.
TEXT ·tile1(SB), NOSPLIT, $0-80

next1:
	LOAD
	ZERO(V8, V9, V10, V11)

loop1:
	VLD1 (R10), [V0.S4, V1.S4, V2.S4, V3.S4]
	ADD  R11, R10
	ROW(R0, V8, V9, V10, V11)
	SUBS $1, R8
	BNE  loop1
	CBZ  R14, put1
	ONES
	ADDPUT(V8, V9, V10, V11)
	B    done1

put1:
	PUT(V8, V9, V10, V11)

done1:
	NEXT(1, next1)
