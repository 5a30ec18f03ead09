/* Device space as the primary VM sees it: what answers where, devices that nobody has given it, accesses of every width and at every place in their registers. */
#include "probe.h"

#define UART 0x09000000ull
#define RTC 0x09010000ull
#define FW_CFG 0x09020000ull
#define GPIO 0x09030000ull
#define VIRTIO 0x0a000000ull
#define ITS 0x08080000ull
#define PCI 0x10000000ull
#define ECAM 0x3f000000ull
#define NOWHERE 0xffffffff

static const u32 loads[] = { 0x39400000, 0x79400000, 0xb9400000, 0xf9400000 };
static const u32 stores[] = { 0x39000001, 0x79000001, 0xb9000001, 0xf9000001 };

static u64 peek(u64 address, u32 width, bool *failed)
{
	u64 count = this_cpu()->count;
	u64 value = instruction(loads[width], address, 0);

	*failed = this_cpu()->count != count;
	return *failed ? this_cpu()->esr : value;
}

/* Runs of places that answer alike. */
static void sweep(const char *name, u64 base, u64 size, u64 step, u32 width)
{
	u64 from = 0, value = 0;
	bool failed = false;

	for (u64 at = 0; at <= size; at += step) {
		bool fails = false;
		u64 found = at < size ? peek(base + at, width, &fails) : 0;

		if (at > 0 && at < size && found == value && fails == failed)
			continue;
		if (at > 0)
			say("board %s %x to %x by %x size %x = %s%x\n", name, from, at, step, 1ull << width, failed ? "esr " : "", value);
		from = at;
		value = found;
		failed = fails;
	}
}

static void get(const char *name, u64 address, u32 width)
{
	say("board %s %x size %x = ", name, address, 1ull << width);
	say_insn(loads[width], address, 0);
}

static void put(const char *name, u64 address, u32 width, u64 value)
{
	say("board %s %x of %x size %x = ", name, address, value, 1ull << width);
	say_insn(stores[width], address, value);
}

/* What a write of ones and of a pattern leaves, word by word; then as before. */
static void kept(const char *name, u64 base, u32 from, u32 to, u32 skipped, u32 also_skipped)
{
	for (u32 offset = from; offset < to; offset += 4) {
		u64 old, ones, other;

		if (offset == skipped || offset == also_skipped)
			continue;
		old = read32(base + offset);
		write32(base + offset, 0xffffffff);
		ones = read32(base + offset);
		write32(base + offset, 0x55555555);
		other = read32(base + offset);
		write32(base + offset, (u32)old);
		if (old || ones || other)
			say("board %s keeps %x = %x %x %x\n", name, (u64)offset, old, ones, other);
	}
}

static void ask_space(void)
{
	sweep("space", 4, 0x08000000, 0x400000, 2);
	sweep("space", 0x08010004, 0x100000, 0x1000, 2);
	sweep("space", 0x081a0004, 0xe60000, 0x10000, 2);
	sweep("space", 0x09000004, 0x100000, 0x1000, 2);
	sweep("space", 0x09100004, 0xf00000, 0x100000, 2);
	sweep("space", 0x0a000004, 0x10000, 0x1000, 2);
	sweep("space", 0x0a010004, 0x5ff0000, 0x100000, 2);
	sweep("space", 0x10000004, 0x2f000000, 0x1000000, 2);
	sweep("space", 0x3f000004, 0x1000000, 0x8000, 2);
}

static void ask_widths(void)
{
	for (u32 width = 0; width < 4; width++) {
		sweep("uart", UART, 0x60, 1u << width, width);
		sweep("uart end", UART + 0xfc0, 0x40, 1u << width, width);
		sweep("clock", RTC + 8, 0x18, 1u << width, width);
		sweep("clock end", RTC + 0xfc0, 0x40, 1u << width, width);
		put("selector", FW_CFG + 8, 1, 0);
		sweep("fw_cfg", FW_CFG, 0x20, 1u << width, width);
		sweep("gpio", GPIO + 0x3e0, 0x60, 1u << width, width);
		sweep("gpio end", GPIO + 0xfc0, 0x40, 1u << width, width);
		sweep("virtio", VIRTIO, 0x210, 1u << width, width);
		sweep("virtio last", VIRTIO + 0x3e00, 0x210, 1u << width, width);
		sweep("its", ITS, 0x110, 1u << width, width);
		sweep("its end", ITS + 0xffc0, 0x40, 1u << width, width);
		sweep("pci", PCI, 0x10, 1u << width, width);
		sweep("pci ports", 0x3eff0000, 0x10, 1u << width, width);
		sweep("pci configuration", ECAM, 0x110, 1u << width, width);
		sweep("flash", 0x1000, 0x20, 1u << width, width);
		put("uart", UART + 0x24, width, 0x1122334455667788ull);
		get("uart", UART + 0x24, 2);
		put("uart", UART + 0x28, 2, 0);
		put("uart", UART + 0x24, 2, 0);
		put("virtio", VIRTIO + 0x70, width, 1);
		put("pci", PCI, width, 0x1234);
		put("pci configuration", ECAM + 0x40, width, 0x1122334455667788ull);
		get("pci configuration", ECAM + 0x40, 3);
		put("pci configuration", ECAM + 0x40, 3, 0);
	}
}

static void ask_misaligned(void)
{
	static const u64 places[] = { UART + 0x15, UART + 0x16, UART + 0x17, VIRTIO + 1, VIRTIO + 2, VIRTIO + 3, PCI + 1, ECAM + 1, ECAM + 2, FW_CFG + 0x11, GPIO + 0xfe1, RTC + 0xfdf, 0x1001 };

	for (u32 i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		for (u32 width = 1; width < 4; width++)
			get("misaligned", places[i], width);
	put("misaligned", UART + 0x25, 1, 0x3344);
	get("misaligned", UART + 0x24, 2);
	put("misaligned", UART + 0x24, 2, 0);
	put("misaligned", ECAM + 0x41, 2, 0x11223344);
	get("misaligned", ECAM + 0x40, 3);
	put("misaligned", ECAM + 0x40, 3, 0);
}

static void ask_flash(u64 bank)
{
	put("flash", bank, 2, 0x00900090);
	sweep("flash identifier", bank, 0x20, 4, 2);
	get("flash identifier", bank, 0);
	get("flash identifier", bank, 3);
	put("flash", bank, 2, 0x00980098);
	sweep("flash query", bank, 0x100, 4, 2);
	put("flash", bank, 2, 0x00ff00ff);
	get("flash", bank, 2);
	put("flash", bank + 0x100, 2, 0x00400040);
	put("flash", bank + 0x100, 2, 0x12345678);
	get("flash programmed", bank + 0x100, 2);
	put("flash", bank, 2, 0x00ff00ff);
	get("flash", bank + 0x100, 2);
	put("flash", bank + 0x100, 2, 0x00200020);
	put("flash", bank + 0x100, 2, 0x00d000d0);
	get("flash erasing", bank + 0x100, 2);
	put("flash", bank, 2, 0x00ff00ff);
	get("flash erased", bank, 3);
	get("flash erased", bank + 0x3fffc, 2);
	get("flash erased", bank + 0x40000, 2);
}

void ask_board(void)
{
	ask_space();
	ask_widths();
	ask_misaligned();
	kept("uart", UART, 4, 0x50, 0x30, 0x3c);
	kept("clock", RTC, 0xc, 0x14, NOWHERE, NOWHERE);
	kept("gpio", GPIO, 0, 0x420, NOWHERE, NOWHERE);
	kept("gpio end", GPIO, 0xfd0, 0x1000, NOWHERE, NOWHERE);
	kept("virtio", VIRTIO, 0, 0x200, NOWHERE, NOWHERE);
	kept("its", ITS, 4, 0x140, NOWHERE, NOWHERE);
	kept("pci configuration", ECAM, 0, 0x104, NOWHERE, NOWHERE);
	ask_flash(0);
	ask_flash(0x04000000);
	put("fw_cfg", FW_CFG + 8, 1, 0x0100);
	get("fw_cfg version", FW_CFG, 2);
	put("fw_cfg", FW_CFG + 8, 1, 0x0500);
	get("fw_cfg processors", FW_CFG, 1);
	put("fw_cfg", FW_CFG + 8, 1, 0x0f00);
	get("fw_cfg most processors", FW_CFG, 1);
	put("fw_cfg", FW_CFG + 8, 1, 0x1200);
	get("fw_cfg nothing", FW_CFG, 3);
	put("fw_cfg", FW_CFG + 8, 2, 0);
	put("fw_cfg", FW_CFG + 8, 0, 0);
	put("fw_cfg", FW_CFG + 9, 0, 0);
	put("fw_cfg", FW_CFG, 2, 0);
	put("fw_cfg", FW_CFG + 2, 0, 0);
	put("fw_cfg", FW_CFG + 0x10, 1, 0);
	every_maintenance("nowhere", 0x0c000040);
	every_form("nowhere", 0x0c000040);
	every_form("uart levels", UART + 0x34);
	write32(UART + 0x34, 0x12);
	every_form("clock match", RTC + 4);
	every_form("pci", PCI + 0x44);
}
