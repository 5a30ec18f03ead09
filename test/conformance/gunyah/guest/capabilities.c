/* Capabilities, the order of checks, and queues that the primary VM owns: 0 and 1 are its pair to the Resource Manager, 2 is RM's vCPU. */
#include "probe.h"

#define SEND 0x1b
#define RECEIVE 0x1c
#define FLUSH 0x1d
#define TX 0
#define RX 1

static u8 buffer[2048] __attribute__((aligned(4096)));

static void answer(const char *name, u32 number, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5)
{
	struct result r = hypercall(number, a1, a2, a3, a4, a5, 0);

	say("%s = %x", name, r.x[0]);
	for (u32 n = 1; n < 5; n++)
		if (r.x[n] == (n == 1 ? a1 : n == 2 ? a2 : n == 3 ? a3 : a4))
			say(" k");
		else
			say(" %x", r.x[n]);
	say("\n");
}

static void ask_identifiers(void)
{
	static const u64 others[] = { 0xfe, 0xff, 0x100, 0x13d, 0x13e, 0x13f, 0x1ff, 0x200, 0x23e, 0xe700, 0xe73d, 0xe73e, 0xe800, 0xff00, 0xff3d, 0xffff, 0x10000, 0x20000, 1ull << 31, 1ull << 32, 1ull << 48, 1ull << 63, 0xffffffff, ALL_ONES - 1, ALL_ONES };
	/* Encodings: an empty slot, a missing table, or nothing that decodes. */
	for (u64 id = 3; id < 66; id++)
		say("cap %x = %x %x\n", id, hypercall(0x14, id, 0, 0, 0, 0, 0).x[0], native(0x14, id, 0, 0, 0, 0));
	for (u32 i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		say("cap %x = %x %x\n", others[i], hypercall(0x14, others[i], 0, 0, 0, 0, 0).x[0], native(0x14, others[i], 0, 0, 0, 0));
}

/* Calls that change something when they succeed with these arguments, or read device memory, are asked elsewhere. */
static bool changes(u32 number)
{
	return number == 0x1b || number == 0x1c || number == 0x3d || number == 0x3b || number == 0x3f || number == 0x57 || number == 0x65;
}

static void ask_types(void)
{
	for (u64 id = 0; id < 3; id++)
		for (u32 number = 2; number < 0x69; number++) {
			struct result first, both;
			u64 natively;

			if (changes(number))
				continue;
			first = hypercall(number, id, 3, 3, 0, 0, 0);
			both = hypercall(number, id, id, id, 0, 0, 0);
			natively = native(number, id, id, 0, 0, 0);
			say("type %x of call %x = %x %x %x %x\n", id, (u64)number, first.x[0], hypercall(number, 3, id, id, 0, 0, 0).x[0], both.x[0], natively);
		}
}

/* Reserved arguments: every register of a native call, one at a time. */
static void ask_reserved(void)
{
	static struct frame f;

	for (u32 number = 1; number < 0x69; number++) {
		if (changes(number))
			continue;
		say("reserved %x =", (u64)number);
		for (u32 n = 0; n < 8; n++) {
			pattern(&f, 0);
			for (u32 i = 0; i < 8; i++)
				f.x[i] = i == n ? 1 : i == 0 ? 40 : 0;
			f.x[0] = n == 0 ? 41 : 40;
			call_with(&f, HVC(0x6000 + number));
			say(" %x", f.x[0]);
		}
		say("\n");
		say("reserved by smccc %x =", (u64)number);
		for (u32 n = 1; n < 8; n++) {
			pattern(&f, 0);
			f.x[0] = 0xc6008000 + number;
			for (u32 i = 1; i < 9; i++)
				f.x[i] = i == n ? 1 : 0;
			f.x[1] = 40;
			if (n > 1)
				f.x[n] = 1;
			call_with(&f, HVC(0));
			say(" %x", f.x[0]);
		}
		say("\n");
	}
}

static void ask_random_numbers(void)
{
	static const u64 sizes[] = { 0, 1, 2, 3, 5, 6, 7, 9, 10, 15, 17, 20, 32, 64, 0x100000004ull, ALL_ONES };
	struct result r;

	for (u32 i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		if (sizes[i] != 0x100000004ull) {
			r = hypercall(0x57, sizes[i], 0, 0, 0, 0, 0);
			say("prng %x = %x %x %x %x %x\n", sizes[i], r.x[0], r.x[1] == sizes[i] ? 1ull : 0ull, r.x[2], r.x[3], r.x[4]);
		}
	delay(40000);
	for (u32 n = 0; n < 6; n++) {
		static const u8 of[] = { 4, 8, 12, 16, 4, 3 };

		r = hypercall(0x57, of[n], 0, 0, 0, 0, 0);
		say("prng window %x of %x = %x %s %s\n", (u64)n, (u64)of[n], r.x[0], r.x[1] >> 32 ? "long" : "short", r.x[0] == 0 ? (r.x[of[n] / 4] != 0 ? "filled" : "empty") : "none");
	}
	delay(40000);
	r = hypercall(0x57, 4, 0, 0, 0, 0, 0);
	say("prng after the window = %x\n", r.x[0]);
	delay(40000);
}

static void ask_trace(void)
{
	static const u64 sets[][2] = { { 0, 0 }, { 2, 0 }, { 0, 0 }, { 0, 2 }, { 0, 0 }, { ALL_ONES, 0 }, { 0, ALL_ONES }, { 0x700e7, 0 }, { 0, 0 } };

	for (u32 i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		struct result r = hypercall(0x3f, sets[i][0], sets[i][1], 0, 0, 0, 0);

		say("trace classes %x %x = %x %x\n", sets[i][0], sets[i][1], r.x[0], r.x[1]);
	}
	hypercall(0x3f, 0, ~0x700e7ull, 0, 0, 0, 0);
}

static void ask_yield(void)
{
	static const u64 controls[] = { 0, 1, 2, 3, 0xffff, 0x10000, 0x80000000, 0x80000001, 0x100000000ull };

	for (u32 i = 0; i < sizeof(controls) / sizeof(controls[0]); i++)
		say("yield %x = %x %x\n", controls[i], hypercall(0x3b, controls[i], 40, 0, 0, 0, 0).x[0], hypercall(0x3b, controls[i], 0, 0, 0, 0, 0).x[0]);
	say("yield to rm = %x\n", hypercall(0x3b, 1, 2, 0, 0, 0, 0).x[0]);
	say("run rm = %x %x %x\n", hypercall(0x65, 2, 0, 0, 0, 0, 0).x[0], hypercall(0x65, 0, 0, 0, 0, 0, 0).x[0], hypercall(0x65, 5, 0, 0, 0, 0, 0).x[0]);
	say("check rm = %x\n", hypercall(0x68, 2, 0, 0, 0, 0, 0).x[0]);
}

void ask_capabilities(void)
{
	ask_identifiers();
	ask_types();
	ask_reserved();
	ask_random_numbers();
	ask_trace();
	ask_yield();
}

/* ---- Queues ---- */

static void drain(void)
{
	for (u32 n = 0; n < 20; n++) {
		hypercall(0x3b, 0, 0, 0, 0, 0, 0);
		delay(200);
	}
}

static void send(const char *name, u64 size, u64 address, u64 flags)
{
	struct result r = hypercall(SEND, TX, size, address, flags, 0, 0);

	say("queue send %s = %x %x\n", name, r.x[0], r.x[1]);
}

void ask_queue(void)
{
	u64 mine = (u64)buffer;

	memset(buffer, 0, sizeof(buffer));
	drain();
	/* RM drops what is shorter than a header. */
	send("one byte", 1, mine, 0);
	send("seven bytes with push", 7, mine, 1);
	drain();
	send("nothing", 0, mine, 0);
	send("241", 241, mine, 0);
	send("1024", 1024, mine, 0);
	send("very long", ALL_ONES, mine, 0);
	send("from an unmapped address", 8, 0x200000000ull, 0);
	send("from where nothing is", 8, 0x90000000ull, 0);
	send("other flags", 4, mine, 0xfffffffe);
	drain();
	send("unaligned", 5, mine + 3, 0);
	send("across pages", 240, mine + 4096 - 100, 0);
	drain();
	/* A full queue. */
	static struct result filling[13];
	static const u64 beyond[][3] = { { 4, 0, 0 }, { 0, 0, 0 }, { 241, 0, 0 }, { 8, 0x90000000ull, 0 }, { 4, 0, 1 } };

	for (u64 n = 0; n < 13; n++)
		filling[n] = n < 8 ? hypercall(SEND, TX, 4, mine, 0, 0, 0) : hypercall(SEND, TX, beyond[n - 8][0], beyond[n - 8][1] ? beyond[n - 8][1] : mine, beyond[n - 8][2], 0, 0);
	for (u64 n = 0; n < 13; n++)
		say("queue send %x of 8 = %x %x\n", n + 1, filling[n].x[0], filling[n].x[1]);
	drain();
	send("after it was drained", 4, mine, 0);
	drain();
	answer("queue receive empty", RECEIVE, RX, mine, 240, 0, 0);
	answer("queue receive empty, no room", RECEIVE, RX, mine, 0, 0, 0);
	answer("queue receive empty, from nowhere", RECEIVE, RX, 0x90000000ull, 240, 0, 0);
	answer("queue receive on tx", RECEIVE, TX, mine, 240, 0, 0);
	answer("queue send on rx", SEND, RX, 4, mine, 0, 0);
	answer("queue flush rx", FLUSH, RX, 0, 0, 0, 0);
	answer("queue flush tx", FLUSH, TX, 0, 0, 0, 0);
	static const u64 thresholds[] = { 0, 1, 7, 8, 9, 0xfffffffe, 0xffffffff, 0x100000000ull };
	static const u64 holdoffs[] = { 0xffffffff, 0, 1, 0xfffffffe, ALL_ONES };

	for (u32 i = 0; i < sizeof(thresholds) / sizeof(thresholds[0]); i++)
		for (u32 j = 0; j < sizeof(holdoffs) / sizeof(holdoffs[0]); j++) {
			say("queue thresholds %x %x =", thresholds[i], holdoffs[j]);
			say(" %x", hypercall(0x1f, TX, thresholds[i], holdoffs[j], ALL_ONES, 0, 0).x[0]);
			say(" %x", hypercall(0x20, RX, thresholds[i], holdoffs[j], ALL_ONES, 0, 0).x[0]);
			say(" %x", hypercall(0x1f, RX, thresholds[i], holdoffs[j], ALL_ONES, 0, 0).x[0]);
			say(" %x", hypercall(0x20, TX, thresholds[i], holdoffs[j], ALL_ONES, 0, 0).x[0]);
			say(" %x\n", native(0x1f, TX, thresholds[i], holdoffs[j], 0, 0));
		}
	hypercall(0x1f, TX, 7, 0xffffffff, ALL_ONES, 0, 0);
	hypercall(0x20, RX, 1, 0xffffffff, ALL_ONES, 0, 0);
	drain();
	hypercall(FLUSH, RX, 0, 0, 0, 0, 0);
}
