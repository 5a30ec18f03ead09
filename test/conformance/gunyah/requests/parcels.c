/* The fields of requests about parcels. */
#include "requests.h"

#define PAGE 0x64000000u

static u32 handle, other;

static u32 write_one(u32 *words, u32 right)
{
	const u32 one[] = { 0, 0x61, 1, right, 1, PAGE, 0, 0x1000, 0, 0 };

	memcpy(words, one, sizeof(one));
	return sizeof(one);
}

static u32 write_share(u32 *words)
{
	return write_one(words, MINE);
}

static u32 write_lend(u32 *words)
{
	return write_one(words, other);
}

static u32 write_two(u32 *words)
{
	const u32 two[] = { 0, 0x62, 2, MINE, other, 2, PAGE, 0, 0x1000, 0, PAGE + 0x4000, 0, 0x2000, 0, 2, self << 16, 3u | other << 16 };

	memcpy(words, two, sizeof(two));
	return sizeof(two);
}

static u32 write_io(u32 *words)
{
	const u32 io[] = { 1, 0x63, 1, MINE, 1, 0x0a003000, 0, 0x1000, 0, 1, 1u | self << 16 };

	memcpy(words, io, sizeof(io));
	return sizeof(io);
}

static void undo_parcel(void)
{
	if (answered() == 0)
		do_quietly(RECLAIM, 2, reply_word(4), 0u);
}

/* ---- About one that is there ---- */

static void make(u32 flags)
{
	do_quietly(SHARE, 12, flags << 16, 0x64u, 2u, MINE, other, 1u, PAGE, 0u, 0x1000u, 0u, 1u, self << 16);
	handle = reply_word(4);
}

static void undo_handle(void)
{
	do_quietly(RECLAIM, 2, handle, 0u);
}

static u32 write_handle(u32 *words)
{
	make(0);
	words[0] = handle;
	return 8;
}

static u32 write_append(u32 *words)
{
	const u32 more_[] = { handle, 0, 2, PAGE + 0x10000, 0, 0x1000, 0, PAGE + 0x20000, 0, 0x1000, 0 };

	make(2);
	memcpy(words, more_, sizeof(more_));
	words[0] = handle;
	return sizeof(more_);
}

static u32 write_notice(u32 *words)
{
	make(0);
	words[0] = handle;
	words[1] = 1;
	words[2] = 0x55;
	words[3] = 1;
	words[4] = self;
	return 20;
}

static u32 write_recall(u32 *words)
{
	write_notice(words);
	words[1] = 8;
	return 20;
}

static u32 write_lookup(u32 *words)
{
	const u32 same[] = { 0, 0x64, 2, MINE, other, 1, PAGE, 0, 0x1000, 0, 1, self << 16 };

	make(0);
	memcpy(words, same, sizeof(same));
	return sizeof(same);
}

static u32 write_accept(u32 *words)
{
	const u32 same[] = { 0, 2u << 8, 0x64, 2, MINE, other, 1, PAGE, 0, 0x1000, 0, 1, self << 16 };

	make(0);
	memcpy(words, same, sizeof(same));
	words[0] = handle;
	return sizeof(same);
}

void ask_parcel_forms(const char *where, u32 party)
{
	static const struct form forms[] = {
		{ "share", SHARE, write_share, undo_parcel },
		{ "lend", LEND, write_lend, undo_parcel },
		{ "donate", DONATE, write_lend, undo_parcel },
		{ "share-two", SHARE, write_two, undo_parcel },
		{ "share-device", SHARE, write_io, undo_parcel },
		{ "append", APPEND, write_append, undo_handle },
		{ "reclaim", RECLAIM, write_handle, undo_handle },
		{ "release", RELEASE, write_handle, undo_handle },
		{ "notify", NOTIFY, write_notice, undo_handle },
		{ "recall", NOTIFY, write_recall, undo_handle },
		{ "lookup", LOOKUP, write_lookup, undo_handle },
		{ "accept", ACCEPT, write_accept, undo_handle },
	};

	other = party | 7u << 16;
	for (u32 i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		ask_form(where, &forms[i]);
}
