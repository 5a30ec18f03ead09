/*
 * Exception vectors. Each of the sixteen entries saves the whole general register file as a struct exception_frame
 * (exception.h) and calls exception_entry(frame, index of the vector). When that returns, the registers are put back and
 * execution continues at frame->elr, which the handler may have changed.
 */
	.cfi_sections .debug_frame

	.equ FRAME_SIZE, 288
	.equ FRAME_SP, 248
	.equ FRAME_ELR, 256
	.equ FRAME_ESR, 272

	.macro VECTOR index
	.balign 0x80
	sub	sp, sp, #FRAME_SIZE
	stp	x0, x1, [sp, #0]
	mov	x1, #\index
	b	exception_save
	.endm

	.section .text.vectors, "ax"
	.balign 0x800
	.global exception_vectors
	.type exception_vectors, %function
exception_vectors:
	.cfi_startproc
	.cfi_undefined x30
	VECTOR 0                        /* from EL1 with SP_EL0: synchronous, IRQ, FIQ, SError */
	VECTOR 1
	VECTOR 2
	VECTOR 3
	VECTOR 4                        /* from EL1 with SP_EL1 */
	VECTOR 5
	VECTOR 6
	VECTOR 7
	VECTOR 8                        /* from EL0, AArch64 */
	VECTOR 9
	VECTOR 10
	VECTOR 11
	VECTOR 12                       /* from EL0, AArch32 */
	VECTOR 13
	VECTOR 14
	VECTOR 15
	.cfi_endproc
	.size exception_vectors, . - exception_vectors

	/*
	 * The call frame information lets a debugger look through the exception: the caller of exception_save is the code that was
	 * interrupted, and its PC (DWARF register 32) is the saved ELR.
	 */
	.type exception_save, %function
exception_save:
	.cfi_startproc simple
	.cfi_signal_frame
	.cfi_return_column 32
	.cfi_def_cfa sp, FRAME_SIZE
	.cfi_offset 0, 0 - FRAME_SIZE
	.cfi_offset 1, 8 - FRAME_SIZE
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x19, [sp, #144]
	stp	x20, x21, [sp, #160]
	stp	x22, x23, [sp, #176]
	stp	x24, x25, [sp, #192]
	stp	x26, x27, [sp, #208]
	stp	x28, x29, [sp, #224]
	add	x2, sp, #FRAME_SIZE
	stp	x30, x2, [sp, #240]     /* x30, and sp before the exception */
	mrs	x2, elr_el1
	mrs	x3, spsr_el1
	stp	x2, x3, [sp, #FRAME_ELR]
	mrs	x2, esr_el1
	mrs	x3, far_el1
	stp	x2, x3, [sp, #FRAME_ESR]
	.irp	register, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
	.cfi_offset \register, 8 * \register - FRAME_SIZE
	.endr
	.cfi_offset 32, FRAME_ELR - FRAME_SIZE

	mov	x0, sp
	bl	exception_entry

	ldp	x2, x3, [sp, #FRAME_ELR]
	msr	elr_el1, x2
	msr	spsr_el1, x3
	ldp	x2, x3, [sp, #16]
	ldp	x4, x5, [sp, #32]
	ldp	x6, x7, [sp, #48]
	ldp	x8, x9, [sp, #64]
	ldp	x10, x11, [sp, #80]
	ldp	x12, x13, [sp, #96]
	ldp	x14, x15, [sp, #112]
	ldp	x16, x17, [sp, #128]
	ldp	x18, x19, [sp, #144]
	ldp	x20, x21, [sp, #160]
	ldp	x22, x23, [sp, #176]
	ldp	x24, x25, [sp, #192]
	ldp	x26, x27, [sp, #208]
	ldp	x28, x29, [sp, #224]
	ldr	x30, [sp, #240]
	ldp	x0, x1, [sp, #0]
	add	sp, sp, #FRAME_SIZE
	eret
	.cfi_endproc
	.size exception_save, . - exception_save
