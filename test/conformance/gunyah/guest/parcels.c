/* Memory parcels at length: lists, appending, telling others, accepting at chosen and given places; by the primary VM and between it and the second. */
#include "probe.h"
#include "vm.h"

#define PAGE 0x61000000ull
#define ME (3u | 6u << 16)
#define OTHER (vmid | 7u << 16)

static u32 words[58], count;

static void word(u32 value)
{
	words[count++] = value;
}

static void range(u64 address, u64 size)
{
	word((u32)address);
	word((u32)(address >> 32));
	word((u32)size);
	word((u32)(size >> 32));
}

static void page(u32 n)
{
	range(PAGE + 0x10000ull * n, 0x1000);
}

static u32 send(const char *name, u32 id)
{
	rm_ask_words(name, id, count, words);
	count = 0;
	return reply_word(4);
}

/* Type, flags, label and the access control list of a creation; one or two entries. */
static void creation(u32 type, u32 flags, u32 label, u32 first, u32 second)
{
	word(type | flags << 16);
	word(label);
	word(second ? 2 : 1);
	word(first);
	if (second)
		word(second);
}

static u32 simple(const char *name, u32 id, u32 flags, u32 label, u32 first, u32 second)
{
	creation(0, flags, label, first, second);
	word(1);
	page(0);
	word(0);
	return send(name, id);
}

static void look(const char *name, u64 address)
{
	say("page %s load = ", name);
	say_insn(0xf9400000, address, 0);
	say("page %s store = ", name);
	say_insn(0xf9000001, address, 0x5566);
}

static void reclaim(const char *name, u32 handle, u32 flags)
{
	rm_ask(name, RECLAIM, 2, handle, flags);
}

static void ask_creation(void)
{
	u32 handle;

	handle = simple("parcel lend to the allocated", LEND, 0, 0x21, OTHER, 0);
	look("lent", PAGE);
	reclaim("parcel reclaim lent", handle, 0);
	handle = simple("parcel share with the allocated", SHARE, 0, 0x22, OTHER, ME);
	look("shared with it", PAGE);
	rm_ask("parcel release as owner", RELEASE, 2, handle, 0u);
	reclaim("parcel reclaim shared", handle, 0);
	handle = simple("parcel donate to the allocated", DONATE, 0, 0x23, OTHER, 0);
	look("donated", PAGE);
	rm_ask("parcel share of the donated", SHARE, 10, 0u, 0u, 1u, ME, 1u, (u32)PAGE, 0u, 0x1000u, 0u, 0u);
	reclaim("parcel reclaim donated", handle, 0);
	look("back", PAGE);
	handle = simple("parcel donate without execution", DONATE, 0, 0, vmid | 6u << 16, 0);
	handle = simple("parcel donate to two", DONATE, 0, 0, OTHER, 0xffu | 7u << 16);
	handle = simple("parcel lend to rm", LEND, 0, 0, 0xffu | 7u << 16, 0);
	reclaim("parcel reclaim from rm", handle, 0);
	handle = simple("parcel lend to two", LEND, 0, 0, OTHER, 0xffu | 4u << 16);
	reclaim("parcel reclaim from two", handle, 2);
	handle = simple("parcel share, read only", SHARE, 0, 0, vmid | 4u << 16, 3u | 4u << 16);
	look("shared read only", PAGE);
	reclaim("parcel reclaim, other flags", handle, 0xfe);
	for (u32 flags = 0; flags < 8; flags++) {
		write64(PAGE, 0x1122334455667788ull);
		handle = simple("parcel flags", LEND, flags, flags, OTHER, 0);
		look("flags", PAGE);
		reclaim("parcel reclaim flags", handle, flags & 1);
		look("flags, back", PAGE);
	}
	static const u32 vmids[] = { 0, 1, 2, 3, 4, 0x10, 0x1f, 0x20, 0x31, 0x3f, 0x40, 0x7f, 0x80, 0x81, 0xbe, 0xbf, 0xfe, 0xff, 0x100, 0x180, 0xffff };

	for (u32 i = 0; i < sizeof(vmids) / sizeof(vmids[0]); i++) {
		say("parcel to vm %x\n", (u64)vmids[i]);
		handle = simple("parcel to", LEND, 0, 0, vmids[i] | 7u << 16, 0);
		if (reply_word(0) == 0)
			reclaim("parcel back", handle, 0);
	}
	for (u32 rights = 0; rights < 17; rights++) {
		say("parcel rights %x\n", (u64)rights);
		handle = simple("parcel of rights", SHARE, 0, 0, vmid | rights << 16, ME);
		if (reply_word(0) == 0)
			reclaim("parcel back", handle, 0);
	}
}

static void ask_lists(void)
{
	u32 handle;

	creation(0, 0, 1, OTHER, 0);
	word(3);
	page(0);
	page(2);
	page(1);
	word(0);
	handle = send("parcel of three", LEND);
	creation(0, 0, 1, OTHER, 0);
	word(1);
	page(2);
	word(0);
	send("parcel of one that is lent", LEND);
	reclaim("parcel three back", handle, 0);
	creation(0, 0, 1, OTHER, 0);
	word(2);
	page(0);
	page(0);
	word(0);
	send("parcel twice the same", LEND);
	creation(0, 0, 1, OTHER, 0);
	word(2);
	range(PAGE, 0x2000);
	range(PAGE + 0x1000, 0x2000);
	word(0);
	send("parcel overlapping", SHARE);
	look("overlapping", PAGE);
	creation(0, 0, 1, OTHER, ME);
	word(2);
	range(PAGE, 0x2000);
	range(PAGE + 0x2000, 0x1000);
	word(0);
	handle = send("parcel adjacent", SHARE);
	reclaim("parcel adjacent back", handle, 0);
	creation(0, 0, 1, OTHER, 0);
	word(2);
	page(0);
	range(0x90000000, 0x1000);
	word(0);
	send("parcel half mine", LEND);
	look("half", PAGE);
	creation(0, 0, 1, OTHER, 0);
	word(2);
	page(0);
	range(PAGE + 1, 0x1000);
	word(0);
	send("parcel second unaligned", LEND);
	creation(0, 0, 1, OTHER, 0);
	word(2);
	page(0);
	range(PAGE + 0x4000, 0);
	word(0);
	send("parcel second empty", LEND);
	/* Attributes. */
	for (u32 attribute = 0; attribute < 5; attribute++) {
		creation(0, 0, attribute, OTHER, ME);
		word(1);
		page(0);
		word(1);
		word(attribute | vmid << 16);
		handle = send("parcel attribute", SHARE);
		if (reply_word(0) == 0)
			reclaim("parcel attribute back", handle, 0);
		creation(0, 0, attribute, OTHER, 0);
		word(1);
		page(0);
		word(1);
		word(attribute | vmid << 16);
		handle = send("parcel attribute, donated", DONATE);
		if (reply_word(0) == 0)
			reclaim("parcel attribute back", handle, 0);
	}
	creation(0, 0, 0, OTHER, ME);
	word(1);
	page(0);
	word(2);
	word(2 | vmid << 16);
	word(3 | vmid << 16);
	handle = send("parcel two attributes of one", SHARE);
	creation(0, 0, 0, OTHER, ME);
	word(1);
	page(0);
	word(2);
	word(2 | vmid << 16);
	word(3 | 3 << 16);
	handle = send("parcel two attributes", SHARE);
	reclaim("parcel two attributes back", handle, 0);
	creation(0, 0, 0, OTHER, ME);
	word(1);
	page(0);
	word(1);
	word(2 | 0xff << 16);
	handle = send("parcel attribute of a stranger", SHARE);
	creation(0, 0, 0, OTHER, ME);
	word(1);
	page(0);
	word(1);
	word(0);
	handle = send("parcel attribute of nobody", SHARE);
	/* The order of the checks. */
	creation(0, 0, 0, 3u, 3u);
	word(1);
	range(PAGE + 1, 0);
	word(0);
	send("parcel all wrong", DONATE);
	creation(0, 0, 0, vmid | 6u << 16, 0x41u | 6u << 16);
	word(1);
	range(0x90000000, 0x1000);
	word(1);
	word(9 | 0x41 << 16);
	send("parcel wrong memory and attribute", LEND);
	creation(0, 0, 0, vmid | 6u << 16, 0);
	word(1);
	range(0x90000000, 0x1000);
	word(0);
	send("parcel donate wrong rights and memory", DONATE);
	creation(0, 0, 0, vmid | 7u << 16, ME);
	word(1);
	range(0x90000000, 0x1000);
	word(0);
	send("parcel lend with me and wrong memory", LEND);
	/* Lengths. */
	static const u32 sizes[] = { 4, 5, 6, 7, 8, 9, 10, 11, 12 };

	for (u32 i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		creation(0, 0, 0, OTHER, 0);
		word(1);
		page(0);
		word(1);
		word(0);
		word(0);
		word(0);
		count = sizes[i];
		handle = send("parcel cut", LEND);
		if (reply_word(0) == 0 && handle)
			reclaim("parcel cut back", handle, 0);
	}
	word(0);
	word(0);
	word(0);
	word(0);
	word(0);
	send("parcel of nothing", LEND);
	creation(0, 0, 0, OTHER, 0);
	word(0);
	word(0);
	word(0);
	send("parcel without memory", LEND);
	creation(0, 0, 0, OTHER, 0);
	word(0x201);
	word(0);
	word(0);
	send("parcel with too many ranges", LEND);
	creation(0, 0, 0, OTHER, 0);
	word(0x200);
	word(0);
	word(0);
	send("parcel with missing ranges", LEND);
	creation(0, 0, 0, OTHER, 0);
	word(1);
	page(0);
	word(0x201);
	send("parcel with too many attributes", LEND);
	creation(0, 0, 0, OTHER, 0);
	words[count - 2] |= 0xffff0000;
	word(1 | 0xabcd0000);
	page(0);
	word(0xffff0000);
	handle = send("parcel with reserved halves", LEND);
	reclaim("parcel back", handle, 0);
}

static void ask_appending(void)
{
	u32 handle = simple("append begin", LEND, 2, 0x31, OTHER, 0);

	word(handle);
	word(0);
	word(1);
	page(1);
	send("append one", APPEND);
	word(handle);
	word(0);
	word(0);
	send("append nothing", APPEND);
	word(handle);
	word(0);
	send("append short", APPEND);
	word(handle);
	word(0);
	word(1);
	page(1);
	send("append the same", APPEND);
	word(handle);
	word(0);
	word(2);
	page(2);
	range(0x90000000, 0x1000);
	send("append half mine", APPEND);
	word(handle);
	word(0);
	word(1);
	range(PAGE + 1, 0x1000);
	send("append unaligned", APPEND);
	word(handle);
	word(0);
	word(1);
	range(PAGE + 0x20000, 0);
	send("append empty", APPEND);
	word(handle);
	word(0);
	word(0x201);
	send("append too many", APPEND);
	word(handle + 50);
	word(0);
	word(1);
	page(2);
	send("append to nothing", APPEND);
	word(handle + 50);
	word(0);
	word(0);
	send("append nothing to nothing", APPEND);
	word(handle);
	word(1);
	word(1);
	page(2);
	send("append last", APPEND);
	word(handle);
	word(1);
	word(1);
	page(3);
	send("append after the last", APPEND);
	look("appended", PAGE + 0x10000);
	reclaim("append back", handle, 0);
	handle = simple("append begin again", SHARE, 2, 0x32, OTHER, ME);
	reclaim("append back, open", handle, 0);
	look("appended, back", PAGE);
}

static void ask_notifying(void)
{
	u32 handle = simple("notify parcel", SHARE, 0, 0x41, OTHER, ME);

	for (u32 flags = 0; flags < 17; flags++) {
		say("notify flags %x\n", (u64)flags);
		if (flags != 1 && flags != 8)
			rm_ask("notify", NOTIFY, 3, handle, flags, 0u);
		rm_ask("notify with no list", NOTIFY, 4, handle, flags, 0u, 0u);
		rm_ask("notify with vm 41", NOTIFY, 5, handle, flags, 0u, 1u, 0x41u);
		rm_ask("notify with rm", NOTIFY, 5, handle, flags, 0u, 1u, 0xffu);
		rm_ask("notify with three", NOTIFY, 7, handle, flags, 0u, 3u, 3u, 3u, 3u);
		rm_ask("notify with a short list", NOTIFY, 5, handle, flags, 0u, 2u, 3u);
		rm_ask("notify too short", NOTIFY, 2, handle, flags);
	}
	rm_ask("notify me", NOTIFY, 5, handle, 1u, 0x99u, 1u, 3u);
	rm_ask("notify me with another tag", NOTIFY, 5, handle, 1u, 0x9au, 1u, 3u);
	rm_ask("notify recall to me", NOTIFY, 5, handle, 8u, 0x99u, 1u, 3u);
	rm_ask("notify recall with another tag", NOTIFY, 5, handle, 8u, 0x9au, 1u, 3u);
	rm_ask("notify accepted by me", NOTIFY, 3, handle, 4u, 0x99u);
	rm_ask("notify released by me", NOTIFY, 3, handle, 2u, 0x99u);
	rm_ask("notify with words behind", NOTIFY, 7, handle, 4u, 0x99u, 1u, 3u, 4u);
	rm_ask("notify unknown", NOTIFY, 5, handle + 70, 1u, 0x99u, 1u, 3u);
	rm_ask("notify unknown, wrong flags", NOTIFY, 3, handle + 70, 3u, 0x99u);
	reclaim("notify back", handle, 0);
}

static void lookup(const char *name, u32 type, u32 label, u32 acl, u64 address, u64 size)
{
	rm_ask(name, 0x5100001a, 9, type, label, 1u, acl, 1u, (u32)address, (u32)(address >> 32), (u32)size, (u32)(size >> 32));
}

static void ask_lookup(void)
{
	u32 handle = simple("lookup parcel", LEND, 0, 0x51, OTHER, 0);

	lookup("lookup it", 0, 0x51, OTHER, PAGE, 0x1000);
	lookup("lookup with another label", 0, 0x52, OTHER, PAGE, 0x1000);
	lookup("lookup with another type", 1, 0x51, OTHER, PAGE, 0x1000);
	lookup("lookup with other rights", 0, 0x51, vmid | 6u << 16, PAGE, 0x1000);
	lookup("lookup another page", 0, 0x51, OTHER, PAGE + 0x1000, 0x1000);
	lookup("lookup two pages", 0, 0x51, OTHER, PAGE, 0x2000);
	lookup("lookup unaligned", 0, 0x51, OTHER, PAGE + 1, 0x1000);
	rm_ask("lookup without lists", 0x5100001a, 2, 0u, 0x51u);
	rm_ask("lookup with attributes", 0x5100001a, 10, 0u, 0x51u, 1u, OTHER, 1u, (u32)PAGE, 0u, 0x1000u, 0u, 0u);
	rm_ask("lookup with words behind", 0x5100001a, 11, 0u, 0x51u, 1u, OTHER, 1u, (u32)PAGE, 0u, 0x1000u, 0u, 0u, 0u);
	reclaim("lookup back", handle, 0);
}

static void accept(const char *name, u32 handle, u32 type, u32 flags, u32 label, u32 map)
{
	rm_ask(name, ACCEPT, 6, handle, type | flags << 16, label, 0u, map << 16, 0u);
}

static void ask_own_accepting(void)
{
	u32 handle = simple("accept parcel", LEND, 0, 0x61, OTHER, 0), shared;

	shared = simple("accept shared parcel, other page", SHARE, 0, 0x62, OTHER, ME);
	creation(0, 0, 0x62, OTHER, ME);
	word(1);
	page(1);
	word(0);
	shared = send("accept shared parcel", SHARE);
	accept("accept as owner", handle, 1 << 8, 0x80, 0, 0);
	accept("accept as owner in the list", shared, 2 << 8, 0x80, 0, 0);
	accept("accept with a wrong type", shared, 0, 0x80, 0, 0);
	accept("accept as io", shared, 1 | 2 << 8, 0x80, 0, 0);
	accept("accept for another", shared, 2 << 8, 0x88, 0, vmid);
	accept("accept with another named", shared, 2 << 8, 0x80, 0, vmid);
	accept("accept with label", shared, 2 << 8, 0x84, 0x63, 0);
	accept("accept with its label", shared, 2 << 8, 0x84, 0x62, 0);
	accept("accept sanitised", shared, 2 << 8, 0x81, 0, 0);
	accept("accept with lists", shared, 2 << 8, 0x82, 0, 0);
	accept("accept nothing", handle + 70, 2 << 8, 0x80, 0, 0);
	rm_ask("accept with acl", ACCEPT, 8, shared, 2u << 8 | 0x82u << 16, 0u, 2u, OTHER, ME, 0u, 0u);
	rm_ask("accept with acl in another order", ACCEPT, 8, shared, 2u << 8 | 0x82u << 16, 0u, 2u, ME, OTHER, 0u, 0u);
	rm_ask("accept short", ACCEPT, 5, shared, 2u << 8 | 0x80u << 16, 0u, 0u, 0u);
	rm_ask("accept and sanitise", ACCEPT, 6, shared, 2u << 8 | 0xa0u << 16, 0u, 0u, 0u, 0u);
	rm_ask("release one's own", RELEASE, 2, handle, 0u);
	rm_ask("release nothing", RELEASE, 2, handle + 70, 0u);
	reclaim("accept back", handle, 0);
	reclaim("accept shared back", shared, 0);
}

static void ask_device_memory(void)
{
	u32 handle;

	for (u32 flags = 0; flags < 2; flags++) {
		creation(1, flags, 0x71, vmid | 6u << 16, 3u | 6u << 16);
		word(1);
		range(0x0a003000, 0x1000);
		word(0);
		handle = send("io share", SHARE);
		if (reply_word(0) == 0)
			reclaim("io back", handle, flags);
	}
	creation(1, 0, 0x71, vmid | 7u << 16, 0);
	word(1);
	range(0x0a003000, 0x1000);
	word(0);
	send("io lend with execution", LEND);
	creation(1, 0, 0x71, vmid | 6u << 16, 0);
	word(1);
	page(0);
	word(0);
	send("io of normal memory", LEND);
	creation(1, 0, 0x71, vmid | 6u << 16, 0);
	word(1);
	range(0x0a003000, 0x1000);
	word(1);
	word(1 | vmid << 16);
	handle = send("io lend with device attribute", LEND);
	if (reply_word(0) == 0)
		reclaim("io reclaim, sanitise", handle, 1);
	if (reply_word(0) != 0)
		reclaim("io reclaim", handle, 0);
	creation(1, 0, 0x71, vmid | 6u << 16, 0);
	word(1);
	range(0x0a003000, 0x1000);
	word(1);
	word(2 | vmid << 16);
	send("io lend with uncached attribute", LEND);
	creation(0, 0, 0x71, vmid | 6u << 16, 0);
	word(1);
	range(0x0a003000, 0x1000);
	word(0);
	send("device as memory", LEND);
}

static void ask_limit(void)
{
	u32 first = 0, last = 0;

	for (u32 i = 0; i < 66; i++) {
		creation(0, 0, 0, OTHER, 0);
		word(1);
		range(PAGE + 0x1000ull * i, 0x1000);
		word(0);
		last = send("limit parcel", LEND);
		if (i == 0)
			first = last;
		if (reply_word(0) != 0)
			break;
	}
	for (u32 i = 0; i < 64; i++)
		reclaim("limit back", first + i, 0);
}

void ask_parcels(void)
{
	rm_patience = 60;
	rm_ask("parcels allocate", ALLOCATE, 1, 0u);
	vmid = reply_word(4);
	ask_creation();
	ask_lists();
	ask_appending();
	ask_notifying();
	ask_lookup();
	ask_own_accepting();
	ask_device_memory();
	ask_limit();
	rm_ask("parcels deallocate", DEALLOCATE, 1, vmid);
}

/* ---- With the second VM ---- */

static u32 offered[16], offers;

static void offer(const char *name, u32 id, u32 flags, u32 label, u32 rights, u32 pages, u32 first)
{
	bool shared = id == SHARE;

	creation(0, flags, label, vmid | rights << 16, shared ? ME : 0);
	word(pages);
	for (u32 i = 0; i < pages; i++)
		page(first + i);
	word(0);
	offered[offers++] = send(name, id);
}

/* After the start, so that RM leaves them to the VM itself. */
static void offer_all(void)
{
	for (u32 i = 0; i < 32; i++)
		write64(PAGE + 0x10000ull * i, 0x1000 + i);
	offer("offer lend", LEND, 0, 0x81, 7, 1, 0);
	offer("offer share", SHARE, 0, 0x82, 6, 1, 1);
	offer("offer read only", SHARE, 0, 0x83, 4, 1, 2);
	offer("offer donate", DONATE, 0, 0x84, 7, 1, 3);
	offer("offer three", LEND, 0, 0x85, 7, 3, 4);
	offer("offer three more", LEND, 0, 0x86, 7, 3, 8);
	offer("offer sanitised", LEND, 1, 0x87, 7, 1, 12);
	offer("offer open", LEND, 2, 0x88, 7, 1, 13);
	offer("offer donate two", DONATE, 0, 0x89, 7, 2, 14);
	/* Few enough for the queue of one that sleeps. */
	for (u32 i = 0; i < offers; i += 2)
		rm_ask("offer notify", NOTIFY, 5, offered[i], 1u, 0x1000u + i, 1u, vmid);
}

static void ask_accepting(void)
{
	offers = 0;
	live("parcels", PARCELS, SHARE, 1);
	run("until it sleeps", 0, 0);
	offer_all();
	write64(HERE + ORDER_OFFSET + 16, offered[0]);
	say("parcels sent = %x\n", (u64)offers);
}

void ask_parcels_between(void)
{
	rm_patience = 200;
	ask_accepting();
	delay(30000);
	run("accepting", 0, 0);
	say("rm told while accepting =");
	say_answers(0);
	for (u32 i = 0; i < offers; i++) {
		say("after accepting %x\n", (u64)i);
		look("accepted", PAGE + 0x10000ull * (i < 5 ? i : i + 3));
		reclaim("reclaim what is accepted", offered[i], 0);
	}
	delay(30000);
	run("releasing", 0, 0);
	say("rm told while releasing =");
	say_answers(0);
	for (u32 i = 0; i < offers; i++)
		reclaim("reclaim what is released", offered[i], 0);
	for (u32 i = 0; i < 16; i++) {
		say("content %x = ", (u64)i);
		say_insn(0xf9400000, PAGE + 0x10000ull * i, 0);
	}
	delay(30000);
	run("to its end", 0, 0);
	end();
	for (u32 i = 0; i < offers; i++)
		reclaim("reclaim at last", offered[i], 0);
	/* What the VM still had is the primary VM's again, or lost. */
	for (u32 i = 0; i < 16; i++) {
		say("content at last %x = ", (u64)i);
		say_insn(0xf9400000, PAGE + 0x10000ull * i, 0);
	}
}

/* ---- Inside ---- */

static void at(const char *name, u32 handle, u32 transaction, u32 flags, u32 ranges, u64 address, u64 size)
{
	u32 i;

	word(handle);
	word(transaction << 8 | flags << 16);
	word(0);
	word(0);
	word(ranges);
	for (i = 0; i < ranges; i++)
		range(address + 0x2000ull * i, size);
	word(0);
	send(name, ACCEPT);
}

static void inside(const char *name, u64 address)
{
	say("inside %s load = ", name);
	say_insn(0xf9400000, address, 0);
	say("inside %s store = ", name);
	say_insn(0xf9000001, address + 8, 0x7788);
}

void second_parcels(void)
{
	u32 first, shared;

	rm_patience = 500;
	set_up_gic();
	rm_ask("vmid", 0x56000024, 0);
	vmid = reply_word(4);
	sleep();
	first = (u32)read64(BASE + ORDER_OFFSET + 16);
	say("notified =");
	say_answers(0);
	/* 0 lend, 1 share, 2 read only, 3 donate, 4 three, 5 three, 6 sanitised, 7 open, 8 donate two */
	accept("accept lend as share", first, 2 << 8, 0x80, 0, 0);
	accept("accept lend for hlos", first, 1 << 8, 0x88, 0, 3);
	accept("accept lend with hlos named", first, 1 << 8, 0x80, 0, 3);
	at("accept lend unaligned", first, 1, 0x80, 1, 0x60000001, 0x1000);
	at("accept lend of another size", first, 1, 0x80, 1, 0x60000000, 0x2000);
	at("accept lend over the image", first, 1, 0x80, 1, 0x41000000, 0x1000);
	at("accept lend beyond", first, 1, 0x80, 1, 0x1000000000ull, 0x1000);
	at("accept lend far beyond", first, 1, 0x80, 1, 0x100000000000ull, 0x1000);
	at("accept lend at a device", first, 1, 0x80, 1, 0x09000000, 0x1000);
	at("accept lend at the distributor", first, 1, 0x80, 1, 0x08000000, 0x1000);
	at("accept lend over the first page", first, 1, 0x80, 1, 0x40000000, 0x1000);
	at("accept lend with two ranges", first, 1, 0x80, 2, 0x60000000, 0x1000);
	at("accept lend, not done", first, 1, 0, 1, 0x60000000, 0x1000);
	inside("not done", 0x60000000);
	at("accept lend, done at last", first, 1, 0x80, 0, 0, 0);
	inside("lend", 0x60000000);
	accept("accept lend again", first, 1 << 8, 0x80, 0, 0);
	accept("accept share with a label", first + 1, 2 << 8, 0x84, 0x82, 0);
	accept("accept read only, sanitise", first + 2, 2 << 8, 0xa0, 0, 0);
	at("accept read only", first + 2, 2, 0x80, 1, 0x61000000, 0x1000);
	inside("read only", 0x61000000);
	at("accept donate", first + 3, 0, 0x80, 1, 0x62000000, 0x1000);
	inside("donate", 0x62000000);
	accept("accept three", first + 4, 1 << 8, 0x80, 0, 0);
	at("accept three at three places", first + 5, 1, 0x80, 3, 0x63000000, 0x1000);
	at("accept three in one", first + 5, 1, 0x90, 1, 0x64000000, 0x3000);
	inside("three", 0x63000000);
	accept("accept sanitised", first + 6, 1 << 8, 0x91, 0, 0);
	accept("accept open", first + 7, 1 << 8, 0x80, 0, 0);
	accept("accept donate two, contiguous", first + 8, 0, 0x90, 0, 0);
	for (u64 address = 0x40000000; address < 0x40010000; address += 0x1000)
		inside("low", address);
	rm_ask("notify accepted", NOTIFY, 3, first, 4u, 0x1000u);
	rm_ask("notify accepted with another tag", NOTIFY, 3, first, 4u, 0x1001u);
	rm_ask("notify accepted of another", NOTIFY, 3, first + 1, 4u, 0x1001u);
	rm_ask("notify released while accepted", NOTIFY, 3, first, 2u, 0x1000u);
	rm_ask("notify accepted of the open", NOTIFY, 3, first + 7, 4u, 0x1007u);
	rm_ask("notify accepted of three", NOTIFY, 3, first + 4, 4u, 0x1004u);
	rm_ask("notify shared", NOTIFY, 5, first, 1u, 0x1000u, 1u, 3u);
	rm_ask("notify recall", NOTIFY, 5, first, 8u, 0x1000u, 1u, 3u);
	rm_ask("reclaim as borrower", RECLAIM, 2, first, 0u);
	word(first + 7);
	word(1);
	word(1);
	range(0x62000000, 0x1000);
	send("append as borrower", APPEND);
	/* Its own memory: the donated page and the image. */
	rm_ask("lend the image", LEND, 10, 0u, 0u, 1u, 3u | 7u << 16, 1u, (u32)BASE + 0x100000u, 0u, 0x1000u, 0u, 0u);
	rm_ask("share what is lent", SHARE, 11, 0u, 0u, 2u, ME, vmid | 6u << 16, 1u, 0x60000000u, 0u, 0x1000u, 0u, 0u);
	rm_ask("share what is donated", SHARE, 11, 0u, 0x91u, 2u, ME, vmid | 6u << 16, 1u, 0x62000000u, 0u, 0x1000u, 0u, 0u);
	shared = reply_word(4);
	rm_ask("notify hlos", NOTIFY, 5, shared, 1u, 0x2000u, 1u, 3u);
	inside("shared back", 0x62000000);
	sleep();
	/* A parcel that outlives its owner is in the way of the next VM of that number. */
	rm_ask("reclaim shared back", RECLAIM, 2, shared, 0u);
	rm_ask("release nothing", RELEASE, 2, first + 70, 0u);
	rm_ask("release the open", RELEASE, 2, first + 7, 0u);
	rm_ask("release", RELEASE, 2, first, 0u);
	inside("released", 0x60000000);
	rm_ask("release again", RELEASE, 2, first, 0u);
	rm_ask("notify released", NOTIFY, 3, first, 2u, 0x1000u);
	rm_ask("notify accepted after release", NOTIFY, 3, first, 4u, 0x1000u);
	rm_ask("release read only, sanitise", RELEASE, 2, first + 2, 1u);
	rm_ask("release read only", RELEASE, 2, first + 2, 0u);
	rm_ask("release share, sanitise", RELEASE, 2, first + 1, 1u);
	rm_ask("release the donated", RELEASE, 2, first + 3, 0u);
	at("accept once more", first, 1, 0x80, 1, 0x60000000, 0x1000);
	rm_ask("release once more", RELEASE, 2, first, 0u);
	rm_ask("release three", RELEASE, 2, first + 4, 0u);
	rm_ask("release five", RELEASE, 2, first + 5, 0u);
	rm_ask("release sanitised", RELEASE, 2, first + 6, 1u);
	sleep();
}

void second_exchange(void)
{
}
