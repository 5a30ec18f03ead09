/* Where a second VM cannot be, what it finds when its parcels are not ready, and what is left of one that is made again. */
#include "probe.h"
#include "tree.h"
#include "vm.h"

#define PAGE 0x62000000ull
#define READY_BYTES 0x1000u

static void ask_place(const char *name, u64 base)
{
	more.base = base;
	say("vm life %s\n", name);
	fill(SLEEP, 1, name);
	allocate();
	give(LEND);
	configure();
	rm_ask("place init", INIT, 1, vmid);
	rm_ask("place resources", RESOURCES, 1, vmid);
	rm_ask("place start", START, 1, vmid);
	rm_ask("place state", STATE, 1, vmid);
	rm_ask("place stop", STOP, 2, vmid | 1u << 16, 0u);
	rm_ask("place reset", RESET, 1, vmid);
	rm_ask("place reclaim", RECLAIM, 2, parcel, 0u);
	rm_ask("place deallocate", DEALLOCATE, 1, vmid);
	more.base = 0;
}

static void offer(const char *name, u32 id, u32 flags, u32 label, u32 rights, u64 address)
{
	if (id == SHARE)
		rm_ask(name, id, 11, flags << 16, label, 2u, 3u | rights << 16, vmid | rights << 16, 1u, (u32)address, 0u, READY_BYTES, 0u, 0u);
	else
		rm_ask(name, id, 10, flags << 16, label, 1u, vmid | rights << 16, 1u, (u32)address, 0u, READY_BYTES, 0u, 0u);
}

/* A parcel that is not complete, alone and with a complete one behind it. */
static void ask_incomplete(const char *name, bool isLast)
{
	u32 open, closed;

	say("vm life %s\n", name);
	fill(VIEW, 1, name);
	allocate();
	give(LEND);
	configure();
	rm_ask("open init", INIT, 1, vmid);
	offer("open lend", LEND, 2, 0x51, 6, PAGE);
	open = reply_word(4);
	closed = open;
	if (!isLast) {
		offer("open share", SHARE, 0, 0x52, 6, PAGE + 0x10000);
		closed = reply_word(4);
	}
	resources();
	rm_ask("open start", START, 1, vmid);
	rm_ask("open state", STATE, 1, vmid);
	run_until_off(0);
	rm_ask("open append", APPEND, 7, open, 1u, 1u, (u32)PAGE + 0x20000u, 0u, 0x1000u, 0u);
	rm_ask("open stop", STOP, 2, vmid | 1u << 16, 0u);
	end();
	rm_ask("open reclaim", RECLAIM, 2, open, 0u);
	if (!isLast)
		rm_ask("open reclaim the other", RECLAIM, 2, closed, 0u);
}

/* Made again without a new number: nobody is its peer. What its second reset leaves is not asked. */
static void ask_again(void)
{
	say("vm life again\n");
	fill(SLEEP, 1, "again");
	allocate();
	give(LEND);
	configure();
	rm_ask("again init", INIT, 1, vmid);
	resources();
	rm_ask("again reset", RESET, 1, vmid);
	rm_ask("again state", STATE, 1, vmid);
	rm_ask("again peers", 0x56000025, 0);
	rm_ask("again resources", RESOURCES, 1, vmid);
	configure();
	rm_ask("again init", INIT, 1, vmid);
	rm_ask("again peers", 0x56000025, 0);
	resources();
	rm_ask("again id", 0x56000010, 1, vmid);
	rm_ask("again start", START, 1, vmid);
	rm_ask("again state", STATE, 1, vmid);
	run("again", 0, 0);
	rm_ask("again stop", STOP, 2, vmid | 1u << 16, 0u);
	rm_ask("again state", STATE, 1, vmid);
}

void ask_heirs(void)
{
	rm_patience = 200;
	ask_place("at-the-page", 0x40000000);
	ask_place("over-the-page", 0x3ff00000);
	ask_place("at-zero", 0x200000);
	ask_place("at-the-distributor", 0x08000000);
	ask_place("unaligned", 0x41000800);
	ask_place("beyond", 0x1000000000);
	ask_place("across-the-end", 0xffff00000);
	ask_incomplete("incomplete", true);
	ask_incomplete("incomplete-first", false);
	ask_again();
}
