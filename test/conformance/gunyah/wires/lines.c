/* Shared interrupts at the distributor, and taking and ending them. */
#include "wires.h"

#define GICD 0x08000000ull
#define ICC_IAR1 MRS_WORD(3, 0, 12, 12, 0)
#define ICC_EOIR1 MSR_WORD(3, 0, 12, 12, 1)
#define ICC_PMR MSR_WORD(3, 0, 4, 6, 0)
#define ICC_IGRPEN1 MSR_WORD(3, 0, 12, 12, 7)
#define MIDDLE 0x80

static u64 taken[32];
static u32 taken_count;

static u64 bank(u32 offset, u32 intid)
{
	return GICD + offset + 4 * (intid / 32);
}

static void set_bit(u32 offset, u32 intid)
{
	write32(bank(offset, intid), 1u << intid % 32);
}

static bool get_bit(u32 offset, u32 intid)
{
	return read32(bank(offset, intid)) >> intid % 32 & 1;
}

static void configure(u32 intid, bool is_edge)
{
	u64 at = GICD + 0xc00 + 4 * (intid / 16);
	u32 bit = 2u << intid % 16 * 2;

	write32(at, is_edge ? read32(at) | bit : read32(at) & ~bit);
}

static void route(u32 intid, u64 to)
{
	write64(GICD + 0x6000 + 8 * intid, to);
}

void open_controller(void)
{
	write32(GICD, 3);
	instruction(ICC_PMR, 0xff, 0);
	instruction(ICC_IGRPEN1, 1, 0);
}

u64 take_one(void)
{
	u64 intid = instruction(ICC_IAR1, 0, 0);

	if (intid < 1020 && taken_count < 32)
		taken[taken_count++] = intid;
	return intid;
}

bool end_one(void)
{
	if (taken_count == 0)
		return false;
	instruction(ICC_EOIR1, taken[--taken_count], 0);
	return true;
}

void end_all(void)
{
	while (end_one())
		;
}

void reset_line(u32 intid)
{
	set_bit(0x180, intid);
	set_bit(0x280, intid);
	set_bit(0x380, intid);
	write32(GICD + 0x48, intid);
	configure(intid, false);
	set_bit(0x280, intid);
	set_bit(0x80, intid);
	write8(GICD + 0x400 + intid, MIDDLE);
	route(intid, 0);
	if (state_of(intid) != 0 || get_bit(0x100, intid))
		say("wires interrupt %x stays %x\n", (u64)intid, state_of(intid));
}

u64 state_of(u32 intid)
{
	return (u64)get_bit(0x200, intid) | (u64)get_bit(0x300, intid) << 1;
}

bool change_line(u32 intid, char change)
{
	switch (change) {
	case 'e': set_bit(0x100, intid); return true;
	case 'd': set_bit(0x180, intid); return true;
	case 'p': set_bit(0x200, intid); return true;
	case 'c': set_bit(0x280, intid); return true;
	case 'A': set_bit(0x300, intid); return true;
	case 'I': set_bit(0x380, intid); return true;
	case 'S': write32(GICD + 0x40, intid); return true;
	case 'C': write32(GICD + 0x48, intid); return true;
	case 'G': configure(intid, true); return true;
	case 'L': configure(intid, false); return true;
	case 'R': write8(GICD + 0x400 + intid, 0x40); return true;
	case 'W': write8(GICD + 0x400 + intid, 0xa0); return true;
	case 'O': route(intid, 3); return true;
	case 'Z': route(intid, 0); return true;
	}
	return false;
}
