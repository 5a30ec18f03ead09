/* The processor with its first stage of translation on: what every form of access finds on pages of every kind, from both exception levels; what remains of writes to system registers; hints. */
#include "probe.h"

#define DEVICES 0x0ull
#define WINDOW 0x80000000ull
#define TARGET 0x60000000ull
#define NOTHING 0x90000000ull
#define TABLE 3ull
#define BLOCK 1ull
#define PAGE 3ull
#define NORMAL (0ull << 2)
#define DEVICE (1ull << 2)
#define UNCACHED (2ull << 2)
#define EL0 (1ull << 6)
#define READ_ONLY (2ull << 6)
#define SHARED (3ull << 8)
#define ACCESSED (1ull << 10)
#define NO_KERNEL_FETCH (1ull << 53)
#define NO_FETCH (1ull << 54)

static u64 level1[512] __attribute__((aligned(4096)));
static u64 level2[512] __attribute__((aligned(4096)));
static u64 level3[512] __attribute__((aligned(4096)));

/* ---- One instruction at EL0, by vectors of its own ---- */

__asm__(
	"	.section .text.user, \"ax\"\n"
	"	.global user_run\n"
	"	.global user_site\n"
	"user_run:\n"
	"	stp	x29, x30, [sp, #-112]!\n"
	"	stp	x19, x20, [sp, #16]\n"
	"	stp	x21, x22, [sp, #32]\n"
	"	stp	x23, x24, [sp, #48]\n"
	"	stp	x25, x26, [sp, #64]\n"
	"	stp	x27, x28, [sp, #80]\n"
	"	mrs	x2, vbar_el1\n"
	"	str	x2, [sp, #96]\n"
	"	ldr	x2, =user_vectors\n"
	"	msr	vbar_el1, x2\n"
	"	msr	elr_el1, x3\n"
	"	mov	x2, #0x3c0\n"
	"	msr	spsr_el1, x2\n"
	"	mov	x2, #0\n"
	"	isb\n"
	"	eret\n"
	"user_back:\n"
	"	mrs	x1, tpidr_el1\n"
	"	mrs	x2, esr_el1\n"
	"	str	x2, [x1]\n"
	"	mrs	x2, far_el1\n"
	"	str	x2, [x1, #8]\n"
	"	ldr	x2, [sp, #96]\n"
	"	msr	vbar_el1, x2\n"
	"	isb\n"
	"	ldp	x19, x20, [sp, #16]\n"
	"	ldp	x21, x22, [sp, #32]\n"
	"	ldp	x23, x24, [sp, #48]\n"
	"	ldp	x25, x26, [sp, #64]\n"
	"	ldp	x27, x28, [sp, #80]\n"
	"	ldp	x29, x30, [sp], #112\n"
	"	ret\n"
	"	.balign	0x800\n"
	"user_vectors:\n"
	"	.space	0x400\n"
	"	b	user_back\n"
	"	.balign	0x80\n"
	"	b	user_back\n"
	"	.balign	0x80\n"
	"	b	user_back\n"
	"	.balign	0x80\n"
	"	b	user_back\n"
	"	.text\n");

u64 user_run(u64 x0, u64 x1, u64 x2, u64 at);
static u32 *user_site;

static void user(u32 word, u64 x0, u64 x1)
{
	u64 value;

	user_site[0] = word;
	user_site[1] = 0xd41579a1; /* svc #abcd */
	__asm__ volatile("dc cvau, %0\n\tdsb ish\n\tic ivau, %0\n\tdsb ish\n\tisb" :: "r"(user_site) : "memory");
	value = user_run(x0, x1, 0, (u64)user_site);
	if (this_cpu()->esr == 0x5600abcd)
		say("ok %x\n", value);
	else if (this_cpu()->esr >> 26 >= 0x20 && this_cpu()->esr >> 26 <= 0x25)
		say("esr %x far %x\n", this_cpu()->esr, this_cpu()->far);
	else
		say("esr %x\n", this_cpu()->esr);
}

/* ---- Pages ---- */

struct form {
	const char *name;
	u32 word;
};

static const struct form forms[] = {
	{ "ldr w", 0xb9400000 }, { "str w", 0xb9000001 }, { "ldtr w", 0xb8400800 }, { "sttr w", 0xb8000801 }, { "ldp x", 0xa9400c02 }, { "stp x", 0xa9000401 }, { "ldr q", 0x3dc00000 }, { "str q", 0x3d800001 },
	{ "ldar w", 0x88dffc00 }, { "stlr w", 0x889ffc01 }, { "stxr w", 0x88027c01 }, { "ldxr w", 0x885f7c00 }, { "ldxp x", 0xc87f0c02 }, { "cas w", 0x88a27c01 }, { "casp x", 0x48227c00 }, { "ldadd w", 0xb8220001 }, { "swp x", 0xf8228001 },
	{ "prfm", 0xf9800000 }, { "dc zva", 0xd50b7420 }, { "dc cvac", 0xd50b7a20 }, { "dc cvau", 0xd50b7b20 }, { "dc cvap", 0xd50b7c20 }, { "dc cvadp", 0xd50b7d20 }, { "dc civac", 0xd50b7e20 }, { "ic ivau", 0xd50b7520 }, { "dc ivac", 0xd5087620 },
	{ "ld1", 0x4c40a000 }, { "st1 one", 0x4d008400 }, { "ldur unaligned", 0xb8401000 }, { "stur unaligned", 0xb8001001 }, { "ldur q unaligned", 0x3cc01000 }, { "ldur across", 0xf84fe000 },
};
static const struct form translations[] = { { "s1e1r", 0xd5087800 }, { "s1e1w", 0xd5087820 }, { "s1e0r", 0xd5087840 }, { "s1e0w", 0xd5087860 }, { "s1e1rp", 0xd5087900 }, { "s1e1wp", 0xd5087920 } };

static const struct page {
	const char *name;
	u64 descriptor;
} pages[] = {
	{ "invalid", 0 },
	{ "plain", TARGET | SHARED | ACCESSED | PAGE },
	{ "read-only", TARGET | READ_ONLY | SHARED | ACCESSED | PAGE },
	{ "device", TARGET | DEVICE | ACCESSED | PAGE },
	{ "uncached", TARGET | UNCACHED | ACCESSED | PAGE },
	{ "not accessed", TARGET | SHARED | PAGE },
	{ "user", TARGET | EL0 | SHARED | ACCESSED | PAGE },
	{ "user read-only", TARGET | EL0 | READ_ONLY | SHARED | ACCESSED | PAGE },
	{ "no fetch", TARGET | EL0 | NO_KERNEL_FETCH | NO_FETCH | SHARED | ACCESSED | PAGE },
	{ "nothing behind", NOTHING | EL0 | SHARED | ACCESSED | PAGE },
	{ "reserved", TARGET | SHARED | ACCESSED | BLOCK },
	{ "36 bits", 0x1000000000ull | SHARED | ACCESSED | PAGE },
	{ "40 bits", 0x10000000000ull | SHARED | ACCESSED | PAGE },
	{ "gic", 0x08000000 | DEVICE | EL0 | ACCESSED | PAGE },
	{ "gic as memory", 0x08000000 | SHARED | EL0 | ACCESSED | PAGE },
};
#define PAGES (sizeof(pages) / sizeof(pages[0]))

static void tables(void)
{
	level1[0] = DEVICES | DEVICE | ACCESSED | BLOCK;
	level1[1] = 0x40000000 | SHARED | ACCESSED | BLOCK;
	level1[2] = (u64)level2 | TABLE;
	level1[3] = NOTHING | TABLE;
	level1[4] = 0x1000000000ull | TABLE;
	level2[0] = (u64)level3 | TABLE;
	level2[2] = NOTHING | TABLE;
	/* Every second page; between them nothing. */
	for (u32 n = 0; n < PAGES; n++)
		level3[2 * n] = pages[n].descriptor;
	/* An EL0 page over the code that runs there. */
	level3[100] = ((u64)user_site & ~0xfffull) | EL0 | READ_ONLY | SHARED | ACCESSED | PAGE;
}

static void translation_on(u64 more)
{
	MSR(mair_el1, 0x4400ff);
	MSR(tcr_el1, 25 | 1ull << 8 | 1ull << 10 | 3ull << 12 | 1ull << 23 | 1ull << 32);
	MSR(ttbr0_el1, level1);
	__asm__ volatile("dsb ish\n\ttlbi vmalle1\n\tdsb ish\n\tisb" ::: "memory");
	MSR(sctlr_el1, MRS(sctlr_el1) | 0x1005 | more);
}

static void translation_off(u64 sctlr)
{
	MSR(sctlr_el1, sctlr);
	__asm__ volatile("dsb ish\n\ttlbi vmalle1\n\tdsb ish\n\tisb" ::: "memory");
}

static void ask_page(const char *name, u64 address)
{
	for (u32 i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		__asm__ volatile("clrex");
		say("page %s %s = ", name, forms[i].name);
		say_insn(forms[i].word, address + 0x40, 0);
	}
	for (u32 i = 0; i < sizeof(translations) / sizeof(translations[0]); i++) {
		MSR(par_el1, 0);
		say("page %s at %s = ", name, translations[i].name);
		say_insn(translations[i].word, address + 0x44, 0);
		say("page %s par %s = %x\n", name, translations[i].name, MRS(par_el1));
	}
}

static void ask_fetch(const char *name, u64 address)
{
	struct cpu *cpu = this_cpu();
	u64 count = cpu->count;

	jump_run(address);
	say("page %s fetch = ", name);
	if (cpu->count == count)
		say("returned\n");
	else
		say("esr %x far %x\n", cpu->esr, cpu->far);
}

static void ask_pages(void)
{
	write64(TARGET, 0xd65f03c0d65f03c0ull);
	write64(TARGET + 0x40, 0xd65f03c0d65f03c0ull);
	for (u32 n = 0; n < PAGES; n++) {
		ask_page(pages[n].name, WINDOW + 0x2000 * n);
		if (n < 10)
			ask_fetch(pages[n].name, WINDOW + 0x2000 * n);
	}
	ask_page("no table of level 2", WINDOW + 0x600000);
	ask_page("table of nothing", 0xc0000000);
	ask_page("table beyond", 0x100000000ull);
	ask_page("no level 1", 0x140000000ull);
	ask_page("beyond 39 bits", 0x8000000000ull);
	ask_page("upper half", 0xffffff8000000000ull);
	ask_page("tagged", 0x5500000000000000ull | (WINDOW + 0x2000));
	ask_page("level 2 of nothing", WINDOW + 0x400000);
}

static void ask_users(void)
{
	static const struct form instructions[] = {
		{ "hvc #0", 0xd4000002 }, { "smc #0", 0xd4000003 }, { "svc #7", 0xd40000e1 }, { "brk #3", 0xd4200060 }, { "hlt #0", 0xd4400000 }, { "udf", 0 }, { "wfe", 0xd503205f }, { "wfi", 0xd503207f }, { "eret", 0xd69f03e0 }, { "daifset", 0xd5034fdf }, { "daifclr", 0xd50342ff },
		{ "msr pan", 0xd500419f }, { "msr spsel", 0xd50041bf }, { "msr dit", 0xd503415f }, { "msr ssbs", 0xd503413f }, { "tlbi", 0xd508871f }, { "ic iallu", 0xd508751f }, { "dc isw", 0xd5087640 }, { "at", 0xd5087800 },
		{ "mrs midr", 0xd5380000 }, { "mrs isar0", 0xd5380600 }, { "mrs ctr", 0xd53b0020 }, { "mrs dczid", 0xd53b00e0 }, { "mrs cntvct", 0xd53be040 }, { "mrs cntpct", 0xd53be020 }, { "mrs cntfrq", 0xd53be000 }, { "mrs cntv_ctl", 0xd53be320 }, { "mrs cntp_ctl", 0xd53be220 },
		{ "mrs daif", 0xd53b4220 }, { "mrs nzcv", 0xd53b4200 }, { "mrs currentel", 0xd5384240 }, { "mrs sctlr", 0xd5381000 }, { "mrs tpidr_el0", 0xd53bd040 }, { "mrs tpidrro", 0xd53bd060 }, { "msr tpidrro", 0xd51bd060 }, { "mrs tpidr2", 0xd53bd0a0 },
		{ "mrs pmccntr", 0xd53b9d00 }, { "mrs pmcr", 0xd53b9c00 }, { "mrs mdccsr", 0xd5330100 }, { "mrs dbgdtr", 0xd5330400 }, { "mrs mdscr", 0xd5300240 }, { "mrs icc_pmr", 0xd5384600 }, { "mrs hcr_el2", 0xd53c1100 }, { "mrs scxtnum_el0", 0xd53bd0e0 },
		{ "cfp", 0xd50b7380 }, { "dc zva", 0xd50b7420 }, { "dc cvac", 0xd50b7a20 }, { "dc cvau", 0xd50b7b20 }, { "dc cvap", 0xd50b7c20 }, { "dc civac", 0xd50b7e20 }, { "dc ivac", 0xd5087620 }, { "ic ivau", 0xd50b7520 }, { "fmov", 0x9e660000 }, { "rdvl", 0x04bf5020 },
	};
	static const u64 controls[] = { 0, 1ull << 26 | 1ull << 15 | 1ull << 14 | 1ull << 16 | 1ull << 18 | 1ull << 9 };

	for (u32 c = 0; c < 2; c++) {
		u64 sctlr = MRS(sctlr_el1);

		MSR(sctlr_el1, (sctlr & ~controls[1]) | controls[c]);
		MSR(cntkctl_el1, c ? 0x303 : 0);
		MSR(s3_3_c9_c14_0, c ? 15 : 0);
		MSR(cpacr_el1, c ? 0x330000 : 0x110000);
		for (u32 i = 0; i < sizeof(instructions) / sizeof(instructions[0]); i++) {
			if (c && (i == 23 || i == 24 || (i > 35 && i < 38) || i == 7))
				continue;
			say("user %s %s = ", c ? "allowed" : "refused", instructions[i].name);
			user(instructions[i].word, TARGET, 0);
		}
		MSR(s3_3_c9_c14_0, 0);
		MSR(cpacr_el1, 3 << 20);
		MSR(cntkctl_el1, 0);
		MSR(sctlr_el1, sctlr);
	}
}

static void ask_hints(void)
{
	for (u32 n = 0; n < 128; n++) {
		struct cpu *cpu = this_cpu();
		u64 count = cpu->count, value;

		if (n == 3)
			continue;
		value = instruction(0xd503201f | n << 5, 0x5500aa, 1);
		if (cpu->count != count || value != 0x5500aa)
			say("hint %x = %x %x\n", (u64)n, cpu->count == count ? 0 : cpu->esr, value);
	}
	say("hints = asked\n");
}

/* Writing all ones and all zeros to every register that can be read and written, but those that this guest stands on. */
static void ask_writes(void)
{
	for (u32 op0 = 2; op0 < 4; op0++)
		for (u32 op1 = 0; op1 < 8; op1++)
			for (u32 crn = 0; crn < 16; crn++)
				for (u32 crm = 0; crm < 16; crm++)
					for (u32 op2 = 0; op2 < 8; op2++) {
						u32 place = op0 << 20 | op1 << 16 | crn << 12 | crm << 8 | op2;
						u64 count = this_cpu()->count, old, ones, other, zeros;

						if (place == 0x301000 || place == 0x30c000 || place == 0x30d004 || (op0 == 3 && op1 == 0 && crn == 12) || place == 0x304200 || place == 0x334201 || place == 0x304600 || place == 0x332400 || place == 0x332401 ||
						    place == 0x33e001 || place == 0x33e002 || place == 0x33e005 || place == 0x33e006 || place == 0x33e200 || place == 0x33e300 || place == 0x339c00 || place == 0x339d00 || place == 0x33e201 || place == 0x33e301 || place == 0x33e202 || place == 0x33e302)
							continue;
						old = read_register(op0, op1, crn, crm, op2);
						if (this_cpu()->count != count)
							continue;
						instruction(MSR_WORD(op0, op1, crn, crm, op2), ALL_ONES, 0);
						if (this_cpu()->count != count)
							continue;
						ones = read_register(op0, op1, crn, crm, op2);
						instruction(MSR_WORD(op0, op1, crn, crm, op2), 0x5555555555555555ull, 0);
						other = read_register(op0, op1, crn, crm, op2);
						instruction(MSR_WORD(op0, op1, crn, crm, op2), 0, 0);
						zeros = read_register(op0, op1, crn, crm, op2);
						instruction(MSR_WORD(op0, op1, crn, crm, op2), old, 0);
						say("written s%x_%x_c%x_c%x_%x = ones %x 55 %x zeros %x\n", (u64)op0, (u64)op1, (u64)crn, (u64)crm, (u64)op2, ones, other, zeros);
					}
}

void ask_processor(void)
{
	u64 sctlr = MRS(sctlr_el1);

	user_site = (u32 *)TARGET + 0x1000 / 4;
	/* What vector registers hold is seen. */
	instruction(0x6f00e400, 0, 0); /* movi v0.2d, #0 */
	instruction(0x6f00e401, 0, 0); /* movi v1.2d, #0 */
	tables();
	ask_hints();
	ask_users();
	translation_on(0);
	ask_pages();
	translation_off(sctlr);
	ask_writes();
}
