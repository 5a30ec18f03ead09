/*
 * First instructions, exception vectors, and the calls whose effect on every register is recorded. See probe.h for what each
 * function does and for the layout of the structures.
 */
	.arch	armv8.2-a+fp+simd

#define CPU_STACK	0x4000
#define CPU_SIZE	128

	.section .text.start, "ax"
	.global _start
_start:
	/* Everything a vCPU is entered with, before anything is touched. x0..x3 of the entry go on in x20..x23. */
	adr	x16, at_entry
	stp	x0, x1, [x16, #0]
	stp	x2, x3, [x16, #16]
	stp	x4, x5, [x16, #32]
	stp	x6, x7, [x16, #48]
	stp	x8, x9, [x16, #64]
	stp	x10, x11, [x16, #80]
	stp	x12, x13, [x16, #96]
	stp	x14, x15, [x16, #112]
	stp	x17, x18, [x16, #136]
	stp	x19, x20, [x16, #152]
	stp	x21, x22, [x16, #168]
	stp	x23, x24, [x16, #184]
	stp	x25, x26, [x16, #200]
	stp	x27, x28, [x16, #216]
	stp	x29, x30, [x16, #232]
	mov	x1, sp
	str	x1, [x16, #248]
	mrs	x1, nzcv
	str	x1, [x16, #256]
	mrs	x1, daif
	str	x1, [x16, #264]
	bl	save_system_registers

	/* Clear .bss and the stack's neighbourhood; a second VM is entered with whatever its memory held. */
	ldr	x1, =guest_bss_start
	ldr	x2, =guest_bss_end
1:	cmp	x1, x2
	b.hs	2f
	stp	xzr, xzr, [x1], #16
	b	1b
2:	mov	x0, #0
	bl	set_up_cpu
	bl	probe_main
3:	wfi
	b	3b

	/* CPU_ON enters other CPUs here; x0 is the context: the CPU's number. */
	.section .text.entry, "ax"
	.global other_cpu_entry
other_cpu_entry:
	ldr	x16, =other_entry
	stp	x0, x1, [x16, #0]
	stp	x2, x3, [x16, #16]
	stp	x4, x5, [x16, #32]
	stp	x6, x7, [x16, #48]
	stp	x8, x9, [x16, #64]
	stp	x10, x11, [x16, #80]
	stp	x12, x13, [x16, #96]
	stp	x14, x15, [x16, #112]
	stp	x17, x18, [x16, #136]
	stp	x19, x20, [x16, #152]
	stp	x21, x22, [x16, #168]
	stp	x23, x24, [x16, #184]
	stp	x25, x26, [x16, #200]
	stp	x27, x28, [x16, #216]
	stp	x29, x30, [x16, #232]
	mov	x1, sp
	str	x1, [x16, #248]
	mrs	x1, nzcv
	str	x1, [x16, #256]
	mrs	x1, daif
	str	x1, [x16, #264]
	mov	x19, x0
	bl	save_system_registers
	and	x0, x19, #7
	bl	set_up_cpu
	mov	x0, x19
	bl	other_main
4:	wfi
	b	4b

/* Appends system registers to the record at x16. Changes x1, x2. */
	.global save_system_registers
save_system_registers:
	.macro	record reg, offset
	mrs	x1, \reg
	str	x1, [x16, #\offset]
	.endm
	record	CurrentEL, 272
	record	SPSel, 280
	record	SCTLR_EL1, 288
	record	VBAR_EL1, 296
	record	TTBR0_EL1, 304
	record	TTBR1_EL1, 312
	record	TCR_EL1, 320
	record	MAIR_EL1, 328
	record	CPACR_EL1, 336
	record	CNTKCTL_EL1, 344
	record	TPIDR_EL0, 352
	record	TPIDRRO_EL0, 360
	record	TPIDR_EL1, 368
	record	ESR_EL1, 376
	record	FAR_EL1, 384
	record	ELR_EL1, 392
	record	SPSR_EL1, 400
	record	CONTEXTIDR_EL1, 408
	record	PAR_EL1, 416
	record	CNTV_CTL_EL0, 424
	record	CNTP_CTL_EL0, 432
	record	MDSCR_EL1, 440
	record	CSSELR_EL1, 448
	record	SP_EL0, 456
	record	AFSR0_EL1, 464
	record	AFSR1_EL1, 472
	record	AMAIR_EL1, 480
	ret

/* x0 = number of the CPU: stack, vectors, its structure in TPIDR_EL1, SIMD on. */
set_up_cpu:
	ldr	x1, =guest_stack_top
	mov	x2, #CPU_STACK
	msub	x1, x0, x2, x1
	mov	sp, x1
	ldr	x1, =cpus
	mov	x2, #CPU_SIZE
	madd	x1, x0, x2, x1
	msr	tpidr_el1, x1
	ldr	x1, =vectors
	msr	vbar_el1, x1
	mov	x1, #(3 << 20)
	msr	cpacr_el1, x1
	isb
	mov	x29, xzr
	ret

	/* Inside the image's first pages and not in .bss: it is written before .bss is cleared. */
	.balign	16
	.global at_entry
at_entry:
	.space	512

	.section .bss.other_entry, "aw", %nobits
	.balign	16
	.global other_entry
other_entry:
	.space	512

/* ---- Vectors ---- */

	.section .text.vectors, "ax"
	.balign	0x800
vectors:
	.macro	vector offset
	.balign	0x80
	stp	x0, x1, [sp, #-32]!
	str	x2, [sp, #16]
	mov	x1, #\offset
	b	take
	.endm
	vector	0x000
	vector	0x080
	vector	0x100
	vector	0x180
	vector	0x200
	vector	0x280
	vector	0x300
	vector	0x380
	vector	0x400
	vector	0x480
	vector	0x500
	vector	0x580
	vector	0x600
	vector	0x680
	vector	0x700
	vector	0x780

/* x1 = vector. Records; synchronous exceptions are passed over, fetch aborts go to the landing place, interrupts return masked. */
take:
	mrs	x0, tpidr_el1
	str	x1, [x0, #32]
	ldr	x2, [x0, #40]
	add	x2, x2, #1
	str	x2, [x0, #40]
	mrs	x2, far_el1
	str	x2, [x0, #8]
	mrs	x2, elr_el1
	str	x2, [x0, #16]
	mrs	x2, spsr_el1
	str	x2, [x0, #24]
	tst	x1, #0x180
	b.ne	5f
	mrs	x2, esr_el1
	str	x2, [x0]
	lsr	x2, x2, #26
	cmp	x2, #0x21
	b.eq	6f
	cmp	x2, #0x20
	b.eq	6f
	cmp	x2, #0x22
	b.eq	6f
	cmp	x2, #0x15
	b.eq	7f
	cmp	x2, #0x18
	b.eq	4f
	cmp	x2, #0x33
	b.eq	8f
4:	mrs	x2, elr_el1
	add	x2, x2, #4
	msr	elr_el1, x2
	b	7f
5:	mrs	x2, spsr_el1
	orr	x2, x2, #0x3c0
	msr	spsr_el1, x2
	b	7f
6:	ldr	x2, [x0, #48]
	msr	elr_el1, x2
	b	7f
8:	mrs	x2, spsr_el1
	bic	x2, x2, #(1 << 21)
	msr	spsr_el1, x2
7:	/* NZCV of the interrupted code comes back with SPSR. */
	ldr	x2, [sp, #16]
	ldp	x0, x1, [sp], #32
	eret

/* ---- The recorded call: void call_site_run(struct frame *) ---- */

	.section .text.call, "ax"
	.global call_site_run
	.global call_site
call_site_run:
	stp	x29, x30, [sp, #-128]!
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	str	x0, [sp, #96]
	mov	x1, sp
	str	x1, [x0, #248]
	ldr	x1, [x0, #256]
	msr	nzcv, x1
	add	x1, x0, #512
	ldp	q0, q1, [x1, #0]
	ldp	q2, q3, [x1, #32]
	ldp	q4, q5, [x1, #64]
	ldp	q6, q7, [x1, #96]
	ldp	q8, q9, [x1, #128]
	ldp	q10, q11, [x1, #160]
	ldp	q12, q13, [x1, #192]
	ldp	q14, q15, [x1, #224]
	ldp	q16, q17, [x1, #256]
	ldp	q18, q19, [x1, #288]
	ldp	q20, q21, [x1, #320]
	ldp	q22, q23, [x1, #352]
	ldp	q24, q25, [x1, #384]
	ldp	q26, q27, [x1, #416]
	ldp	q28, q29, [x1, #448]
	ldp	q30, q31, [x1, #480]
	ldp	x2, x3, [x0, #16]
	ldp	x4, x5, [x0, #32]
	ldp	x6, x7, [x0, #48]
	ldp	x8, x9, [x0, #64]
	ldp	x10, x11, [x0, #80]
	ldp	x12, x13, [x0, #96]
	ldp	x14, x15, [x0, #112]
	ldp	x16, x17, [x0, #128]
	ldp	x18, x19, [x0, #144]
	ldp	x20, x21, [x0, #160]
	ldp	x22, x23, [x0, #176]
	ldp	x24, x25, [x0, #192]
	ldp	x26, x27, [x0, #208]
	ldp	x28, x29, [x0, #224]
	ldr	x30, [x0, #240]
	ldp	x0, x1, [x0]
call_site:
	nop
	stp	x0, x1, [sp, #112]
	ldr	x0, [sp, #96]
	stp	x2, x3, [x0, #16]
	stp	x4, x5, [x0, #32]
	stp	x6, x7, [x0, #48]
	stp	x8, x9, [x0, #64]
	stp	x10, x11, [x0, #80]
	stp	x12, x13, [x0, #96]
	stp	x14, x15, [x0, #112]
	stp	x16, x17, [x0, #128]
	stp	x18, x19, [x0, #144]
	stp	x20, x21, [x0, #160]
	stp	x22, x23, [x0, #176]
	stp	x24, x25, [x0, #192]
	stp	x26, x27, [x0, #208]
	stp	x28, x29, [x0, #224]
	str	x30, [x0, #240]
	ldp	x2, x3, [sp, #112]
	stp	x2, x3, [x0]
	mrs	x1, nzcv
	str	x1, [x0, #256]
	add	x1, x0, #512
	stp	q0, q1, [x1, #0]
	stp	q2, q3, [x1, #32]
	stp	q4, q5, [x1, #64]
	stp	q6, q7, [x1, #96]
	stp	q8, q9, [x1, #128]
	stp	q10, q11, [x1, #160]
	stp	q12, q13, [x1, #192]
	stp	q14, q15, [x1, #224]
	stp	q16, q17, [x1, #256]
	stp	q18, q19, [x1, #288]
	stp	q20, q21, [x1, #320]
	stp	q22, q23, [x1, #352]
	stp	q24, q25, [x1, #384]
	stp	q26, q27, [x1, #416]
	stp	q28, q29, [x1, #448]
	stp	q30, q31, [x1, #480]
	mov	x1, sp
	ldr	x2, [x0, #248]
	sub	x1, x1, x2
	str	x1, [x0, #248]
	ldp	x19, x20, [sp, #16]
	ldp	x21, x22, [sp, #32]
	ldp	x23, x24, [sp, #48]
	ldp	x25, x26, [sp, #64]
	ldp	x27, x28, [sp, #80]
	ldp	x29, x30, [sp], #128
	ret

/* ---- One instruction: u64 insn_run(u64 x0, u64 x1): executes what stands at insn_site, returns x0. Fetch aborts come back too. ---- */

	.section .text.insn, "ax"
	.global insn_run
	.global insn_site
insn_run:
	stp	x29, x30, [sp, #-16]!
	mrs	x2, tpidr_el1
	adr	x3, 9f
	str	x3, [x2, #48]
	mov	x2, #0
insn_site:
	nop
	nop
9:	ldp	x29, x30, [sp], #16
	ret

/* u64 jump_run(u64 address): BLR there; back by a fetch abort. */
	.global jump_run
jump_run:
	stp	x29, x30, [sp, #-16]!
	mrs	x2, tpidr_el1
	adr	x3, 10f
	str	x3, [x2, #48]
	blr	x0
10:	ldp	x29, x30, [sp], #16
	ret
