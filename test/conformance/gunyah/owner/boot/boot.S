/* Entered by the hypervisor as the root VM; x0 is the address of its environment. */
	.section .text.start, "ax"
	.global _start
_start:
	adr	x1, stack_top
	mov	sp, x1
	adr	x1, vectors
	msr	vbar_el1, x1
	bl	boot_main
1:	wfi
	b	1b

	.balign	0x800
vectors:
	.rept	16
	.balign	0x80
	b	vectors
	.endr

	.section .bss.stack, "aw", %nobits
	.balign	16
	.space	0x4000
stack_top:
