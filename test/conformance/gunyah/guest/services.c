/* Services by the SMC Calling Convention: which identifiers exist, what they answer, which registers they write. */
#include "probe.h"

static struct frame before, after;

/* Prints X0..X4 after a call with patterns in X1.. that have upper halves. */
static void service(const char *conduit, u32 word, u64 id, u64 argument)
{
	pattern(&before, 0x60000000);
	before.x[0] = id;
	before.x[1] = argument;
	after = before;
	call_with(&after, word);
	say("service %s %x of %x = ", conduit, id, argument);
	say_effect(&before, &after);
	say("\n");
}

static void both(u64 id, u64 argument)
{
	service("hvc", HVC(0), id, argument);
	service("smc", SMC(0), id, argument);
}

static void ask_known(void)
{
	static const u32 ids[] = {
		0x80000000, 0x80000001, 0x80000002, 0x80000003, 0x80008000, 0x80007fff, 0x8000ff01, 0xc0000000, 0xc0000001, 0x00000000, 0x40000000, 0x80003fff,
		0x81000000, 0x82000000, 0xc2000000, 0x83000000, 0x84000000, 0xc4000000, 0x04000000, 0x44000000, 0x84000005, 0x84000006, 0x84000007, 0xc4000005, 0xc4000007,
		0x8400000b, 0x8400000d, 0xc400000d, 0x8400000e, 0xc400000e, 0x84000010, 0xc4000010, 0x84000011, 0xc4000011, 0x84000013, 0x84000014, 0xc4000014, 0x84000015, 0x84000016,
		0x84000020, 0x84000060, 0x84000099, 0xc4000099, 0x8400ff00, 0x8400ff01, 0x8400ff03, 0x85000000, 0x8500ff00, 0x8500ff01, 0x8500ff02, 0x8500ff03, 0xc500ff01, 0xc500ff03, 0x0500ff01,
		0xc5000020, 0xc5000021, 0x85000020, 0x8600ff00, 0x8600ff01, 0x8600ff02, 0x8600ff03, 0x8600ff04, 0xc600ff01, 0xc600ff03, 0x0600ff01, 0x4600ff01, 0x86003f01, 0x86000000, 0xc6000000, 0xc6003fff,
		0x86004000, 0xc6004000, 0xc6007fff, 0x86008000, 0x06008000, 0x46008000, 0xc6008000, 0xc6008001, 0xc6008069, 0xc600bfff, 0xc600c000, 0xc600ffff, 0xb2000000, 0xbf00ff01, 0xff000000, 0x12345678,
		0x84000050, 0x84000052, 0x84000054, 0x8400005f, 0xc4000050, 0xc4000051, 0xc4000052, 0xc4000054, 0xc400005f, 0x8400004f, 0xc400004f,
	};

	for (u32 i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		both(ids[i], 0x5500000000aa0001ull);
	/* The upper half of the identifier, the SVE hint, bits that must be zero. */
	both(0xffffffff80000000ull, 0);
	both(0x1c6008000ull, 0);
	both(0x80010000, 0);
	both(0xc6018000, 0);
	both(0x8601ff03, 0);
	both(0x84010000, 0);
	both(0x84010050, 0);
	for (u32 bit = 17; bit < 24; bit++) {
		service("hvc", HVC(0), 0x80000000ull | 1ull << bit, 0);
		service("hvc", HVC(0), 0xc6008000ull | 1ull << bit, 0);
		service("hvc", HVC(0), 0x84000000ull | 1ull << bit, 0);
	}
	for (u32 owner = 0; owner < 64; owner++) {
		if (owner == 4)
			continue;
		say("owner %x =", (u64)owner);
		for (u32 kind = 0; kind < 4; kind++)
			say(" %x", smccc((kind << 30) | (owner << 24) | 0xff01, 0, 0, 0));
		say("\n");
	}
}

static void features(const char *name, u32 function, u32 id)
{
	say("%s %x = %x\n", name, (u64)id, smccc(function, id, 0, 0));
}

static void ask_features(void)
{
	static const u32 others[] = {
		0x80000000, 0x80000001, 0x80000002, 0x80000003, 0x80003fff, 0x80007fff, 0x80008000, 0xc0000000, 0xc0000001, 0x00000000, 0x80010000, 0x84000050, 0x84000051, 0x84000053, 0xc4000053, 0x8500ff00,
		0x8500ff01, 0x8500ff03, 0xc500ff01, 0xc5000020, 0xc5000021, 0x85000020, 0x8600ff01, 0x8600ff03, 0xc6008000, 0x84010000, 0x84020000, 0x04000000, 0x44000003, 0x84000099, 0x84008000, 0xffffffff,
		0x80020000, 0x8501ff01, 0x8502ff01, 0x8400ff01,
	};

	for (u32 n = 0; n < 0x20; n++) {
		features("psci-features", 0x8400000a, 0x84000000 + n);
		features("psci-features", 0x8400000a, 0xc4000000 + n);
	}
	for (u32 i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		features("psci-features", 0x8400000a, others[i]);
		features("arch-features", 0x80000001, others[i]);
		features("trng-features", 0x84000051, others[i]);
	}
	for (u32 n = 0x4f; n < 0x61; n++) {
		features("trng-features", 0x84000051, 0x84000000 + n);
		features("trng-features", 0x84000051, 0xc4000000 + n);
	}
	say("psci-features upper half = %x\n", smccc(0x8400000a, 0xffffffff84000000ull, 0, 0));
	say("arch-features upper half = %x\n", smccc(0x80000001, 0xffffffff80000000ull, 0, 0));
	both(0x8400000a, 0xffffffff84000001ull);
	both(0x8400000a, 0xffffffff84000006ull);
	both(0x80000001, 0xffffffff80008000ull);
	both(0x84000051, 0xffffffff84000053ull);
	both(0x84000051, 0xffffffff84000054ull);
	both(0xc400000a, 0x84000000);
}

static void ask_random(void)
{
	static const u64 bits[] = { 0, 1, 7, 31, 32, 33, 63, 64, 65, 95, 96, 97, 127, 128, 129, 191, 192, 193, 256, 0x100000000ull, 0x100000020ull, ALL_ONES };

	for (u32 wide = 0; wide < 2; wide++) {
		for (u32 i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
			u64 limit = wide ? 64 : 32, count = wide ? bits[i] : (u32)bits[i];
			bool fits = true;

			pattern(&before, 0);
			before.x[0] = wide ? 0xc4000053 : 0x84000053;
			before.x[1] = bits[i];
			before.x[4] = ALL_ONES;
			after = before;
			call_with(&after, HVC(0));
			if (after.x[0] == 0) {
				for (u32 n = 0; n < 3; n++) {
					u64 below = n * limit, value = after.x[3 - n], here = count > below ? count - below : 0;

					if (here < 64 && here < limit && value >> here != 0)
						fits = false;
					if (limit == 32 && value >> 32 != 0)
						fits = false;
				}
				say("trng %x bits of %x = 0 %s\n", limit, bits[i], fits ? "fits" : "too long");
			} else {
				say("trng %x bits of %x = ", limit, bits[i]);
				say_effect(&before, &after);
				say("\n");
			}
		}
	}
	after.x[1] = 0;
	for (u32 n = 0; n < 8; n++) {
		struct result r = { 0 };
		static struct frame f;

		pattern(&f, 0);
		f.x[0] = 0xc4000053;
		f.x[1] = 192;
		call_with(&f, SMC(0));
		memcpy(r.x, f.x, sizeof(r.x));
		say("trng differs %x = %x %s\n", (u64)n, r.x[0], r.x[1] != r.x[2] && r.x[2] != r.x[3] && r.x[1] != after.x[1] ? "new" : "same");
		after.x[1] = r.x[1];
	}
}

void ask_services(void)
{
	ask_known();
	ask_features();
	ask_random();
}

/* ---- PSCI ---- */

static void psci(const char *name, u32 id, u64 a1, u64 a2, u64 a3)
{
	say("psci %s %x %x %x %x = %x\n", name, (u64)id, a1, a2, a3, smccc(id, a1, a2, a3));
}

/* Calls that change nothing: no other CPU is on, an interrupt is pending where asked. */
void ask_psci_harmless(void)
{
	static const u64 affinities[] = { 0, 1, 7, 8, 9, 0xff, 0x100, 0x10000, 0x1000000, 0x40000000, 0x80000000, 0x80000001, 0x81000001, 0x7f000001, 0x100000000ull, 0x8000000001ull, 0x10000000000ull, 0x8000000000000001ull, 0x2ull };
	static const u64 modes[] = { 0, 1, 2, 0x80000000, 0x100000000ull, ALL_ONES };

	for (u32 i = 0; i < sizeof(affinities) / sizeof(affinities[0]); i++) {
		psci("info", 0x84000004, affinities[i], 0, 0);
		psci("info", 0xc4000004, affinities[i], 0, 0);
	}
	for (u64 level = 1; level < 4; level++) {
		psci("info", 0x84000004, 0, level, 0);
		psci("info", 0xc4000004, 0, level, 0);
	}
	psci("info", 0xc4000004, 0, 0x100000000ull, 0);
	psci("info", 0x84000004, 0, 0x100000000ull, 0);
	psci("info", 0xc4000004, 0, ALL_ONES, 0);
	for (u32 i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		psci("mode", 0x8400000f, modes[i], 0, 0);
	psci("on self", 0x84000003, MRS(mpidr_el1), 0x41000000, 0);
	psci("on self", 0xc4000003, MRS(mpidr_el1), 0x41000000, 0);
	psci("on self", 0xc4000003, 0, 0, 0);
	psci("on unknown", 0xc4000003, 8, 0x41000000, 0);
	psci("on unknown", 0xc4000003, 0x100, 0x41000000, 0);
	psci("on unknown", 0x84000003, 0x10000, 0x41000000, 0);
	psci("on unknown", 0xc4000003, 0x100000000ull, 0x41000000, 0);
	psci("on unknown", 0xc4000003, 0xff, 0x41000000, 0);
	psci("version", 0x84000000, ALL_ONES, ALL_ONES, ALL_ONES);
	if (!is_second) {
		psci("reset2", 0x84000012, 0, 0, 0);
		psci("reset2", 0xc4000012, 0, 0, 0);
		psci("reset2", 0x84000012, 0x80000001, 5, 0);
		psci("off last", 0x84000002, 0, 0, 0);
	}
	both(0x84000004, 0x5500000000000000ull);
	both(0xc4000004, 0);
	both(0xc4000004, 0x9);
	both(0x84000004, 0x9);
	both(0x8400000f, 0x0);
	both(0x8400000f, 0x1);
	both(0x84000003, 0);
	both(0xc4000003, 0);
}
