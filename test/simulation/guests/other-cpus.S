/* Where the other CPUs begin: the SDK's vectors, a stack of its own by number, then C. x0 is the context of CPU_ON: the number. */
	.section .text.other_cpu, "ax"
	.global other_cpu_start
	.type other_cpu_start, %function
other_cpu_start:
	adrp	x1, exception_vectors
	add	x1, x1, :lo12:exception_vectors
	msr	vbar_el1, x1
	isb
	adrp	x1, other_stacks
	add	x1, x1, :lo12:other_stacks
	add	x2, x0, #1
	add	x1, x1, x2, lsl #13
	mov	sp, x1
	mov	x29, xzr
	mov	x30, xzr
	bl	other_cpu
1:	wfi
	b	1b
	.size other_cpu_start, . - other_cpu_start

	.bss
	.balign 16
other_stacks:
	.skip 8 * 0x2000
