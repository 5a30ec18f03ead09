/* The order of calls in a second VM's life, and vdevices of every kind. */
#include "probe.h"
#include "tree.h"
#include "vm.h"

/* Requests that a state refuses. */
enum ask { MAY_START = 1, MAY_INIT = 2, MAY_STOP = 4, MAY_CONFIGURE = 8, MAY_RESET = 16, MAY_DEALLOCATE = 32 };

static void refused(const char *state, u32 but)
{
	say("life in %s\n", state);
	rm_ask("life state", STATE, 1, vmid);
	rm_ask("life id", 0x56000010, 1, vmid);
	rm_ask("life resources", RESOURCES, 1, vmid);
	rm_ask("life peers", 0x56000025, 0);
	rm_ask("life crash message", 0x56000019, 1, vmid);
	rm_ask("life authenticate", 0x5600000a, 1, vmid);
	rm_ask("life lookup", 0x56000013, 2, 4u, 0x6566696cu);
	if (!(but & MAY_START))
		rm_ask("life start", START, 1, vmid);
	if (!(but & MAY_INIT))
		rm_ask("life init", INIT, 1, vmid);
	if (!(but & MAY_STOP)) {
		rm_ask("life stop", STOP, 2, vmid, 0u);
		rm_ask("life stop, force", STOP, 2, vmid | 1u << 16, 0u);
	}
	if (!(but & MAY_CONFIGURE))
		configure();
	if (!(but & MAY_RESET))
		rm_ask("life reset", RESET, 1, vmid);
	if (!(but & MAY_DEALLOCATE))
		rm_ask("life deallocate", DEALLOCATE, 1, vmid);
}

static void ask_orders(void)
{
	fill(SLEEP, 1, "life");
	allocate();
	refused("load", MAY_CONFIGURE | MAY_INIT | MAY_RESET | MAY_DEALLOCATE);
	give(LEND);
	rm_ask("life configure with an unknown parcel", CONFIGURE, 10, vmid + 1, parcel, 0u, 0u, 0u, 0u, 0u, 0u, 0x1000u, 0u);
	configure();
	refused("init", MAY_INIT | MAY_RESET | MAY_DEALLOCATE);
	rm_ask("life init", INIT, 1, vmid);
	refused("ready", MAY_START | MAY_RESET);
	rm_ask("life reset when ready", RESET, 1, vmid);
	refused("reset", MAY_CONFIGURE | MAY_DEALLOCATE | MAY_INIT | MAY_RESET);
	/* The real Resource Manager tells nobody any more of a VM that is made again without a new number. */
	rm_ask("life reclaim when reset", RECLAIM, 2, parcel, 0u);
	rm_ask("life deallocate when reset", DEALLOCATE, 1, vmid);
	allocate();
	give(LEND);
	configure();
	rm_ask("life init again", INIT, 1, vmid);
	resources();
	rm_ask("life start", START, 1, vmid);
	refused("running", MAY_STOP);
	run("sleeps", 0, 0);
	rm_ask("life stop", STOP, 2, vmid, 0x11u);
	rm_ask("life stop, other flags", STOP, 2, vmid | 2u << 16, 0x11u);
	rm_ask("life stop, force", STOP, 2, vmid | 1u << 16, 0x11u);
	refused("exited", MAY_RESET);
	run("after its end", 0, 0);
	rm_ask("life reset", RESET, 1, vmid);
	rm_ask("life reclaim", RECLAIM, 2, parcel, 0u);
	rm_ask("life deallocate", DEALLOCATE, 1, vmid);
	rm_ask("life state at last", STATE, 1, vmid);
	rm_ask("life start at last", START, 1, vmid);
}

/* ---- Vdevices ---- */

static void device(const char *name, const char *type, u32 label)
{
	tree_node(name);
	tree_text("vdevice-type", type);
	tree_cells("label", 1, label);
	tree_bytes("peer-default", "", 0);
}

static void pair_and_bells(void)
{
	device("pair", "message-queue-pair", 0x21);
	tree_cells("message-size", 1, 0x20u);
	tree_cells("queue-depth", 1, 4u);
	tree_end();
	device("named", "message-queue-pair", 0x22);
	tree_text("generate", "/hypervisor/named-pair");
	tree_end();
	device("bell-2", "doorbell", 0x23);
	tree_cells("interrupts", 3, 0u, 0x40u, 1u);
	tree_end();
	device("bell-3", "doorbell", 0x24);
	tree_text("push-compatible", "a,bell");
	tree_end();
	device("source-2", "doorbell-source", 0x25);
	tree_bytes("source-can-clear", "", 0);
	tree_end();
}

static void shared_memory(void)
{
	device("shm", "shm", 0x31);
	tree_text("generate", "/hypervisor/shm-31");
	tree_text("push-compatible", "a,shared-memory");
	tree_node("memory");
	tree_cells("label", 1, 0x31u);
	tree_cells("#address-cells", 1, 2u);
	tree_cells("base", 2, 0u, 0x70000000u);
	tree_end();
	tree_end();
}

static void virtio(void)
{
	device("disk", "virtio-mmio", 0x41);
	tree_text("generate", "/hypervisor/disk");
	tree_cells("vqs-num", 1, 2u);
	tree_bytes("dma-coherent", "", 0);
	tree_node("memory");
	tree_cells("label", 1, 0x31u);
	tree_cells("#address-cells", 1, 2u);
	tree_cells("base", 2, 0u, 0x70000000u);
	tree_end();
	tree_end();
}

/* Where RM puts the first backend's registers. At every other address there QEMU's board answers all ones, for its PCI bus. */
static void ask_backend(const char *what)
{
	say("%s = ", what);
	say_insn(0xb9400000, 0x30001000, 0);
}

static void ask_devices(const char *name, void (*devices)(void))
{
	u32 shared;

	more.devices = devices;
	say("vm life %s\n", name);
	fill(MORE_DEVICES, 1, name);
	allocate();
	give(LEND);
	configure();
	rm_ask("vm init", INIT, 1, vmid);
	rm_ask("vm share for a device", SHARE, 11, 0u, 0x31u, 2u, vmid | 6u << 16, 3u | 6u << 16, 1u, 0x62000000u, 0u, 0x2000u, 0u, 0u);
	shared = reply_word(4);
	resources();
	rm_ask("vm start", START, 1, vmid);
	for (u64 cap = 3; cap < 16; cap++) {
		say("vm owner's cap %x =", cap);
		say(" %x", hypercall(0x12, cap, 0, 0, 0, 0, 0).x[0]);
		say(" %x", hypercall(0x13, cap, 0, 0, 0, 0, 0).x[0]);
		say(" %x", hypercall(0x1d, cap, 0, 0, 0, 0, 0).x[0]);
		say(" %x", hypercall(0x20, cap, 1, ALL_ONES, ALL_ONES, 0, 0).x[0]);
		say(" %x\n", hypercall(0x4e, cap, 0, 0, 0, 0, 0).x[0]);
	}
	if (devices == virtio)
		ask_backend("vm owner's page");
	run_until_off(0);
	run("off", 0, 0);
	say("rm vm after %s =", name);
	say_answers(0);
	end();
	rm_ask("vm reclaim for a device", RECLAIM, 2, shared, 0u);
	if (devices == virtio)
		ask_backend("vm owner's page after");
	more.devices = NULL;
}

/* Memory without a label beside the image; only what has all rights is private memory. */
static void ask_more_memory(const char *name, u32 rights)
{
	u32 lent;

	say("vm life %s\n", name);
	fill(SLEEP, 1, name);
	allocate();
	give(LEND);
	configure();
	rm_ask("vm init", INIT, 1, vmid);
	rm_ask("vm lend more", LEND, 10, 0u, 0u, 1u, vmid | rights << 16, 1u, 0x62000000u, 0u, 0x1000u, 0u, 0u);
	lent = reply_word(4);
	resources();
	rm_ask("vm start", START, 1, vmid);
	rm_ask("vm state", STATE, 1, vmid);
	run("with more", 0, 0);
	rm_ask("vm stop, force", STOP, 2, vmid | 1u << 16, 0u);
	end();
	rm_ask("vm reclaim more", RECLAIM, 2, lent, 0u);
}

void ask_lives(void)
{
	rm_patience = 200;
	ask_orders();
	ask_devices("pairs", pair_and_bells);
	ask_devices("shared", shared_memory);
	ask_devices("virtio", virtio);
	more.no_devices = true;
	ask_devices("bare", NULL);
	more.no_devices = false;
}

void ask_more_lives(void)
{
	rm_patience = 200;
	ask_more_memory("more-rwx", 7);
	ask_more_memory("more-rw", 6);
}

void second_more_devices(void)
{
	ask_tree(at_entry.x[0]);
	for (u64 cap = 0; cap < 16; cap++) {
		say("vm cap %x =", cap);
		say(" %x", hypercall(0x12, cap, 0, 0, 0, 0, 0).x[0]);
		say(" %x", hypercall(0x13, cap, 0, 0, 0, 0, 0).x[0]);
		say(" %x", hypercall(0x1d, cap, 0, 0, 0, 0, 0).x[0]);
		say(" %x\n", hypercall(0x1f, cap, 1, ALL_ONES, ALL_ONES, 0, 0).x[0]);
	}
	for (u64 address = 0x40000000; address < 0x40004000; address += 0x1000) {
		say("vm page %x = ", address);
		say_insn(0xb9400000, address, 0);
		say("vm page store %x = ", address + 0x70);
		say_insn(0xb9000001, address + 0x70, 0);
	}
	say("vm page 70000000 = ");
	say_insn(0xb9400000, 0x70000000, 0);
}
