/* Accesses of every form to what is not there, to devices, to the interrupt controller's frames: values or syndromes. */
#include "probe.h"

struct form {
	const char *name;
	u32 word;
	u8 size; /* 0: not a plain access */
	bool store;
};

/* x0 is the address, x1 the value. */
static const struct form forms[] = {
	{ "ldrb", 0x39400000, 1, false }, { "ldrh", 0x79400000, 2, false }, { "ldr w", 0xb9400000, 4, false }, { "ldr x", 0xf9400000, 8, false },
	{ "strb", 0x39000001, 1, true }, { "strh", 0x79000001, 2, true }, { "str w", 0xb9000001, 4, true }, { "str x", 0xf9000001, 8, true },
	{ "ldrsb w", 0x39c00000, 1, false }, { "ldrsb x", 0x39800000, 1, false }, { "ldrsh x", 0x79800000, 2, false }, { "ldrsw", 0xb9800000, 4, false },
	{ "ldur w", 0xb8400000, 4, false }, { "stur w", 0xb8000001, 4, true }, { "ldtr w", 0xb8400800, 4, false }, { "sttr w", 0xb8000801, 4, true },
	{ "ldar w", 0x88dffc00, 4, false }, { "ldar x", 0xc8dffc00, 8, false }, { "ldarb", 0x08dffc00, 1, false }, { "stlr w", 0x889ffc01, 4, true }, { "ldapr w", 0xb8bfc000, 4, false }, { "ldapur w", 0x99400000, 4, false },
	{ "ldr w post", 0xb8404402, 0, false }, { "ldr w pre", 0xb8400c02, 0, false }, { "str w post", 0xb8004401, 0, true },
	{ "ldp w", 0x29400800, 0, false }, { "ldp x", 0xa9400800, 0, false }, { "stp x", 0xa9000401, 0, true }, { "ldpsw", 0x69400800, 0, false },
	{ "ldxr w", 0x885f7c00, 0, false }, { "ldaxr x", 0xc85ffc00, 0, false }, { "cas w", 0x88a17c02, 0, true }, { "swp w", 0xb8218002, 0, true }, { "ldadd w", 0xb8210002, 0, true },
	{ "ldr q", 0x3dc00000, 0, false }, { "str q", 0x3d800001, 0, true }, { "ldr d", 0xfd400000, 0, false }, { "ldr s", 0xbd400000, 0, false }, { "str s", 0xbd000001, 0, true },
	{ "dc zva", 0xd50b7420, 0, true },
};

static void access(const char *place, u64 address, const struct form *form, u64 value)
{
	say("access %s %s = ", place, form->name);
	say_insn(form->word, address, value);
}

void every_form(const char *place, u64 address)
{
	/* DC ZVA last, and only at the beginning of its block. */
	for (u32 i = 0; i < sizeof(forms) / sizeof(forms[0]) - (address % 64 != 0); i++)
		access(place, address, &forms[i], 0);
}

void every_maintenance(const char *place, u64 address)
{
	static const struct form maintenance[] = {
		{ "dc cvac", 0xd50b7a20, 0, false }, { "dc cvau", 0xd50b7b20, 0, false }, { "dc civac", 0xd50b7e20, 0, false }, { "dc ivac", 0xd5087620, 0, false }, { "ic ivau", 0xd50b7520, 0, false },
		{ "dc zva", 0xd50b7420, 0, true }, { "stxr w", 0x88027c01, 0, true }, { "stlxr x", 0xc802fc01, 0, true }, { "stxp x", 0xc8220c01, 0, true }, { "casp x", 0x48207c02, 0, true }, { "prfm pst", 0xf9800010, 0, false },
	};
	static const struct form translations[] = { { "s1e1r", 0xd5087800, 0, false }, { "s1e1w", 0xd5087820, 0, true }, { "s1e0r", 0xd5087840, 0, false }, { "s1e0w", 0xd5087860, 0, true }, { "s1e1rp", 0xd5087900, 0, false }, { "s1e1wp", 0xd5087920, 0, true } };
	static const u8 offsets[] = { 0, 0x24, 0x3f };

	for (u32 i = 0; i < sizeof(maintenance) / sizeof(maintenance[0]); i++) {
		u32 count = i < 6 ? sizeof(offsets) : 1;

		for (u32 j = 0; j < count; j++) {
			__asm__ volatile("clrex");
			say("maintain %s + %x %s = ", place, (u64)offsets[j], maintenance[i].name);
			say_insn(maintenance[i].word, address + offsets[j], 0);
		}
	}
	for (u32 i = 0; i < sizeof(translations) / sizeof(translations[0]); i++) {
		say("translate %s %s = ", place, translations[i].name);
		say_insn(translations[i].word, address + 0x24, 0);
		say("translated %s %s = %x\n", place, translations[i].name, MRS(par_el1));
	}
}

static void load_and_store(const char *place, u64 address)
{
	access(place, address, &forms[2], 0);
	access(place, address, &forms[6], 0);
}

static void fetch(const char *place, u64 address)
{
	struct cpu *cpu = this_cpu();
	u64 count = cpu->count;

	jump_run(address);
	if (cpu->count == count)
		say("fetch %s = returned\n", place);
	else
		say("fetch %s = esr %x far %x elr %x vector %x times %x\n", place, cpu->esr, cpu->far, cpu->elr, cpu->vector, cpu->count - count);
}

void ask_aborts(void)
{
	every_form("unmapped", 0x90000000);
	load_and_store("end of ram", 0x80000000);
	load_and_store("hypervisor", 0x80080000);
	load_and_store("end of 36 bits", 0xffffff000ull);
	load_and_store("36 bits", 0x1000000000ull);
	load_and_store("38 bits", 0x4000000000ull);
	load_and_store("40 bits", 0x10000000000ull);
	load_and_store("52 bits", 0x10000000000000ull);
	load_and_store("55 bits", 0x80000000000000ull);
	load_and_store("unaligned", 0x90000001);
	load_and_store("across pages", 0x90000ffe);
	load_and_store("from ram into nothing", 0x7ffffffe);
	load_and_store("gic hole", 0x08010000);
	load_and_store("gic hole, last", 0x0807fffc);
	load_and_store("behind the redistributors", 0x081a0000);
	fetch("unmapped", 0x90000000);
	fetch("distributor", 0x08000000);
	fetch("redistributor", 0x080a0000);
	fetch("uart", 0x09000000);
	fetch("36 bits", 0x1000000000ull);
	fetch("unaligned", 0x41000001);
	say("insn dc cvac unmapped = ");
	say_insn(0xd50b7a20, 0x90000000, 0);
	say("insn dc civac unmapped = ");
	say_insn(0xd50b7e20, 0x90000000, 0);
	say("insn dc ivac unmapped = ");
	say_insn(0xd5087620, 0x90000000, 0);
	say("insn ic ivau unmapped = ");
	say_insn(0xd50b7520, 0x90000000, 0);
	say("insn prfm unmapped = ");
	say_insn(0xf9800000, 0x90000000, 0);
	say("insn at s1e1r unmapped = ");
	say_insn(0xd5087800, 0x90000000, 0);
	say("par unmapped = %x\n", MRS(par_el1));
	say("insn at s1e1w mapped = ");
	say_insn(0xd5087820, 0x41000000, 0);
	say("par mapped = %x\n", MRS(par_el1));
	every_maintenance("unmapped", 0x90000000);
	every_maintenance("ram", 0x60000000);
	every_maintenance("36 bits", 0x1000000000ull);
	/* Forms at frames whose registers change nothing: GICD_TYPER, GICR_TYPER, a reserved place. */
	every_form("gicd typer", 0x08000004);
	every_form("gicd ipriorityr", 0x08000420);
	every_form("gicd irouter", 0x08006100);
	every_form("gicd setspi", 0x08000040);
	every_form("gicd reserved", 0x08000030);
	every_form("gicr typer", 0x080a0008);
	every_form("gicr waker", 0x080a0014);
	every_form("gicr sgi priority", 0x080b0400);
	every_form("gicr reserved", 0x080a0030);
	for (u64 n = 1; n < 8; n++) {
		static const u64 places[] = { 0x08000004, 0x08006100, 0x080a0008, 0x080b0400 };

		for (u32 i = 0; i < 4; i++) {
			say("unaligned %x by %x = ", places[i], n);
			say_insn(n & 1 ? 0xb9400000 : n & 2 ? 0xf9400000 : 0x79400000, places[i] + n, 0);
		}
	}
}
