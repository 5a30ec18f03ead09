/*
 * Drives virtio devices through their rings: a disk, an entropy source, a console, two network cards on one wire. Waits for
 * interrupts, uses direct and indirect descriptors, with and without the event index, and breaks the rules to see the device
 * taken out of service. Prints only what every machine with such devices says.
 */
#include "sdk/board.h"
#include "sdk/console.h"
#include "sdk/cpu.h"
#include "sdk/gic.h"
#include "sdk/psci.h"

#define SLOTS 32U
#define SLOT(index) (0x0a000000UL + (index) * 0x200UL)
#define RING 8U
#define DISK 2U
#define ENTROPY 4U
#define CONSOLE 3U
#define NET 1U

#define INDIRECT (1U << 28)
#define EVENT_INDEX (1U << 29)

enum { FLAG_NEXT = 1, FLAG_WRITE = 2, FLAG_INDIRECT = 4 };

struct descriptor { uint64_t address; uint32_t length; uint16_t flags; uint16_t next; };
struct queue {
	struct descriptor descriptors[RING];
	struct { uint16_t flags, index, ring[RING], used_event; } available __attribute__((aligned(64)));
	struct { uint16_t flags, index; struct { uint32_t id, length; } ring[RING]; uint16_t available_event; } used __attribute__((aligned(64)));
	uint16_t seen;
} __attribute__((aligned(4096)));

struct device { unsigned int slot; uintptr_t base; volatile unsigned int interrupts, status; struct queue *queues; };

static struct queue queues[8];
static unsigned int queues_used;
static struct descriptor table[RING] __attribute__((aligned(16)));
static uint8_t data[4096] __attribute__((aligned(16)));
static uint8_t answer;
static struct { uint32_t type, reserved; uint64_t sector; } header;

static uint32_t get(const struct device *device, unsigned int offset)
{
	return mmio_read32(device->base + offset);
}

static void put(const struct device *device, unsigned int offset, uint32_t value)
{
	mmio_write32(device->base + offset, value);
}

static void interrupt(uint32_t intid, void *context)
{
	struct device *device = context;
	uint32_t status = get(device, 0x60);

	(void)intid;
	put(device, 0x64, status);
	device->status |= status;
	device->interrupts++;
}

/* The slot of the n-th device of a type, by descending or ascending slots alike if there is one. */
static bool find(struct device *device, uint32_t type, unsigned int n)
{
	for (unsigned int slot = 0; slot < SLOTS; slot++) {
		uintptr_t base = SLOT(slot);

		if (mmio_read32(base) != 0x74726976 || mmio_read32(base + 4) != 2 || mmio_read32(base + 8) != type || n-- > 0)
			continue;
		*device = (struct device){ .slot = slot, .base = base };
		return true;
	}
	print("no device of type %u\n", type);
	return false;
}

static void start(struct device *device, unsigned int count, uint32_t features)
{
	if (device->queues == NULL) {
		device->queues = &queues[queues_used];
		queues_used += count;
		gic_connect(32 + 16 + device->slot, GIC_EDGE, "virtio", interrupt, device);
	}
	put(device, 0x70, 0);
	put(device, 0x70, 1);
	put(device, 0x70, 3);
	put(device, 0x14, 1);
	print("version 1 %u, ", get(device, 0x10) & 1);
	put(device, 0x24, 0);
	put(device, 0x20, features);
	put(device, 0x24, 1);
	put(device, 0x20, 1);
	put(device, 0x70, 11);
	print("status %u\n", get(device, 0x70));
	for (unsigned int i = 0; i < count; i++) {
		struct queue *queue = &device->queues[i];
		uintptr_t at[] = { (uintptr_t)queue->descriptors, (uintptr_t)&queue->available, (uintptr_t)&queue->used };

		*queue = (struct queue){ 0 };
		put(device, 0x30, i);
		put(device, 0x38, RING);
		for (unsigned int part = 0; part < 3; part++) {
			put(device, 0x80 + part * 16, (uint32_t)at[part]);
			put(device, 0x84 + part * 16, (uint32_t)(at[part] >> 32));
		}
		put(device, 0x44, 1);
	}
	put(device, 0x70, 15);
}

static void offer(struct device *device, unsigned int index, uint16_t head)
{
	struct queue *queue = &device->queues[index];

	queue->available.ring[queue->available.index % RING] = head;
	cpu_dsb();
	queue->available.index++;
	cpu_dsb();
	put(device, 0x50, index);
}

/* Length of the next used element; waits for interrupts until there is one. */
static uint32_t wait(struct device *device, unsigned int index)
{
	struct queue *queue = &device->queues[index];
	volatile uint16_t *used = &queue->used.index;
	uint32_t length;

	for (uint64_t daif = irq_mask(); *used == queue->seen; daif = irq_mask()) {
		__asm__ volatile("wfi");
		irq_restore(daif);
		cpu_isb();
	}
	irq_enable();
	length = queue->used.ring[queue->seen % RING].length;
	queue->seen++;
	return length;
}

static uint32_t request(struct device *device, bool indirect, uint32_t type, uint64_t sector, uint32_t size, bool out)
{
	struct descriptor *first = indirect ? table : device->queues[0].descriptors;
	unsigned int n = 0;
	uint32_t length;

	header.type = type;
	header.sector = sector;
	answer = 0x77;
	first[n++] = (struct descriptor){ (uintptr_t)&header, 16, FLAG_NEXT, 1 };
	if (size > 0)
		first[n++] = (struct descriptor){ (uintptr_t)data, size, out ? FLAG_NEXT : FLAG_NEXT | FLAG_WRITE, 2 };
	first[n] = (struct descriptor){ (uintptr_t)&answer, 1, FLAG_WRITE, 0 };
	if (indirect)
		device->queues[0].descriptors[7] = (struct descriptor){ (uintptr_t)table, (n + 1) * 16, FLAG_INDIRECT, 0 };
	offer(device, 0, indirect ? 7 : 0);
	length = wait(device, 0);
	return length << 8 | answer;
}

static uint32_t sum(const uint8_t *bytes, uint32_t size)
{
	uint32_t value = 0;

	while (size-- > 0)
		value = value * 31 + *bytes++;
	return value;
}

static void disk_session(struct device *disk, uint32_t features)
{
	bool indirect = (features & INDIRECT) != 0;
	uint32_t result;

	start(disk, 1, features);
	print("capacity %u, queue %d\n", get(disk, 0x100), get(disk, 0x34) >= RING);
	for (unsigned int sector = 0; sector < 8; sector += 3) {
		result = request(disk, indirect, 0, sector, 1024, false);
		print("read %u: %x sum %x\n", sector, result, sum(data, 1024));
	}
	for (unsigned int i = 0; i < 1024; i++)
		data[i] = (uint8_t)(i * 7 + features);
	result = request(disk, indirect, 1, 5, 1024, true);
	print("write: %x\n", result & 0xff);
	result = request(disk, indirect, 0, 4, 2048, false);
	print("read back: %x sum %x\n", result, sum(data, 2048));
	print("flush: %x\n", request(disk, indirect, 4, 0, 0, false) & 0xff);
	print("identifier: %x\n", request(disk, indirect, 8, 0, 20, false) & 0xff);
	print("beyond: %x, odd: %x, unknown: %x\n", request(disk, indirect, 0, get(disk, 0x100), 512, false) & 0xff, request(disk, indirect, 0, 0, 100, false) & 0xff,
	      request(disk, indirect, 99, 0, 0, false) & 0xff);
	print("interrupts %d, status %x\n", disk->interrupts >= 9, disk->status);
}

static void zeroes(struct device *disk)
{
	*(uint64_t *)data = 2;
	*(uint64_t *)(data + 8) = 3;
	header.type = 13;
	print("zeroes: %x\n", request(disk, false, 13, 0, 16, true) & 0xff);
	print("now: %x sum %x\n", request(disk, false, 0, 0, 4096, false), sum(data, 4096));
}

static void break_rules(struct device *disk)
{
	struct descriptor *descriptors = disk->queues[0].descriptors;

	for (unsigned int way = 0; way < 4; way++) {
		start(disk, 1, 0);
		disk->status = 0;
		descriptors[0] = (struct descriptor){ (uintptr_t)&header, 16, FLAG_NEXT, way == 0 ? 0 : 1 };
		descriptors[1] = (struct descriptor){ way == 1 ? 0x1000 : (uintptr_t)data, 512, way == 2 ? FLAG_NEXT | FLAG_WRITE : FLAG_NEXT | FLAG_WRITE, 2 };
		descriptors[2] = (struct descriptor){ (uintptr_t)&answer, 1, way == 2 ? 0 : FLAG_WRITE, 0 };
		offer(disk, 0, way == 3 ? 1000 : 0);
		while (way != 1 && (get(disk, 0x70) & 0x40) == 0)
			__asm__ volatile("yield");
		print("broken %u: status %x\n", way, way == 1 ? 0 : get(disk, 0x70));
	}
	start(disk, 1, 0);
	print("repaired: %x\n", request(disk, false, 0, 0, 512, false));
}

static void entropy(void)
{
	struct device device;

	if (!find(&device, ENTROPY, 0))
		return;
	start(&device, 1, EVENT_INDEX);
	for (unsigned int round = 0; round < 2; round++) {
		uint32_t before = sum(data, 64), length;

		device.queues[0].descriptors[0] = (struct descriptor){ (uintptr_t)data, 64, FLAG_WRITE, 0 };
		device.queues[0].available.used_event = (uint16_t)round;
		offer(&device, 0, 0);
		length = wait(&device, 0);
		print("entropy %u, new %d\n", length, sum(data, 64) != before);
	}
}

static void console(void)
{
	static const char text[] = "out of the virtio console\n";
	struct device device;

	if (!find(&device, CONSOLE, 0))
		return;
	start(&device, 2, 0);
	device.queues[1].descriptors[3] = (struct descriptor){ (uintptr_t)text, sizeof(text) - 1, 0, 0 };
	offer(&device, 1, 3);
	print("console %u\n", wait(&device, 1));
}

static void network(void)
{
	static uint8_t frames[2][1600] __attribute__((aligned(16)));
	static uint8_t out[12 + 64];
	struct device cards[2];

	for (unsigned int i = 0; i < 2; i++) {
		if (!find(&cards[i], NET, i))
			return;
		cards[i].queues = NULL;
		start(&cards[i], 2, 1U << 5);
		cards[i].queues[0].descriptors[0] = (struct descriptor){ (uintptr_t)frames[i], sizeof(frames[i]), FLAG_WRITE, 0 };
		offer(&cards[i], 0, 0);
	}
	for (unsigned int from = 0; from < 2; from++) {
		for (unsigned int i = 0; i < sizeof(out); i++)
			out[i] = i < 12 ? 0 : (uint8_t)(i < 18 ? 0xff : i + from);
		for (unsigned int i = 0; i < 6; i++)
			out[18 + i] = *(volatile uint8_t *)(cards[from].base + 0x100 + i);
		cards[from].queues[1].descriptors[0] = (struct descriptor){ (uintptr_t)out, 12, FLAG_NEXT, 1 };
		cards[from].queues[1].descriptors[1] = (struct descriptor){ (uintptr_t)out + 12, 64, 0, 0 };
		offer(&cards[from], 1, 0);
		print("sent %u, ", wait(&cards[from], 1));
		print("received %u, ", wait(&cards[1 - from], 0));
		print("same %d\n", sum(frames[1 - from] + 12, 64) == sum(out + 12, 64));
	}
}

void guest_main(void)
{
	struct device disk;

	for (unsigned int slot = 0; slot < SLOTS; slot++)
		if (mmio_read32(SLOT(slot)) != 0x74726976)
			print("slot %u is not there\n", slot);
	if (find(&disk, DISK, 0)) {
		disk_session(&disk, 0);
		disk_session(&disk, INDIRECT);
		zeroes(&disk);
		break_rules(&disk);
	}
	entropy();
	console();
	network();
}
