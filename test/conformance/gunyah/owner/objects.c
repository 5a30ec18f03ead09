/* Objects that the owner makes and unmakes. */
#include "owner.h"

#define MADE_MAX 256

const char *const path_names[PATHS] = { "native", "smccc" };
u8 buffer[8192] __attribute__((aligned(4096)));

static u64 made[MADE_MAX];
static u32 made_count;
static u64 threads[32];
static u32 thread_count;
static u64 raw[64];
static u32 raw_count;
static u64 common_cspace, common_addrspace, common_vic, common_page;
static struct frame frames[8];

struct result call_by(enum path path, u32 number, const u64 arguments[7])
{
	struct frame *f = &frames[this_cpu() - cpus];
	struct result r;
	u32 at = path == SMCCC;

	pattern(f, 0);
	for (u32 i = 0; i < 7; i++)
		f->x[at + i] = arguments[i];
	f->x[at + 7] = 0;
	if (at)
		f->x[0] = 0xc6008000u + number;
	call_with(f, at ? HVC(0) : HVC(0x6000 + number));
	memcpy(r.x, f->x, sizeof(r.x));
	return r;
}

struct result make_call(u32 number, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5, u64 a6)
{
	const u64 arguments[7] = { a1, a2, a3, a4, a5, a6, 0 };

	return call_by(SMCCC, number, arguments);
}

u64 keep(u64 cap)
{
	if (made_count < MADE_MAX)
		made[made_count++] = cap;
	else
		say("owner keeps too much\n");
	return cap;
}

/* The hypervisor ends a change of mappings when all CPUs have forgotten what was before; then the last of deleted objects is gone too. */
static void settle_objects(void)
{
	for (u32 n = 0; n < 2; n++)
		make_call(0x2b, common_addrspace, common_page, 0x300000000ull, 0xf0077, 0, 0);
}

/* A thread keeps itself until it has ended; one that waits to be run must be run for that, others need time. */
static void end_thread(u64 cap)
{
	make_call(0x3d, cap, 0, ALL_ONES, 0, 0, 0);
	if (make_call(0x3a, cap, 0, 0, 0, 0, 0).x[0] == 0)
		for (u32 n = 0; n < 4 && make_call(0x65, cap, 0, 0, 0, 0, 0).x[0] == 0; n++)
			;
	/* BUSY as long as it has not ended. */
	for (u32 n = 0; n < 1000 && make_call(0x68, cap, 0, 0, 0, 0, 0).x[0] == 0x1f; n++)
		make_call(0x3b, 0, 0, 0, 0, 0, 0);
}

/*
 * A thread that has been given a capability space, an address space, interrupts or a group but never became active would keep them from being
 * destroyed, so it becomes active and ends.
 */
static void end_raw(u64 cap)
{
	make_call(0x3e, common_cspace, cap, 0, 0, 0, 0);
	make_call(0x2a, common_addrspace, cap, 0, 0, 0, 0);
	make_call(0x29, common_vic, cap, 0, 0, 0, 0);
	make_call(0x34, cap, 0, 0, 0, 0, 0);
	make_call(0x46, cap, 32, 0, 0, 0, 0);
	make_call(0x3d, cap, 0, ALL_ONES, 0, 0, 0);
	if (make_call(0x0c, cap, 0, 0, 0, 0, 0).x[0] == 0)
		end_thread(cap);
}

void unmake_all(void)
{
	while (thread_count > 0)
		end_thread(threads[--thread_count]);
	while (raw_count > 0)
		end_raw(raw[--raw_count]);
	while (made_count > 0)
		make_call(0x22, CSPACE, made[--made_count], 0, 0, 0, 0);
	settle_objects();
}

void keep_thread(u64 cap)
{
	if (thread_count < sizeof(threads) / sizeof(threads[0]))
		threads[thread_count++] = cap;
}

u64 next_page(void)
{
	static u64 page;

	return PLAY_OFFSET + (page++ % 0x1c00) * 0x1000;
}

u64 next_vmid(void)
{
	static u64 vmid;

	return 65 + vmid++ % 120;
}

static u64 create(u32 number)
{
	struct result r = make_call(number, PARTITION, CSPACE, 0, 0, 0, 0);

	if (r.x[0] != 0)
		say("owner cannot create by %x: %x\n", (u64)number, r.x[0]);
	return r.x[0] == 0 ? keep(r.x[1]) : ALL_ONES;
}

static void expect(const char *what, struct result r)
{
	if (r.x[0] != 0)
		say("owner cannot make %s: %x\n", what, r.x[0]);
}

u64 copy_of(u64 cap, u64 rights)
{
	struct result r = make_call(0x23, CSPACE, cap, CSPACE, rights, 0, 0);

	return r.x[0] == 0 ? keep(r.x[1]) : ALL_ONES;
}

static u64 activated(const char *what, u64 cap)
{
	expect(what, make_call(0x0c, cap, 0, 0, 0, 0, 0));
	return cap;
}

/* On the owner's CPU, or run by it. */
static u64 make_thread(u64 cap, bool is_proxy)
{
	expect("a thread's cspace", make_call(0x3e, common_cspace, cap, 0, 0, 0, 0));
	expect("a thread's addrspace", make_call(0x2a, common_addrspace, cap, 0, 0, 0, 0));
	expect("a thread's interrupts", make_call(0x29, make('v'), cap, 0, 0, 0, 0));
	expect("a thread's options", make_call(0x34, cap, is_proxy ? PROXY : 0, 0, 0, 0, 0));
	expect("a thread's affinity", make_call(0x3d, cap, 0, ALL_ONES, 0, 0, 0));
	keep_thread(activated("a thread", cap));
	return cap;
}

u64 make(char type)
{
	static const struct { char type; u32 number; } creators[] = { { 'c', 2 }, { 'a', 3 }, { 'm', 4 }, { 't', 5 }, { 'u', 5 }, { 'd', 6 }, { 'q', 7 }, { 'v', 0xa }, { 'g', 0xb }, { 'o', 0x48 } };
	u64 cap = 0, extent;
	bool active = type >= 'a';

	type |= 0x20;
	if (type == 'p')
		return copy_of(PARTITION, 0xffffffff);
	if (type == 'h')
		return copy_of(HWIRQ, 0xffffffff);
	extent = type == 'o' && active ? make('m') : 0;
	for (u32 i = 0; i < sizeof(creators) / sizeof(creators[0]); i++)
		if (creators[i].type == type)
			cap = create(creators[i].number);
	if (!active && type == 't' && raw_count < sizeof(raw) / sizeof(raw[0]))
		raw[raw_count++] = cap;
	if (!active)
		return cap;
	switch (type) {
	case 'c':
		expect("a cspace", make_call(0x25, cap, 16, 0, 0, 0, 0));
		break;
	case 'a':
		expect("an addrspace", make_call(0x2e, cap, next_vmid(), 0, 0, 0, 0));
		break;
	case 'm':
		expect("an extent", make_call(0x32, cap, OWN, next_page(), 0x1000, 7, 0));
		break;
	case 't': case 'u':
		return make_thread(cap, type == 'u');
	case 'q':
		expect("a queue", make_call(0x21, cap, 4 | 64ull << 16, 0, 0, 0, 0));
		break;
	case 'v':
		expect("a vic", make_call(0x28, cap, 2, 64, 2, 0, 0));
		break;
	case 'g':
		expect("a group", make_call(0x66, cap, 0, 0, 0, 0, 0));
		break;
	case 'o':
		expect("a virtio device", make_call(0x49, cap, extent, 2, 0, 0, 0));
		break;
	}
	return activated("an object", cap);
}

/* Called again now and then: an address space has room for eight threads, and a real hypervisor never lets go of some. */
void prepare_objects(void)
{
	static u64 vmid = 32;

	common_cspace = make('c');
	common_addrspace = make('A');
	expect("an addrspace", make_call(0x2e, common_addrspace, vmid++, 0, 0, 0, 0));
	activated("an addrspace", common_addrspace);
	common_vic = make('v');
	common_page = make('m');
	made_count = 0;
}
