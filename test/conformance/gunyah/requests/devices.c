/*
 * What the enumerations say of VMs with vdevices of all types, at several moments of their lives. A generator with a fixed seed puts the
 * devices together: types, labels, sizes, peers and the nodes they are told about in.
 */
#include "../guest/tree.h"
#include "requests.h"

#define LIVES 128u
#define DEVICES_MAX 5u

static u64 state;

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

#define ONE_OF(list) ((list)[below(sizeof(list) / sizeof((list)[0]))])

static void write_queue(void)
{
	static const u32 sizes[] = { 0, 1, 0x20, 0x3f, 240, 1023, 1024, 0x10000 }, depths[] = { 0, 1, 2, 8, 255, 256 };

	if (below(4) == 0)
		tree_cells("message-size", 1, ONE_OF(sizes));
	if (below(4) == 0)
		tree_cells("queue-depth", 1, ONE_OF(depths));
}

static void write_memory(void)
{
	tree_node("memory");
	tree_cells("label", 1, 0x31u + (below(4) == 0));
	tree_cells("#address-cells", 1, 2u);
	if (below(4))
		tree_cells("base", 2, 0u, 0x70000000u + 0x100000u * below(4));
	else
		tree_bytes("allocate-base", "", 0);
	tree_end();
}

static void write_device(u32 number)
{
	static const char *const names[] = { "dev-a", "dev-b", "dev-c", "dev-d", "dev-e" };
	static const char *const places[] = { "/hypervisor/dev-a", "/hypervisor/dev-b", "/hypervisor/dev-c", "/hypervisor/dev-d", "/hypervisor/dev-e" };
	static const char *const types[] = { "doorbell", "doorbell-source", "message-queue", "message-queue", "message-queue-pair", "shm", "virtio-mmio" };
	u32 type = below(7);

	tree_node(names[number]);
	tree_text("vdevice-type", types[type]);
	if (below(16))
		tree_cells("label", 1, 0x10u + below(8));
	if (below(8))
		tree_bytes("peer-default", "", 0);
	if (below(3))
		tree_text("generate", places[number]);
	if (below(3) == 0)
		tree_text("push-compatible", "a,device");
	switch (type) {
	case 0: case 1:
		if (below(2))
			tree_bytes("source-can-clear", "", 0);
		break;
	case 2: case 3:
		tree_bytes(below(2) ? "is-sender" : "is-receiver", "", 0);
		write_queue();
		break;
	case 4:
		write_queue();
		break;
	case 5:
		write_memory();
		break;
	default:
		if (below(4))
			tree_cells("vqs-num", 1, 1u + below(4));
		if (below(2))
			tree_bytes("dma-coherent", "", 0);
		write_memory();
		break;
	}
	tree_end();
}

static void write_devices(void)
{
	u32 count = 1 + below(DEVICES_MAX);

	for (u32 n = 0; n < count; n++)
		write_device(n);
}

static void say_answer(u32 life, const char *what)
{
	say("devices %x %s = %s\n", (u64)life, what, kept_answer());
}

static void enumerate(u32 life, const char *when)
{
	do_quietly(RESOURCES, 1, vmid);
	say_answer(life, when);
	do_quietly(0x56000010, 1, vmid);
	say_answer(life, "id");
}

static void ask_life(u32 life)
{
	u32 shared, error;

	write_tree(1 + below(2), "devices");
	do_quietly(ALLOCATE, 1, 0u);
	vmid = reply_word(4);
	do_quietly(LEND, 10, 0u, 0u, 1u, vmid | 7u << 16, 1u, (u32)HERE, 0u, (u32)SIZE, 0u, 0u);
	parcel = reply_word(4);
	do_quietly(CONFIGURE, 10, vmid, parcel, 0u, 0u, (u32)TREE_OFFSET, 0u, (u32)TREE_OFFSET, 0u, (u32)TREE_SIZE, 0u);
	enumerate(life, "configured");
	do_quietly(INIT, 1, vmid);
	error = answered();
	say_answer(life, "init");
	enumerate(life, "ready");
	do_quietly(SHARE, 11, 0u, 0x31u, 2u, vmid | 6u << 16, MINE, 1u, 0x62000000u, 0u, 0x2000u, 0u, 0u);
	shared = reply_word(4);
	if (error == 0) {
		do_quietly(START, 1, vmid);
		say_answer(life, "start");
		enumerate(life, "started");
		do_quietly(STOP, 2, vmid | 1u << 16, 0u);
		say_answer(life, "stop");
		enumerate(life, "stopped");
	}
	do_quietly(RESET, 1, vmid);
	say_answer(life, "reset");
	for (u32 n = 0; n < 200; n++) {
		do_quietly(STATE, 1, vmid);
		if (rm_reply[4] == 11)
			break;
		delay(20);
	}
	enumerate(life, "gone");
	do_quietly(RECLAIM, 2, parcel, 0u);
	say_answer(life, "reclaim");
	do_quietly(RECLAIM, 2, shared, 0u);
	say_answer(life, "reclaim what was shared");
	do_quietly(DEALLOCATE, 1, vmid);
	say_answer(life, "deallocate");
}

void ask_devices(void)
{
	state = 1;
	more.no_devices = true;
	more.devices = write_devices;
	fill(OBEY, 1, "devices");
	for (u32 life = 0; life < LIVES; life++)
		ask_life(life);
	more.no_devices = false;
	more.devices = NULL;
}
