/* The fields of requests about the primary VM itself, and how the fields of any request are asked about. */
#include "requests.h"

#define RESERVE 0x560000b0u
#define EXIT 0x56000085u
#define BEYOND 12u

static const u32 edges[] = {
	0, 1, 2, 3, 4, 5, 7, 8, 0xf, 0x10, 0x3f, 0x40, 0x4f, 0x50, 0x7f, 0x80, 0x81, 0xbe, 0xbf, 0xc0, 0xfe, 0xff, 0x100, 0x1ff, 0x200, 0x201, 0xfff, 0x1000, 0x7fff, 0x8000, 0xfffe, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffff000, 0xffffffff,
};
#define EDGES (sizeof(edges) / sizeof(edges[0]))

u32 self = 3, others[12], own_image;

/* ---- What the real one does not survive ---- */

/* A range of memory at 36 to 44 bits, in which the hypervisor looks. */
static bool is_far(u32 size, const u32 *words, u32 at)
{
	u32 end = size / 4, count = (u16)words[at];

	for (u32 n = at + 1; count > 0 && n + 3 < end; n += 4, count--)
		if (words[n + 1] >= 0x10 && words[n + 1] < 0x1000)
			return true;
	return false;
}

static bool is_number_of_nobody(u16 id)
{
	for (u32 n = 0; others[n]; n++)
		if (id == others[n])
			return false;
	return id != 3 && id != self && id != 0xff;
}

/* One that no messages reach: the Resource Manager, and a VM that has no channel to it yet or any more. */
static bool tells_the_deaf(u32 size, const u32 *words)
{
	u32 count = (u16)words[3];

	if (size < 20 || ((u8)words[1] != 1 && (u8)words[1] != 8))
		return false;
	for (u32 n = 0; n < count && 16 + 4 * n < size; n++)
		if ((u16)words[4 + n] == 0xff || ((u16)words[4 + n] == vmid && vm_stage != READY && vm_stage != RUNNING) || (others[0] != 0 && (u16)words[4 + n] == others[0]))
			return true;
	return false;
}

bool is_deadly(u32 id, u32 size, const u32 *words)
{
	const u8 *bytes = (const u8 *)words;

	switch (id) {
	case DEALLOCATE:
		return size == 4 && is_number_of_nobody((u16)words[0]) && (self != 3 || vmid == 0 || (u16)words[0] != vmid);
	case RESET:
		return size == 4 && (u16)words[0] == vmid && (vm_stage == ALLOCATED || vm_stage == WAS_RESET);
	case 0x56000050: case IRQ_LEND: case 0x56000052: case 0x56000053: case 0x56000054: case 0x56000055: case 0x56000083:
		return size == 0;
	case EXIT:
		return size == 4 && bytes[3] == 0 && (bytes[2] < 2 || bytes[2] == 3 || bytes[2] == 4);
	case DONATE: case LEND: case SHARE:
		return size >= 20 && (u16)words[2] < 16 && is_far(size, words, 3 + (u16)words[2]);
	case NOTIFY:
		return tells_the_deaf(size, words);
	case ACCEPT: /* for whom is behind the end, whatever is there */
		return size >= 24 && size == 16u + 4u * (u16)words[3];
	case RELEASE: /* its own image, of which the asking VM dies */
		return self != 3 && size >= 8 && words[0] == own_image;
	case RESERVE: /* a later one that is refused */
		return self != 3 && size >= 16 && words[0] == 0 && (u16)words[3] > 1;
	case APPEND:
		return size >= 12 && is_far(size, words, 2);
	default:
		return false;
	}
}

/* ---- One form ---- */

enum change { LENGTH, BIT, EDGE };

/* False if there is no such change. */
static bool change(enum change how, u32 n, u32 *words, u32 *size)
{
	u8 *bytes = (u8 *)words;

	switch (how) {
	case LENGTH:
		for (u32 i = *size; i < *size + BEYOND; i++)
			bytes[i] = (u8)(n & 1 ? 0 : i);
		if (n > *size + BEYOND)
			return false;
		*size = n;
		return true;
	case BIT:
		if (n >= 8 * *size)
			return false;
		bytes[n / 8] ^= (u8)(1u << (n & 7));
		return true;
	default:
		if (n / EDGES >= *size / 4)
			return false;
		words[n / EDGES] = edges[n % EDGES];
		return true;
	}
}

static void ask_changes(const char *where, const struct form *form, enum change how, const char *name)
{
	u32 words[WORDS_MAX + BEYOND / 4];

	begin_runs(where, form->name, form->id, name);
	for (u32 n = 0;; n++) {
		memset(words, 0, sizeof(words));
		u32 size = form->write(words);
		bool is_there = change(how, n, words, &size);

		if (is_there && !is_deadly(form->id, size, words)) {
			keep_answer(form->id, words, size);
			add_to_runs(how == EDGE ? (n / EDGES) << 8 | (n % EDGES) : n);
		} else {
			do_quietly(0x56000024, 0);
		}
		form->undo();
		if (!is_there)
			break;
	}
	end_runs();
}

void ask_form(const char *where, const struct form *form)
{
	ask_changes(where, form, LENGTH, "length");
	ask_changes(where, form, BIT, "bit");
	ask_changes(where, form, EDGE, "edge");
}

/* ---- About itself ---- */

static u32 write_allocate(u32 *words)
{
	words[0] = 5;
	vmid = 5;
	return 4;
}

/* Whatever number it was. */
static void undo_allocate(void)
{
	if (answered() != 0)
		return;
	for (u32 number = 1; number < 0x40; number++) {
		do_quietly(STATE, 1, number);
		if (answered() == 0 && number != 3)
			do_quietly(DEALLOCATE, 1, number);
	}
	do_quietly(STATE, 1, 0x80u);
	if (answered() == 0)
		do_quietly(DEALLOCATE, 1, 0x80u);
}

static u32 write_deallocate(u32 *words)
{
	do_quietly(ALLOCATE, 1, 6u);
	vmid = 6;
	words[0] = 6;
	return 4;
}

static void undo_deallocate(void)
{
	do_quietly(STATE, 1, 6u);
	if (answered() == 0)
		do_quietly(DEALLOCATE, 1, 6u);
}

static u32 write_self(u32 *words)
{
	words[0] = self;
	return 4;
}

static u32 write_eight(u32 *words)
{
	words[0] = self;
	return 8;
}

static u32 write_name(u32 *words)
{
	words[0] = self;
	memcpy(words + 1, "HLO", 4);
	return 8;
}

static u32 write_guid(u32 *words)
{
	(void)words;
	return 16;
}

static u32 write_exit(u32 *words)
{
	words[0] = 2u << 16;
	return 4;
}

static u32 write_console(u32 *words)
{
	words[0] = self | 5u << 16;
	memcpy(words + 1, "chars", 5);
	return 9;
}

static u32 write_message(u32 *words)
{
	words[0] = 6;
	memcpy(words + 1, "crash!", 6);
	return 12;
}

static u32 write_time(u32 *words)
{
	words[0] = self;
	words[1] = 1;
	words[3] = 2;
	return 20;
}

static u32 write_firmware(u32 *words)
{
	words[0] = self;
	words[4] = 0x1000;
	return 24;
}

static u32 write_configuration(u32 *words)
{
	words[0] = self;
	words[4] = 0x1000;
	words[8] = 0x1000;
	return 40;
}

u32 write_nothing(u32 *words)
{
	(void)words;
	return 0;
}

static u32 write_reserve(u32 *words)
{
	static const u32 two[] = { 0, 4, 0, 2, 0, 2, 0x1000, 0, 0, 4, 0x1000, 0 };

	memcpy(words, two, sizeof(two));
	return sizeof(two);
}

static u32 write_choose(u32 *words)
{
	static const u32 one[] = { 1, 4, 0, 1, 0, 2, 0x100000, 0, 0x2000, 0, 0x1000, 0 };

	memcpy(words, one, sizeof(one));
	return sizeof(one);
}

static u32 write_lent(u32 *words)
{
	words[0] = 0x99;
	words[1] = 110;
	words[2] = 1;
	return 12;
}

static void undo_nothing(void)
{
}

static void undo_lent(void)
{
	if (answered() == 0)
		do_quietly(0x56000053, 1, reply_word(4));
}

static u32 irq_handle;

static u32 write_handle_of_interrupt(u32 *words)
{
	do_quietly(IRQ_LEND, 3, 0x99u, 110u, 1u);
	irq_handle = reply_word(4);
	words[0] = irq_handle;
	return 4;
}

static u32 write_accept(u32 *words)
{
	write_handle_of_interrupt(words);
	words[1] = ~0u;
	return 8;
}

static u32 write_notice(u32 *words)
{
	write_handle_of_interrupt(words);
	words[1] = 1;
	words[2] = 1;
	words[3] = 0x99;
	return 16;
}

static void undo_handle(void)
{
	do_quietly(0x56000053, 1, irq_handle);
}

static const struct form forms[] = {
	{ "allocate", ALLOCATE, write_allocate, undo_allocate },
	{ "deallocate", DEALLOCATE, write_deallocate, undo_deallocate },
	{ "start", START, write_self, undo_nothing },
	{ "stop", STOP, write_eight, undo_nothing },
	{ "reset", RESET, write_self, undo_nothing },
	{ "configure", CONFIGURE, write_configuration, undo_nothing },
	{ "authenticate", 0x5600000a, write_console, undo_nothing },
	{ "init", INIT, write_self, undo_nothing },
	{ "id", 0x56000010, write_self, undo_nothing },
	{ "uri", 0x56000011, write_name, undo_nothing },
	{ "guid", 0x56000012, write_guid, undo_nothing },
	{ "name", 0x56000013, write_name, undo_nothing },
	{ "owner", 0x56000015, write_nothing, undo_nothing },
	{ "state", STATE, write_self, undo_nothing },
	{ "crash-message", 0x56000019, write_self, undo_nothing },
	{ "resources", RESOURCES, write_self, undo_nothing },
	{ "number", 0x56000024, write_nothing, undo_nothing },
	{ "peers", 0x56000025, write_nothing, undo_nothing },
	{ "time", 0x56000030, write_time, undo_nothing },
	{ "firmware", 0x56000032, write_firmware, undo_nothing },
	{ "interrupt-lend", IRQ_LEND, write_lent, undo_lent },
	{ "interrupt-accept", 0x56000050, write_accept, undo_handle },
	{ "interrupt-release", 0x56000052, write_handle_of_interrupt, undo_handle },
	{ "interrupt-reclaim", 0x56000053, write_handle_of_interrupt, undo_handle },
	{ "interrupt-notify", 0x56000054, write_notice, undo_handle },
	{ "status", 0x56000080, write_self, undo_nothing },
	{ "open", 0x56000081, write_self, undo_nothing },
	{ "close", 0x56000082, write_self, undo_nothing },
	{ "write", 0x56000083, write_console, undo_nothing },
	{ "flush", 0x56000084, write_self, undo_nothing },
	{ "exit", EXIT, write_exit, undo_nothing },
	{ "message", 0x56000086, write_message, undo_nothing },
	{ "reserve", RESERVE, write_reserve, undo_nothing },
	{ "choose", RESERVE, write_choose, undo_nothing },
	{ "host", 0x560000a0, write_nothing, undo_nothing },
	{ "set-firmware", 0x51000021, write_firmware, undo_nothing },
};

void ask_fields(void)
{
	for (u32 i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		ask_form("own", &forms[i]);
}
