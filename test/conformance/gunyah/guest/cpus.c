/* The primary VM's other CPUs: PSCI between CPUs, what they are entered with, who they are, what they keep over power-off and suspend. */
#include "probe.h"

/* Layout known to resume.S. */
struct resume {
	u64 kept[12], sp, tpidr, vbar, result;
};

u64 call_and_resume(struct resume *resume, u64 id, u64 state);
extern void resume_entry(void);

#define ON_32 0x84000003
#define ON_64 0xc4000003
#define INFO_32 0x84000004
#define INFO_64 0xc4000004
#define READ(...) MRS_WORD(__VA_ARGS__)
#define GICR(cpu) (0x080a0000ull + 0x20000ull * (cpu))
#define GICD 0x08000000ull

static u64 get(u32 word)
{
	return instruction(word, 0x5500aa, 0);
}

static void set(u32 word, u64 value)
{
	instruction(word, value, 0);
}

static void say_infos(const char *when)
{
	say("cpus info %s =", when);
	for (u64 n = 0; n < 8; n++)
		say(" %x", call(INFO_64, n, 0, 0));
	say("\n");
}

/* ---- Turning on ---- */

static void ask_refusals(void)
{
	static const u64 nobody[] = { 8, 9, 0xf, 0x10, 0x11, 0x17, 0x1f, 0x20, 0x40, 0x7f, 0x80, 0xfe, 0xff, 0x100, 0x101, 0x107, 0x1000, 0xff00, 0xff01, 0x10000, 0x10001, 0xff0000, 0xff0001, 0xffffff, 0xffffffff, 0x100000000ull, 0x100000001ull, 0x7f00000001ull, 0xff00000001ull };
	static const u64 same[] = { 0x80000001, 0x40000001, 0x01000001, 0x3f000001, 0xff000001, 0x10000000001ull, 0x8000000000000001ull, 0xffffff0000000001ull };

	for (u32 i = 0; i < sizeof(nobody) / sizeof(nobody[0]); i++) {
		say("cpus on of %x = %x", nobody[i], call(ON_64, nobody[i], (u64)other_cpu_entry, 1));
		say(" %x\n", nobody[i] >> 32 ? 0 : call(ON_32, nobody[i], (u64)other_cpu_entry, 1));
		say("cpus info of %x = %x", nobody[i], call(INFO_64, nobody[i], 0, 0));
		say(" %x\n", call(INFO_32, nobody[i], 0, 0));
	}
	for (u32 i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		u64 result = cpu_on(1, ON_64, same[i], 1);

		say("cpus on of %x = %x", same[i], result);
		say(" %x", call(ON_64, same[i], (u64)other_cpu_entry, 1));
		say(" %x", call(ON_32, same[i], (u64)other_cpu_entry, 1));
		say(" info %x", call(INFO_64, same[i], 0, 0));
		say(" %x\n", call(INFO_32, same[i], 0, 0));
		if (result == 0)
			cpu_off(1);
	}
}

static void ask_contexts(void)
{
	static const u64 contexts[] = { 1, 0xffffffffffffff01ull, 0x1122334455667789ull, 0x8000000080000001ull };

	for (u32 i = 0; i < 4; i++) {
		say("cpus context %x by 64 = %x", contexts[i], cpu_on(1, ON_64, 1, contexts[i]));
		say(" x0 %x\n", other_entry.x[0]);
		cpu_off(1);
		say("cpus context %x by 32 = %x", contexts[i], cpu_on(1, ON_32, 0xffffffff00000001ull, contexts[i]));
		say(" x0 %x\n", other_entry.x[0]);
		cpu_off(1);
	}
	say("cpus entry with high bits by 32 = %x", cpu_on_at(1, ON_32, 1, (u64)other_cpu_entry | 0x5500000000000000ull, 1));
	say(" info %x\n", call(INFO_64, 1, 0, 0));
	cpu_off(1);
}

static void ask_levels(const char *when)
{
	static const u64 levels[] = { 0, 1, 2, 3, 4, 0xff, 0x80000000, 0xffffffff, 0x100000000ull, 0x100000001ull };

	for (u32 i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		say("cpus %s level %x =", when, levels[i]);
		for (u64 n = 0; n < 3; n++) {
			say(" %x", call(INFO_64, n, levels[i], 0));
			say(" %x", call(INFO_32, n, levels[i], 0));
		}
		say("\n");
	}
}

/* ---- Who they are ---- */

static void say_self(u64 cpu)
{
	static const struct { const char *name; u32 word; } registers[] = {
		{ "mpidr", READ(3, 0, 0, 0, 5) }, { "midr", READ(3, 0, 0, 0, 0) }, { "revidr", READ(3, 0, 0, 0, 6) }, { "aidr", READ(3, 1, 0, 0, 7) }, { "ctr", READ(3, 3, 0, 0, 1) }, { "dczid", READ(3, 3, 0, 0, 7) }, { "clidr", READ(3, 1, 0, 0, 1) },
		{ "pfr0", READ(3, 0, 0, 4, 0) }, { "pfr1", READ(3, 0, 0, 4, 1) }, { "zfr0", READ(3, 0, 0, 4, 4) }, { "dfr0", READ(3, 0, 0, 5, 0) }, { "isar0", READ(3, 0, 0, 6, 0) }, { "isar1", READ(3, 0, 0, 6, 1) }, { "mmfr0", READ(3, 0, 0, 7, 0) }, { "mmfr1", READ(3, 0, 0, 7, 1) },
		{ "mmfr2", READ(3, 0, 0, 7, 2) }, { "cntfrq", READ(3, 3, 14, 0, 0) }, { "csselr", READ(3, 2, 0, 0, 0) }, { "isr", READ(3, 0, 12, 1, 0) }, { "icc ctlr", READ(3, 0, 12, 12, 4) }, { "icc sre", READ(3, 0, 12, 12, 5) }, { "icc pmr", READ(3, 0, 4, 6, 0) },
		{ "icc rpr", READ(3, 0, 12, 11, 3) }, { "icc igrpen0", READ(3, 0, 12, 12, 6) }, { "icc igrpen1", READ(3, 0, 12, 12, 7) }, { "oslsr", READ(2, 0, 1, 1, 4) }, { "mdscr", READ(2, 0, 0, 2, 2) }, { "dbgbcr0", READ(2, 0, 0, 0, 5) }, { "dbgwcr3", READ(2, 0, 0, 3, 7) },
		{ "pmcr", READ(3, 3, 9, 12, 0) }, { "pmcntenset", READ(3, 3, 9, 12, 1) }, { "pmceid0", READ(3, 3, 9, 12, 6) }, { "pmuserenr", READ(3, 3, 9, 14, 0) }, { "fpcr", READ(3, 3, 4, 4, 0) }, { "fpsr", READ(3, 3, 4, 4, 1) }, { "cntkctl", READ(3, 0, 14, 1, 0) },
		{ "cntp_ctl", READ(3, 3, 14, 2, 1) }, { "cntv_ctl", READ(3, 3, 14, 3, 1) }, { "actlr", READ(3, 0, 1, 0, 1) }, { "rndr", READ(3, 3, 2, 4, 5) }, { "lorid", READ(3, 0, 10, 4, 7) },
	};

	for (u32 i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
		if (cpu > 2 && i > 16)
			break;
		say("cpu %x %s = ", cpu, registers[i].name);
		say_insn(registers[i].word, 0, 0);
	}
	say("cpu %x sees info =", cpu);
	for (u64 n = 0; n < 8; n++)
		say(" %x", call(INFO_64, n, 0, 0));
	say("\n");
	say("cpu %x turns on 0 = %x\n", cpu, call(ON_64, 0, (u64)other_cpu_entry, 0));
	say("cpu %x turns on itself = %x\n", cpu, call(ON_64, cpu, (u64)other_cpu_entry, 0));
	say("cpu %x identifies = %x\n", cpu, call(0xc6008000, 0, 0, 0));
	say("cpu %x version = %x\n", cpu, call(0x84000000, 0, 0, 0));
	say("cpu %x gicd group, own = %x enable %x priority %x\n", cpu, (u64)read32(GICD + 0x80), (u64)read32(GICD + 0x100), (u64)read32(GICD + 0x41c));
	say("cpu %x gicr waker = %x\n", cpu, (u64)read32(GICR(cpu) + 0x14));
	write32(GICR(cpu) + 0x14, 2);
	say("cpu %x gicr waker asleep = %x\n", cpu, (u64)read32(GICR(cpu) + 0x14));
	write32(GICR(cpu) + 0x14, 0);
	say("cpu %x gicr waker awake = %x\n", cpu, (u64)read32(GICR(cpu) + 0x14));
}

/* ---- What is kept ---- */

struct kept { const char *name; u32 read; u64 value; };

static const struct kept kept[] = {
	{ "sctlr", READ(3, 0, 1, 0, 0), 0x30d00980 }, { "ttbr0", READ(3, 0, 2, 0, 0), 0x41000000 }, { "ttbr1", READ(3, 0, 2, 0, 1), 0x42000000 }, { "tcr", READ(3, 0, 2, 0, 2), 0x19 }, { "mair", READ(3, 0, 10, 2, 0), 0xff44 }, { "contextidr", READ(3, 0, 13, 0, 1), 0x77 },
	{ "tpidr_el0", READ(3, 3, 13, 0, 2), 0x1234 }, { "tpidrro_el0", READ(3, 3, 13, 0, 3), 0x5678 }, { "esr", READ(3, 0, 5, 2, 0), 0x5600004f }, { "far", READ(3, 0, 6, 0, 0), 0x1000 }, { "spsr", READ(3, 0, 4, 0, 0), 0x3c4 },
	{ "par", READ(3, 0, 7, 4, 0), 0x801 }, { "csselr", READ(3, 2, 0, 0, 0), 1 }, { "sp_el0", READ(3, 0, 4, 1, 0), 0x3000 }, { "cntkctl", READ(3, 0, 14, 1, 0), 3 }, { "cntv_cval", READ(3, 3, 14, 3, 2), 0x123456789ull }, { "cntp_cval", READ(3, 3, 14, 2, 2), 0x12345678aull },
	{ "cntv_ctl", READ(3, 3, 14, 3, 1), 2 }, { "cntp_ctl", READ(3, 3, 14, 2, 1), 2 }, { "mdscr", READ(2, 0, 0, 2, 2), 0x1000 }, { "dbgbvr1", READ(2, 0, 0, 1, 4), 0x1000 }, { "dbgbcr1", READ(2, 0, 0, 1, 5), 0x1e4 }, { "dbgwvr1", READ(2, 0, 0, 1, 6), 0x1000 }, { "dbgwcr1", READ(2, 0, 0, 1, 7), 0x1ff4 },
	{ "pmcr", READ(3, 3, 9, 12, 0), 0x40 }, { "pmcntenset", READ(3, 3, 9, 12, 1), 1 }, { "pmintenset", READ(3, 0, 9, 14, 1), 3 }, { "pmselr", READ(3, 3, 9, 12, 5), 3 }, { "pmuserenr", READ(3, 3, 9, 14, 0), 1 }, { "pmevtyper0", READ(3, 3, 14, 12, 0), 0x11 }, { "fpcr", READ(3, 3, 4, 4, 0), 0x1000000 }, { "fpsr", READ(3, 3, 4, 4, 1), 0x1f },
	{ "tpidr2", READ(3, 3, 13, 0, 5), 0x99 }, { "afsr0", READ(3, 0, 5, 1, 0), 1 }, { "amair", READ(3, 0, 10, 3, 0), 1 }, { "icc pmr", READ(3, 0, 4, 6, 0), 0xa0 }, { "icc bpr0", READ(3, 0, 12, 8, 3), 4 }, { "icc bpr1", READ(3, 0, 12, 12, 3), 5 }, { "icc ctlr", READ(3, 0, 12, 12, 4), 2 },
	{ "icc ap1r0", READ(3, 0, 12, 9, 0), 0x100 }, { "icc igrpen0", READ(3, 0, 12, 12, 6), 1 }, { "icc igrpen1", READ(3, 0, 12, 12, 7), 1 },
};

static void spoil(u64 cpu)
{
	set(MSR_WORD(3, 0, 12, 12, 6), 1);
	set(MSR_WORD(3, 0, 12, 12, 7), 1);
	for (u32 i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		set(kept[i].read & ~(1u << 21), kept[i].value);
	write32(GICR(cpu) + 0x10080, 0xffff00ff);
	write32(GICR(cpu) + 0x10100, 0x00000011);
	write32(GICR(cpu) + 0x10404, 0x90a0b0c0);
	write32(GICR(cpu) + 0x10200, 0x00000020);
	write32(GICR(cpu) + 0x10300, 0x00000040);
	write32(GICR(cpu) + 0x10c04, 0x00800000);
}

static void say_kept(const char *when, u64 cpu)
{
	for (u32 i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		say("cpus kept over %s %s = ", when, kept[i].name);
		say_insn(kept[i].read, 0, 0);
	}
	say("cpus kept over %s gicr = group %x enable %x pending %x active %x priority %x configuration %x waker %x\n", when, (u64)read32(GICR(cpu) + 0x10080), (u64)read32(GICR(cpu) + 0x10100), (u64)read32(GICR(cpu) + 0x10200), (u64)read32(GICR(cpu) + 0x10300),
	    (u64)read32(GICR(cpu) + 0x10404), (u64)read32(GICR(cpu) + 0x10c04), (u64)read32(GICR(cpu) + 0x14));
}

static void clean(u64 cpu)
{
	write32(GICR(cpu) + 0x10180, ~0u);
	write32(GICR(cpu) + 0x10280, ~0u);
	write32(GICR(cpu) + 0x10380, ~0u);
	write32(GICR(cpu) + 0x10080, 0);
	write32(GICR(cpu) + 0x10404, 0);
	write32(GICR(cpu) + 0x10c04, 0);
	set(MSR_WORD(3, 0, 12, 9, 0), 0);
	set(MSR_WORD(3, 0, 12, 8, 3), 0);
	set(MSR_WORD(3, 0, 12, 12, 3), 0);
	set(MSR_WORD(3, 0, 12, 12, 4), 0);
	set(MSR_WORD(3, 0, 4, 6, 0), 0xff);
	set(MSR_WORD(3, 0, 12, 12, 6), 0);
	set(MSR_WORD(3, 0, 1, 0, 0), 0x30d00800);
	set(MSR_WORD(2, 0, 0, 2, 2), 0);
	set(MSR_WORD(2, 0, 0, 1, 5), 0);
	set(MSR_WORD(2, 0, 0, 1, 7), 0);
	set(MSR_WORD(3, 3, 14, 3, 1), 0);
	set(MSR_WORD(3, 3, 14, 2, 1), 0);
	set(MSR_WORD(3, 3, 9, 12, 0), 6);
	set(MSR_WORD(3, 3, 9, 12, 2), ~0u);
	set(MSR_WORD(3, 0, 9, 14, 2), ~0u);
	set(MSR_WORD(3, 3, 4, 4, 0), 0);
}

static void say_kept_off(u64 cpu)
{
	say_kept("off", cpu);
	clean(cpu);
}

static void say_kept_off_awake(u64 cpu)
{
	set(MSR_WORD(3, 0, 12, 12, 6), 1);
	set(MSR_WORD(3, 0, 12, 12, 7), 1);
	say_kept("off, groups enabled", cpu);
}

static void ask_off(void)
{
	cpu_on(1, ON_64, 1, 1);
	cpu_do(1, spoil, 1);
	cpu_off(1);
	say("cpus gicr of off = group %x enable %x pending %x active %x priority %x waker %x\n", (u64)read32(GICR(1) + 0x10080), (u64)read32(GICR(1) + 0x10100), (u64)read32(GICR(1) + 0x10200), (u64)read32(GICR(1) + 0x10300), (u64)read32(GICR(1) + 0x10404), (u64)read32(GICR(1) + 0x14));
	cpu_on(1, ON_64, 1, 1);
	say_state("again", &other_entry);
	cpu_do(1, say_kept_off_awake, 1);
	cpu_do(1, say_kept_off, 1);
	cpu_off(1);
}

/* ---- Suspending ---- */

static struct resume saved;

static void arm(u64 ticks)
{
	set(MSR_WORD(3, 0, 4, 6, 0), 0xff);
	set(MSR_WORD(3, 0, 12, 12, 7), 1);
	write32(GICD, 3);
	write32(GICR(this_cpu() - cpus) + 0x10080, 1u << 27);
	write32(GICR(this_cpu() - cpus) + 0x10100, 1u << 27);
	MSR(cntv_tval_el0, ticks);
	MSR(cntv_ctl_el0, 1);
}

static void disarm(void)
{
	u64 taken;

	MSR(cntv_ctl_el0, 0);
	taken = get(READ(3, 0, 12, 12, 0));
	if (taken < 1020)
		set(MSR_WORD(3, 0, 12, 12, 1), taken);
	say(" took %x\n", taken);
	/* The level may still be on its way. */
	delay(300);
	taken = get(READ(3, 0, 12, 12, 0));
	if (taken < 1020)
		set(MSR_WORD(3, 0, 12, 12, 1), taken);
	write32(GICR(this_cpu() - cpus) + 0x10180, 1u << 27);
}

static void suspend(u64 id, u64 state)
{
	u64 came;

	/* States below that of running, which the real hypervisor hands to a board that does not wake from them, are not asked. */
	say("cpus suspend on %x by %x to %x = ", (u64)(this_cpu() - cpus), id, state);
	saved.result = 0x55;
	arm(2000000);
	came = call_and_resume(&saved, id, state);
	if (came)
		say("enters, x0 %s x1 %x sctlr %x daif %x vbar %x cntv_ctl %x pmr %x", other_entry.x[0] == (u64)&saved ? "context" : "else", other_entry.x[1], other_entry.sctlr, other_entry.daif, other_entry.vbar, other_entry.cntv, get(READ(3, 0, 4, 6, 0)));
	else
		say("returns %x", saved.result);
	set(MSR_WORD(3, 0, 4, 6, 0), 0xff);
	set(MSR_WORD(3, 0, 12, 12, 7), 1);
	disarm();
}

static void ask_suspends(u64 cpu)
{
	static const u64 states[] = { 0, 0x10, 0xff0, 0xfff0, 0x10000, 0x10010, 0x1fff0, 0x20000, 0x1000000, 0x1010000, 0x40000000, 0x40010000, 0x80000000, 0xfffefff0, 0xfffffff0, 0x100000000ull, 0x100010000ull };

	for (u32 i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		suspend(0x84000001, states[i]);
		suspend(0xc4000001, states[i]);
	}
	(void)cpu;
}

static void spoil_and_suspend(u64 cpu)
{
	arm(2000000);
	spoil(cpu);
	MSR(cntv_tval_el0, 2000000);
	MSR(cntv_ctl_el0, 1);
	write32(GICR(cpu) + 0x10100, 1u << 27);
	set(MSR_WORD(3, 0, 12, 9, 0), 0);
	set(MSR_WORD(3, 0, 4, 6, 0), 0xff);
	write32(GICR(cpu) + 0x10280, ~0u);
	write32(GICR(cpu) + 0x10380, ~0u);
	if (call_and_resume(&saved, 0xc4000001, 0x10000) != 1)
		say("cpus spoiled suspend does not enter: %x\n", saved.result);
	MSR(cntv_ctl_el0, 2);
	MSR(cntv_cval_el0, 0x77);
	say_kept("suspend", cpu);
	clean(cpu);
}

/* What a CPU has when it is suspended it has again when it is turned on, what it sets after that it has not; a wait for an interrupt keeps nothing. */
static bool by_suspend;

static void wait_and_set(u64 cpu)
{
	MSR(tpidr_el0, 0x1111);
	MSR(ttbr0_el1, 0x1111000);
	MSR(contextidr_el1, 0x11);
	arm(2000000);
	if (by_suspend)
		call(0xc4000001, 0, 0, 0);
	else
		__asm__ volatile("wfi");
	MSR(tpidr_el0, 0x2222);
	MSR(ttbr0_el1, 0x2222000);
	MSR(contextidr_el1, 0x22);
	say("cpu %x after %s =", cpu, by_suspend ? "suspend" : "wfi");
	disarm();
	set(MSR_WORD(3, 0, 4, 6, 0), 0xa0);
	set(MSR_WORD(3, 0, 12, 8, 3), 4);
	set(MSR_WORD(3, 0, 12, 12, 3), 5);
	set(MSR_WORD(3, 0, 12, 12, 4), 2);
	MSR(cntkctl_el1, 3);
}

/* Groups are not enabled again: a CPU of the real machine hangs there. */
static void say_waited(u64 cpu)
{
	say("cpu %x on after %s, interface = igrpen1 %x pmr %x ctlr %x\n", cpu, by_suspend ? "suspend" : "wfi", get(READ(3, 0, 12, 12, 7)), get(READ(3, 0, 4, 6, 0)), get(READ(3, 0, 12, 12, 4)));
}

static void ask_wait(bool suspends)
{
	by_suspend = suspends;
	cpu_on(2, ON_64, 2, 2);
	cpu_do(2, wait_and_set, 2);
	cpu_off(2);
	cpu_on(2, ON_64, 2, 2);
	say("cpu 2 on after %s = tpidr_el0 %x ttbr0 %x contextidr %x cntkctl %x cntv_ctl %x vbar %s sp %s\n", by_suspend ? "suspend" : "wfi", other_entry.tpidr0, other_entry.ttbr0, other_entry.contextidr, other_entry.cntkctl, other_entry.cntv, other_entry.vbar ? "kept" : "0", other_entry.sp ? "kept" : "0");
	cpu_do(2, say_waited, 2);
	cpu_off(2);
	write32(GICD, 0);
}

static void turn_on_next(u64 cpu)
{
	say("cpu %x turns on %x = %x\n", cpu, cpu + 1, cpu_on((u32)cpu + 1, ON_64, cpu + 1, cpu + 1));
}

void ask_cpus(void)
{
	write32(GICD, 0);
	say_infos("at first");
	ask_off();
	cpu_on(1, ON_64, 1, 1);
	cpu_do(1, spoil_and_suspend, 1);
	cpu_off(1);
	ask_levels("alone,");
	ask_refusals();
	ask_contexts();
	say("cpus on 1 = %x\n", cpu_on(1, ON_64, 1, 0xabcdef01));
	say_state("other", &other_entry);
	ask_levels("with 1 on,");
	for (u64 n = 1; n < 8; n++) {
		if (n > 1)
			say("cpus on %x = %x\n", n, cpu_on((u32)n, n & 1 ? ON_64 : ON_32, n, n));
		cpu_do((u32)n, say_self, n);
		say_infos("one more");
		if (n != 1)
			cpu_off((u32)n);
	}
	for (u64 n = 1; n < 7; n++)
		cpu_do((u32)n, turn_on_next, n);
	say_infos("all on");
	cpu_do(7, ask_suspends, 7);
	cpus_off();
	say_infos("all off");
	ask_suspends(0);
	ask_wait(false);
	ask_wait(true);
}
