/*
 * First instructions of a guest. The hypervisor (or QEMU) enters here at EL1 with the MMU off, interrupts masked and the
 * address of the device tree in x0. Sets the exception vectors and the stack, clears .bss, and calls sdk_start(tree).
 */
	.cfi_sections .debug_frame

	.section .text.start, "ax"
	.global _start
	.type _start, %function
_start:
	.cfi_startproc
	.cfi_undefined x30              /* nobody called us: a debugger's call stack ends here */
	mov	x19, x0

	adrp	x1, exception_vectors
	add	x1, x1, :lo12:exception_vectors
	msr	vbar_el1, x1
	isb

	adrp	x1, guest_stack_top
	add	x1, x1, :lo12:guest_stack_top
	mov	sp, x1

	adrp	x1, guest_bss_start
	add	x1, x1, :lo12:guest_bss_start
	adrp	x2, guest_bss_end
	add	x2, x2, :lo12:guest_bss_end
1:	cmp	x1, x2
	b.hs	2f
	stp	xzr, xzr, [x1], #16
	b	1b

2:	mov	x29, xzr
	mov	x30, xzr
	mov	x0, x19
	bl	sdk_start

3:	wfi
	b	3b
	.cfi_endproc
	.size _start, . - _start
