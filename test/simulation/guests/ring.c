/*
 * One of several VMs in a ring, each with several CPUs: CPU k takes messages from CPU k of the VM before and hands them to CPU k of the VM behind,
 * for ever. Bootargs say "INDEX VMS MESSAGES". Queue labels are 8 * sender + k. The primary VM (index 0) has no configuration and learns its queues from
 * the Resource Manager; the others read their trees. In each lane go round as many messages as MESSAGES says for each VM;
 * if it says 0, one message in all.
 */
#include "sdk/board.h"
#include "sdk/console.h"
#include "sdk/cpu.h"
#include "sdk/gic.h"
#include "sdk/gunyah.h"
#include "sdk/psci.h"
#include "sdk/rm.h"
#include "sdk/string.h"

#define LANES 8U
#define MESSAGE_SIZE 32U
#define GICR_FRAME 0x20000UL

extern void other_cpu_start(void);

struct lane {
	cap_id_t send, receive;
	uint32_t send_virq, receive_virq;
	uint64_t passed;
} __attribute__((aligned(64)));

static struct lane lanes[LANES];
static uint32_t own_index, vm_count;
static uint32_t messages;
static volatile uint32_t ready;
static struct rm rm;

static void ignore(uint32_t intid, void *context)
{
	(void)intid;
	(void)context;
}

static uint32_t number_from(const char **text)
{
	uint32_t number = 0;

	while (**text == ' ')
		(*text)++;
	for (; **text >= '0' && **text <= '9'; (*text)++)
		number = number * 10 + (uint32_t)(**text - '0');
	return number;
}

static void take_end(uint32_t label, bool sends, cap_id_t cap, uint32_t virq)
{
	uint32_t sender = label / LANES;
	struct lane *lane = &lanes[label % LANES];

	if (sends && sender == own_index) {
		lane->send = cap;
		lane->send_virq = virq;
	} else if (!sends && (sender + 1) % vm_count == own_index) {
		lane->receive = cap;
		lane->receive_virq = virq;
	}
}

/* A pair of queues has both directions; this ring uses one of them. */
static void ends_from_tree(void)
{
	int node = FDT_NONE;

	while ((node = fdt_find_compatible(&board.fdt, node, "qcom,gunyah-message-queue")) >= 0) {
		struct fdt_property reg;
		struct fdt_interrupt send, receive;
		uint32_t label = fdt_get_u32(&board.fdt, node, "label", ~0U);

		if (label == ~0U || !fdt_get(&board.fdt, node, "reg", &reg) || !fdt_get_interrupt(&board.fdt, node, 0, &send) || !fdt_get_interrupt(&board.fdt, node, 1, &receive))
			continue;
		take_end(label, true, fdt_cells64(&reg, 0, 2), send.intid);
		take_end(label, false, fdt_cells64(&reg, 2, 2), receive.intid);
	}
}

static void ends_from_rm(const char *name)
{
	static struct rm_request request;
	uint16_t vmid;
	uint32_t payload;

	if (rm_lookup_name(&rm, name, &vmid) != RM_OK)
		return;
	payload = vmid;
	if (rm_call(&rm, &request, RM_VM_GET_HYP_RESOURCES, &payload, sizeof(payload)) != RM_OK)
		return;
	for (uint32_t i = 0; i < request.reply[0]; i++) {
		struct rm_resource entry;

		memcpy(&entry, &request.reply[1 + i * sizeof(entry) / 4], sizeof(entry));
		if (entry.type == RM_RESOURCE_MSGQUEUE_TX || entry.type == RM_RESOURCE_MSGQUEUE_RX)
			take_end(entry.label, entry.type == RM_RESOURCE_MSGQUEUE_TX, rm_resource_cap(&entry), entry.virq);
	}
}

/* Interrupts of lane k go to CPU k. */
static void connect(uint32_t intid, uint32_t cpu)
{
	if (intid < 32)
		return;
	gic_connect(intid, GIC_EDGE, "lane", ignore, NULL);
	mmio_write64(board.gic_distributor + 0x6000 + 8UL * intid, cpu);
}

/* Hands on whatever comes. A queue that is full becomes free: the queues of a lane have room for more messages than go round in it. */
static void pass_messages(struct lane *lane)
{
	static uint8_t buffers[LANES][MESSAGE_SIZE] __attribute__((aligned(64)));
	uint64_t *buffer = (uint64_t *)buffers[lane - lanes];

	buffer[0] = own_index;
	for (uint32_t n = messages == 0 && own_index == 0 ? 1 : messages; n > 0; n--)
		gunyah_msgqueue_send(lane->send, buffer, MESSAGE_SIZE, 0, NULL);
	for (;;) {
		size_t size;

		if (gunyah_msgqueue_receive(lane->receive, buffer, MESSAGE_SIZE, &size, NULL) != GUNYAH_OK) {
			cpu_wait_for_interrupt();
			continue;
		}
		buffer[1]++;
		while (gunyah_msgqueue_send(lane->send, buffer, size, 0, NULL) == GUNYAH_MSGQUEUE_FULL)
			cpu_wait_for_interrupt();
		lane->passed++;
	}
}

/* Alone there is no ring: the cheapest call that looks a capability up, for its cost. */
static void call_for_ever(void)
{
	static uint8_t buffer[MESSAGE_SIZE] __attribute__((aligned(8)));
	size_t size;

	for (;;)
		gunyah_msgqueue_receive(rm.queue.rx_cap, buffer, sizeof(buffer), &size, NULL);
}

void other_cpu(uint64_t cpu);
void other_cpu(uint64_t cpu)
{
	uintptr_t frame = board.gic_redistributor + cpu * GICR_FRAME;

	irq_mask();
	mmio_write32(frame + 0x14, 0);
	mmio_write32(frame + 0x10080, 0xffffffff);
	WRITE_SYSREG("S3_0_C12_C12_5", 7);
	WRITE_SYSREG("S3_0_C4_C6_0", 0xff);
	WRITE_SYSREG("S3_0_C12_C12_7", 1);
	cpu_isb();
	ready++;
	pass_messages(&lanes[cpu]);
}

void guest_main(void)
{
	int chosen = fdt_find_path(&board.fdt, "/chosen");
	const char *arguments = chosen < 0 ? NULL : fdt_get_string(&board.fdt, chosen, "bootargs");

	own_index = number_from(&arguments);
	vm_count = number_from(&arguments);
	messages = number_from(&arguments);
	if (own_index > 0) {
		ends_from_tree();
	} else if (rm_open(&rm, &board.fdt)) {
		char name[] = "ring-??";

		for (uint32_t other = 1; other < vm_count; other += vm_count > 2 ? vm_count - 2 : 1) {
			name[5] = (char)('0' + other / 10);
			name[6] = (char)('0' + other % 10);
			ends_from_rm(name);
		}
	}
	irq_mask();
	if (vm_count == 1)
		call_for_ever();
	for (uint32_t cpu = 0; cpu < LANES; cpu++) {
		connect(lanes[cpu].send_virq, cpu);
		connect(lanes[cpu].receive_virq, cpu);
	}
	for (uint32_t cpu = 1; cpu < LANES; cpu++) {
		psci_cpu_on(cpu, (uintptr_t)other_cpu_start, cpu);
		while (ready < cpu)
			__asm__ volatile("yield" : : : "memory");
	}
	print("VM %u of %u: send %lx on %u, receive %lx on %u\n", own_index, vm_count, lanes[0].send, lanes[0].send_virq, lanes[0].receive, lanes[0].receive_virq);
	pass_messages(&lanes[0]);
}
