/*
 * Loads and stores of every size at random registers of every device, in and out of their order, and at random places in the windows;
 * sets virtio queues up with rings full of random numbers in between. Aborts are skipped. Says how many accesses there were of each outcome.
 */
#include "sdk/board.h"
#include "sdk/console.h"
#include "sdk/cpu.h"
#include "sdk/exception.h"

#ifndef COUNT
#define COUNT 60000
#endif

static const struct { uintptr_t base; unsigned int size; } windows[] = {
	{ 0x09000000, 0x1000 }, { 0x09010000, 0x1000 }, { 0x09020000, 0x20 }, { 0x0a000000, 0x4000 }, { 0x0a000000, 0x1000 }, { 0x08000000, 0x10000 }, { 0x080a0000, 0x20000 }, { 0x00000000, 0x8000000 },
};
static uint64_t random_state = 0x9E3779B97F4A7C15UL;
static unsigned int aborts;
static uint64_t rings[2048] __attribute__((aligned(4096)));

static uint64_t random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state * 0x2545F4914F6CDD1DUL;
}

static unsigned int below(unsigned int limit)
{
	return (unsigned int)((random() >> 33) % limit);
}

static bool skip(struct exception_frame *frame)
{
	aborts++;
	frame->elr += 4;
	return true;
}

static void access(uintptr_t address, unsigned int kind, uint64_t value)
{
	switch (kind) {
	case 0: (void)*(volatile uint8_t *)address; break;
	case 1: (void)*(volatile uint16_t *)address; break;
	case 2: (void)*(volatile uint32_t *)address; break;
	case 3: (void)*(volatile uint64_t *)address; break;
	case 4: *(volatile uint8_t *)address = (uint8_t)value; break;
	case 5: *(volatile uint16_t *)address = (uint16_t)value; break;
	case 6: *(volatile uint32_t *)address = (uint32_t)value; break;
	case 7: *(volatile uint64_t *)address = value; break;
	default: __asm__ volatile("stp %1, %1, [%0]" : : "r"(address & ~15UL), "r"(value) : "memory"); break;
	}
}

/* A started device whose queue points at random numbers; indexes are small so that much of it looks possible. */
static void virtio(unsigned int slot)
{
	uintptr_t base = 0x0a000000UL + slot * 0x200UL;
	static const unsigned int parts[] = { 0x80, 0x90, 0xa0 };

	for (unsigned int i = 0; i < ARRAY_COUNT(rings); i++)
		rings[i] = below(3) == 0 ? random() : (below(2) == 0 ? (uintptr_t)&rings[below(ARRAY_COUNT(rings))] : random() & 0x0003000300000fffUL);
	mmio_write32(base + 0x70, 0);
	mmio_write32(base + 0x70, 3);
	mmio_write32(base + 0x24, 0);
	mmio_write32(base + 0x20, below(2) == 0 ? 0x30000000 : 0);
	mmio_write32(base + 0x24, 1);
	mmio_write32(base + 0x20, 1);
	mmio_write32(base + 0x70, 11);
	for (unsigned int queue = 0; queue < 2; queue++) {
		mmio_write32(base + 0x30, queue);
		mmio_write32(base + 0x38, 1U << below(9));
		for (unsigned int part = 0; part < 3; part++) {
			mmio_write32(base + parts[part], (uint32_t)(uintptr_t)&rings[below(ARRAY_COUNT(rings) - 512)]);
			mmio_write32(base + parts[part] + 4, 0);
		}
		mmio_write32(base + 0x44, 1);
	}
	mmio_write32(base + 0x70, 15);
	mmio_write32(base + 0x50, below(2));
	mmio_write32(base + 0x50, below(2));
}

void guest_main(void)
{
	exception_set_hook(skip);
	irq_mask();
	for (unsigned int done = 0; done < COUNT; done++) {
		unsigned int window = below(ARRAY_COUNT(windows));
		uintptr_t address = windows[window].base + below(windows[window].size) % windows[window].size;

		if (below(4) != 0)
			address &= ~7UL;
		access(address, below(9), below(3) == 0 ? random() : below(256));
		if (done % 64 == 0)
			virtio(below(8));
	}
	mmio_write32(0x0900002c, 0);
	mmio_write32(0x09000030, 0x301);
	print("%u accesses, some aborted %d\n", COUNT, aborts > 0);
}
