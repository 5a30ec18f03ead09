/*
 * Interrupts and switches between tasks. A task runs at EL1 on a stack of its own; everything it owns of the CPU is saved on that stack as
 * a struct context (kernel.h) when an interrupt arrives: general registers, where it was, and all of floating point and SIMD. Then
 * kernel_interrupt(context) handles the interrupt and answers the context to go on with, which may be another task's.
 */
	.cfi_sections .debug_frame

	.equ SIZE, 800
	.equ LINK, 240
	.equ STATUS, 256
	.equ FLOATING, 272
	.equ VECTORS, 288

	.macro OTHER index
	.balign 0x80
	b	exception_vectors + \index * 0x80
	.endm

	/* Where a debugger finds the registers of the code that was interrupted. */
	.macro SAVED_ARE_THERE
	.irp	register, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
	.cfi_offset \register, 8 * \register - SIZE
	.endr
	.cfi_offset 32, LINK + 8 - SIZE
	.endm

	.section .text.kernel_vectors, "ax"
	.balign 0x800
	.global kernel_vectors
	.type kernel_vectors, %function
kernel_vectors:
	.cfi_startproc
	.cfi_undefined x30
	OTHER 0
	OTHER 1
	OTHER 2
	OTHER 3
	OTHER 4
	.balign 0x80                    /* IRQ from EL1 with SP_EL1 */
	b	interrupt_entry
	OTHER 6
	OTHER 7
	.cfi_endproc
	.size kernel_vectors, . - kernel_vectors

	.global interrupt_entry
	.type interrupt_entry, %function
interrupt_entry:
	.cfi_startproc simple
	.cfi_signal_frame
	.cfi_return_column 32
	.cfi_def_cfa sp, 0
	sub	sp, sp, #SIZE
	.cfi_def_cfa_offset SIZE
	stp	x0, x1, [sp, #0]
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
	mrs	x0, elr_el1
	stp	x30, x0, [sp, #LINK]
	mrs	x0, spsr_el1
	str	x0, [sp, #STATUS]
	mrs	x0, fpsr
	mrs	x1, fpcr
	stp	x0, x1, [sp, #FLOATING]
	stp	q0, q1, [sp, #VECTORS + 0]
	stp	q2, q3, [sp, #VECTORS + 32]
	stp	q4, q5, [sp, #VECTORS + 64]
	stp	q6, q7, [sp, #VECTORS + 96]
	stp	q8, q9, [sp, #VECTORS + 128]
	stp	q10, q11, [sp, #VECTORS + 160]
	stp	q12, q13, [sp, #VECTORS + 192]
	stp	q14, q15, [sp, #VECTORS + 224]
	stp	q16, q17, [sp, #VECTORS + 256]
	stp	q18, q19, [sp, #VECTORS + 288]
	stp	q20, q21, [sp, #VECTORS + 320]
	stp	q22, q23, [sp, #VECTORS + 352]
	stp	q24, q25, [sp, #VECTORS + 384]
	stp	q26, q27, [sp, #VECTORS + 416]
	stp	q28, q29, [sp, #VECTORS + 448]
	stp	q30, q31, [sp, #VECTORS + 480]
	SAVED_ARE_THERE

	mov	x0, sp
	bl	kernel_interrupt
	b	kernel_resume
	.cfi_endproc
	.size interrupt_entry, . - interrupt_entry

	/* kernel_resume(context): goes on with a task. */
	.global kernel_resume
	.type kernel_resume, %function
kernel_resume:
	.cfi_startproc simple
	.cfi_signal_frame
	.cfi_return_column 32
	.cfi_def_cfa x0, SIZE
	SAVED_ARE_THERE
	mov	sp, x0
	.cfi_def_cfa sp, SIZE
	ldp	x0, x1, [sp, #FLOATING]
	msr	fpsr, x0
	msr	fpcr, x1
	ldp	q0, q1, [sp, #VECTORS + 0]
	ldp	q2, q3, [sp, #VECTORS + 32]
	ldp	q4, q5, [sp, #VECTORS + 64]
	ldp	q6, q7, [sp, #VECTORS + 96]
	ldp	q8, q9, [sp, #VECTORS + 128]
	ldp	q10, q11, [sp, #VECTORS + 160]
	ldp	q12, q13, [sp, #VECTORS + 192]
	ldp	q14, q15, [sp, #VECTORS + 224]
	ldp	q16, q17, [sp, #VECTORS + 256]
	ldp	q18, q19, [sp, #VECTORS + 288]
	ldp	q20, q21, [sp, #VECTORS + 320]
	ldp	q22, q23, [sp, #VECTORS + 352]
	ldp	q24, q25, [sp, #VECTORS + 384]
	ldp	q26, q27, [sp, #VECTORS + 416]
	ldp	q28, q29, [sp, #VECTORS + 448]
	ldp	q30, q31, [sp, #VECTORS + 480]
	ldr	x0, [sp, #STATUS]
	msr	spsr_el1, x0
	ldp	x30, x0, [sp, #LINK]
	msr	elr_el1, x0
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
	ldp	x0, x1, [sp, #0]
	add	sp, sp, #SIZE
	.cfi_def_cfa sp, 0
	eret
	.cfi_endproc
	.size kernel_resume, . - kernel_resume

	/* Where the other CPUs begin. x0 is the number. */
	.section .text.kernel_other_cpu, "ax"
	.global kernel_other_cpu
	.type kernel_other_cpu, %function
kernel_other_cpu:
	adrp	x1, first_stacks
	add	x1, x1, :lo12:first_stacks
	add	x2, x0, #1
	add	x1, x1, x2, lsl #12
	mov	sp, x1
	mov	x29, xzr
	mov	x30, xzr
	bl	kernel_run_cpu
	.size kernel_other_cpu, . - kernel_other_cpu

	.bss
	.balign 16
first_stacks:
	.skip 8 * 0x1000
