/* Requests about a second VM at every stage of its life. It never runs: its vCPU is the owner's to run. */
#include "requests.h"

#define AUTHENTICATE 0x5600000au
#define PAGE 0x64000000u
#define TREE_WORDS (TREE_SIZE / 8)

static const char *const names[] = { "allocated", "to-be-authenticated", "configured", "ready", "running", "exited", "reset", "failed" };
static enum stage now;
/* VM_CONFIG_IMAGE has failed: what remains cannot be reset. */
static bool is_lost;
static bool is_owner = true;
enum stage vm_stage = NOWHERE_YET;
static u64 tree[TREE_WORDS];

static u32 state_of_vm(void)
{
	do_quietly(STATE, 1, vmid);
	return answered() == 0 ? rm_reply[4] : ~0u;
}

static void wait_for_reset(void)
{
	for (u32 n = 0; n < 200 && state_of_vm() != 11; n++)
		delay(20);
}

static void configure_with(u32 authentication, u32 tree_offset)
{
	do_quietly(CONFIGURE, 10, vmid | authentication << 16, parcel, 0u, 0u, (u32)TREE_OFFSET, 0u, tree_offset, 0u, (u32)TREE_SIZE, 0u);
}

static void write_tree_again(void)
{
	for (u32 n = 0; n < TREE_WORDS; n++)
		write64(HERE + TREE_OFFSET + 8 * n, tree[n]);
}

static void arrive(enum stage stage)
{
	write_tree_again();
	do_quietly(ALLOCATE, 1, 0u);
	vmid = reply_word(4);
	do_quietly(LEND, 10, 0u, 0u, 1u, vmid | 7u << 16, 1u, (u32)HERE, 0u, (u32)SIZE, 0u, 0u);
	parcel = reply_word(4);
	if (stage >= CONFIGURED)
		configure_with(0, stage == FAILED ? 0 : (u32)TREE_OFFSET);
	if (stage == TO_BE_AUTHENTICATED)
		configure_with(1, (u32)TREE_OFFSET);
	if (stage >= READY)
		do_quietly(INIT, 1, vmid);
	if (stage == RUNNING || stage == EXITED)
		do_quietly(START, 1, vmid);
	if (stage == EXITED)
		do_quietly(STOP, 2, vmid | 1u << 16, 0u);
	if (stage == WAS_RESET) {
		do_quietly(RESET, 1, vmid);
		wait_for_reset();
	}
	now = vm_stage = stage;
}

static void leave(void)
{
	u32 state = state_of_vm();

	if (state == 6) {
		do_quietly(AUTHENTICATE, 1, vmid);
		state = state_of_vm();
	}
	if (state == 1) {
		do_quietly(INIT, 1, vmid);
		state = state_of_vm();
	}
	if (state == 3) {
		do_quietly(STOP, 2, vmid | 1u << 16, 0u);
		state = state_of_vm();
	}
	if ((state == 2 || state == 8 || state == 9) && !is_lost)
		do_quietly(RESET, 1, vmid);
	if (state != 5 && state != ~0u && !is_lost)
		wait_for_reset();
	do_quietly(RECLAIM, 2, parcel, 0u);
	if (state != ~0u && !is_lost)
		do_quietly(DEALLOCATE, 1, vmid);
	is_lost = false;
	vm_stage = NOWHERE_YET;
}

/* ---- The requests ---- */

static u32 write_number(u32 *words)
{
	words[0] = vmid;
	return 4;
}

static u32 write_stop(u32 *words)
{
	words[0] = vmid;
	words[1] = 3;
	return 8;
}

static u32 write_authenticate(u32 *words)
{
	words[0] = vmid | 1u << 16;
	words[1] = 1;
	words[2] = 2;
	return 12;
}

static u32 write_time(u32 *words)
{
	words[0] = vmid;
	words[1] = 0x12345678;
	words[3] = 1;
	return 20;
}

static u32 write_firmware(u32 *words)
{
	words[0] = vmid;
	words[1] = parcel;
	words[4] = 0x1000;
	return 24;
}

static u32 write_text(u32 *words)
{
	words[0] = vmid | 4u << 16;
	words[1] = 0x64636261;
	return 8;
}

static void undo_nothing(void)
{
}

/* Where the request has changed something, everything is made again. */
static void undo_change(void)
{
	static const u8 states[] = { 5, 6, 1, 2, 3, 9, 11, 8 };
	u32 error = answered();

	if (!is_owner)
		return;
	if (error == 0 || state_of_vm() != states[now]) {
		leave();
		arrive(now);
	}
}

static const struct form forms[] = {
	{ "start", START, write_number, undo_change },
	{ "stop", STOP, write_stop, undo_change },
	{ "reset", RESET, write_number, undo_change },
	{ "deallocate", DEALLOCATE, write_number, undo_change },
	{ "authenticate", AUTHENTICATE, write_authenticate, undo_change },
	{ "init", INIT, write_number, undo_change },
	{ "firmware", 0x56000032, write_firmware, undo_change },
	{ "time", 0x56000030, write_time, undo_change },
	{ "id", 0x56000010, write_number, undo_nothing },
	{ "state", STATE, write_number, undo_nothing },
	{ "crash-message", 0x56000019, write_number, undo_nothing },
	{ "resources", RESOURCES, write_number, undo_nothing },
	{ "open", 0x56000081, write_number, undo_nothing },
	{ "write", 0x56000083, write_text, undo_nothing },
	{ "flush", 0x56000084, write_number, undo_nothing },
	{ "close", 0x56000082, write_number, undo_nothing },
	{ "peers", 0x56000025, write_nothing, undo_nothing },
};

/* ---- Images ---- */

static void ask_image(u32 number, u32 authentication, u32 handle, const u64 *places)
{
	u32 words[10] = { vmid | authentication << 16, handle };

	memcpy(words + 2, places, 32);
	keep_answer(CONFIGURE, words, sizeof(words));
	add_to_runs(number);
	is_lost = answered() == 6 || answered() == 10;
	if (answered() == 0 && state_of_vm() == 1) {
		const u32 init = vmid;

		keep_answer(INIT, &init, 4);
		add_to_runs(number);
	}
	leave();
	arrive(now);
}

static void ask_images(const char *where)
{
	static const u64 places[][4] = {
		{ 0, 0, 0, 0 }, { 0, SIZE, 0, SIZE }, { SIZE, 0, SIZE, 0 }, { SIZE - 1, 1, 0, 0x1000 }, { 1, 1, 1, 1 }, { 1, SIZE - 1, 0x800, 0x1000 }, { 1, SIZE, 0, 0x1000 }, { 0, SIZE + 1, 0, 0x1000 }, { SIZE + 1, 0, 0, 0x1000 },
		{ ALL_ONES, 1, 0, 0x1000 }, { ALL_ONES, 0, 0, 0x1000 }, { 1ull << 63, 1ull << 63, 0, 0x1000 }, { 1ull << 32, 0, 0, 0x1000 }, { 0, 1ull << 32, 0, 0x1000 }, { 0, 0x1000, 1, SIZE }, { 0, 0x1000, 0, SIZE + 1 },
		{ 0, 0x1000, ALL_ONES, 1 }, { 0, 0x1000, 1ull << 63, 1ull << 63 }, { 0, 0x1000, 1ull << 32, 0 }, { 0, 0x1000, TREE_OFFSET, 0x10 }, { 0, 0x1000, TREE_OFFSET, 0x800 }, { 0, 0x1000, TREE_OFFSET + 4, 0x1000 },
	};
	static const u32 numbers[] = { 1, 2, 3, 4, 0x100, 0x8000, 0xffff };
	static const u64 usual[4] = { 0, TREE_OFFSET, TREE_OFFSET, TREE_SIZE };

	begin_runs(where, "image", SIZE, "places");
	for (u32 i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		ask_image(i, 0, parcel, places[i]);
	end_runs();
	begin_runs(where, "image", SIZE, "authentication");
	for (u32 i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		ask_image(numbers[i], numbers[i], parcel, usual);
	end_runs();
	begin_runs(where, "image", SIZE, "handle");
	ask_image(0, 0, parcel + 1, usual);
	ask_image(1, 0, ~0u, usual);
	ask_image(2, 0, parcel - 1, usual);
	end_runs();
}

void ask_about_vm(const char *where)
{
	is_owner = false;
	for (u32 i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		ask_form(where, &forms[i]);
}

void ask_once(const char *where)
{
	for (u32 i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		u32 words[WORDS_MAX] = { 0 };
		const u32 size = forms[i].write(words);

		keep_answer(forms[i].id, words, size);
		say("%s %s = %s\n", where, forms[i].name, kept_answer());
	}
}

void ask_stages(void)
{
	more.console = true;
	fill(OBEY, 1, "stages");
	for (u32 n = 0; n < TREE_WORDS; n++)
		tree[n] = read64(HERE + TREE_OFFSET + 8 * n);
	for (enum stage stage = ALLOCATED; stage <= FAILED; stage++) {
		arrive(stage);
		for (u32 i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
			ask_form(names[stage], &forms[i]);
		leave();
	}
	arrive(ALLOCATED);
	ask_images("allocated");
	more.console = false;
}
