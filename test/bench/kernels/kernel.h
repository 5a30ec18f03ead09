/* What a benchmark kernel provides. ITERATIONS comes from programs.json and is chosen for one to two seconds on QEMU. */
#ifndef BENCH_KERNEL_H
#define BENCH_KERNEL_H

#include <stddef.h>
#include <stdint.h>

extern const char kernel_name[];

/* Does the work and returns a checksum that depends on all of it. */
uint32_t kernel_run(uint32_t iterations);

static inline uint32_t kernel_mix(uint32_t checksum, uint32_t value)
{
	return (checksum ^ value) * 0x01000193U + (checksum >> 15);
}

#endif
