/* The order in which equals are delivered, which the hypervisor's four list registers make: what enters which, what leaves, what stays. */
#include "probe.h"

#define GICD 0x08000000ull
#define GICR 0x080a0000ull
#define SGI1R MSR_WORD(3, 0, 12, 11, 5)
#define IAR1 MRS_WORD(3, 0, 12, 12, 0)
#define EOIR1 MSR_WORD(3, 0, 12, 12, 1)
#define HPPIR1 MRS_WORD(3, 0, 12, 12, 2)
#define RPR MRS_WORD(3, 0, 12, 11, 3)
#define PMR MSR_WORD(3, 0, 4, 6, 0)
#define IGRPEN0 MSR_WORD(3, 0, 12, 12, 6)
#define IGRPEN1 MSR_WORD(3, 0, 12, 12, 7)
#define SETTLE 300
#define SPI 110

static u64 get(u32 word)
{
	return instruction(word, 0x5500aa, 0);
}

static void set(u32 word, u64 value)
{
	instruction(word, value, 0);
}

/* SGIs to oneself, by their digits. */
static void send(const char *digits)
{
	for (; *digits; digits++)
		set(SGI1R, (u64)(*digits - '0') << 24 | 1);
	delay(SETTLE);
}

static void take(const char *name)
{
	delay(SETTLE);
	say("lists %s =", name);
	for (u32 i = 0; i < 17; i++) {
		u64 number = get(IAR1);

		if (number >= 1020)
			break;
		say(" %x", number);
		set(EOIR1, number);
	}
	say("\n");
}

static void send_and_take(const char *digits)
{
	send(digits);
	take(digits);
}

static void empty(void)
{
	write32(GICD, 0);
	write32(GICD, 3);
}

static void route(u64 to)
{
	write64(GICD + 0x6000 + 8 * SPI, to);
}

static void pend(void)
{
	write32(GICD + 0x200 + 12, 1 << 14);
	delay(SETTLE);
}

static void unpend(void)
{
	write32(GICD + 0x280 + 12, 1 << 14);
}

/* What is where shows in the order of the next. */
static void show(const char *after)
{
	say("lists after %s\n", after);
	send_and_take("312");
	send_and_take("7654");
	empty();
	send_and_take("5");
}

static void ask_sgi_lists(void)
{
	static const char *const plain[] = { "5", "312", "7654", "76543", "321" };
	static const char *const more[] = { "5", "312", "7654", "76543", "0123456", "6543210" };
	static const char *const again[] = { "0", "1", "2", "3", "7654", "4567", "3210" };

	for (u32 i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		send_and_take(plain[i]);
	say("lists closed and opened in two steps\n");
	write32(GICD, 0);
	write32(GICD, 2);
	write32(GICD, 3);
	for (u32 i = 0; i < sizeof(more) / sizeof(more[0]); i++)
		send_and_take(more[i]);
	say("lists sent while closed\n");
	write32(GICD, 0);
	send("5");
	write32(GICD, 2);
	write32(GICD, 3);
	take("5");
	for (u32 i = 1; i < 4; i++)
		send_and_take(more[i]);
	say("lists closed and opened\n");
	empty();
	for (u32 i = 0; i < sizeof(again) / sizeof(again[0]); i++)
		send_and_take(again[i]);
	say("lists with a raised priority\n");
	empty();
	send_and_take("0123");
	write32(GICR + 0x10400, 0x70707070);
	send_and_take("7654");
	send_and_take("3210");
	write32(GICR + 0x10400, 0x80808080);
	empty();
}

static void ask_nested_lists(void)
{
	for (u64 n = 0; n < 6; n++) {
		set(SGI1R, n << 24 | 1);
		delay(SETTLE);
		say("lists nest %x = %x\n", n, get(IAR1));
	}
	for (u64 n = 0; n < 6; n++) {
		set(EOIR1, n);
		delay(SETTLE);
		say("lists nest active %x pending %x\n", (u64)read32(GICR + 0x10300), (u64)read32(GICR + 0x10200));
	}
	take("after nest");
	write32(GICR + 0x10400, 0x50607080);
	write32(GICR + 0x10404, 0x10203040);
	for (u64 n = 0; n < 7; n++) {
		set(SGI1R, n << 24 | 1);
		delay(SETTLE);
		say("lists rise %x = %x rpr %x\n", n, get(IAR1), get(RPR));
	}
	send("0146");
	for (u64 n = 7; n-- > 0;) {
		set(EOIR1, n);
		delay(SETTLE);
		say("lists fall %x active %x pending %x hppir %x\n", n, (u64)read32(GICR + 0x10300), (u64)read32(GICR + 0x10200), get(HPPIR1));
	}
	take("after fall");
	write32(GICR + 0x10400, 0x80808080);
	write32(GICR + 0x10404, 0x80808080);
	empty();
	send_and_take("5");
}

static void ask_spi_lists(void)
{
	pend(); take("spi"); show("spi");
	pend(); take("spi"); route(1); show("spi, routed away");
	route(0); pend(); take("spi"); unpend(); show("spi, cleared");
	pend(); take("spi"); unpend(); route(1); show("spi, cleared, routed away");
	route(0); pend(); say("lists took %x\n", get(IAR1)); route(1); set(EOIR1, SPI); delay(SETTLE); show("spi, routed away while active");
	route(0); pend(); say("lists took %x\n", get(IAR1)); route(1); pend(); set(EOIR1, SPI); delay(SETTLE); show("spi, routed away while active and pending");
	route(0); pend(); take("spi"); route(1); route(0); pend(); take("spi"); show("spi, twice");
	pend(); take("spi"); write8(GICD + 0x400 + SPI, 0x40); show("spi, raised");
	pend(); take("spi"); write8(GICD + 0x400 + SPI, 0x80); show("spi, lowered");
	pend(); take("spi"); write32(GICD + 0x180 + 12, 1 << 14); write32(GICD + 0x100 + 12, 1 << 14); show("spi, disabled");
	write32(GICD + 0xc00 + 4 * 6, 0); pend(); unpend(); take("level"); show("level");
	write32(GICD + 0x40, SPI); write32(GICD + 0x48, SPI); take("message"); show("message");
	write32(GICD + 0xc00 + 4 * 6, ~0u); pend(); take("edge"); write32(GICD + 0xc00 + 4 * 6, 0); show("edge, made level");
}

static void ask_other_changes(void)
{
	send_and_take("5"); set(PMR, 0); set(PMR, 0xff); show("mask");
	send_and_take("5"); set(IGRPEN0, 0); set(IGRPEN0, 1); show("group 0 closed and opened");
	send_and_take("5"); write32(GICD, 2); write32(GICD, 3); show("distributor's group 0 closed and opened");
	send_and_take("5"); write32(GICD, 3); show("distributor written as it was");
}

void ask_list_registers(void)
{
	write32(GICD, 3);
	set(PMR, 0xff);
	set(IGRPEN1, 1);
	set(IGRPEN0, 1);
	write32(GICR + 0x10080, 0x00ff00ff);
	write32(GICR + 0x10400, 0x80808080);
	write32(GICR + 0x10404, 0x80808080);
	write32(GICR + 0x10100, 0x000000ff);
	ask_sgi_lists();
	ask_nested_lists();
	write32(GICD + 0x80 + 12, 1 << 14);
	write8(GICD + 0x400 + SPI, 0x80);
	write32(GICD + 0xc00 + 4 * 6, ~0u);
	write32(GICD + 0x100 + 12, 1 << 14);
	ask_spi_lists();
	ask_other_changes();
	write32(GICD + 0x180 + 12, ~0u);
	write32(GICD + 0x280 + 12, ~0u);
	route(0);
	write32(GICR + 0x10180, ~0u);
	write32(GICR + 0x10280, ~0u);
	write32(GICR + 0x10080, 0);
	empty();
}
