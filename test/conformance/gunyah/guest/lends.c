/* Interrupts lent to the second VM. Their handles have a random base; printed is the interrupt in braces instead. */
#include "probe.h"
#include "tree.h"
#include "vm.h"

#define IRQ_ACCEPT 0x56000050u
#define IRQ_LEND 0x56000051u
#define IRQ_RELEASE 0x56000052u
#define IRQ_RECLAIM 0x56000053u
#define IRQ_NOTIFY 0x56000054u
#define IRQ_UNMAP 0x56000055u
#define ANY 0xffffffffu
#define FLAGS_END 9u

/* The handle of interrupt 0; the second VM is told it. */
static u32 handle_base;
static char text[4096];
static u32 length;

static void keep(char c)
{
	if (length < sizeof(text))
		text[length++] = c;
}

static bool is_handle(const char *at, u32 *irq)
{
	u32 value = 0;

	for (u32 i = 0; i < 8; i++) {
		char c = at[i ^ 1];
		u32 digit = c >= '0' && c <= '9' ? (u32)(c - '0') : c >= 'a' && c <= 'f' ? (u32)(c - 'a' + 10) : 16;

		if (digit == 16)
			return false;
		value |= digit << (4 * i);
	}
	*irq = value - handle_base;
	return handle_base != 0 && *irq < 1024;
}

void expect_handles(u32 base)
{
	handle_base = base;
}

/* Handles begin at a payload's words. */
void rm_ask_handles(const char *name, u32 id, u32 count, const u32 *words)
{
	void (*true_sink)(char c) = sink;
	u32 irq;

	if (id < IRQ_ACCEPT || id > IRQ_UNMAP) {
		if (handle_base == 0) {
			rm_ask_words(name, id, count, words);
			return;
		}
	}
	sink = keep;
	length = 0;
	rm_ask_words(name, id, count, words);
	sink = true_sink;
	if (id == IRQ_LEND && handle_base == 0 && reply_word(0) == 0)
		handle_base = reply_word(4) - words[1];
	for (u32 i = 0; i < length; i++)
		if (i + 8 <= length && is_handle(text + i, &irq)) {
			say("{%x}", (u64)irq);
			i += 7;
		} else
			say("%c", text[i]);
}

static void ask(const char *name, u32 id, u32 count, u32 a, u32 b, u32 c, u32 d)
{
	const u32 words[] = { a, b, c, d };

	rm_ask_handles(name, id, count, words);
}

/* The same asked by the second VM; what it is told meanwhile is among its own lines. */
static void ask_within(const char *name, u32 id, u32 count, u32 a, u32 b, u32 c)
{
	write64(HERE + ORDER_OFFSET + 0x500, handle_base);
	say("lends inside %s = ", name);
	say("%x\n", obey_request(name, id, count, a, b, c));
	ask("lends meanwhile", 0x56000024, 0, 0, 0, 0, 0);
}

static u32 handle(u32 irq)
{
	return handle_base + irq;
}

/* Which interrupts are the primary VM's own, in ranges. */
static void ask_owned(void)
{
	u32 first = 0, last = ANY;

	for (u32 irq = 0; irq <= 0x120; irq++) {
		const u32 words[] = { vmid, irq, 0 };
		void (*true_sink)(char c) = sink;
		u32 error;

		sink = keep;
		length = 0;
		rm_ask_words("own", IRQ_LEND, 3, words);
		error = reply_word(0);
		if (error == 0) {
			const u32 back = reply_word(4);

			handle_base = back - irq;
			length = 0;
			rm_ask_words("own", IRQ_RECLAIM, 1, &back);
			error = reply_word(0);
		}
		sink = true_sink;
		if (error != last && irq != 0)
			say("lends of %x to %x = %x\n", (u64)first, (u64)irq - 1, (u64)last);
		if (error != last)
			first = irq;
		last = error;
	}
	say("lends of %x to 120 = %x\n", (u64)first, (u64)last);
}

static void ask_lending(void)
{
	static const u32 wrong[] = { 1024, 4096, 5119, 8192, 0x10020, ANY };

	for (u32 i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		say("lends %x\n", (u64)wrong[i]);
		ask("lends wrong", IRQ_LEND, 3, vmid, wrong[i], 1, 0);
	}
	ask("lends 110", IRQ_LEND, 3, vmid, 110, 0x77, 0);
	ask("lends 110 again", IRQ_LEND, 3, vmid, 110, 0x77, 0);
	ask("lends to nobody", IRQ_LEND, 3, 0x99, 111, 0x78, 0);
	ask("lends to myself", IRQ_LEND, 3, 3, 112, 0x79, 0);
	ask("lends to rm", IRQ_LEND, 3, 0xff, 113, 0x7a, 0);
	ask("lends with padding", IRQ_LEND, 3, vmid | 5u << 16, 114, 0x7b, 0);
	ask("lends short", IRQ_LEND, 2, vmid, 115, 0, 0);
	ask("lends long", IRQ_LEND, 4, vmid, 115, 0, 0);
	ask("lends accept as owner", IRQ_ACCEPT, 2, handle(110), ANY, 0, 0);
	ask("lends accept mine", IRQ_ACCEPT, 2, handle(112), ANY, 0, 0);
	ask("lends accept mine elsewhere", IRQ_ACCEPT, 2, handle(112), 200, 0, 0);
	ask("lends accept mine far off", IRQ_ACCEPT, 2, handle(112), 900, 0, 0);
	ask("lends accept short", IRQ_ACCEPT, 1, handle(110), ANY, 0, 0);
	ask("lends release as owner", IRQ_RELEASE, 1, handle(110), 0, 0, 0);
	ask("lends reclaim mine", IRQ_RECLAIM, 1, handle(112), 0, 0, 0);
}

static void ask_notices(void)
{
	for (u32 flags = 0; flags < FLAGS_END; flags++) {
		say("lends flags %x\n", (u64)flags);
		ask("lends notify", IRQ_NOTIFY, 2, handle(110), flags, 0, 0);
		ask("lends notify about what is not lent", IRQ_NOTIFY, 2, handle(115), flags, 0, 0);
		ask("lends notify with nobody", IRQ_NOTIFY, 3, handle(110), flags, 0, 0);
		ask("lends notify with a name", IRQ_NOTIFY, 4, handle(110), flags, 1, vmid);
		ask("lends notify with another's name", IRQ_NOTIFY, 4, handle(110), flags, 1, 3);
		ask("lends notify with a wrong count", IRQ_NOTIFY, 4, handle(110), flags, 2, vmid);
		ask("lends notify short", IRQ_NOTIFY, 1, handle(110), 0, 0, 0);
	}
	ask("lends unmap", IRQ_UNMAP, 4, 1, 0, 110, 0);
}

static void ask_accepting(void)
{
	static const u32 places[] = { 0, 15, 16, 27, 31, 32, 33, 100, 109, 287, 288, 300, 960, 961, 970, 987, 988, 1019, 1020, 1023, 1024, 5000 };

	ask_within("lends told", 0x56000024, 0, 0, 0, 0);
	ask_within("lends accept nothing", IRQ_ACCEPT, 2, handle(115), ANY, 0);
	ask_within("lends accept another's", IRQ_ACCEPT, 2, handle(112), ANY, 0);
	ask_within("lends release too early", IRQ_RELEASE, 1, handle(110), 0, 0);
	ask_within("lends reclaim as borrower", IRQ_RECLAIM, 1, handle(110), 0, 0);
	ask_within("lends reclaim another's", IRQ_RECLAIM, 1, handle(111), 0, 0);
	for (u32 flags = 0; flags < FLAGS_END; flags++)
		ask_within("lends notify before", IRQ_NOTIFY, 2, handle(110), flags, 0);
	for (u32 i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		say("lends at %x\n", (u64)places[i]);
		ask_within("lends accept at", IRQ_ACCEPT, 2, handle(110), places[i], 0);
	}
	ask_within("lends accept", IRQ_ACCEPT, 2, handle(110), ANY, 0);
	ask_within("lends accept again", IRQ_ACCEPT, 2, handle(110), ANY, 0);
	ask_within("lends accept in its place", IRQ_ACCEPT, 2, handle(114), 114, 0);
	ask_within("lends lend on", IRQ_LEND, 3, 3, 110, 5);
	ask_within("lends lend my own", IRQ_LEND, 3, 3, 962, 5);
	ask_within("lends reclaim accepted", IRQ_RECLAIM, 1, handle(110), 0, 0);
}

/* What is accepted is the hardware interrupt of the number asked for, if nobody has it at the moment. */
static void ask_other_numbers(void)
{
	ask("lends 115", IRQ_LEND, 3, vmid, 115, 1, 0);
	ask("lends 116", IRQ_LEND, 3, vmid, 116, 2, 0);
	ask_within("lends accept 115 as 116", IRQ_ACCEPT, 2, handle(115), 116, 0);
	ask_within("lends accept 116", IRQ_ACCEPT, 2, handle(116), ANY, 0);
	ask_within("lends accept 116 as 115", IRQ_ACCEPT, 2, handle(116), 115, 0);
	ask_within("lends accept 110 as 115", IRQ_ACCEPT, 2, handle(110), 115, 0);
	ask("lends reclaim 115", IRQ_RECLAIM, 1, handle(115), 0, 0, 0);
	ask_within("lends release 115", IRQ_RELEASE, 1, handle(115), 0, 0);
	ask_within("lends release 116", IRQ_RELEASE, 1, handle(116), 0, 0);
	ask("lends reclaim 116 then", IRQ_RECLAIM, 1, handle(116), 0, 0, 0);
	ask("lends reclaim 115 then", IRQ_RECLAIM, 1, handle(115), 0, 0, 0);
	/* Private ones. */
	ask("lends 31", IRQ_LEND, 3, vmid, 31, 3, 0);
	ask_within("lends accept 31", IRQ_ACCEPT, 2, handle(31), ANY, 0);
	ask_within("lends accept 31 as 110", IRQ_ACCEPT, 2, handle(31), 110, 0);
	ask_within("lends accept 31 as 16", IRQ_ACCEPT, 2, handle(31), 16, 0);
	ask_within("lends release 31", IRQ_RELEASE, 1, handle(31), 0, 0);
	ask("lends reclaim 31", IRQ_RECLAIM, 1, handle(31), 0, 0, 0);
}

static void ask_accepted(void)
{
	for (u32 flags = 0; flags < FLAGS_END; flags++) {
		say("lends accepted, flags %x\n", (u64)flags);
		ask_within("lends notify accepted", IRQ_NOTIFY, 2, handle(110), flags, 0);
		ask("lends notify accepted", IRQ_NOTIFY, 2, handle(110), flags, 0, 0);
	}
	ask("lends reclaim accepted", IRQ_RECLAIM, 1, handle(110), 0, 0, 0);
	ask("lends lend accepted", IRQ_LEND, 3, vmid, 110, 0x77, 0);
	ask_within("lends release", IRQ_RELEASE, 1, handle(110), 0, 0);
	ask_within("lends release again", IRQ_RELEASE, 1, handle(110), 0, 0);
	for (u32 flags = 0; flags < FLAGS_END; flags++) {
		say("lends released, flags %x\n", (u64)flags);
		ask_within("lends notify released", IRQ_NOTIFY, 2, handle(110), flags, 0);
	}
	ask_within("lends accept once more", IRQ_ACCEPT, 2, handle(110), 110, 0);
	ask_within("lends release once more", IRQ_RELEASE, 1, handle(110), 0, 0);
	ask("lends reclaim", IRQ_RECLAIM, 1, handle(110), 0, 0, 0);
	ask("lends reclaim again", IRQ_RECLAIM, 1, handle(110), 0, 0, 0);
	ask_within("lends accept reclaimed", IRQ_ACCEPT, 2, handle(110), ANY, 0);
	ask("lends reclaim what nobody has", IRQ_RECLAIM, 1, handle(111), 0, 0, 0);
	ask("lends reclaim rm's", IRQ_RECLAIM, 1, handle(113), 0, 0, 0);
	ask("lends reclaim long", IRQ_RECLAIM, 2, handle(114), 0, 0, 0);
	ask("lends reclaim what is accepted", IRQ_RECLAIM, 1, handle(114), 0, 0, 0);
}

/* 114 is the second VM's still when it is reset. */
static void ask_after_its_end(void)
{
	ask("lends 110 to the dead", IRQ_LEND, 3, vmid, 110, 0x77, 0);
	ask("lends release for the dead", IRQ_RELEASE, 1, handle(110), 0, 0, 0);
	ask("lends accept what it had", IRQ_ACCEPT, 2, handle(114), ANY, 0, 0);
	ask("lends reclaim what it had", IRQ_RECLAIM, 1, handle(114), 0, 0, 0);
	ask("lends reclaim what it had again", IRQ_RECLAIM, 1, handle(114), 0, 0, 0);
	ask("lends reclaim what the dead has", IRQ_RECLAIM, 1, handle(110), 0, 0, 0);
}

void ask_lends(void)
{
	rm_patience = 200;
	live_to_obey("lends", SHARE, 1);
	ask_owned();
	ask_lending();
	ask_notices();
	ask_accepting();
	ask_accepted();
	ask_other_numbers();
	end_obeying();
	ask_after_its_end();
}
