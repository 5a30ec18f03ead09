/* The Resource Manager: requests and every byte that comes back. */
#include "probe.h"

#define TX 0
#define RX 1
#define REPLY 2
#define MAX 240

static u8 out[MAX * 2], in[MAX];
static u16 sequence = 0x100;
u8 rm_reply[MAX];
u32 rm_patience = 20;

static void yield(void)
{
	hypercall(0x3b, 0, 0, 0, 0, 0, 0);
}

/* What RM says until it is quiet: each message in brackets. The sequence of replies is left out, as it is the request's. */
void say_answers(u16 wanted)
{
	u32 quiet = 0, seen = 0;
	bool waits = wanted != 0;

	while (quiet < 30 && seen < 32) {
		struct result r = hypercall(0x1c, RX, (u64)in, MAX, 0, 0, 0);

		if (r.x[0] != 0) {
			quiet++;
			yield();
			delay(rm_patience);
			continue;
		}
		/* What RM says before its reply may come long before it. */
		waits = waits && (in[1] & 3) != REPLY;
		quiet = waits ? 0 : 22;
		seen++;
		say(" [");
		say_bytes(in, 2);
		if ((in[1] & 3) == REPLY) {
			memset(rm_reply, 0, sizeof(rm_reply));
			memcpy(rm_reply, in + 8, r.x[1] - 8);
			say(in[2] == (u8)wanted && in[3] == (u8)(wanted >> 8) ? " same" : " other");
		} else {
			say(" ");
			say_bytes(in + 2, 2);
		}
		say(" ");
		say_bytes(in + 4, 4);
		say(" ");
		say_bytes(in + 8, r.x[1] - 8);
		say("]");
	}
	say("\n");
}

static void packet(u8 first, u8 second, u16 number, u32 id, const void *payload, size_t size)
{
	out[0] = first;
	out[1] = second;
	out[2] = (u8)number;
	out[3] = (u8)(number >> 8);
	out[4] = (u8)id;
	out[5] = (u8)(id >> 8);
	out[6] = (u8)(id >> 16);
	out[7] = (u8)(id >> 24);
	memcpy(out + 8, payload, size);
	hypercall(0x1b, TX, 8 + size, (u64)out, 1, 0, 0);
}

void rm_send(u8 first, u8 second, u16 number, u32 id, const void *payload, size_t size)
{
	packet(first, second, number, id, payload, size);
}

static void ask(const char *name, u32 id, const void *payload, size_t size)
{
	sequence++;
	say("rm %s =", name);
	packet(0x21, 1, sequence, id, payload, size);
	say_answers(sequence);
}

void rm_ask(const char *name, u32 id, u32 count, ...)
{
	u32 payload[58];
	va_list arguments;

	va_start(arguments, count);
	for (u32 i = 0; i < count; i++)
		payload[i] = va_arg(arguments, u32);
	va_end(arguments);
	ask(name, id, payload, count * 4);
}

void rm_ask_words(const char *name, u32 id, u32 count, const u32 *words)
{
	ask(name, id, words, count * 4);
}

static void ask_transport(void)
{
	static const u8 zero[232];
	static const u8 firsts[] = { 0x20, 0x22, 0x11, 0x31, 0x01, 0x2f, 0xff, 0x00 };

	for (u32 i = 0; i < sizeof(firsts); i++) {
		say("rm first byte %x =", (u64)firsts[i]);
		packet(firsts[i], 1, ++sequence, 0x56000024, zero, 0);
		say_answers(sequence);
	}
	for (u32 type = 0; type < 4; type++)
		if (type != 1) {
			say("rm type %x =", (u64)type);
			packet(0x21, (u8)type, ++sequence, 0x56000024, zero, 0);
			say_answers(sequence);
		}
	for (u32 size = 1; size < 8; size++) {
		say("rm %x bytes =", (u64)size);
		hypercall(0x1b, TX, size, (u64)out, 1, 0, 0);
		say_answers(sequence);
	}
	say("rm count 63 =");
	packet(0x21, 63 << 2 | 1, ++sequence, 0x56000024, zero, 0);
	say_answers(sequence);
	say("rm count 1, continued =");
	packet(0x21, 1 << 2 | 1, ++sequence, 0x56000011, "\x04\0\0\0", 4);
	packet(0x21, 1 << 2 | 0, sequence, 0x56000011, "HLOS", 4);
	say_answers(sequence);
	say("rm count 1, continued with another id =");
	packet(0x21, 1 << 2 | 1, ++sequence, 0x56000013, "\x04\0\0\0", 4);
	packet(0x21, 1 << 2 | 0, sequence, 0x56000011, "HLOS", 4);
	say_answers(sequence);
	say("rm continued rightly after all =");
	packet(0x21, 1 << 2 | 0, sequence, 0x56000013, "HLOS", 4);
	say_answers(sequence);
	say("rm count 2, another request between =");
	packet(0x21, 2 << 2 | 1, ++sequence, 0x56000013, "\x04\0\0\0", 4);
	packet(0x21, 1, ++sequence, 0x56000024, zero, 0);
	say_answers(sequence);
	say("rm three at once =");
	for (u32 i = 0; i < 3; i++)
		packet(0x21, 1, sequence, 0x56000024, zero, 0);
	say_answers(sequence);
	say("rm sequence zero =");
	packet(0x21, 1, 0, 0x56000024, zero, 0);
	say_answers(0);
	say("rm sequence ffff =");
	packet(0x21, 1, 0xffff, 0x56000024, zero, 0);
	say_answers(0xffff);
}

/* Requests by length of zeros. Left out: those that RM does not survive. */
static void ask_lengths(void)
{
	static const u32 ids[] = {
		0x51000010, 0x51000011, 0x51000012, 0x51000013, 0x51000014, 0x51000015, 0x51000016, 0x51000017, 0x51000018, 0x51000019, 0x5100001a, 0x51000021,
		0x56000001, 0x56000003, 0x56000004, 0x56000005, 0x56000006, 0x56000009, 0x5600000a, 0x5600000b, 0x56000010, 0x56000011, 0x56000012, 0x56000013, 0x56000014, 0x56000015, 0x56000017, 0x56000019, 0x56000020, 0x56000021, 0x56000022,
		0x56000023, 0x56000024, 0x56000025, 0x56000030, 0x56000031, 0x56000032, 0x56000033, 0x56000034, 0x56000040, 0x56000041, 0x56000042, 0x56000043, 0x56000080, 0x56000081,
		0x56000082, 0x56000084, 0x560000a0, 0x560000b1, 0, 0x56000000, 0x51100011, 0x56100001, 0xffffffff, 0x00000001, 0x50000000, 0x57000000,
	};
	static const u8 lengths[] = { 0, 1, 2, 3, 4, 8, 12, 16, 20, 24, 40 };
	static const u8 zero[232];

	for (u32 i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		for (u32 j = 0; j < sizeof(lengths); j++) {
			/* Allocates; exits. */
			if ((ids[i] == 0x56000001 && lengths[j] == 4) || (ids[i] == 0x51000017 && lengths[j] > 16))
				continue;
			say("rm %x of %x zeros =", (u64)ids[i], (u64)lengths[j]);
			packet(0x21, 1, ++sequence, ids[i], zero, lengths[j]);
			say_answers(sequence);
		}
}

static void ask_queries(void)
{
	static const u32 vmids[] = { 0, 1, 2, 3, 4, 0x3f, 0x40, 0x80, 0xbe, 0xbf, 0xfe, 0xff, 0x100, 0xffff, 0x10003 };
	static const u32 ids[] = { 0x56000010, 0x56000017, 0x56000019, 0x56000020, 0x56000004, 0x5600000b, 0x56000081, 0x56000084, 0x56000082 };

	for (u32 i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		for (u32 j = 0; j < sizeof(vmids) / sizeof(vmids[0]); j++) {
			say("rm %x of vm %x =", (u64)ids[i], (u64)vmids[j]);
			packet(0x21, 1, ++sequence, ids[i], &vmids[j], 4);
			say_answers(sequence);
		}
	for (u32 j = 0; j < sizeof(vmids) / sizeof(vmids[0]); j++) {
		u32 stop[2] = { vmids[j], 0 };

		say("rm stop vm %x =", (u64)vmids[j]);
		packet(0x21, 1, ++sequence, 0x56000005, stop, 8);
		say_answers(sequence);
		if (vmids[j] != 3 && vmids[j] != 0xff && vmids[j] != 0) {
			say("rm reset vm %x =", (u64)vmids[j]);
			packet(0x21, 1, ++sequence, 0x56000006, &vmids[j], 4);
			say_answers(sequence);
		}
	}
	ask("lookup hlos", 0x56000013, "\x04\0\0\0HLOS", 8);
	ask("lookup nobody", 0x56000013, "\x04\0\0\0HLOT", 8);
	ask("lookup three letters", 0x56000013, "\x03\0\0\0HLO\0", 8);
	ask("lookup padded with one", 0x56000013, "\x03\0\0\0HLO\1", 8);
	ask("lookup too short", 0x56000013, "\x05\0\0\0HLOS", 8);
	ask("lookup too long", 0x56000013, "\x04\0\0\0HLOS\0\0\0\0", 12);
	ask("lookup nothing", 0x56000013, "\0\0\0\0", 4);
	ask("lookup 80", 0x56000013, "\x50\0\0\0", 84);
	ask("lookup 79", 0x56000013, "\x4f\0\0\0", 84);
	ask("lookup uri", 0x56000011, "\x04\0\0\0HLOS", 8);
	ask("lookup guid", 0x56000012, "\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	rm_ask("owner", 0x56000015, 0);
	rm_ask("peers", 0x56000025, 0);
	rm_ask("host type", 0x560000a0, 0);
	rm_ask("status", 0x56000080, 1, 0x00010400u);
	rm_ask("crash message", 0x56000086, 2, 4u, 0x64636261u);
	rm_ask("its own crash message", 0x56000019, 1, 3u);
	rm_ask("time base", 0x56000030, 5, 3u, 1u, 0u, 1u, 0u);
	rm_ask("firmware memory", 0x56000032, 6, 3u, 0u, 0u, 0u, 0x1000u, 0u);
	rm_ask("boot context", 0x56000031, 4, 3u, 0u, 0u, 0u);
}

static void give(const char *name, u32 id, u32 type_flags, u32 label, u32 acl, u64 address, u64 size)
{
	rm_ask(name, id, 10, type_flags, label, 1u, acl, 1u, (u32)address, (u32)(address >> 32), (u32)size, (u32)(size >> 32), 0u);
}

static void say_page(const char *name, u64 address)
{
	say("page %s load = ", name);
	say_insn(0xf9400000, address, 0);
	say("page %s store = ", name);
	say_insn(0xf9000001, address, 0);
}

#define PAGE 0x60000000ull
#define DONATE 0x51000010u
#define LEND 0x51000012u
#define SHARE 0x51000013u
#define RECLAIM 0x51000015u

static void ask_memory(void)
{
	write64(PAGE, 0x1122334455667788ull);
	give("share with myself", SHARE, 0, 0, 3 | 6 << 16, PAGE, 0x1000);
	say_page("shared rw", PAGE);
	rm_ask("reclaim it", RECLAIM, 2, 0u, 0u);
	rm_ask("reclaim it again", RECLAIM, 2, 0u, 0u);
	write64(PAGE, 0x1122334455667788ull);
	give("share with myself, read only", SHARE, 0, 0x77, 3 | 4 << 16, PAGE, 0x1000);
	say_page("shared r", PAGE);
	every_maintenance("shared r", PAGE);
	rm_ask("reclaim r", RECLAIM, 2, 1u, 0u);
	say_page("reclaimed", PAGE);
	write64(PAGE, 0x1122334455667788ull);
	give("lend to 80", LEND, 0, 0x10, 0x80 | 7 << 16, PAGE, 0x1000);
	every_maintenance("lent", PAGE);
	write64(PAGE, 0x1122334455667788ull);
	give("share, sanitised first", SHARE, 1 << 16, 0, 3 | 6 << 16, PAGE, 0x1000);
	say_page("sanitised", PAGE);
	rm_ask("reclaim sanitised", RECLAIM, 2, 3u, 0u);
	write64(PAGE, 0x1122334455667788ull);
	give("share once more", SHARE, 0, 0, 3 | 6 << 16, PAGE, 0x1000);
	rm_ask("reclaim, sanitised", RECLAIM, 2, 4u, 1u);
	say_page("sanitised at reclaim", PAGE);
	/* Misuse. */
	static const struct { const char *name; u32 id, type_flags, acl; u64 address, size; } wrong[] = {
		{ "share type 1", SHARE, 1, 3 | 6 << 16, PAGE, 0x1000 }, { "share type 2", SHARE, 2, 3 | 6 << 16, PAGE, 0x1000 }, { "share type 3", SHARE, 3, 3 | 6 << 16, PAGE, 0x1000 }, { "share without me", SHARE, 0, 0xff | 6 << 16, PAGE, 0x1000 },
		{ "lend with me", LEND, 0, 3 | 7 << 16, PAGE, 0x1000 }, { "donate with me", DONATE, 0, 3 | 7 << 16, PAGE, 0x1000 }, { "donate rw", DONATE, 0, 0xff | 6 << 16, PAGE, 0x1000 }, { "rights 0", SHARE, 0, 3, PAGE, 0x1000 },
		{ "rights 1", SHARE, 0, 3 | 1 << 16, PAGE, 0x1000 }, { "rights 2", SHARE, 0, 3 | 2 << 16, PAGE, 0x1000 }, { "rights 3", SHARE, 0, 3 | 3 << 16, PAGE, 0x1000 }, { "rights 8", SHARE, 0, 3 | 8 << 16, PAGE, 0x1000 },
		{ "reserved in acl", SHARE, 0, 3 | 6 << 16 | 1u << 24, PAGE, 0x1000 }, { "size 0", SHARE, 0, 3 | 6 << 16, PAGE, 0 }, { "size 1", SHARE, 0, 3 | 6 << 16, PAGE, 1 }, { "unaligned size", SHARE, 0, 3 | 6 << 16, PAGE, 0x1800 },
		{ "unaligned address", SHARE, 0, 3 | 6 << 16, PAGE + 8, 0x1000 }, { "not mine", SHARE, 0, 3 | 6 << 16, 0x90000000, 0x1000 }, { "beyond ram", SHARE, 0, 3 | 6 << 16, 0x7ffff000, 0x2000 }, { "device", SHARE, 0, 3 | 6 << 16, 0x09000000, 0x1000 },
		{ "gicd", SHARE, 0, 3 | 6 << 16, 0x08000000, 0x1000 }, { "wraps", SHARE, 0, 3 | 6 << 16, 0xfffffffffffff000ull, 0x2000 }, { "flags 4", SHARE, 4 << 16, 3 | 6 << 16, PAGE, 0x1000 }, { "reserved byte", SHARE, 1 << 8, 3 | 6 << 16, PAGE, 0x1000 }, { "vmid 0", LEND, 0, 7 << 16, PAGE, 0x1000 },
		{ "vmid ffff", LEND, 0, 0xffff | 7 << 16, PAGE, 0x1000 },
	};

	for (u32 i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		give(wrong[i].name, wrong[i].id, wrong[i].type_flags, 0, wrong[i].acl, wrong[i].address, wrong[i].size);
	for (u32 handle = 5; handle < 40; handle++) {
		say("rm reclaim %x =", (u64)handle);
		u32 payload[2] = { handle, 0 };

		packet(0x21, 1, ++sequence, RECLAIM, payload, 8);
		say_answers(sequence);
	}
	rm_ask("share, no acl", SHARE, 8, 0u, 0u, 0u, 1u, (u32)PAGE, 0u, 0x1000u, 0u);
	rm_ask("share, no sgl", SHARE, 6, 0u, 0u, 1u, 3u | 6u << 16, 0u, 0u);
	rm_ask("share, twice me", SHARE, 11, 0u, 0u, 2u, 3u | 6u << 16, 3u | 6u << 16, 1u, (u32)PAGE, 0u, 0x1000u, 0u, 0u);
	rm_ask("share, attribute", SHARE, 11, 0u, 0u, 1u, 3u | 6u << 16, 1u, (u32)PAGE, 0u, 0x1000u, 0u, 1u, 4u | 3u << 16);
	rm_ask("share, attribute of another", SHARE, 11, 0u, 0u, 1u, 3u | 6u << 16, 1u, (u32)PAGE, 0u, 0x1000u, 0u, 1u, 0x80u << 16);
	rm_ask("share, rest", SHARE, 11, 0u, 0u, 1u, 3u | 6u << 16, 1u, (u32)PAGE, 0u, 0x1000u, 0u, 0u, 0u);
	rm_ask("share, acl count 200", SHARE, 4, 0u, 0u, 0x200u, 3u | 6u << 16);
	rm_ask("share, acl count 201", SHARE, 4, 0u, 0u, 0x201u, 3u | 6u << 16);
	rm_ask("release", 0x51000014, 2, 100u, 0u);
	rm_ask("notify", 0x51000017, 3, 100u, 1u, 0u);
	rm_ask("append", 0x51000018, 6, 100u, 1u, 0u, 0u, 0u, 0u);
	rm_ask("accept", 0x51000011, 6, 100u, 0u, 0u, 0u, 0u, 0u);
	rm_ask("lookup sgl", 0x5100001a, 4, 0u, 0u, 0u, 0u);
	rm_ask("interrupt accept", 0x56000050, 2, 5u, 0xffffffffu);
	rm_ask("interrupt lend, none", 0x56000051, 3, 3u, 0u, 0u);
	rm_ask("interrupt lend 1020", 0x56000051, 3, 0x80u, 1020u, 0u);
	rm_ask("interrupt release", 0x56000052, 1, 5u);
	rm_ask("interrupt reclaim", 0x56000053, 1, 5u);
	rm_ask("interrupt notify", 0x56000054, 2, 5u, 1u);
	rm_ask("interrupt unmap", 0x56000055, 1, 5u);
}

static void ask_allocation(void)
{
	rm_ask("allocate", 0x56000001, 1, 0u);
	rm_ask("allocate another", 0x56000001, 1, 0u);
	rm_ask("allocate 4", 0x56000001, 1, 4u);
	rm_ask("allocate 4 again", 0x56000001, 1, 4u);
	rm_ask("allocate 3", 0x56000001, 1, 3u);
	rm_ask("allocate 40", 0x56000001, 1, 0x40u);
	rm_ask("allocate 80", 0x56000001, 1, 0x80u);
	rm_ask("allocate ffff", 0x56000001, 1, 0xffffu);
	rm_ask("state of 80", 0x56000017, 1, 0x80u);
	rm_ask("id of 80", 0x56000010, 1, 0x80u);
	rm_ask("resources of 80", 0x56000020, 1, 0x80u);
	rm_ask("start 80", 0x56000004, 1, 0x80u);
	rm_ask("init 80", 0x5600000b, 1, 0x80u);
	rm_ask("stop 80", 0x56000005, 2, 0x80u, 0u);
	rm_ask("crash message of 80", 0x56000019, 1, 0x80u);
	rm_ask("console of 80", 0x56000081, 1, 0x80u);
	rm_ask("authenticate 80", 0x5600000a, 1, 0x80u);
	rm_ask("peers with 80", 0x56000025, 0);
	rm_ask("deallocate 81", 0x56000002, 1, 0x81u);
	rm_ask("deallocate 4", 0x56000002, 1, 4u);
	rm_ask("allocate 81 again", 0x56000001, 1, 0u);
	rm_ask("deallocate 81 again", 0x56000002, 1, 0x81u);
	rm_ask("configure 80, no parcel", 0x56000009, 10, 0x80u, 500u, 0u, 0u, 0x1000u, 0u, 0u, 0u, 0x1000u, 0u);
	rm_ask("state of 80 then", 0x56000017, 1, 0x80u);
	rm_ask("deallocate 80 then", 0x56000002, 1, 0x80u);
	rm_ask("configure 3", 0x56000009, 10, 3u, 0u, 0u, 0u, 0x1000u, 0u, 0u, 0u, 0x1000u, 0u);
}

void ask_rm(void)
{
	say("rm before anything =");
	say_answers(0);
	ask_transport();
	ask_queries();
	ask_lengths();
	ask_memory();
	ask_allocation();
}
