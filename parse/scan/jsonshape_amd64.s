#include "textflag.h"

// stringEnds holds, for each low nibble, the byte that has it and ends a string
// (quote, backslash, newline), or else a byte with another low nibble. VPSHUFB
// maps bytes from 0x80 on to zero.
DATA stringEnds<>+0(SB)/8, $0xffffffffff22ffff
DATA stringEnds<>+8(SB)/8, $0x00ffff5cff0affff
GLOBL stringEnds<>(SB), RODATA|NOPTR, $16

// bareEnds is the same for the bytes that end a bare value: comma, brace, blank,
// newline.
DATA bareEnds<>+0(SB)/8, $0xffffffffffffff20
DATA bareEnds<>+8(SB)/8, $0xffff7d2cff0affff
GLOBL bareEnds<>(SB), RODATA|NOPTR, $16

// func findShape(dst *Span, src *byte, last int, steps *step, count int) (n int)
//
// AX is the current offset, R9 the current step of 48 bytes: text, mask, size,
// kind, and the length of the value in the previous line.
//
// The end of a value is known some twenty cycles after its start, and everything
// after it would wait. Most values are as long as in the previous line, so the
// code branches on that guess and the processor runs ahead.
TEXT ·findShape(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ last+16(FP), DX
	MOVQ steps+24(FP), R9
	MOVQ count+32(FP), CX
	XORL AX, AX
	VBROADCASTI128 stringEnds<>(SB), Y0
	VBROADCASTI128 bareEnds<>(SB), Y3

next:
	CMPQ AX, DX
	JGT other
	VMOVDQU (SI)(AX*1), Y1
	VPCMPEQB (R9), Y1, Y1
	VPMOVMSKB Y1, R8
	NOTL R8
	TESTL R8, 32(R9)
	JNZ other
	MOVL 36(R9), R10
	ADDQ R10, AX
	MOVL AX, (DI)
	MOVL 44(R9), R12
	ADDQ AX, R12 // where the value ends if its length is unchanged
	MOVQ AX, BX
	CMPL 40(R9), $1
	JCS counted
	JNE bare

string:
	CMPQ BX, DX
	JGT other
	VMOVDQU (SI)(BX*1), Y1
	VPSHUFB Y1, Y0, Y2
	VPCMPEQB Y1, Y2, Y2
	VPMOVMSKB Y2, R8
	ADDQ $32, BX
	TESTL R8, R8
	JZ string
	TZCNTL R8, R8
	LEAQ -32(BX)(R8*1), BX
	CMPB (SI)(BX*1), $0x22
	JNE other

ends:
	MOVL BX, 4(DI)
	ADDQ $8, DI
	CMPQ BX, R12
	JNE resized
	MOVQ R12, AX

counted:
	ADDQ $48, R9
	DECQ CX
	JNZ next
	VZEROUPPER
	MOVQ AX, n+40(FP)
	RET

resized:
	MOVL BX, R10
	SUBL AX, R10
	MOVL R10, 44(R9)
	MOVQ BX, AX
	JMP counted

bare:
	CMPQ BX, DX
	JGT other
	VMOVDQU (SI)(BX*1), Y1
	VPSHUFB Y1, Y3, Y2
	VPCMPEQB Y1, Y2, Y2
	VPMOVMSKB Y2, R8
	ADDQ $32, BX
	TESTL R8, R8
	JZ bare
	TZCNTL R8, R8
	LEAQ -32(BX)(R8*1), BX
	JMP ends

other:
	VZEROUPPER
	MOVQ $0, n+40(FP)
	RET
