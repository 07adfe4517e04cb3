#include "textflag.h"

// byLowHalf holds, for each low nibble, the delimiter that has it, or else a byte
// with another low nibble: a byte is a delimiter if it equals the entry of its low
// nibble. VPSHUFB maps bytes from 0x80 on to zero.
DATA byLowHalf<>+0(SB)/8, $0xffffffffff22ffff
DATA byLowHalf<>+8(SB)/8, $0x00ffff5cff0affff
GLOBL byLowHalf<>(SB), RODATA|NOPTR, $16

// pathEnds is the same for the bytes that end the path of a request target.
DATA pathEnds<>+0(SB)/8, $0xffffffffffffffff
DATA pathEnds<>+8(SB)/8, $0x3fffffff3bffff28
GLOBL pathEnds<>(SB), RODATA|NOPTR, $16

// PUT stores the offset of the lowest bit of R8, the next delimiter.
#define PUT(at) \
	TZCNTQ R8, R11; \
	BLSRQ R8, R8; \
	ADDL BX, R11; \
	MOVL R11, (at*4)(R13)

#define PUT4 \
	PUT(0); PUT(1); PUT(2); PUT(3)

// MASK sets R8 to a mask of the 64 bytes at an offset from SI: a bit for each byte that the table
// in Y0 holds at the place of its low half. It uses Y1 to Y4 and R9.
#define MASK(offset) \
	VMOVDQU (SI)(offset*1), Y1; \
	VMOVDQU 32(SI)(offset*1), Y2; \
	VPSHUFB Y1, Y0, Y3; \
	VPSHUFB Y2, Y0, Y4; \
	VPCMPEQB Y1, Y3, Y3; \
	VPCMPEQB Y2, Y4, Y4; \
	VPMOVMSKB Y3, R8; \
	VPMOVMSKB Y4, R9; \
	SHLQ $32, R9; \
	ORQ R9, R8

// func delimitersAVX2(dst *uint32, src *byte, chunks int) int
//
// Each chunk of 64 bytes becomes a mask with a bit per delimiter. At least four
// offsets are always written, because a branch on their number would often be
// mispredicted (as in simdjson: Langdale, Lemire, VLDB Journal 2019).
TEXT ·delimitersAVX2(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ chunks+16(FP), CX
	MOVQ DI, R12
	XORL BX, BX
	VBROADCASTI128 byLowHalf<>(SB), Y0

next:
	MASK(BX)
	POPCNTQ R8, R10
	MOVQ DI, R13
	PUT4
	CMPQ R10, $4
	JHI more

counted:
	LEAQ (DI)(R10*4), DI
	ADDQ $64, BX
	DECQ CX
	JNZ next
	VZEROUPPER
	SUBQ R12, DI
	SHRQ $2, DI
	MOVQ DI, ret+24(FP)
	RET

more:
	ADDQ $16, R13
	PUT4
	TESTQ R8, R8
	JNZ more
	JMP counted

// func pathEndAVX2(src *byte, n int) int
//
// Most paths have at most 64 bytes, so no branch depends on their length.
TEXT ·pathEndAVX2(SB), NOSPLIT, $0-24
	MOVQ src+0(FP), SI
	MOVQ n+8(FP), CX
	XORL AX, AX
	VBROADCASTI128 pathEnds<>(SB), Y0

look:
	MASK(AX)
	TZCNTQ R8, R10 // 64 if there is none
	ADDQ AX, R10
	ADDQ $64, AX
	CMPQ AX, CX
	JGE found
	TESTQ R8, R8
	JZ look

found:
	CMPQ R10, CX
	CMOVQGT CX, R10
	VZEROUPPER
	MOVQ R10, ret+16(FP)
	RET
