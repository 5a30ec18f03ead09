/* System registers: identification, those a VM has and has not, what writing them leaves. */
#include "probe.h"

static const char *who(void)
{
	return is_second ? "second" : "primary";
}

static void read(u32 op0, u32 op1, u32 crn, u32 crm, u32 op2)
{
	say("read %s s%x_%x_c%x_c%x_%x = ", who(), (u64)op0, (u64)op1, (u64)crn, (u64)crm, (u64)op2);
	say_insn(MRS_WORD(op0, op1, crn, crm, op2), 0x5500aa, 0);
}

static void write(u32 op0, u32 op1, u32 crn, u32 crm, u32 op2, u64 value)
{
	say("write %s s%x_%x_c%x_c%x_%x = ", who(), (u64)op0, (u64)op1, (u64)crn, (u64)crm, (u64)op2);
	say_insn(MSR_WORD(op0, op1, crn, crm, op2), value, 0);
}

/* Writes, reads back, restores. */
static void keeps(const char *name, u32 op0, u32 op1, u32 crn, u32 crm, u32 op2, u64 value)
{
	u64 count = this_cpu()->count;
	u64 old = instruction(MRS_WORD(op0, op1, crn, crm, op2), 0x5500aa, 0);

	say("keeps %s %s of %x = ", who(), name, value);
	instruction(MSR_WORD(op0, op1, crn, crm, op2), value, 0);
	if (this_cpu()->count != count)
		say("esr %x\n", this_cpu()->esr);
	else
		say_insn(MRS_WORD(op0, op1, crn, crm, op2), 0x5500aa, 0);
	if (this_cpu()->count == count)
		instruction(MSR_WORD(op0, op1, crn, crm, op2), old, 0);
}

void ask_identification(void)
{
	for (u32 crm = 0; crm < 8; crm++)
		for (u32 op2 = 0; op2 < 8; op2++)
			if (crm != 0 || op2 != 5)
				read(3, 0, 0, crm, op2);
	for (u32 op2 = 0; op2 < 8; op2++)
		read(3, 0, 0, 8, op2);
	read(3, 0, 0, 15, 7);
	for (u32 op2 = 0; op2 < 8; op2++)
		read(3, 1, 0, 0, op2);
	read(3, 1, 0, 1, 0);
	read(3, 2, 0, 0, 0);
	read(3, 2, 0, 0, 1);
	read(3, 3, 0, 0, 0);
	read(3, 3, 0, 0, 1);
	read(3, 3, 0, 0, 2);
	read(3, 3, 0, 0, 7);
	read(3, 4, 0, 0, 0);
	for (u32 crm = 0; crm < 8; crm++)
		for (u32 op2 = 0; op2 < 8; op2++)
			write(3, 0, 0, crm, op2, 0);
}

struct name {
	const char *name;
	u8 op0, op1, crn, crm, op2;
};

/* Registers that are said not to be there. */
static const struct name absent[] = {
	{ "lorsa", 3, 0, 10, 4, 0 }, { "lorea", 3, 0, 10, 4, 1 }, { "lorn", 3, 0, 10, 4, 2 }, { "lorc", 3, 0, 10, 4, 3 }, { "lorid", 3, 0, 10, 4, 7 },
	{ "amcr", 3, 3, 13, 2, 0 }, { "amcfgr", 3, 3, 13, 2, 1 }, { "amcgcr", 3, 3, 13, 2, 2 }, { "amuserenr", 3, 3, 13, 2, 3 }, { "amcntenclr0", 3, 3, 13, 2, 4 }, { "amcntenset0", 3, 3, 13, 2, 5 },
	{ "amevcntr00", 3, 3, 13, 4, 0 }, { "amevtyper00", 3, 3, 13, 6, 0 },
	{ "pmscr", 3, 0, 9, 9, 0 }, { "pmsicr", 3, 0, 9, 9, 2 }, { "pmsirr", 3, 0, 9, 9, 3 }, { "pmsfcr", 3, 0, 9, 9, 4 }, { "pmsevfr", 3, 0, 9, 9, 5 }, { "pmslatfr", 3, 0, 9, 9, 6 }, { "pmsidr", 3, 0, 9, 9, 7 },
	{ "pmblimitr", 3, 0, 9, 10, 0 }, { "pmbptr", 3, 0, 9, 10, 1 }, { "pmbsr", 3, 0, 9, 10, 3 }, { "pmbidr", 3, 0, 9, 10, 7 },
	{ "trblimitr", 3, 0, 9, 11, 0 }, { "trbptr", 3, 0, 9, 11, 1 }, { "trbbaser", 3, 0, 9, 11, 2 }, { "trbsr", 3, 0, 9, 11, 3 }, { "trbidr", 3, 0, 9, 11, 7 }, { "trfcr", 3, 0, 1, 2, 1 },
	{ "mpam1", 3, 0, 10, 5, 0 }, { "mpam0", 3, 0, 10, 5, 1 }, { "mpamidr", 3, 0, 10, 4, 4 },
	{ "erridr", 3, 0, 5, 3, 0 }, { "errselr", 3, 0, 5, 3, 1 }, { "erxfr", 3, 0, 5, 4, 0 }, { "erxctlr", 3, 0, 5, 4, 1 }, { "erxstatus", 3, 0, 5, 4, 2 }, { "erxaddr", 3, 0, 5, 4, 3 }, { "erxmisc0", 3, 0, 5, 5, 0 },
	{ "disr", 3, 0, 12, 1, 1 },
	{ "apiakeylo", 3, 0, 2, 1, 0 }, { "apiakeyhi", 3, 0, 2, 1, 1 }, { "apibkeylo", 3, 0, 2, 1, 2 }, { "apibkeyhi", 3, 0, 2, 1, 3 }, { "apdakeylo", 3, 0, 2, 2, 0 }, { "apdakeyhi", 3, 0, 2, 2, 1 },
	{ "apdbkeylo", 3, 0, 2, 2, 2 }, { "apdbkeyhi", 3, 0, 2, 2, 3 }, { "apgakeylo", 3, 0, 2, 3, 0 }, { "apgakeyhi", 3, 0, 2, 3, 1 },
	{ "rgsr", 3, 0, 1, 0, 5 }, { "gcr", 3, 0, 1, 0, 6 }, { "tfsr", 3, 0, 5, 6, 0 }, { "tfsre0", 3, 0, 5, 6, 1 }, { "scxtnum_el0", 3, 3, 13, 0, 7 }, { "scxtnum_el1", 3, 0, 13, 0, 7 },
	{ "vbar_el2", 3, 4, 12, 0, 0 }, { "hcr_el2", 3, 4, 1, 1, 0 }, { "sctlr_el2", 3, 4, 1, 0, 0 }, { "vttbr", 3, 4, 2, 1, 0 }, { "esr_el2", 3, 4, 5, 2, 0 }, { "far_el2", 3, 4, 6, 0, 0 }, { "hpfar", 3, 4, 6, 0, 4 },
	{ "tpidr_el2", 3, 4, 13, 0, 2 }, { "cnthctl", 3, 4, 14, 1, 0 }, { "cntvoff", 3, 4, 14, 0, 3 }, { "elr_el2", 3, 4, 4, 0, 1 }, { "spsr_el2", 3, 4, 4, 0, 0 }, { "sp_el1", 3, 4, 4, 1, 0 }, { "mdcr_el2", 3, 4, 1, 1, 1 },
	{ "ich_hcr", 3, 4, 12, 11, 0 }, { "ich_lr0", 3, 4, 12, 12, 0 }, { "icc_sre_el2", 3, 4, 12, 9, 5 },
	{ "sctlr_el3", 3, 6, 1, 0, 0 }, { "scr_el3", 3, 6, 1, 1, 0 }, { "vbar_el3", 3, 6, 12, 0, 0 }, { "icc_sre_el3", 3, 6, 12, 12, 5 },
	{ "sctlr_el12", 3, 5, 1, 0, 0 }, { "cpacr_el12", 3, 5, 1, 0, 2 }, { "ttbr0_el12", 3, 5, 2, 0, 0 }, { "spsr_el12", 3, 5, 4, 0, 0 }, { "vbar_el12", 3, 5, 12, 0, 0 }, { "cntkctl_el12", 3, 5, 14, 1, 0 }, { "cntv_ctl_el02", 3, 5, 14, 3, 1 },
	{ "cntps_tval", 3, 7, 14, 2, 0 }, { "cntps_ctl", 3, 7, 14, 2, 1 }, { "cntps_cval", 3, 7, 14, 2, 2 },
	{ "imp_c15_2", 3, 1, 15, 2, 0 }, { "imp_c15_0", 3, 0, 15, 0, 0 }, { "imp_c15_3", 3, 3, 15, 0, 0 }, { "imp_c11_0", 3, 0, 11, 0, 0 }, { "imp_c11_3", 3, 3, 11, 0, 0 }, { "imp_c15_7", 3, 7, 15, 15, 7 },
	{ "trcprgctlr", 2, 1, 0, 1, 0 }, { "trcidr0", 2, 1, 0, 8, 7 }, { "trcoslsr", 2, 1, 1, 1, 4 }, { "trcauthstatus", 2, 1, 7, 14, 6 }, { "trcstatr", 2, 1, 0, 3, 0 },
	{ "dbgbvr6", 2, 0, 0, 6, 4 }, { "dbgbcr6", 2, 0, 0, 6, 5 }, { "dbgbvr15", 2, 0, 0, 15, 4 }, { "dbgwvr4", 2, 0, 0, 4, 6 }, { "dbgwcr4", 2, 0, 0, 4, 7 }, { "dbgwvr15", 2, 0, 0, 15, 6 },
	{ "unallocated", 3, 0, 1, 7, 7 }, { "unallocated", 3, 3, 3, 3, 3 }, { "unallocated", 3, 0, 14, 0, 0 }, { "unallocated", 3, 2, 4, 4, 4 }, { "icc_nmiar1", 3, 0, 12, 9, 5 }, { "icc_ap1r1", 3, 0, 12, 9, 1 }, { "icc_ap0r1", 3, 0, 12, 8, 5 },
	{ "icc_sgi1r", 3, 0, 12, 11, 5 }, { "icc_asgi1r", 3, 0, 12, 11, 6 }, { "icc_sgi0r", 3, 0, 12, 11, 7 }, { "icc_eoir1", 3, 0, 12, 12, 1 }, { "icc_eoir0", 3, 0, 12, 8, 1 }, { "icc_dir", 3, 0, 12, 11, 1 },
	{ "accdata", 3, 0, 13, 0, 5 }, { "smcr", 3, 0, 1, 2, 6 }, { "smpri", 3, 0, 1, 2, 4 }, { "svcr", 3, 3, 4, 2, 2 }, { "zcr", 3, 0, 1, 2, 0 },
};

/* Registers whose value at rest is asked. */
static const struct name present[] = {
	{ "actlr", 3, 0, 1, 0, 1 }, { "afsr0", 3, 0, 5, 1, 0 }, { "afsr1", 3, 0, 5, 1, 1 }, { "amair", 3, 0, 10, 3, 0 }, { "oslsr", 2, 0, 1, 1, 4 }, { "osdlr", 2, 0, 1, 3, 4 }, 
	{ "mdrar", 2, 0, 1, 0, 0 }, { "dbgprcr", 2, 0, 1, 4, 4 }, { "dbgclaimset", 2, 0, 7, 8, 6 }, { "dbgclaimclr", 2, 0, 7, 9, 6 }, { "dbgauthstatus", 2, 0, 7, 14, 6 }, { "mdccsr", 2, 3, 0, 1, 0 }, { "dbgdtr", 2, 3, 0, 4, 0 },
	{ "dbgdtrrx", 2, 3, 0, 5, 0 }, { "osdtrrx", 2, 0, 0, 0, 2 }, { "osdtrtx", 2, 0, 0, 3, 2 }, { "oseccr", 2, 0, 0, 6, 2 }, { "dbgvcr32", 2, 4, 0, 7, 0 }, { "mdscr", 2, 0, 0, 2, 2 },
	{ "dbgbvr0", 2, 0, 0, 0, 4 }, { "dbgbvr5", 2, 0, 0, 5, 4 }, { "dbgbcr0", 2, 0, 0, 0, 5 }, { "dbgbcr5", 2, 0, 0, 5, 5 }, { "dbgwvr0", 2, 0, 0, 0, 6 }, { "dbgwvr3", 2, 0, 0, 3, 6 }, { "dbgwcr3", 2, 0, 0, 3, 7 },
	{ "cntfrq", 3, 3, 14, 0, 0 }, { "cntv_ctl", 3, 3, 14, 3, 1 }, { "cntp_ctl", 3, 3, 14, 2, 1 }, { "cntkctl", 3, 0, 14, 1, 0 },
	{ "pmcr", 3, 3, 9, 12, 0 }, { "pmcntenset", 3, 3, 9, 12, 1 }, { "pmcntenclr", 3, 3, 9, 12, 2 }, { "pmovsclr", 3, 3, 9, 12, 3 }, { "pmselr", 3, 3, 9, 12, 5 }, { "pmceid0", 3, 3, 9, 12, 6 }, { "pmceid1", 3, 3, 9, 12, 7 },
	{ "pmccntr", 3, 3, 9, 13, 0 }, { "pmxevtyper", 3, 3, 9, 13, 1 }, { "pmxevcntr", 3, 3, 9, 13, 2 }, { "pmuserenr", 3, 3, 9, 14, 0 }, { "pmovsset", 3, 3, 9, 14, 3 }, { "pmintenset", 3, 0, 9, 14, 1 }, { "pmintenclr", 3, 0, 9, 14, 2 },
	{ "pmevcntr0", 3, 3, 14, 8, 0 }, { "pmevcntr5", 3, 3, 14, 8, 5 }, { "pmevcntr6", 3, 3, 14, 8, 6 }, { "pmevtyper0", 3, 3, 14, 12, 0 }, { "pmevtyper5", 3, 3, 14, 12, 5 }, { "pmevtyper6", 3, 3, 14, 12, 6 }, { "pmccfiltr", 3, 3, 14, 15, 7 },
	{ "tpidr2", 3, 3, 13, 0, 5 }, { "tpidr_el0", 3, 3, 13, 0, 2 }, { "tpidrro", 3, 3, 13, 0, 3 }, { "contextidr", 3, 0, 13, 0, 1 }, { "isr", 3, 0, 12, 1, 0 }, { "par", 3, 0, 7, 4, 0 }, { "dczid", 3, 3, 0, 0, 7 }, { "ctr", 3, 3, 0, 0, 1 },
	{ "currentel", 3, 0, 4, 2, 2 }, { "spsel", 3, 0, 4, 2, 0 }, { "pan", 3, 0, 4, 2, 3 }, { "uao", 3, 0, 4, 2, 4 }, { "dit", 3, 3, 4, 2, 5 }, { "ssbs", 3, 3, 4, 2, 6 }, { "tco", 3, 3, 4, 2, 7 }, { "fpcr", 3, 3, 4, 4, 0 }, { "fpsr", 3, 3, 4, 4, 1 },
	{ "rvbar", 3, 0, 12, 0, 1 }, { "rmr", 3, 0, 12, 0, 2 }, { "allint", 3, 0, 4, 3, 0 },
};

void ask_registers(void)
{
	for (u32 i = 0; i < sizeof(absent) / sizeof(absent[0]); i++) {
		const struct name *r = &absent[i];

		say("register %s %s %x = ", who(), r->name, (u64)MRS_WORD(r->op0, r->op1, r->crn, r->crm, r->op2));
		say_insn(MRS_WORD(r->op0, r->op1, r->crn, r->crm, r->op2), 0x5500aa, 0);
	}
	for (u32 i = 0; i < sizeof(present) / sizeof(present[0]); i++) {
		const struct name *r = &present[i];

		say("register %s %s = ", who(), r->name);
		say_insn(MRS_WORD(r->op0, r->op1, r->crn, r->crm, r->op2), 0x5500aa, 0);
	}
	keeps("actlr", 3, 0, 1, 0, 1, ALL_ONES);
	keeps("afsr0", 3, 0, 5, 1, 0, ALL_ONES);
	keeps("afsr1", 3, 0, 5, 1, 1, ALL_ONES);
	keeps("amair", 3, 0, 10, 3, 0, ALL_ONES);
	keeps("mdccint", 2, 0, 0, 2, 0, 0x60000000);
	keeps("mdccint", 2, 0, 0, 2, 0, ALL_ONES);
	keeps("mdscr", 2, 0, 0, 2, 2, 0x8000);
	keeps("osdtrrx", 2, 0, 0, 0, 2, ALL_ONES);
	keeps("osdtrtx", 2, 0, 0, 3, 2, ALL_ONES);
	keeps("oseccr", 2, 0, 0, 6, 2, ALL_ONES);
	keeps("dbgdtr", 2, 3, 0, 4, 0, ALL_ONES);
	keeps("dbgdtrtx", 2, 3, 0, 5, 0, ALL_ONES);
	keeps("dbgprcr", 2, 0, 1, 4, 4, ALL_ONES);
	keeps("dbgvcr32", 2, 4, 0, 7, 0, ALL_ONES);
	keeps("dbgclaimclr", 2, 0, 7, 9, 6, 0xff);
	keeps("osdlr", 2, 0, 1, 3, 4, 1);
	keeps("tpidr2", 3, 3, 13, 0, 5, 0x123456789abcdefull);
	keeps("contextidr", 3, 0, 13, 0, 1, 0xffffffff);
	keeps("cntkctl", 3, 0, 14, 1, 0, 0x3ff);
	keeps("dbgclaimset", 2, 0, 7, 8, 6, 0xff);
	for (u32 n = 0; n < 16; n++) {
		keeps("dbgbvr", 2, 0, 0, n, 4, 0x4100 + 4 * n);
		keeps("dbgbcr", 2, 0, 0, n, 5, 0x1e4);
		keeps("dbgwvr", 2, 0, 0, n, 6, 0x4100 + 8 * n);
		keeps("dbgwcr", 2, 0, 0, n, 7, 0x1ff8);
	}
	keeps("pmselr", 3, 3, 9, 12, 5, 0x1f);
	keeps("pmuserenr", 3, 3, 9, 14, 0, ALL_ONES);
	keeps("pmevtyper0", 3, 3, 14, 12, 0, 0x11);
	keeps("pmccfiltr", 3, 3, 14, 15, 7, ALL_ONES);
	keeps("pmcntenset", 3, 3, 9, 12, 1, ALL_ONES);
	instruction(MSR_WORD(3, 3, 9, 12, 2), ALL_ONES, 0);
	keeps("pmintenset", 3, 0, 9, 14, 1, ALL_ONES);
	instruction(MSR_WORD(3, 0, 9, 14, 2), ALL_ONES, 0);
	keeps("pmovsset", 3, 3, 9, 14, 3, ALL_ONES);
	instruction(MSR_WORD(3, 3, 9, 12, 3), ALL_ONES, 0);
	instruction(MSR_WORD(2, 0, 1, 0, 4), 1, 0);
	say("register %s oslsr after lock = ", who());
	say_insn(MRS_WORD(2, 0, 1, 1, 4), 0, 0);
	instruction(MSR_WORD(2, 0, 1, 0, 4), 0, 0);
	say("register %s oslsr after unlock = ", who());
	say_insn(MRS_WORD(2, 0, 1, 1, 4), 0, 0);
	{
		u64 before = MRS(cntpct_el0), between = MRS(cntvct_el0), after = MRS(cntpct_el0);

		say("register %s counters = %s\n", who(), before <= between && between <= after ? "agree" : "differ");
	}
	say("register %s rndr = %s\n", who(), read_register(3, 3, 2, 4, 0) != read_register(3, 3, 2, 4, 0) ? "random" : "same");
	say("register %s rndrrs = %s\n", who(), read_register(3, 3, 2, 4, 1) != read_register(3, 3, 2, 4, 1) ? "random" : "same");
}

static void insn(const char *name, u32 word)
{
	say("insn %s %s = ", who(), name);
	say_insn(word, 0x41000000, 0);
}

void ask_instructions(void)
{
	u64 cpacr = MRS(cpacr_el1);

	insn("hlt #0", 0xd4400000);
	insn("hlt #1", 0xd4400020);
	insn("dcps1", 0xd4a00001);
	insn("dcps2", 0xd4a00002);
	insn("dcps3", 0xd4a00003);
	insn("brk #0", 0xd4200000);
	insn("brk #ffff", 0xd43fffe0);
	insn("svc #0", 0xd4000001);
	insn("svc #1234", 0xd4024681);
	insn("udf #0", 0x00000000);
	insn("wfe", 0xd503205f);
	insn("sev", 0xd503209f);
	insn("sevl", 0xd50320bf);
	insn("yield", 0xd503203f);
	insn("esb", 0xd503221f);
	insn("psb", 0xd503223f);
	insn("tsb", 0xd503225f);
	insn("csdb", 0xd503229f);
	insn("sb", 0xd50330ff);
	insn("ssbb", 0xd503309f);
	insn("pssbb", 0xd503349f);
	insn("dgh", 0xd50320df);
	insn("bti", 0xd503245f);
	insn("paciasp", 0xd503233f);
	insn("xpaclri", 0xd50320ff);
	insn("pacia", 0xdac10020);
	insn("xpaci", 0xdac143e0);
	insn("dc isw", 0xd5087640);
	insn("dc csw", 0xd5087a40);
	insn("dc cisw", 0xd5087e40);
	insn("dc ivac", 0xd5087620);
	insn("dc cvac", 0xd50b7a20);
	insn("dc cvau", 0xd50b7b20);
	insn("dc cvap", 0xd50b7c20);
	insn("dc cvadp", 0xd50b7d20);
	insn("dc civac", 0xd50b7e20);
	insn("dc igvac", 0xd5087660);
	insn("dc gva", 0xd50b7460);
	insn("ic ialluis", 0xd508711f);
	insn("ic iallu", 0xd508751f);
	insn("ic ivau", 0xd50b7520);
	insn("tlbi vmalle1", 0xd508871f);
	insn("tlbi vmalle1is", 0xd508831f);
	insn("tlbi vmalle1os", 0xd508811f);
	insn("tlbi rvae1is", 0xd5088220);
	insn("tlbi alle1", 0xd50c879f);
	insn("tlbi ipas2e1", 0xd50c8420);
	insn("tlbi alle2", 0xd50c871f);
	insn("at s1e1r", 0xd5087800);
	insn("at s1e1rp", 0xd5087900);
	insn("at s12e1r", 0xd50c7880);
	insn("at s1e2r", 0xd50c7800);
	insn("cfp rctx", 0xd50b7380);
	insn("dvp rctx", 0xd50b73a0);
	insn("cpp rctx", 0xd50b73e0);
	insn("irg", 0x9adf1000);
	insn("ldg", 0xd9600000);
	insn("rdvl, vectors off", 0x04bf5020);
	insn("ptrue, vectors off", 0x2518e3e0);
	insn("cntb, vectors off", 0x0420e3e0);
	insn("read zcr, vectors off", MRS_WORD(3, 0, 1, 2, 0));
	insn("smstart", 0xd503477f);
	insn("smstop", 0xd503467f);
	insn("rdsvl", 0x04bf5820);
	insn("read svcr", MRS_WORD(3, 3, 4, 2, 2));
	MSR(cpacr_el1, cpacr | (3 << 16));
	insn("rdvl", 0x04bf5020);
	insn("cntb", 0x0420e3e0);
	insn("read zcr", MRS_WORD(3, 0, 1, 2, 0));
	MSR(cpacr_el1, cpacr);
	MSR(cpacr_el1, 0);
	say("insn %s fmov, simd off = ", who());
	say_insn(0x9e660000, 0, 0);
	say("insn %s rdvl, all off = ", who());
	say_insn(0x04bf5020, 0, 0);
	MSR(cpacr_el1, cpacr);
}

/* Every system register encoding but MDCCINT_EL1, which on the real board leaves the target as it was; eight to a line: u Undefined, i an unallocated identification register, v another class, - not asked, or the value. */
void ask_every_register(void)
{
	u64 absent = 0;

	for (u32 op0 = 2; op0 < 4; op0++)
		for (u32 op1 = 0; op1 < 8; op1++)
			for (u32 crn = 0; crn < 16; crn++)
				for (u32 crm = 0; crm < 16; crm++) {
					char what[8];
					u64 values[8];
					bool any = false;

					for (u32 op2 = 0; op2 < 8; op2++) {
						u64 count = this_cpu()->count, value;
						u32 place = op1 << 16 | crn << 12 | crm << 8 | op2;

						/* Counters, random numbers, acknowledging. */
						if ((op0 == 2 && place == 0x00200) || (op0 == 3 && (place == 0x3e001 || place == 0x3e002 || place == 0x3e005 || place == 0x3e006 || place == 0x32400 || place == 0x32401 || place == 0x3e200 || place == 0x3e300 ||
								 place == 0x39d00 || place == 0x0c000 || place == 0x05200 || place == 0x06000 || place == 0x04001 || place == 0x04000 || place == 0x0d004))) {
							what[op2] = '-';
							continue;
						}
						value = read_register(op0, op1, crn, crm, op2);
						values[op2] = this_cpu()->count == count ? value : this_cpu()->esr;
						if (this_cpu()->count == count)
							what[op2] = ' ';
						else if (this_cpu()->esr == 0x2000000)
							what[op2] = 'u';
						else
							what[op2] = this_cpu()->esr >> 26 == 0x18 ? 'i' : 'v';
						any |= what[op2] != 'u';
					}
					absent += !any;
					if (!any)
						continue;
					say("sweep s%x_%x_c%x_c%x =", (u64)op0, (u64)op1, (u64)crn, (u64)crm);
					for (u32 op2 = 0; op2 < 8; op2++) {
						if (what[op2] == ' ')
							say(" %x", values[op2]);
						else if (what[op2] == 'v')
							say(" v%x", values[op2]);
						else
							say(" %c", what[op2]);
					}
					say("\n");
				}
	say("sweep rows of eight where all are undefined = %x\n", absent);
}
