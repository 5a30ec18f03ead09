/* The second VM's side: the questions of the primary VM asked by another, and what only a borrower can ask. */
#include "requests.h"
#include "second.h"

#define IRQ_ACCEPT 0x56000050u
#define IRQ_RELEASE 0x56000052u
#define IRQ_NOTIFY 0x56000054u
#define PLACE 0x66000000u

static struct told told;

/* ---- Parcels that it is given ---- */

static void give_back(void)
{
	do_quietly(RELEASE, 2, told.lent, 0u);
	do_quietly(RELEASE, 2, told.shared, 0u);
}

/* At places of its choice. */
static u32 write_place(u32 *words)
{
	const u32 places[] = { told.lent, 1u << 8 | 0x80u << 16, 0, 0, 2, PLACE, 0, 0x1000, 0, PLACE + 0x4000, 0, 0x2000, 0, 0 };

	memcpy(words, places, sizeof(places));
	return sizeof(places);
}

/* Side by side. */
static u32 write_together(u32 *words)
{
	const u32 place[] = { told.lent, 1u << 8 | 0x90u << 16, 0, 0, 1, PLACE, 0, 0x3000, 0, 0 };

	memcpy(words, place, sizeof(place));
	return sizeof(place);
}

/* Where RM likes, after looking whether it is what is expected. */
static u32 write_anywhere(u32 *words)
{
	const u32 all[] = { told.shared, 2u << 8 | 0x87u << 16, 0x83, 2, self | 6u << 16, 3u | 6u << 16, 0, 1, self << 16 };

	memcpy(words, all, sizeof(all));
	return sizeof(all);
}

static void accept(void)
{
	do_quietly(ACCEPT, 6, told.shared, 2u << 8 | 0x80u << 16, 0u, 0u, 0u, 0u);
}

static u32 write_release(u32 *words)
{
	accept();
	words[0] = told.shared;
	return 8;
}

static u32 write_accepted(u32 *words)
{
	accept();
	words[0] = told.shared;
	words[1] = 4;
	words[2] = 0x55;
	return 12;
}

static u32 write_released(u32 *words)
{
	words[0] = told.shared;
	words[1] = 2;
	words[2] = 0x55;
	return 12;
}

static u32 write_others(u32 *words)
{
	words[0] = told.shared;
	return 8;
}

static u32 write_more(u32 *words)
{
	const u32 more_[] = { told.shared, 0, 1, OWN, 0, 0x1000, 0 };

	memcpy(words, more_, sizeof(more_));
	return sizeof(more_);
}

/* What the primary VM lent, looked for by its borrower. */
static u32 write_lookup(u32 *words)
{
	const u32 same[] = { 0, 0x82, 1, self | 7u << 16, 2, 0x65000000, 0, 0x1000, 0, 0x65004000, 0, 0x2000, 0 };

	memcpy(words, same, sizeof(same));
	return sizeof(same);
}

static void undo_nothing(void)
{
}

/* ---- The interrupt that it is lent ---- */

static void give_back_interrupt(void)
{
	do_quietly(IRQ_RELEASE, 1, told.interrupt);
}

static u32 write_interrupt(u32 *words)
{
	words[0] = told.interrupt;
	words[1] = ~0u;
	return 8;
}

static u32 write_interrupt_back(u32 *words)
{
	do_quietly(IRQ_ACCEPT, 2, told.interrupt, ~0u);
	words[0] = told.interrupt;
	return 4;
}

static u32 write_interrupt_notice(u32 *words)
{
	do_quietly(IRQ_ACCEPT, 2, told.interrupt, ~0u);
	words[0] = told.interrupt;
	words[1] = 4;
	return 8;
}

static u32 write_reserve_one(u32 *words)
{
	static const u32 one[] = { 0, 4, 0, 1, 0x70000000, 0, 0x2000, 0 };

	memcpy(words, one, sizeof(one));
	return sizeof(one);
}

static const struct form forms[] = {
	{ "accept", ACCEPT, write_place, give_back },
	{ "accept-together", ACCEPT, write_together, give_back },
	{ "accept-anywhere", ACCEPT, write_anywhere, give_back },
	{ "release", RELEASE, write_release, give_back },
	{ "accepted", NOTIFY, write_accepted, give_back },
	{ "released", NOTIFY, write_released, undo_nothing },
	{ "reclaim", RECLAIM, write_others, undo_nothing },
	{ "append", APPEND, write_more, undo_nothing },
	{ "lookup", LOOKUP, write_lookup, undo_nothing },
	{ "interrupt-accept", IRQ_ACCEPT, write_interrupt, give_back_interrupt },
	{ "interrupt-release", IRQ_RELEASE, write_interrupt_back, give_back_interrupt },
	{ "interrupt-notify", IRQ_NOTIFY, write_interrupt_notice, give_back_interrupt },
	{ "reserve-one", 0x560000b0, write_reserve_one, undo_nothing },
};

static void ask_borrowed(void)
{
	for (u32 i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		ask_form("borrowed", &forms[i]);
}

static void ask_about_one(const char *where, u32 number, enum stage stage)
{
	vmid = number;
	vm_stage = stage;
	ask_about_vm(where);
}

static void ask_other_stages(void)
{
	const struct { const char *where; u32 number; } all[] = { { "configured", told.configured }, { "ready", told.ready }, { "exited", told.exited }, { "reset", told.was_reset }, { "failed", told.failed } };

	for (u32 i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		vmid = all[i].number;
		ask_once(all[i].where);
	}
}

/* The queue holds eight; RM sends on what waits when it has its turn. */
static void listen(void)
{
	for (u32 n = 0; n < 200; n++) {
		hear();
		(void)read64(IDLE);
	}
	say_told();
}

void ask_as_second(void)
{
	told = *(struct told *)(BASE + TOLD_OFFSET);
	if (told.self == 0) {
		listen();
		return;
	}
	self = told.self;
	others[0] = told.allocated;
	others[1] = told.running;
	others[2] = told.configured;
	others[3] = told.ready;
	others[4] = told.exited;
	others[5] = told.was_reset;
	others[6] = told.failed;
	own_image = told.image;
	vm_stage = NOWHERE_YET;
	do_quietly(ACCEPT, 10, told.donated, 0x80u << 16, 0u, 0u, 1u, OWN, 0u, OWN_SIZE, 0u, 0u);
	say("own accept = %s\n", kept_answer());
	ask_borrowed();
	ask_parcel_forms("own", 0xff);
	ask_parcel_forms("primary", 3);
	ask_parcel_forms("running", told.running);
	ask_about_one("primary", 3, RUNNING);
	ask_about_one("allocated", told.allocated, ALLOCATED);
	ask_about_one("running", told.running, RUNNING);
	ask_other_stages();
	vmid = 0;
	ask_fields();
	ask_lengths();
	/* The VM goes with the memory that it is in. */
	do_quietly(RELEASE, 2, told.image, 0u);
	say("own end\n");
}
