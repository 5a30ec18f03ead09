/* Sieve of Eratosthenes over bytes: strided stores, and a scan with a branch that is hard to predict. */
#include "kernel.h"

#define LIMIT 200000

const char kernel_name[] = "sieve";

static uint8_t composite[LIMIT];

static void cross_out(void)
{
	for (uint32_t i = 0; i < LIMIT; i++)
		composite[i] = 0;
	for (uint32_t factor = 2; factor * factor < LIMIT; factor++) {
		if (composite[factor])
			continue;
		for (uint32_t multiple = factor * factor; multiple < LIMIT; multiple += factor)
			composite[multiple] = 1;
	}
}

uint32_t kernel_run(uint32_t iterations)
{
	uint32_t checksum = 0;

	while (iterations-- > 0) {
		cross_out();
		for (uint32_t i = 2 + (iterations & 1); i < LIMIT; i++) {
			if (!composite[i])
				checksum += i;
		}
	}
	return checksum;
}
