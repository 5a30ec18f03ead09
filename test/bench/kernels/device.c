/* Reads the serial port's flag register: an iteration is a device access. */
#include "kernel.h"

const char kernel_name[] = "device";

uint32_t kernel_run(uint32_t iterations)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < iterations; i++)
		sum += *(volatile uint32_t *)0x9000018ULL & 8U;
	return sum;
}
