/* The second VM: how the primary VM makes, runs and ends it (ask_vm), and what it does meanwhile (second_main). */
#include "probe.h"
#include "tree.h"
#include "vm.h"

#define RUNS_MAX 4000u

extern char guest_image_start[], guest_image_end[];

u32 vmid, parcel;
u64 vcpu[4], bell_out, bell_in, queue_out, queue_in;
struct more more;
void (*second_work)(void);

u32 reply_word(u32 offset)
{
	return (u32)rm_reply[offset] | (u32)rm_reply[offset + 1] << 8 | (u32)rm_reply[offset + 2] << 16 | (u32)rm_reply[offset + 3] << 24;
}

/* ---- Its device tree ---- */

static void write_cpus(u32 count)
{
	static const char *const names[] = { "cpu@0", "cpu@1", "cpu@2", "cpu@3" };

	tree_node("cpus");
	tree_cells("#address-cells", 1, 1u);
	tree_cells("#size-cells", 1, 0u);
	for (u32 i = 0; i < count; i++) {
		tree_node(names[i]);
		tree_text("device_type", "cpu");
		tree_text("compatible", "arm,armv8");
		tree_cells("reg", 1, i);
		tree_text("enable-method", "psci");
		tree_bytes("cpu-idle-states", "", 0);
		tree_end();
	}
	tree_end();
}

static void write_device(const char *name, const char *type, u32 label)
{
	tree_node(name);
	tree_text("vdevice-type", type);
	tree_cells("label", 1, label);
	tree_bytes("peer-default", "", 0);
}

static void write_devices(void)
{
	tree_node("vdevices");
	tree_node("rm");
	tree_text("vdevice-type", "rm-rpc");
	tree_text("generate", "/hypervisor/qcom,resource-mgr");
	tree_cells("message-size", 1, 240u);
	tree_cells("queue-depth", 1, 8u);
	if (more.console)
		tree_bytes("console-dev", "", 0);
	tree_end();
	if (more.devices)
		more.devices();
	if (more.no_devices) {
		tree_end();
		return;
	}
	write_device("bell", "doorbell", 0x11);
	tree_text("generate", "/hypervisor/bell");
	tree_bytes("source-can-clear", "", 0);
	tree_end();
	write_device("source", "doorbell-source", 0x12);
	tree_text("push-compatible", "a,source");
	tree_end();
	write_device("receiver", "message-queue", 0x13);
	tree_bytes("is-receiver", "", 0);
	tree_cells("message-size", 1, 0x40u);
	tree_cells("queue-depth", 1, 2u);
	tree_end();
	write_device("sender", "message-queue", 0x14);
	tree_text("generate", "/hypervisor/queue");
	tree_bytes("is-sender", "", 0);
	tree_end();
	tree_end();
}

u32 write_tree(u32 cpu_count, const char *name)
{
	tree_begin(HERE + TREE_OFFSET);
	tree_node("");
	tree_cells("#address-cells", 1, 2u);
	tree_cells("#size-cells", 1, 2u);
	tree_cells("interrupt-parent", 1, 1u);
	tree_text("compatible", "a,board");
	tree_node("chosen");
	tree_end();
	if (strcmp(name, "hypervisor") == 0) {
		tree_node(name);
		tree_end();
	}
	write_cpus(cpu_count);
	tree_node("psci");
	tree_text("compatible", "arm,psci-1.0");
	tree_text("method", "hvc");
	tree_end();
	tree_node("interrupt-controller@8000000");
	tree_text("compatible", "arm,gic-v3");
	tree_cells("#interrupt-cells", 1, 3u);
	tree_bytes("interrupt-controller", "", 0);
	tree_cells("reg", 8, 0u, 0x8000000u, 0u, 0x10000u, 0u, 0x80a0000u, 0u, 0x20000u * cpu_count);
	tree_cells("phandle", 1, 1u);
	tree_end();
	tree_node("gunyah-vm-config");
	tree_cells("#address-cells", 1, 2u);
	tree_cells("#size-cells", 1, 2u);
	tree_text("image-name", name);
	tree_text("os-type", "linux");
	if (more.identity)
		more.identity();
	tree_node("memory");
	if (!more.no_base)
		tree_cells("base-address", 2, (u32)((more.base ? more.base : BASE) >> 32), (u32)(more.base ? more.base : BASE));
	tree_end();
	tree_node("interrupts");
	tree_text("config", "/interrupt-controller@8000000");
	tree_end();
	tree_node("vcpus");
	tree_text("config", "/cpus");
	tree_text("affinity", "proxy");
	tree_end();
	write_devices();
	if (more.config)
		more.config();
	tree_end();
	if (more.root)
		more.root();
	tree_end();
	return tree_finish();
}

/* ---- Making and ending ---- */

void allocate(void)
{
	rm_ask("vm allocate", ALLOCATE, 1, 0u);
	vmid = reply_word(4);
}

void give(u32 id)
{
	if (id == LEND)
		rm_ask("vm lend", id, 10, 0u, 0u, 1u, vmid | 7u << 16, 1u, (u32)HERE, 0u, (u32)SIZE, 0u, 0u);
	else
		rm_ask("vm share", id, 11, 0u, 0u, 2u, vmid | 7u << 16, 3u | 7u << 16, 1u, (u32)HERE, 0u, (u32)SIZE, 0u, 0u);
	parcel = reply_word(4);
}

void configure(void)
{
	rm_ask("vm configure", CONFIGURE, 10, vmid, parcel, 0u, 0u, (u32)TREE_OFFSET, 0u, (u32)TREE_OFFSET, 0u, (u32)TREE_SIZE, 0u);
}

void resources(void)
{
	u32 cpu = 0;

	rm_ask("vm resources", RESOURCES, 1, vmid);
	for (u32 i = 0; i < reply_word(4) && i < 5; i++) {
		u32 at = 8 + 44 * i;
		u64 cap = reply_word(at + 12);

		switch (rm_reply[at]) {
		case 0: bell_out = cap; break;
		case 1: bell_in = cap; break;
		case 2: queue_out = cap; break;
		case 3: queue_in = cap; break;
		case 4: vcpu[cpu++ & 3] = cap; break;
		}
	}
}

void fill(enum order order, u32 cpu_count, const char *name)
{
	memset((void *)HERE, 0, SIZE);
	memcpy((void *)HERE, guest_image_start, (size_t)(guest_image_end - guest_image_start));
	write64(HERE + ORDER_OFFSET, order);
	write_tree(cpu_count, name);
}

/* The second VM's lines, whole ones, with its mark before them. */
void say_text_of_second(void)
{
	u64 size = read64(HERE + TEXT_OFFSET);
	bool fresh = true;

	if (size > TEXT_MAX)
		size = 0;
	for (u64 i = 0; i < size; i++) {
		char c = *(volatile char *)(HERE + TEXT_OFFSET + 8 + i);

		if (fresh)
			say("second ");
		fresh = c == '\n';
		say("%c", c);
	}
}

void end(void)
{
	rm_ask("vm state before reset", STATE, 1, vmid);
	rm_ask("vm reset", RESET, 1, vmid);
	rm_ask("vm state after reset", STATE, 1, vmid);
	say("vm run after reset = ");
	say("%x\n", hypercall(0x65, vcpu[0], 0, 0, 0, 0, 0).x[0]);
	rm_ask("vm resources after reset", RESOURCES, 1, vmid);
	rm_ask("vm reclaim", RECLAIM, 2, parcel, 0u);
	say_text_of_second();
	rm_ask("vm deallocate", DEALLOCATE, 1, vmid);
}

/* ---- Running ---- */

static struct result run_quietly(u32 cpu, u64 data)
{
	struct result r;
	u32 count = 0;

	do
		r = hypercall(0x65, vcpu[cpu], data, 0, 0, 0, 0);
	while (r.x[0] == 0 && (r.x[1] == 0 || r.x[1] == 3) && ++count < RUNS_MAX);
	/* It is off; that RM has heard of it is to be seen, and takes a while. */
	if (r.x[0] == 0 && r.x[1] == 2) {
		delay(30000);
		r = hypercall(0x65, vcpu[cpu], data, 0, 0, 0, 0);
	}
	return r;
}

void run(const char *name, u32 cpu, u64 data)
{
	struct result r = run_quietly(cpu, data);

	say("vm run %s = %x | %x %x %x %x\n", name, r.x[0], r.x[1], r.x[2], r.x[3], r.x[4]);
}

/* Until it is off, sleeps included. What it says twice is printed once: when RM hears of a reset is a matter of time. */
void run_to_end(const char *name, u32 cpu)
{
	struct result last = { { ALL_ONES } };

	for (u32 i = 0; i < 100; i++) {
		struct result r = run_quietly(cpu, 0xfedcba9876543280ull + i);

		if (memcmp(&r, &last, 5 * sizeof(u64)) != 0)
			say("vm run %s = %x | %x %x %x %x\n", name, r.x[0], r.x[1], r.x[2], r.x[3], r.x[4]);
		last = r;

		if (r.x[0] != 0 || r.x[1] == 2 || r.x[1] == 6)
			return;
		delay(3000);
	}
}

void run_until_off(u32 cpu)
{
	for (u32 i = 0; i < 1000; i++) {
		struct result r = run_quietly(cpu, 0);

		if (r.x[0] != 0 || r.x[1] == 2 || r.x[1] == 6)
			return;
		delay(500);
	}
}

void once(const char *name)
{
	struct result r = hypercall(0x65, vcpu[0], 0, 0, 0, 0, 0);

	say("vm once %s = %x | %x %x %x %x\n", name, r.x[0], r.x[1], r.x[2], r.x[3], r.x[4]);
}

void live(const char *name, enum order order, u32 id, u32 cpu_count)
{
	say("vm life %s\n", name);
	fill(order, cpu_count, name);
	allocate();
	give(id);
	configure();
	rm_ask("vm init", INIT, 1, vmid);
	resources();
	once("before start");
	rm_ask("vm start", START, 1, vmid);
	rm_ask("vm state", STATE, 1, vmid);
	rm_ask("vm id", 0x56000010, 1, vmid);
}

void say_call(const char *name, struct result r, u32 count)
{
	say("vm %s = %x", name, r.x[0]);
	for (u32 i = 1; i <= count; i++)
		say(" %x", r.x[i]);
	say("\n");
}

static void ask_talk(void)
{
	static u8 bytes[240];

	live("talk", TALK, SHARE, 1);
	run("wfi with timer", 0, 0);
	once("asleep again");
	delay(30000);
	run("suspend", 0, 0);
	once("suspended again");
	delay(30000);
	run("bell and queue", 0, 0);
	say_call("bell receive", hypercall(0x13, bell_in, ALL_ONES, 0, 0, 0, 0), 1);
	say_call("bell receive again", hypercall(0x13, bell_in, ALL_ONES, 0, 0, 0, 0), 1);
	say_call("queue receive", hypercall(0x1c, queue_in, (u64)bytes, sizeof(bytes), 0, 0, 0), 2);
	say("vm queue bytes = ");
	say_bytes(bytes, 16);
	say("\n");
	say_call("queue receive again", hypercall(0x1c, queue_in, (u64)bytes, sizeof(bytes), 0, 0, 0), 2);
	memcpy(bytes, "from the first", 14);
	say_call("queue send", hypercall(0x1b, queue_out, 14, (u64)bytes, 0, 0, 0), 1);
	say_call("queue send too long", hypercall(0x1b, queue_out, 0x41, (u64)bytes, 0, 0, 0), 1);
	say_call("queue send second", hypercall(0x1b, queue_out, 0x40, (u64)bytes, 0, 0, 0), 1);
	say_call("queue send third", hypercall(0x1b, queue_out, 1, (u64)bytes, 0, 0, 0), 1);
	say_call("bell send", hypercall(0x12, bell_out, 0x5, 0, 0, 0, 0), 1);
	say_call("bell send more", hypercall(0x12, bell_out, 0x30, 0, 0, 0, 0), 1);
	say_call("bell clear as source", hypercall(0x13, bell_out, 0x10, 0, 0, 0, 0), 1);
	run("told", 0, 0);
	delay(30000);
	say_call("bell send late", hypercall(0x12, bell_out, 0x40, 0, 0, 0, 0), 1);
	run("off", 0, 0);
	once("off again");
	rm_ask("vm after off", STATE, 1, vmid);
	end();
}

static void ask_kill(const char *name, enum order order, u32 id)
{
	live(name, order, id, 1);
	run("wfi with timer", 0, 0);
	rm_ask("vm stop, shutdown", STOP, 2, vmid, 0x77u);
	rm_ask("vm state after shutdown", STATE, 1, vmid);
	delay(30000);
	run("until it has read", 0, 0);
	rm_ask("vm reset while running", RESET, 1, vmid);
	rm_ask("vm deallocate while running", DEALLOCATE, 1, vmid);
	rm_ask("vm reclaim while running", RECLAIM, 2, parcel, 0u);
	rm_ask("vm start while running", START, 1, vmid);
	rm_ask("vm init while running", INIT, 1, vmid);
	configure();
	rm_ask("vm stop, force", STOP, 2, vmid | 1u << 16, 0x77u);
	once("killed");
	once("killed, second");
	say_answers(0);
	rm_ask("vm stop, force again", STOP, 2, vmid | 1u << 16, 0x77u);
	end();
}

void ask_short_life(const char *name, enum order order)
{
	live(name, order, LEND, 1);
	run_to_end(name, 0);
	say("rm vm after %s =", name);
	say_answers(0);
	once("once more");
	once("and more");
	rm_ask("vm state", STATE, 1, vmid);
	rm_ask("vm stop, force", STOP, 2, vmid | 1u << 16, 0u);
	once("stopped");
	end();
}

static void ask_two_cpus(void)
{
	live("two-cpus", TWO_CPUS, LEND, 2);
	run("second before on", 1, 0);
	for (u32 i = 0; i < 30; i++) {
		struct result first = hypercall(0x65, vcpu[0], 0, 0, 0, 0, 0), second = hypercall(0x65, vcpu[1], 0, 0, 0, 0, 0);

		if (first.x[0] != 0 || (first.x[1] == 2 && second.x[1] == 2 && i > 4))
			break;
		delay(1000);
	}
	run("first at end", 0, 0);
	run("second at end", 1, 0);
	say("rm vm two-cpus off =");
	say_answers(0);
	end();
}

enum mishap { OUTSIDE, NO_MAGIC, TOO_LARGE, TAKEN };

/* How far a VM gets whose making goes wrong. RM does not survive the reset of a VM whose image was refused. */
static void ask_mishap(const char *name, enum mishap mishap)
{
	say("vm mishap %s\n", name);
	fill(VIEW, 1, mishap == TAKEN ? "hypervisor" : name);
	if (mishap == NO_MAGIC)
		write32(HERE + TREE_OFFSET, 0);
	if (mishap == TOO_LARGE)
		write32(HERE + TREE_OFFSET + 4, 0x00900000);
	allocate();
	give(LEND);
	rm_ask("vm configure", CONFIGURE, 10, vmid, parcel, 0u, 0u, (u32)TREE_OFFSET, 0u, (u32)(mishap == OUTSIDE ? SIZE : TREE_OFFSET), 0u, (u32)TREE_SIZE, 0u);
	rm_ask("vm init", INIT, 1, vmid);
	rm_ask("vm start", START, 1, vmid);
	rm_ask("vm state", STATE, 1, vmid);
	rm_ask("vm resources", RESOURCES, 1, vmid);
	if (mishap != OUTSIDE)
		rm_ask("vm reset", RESET, 1, vmid);
	rm_ask("vm reclaim", RECLAIM, 2, parcel, 0u);
	rm_ask("vm deallocate", DEALLOCATE, 1, vmid);
}

void ask_vm(void)
{
	rm_patience = 200;
	ask_short_life("view", VIEW);
	ask_talk();
	ask_kill("kill", KILL, LEND);
	ask_kill("kill-shared", TALK, SHARE);
	ask_short_life("cpu-off", CPU_OFF);
	ask_short_life("reset", SYSTEM_RESET);
	ask_short_life("reset2", RESET2);
	ask_short_life("reset2-64", RESET2_64);
	ask_short_life("fault", FAULT);
	ask_short_life("devices", DEVICES);
	ask_two_cpus();
	ask_mishap("outside", OUTSIDE);
	ask_mishap("taken", TAKEN);
	ask_mishap("too-large", TOO_LARGE);
	ask_mishap("no-magic", NO_MAGIC);
}

/* ---- Inside ---- */

static void to_memory(char c)
{
	u64 size = read64(BASE + TEXT_OFFSET);

	if (size < TEXT_MAX) {
		write8(BASE + TEXT_OFFSET + 8 + size, (u8)c);
		write64(BASE + TEXT_OFFSET, size + 1);
	}
}

void timer_in(u64 ticks)
{
	MSR(cntv_tval_el0, ticks);
	MSR(cntv_ctl_el0, 1);
}

/* The timer's interrupt enabled in the controller, masked in the CPU: it ends a sleep. */
void set_up_gic(void)
{
	__asm__ volatile("msr S3_0_C4_C6_0, %0" :: "r"(0xf8ull));
	__asm__ volatile("msr S3_0_C12_C12_7, %0\n\tisb" :: "r"(1ull));
	write32(0x8000000, 0x12);
	write32(0x80b0080, ~0u);
	write32(0x80b0100, 1u << 27 | 1);
}

/* Sleeps so that the owner has its turn. */
void sleep(void)
{
	u64 number;

	timer_in(200000);
	__asm__ volatile("wfi");
	MSR(cntv_ctl_el0, 0);
	__asm__ volatile("mrs %0, S3_0_C12_C12_0" : "=r"(number));
	__asm__ volatile("msr S3_0_C12_C12_1, %0" :: "r"(number));
}

static void take_interrupt(void)
{
	u64 number;

	MSR(cntv_ctl_el0, 0);
	__asm__ volatile("mrs %0, S3_0_C12_C12_0" : "=r"(number));
	say("irq taken = %x\n", number);
	__asm__ volatile("msr S3_0_C12_C12_1, %0" :: "r"(number));
}

static void second_view(u64 tree)
{
	rm_patience = 500;
	ask_entry();
	ask_tree(tree);
	ask_identification();
	ask_psci_harmless();
	ask_services();
	rm_ask("vmid", 0x56000024, 0);
	rm_ask("owner", 0x56000015, 0);
	rm_ask("peers", 0x56000025, 0);
	rm_ask("host type", 0x560000a0, 0);
	rm_ask("state of myself", STATE, 1, 0u);
	rm_ask("state of hlos", STATE, 1, 3u);
	rm_ask("id of myself", 0x56000010, 1, 0u);
	rm_ask("id of hlos", 0x56000010, 1, 3u);
	rm_ask("resources of myself", RESOURCES, 1, 0u);
	rm_ask("resources of me", RESOURCES, 1, 0x80u);
	rm_ask("resources of hlos", RESOURCES, 1, 3u);
	rm_ask("allocate", ALLOCATE, 1, 0u);
	rm_ask("stop hlos", STOP, 2, 3u, 0u);
	rm_ask("status", 0x56000080, 1, 0x00010400u);
	rm_ask("crash message", 0x56000086, 2, 4u, 0x64636261u);
	rm_ask("console open", 0x56000081, 1, 0u);
}

static void second_talk(void)
{
	static u8 bytes[240];

	set_up_gic();
	timer_in(1000000);
	__asm__ volatile("wfi");
	take_interrupt();
	timer_in(1000000);
	say("psci suspend = %x\n", smccc(0xc4000001, 3, 0, 0));
	take_interrupt();
	say_call("bell send", hypercall(0x12, 3, 0x81, 0, 0, 0, 0), 1);
	memcpy(bytes, "from the second", 15);
	say_call("queue send", hypercall(0x1b, 5, 15, (u64)bytes, 1, 0, 0), 1);
	for (u64 cap = 0; cap < 8; cap++) {
		say("vm cap %x =", cap);
		say(" %x", hypercall(0x12, cap, 0, 0, 0, 0, 0).x[0]);
		say(" %x", hypercall(0x13, cap, 0, 0, 0, 0, 0).x[0]);
		say(" %x", hypercall(0x14, cap, 0, 0, 0, 0, 0).x[0]);
		say(" %x\n", hypercall(0x15, cap, ALL_ONES, ALL_ONES, 0, 0, 0).x[0]);
	}
	timer_in(1000000);
	__asm__ volatile("wfi");
	take_interrupt();
	say_call("bell receive", hypercall(0x13, 2, ALL_ONES, 0, 0, 0, 0), 1);
	for (u32 i = 0; i < 3; i++)
		say_call("queue receive", hypercall(0x1c, 4, (u64)bytes, sizeof(bytes), 0, 0, 0), 2);
}

static volatile u32 other_state;

static void second_two_cpus(void)
{
	static const u64 unknown[] = { 2, 7, 9, 0xf, 0x10, 0x11, 0x1f, 0x20, 0x3f, 0x40, 0x7f, 0x80, 0xff, 0x100, 0x10000, 0x100000000ull, 0x1000000, 0x40000002 };

	say("cpus info = %x\n", smccc(0xc4000004, 1, 0, 0));
	for (u32 i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		say("cpus on %x = %x\n", unknown[i], smccc(0xc4000003, unknown[i], (u64)other_cpu_entry, 1));
		say("cpus info %x = %x\n", unknown[i], smccc(0xc4000004, unknown[i], 0, 0));
	}
	say("cpus on = %x\n", smccc(0xc4000003, 1, (u64)other_cpu_entry, 1));
	say("cpus on twice = %x\n", smccc(0xc4000003, 1, (u64)other_cpu_entry, 1));
	say("cpus info = %x\n", smccc(0xc4000004, 1, 0, 0));
	set_up_gic();
	while (other_state != 1) {
		timer_in(6000);
		__asm__ volatile("wfi");
	}
	say("cpus other mpidr = %x\n", cpus[1].rest[0]);
	say("cpus other midr = %x\n", cpus[1].rest[1]);
	say("cpus other x0 = %x\n", other_entry.x[0]);
	say("cpus other sctlr = %x\n", other_entry.sctlr);
	while (smccc(0xc4000004, 1, 0, 0) != 1) {
		timer_in(6000);
		__asm__ volatile("wfi");
	}
	say("cpus info off = %x\n", smccc(0xc4000004, 1, 0, 0));
}

void second_cpu_main(void)
{
	cpus[1].rest[0] = MRS(mpidr_el1);
	cpus[1].rest[1] = MRS(midr_el1);
	other_state = 1;
	smccc(0x84000002, 0, 0, 0);
}

static void second_devices(void)
{
	static const u64 addresses[] = { 0x10000000, 0x10000008, 0x40001000, 0x40200000, 0x40ffff00, 0x41200000, 0x3ffffff8, 0x42000000, 0x7ffffff8, 0x80000000, 0x100000000ull, NOWHERE, 0x09000000, 0x08010000, 0 };

	for (u32 i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		say("device load %x = ", addresses[i]);
		say_insn(0xf9400000, addresses[i], 0);
		say("device load word %x = ", addresses[i]);
		say_insn(0xb9400000, addresses[i], 0);
		say("device load byte %x = ", addresses[i]);
		say_insn(0x39400000, addresses[i], 0);
		say("device load signed %x = ", addresses[i]);
		say_insn(0x39800000, addresses[i], 0);
		say("device store %x = ", addresses[i]);
		say_insn(0xf9000001, addresses[i], 0x1122334455667788ull);
		say("device store half %x = ", addresses[i]);
		say_insn(0x79000001, addresses[i], 0x1122334455667788ull);
	}
}

void second_main(u64 tree)
{
	sink = to_memory;
	switch ((enum order)read64(BASE + ORDER_OFFSET)) {
	case VIEW: second_view(tree); break;
	case TALK: second_talk(); break;
	case CPU_OFF: smccc(0x84000002, 0, 0, 0); break;
	case SYSTEM_RESET: smccc(0x84000009, 0, 0, 0); break;
	case RESET2: smccc(0x84000012, 0x80000005, 0x1122334455667788ull, 0); break;
	case RESET2_64: smccc(0xc4000012, 0x80000005, 0x1122334455667788ull, 0); break;
	case FAULT:
		MSR(vbar_el1, NOWHERE);
		(void)read64(NOWHERE);
		break;
	case TWO_CPUS: second_two_cpus(); break;
	case KILL:
		set_up_gic();
		timer_in(1000000);
		__asm__ volatile("wfi");
		take_interrupt();
		rm_patience = 500;
		say("rm told =");
		say_answers(0);
		for (;;)
			__asm__ volatile("wfi");
	case DEVICES: second_devices(); break;
	case REGISTERS: second_registers(); break;
	case EVERY_REGISTER: ask_every_register(); break;
	case CALLS: ask_calls(); break;
	case CAPABILITIES: ask_capabilities(); break;
	case ABORTS: ask_aborts(); break;
	case CONTROLLER:
		ask_gic();
		ask_timer();
		break;
	case FAULTS: second_faults(read64(BASE + ORDER_OFFSET + 8)); break;
	case PARCELS: second_parcels(); break;
	case EXCHANGE: second_exchange(); break;
	case MORE_DEVICES: second_more_devices(); break;
	case OBEY: second_obey(); break;
	case WORK: second_work(); break;
	case SLEEP:
		set_up_gic();
		for (;;)
			sleep();
	default: break;
	}
	smccc(0x84000008, 0, 0, 0);
}
