/* The consoles of the second VM, with and without one, each asked about by both VMs. */
#include "probe.h"
#include "vm.h"

#define OPEN 0x56000081u
#define CLOSE 0x56000082u
#define WRITE 0x56000083u
#define FLUSH 0x56000084u

static void ask(const char *name, u32 id, u32 count, u32 a, u32 b, u32 c)
{
	const u32 words[] = { a, b, c };

	rm_ask_words(name, id, count, words);
}

/* The same asked by the second VM; what it is told meanwhile is among its own lines. */
static void ask_within(const char *name, u32 id, u32 count, u32 a, u32 b)
{
	say("console inside %s = ", name);
	say("%x\n", obey_request(name, id, count, a, b, 0));
	rm_ask("console meanwhile", 0x56000024, 0);
}

/* `then` opens it. */
static void ask_all_kinds(const char *name, u32 target)
{
	static const struct { const char *name; u32 id, count, bytes; } asked[] = {
		{ "console flush unopened", FLUSH, 1, 0 }, { "console write unopened", WRITE, 2, 4 }, { "console close unopened", CLOSE, 1, 0 }, { "console open", OPEN, 1, 0 },
		{ "console open again", OPEN, 1, 0 }, { "console open long", OPEN, 2, 0 }, { "console write", WRITE, 2, 4 }, { "console write nothing", WRITE, 1, 0 },
		{ "console write three", WRITE, 2, 3 }, { "console write five", WRITE, 2, 5 }, { "console flush", FLUSH, 1, 0 }, { "console flush long", FLUSH, 2, 0 }, { "console close long", CLOSE, 2, 0 },
	};

	say("console of %s\n", name);
	for (u32 i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
		ask(asked[i].name, asked[i].id, asked[i].count, target | asked[i].bytes << 16, 0x64636261, 0);
	say("console of %s inside\n", name);
	for (u32 i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
		ask_within(asked[i].name, asked[i].id, asked[i].count, target | asked[i].bytes << 16, 0x68676665);
}

static void ask_between(void)
{
	say("console between\n");
	ask("console write", WRITE, 2, vmid | 4u << 16, 0x64636261, 0);
	ask("console write more", WRITE, 3, vmid | 8u << 16, 0x64636261, 0x68676665);
	ask("console write unaligned", WRITE, 3, vmid | 5u << 16, 0x64636261, 0x68676665);
	ask_within("console told", 0x56000024, 0, 0, 0);
	ask_within("console write to the owner", WRITE, 2, 4u << 16, 0x6c6b6a69);
	ask_within("console close", CLOSE, 1, 0, 0);
	ask("console write to the closed", WRITE, 2, vmid | 4u << 16, 0x64636261, 0);
	ask_within("console write when closed", WRITE, 2, 4u << 16, 0x6c6b6a69);
	ask("console close", CLOSE, 1, vmid, 0, 0);
	ask("console close again", CLOSE, 1, vmid, 0, 0);
	ask("console write when closed", WRITE, 2, vmid | 4u << 16, 0x64636261, 0);
	ask("console flush when closed", FLUSH, 1, vmid, 0, 0);
	ask_within("console open", OPEN, 1, 0, 0);
	ask_within("console write to the closed", WRITE, 2, 4u << 16, 0x6c6b6a69);
	ask_within("console flush", FLUSH, 1, 0, 0);
}

static void ask_states(const char *name)
{
	say("console in %s\n", name);
	ask("console open", OPEN, 1, vmid, 0, 0);
	ask("console write", WRITE, 2, vmid | 4u << 16, 0x64636261, 0);
	ask("console flush", FLUSH, 1, vmid, 0, 0);
	ask("console close", CLOSE, 1, vmid, 0, 0);
}

static void ask_life(const char *name)
{
	live_to_obey(name, SHARE, 1);
	ask_all_kinds("nobody", 0x99);
	ask_all_kinds("rm", 0xff);
	ask_all_kinds("oneself", 0);
	ask_all_kinds("hlos", 3);
	ask_all_kinds("the second", vmid);
	ask_between();
	ask("console open to the end", OPEN, 1, vmid, 0, 0);
	end_obeying();
}

void ask_consoles(void)
{
	rm_patience = 200;
	ask_life("no-console");
	more.console = true;
	ask_life("console");
	fill(SLEEP, 1, "quiet-console");
	allocate();
	ask_states("load");
	give(LEND);
	configure();
	ask_states("init");
	rm_ask("console init", INIT, 1, vmid);
	ask_states("ready");
	rm_ask("console start", START, 1, vmid);
	ask_states("running");
	rm_ask("console stop", STOP, 2, vmid | 1u << 16, 0u);
	ask_states("exited");
	rm_ask("console reset", RESET, 1, vmid);
	ask_states("reset");
	rm_ask("console reclaim", RECLAIM, 2, parcel, 0u);
	rm_ask("console deallocate", DEALLOCATE, 1, vmid);
	ask_states("none");
	more.console = false;
}
