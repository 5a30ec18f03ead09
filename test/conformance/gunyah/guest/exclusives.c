/* Store-exclusives of another size than the load-exclusive before them, which the architecture leaves open. */
#include "probe.h"

static u64 place[2] __attribute__((aligned(16)));
static const char *const forms[] = { "b", "h", "w", "x", "pair of w", "pair of x" };
static const u64 contents[][2] = {
	{ 0, 0 }, { 0x11, 0 }, { 0x1111, 0 }, { 0x11111111, 0 }, { 0x1111111111111111, 0 }, { 0x1111111111111111, 0x2222222222222222 }, { 0x1111111100000000, 0x22 },
};

static void load(u32 form, const u64 *at)
{
	switch (form) {
	case 0: __asm__ volatile("ldxrb w9, [%0]" :: "r"(at) : "x9", "memory"); break;
	case 1: __asm__ volatile("ldxrh w9, [%0]" :: "r"(at) : "x9", "memory"); break;
	case 2: __asm__ volatile("ldxr w9, [%0]" :: "r"(at) : "x9", "memory"); break;
	case 3: __asm__ volatile("ldxr x9, [%0]" :: "r"(at) : "x9", "memory"); break;
	case 4: __asm__ volatile("ldxp w9, w10, [%0]" :: "r"(at) : "x9", "x10", "memory"); break;
	default: __asm__ volatile("ldxp x9, x10, [%0]" :: "r"(at) : "x9", "x10", "memory"); break;
	}
}

static u64 store(u32 form, const u64 *at)
{
	u64 a = 0xaaaaaaaaaaaaaaaaull, b = 0xbbbbbbbbbbbbbbbbull;
	u32 status = 2;

	switch (form) {
	case 0: __asm__ volatile("stxrb %w0, %w2, [%1]" : "=&r"(status) : "r"(at), "r"(a) : "memory"); break;
	case 1: __asm__ volatile("stxrh %w0, %w2, [%1]" : "=&r"(status) : "r"(at), "r"(a) : "memory"); break;
	case 2: __asm__ volatile("stxr %w0, %w2, [%1]" : "=&r"(status) : "r"(at), "r"(a) : "memory"); break;
	case 3: __asm__ volatile("stxr %w0, %2, [%1]" : "=&r"(status) : "r"(at), "r"(a) : "memory"); break;
	case 4: __asm__ volatile("stxp %w0, %w2, %w3, [%1]" : "=&r"(status) : "r"(at), "r"(a), "r"(b) : "memory"); break;
	default: __asm__ volatile("stxp %w0, %2, %3, [%1]" : "=&r"(status) : "r"(at), "r"(a), "r"(b) : "memory"); break;
	}
	return status;
}

static void fill(const u64 *with)
{
	place[0] = with[0];
	place[1] = with[1];
}

static void ask_pairs(void)
{
	for (u32 from = 0; from < 6; from++)
		for (u32 to = 0; to < 6; to++)
			for (u32 i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
				u64 status;

				fill(contents[0]);
				load(5, place);
				__asm__ volatile("clrex" ::: "memory");
				fill(contents[i]);
				load(from, place);
				status = store(to, place);
				say("exclusive %s then %s, contents %x = %x %x %x\n", forms[from], forms[to], (u64)i, status, place[0], place[1]);
			}
}

/* Memory changes meanwhile, in what the load saw and beside it. */
static void ask_changes(void)
{
	static const u64 changes[][2] = { { 0x1111111111111112, 0x2222222222222222 }, { 0x1111111111112111, 0x2222222222222222 }, { 0x1111111211111111, 0x2222222222222222 }, { 0x1111111111111111, 0x2222222222222223 } };

	for (u32 from = 0; from < 6; from++)
		for (u32 to = 0; to < 6; to++)
			for (u32 i = 0; i < 4; i++) {
				u64 status;

				fill(contents[5]);
				load(from, place);
				fill(changes[i]);
				status = store(to, place);
				say("exclusive %s, change %x, then %s = %x %x %x\n", forms[from], (u64)i, forms[to], status, place[0], place[1]);
			}
}

static void ask_second_halves(void)
{
	u64 status;

	fill(contents[5]);
	load(5, place);
	__asm__ volatile("clrex" ::: "memory");
	load(3, place);
	status = store(5, place);
	say("exclusive pair, clrex, x, pair = %x %x %x\n", status, place[0], place[1]);
	fill(contents[5]);
	load(5, place);
	load(4, place);
	status = store(5, place);
	say("exclusive pair, pair of w, pair = %x %x %x\n", status, place[0], place[1]);
	fill(contents[5]);
	load(3, place);
	status = store(2, (const u64 *)((const u8 *)place + 4));
	say("exclusive x, its second half = %x %x %x\n", status, place[0], place[1]);
	status = store(3, place);
	say("exclusive x, after a failure = %x %x %x\n", status, place[0], place[1]);
}

void ask_exclusives(void)
{
	ask_pairs();
	ask_changes();
	ask_second_halves();
}
