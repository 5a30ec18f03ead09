/*
 * A guest that attacks the hypervisor and the Resource Manager for ever: every hypercall number by both paths, PSCI and other services, and
 * RM packets that are well formed, mutated, cut short, fragmented or continued wrongly; registers of the interrupt controller and plain
 * addresses beside. What it does follows from a seed alone (bootargs: a decimal number). It keeps its own code alive: memory that it gives
 * away or maps over is far from it.
 */
#include "sdk/board.h"
#include "sdk/console.h"
#include "sdk/cpu.h"
#include "sdk/exception.h"
#include "sdk/gic.h"
#include "sdk/gunyah.h"
#include "sdk/psci.h"
#include "sdk/rm.h"
#include "sdk/string.h"

#define SCRATCH_BASE 0x42000000UL /* ours to lose */
#define SCRATCH_SIZE 0x00400000UL
#define PACKET_MAX 240U
#define HEADER_SIZE 8U
#define REMEMBERED 16U
#define SCHEDULE 16U

static uint64_t random_state;
static volatile uint64_t faults;
static struct queue rm;
static union {
	uint8_t bytes[256];
	uint32_t words[64];
} packet __attribute__((aligned(16)));
static uint16_t sequence;
/* Numbers that were given to us: VMIDs, handles, capabilities. */
static uint32_t handles[REMEMBERED];
static uint16_t vmids[REMEMBERED] = { 0, 3, 0x80, 0x81, 0x82, 0xff };
static cap_id_t caps[REMEMBERED];
static uint32_t handle_count, cap_count;
static uint32_t call_code[4] __attribute__((aligned(64)));

static uint64_t random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state * 0x2545F4914F6CDD1DUL;
}

static uint32_t below(uint32_t limit)
{
	return (uint32_t)(random() >> 32) % limit;
}

static bool one_in(uint32_t count)
{
	return below(count) == 0;
}

static bool skip(struct exception_frame *frame)
{
	faults++;
	frame->elr += 4;
	return true;
}

/* --- values --- */

static uint64_t scratch_address(void)
{
	return SCRATCH_BASE + (random() & (SCRATCH_SIZE - 1) & ~(one_in(8) ? 0UL : 0xfffUL));
}

static uint64_t any_word(void)
{
	switch (below(12)) {
	case 0: return 0;
	case 1: return ~0UL;
	case 2: return 1UL << below(64);
	case 3: return (1UL << below(64)) - 1;
	case 4: return below(64);
	case 5: return (uint64_t)below(64) << 12;
	case 6: return scratch_address();
	case 7: return below(0x400);
	case 8: return 0xffffffffUL;
	case 9: return 0x10007 ^ below(16);
	case 10: return 0xf0077 ^ (uint64_t)below(8);
	default: return random();
	}
}

static cap_id_t any_cap(void)
{
	if (one_in(20))
		return any_word();
	if (cap_count > 0 && one_in(3))
		return caps[below(REMEMBERED)];
	return below(one_in(3) ? 64 : 8);
}

/* --- hypercalls --- */

static void remember_cap(const struct gunyah_registers *registers)
{
	if (gunyah_error_of(registers) == GUNYAH_OK && registers->x[1] < 0x10000)
		caps[cap_count++ % REMEMBERED] = registers->x[1];
}

static void call(uint32_t number, bool native, struct gunyah_registers *registers)
{
	register uint64_t r0 __asm__("x0") = native ? registers->x[0] : GUNYAH_SMCCC_FUNCTION(number);
	register uint64_t r1 __asm__("x1") = registers->x[native ? 1 : 0];
	register uint64_t r2 __asm__("x2") = registers->x[native ? 2 : 1];
	register uint64_t r3 __asm__("x3") = registers->x[native ? 3 : 2];
	register uint64_t r4 __asm__("x4") = registers->x[native ? 4 : 3];
	register uint64_t r5 __asm__("x5") = registers->x[native ? 5 : 4];
	register uint64_t r6 __asm__("x6") = registers->x[native ? 6 : 5];
	register uint64_t r7 __asm__("x7") = registers->x[native ? 7 : 6];
	register uint64_t target __asm__("x19") = (uint64_t)call_code;

	call_code[0] = (one_in(2) && !native ? 0xd4000003U : 0xd4000002U) | (native ? (0x6000U + number) << 5 : 0); /* smc or hvc */
	call_code[1] = 0xd65f03c0U;                                                                              /* ret */
	__asm__ volatile("dc cvau, %0\n\tdsb ish\n\tic ivau, %0\n\tdsb ish\n\tisb" : : "r"(call_code) : "memory");
	__asm__ volatile("blr %[target]"
			 : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3), "+r"(r4), "+r"(r5), "+r"(r6), "+r"(r7)
			 : [target] "r"(target)
			 : "x8", "x30", "cc", GUNYAH_LOST_REGISTERS);
	*registers = (struct gunyah_registers){ { r0, r1, r2, r3, r4, r5, r6, r7 } };
}

/* Calls that would end or stop this vCPU are made seldom; a random time later somebody may wake it. */
static bool is_deadly(uint32_t number)
{
	return number == GUNYAH_VCPU_POWEROFF || number == GUNYAH_VCPU_KILL;
}

static void random_hypercall(void)
{
	struct gunyah_registers registers;
	uint32_t number = one_in(64) ? below(0x10000) : below(0x70);
	bool native = one_in(2);

	if (is_deadly(number) && !one_in(4096))
		return;
	for (int i = 0; i < 8; i++)
		registers.x[i] = i < 2 && !one_in(3) ? any_cap() : one_in(3) ? 0 : any_word();
	if (number == GUNYAH_MSGQUEUE_CONFIGURE_SEND || number == GUNYAH_MSGQUEUE_CONFIGURE_RECEIVE) {
		registers.x[2] = 0xffffffff;
		registers.x[3] = ~0UL;
	}
	if (number == GUNYAH_MSGQUEUE_RECEIVE)
		registers.x[1] = scratch_address();
	call(number, native, &registers);
	remember_cap(&registers);
}

static void random_service(void)
{
	static const uint32_t owners[] = { 0x80, 0x84, 0x85, 0x86, 0xc4, 0xc5, 0xc6, 0xc0 };
	uint32_t id = owners[below(8)] << 24 | (one_in(4) ? below(0x1000000) : below(0x60) | (one_in(4) ? 0x8000 : 0));
	register uint64_t r0 __asm__("x0") = id;
	register uint64_t r1 __asm__("x1") = any_word();
	register uint64_t r2 __asm__("x2") = any_word();
	register uint64_t r3 __asm__("x3") = any_word();

	/* PSCI calls that do not come back. */
	if ((id & 0xbfffffff) == 0x84000001 || (id & 0xbfffffff) == 0x84000002 || (id & 0xbfffffff) == 0x8400000c || (id & 0xbfffffff) == 0x84000012 || id == 0x84000008 || id == 0x84000009)
		return;
	if ((id & 0xff008000) == 0xc6008000)
		return;
	__asm__ volatile("hvc #0" : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3) : : "x4", "x5", "x6", "x7", "x8", GUNYAH_LOST_REGISTERS);
}

/* --- the Resource Manager --- */

static const uint32_t ids[] = {
	0x51000010, 0x51000011, 0x51000012, 0x51000013, 0x51000014, 0x51000015, 0x51000017, 0x51000018, 0x5100001a, 0x51000020, 0x51000021, 0x56000001, 0x56000002, 0x56000004, 0x56000005,
	0x56000006, 0x56000009, 0x5600000a, 0x5600000b, 0x56000010, 0x56000011, 0x56000012, 0x56000013, 0x56000015, 0x56000017, 0x56000019, 0x56000020, 0x56000021, 0x56000022, 0x56000024,
	0x56000025, 0x56000030, 0x56000031, 0x56000032, 0x56000033, 0x56000034, 0x56000050, 0x56000051, 0x56000052, 0x56000053, 0x56000054, 0x56000055, 0x56000080, 0x56000081, 0x56000082,
	0x56000083, 0x56000084, 0x56000085, 0x56000086, 0x560000a0, 0x560000b0, 0x560000b1, 0x56100001, 0x56100008,
};

static void put32(uint32_t offset, uint32_t value)
{
	packet.words[offset / 4] = value;
}

static void put64(uint32_t offset, uint64_t value)
{
	put32(offset, (uint32_t)value);
	put32(offset + 4, (uint32_t)(value >> 32));
}

static uint16_t any_vmid(void)
{
	return one_in(10) ? (uint16_t)any_word() : vmids[below(REMEMBERED)];
}

static uint32_t any_handle(void)
{
	return handle_count == 0 || one_in(6) ? (uint32_t)any_word() : handles[below(handle_count < REMEMBERED ? handle_count : REMEMBERED)];
}

static uint32_t type_and_fragments(uint32_t type, uint32_t fragments)
{
	return type | fragments << 2;
}

static void header(uint32_t type, uint32_t fragments, uint32_t id)
{
	packet.bytes[0] = 0x21;
	packet.bytes[1] = (uint8_t)type_and_fragments(type, fragments);
	packet.bytes[2] = (uint8_t)sequence;
	packet.bytes[3] = (uint8_t)(sequence >> 8);
	put32(4, id);
}

/* A parcel of pages that we can spare; the answer is the payload's length. */
static uint32_t parcel_payload(void)
{
	uint32_t at = HEADER_SIZE, count = 1 + below(3);

	put32(at, one_in(6) ? (uint32_t)any_word() : one_in(4) ? 0x20000 : 0);
	put32(at += 4, below(4));
	put32(at += 4, 1);
	put32(at += 4, any_vmid() | (one_in(8) ? below(256) : 7) << 16);
	put32(at += 4, count);
	at += 4;
	for (uint32_t i = 0; i < count; i++, at += 16) {
		put64(at, scratch_address() & ~(one_in(12) ? 0UL : 0xfffUL));
		put64(at + 8, one_in(12) ? any_word() : (uint64_t)(1 + below(16)) << 12);
	}
	put32(at, 0);
	return at + 4 - HEADER_SIZE;
}

static uint32_t payload_for(uint32_t id)
{
	switch (id) {
	case 0x51000010: case 0x51000012: case 0x51000013: return parcel_payload();
	case 0x51000011: case 0x51000014: case 0x51000015: case 0x51000017: case 0x51000018: case 0x5100001a:
		for (uint32_t at = 0; at < 64; at += 4)
			put32(HEADER_SIZE + at, at == 0 ? any_handle() : (uint32_t)any_word());
		return one_in(2) ? 8 : below(17) * 4;
	case 0x56000009:
		put32(HEADER_SIZE, any_vmid());
		put32(HEADER_SIZE + 4, any_handle());
		for (uint32_t at = 8; at < 40; at += 8)
			put64(HEADER_SIZE + at, one_in(2) ? (uint64_t)below(16) << 12 : any_word());
		return 40;
	case 0x56000015: case 0x56000024: case 0x56000025: return one_in(8) ? 4 : 0;
	default:
		put32(HEADER_SIZE, id == 0x56000001 ? 0 : any_vmid() | (one_in(3) ? below(4) << 16 : 0));
		for (uint32_t at = 4; at < 64; at += 4)
			put32(HEADER_SIZE + at, (uint32_t)any_word());
		return one_in(4) ? below(17) * 4 + (one_in(8) ? below(4) : 0) : id == 0x56000005 ? 8 : 4;
	}
}

static void send_packet(uint32_t size)
{
	gunyah_msgqueue_send(rm.tx_cap, &packet, size, one_in(8) ? 1 : 0, NULL);
}

static void random_request(void)
{
	uint32_t id = one_in(40) ? (uint32_t)random() : ids[below(ARRAY_COUNT(ids))];
	uint32_t size;

	if ((id == 0x56000085 || id == 0x56000005) && !one_in(200)) /* exit, and stopping others */
		return;
	size = payload_for(id);
	sequence++;
	header(one_in(60) ? below(4) : 1, one_in(40) ? below(64) : 0, id);
	if (one_in(20)) /* mutated */
		packet.bytes[below(HEADER_SIZE + size)] ^= (uint8_t)(1U << below(8));
	if (one_in(30)) /* cut short */
		size = below(size + 1);
	send_packet(one_in(100) ? below(PACKET_MAX + 2) : HEADER_SIZE + size);
}

/* Several packets of one message, now and then with a wrong number, a wrong sequence, or one too few. */
static void fragmented_request(void)
{
	uint32_t id = ids[below(ARRAY_COUNT(ids))], count = 1 + below(one_in(10) ? 62 : 4);

	sequence++;
	for (uint32_t i = 0; i <= count; i++) {
		header(i == 0 ? 1 : 0, one_in(50) ? below(64) : count, one_in(60) ? id + 1 : id);
		for (uint32_t at = HEADER_SIZE; at < PACKET_MAX; at += 4)
			put32(at, one_in(2) ? 0 : (uint32_t)any_word());
		if (one_in(60))
			sequence++;
		if (one_in(40))
			return;
		send_packet(one_in(8) ? HEADER_SIZE + below(PACKET_MAX - HEADER_SIZE + 1) : PACKET_MAX);
		if (i % 6 == 5)
			gunyah_scheduler_yield(0, 0);
	}
}

/* Reads replies; what they name is used later. */
static void drain(void)
{
	static uint8_t reply[256] __attribute__((aligned(16)));
	size_t size;

	for (uint32_t i = 0; i < 16; i++) {
		uint32_t words[4];

		if (gunyah_msgqueue_receive(rm.rx_cap, reply, sizeof(reply), &size, NULL) != GUNYAH_OK || size < 16)
			return;
		memcpy(words, reply, sizeof(words));
		if (words[2] != 0)
			continue;
		if ((words[1] & 0xffff0000) == 0x51000000)
			handles[handle_count++ % REMEMBERED] = words[3];
		else if (words[1] == 0x56000001)
			vmids[below(REMEMBERED)] = (uint16_t)words[3];
	}
}

/* --- the machine --- */

static void random_access(void)
{
	static const uintptr_t pages[] = { 0x08000000, 0x08006000, 0x080a0000, 0x080b0000, 0x080c0000, 0x09000000, 0x0a000000, 0x70000000, SCRATCH_BASE };
	uintptr_t address = pages[below(ARRAY_COUNT(pages))] + below(0x1000);

	if (address >= 0x09000000 && address < 0x09001000 && !one_in(50))
		return; /* the console */
	switch (below(6)) {
	case 0: *(volatile uint8_t *)address = (uint8_t)random(); break;
	case 1: *(volatile uint32_t *)(address & ~3UL) = (uint32_t)any_word(); break;
	case 2: *(volatile uint64_t *)(address & ~7UL) = any_word(); break;
	case 3: (void)*(volatile uint8_t *)address; break;
	case 4: (void)*(volatile uint32_t *)(address & ~3UL); break;
	default: (void)*(volatile uint64_t *)(address & ~7UL); break;
	}
}

/* Something that is not a call, so that time passes. */
static void compute(void)
{
	for (uint32_t i = below(60); i > 0; i--)
		random();
	if (one_in(16))
		gunyah_scheduler_yield(0, 0);
}

void guest_main(void)
{
	int chosen = fdt_find_path(&board.fdt, "/chosen");
	const char *seed = chosen < 0 ? NULL : fdt_get_string(&board.fdt, chosen, "bootargs");
	int node = fdt_find_compatible(&board.fdt, FDT_NONE, "gunyah-resource-manager");

	random_state = 0x9E3779B97F4A7C15UL;
	for (; seed != NULL && *seed >= '0' && *seed <= '9'; seed++)
		random_state = random_state * 10 + (uint64_t)(*seed - '0');
	for (uint32_t i = 6; i < REMEMBERED; i++)
		vmids[i] = (uint16_t)(0x80 + i);
	exception_set_hook(skip);
	irq_mask();
	if (node < 0 || !queue_from_tree(&rm, &board.fdt, node, "resource-manager"))
		rm.tx_cap = 0, rm.rx_cap = 1;
	for (;;) {
		switch (below(SCHEDULE)) {
		case 0: case 1: case 2: case 3: case 4: random_hypercall(); break;
		case 5: random_service(); break;
		case 6: case 7: case 8: random_request(); break;
		case 9: if (one_in(4)) fragmented_request(); break;
		case 10: random_access(); break;
		case 11: case 12: drain(); break;
		default: compute(); break;
		}
	}
}
