/* Every request with every length of payload, and every identifier about them. */
#include "requests.h"

/* Of bytes. */
#define BEYOND 12u
#define ONES 0xffu

static const struct { u32 id; u8 longest; } requests[] = {
	{ DONATE, 60 }, { ACCEPT, 64 }, { LEND, 60 }, { SHARE, 60 }, { RELEASE, 12 }, { RECLAIM, 12 }, { NOTIFY, 28 }, { APPEND, 48 }, { LOOKUP, 60 }, { 0x51000021, 24 },
	{ ALLOCATE, 4 }, { DEALLOCATE, 4 }, { START, 4 }, { STOP, 8 }, { RESET, 4 }, { CONFIGURE, 40 }, { 0x5600000a, 32 }, { INIT, 4 }, { 0x56000010, 4 }, { 0x56000011, 92 }, { 0x56000012, 16 }, { 0x56000013, 92 },
	{ 0x56000015, 0 }, { STATE, 4 }, { 0x56000019, 4 }, { RESOURCES, 4 }, { 0x56000021, 8 }, { 0x56000022, 8 }, { 0x56000024, 0 }, { 0x56000025, 0 }, { 0x56000030, 20 }, { 0x56000031, 16 }, { 0x56000032, 24 },
	{ 0x56000033, 40 }, { 0x56000034, 24 }, { 0x56000040, 16 }, { 0x56000041, 16 }, { 0x56000042, 16 }, { 0x56000043, 16 }, { 0x56000050, 8 }, { IRQ_LEND, 12 }, { 0x56000052, 4 }, { 0x56000053, 4 },
	{ 0x56000054, 24 }, { 0x56000055, 8 }, { 0x56000080, 4 }, { 0x56000081, 4 }, { 0x56000082, 4 }, { 0x56000083, 40 }, { 0x56000084, 4 }, { 0x56000085, 4 }, { 0x56000086, 204 }, { 0x560000a0, 0 }, { 0x560000b0, 60 },
	{ 0x560000b1, 24 },
};

enum filling { ZEROS, COUNTED, FULL, FIRST_ONE, FIRST_THREE, FIRST_SELF, FILLINGS };

static void fill_payload(u8 *bytes, u32 size, enum filling filling)
{
	for (u32 i = 0; i < size; i++)
		bytes[i] = filling == COUNTED ? (u8)i : filling == FULL ? ONES : 0;
	if (filling == FIRST_ONE && size > 0)
		bytes[0] = 1;
	if (filling == FIRST_THREE && size > 0)
		bytes[0] = 3;
	if (filling == FIRST_SELF && size > 0)
		bytes[0] = (u8)self;
}

static void ask_with(u32 id, u32 size, enum filling filling)
{
	static u32 words[60];

	fill_payload((u8 *)words, sizeof(words), filling);
	if (is_deadly(id, size, words))
		return;
	keep_answer(id, words, size);
	add_to_runs(size);
	if (id == ALLOCATE && answered() == 0)
		do_quietly(DEALLOCATE, 1, words[0] & 0xffff ? words[0] & 0xffff : reply_word(4));
}

static void ask_every_length(u32 id, u32 longest)
{
	static const char *const names[] = { "of zeros", "counted", "of ones", "of 1", "of 3", "of itself" };

	for (enum filling filling = ZEROS; filling < (self == 3 ? FIRST_SELF : FILLINGS); filling++) {
		begin_runs("any", "length", id, names[filling]);
		for (u32 size = 0; size <= longest + BEYOND; size++)
			ask_with(id, size, filling);
		end_runs();
	}
}

static bool is_known(u32 id)
{
	for (u32 i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		if (requests[i].id == id)
			return true;
	return id == 0x51000020;
}

/* Identifiers that nobody knows. */
static void ask_unknown(u32 first, u32 end)
{
	static const u8 sizes[] = { 0, 1, 4, 8, 20, 232 };

	for (u32 i = 0; i < sizeof(sizes); i++) {
		begin_runs("any", "unknown", sizes[i], "bytes");
		for (u32 id = first; id < end; id++)
			if (!is_known(id)) {
				static u32 words[60];

				fill_payload((u8 *)words, sizeof(words), i & 1 ? FULL : ZEROS);
				keep_answer(id, words, sizes[i]);
				add_to_runs(id);
			}
		end_runs();
	}
}

void ask_lengths(void)
{
	for (u32 i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		ask_every_length(requests[i].id, requests[i].longest);
	ask_unknown(0x51000000, 0x51000040);
	ask_unknown(0x56000000, 0x560000e0);
	ask_unknown(0x51100008, 0x51100020);
	ask_unknown(0x56100000, 0x56100020);
	ask_unknown(0x0, 0x4);
	ask_unknown(0xfffffffc, 0xffffffff);
}
