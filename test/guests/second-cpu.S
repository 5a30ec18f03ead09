/* Where the guest's second CPU begins: a stack of its own, then C. x0 is the context of CPU_ON. */
	.section .text.second_cpu, "ax"
	.global second_cpu_start
	.type second_cpu_start, %function
second_cpu_start:
	adrp	x1, second_stack_top
	add	x1, x1, :lo12:second_stack_top
	mov	sp, x1
	mov	x29, xzr
	mov	x30, xzr
	bl	second_cpu
1:	wfi
	b	1b
	.size second_cpu_start, . - second_cpu_start

	.bss
	.balign 16
	.skip 0x1000
second_stack_top:
