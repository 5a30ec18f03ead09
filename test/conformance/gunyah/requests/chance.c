/*
 * Requests that a generator with a fixed seed puts together, about three VMs and eight parcels whose states it leaves to chance: what one
 * request did is there for the next. Sixteen answers are one hash; `IS_WHOLE` says each.
 */
#include "requests.h"

#define IS_WHOLE false

#define QUESTIONS 4096u
#define GROUP 16u
#define SLOTS 3u
#define PARCELS 8u
#define PLACE(slot) (HERE + 0x400000ull * (slot))
#define PAGES 0x64000000u
#define TREE_WORDS (TREE_SIZE / 8)
#define NONE ~0u

/* A number that may be a VM's, and the memory for its image. */
struct slot {
	u32 number; /* 0 while it has none */
	u32 image;  /* the parcel, or NONE */
	bool is_configured;
	bool was_reset;
};

static struct slot slots[SLOTS];
static u32 parcels[PARCELS];
static u64 tree[TREE_WORDS], state;
static u32 said, number_of_question;
static u64 hash;

/* SplitMix64. */
static u64 next(void)
{
	u64 z = state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static u32 below(u32 limit)
{
	return (u32)(next() >> 32) % limit;
}

/* ---- Answers ---- */

static void take(u32 id, const u32 *words, u32 count)
{
	keep_answer(id, words, count * 4);
	if (IS_WHOLE) {
		say("chance %x %x of", (u64)number_of_question, (u64)id);
		for (u32 n = 0; n < count; n++)
			say(" %x", (u64)words[n]);
		say(" = %s\n", kept_answer());
	}
	for (const char *c = kept_answer(); *c; c++)
		hash = (hash ^ (u8)*c) * 0x100000001b3ull;
	number_of_question++;
	if (++said < GROUP)
		return;
	if (!IS_WHOLE)
		say("chance %x to %x = %x\n", (u64)(number_of_question - GROUP), (u64)(number_of_question - 1), hash);
	said = 0;
	hash = 0xcbf29ce484222325ull;
}

static void ask(u32 id, u32 count, u32 a, u32 b, u32 c, u32 d)
{
	const u32 words[] = { a, b, c, d };

	take(id, words, count);
}

/* ---- What there is ---- */

static struct slot *any_slot(void)
{
	return &slots[below(SLOTS)];
}

/* Now and then nobody's. */
static u32 number_of(const struct slot *slot)
{
	static const u32 others[] = { 3, 0xff, 0xbd, 0 };

	return below(16) == 0 ? others[below(4)] : slot->number ? slot->number : 0xbd;
}

static u32 *any_parcel(void)
{
	return &parcels[below(PARCELS)];
}

static u32 state_of(u32 number)
{
	do_quietly(STATE, 1, number);
	return answered() == 0 ? rm_reply[4] : NONE;
}

static void write_tree_to(u64 place)
{
	for (u32 n = 0; n < TREE_WORDS; n++)
		write64(place + TREE_OFFSET + 8 * n, tree[n]);
}

/* ---- Lives ---- */

static void ask_allocate(struct slot *slot)
{
	if (slot->number)
		return;
	ask(ALLOCATE, 1, 0, 0, 0, 0);
	slot->number = answered() == 0 ? reply_word(4) : 0;
	slot->is_configured = slot->was_reset = false;
}

static void ask_deallocate(struct slot *slot)
{
	if (!slot->number)
		return;
	ask(DEALLOCATE, 1, slot->number, 0, 0, 0);
	if (answered() == 0)
		slot->number = 0;
}

static void ask_image(struct slot *slot)
{
	u64 place = PLACE(slot - slots);
	u32 words[11] = { 0, 0, 1, (slot->number ? slot->number : 0xbd) | 7u << 16, 1, (u32)place, 0, (u32)SIZE, 0, 0 };

	if (slot->image != NONE)
		return;
	write_tree_to(place);
	take(LEND, words, 10);
	slot->image = answered() == 0 ? reply_word(4) : NONE;
}

/* A VM that has failed to be configured could never be reset, so what is wrong is what VM_INIT finds. */
static void ask_configure(struct slot *slot)
{
	u32 offset = below(4) ? (u32)TREE_OFFSET : 0, words[10] = { 0, 0, 0, 0, 0x1000, 0, offset, 0, (u32)TREE_SIZE, 0 };

	words[0] = slot->number | below(3) << 16;
	if (!slot->number || slot->was_reset)
		return;
	if (state_of(slot->number) == 5) {
		/* It may have been lent when this slot had another number. */
		if (slot->image != NONE) {
			do_quietly(RECLAIM, 2, slot->image, 0u);
			if (answered() != 0)
				return;
		}
		slot->image = NONE;
		ask_image(slot);
	}
	words[1] = slot->image;
	take(CONFIGURE, words, 10);
	slot->is_configured |= answered() == 0;
}

static void ask_reset(struct slot *slot)
{
	if (!slot->number || !slot->is_configured || slot->was_reset)
		return;
	ask(RESET, 1, slot->number, 0, 0, 0);
	if (answered() != 0)
		return;
	slot->was_reset = true;
	for (u32 n = 0; n < 200 && state_of(slot->number) != 11; n++)
		delay(20);
}

static void ask_time(u32 number)
{
	const u32 words[] = { number, 1, 0, 2, 0 };

	take(0x56000030, words, 5);
}

static void ask_life(void)
{
	struct slot *slot = any_slot();

	switch (below(16)) {
	case 0: case 1: ask_allocate(slot); return;
	case 2: case 3: ask_image(slot); return;
	case 4: case 5: ask_configure(slot); return;
	case 6: case 7: ask(INIT, 1, number_of(slot), 0, 0, 0); return;
	case 8: case 9: ask(START, 1, number_of(slot), 0, 0, 0); return;
	case 10: ask(STOP, 2, number_of(slot) | below(3) << 16, below(4), 0, 0); return;
	case 11: ask_reset(slot); return;
	case 12: ask_deallocate(slot); return;
	case 13:
		if (slot->image == NONE)
			return;
		ask(RECLAIM, 2, slot->image, 0, 0, 0);
		if (answered() == 0)
			slot->image = NONE;
		return;
	case 14: ask(0x5600000a, 1, number_of(slot), 0, 0, 0); return;
	default: ask_time(number_of(slot)); return;
	}
}

/* ---- Questions ---- */

static void ask_about(void)
{
	static const u32 ids[] = { STATE, 0x56000010, RESOURCES, 0x56000019, 0x56000081, 0x56000082, 0x56000084 };
	u32 number = number_of(any_slot());

	switch (below(10)) {
	case 0: ask(0x56000025, 0, 0, 0, 0, 0); return;
	case 1: ask(0x56000083, 2, number | 4u << 16, 0x64636261, 0, 0); return;
	case 2: ask(0x56000013, 3, 6, 0x6e616863, 0x6563, 0); return;
	default: ask(ids[below(7)], 1, number, 0, 0, 0); return;
	}
}

/* ---- Parcels ---- */

static u32 any_party(void)
{
	static const u32 rights[] = { 7, 7, 6, 4, 5, 2 };
	u32 chance = below(8);

	return (chance == 0 ? 0xff : chance < 4 ? 3 : number_of(&slots[below(SLOTS)])) | rights[below(6)] << 16;
}

static void ask_new_parcel(void)
{
	static const u32 ids[] = { SHARE, SHARE, LEND, LEND, DONATE };
	u32 words[WORDS_MAX], n = 0, id = ids[below(5)], parties = 1 + below(2), ranges = 1 + below(2), *parcel_ = any_parcel();

	words[n++] = below(8) == 0 ? below(3) : below(4) == 0 ? below(4) << 16 : 0;
	words[n++] = below(3) * 0x31;
	words[n++] = parties;
	for (u32 k = 0; k < parties; k++)
		words[n++] = id == DONATE ? 0xff | 7u << 16 : any_party();
	words[n++] = ranges;
	for (u32 k = 0; k < ranges; k++) {
		words[n++] = PAGES + 0x1000 * below(24);
		words[n++] = 0;
		words[n++] = 0x1000 * below(4);
		words[n++] = 0;
	}
	words[n++] = 0;
	if (*parcel_ != NONE && below(4))
		return;
	take(id, words, n);
	if (answered() == 0) {
		if (*parcel_ != NONE)
			do_quietly(RECLAIM, 2, *parcel_, 0u);
		*parcel_ = reply_word(4);
	}
}

static void ask_notice(void)
{
	u32 to = number_of(&slots[below(SLOTS)]), stage = state_of(to);

	if (to == 0xff || (stage != 2 && stage != 3 && stage != NONE))
		to = 3;
	const u32 words[] = { *any_parcel(), 1u << below(4), 0x55 * below(2), 1, to };

	take(NOTIFY, words, 5);
}

static void ask_parcel(void)
{
	u32 *parcel_ = any_parcel();

	switch (below(10)) {
	case 0: case 1: case 2: case 3: ask_new_parcel(); return;
	case 4: case 5:
		ask(RECLAIM, 2, *parcel_, below(8) == 0, 0, 0);
		if (answered() == 0)
			*parcel_ = NONE;
		return;
	case 6: ask(RELEASE, 2, *parcel_, 0, 0, 0); return;
	case 7: {
		const u32 words[] = { *parcel_, below(2), 1, PAGES + 0x1000 * below(24), 0, 0x1000, 0 };

		take(APPEND, words, 7);
		return;
	}
	case 8: {
		const u32 words[] = { *parcel_, below(2) | below(3) << 8 | (below(4) ? 0 : 1u << (16 + below(8))), 0x31 * below(3), 0, 0, 0 };

		take(ACCEPT, words, 6);
		return;
	}
	default: ask_notice(); return;
	}
}

/* ---- Interrupts ---- */

static u32 lent[4];

static void ask_interrupt(void)
{
	u32 *handle = &lent[below(4)], number = number_of(any_slot()), stage = state_of(number);

	switch (below(8)) {
	case 0: case 1: case 2:
		if (*handle)
			return;
		ask(IRQ_LEND, 3, number, 100 + below(8), below(3), 0);
		*handle = answered() == 0 ? reply_word(4) : 0;
		return;
	case 3: case 4:
		ask(0x56000053, 1, *handle, 0, 0, 0);
		if (answered() == 0)
			*handle = 0;
		return;
	case 5: ask(0x56000052, 1, *handle, 0, 0, 0); return;
	case 6: ask(0x56000050, 2, *handle, ~0u, 0, 0); return;
	default: ask(0x56000054, 2, *handle, (stage == 2 || stage == 3) && below(2) ? 6 : 2u << below(2), 0, 0); return;
	}
}

void ask_by_chance(void)
{
	state = 1;
	hash = 0xcbf29ce484222325ull;
	more.console = true;
	fill(OBEY, 1, "chance");
	for (u32 n = 0; n < TREE_WORDS; n++)
		tree[n] = read64(HERE + TREE_OFFSET + 8 * n);
	for (u32 n = 0; n < SLOTS; n++)
		slots[n].image = NONE;
	for (u32 n = 0; n < PARCELS; n++)
		parcels[n] = NONE;
	while (number_of_question < QUESTIONS) {
		u32 chance = below(16);

		if (chance < 8)
			ask_life();
		else if (chance < 10)
			ask_about();
		else if (chance < 11)
			ask_interrupt();
		else
			ask_parcel();
	}
	more.console = false;
}
