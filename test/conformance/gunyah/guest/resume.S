/*
 * A PSCI call whose CPU may come back by its entry point: u64 call_and_resume(struct resume *, u64 id, u64 a1, u64 context), a1 being
 * the power state or nothing. The entry point given is resume_entry, the context is the first argument itself. Returns 0 where the call came
 * back by itself (its result in the record), 1 where it came by the entry point.
 */
	.arch	armv8.2-a+fp+simd

	.section .text.resume, "ax"
	.global call_and_resume
call_and_resume:
	stp	x19, x20, [x0, #0]
	stp	x21, x22, [x0, #16]
	stp	x23, x24, [x0, #32]
	stp	x25, x26, [x0, #48]
	stp	x27, x28, [x0, #64]
	stp	x29, x30, [x0, #80]
	mov	x9, sp
	str	x9, [x0, #96]
	mrs	x9, tpidr_el1
	str	x9, [x0, #104]
	mrs	x9, vbar_el1
	str	x9, [x0, #112]
	mov	x19, x0
	mov	x0, x1
	mov	x1, x2
	adr	x2, resume_entry
	mov	x3, x19
	/* CPU_DEFAULT_SUSPEND has no power state before its entry point. */
	and	x9, x0, #0xff
	cmp	x9, #0xc
	b.ne	1f
	mov	x1, x2
	mov	x2, x3
1:	hvc	#0
	str	x0, [x19, #120]
	mov	x0, #0
	ldp	x19, x20, [x19, #0]
	ret

	.global resume_entry
resume_entry:
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
	mov	x0, x19
	ldr	x9, [x0, #96]
	mov	sp, x9
	ldr	x9, [x0, #104]
	msr	tpidr_el1, x9
	ldr	x9, [x0, #112]
	msr	vbar_el1, x9
	mov	x9, #(3 << 20)
	msr	cpacr_el1, x9
	isb
	ldp	x19, x20, [x0, #0]
	ldp	x21, x22, [x0, #16]
	ldp	x23, x24, [x0, #32]
	ldp	x25, x26, [x0, #48]
	ldp	x27, x28, [x0, #64]
	ldp	x29, x30, [x0, #80]
	mov	x0, #1
	ret
